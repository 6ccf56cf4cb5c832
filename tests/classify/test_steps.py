"""Two steps and the Boolean rest class, on made classifiers and on made cells."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ifcyto.classify.formula import formula
from ifcyto.classify.model_folder import Column, Model, read_model, write_model
from ifcyto.classify.scorer import UNKNOWN, LinearScorer
from ifcyto.classify.step_training import train_two_step
from ifcyto.classify.steps import NOT_TRUE_2N, TRUE_2N, TwoStepScorer, boolean_rest
from ifcyto.classify.training import TrainOptions
from ifcyto.errors import FormatError, UsageError

FIRST = LinearScorer(("a",), (TRUE_2N, NOT_TRUE_2N), np.array([[1.0], [0]]), np.zeros(2))
SECOND = LinearScorer(("b", "a"), ("BNE", "Doublet"), np.array([[1.0, 0], [0, 0]]), np.zeros(2))
STEP = TwoStepScorer.of(FIRST, SECOND, "Irregular")
VALUES = np.array([[2.0, 3.0], [2.0, -3.0], [-2.0, 3.0], [np.nan, 3.0], [2.0, np.nan], [-2.0, np.nan]])
PLAIN = TrainOptions(learning_curve=False)
NAMES = ["Area_M05", "Aspect Ratio_M05", "Intensity_M02_CD235a", "Time"]


@pytest.fixture
def cells(rng):
    """Candidates: the first column tells true 2N, the second which kind, the third nothing."""
    labels = np.repeat(["BNE", "Doublet", "Irregular"], [40, 60, 70])
    values = rng.normal(size=(170, 4))
    values[:, 0] += 4 * np.isin(labels, ["BNE", "Doublet"])
    values[:, 1] += 4 * (labels == "BNE")
    return values, labels, NAMES


def test_objects_go_step_by_step():
    assert (STEP.features, STEP.classes) == (("a", "b"), ("BNE", "Doublet", "Irregular"))
    assert STEP.predict(VALUES).tolist() == ["BNE", "Doublet", "Irregular", UNKNOWN, UNKNOWN, UNKNOWN]
    assert STEP.predict(VALUES[:0]).tolist() == []


def test_classifier_values_are_those_of_the_steps():
    """BNE against Doublet is that of the second step; the better of them against the rest of the first."""
    assert STEP.pair(VALUES[:3], "BNE", "Doublet") == pytest.approx([3, -3, 3])
    scores = STEP.scores(VALUES[:3])
    assert scores[:, :2].max(axis=1) - scores[:, 2] == pytest.approx([2, 2, -2])
    assert np.isnan(STEP.scores(VALUES[3:])).all()


def test_probabilities_are_products_and_sum_to_one():
    shares = STEP.probabilities(VALUES)
    assert shares[:3].sum(axis=1) == pytest.approx(1)
    assert np.isnan(shares[3:]).all()
    pass_2, bne_3 = 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-3))
    assert shares[0] == pytest.approx([pass_2 * bne_3, pass_2 * (1 - bne_3), 1 - pass_2])


def test_the_threshold_of_the_first_step():
    strict = TwoStepScorer.of(FIRST, SECOND, "Irregular", threshold=0.9)
    assert strict.predict(VALUES).tolist()[:3] == ["Irregular"] * 3
    lenient = TwoStepScorer.of(FIRST, SECOND, "Irregular", threshold=0.1)
    assert lenient.predict(VALUES).tolist()[:3] == ["BNE", "Doublet", "BNE"]


def test_the_second_step_may_know_the_rest_class():
    weights = np.array([[1.0, 0], [0, 0], [-1, 0]])
    three = LinearScorer(("b", "a"), ("BNE", "Doublet", "Irregular"), weights, np.array([0.0, 2, 0]))
    step = TwoStepScorer.of(FIRST, three, "Irregular")
    assert step.classes == ("BNE", "Doublet", "Irregular")
    assert step.predict(np.array([[2.0, 9], [2, 0], [2, -9], [-2, 9], [-2, -9]])).tolist() == [
        "BNE", "Doublet", "Irregular", "Irregular", "Irregular",
    ]  # fmt: skip
    assert step.probabilities(VALUES[:3]).sum(axis=1) == pytest.approx(1)


def test_steps_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="first step of True 2N and not True 2N, found BNE, Doublet"):
        TwoStepScorer.of(SECOND, SECOND, "Irregular")
    with pytest.raises(ValueError, match=r"between 0 and 1, found 1\.5"):
        TwoStepScorer.of(FIRST, SECOND, "Irregular", threshold=1.5)
    with pytest.raises(ValueError, match="found others"):
        TwoStepScorer(("b", "a"), STEP.classes, FIRST, SECOND, "Irregular")


def test_a_folder_brings_both_steps_back_and_tells_the_formula(tmp_path, cells):
    values, labels, names = cells
    scorer = train_two_step(values, labels, names, options=PLAIN).scorer
    columns = tuple(Column(name, name) for name in scorer.features)
    write_model(tmp_path / "m", Model(scorer, columns))
    again = read_model(tmp_path / "m").scorer
    mine = values[:, [names.index(name) for name in scorer.features]]
    assert np.array_equal(again.scores(mine), scorer.scores(mine))
    text = (tmp_path / "m" / "formula.txt").read_text()
    assert text.endswith(formula(scorer))
    lines = [line for line in text.splitlines() if not line.startswith("#") and line]
    assert [line.split(" = ")[0] for line in lines] == [
        "True 2N", "not True 2N", "True 2N vs not True 2N", "BNE", "Doublet", "BNE vs Doublet",
    ]  # fmt: skip
    gate, kind = (evaluate(lines[place], names, values) for place in (2, 5))
    typed = np.where(gate < 0, "Irregular", np.where(kind > 0, "BNE", "Doublet"))
    assert typed.tolist() == scorer.predict(mine).tolist()


def evaluate(line, names, values):
    """What a spreadsheet makes of a formula: products with columns, added up."""
    text = line.split(" = ", 1)[1]
    for place, name in enumerate(names):
        text = text.replace(f"[{name}]", f"v[:, {place}]")
    return eval(text, {"v": values})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda c: c.update(threshold=1), "threshold"),
        (lambda c: c.pop("rest"), "rest"),
        (lambda c: c["first"].update(classes=["BNE", "Doublet"]), "first step of True 2N"),
        (lambda c: c["second"].update(features=["x", "y", "z"]), "the features .* of two steps"),
        (lambda c: c["second"]["classifier"].update(offsets=[1.0]), r"second\.classifier\.offsets"),
        (lambda c: c["second"]["classifier"].update(weights=[[1.0], [2.0]]), r"classifier\.weights"),
        (lambda c: c.update(second=c["first"] | {"method": "steps", "classifier": dict(c)}), "steps"),
        (lambda c: c["second"].update(extra=1), "extra"),
    ],
)
def test_damaged_steps_are_refused(tmp_path, cells, change, expected):
    scorer = train_two_step(*cells, options=PLAIN).scorer
    write_model(tmp_path / "m", Model(scorer, tuple(Column(name, name) for name in scorer.features)))
    path = tmp_path / "m" / "model.json"
    document = json.loads(path.read_text())
    change(document["classifier"])
    path.write_text(json.dumps(document))
    with pytest.raises(FormatError, match=expected):
        read_model(tmp_path / "m")


def test_what_is_in_no_population_is_the_rest():
    bne = np.array([True, False, False, True])
    doublet = np.array([False, True, False, True])
    found = boolean_rest({"BNE": bne, "Doublet": doublet}, "Irregular")
    assert found.tolist() == ["BNE", "Doublet", "Irregular", UNKNOWN]
    with pytest.raises(UsageError, match=r"found lengths \[3, 4\]"):
        boolean_rest({"BNE": bne, "Doublet": doublet[:3]}, "Irregular")
    with pytest.raises(UsageError, match="of none"):
        boolean_rest({}, "Irregular")


@pytest.mark.parametrize("second_sees_rest", [False, True])
def test_both_steps_are_trained_on_one_truth(cells, second_sees_rest):
    values, labels, names = cells
    result = train_two_step(values, labels, names, second_sees_rest=second_sees_rest, options=PLAIN)
    assert result.scorer.classes == ("BNE", "Doublet", "Irregular")
    first, second = result.steps
    assert first.scorer.classes == (TRUE_2N, NOT_TRUE_2N)
    assert second.cv.matrix.sum() == (170 if second_sees_rest else 100)
    assert "Time" not in result.scorer.features
    assert (result.cv.predictions == labels).mean() > 0.9
    counted = [[((labels == a) & (result.cv.predictions == b)).sum() for b in result.scorer.classes]
               for a in result.scorer.classes]  # fmt: skip
    assert result.cv.matrix.tolist() == np.array(counted).tolist()
    recalls = [
        np.mean([
            (result.cv.predictions[(result.cv.folds == fold) & (labels == name)] == name).mean()
            for name in result.scorer.classes
        ])
        for fold in range(5)
    ]  # fmt: skip
    assert result.cv.balanced_accuracy == pytest.approx(recalls)
    assert result.cv.probabilities.sum(axis=1) == pytest.approx(1)
    columns = values[:, [names.index(name) for name in result.scorer.features]]
    assert (result.scorer.predict(columns) == labels).mean() > 0.9


def test_the_estimate_does_not_see_the_objects_it_judges(cells, rng):
    """With classes dealt at random two steps are no better than chance, however many columns."""
    labels = rng.permutation(cells[1])
    values = rng.normal(size=(170, 120))
    options = TrainOptions(learning_curve=False, n_features=60)
    result = train_two_step(values, labels, [f"f{i}" for i in range(120)], options=options)
    recalls = np.diag(result.cv.matrix) / result.cv.matrix.sum(axis=1)
    assert 0.2 < recalls.mean() < 0.47
    columns = values[:, [int(name[1:]) for name in result.scorer.features]]
    assert (result.scorer.predict(columns) == labels).mean() > 0.7  # on what they learned from


def test_objects_without_values_stay_unknown(cells):
    values, labels, names = cells
    values[7, 0] = np.nan
    values[130, 1] = np.nan
    result = train_two_step(values, labels, names, options=PLAIN)
    assert result.cv.predictions[[7, 130]].tolist() == [UNKNOWN, UNKNOWN]
    assert np.isnan(result.cv.probabilities[[7, 130]]).all()
    assert result.cv.folds[[7, 130]].tolist() == [-1, -1]
    assert result.cv.matrix.sum() == 168


def test_groups_stay_whole_in_both_steps(cells):
    values, labels, names = cells
    seen = []
    result = train_two_step(
        values, labels, names, options=PLAIN, groups=np.arange(170) % 6,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    for training in result.steps:
        assert "5 folds that keep 6 groups whole" in training.notes
    assert "step 2: 5 folds that keep 6 groups whole" in result.notes
    assert seen == sorted(seen)
    assert seen[-1] == (12, 12)


@pytest.mark.parametrize("kept", [["BNE", "Irregular"], ["BNE", "Doublet"], ["Irregular"]])
def test_truth_that_does_not_part_is_refused(cells, kept):
    values, labels, names = cells
    rows = np.isin(labels, kept)
    with pytest.raises(UsageError, match=f"two classes or more beside .* found {', '.join(kept)}"):
        train_two_step(values[rows], labels[rows], names, options=PLAIN)
