"""Training: real cells tagged by experts, estimates that do not leak, and bad truth."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.classify.candidates import LEAKING, fisher_ratio, rank
from ifcyto.classify.fit import fit
from ifcyto.classify.scorer import UNKNOWN
from ifcyto.classify.training import TrainOptions, train
from ifcyto.errors import UsageError
from ifcyto.readers.daf_document import read_daf

PLAIN = TrainOptions(learning_curve=False)
TWO_NUCLEI = ("tagged-tel", "tagged-lat")


@pytest.fixture(scope="module")
def ut7(shared_data):
    """Values, classes and names of 400 real cells: 10 classes of 40, tagged as ranges of object numbers."""
    document = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    numbers = document.feature("Object Number")
    regions = {region.label: region for region in document.regions}
    labels = np.full(len(numbers), "", dtype="U20")
    for population in document.populations:
        if population.type == "G" and population.fx == "Object Number":
            ends = [x for x, _ in regions[population.region].points]
            inside = (numbers >= min(ends)) & (numbers <= max(ends))
            if inside.sum() == 40:
                labels[inside] = population.name
    assert (document.feature_values.shape, len(set(labels) - {""})) == ((420, 196), 10)
    tagged = labels != ""
    return document.feature_values[tagged], labels[tagged], document.feature_names


@pytest.fixture(scope="module")
def trained(ut7):
    return train(*ut7)


@pytest.fixture
def cells(rng):
    """A hundred objects of three classes, six columns of which three tell them apart."""
    labels = np.repeat(["BNE", "Doublet", "Irregular"], [30, 40, 30])
    centres = {"BNE": [3, 0, 0], "Doublet": [0, 3, 0], "Irregular": [0, 0, 3]}
    values = rng.normal(size=(100, 6))
    values[:, :3] += [centres[name] for name in labels]
    return values * [1, 10, 1e5, 1, 1, 1] + 7, labels, list("abcdef")


def f1_of_two_nuclei(labels, predictions):
    truth, found = np.isin(labels, TWO_NUCLEI), np.isin(predictions, TWO_NUCLEI)
    return 2 * (truth & found).sum() / (truth.sum() + found.sum())


def test_real_cells_are_told_apart_by_classifiers_that_did_not_see_them(ut7, trained):
    """One division into folds, the default one.

    Over 20 seeds the balanced accuracy is 0.928 (sd 0.008; 0.912 to 0.942) and the F1 0.988
    (0.981 to 0.994): with 400 cells, which of them fall into which fold matters that much.
    """
    _, labels, _ = ut7
    predictions = trained.cv.predictions
    recalls = [(predictions[labels == name] == name).mean() for name in np.unique(labels)]
    assert np.mean(recalls) >= 0.93
    assert trained.cv.balanced_accuracy.mean() == pytest.approx(np.mean(recalls))
    assert f1_of_two_nuclei(labels, predictions) >= 0.985


def test_columns_that_leak_the_order_of_tagging_are_not_used(ut7, trained):
    _, _, names = ut7
    leaking = set(LEAKING) & set(names)
    assert leaking == set(LEAKING) - {"Objects per mL", "Objects per sec"}
    assert {name for name, why in trained.dropped.items() if "when or where" in why} == leaking
    assert not leaking & {*trained.ranking.names, *trained.chosen}


def test_allowed_to_leak_they_would_win(ut7):
    """The object number is the best column by far; camera and clock tell classes better than chance."""
    values, labels, names = ut7
    free = rank(values[:, values.std(axis=0) > 0], labels, np.array(names)[values.std(axis=0) > 0].tolist())
    assert free.names[0] == "Object Number"
    assert free.ratios[0] > 3 * free.ratios[1]
    few = TrainOptions(n_features=5, learning_curve=False)
    leaking = TrainOptions(n_features=5, learning_curve=False, allow=LEAKING)
    honest, cheated = (train(*ut7, options=options).cv.balanced_accuracy.mean() for options in (few, leaking))
    assert honest < 0.9
    assert cheated > 0.98
    clock = [names.index(name) for name in ("Time", "Camera Line Number", "Camera Timer", "Flow Speed")]
    alone = train(values[:, clock], labels, [names[place] for place in clock], options=leaking)
    assert alone.cv.balanced_accuracy.mean() > 0.2  # chance is 0.1


def test_what_a_training_says_fits_together(ut7, trained):
    values, labels, names = ut7
    cv, classes = trained.cv, np.array(trained.scorer.classes)
    assert classes.tolist() == sorted(set(labels))
    counted = [[((labels == a) & (cv.predictions == b)).sum() for b in classes] for a in classes]
    assert cv.matrix.tolist() == np.array(counted).tolist()
    assert cv.probabilities.sum(axis=1) == pytest.approx(1)
    assert classes[cv.probabilities.argmax(axis=1)].tolist() == cv.predictions.tolist()
    assert np.bincount(cv.folds).tolist() == [80] * 5
    assert trained.chosen == trained.scorer.features
    kept = [name for name in trained.ranking.names if name not in trained.dropped]
    assert tuple(kept[: len(trained.chosen)]) == trained.chosen
    assert set(names) == {*kept, *trained.dropped}
    columns = values[:, [names.index(name) for name in trained.chosen]]
    assert (trained.scorer.predict(columns) == labels).mean() > 0.95
    assert any("Saturation Count_M05_pH3_AF647 (constant: 0)" in note for note in trained.notes)


def test_the_learning_curve_ends_at_the_estimate_from_all_objects(trained):
    curve = trained.learning_curve
    assert curve.sizes.tolist() == [70, 130, 200, 260, 320]
    assert curve.mean[-1] == pytest.approx(trained.cv.balanced_accuracy.mean())
    assert curve.sd[-1] == pytest.approx(trained.cv.balanced_accuracy.std(ddof=1))
    assert curve.mean[0] < curve.mean[-1] - 0.02
    assert curve.mean.min() > 0.8


def test_more_objects_help_where_they_are_few(rng):
    labels = np.repeat(["a", "b"], 100)
    values = rng.normal(size=(200, 40)) + 0.35 * (labels == "a")[:, None]
    curve = train(
        values, labels, [f"f{i}" for i in range(40)], options=TrainOptions(n_features=40)
    ).learning_curve
    assert curve.sizes.tolist() == [32, 64, 96, 128, 160]
    assert curve.mean[0] < curve.mean[-1]


def test_columns_chosen_on_noise_do_not_look_good(rng):
    """Ranked on all objects, 10 of 400 noise columns seem to work; ranked inside each fold they do not."""
    labels = np.repeat(["a", "b"], 30)
    values = rng.normal(size=(60, 400))
    names = [f"f{i}" for i in range(400)]
    options = TrainOptions(n_features=10, learning_curve=False)
    honest = train(values, labels, names, options=options)
    assert 0.3 < honest.cv.balanced_accuracy.mean() < 0.7
    best = np.argsort(-fisher_ratio(values, labels))[:10]
    hits = []
    for fold in range(5):
        test = honest.cv.folds == fold
        scorer = fit(values[~test][:, best], labels[~test], list("abcdefghij"), ["a", "b"])
        hits.append((scorer.predict(values[test][:, best]) == labels[test]).mean())
    assert np.mean(hits) > 0.8


def test_the_same_seed_gives_the_same_training(cells):
    state = np.random.get_state()[1].copy()  # noqa: NPY002, what no part may touch
    first, again = train(*cells), train(*cells)
    assert np.array_equal(first.scorer.weights, again.scorer.weights)
    assert np.array_equal(first.cv.probabilities, again.cv.probabilities)
    assert np.array_equal(first.learning_curve.mean, again.learning_curve.mean)
    other = train(*cells, options=TrainOptions(seed=1, learning_curve=False))
    assert not np.array_equal(first.cv.folds, other.cv.folds)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_the_order_and_the_units_of_columns_do_not_matter(cells):
    values, labels, names = cells
    first = train(*cells, options=PLAIN)
    order = [4, 2, 0, 5, 1, 3]
    other = train(-3e4 * values[:, order], labels, [names[i] for i in order], options=PLAIN)
    assert other.chosen == first.chosen
    assert other.cv.matrix.tolist() == first.cv.matrix.tolist()
    assert other.cv.probabilities == pytest.approx(first.cv.probabilities, abs=1e-9)


def test_groups_are_kept_whole(cells):
    values, labels, names = cells
    groups = np.array([f"MDS{number % 7}" for number in range(100)])
    training = train(values, labels, names, options=PLAIN, groups=groups)
    folds = training.cv.folds
    assert sorted(set(folds)) == [0, 1, 2, 3, 4]
    assert all(len(set(folds[groups == name])) == 1 for name in set(groups))
    assert "5 folds that keep 7 groups whole" in training.notes
    assert training.cv.balanced_accuracy.mean() > 0.9
    two = train(values, labels, names, options=PLAIN, groups=groups == "MDS0")
    assert sorted(set(two.cv.folds)) == [0, 1]
    one = train(values, labels, names, options=PLAIN, groups=np.zeros(100))
    assert np.array_equal(one.cv.folds, train(*cells, options=PLAIN).cv.folds)


def test_what_tells_donors_apart_helps_only_while_donors_are_split(rng):
    """Each donor has mostly one class and a mark of its own: the estimate for new donors is lower."""
    donors = np.repeat(np.arange(10), 20)
    labels = np.where((donors % 2 == 0) ^ (rng.random(200) < 0.1), "a", "b")
    values = rng.normal(size=(10, 8))[donors] + 0.1 * rng.normal(size=(200, 8))
    names = list("ABCDEFGH")
    split, whole = (
        train(values, labels, names, options=PLAIN, groups=groups).cv.balanced_accuracy.mean()
        for groups in (None, donors)
    )
    assert split > 0.85
    assert whole < 0.75


def test_columns_that_are_constant_or_missing_are_dropped_and_said(cells):
    values, labels, names = cells
    values[:, 3] = 4
    values[::3, 4] = np.nan
    training = train(values, labels, names, options=PLAIN)
    assert training.dropped == {"d": "constant: 4", "e": "missing in 34 of 100 objects"}
    assert training.notes == (
        "2 constant or missing columns were dropped: d (constant: 4), e (missing in 34 of 100 objects)",
    )
    assert set(training.ranking.names) == set("abcf")


def test_objects_of_which_a_good_column_is_missing_are_left_out_and_said(cells):
    values, labels, names = cells
    values[5, 0] = np.nan
    values[50, 1] = np.inf
    training = train(values, labels, names, options=PLAIN)
    assert training.dropped == {}
    assert training.cv.predictions[[5, 50]].tolist() == [UNKNOWN, UNKNOWN]
    assert np.isnan(training.cv.probabilities[[5, 50]]).all()
    assert training.cv.folds[[5, 50]].tolist() == [-1, -1]
    assert training.cv.matrix.sum() == 98
    assert np.isfinite(np.delete(training.cv.probabilities, [5, 50], axis=0)).all()
    assert "2 of 100 objects were left out" in training.notes[0]
    assert training.notes[0].endswith("1 BNE, 1 Doublet")
    strict = train(values, labels, names, options=TrainOptions(learning_curve=False, max_missing=0))
    assert set(strict.dropped) == {"a", "b"}
    assert strict.cv.matrix.sum() == 100


def test_columns_that_repeat_a_better_one_are_dropped(cells):
    values, labels, names = cells
    twin = values[:, :1] * -2 + 1e-3 * values[:, 3:4]
    training = train(np.hstack([values, twin]), labels, [*names, "twin"], options=PLAIN)
    (name,) = training.dropped
    assert name in {"a", "twin"}
    other = "twin" if name == "a" else "a"
    assert training.dropped[name] == f"correlation -1.000 with {other}, which ranks higher"
    assert name in training.ranking.names
    assert name not in training.chosen


@pytest.mark.parametrize("method", ["lda", "logistic", "forest"])
def test_a_class_of_two_or_three_objects_can_be_trained(cells, method):
    values, labels, names = cells
    rows = [*range(25), *range(30, 55), 97, 98]
    options = TrainOptions(method=method, learning_curve=method != "forest")
    training = train(values[rows], labels[rows], names, options=options)
    assert training.scorer.classes == ("BNE", "Doublet", "Irregular")
    assert training.cv.matrix.sum(axis=1).tolist() == [25, 25, 2]
    assert training.cv.matrix[2, 2] == 0
    assert training.notes[-1].startswith("in 2 of 5 folds a class had fewer than two objects to learn from")
    three = train(values[[*rows, 99]], labels[[*rows, 99]], names, options=options)
    assert not any("fewer than two" in note for note in three.notes)


def test_the_smallest_truth_there_can_be(cells):
    values, labels, names = cells
    rows = [0, 1, 30, 31]
    training = train(values[rows], labels[rows], names)
    assert training.cv.matrix.sum() == 4
    assert training.notes[0] == "2 folds, as there are too few objects for 5"
    assert np.isfinite(training.learning_curve.mean).all()


def test_groups_of_one_class_each_tell_nothing(cells):
    values, labels, names = cells
    rows = slice(0, 70)
    training = train(values[rows], labels[rows], names, options=PLAIN, groups=labels[rows])
    assert np.trace(training.cv.matrix) == 0
    assert "in 2 of 2 folds a class had fewer than two objects" in training.notes[-1]


def test_the_number_of_columns_is_searched_given_or_all(cells, rng):
    values, labels, names = cells
    many = np.hstack([values, rng.normal(size=(100, 60))])
    names = [*names, *(f"noise{i}" for i in range(60))]
    searched = train(many, labels, names, options=PLAIN)
    assert searched.cv.n_features.max() <= 30
    assert set(searched.chosen) >= set("abc")
    given = TrainOptions(n_features=4, learning_curve=False)
    assert len(train(many, labels, names, options=given).chosen) == 4
    assert len(train(*cells, options=TrainOptions(n_features=99, learning_curve=False)).chosen) == 6
    forest = TrainOptions(method="forest", learning_curve=False)
    assert len(train(*cells, options=forest).chosen) == 6


def test_classes_keep_the_order_asked_for(cells):
    order = ["Irregular", "BNE", "Doublet"]
    training = train(*cells, options=PLAIN, classes=order)
    assert training.scorer.classes == tuple(order)
    assert training.cv.matrix.sum(axis=1).tolist() == [30, 30, 40]
    assert training.cv.matrix.trace() > 90


def test_progress_is_told(cells):
    calls = []
    train(*cells, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 26) for done in range(1, 27)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"labels": np.repeat("BNE", 100)}, "two or more different classes, found BNE"),
        ({"labels": np.repeat(["BNE", "Doublet"], [99, 1])}, r"fewer of Doublet \(1\)"),
        ({"classes": ["BNE", "Doublet"]}, "labels among BNE, Doublet, found 'Irregular'"),
        ({"classes": ["BNE", "Doublet", "Irregular", "x"]}, r"fewer of x \(0\)"),
        ({"names": ["Time"] * 6}, "a usable column, found none of 6"),
        ({"values": np.full((100, 6), np.nan)}, "missing in 100 of 100 objects"),
    ],
)
def test_truth_that_nothing_can_be_learned_from_is_refused(cells, change, expected):
    given = dict(zip(("values", "labels", "names"), cells, strict=True)) | change
    with pytest.raises(UsageError, match=expected):
        train(given.pop("values"), given.pop("labels"), given.pop("names"), options=PLAIN, **given)


def test_lengths_must_fit(cells):
    values, labels, names = cells
    with pytest.raises(ValueError, match=r"expected values \(99, 6\)"):
        train(values, labels[1:], names)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"method": "svm"}, "a method among lda, logistic, forest, boosting, found 'svm'"),
        ({"n_features": 0}, "one feature or more, found 0"),
        ({"max_correlation": 0.0}, "correlation limit above 0"),
        ({"max_correlation": 1.5}, "found 1.5"),
        ({"folds": 1}, "two folds or more, found 1"),
        ({"seed": -1}, "a seed of 0 or more, found -1"),
        ({"max_missing": 1.0}, "from 0 to below 1, found 1.0"),
    ],
)
def test_options_that_cannot_be_are_refused(option, expected):
    with pytest.raises(UsageError, match=expected):
        TrainOptions(**option)
