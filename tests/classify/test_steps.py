"""Two steps and the Boolean rest class, on made classifiers and on made cells."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.classify.scorer import UNKNOWN, LinearScorer
from ifcyto.classify.steps import TRUE_2N, TwoStep, boolean_rest, train_two_step
from ifcyto.classify.training import TrainOptions
from ifcyto.errors import UsageError

FIRST = LinearScorer(("a",), (TRUE_2N, "Other"), np.array([[1.0], [0]]), np.zeros(2))
SECOND = LinearScorer(("b", "a"), ("BNE", "Doublet"), np.array([[1.0, 0], [0, 0]]), np.zeros(2))
STEP = TwoStep(FIRST, SECOND, "Irregular")
VALUES = np.array([[2.0, 3.0], [2.0, -3.0], [-2.0, 3.0], [np.nan, 3.0], [2.0, np.nan], [-2.0, np.nan]])
PLAIN = TrainOptions(learning_curve=False)
NAMES = ["Area_M05", "Aspect Ratio_M05", "Intensity_M02_CD235a", "Time"]


@pytest.fixture
def cells(rng):
    """Candidates: the first column tells true 2N, the second which kind, the third nothing."""
    labels = np.repeat(["BNE", "Doublet", "oval", "budding"], [40, 60, 35, 35])
    values = rng.normal(size=(170, 4))
    values[:, 0] += 4 * np.isin(labels, ["BNE", "Doublet"])
    values[:, 1] += 4 * (labels == "BNE")
    return values, labels, NAMES


def test_objects_go_step_by_step():
    assert (STEP.features, STEP.classes) == (("a", "b"), ("BNE", "Doublet", "Irregular"))
    expected = ["BNE", "Doublet", "Irregular", UNKNOWN, UNKNOWN, "Irregular"]
    assert STEP.predict(VALUES).tolist() == expected
    assert STEP.predict(VALUES[:0]).tolist() == []


def test_probabilities_are_products_and_sum_to_one():
    shares = STEP.probabilities(VALUES)
    assert shares[:3].sum(axis=1) == pytest.approx(1)
    assert np.isnan(shares[3:]).all()
    pass_2, bne_3 = 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-3))
    assert shares[0] == pytest.approx([pass_2 * bne_3, pass_2 * (1 - bne_3), 1 - pass_2])
    assert STEP.passes(VALUES)[[0, 2]] == pytest.approx([pass_2, 1 - pass_2])


def test_the_threshold_of_the_first_step():
    strict = TwoStep(FIRST, SECOND, "Irregular", threshold=0.9)
    assert strict.predict(VALUES).tolist()[:3] == ["Irregular"] * 3
    lenient = TwoStep(FIRST, SECOND, "Irregular", threshold=0.1)
    assert lenient.predict(VALUES).tolist()[:3] == ["BNE", "Doublet", "BNE"]


def test_the_second_step_may_know_the_rest_class():
    weights = np.array([[1.0, 0], [0, 0], [-1, 0]])
    three = LinearScorer(("b", "a"), ("BNE", "Doublet", "Irregular"), weights, np.array([0.0, 2, 0]))
    step = TwoStep(FIRST, three, "Irregular")
    assert step.classes == ("BNE", "Doublet", "Irregular")
    assert step.predict(np.array([[2.0, 9], [2, 0], [2, -9], [-2, 9]])).tolist() == [
        "BNE", "Doublet", "Irregular", "Irregular",
    ]  # fmt: skip
    assert step.probabilities(VALUES[:3]).sum(axis=1) == pytest.approx(1)


def test_steps_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match="a first step of 'True 2N' and another class, found BNE, Doublet"):
        TwoStep(SECOND, FIRST, "Irregular")
    with pytest.raises(UsageError, match=r"between 0 and 1, found 1\.5"):
        TwoStep(FIRST, SECOND, "Irregular", threshold=1.5)


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
    result = train_two_step(
        values, labels, names, true_2n=["BNE", "Doublet"], second_sees_rest=second_sees_rest, options=PLAIN
    )
    assert result.step.classes == ("BNE", "Doublet", "Irregular")
    assert set(result.first.scorer.classes) == {TRUE_2N, "Irregular"}
    assert result.second.cv.matrix.sum() == (170 if second_sees_rest else 100)
    assert "Time" not in result.step.features
    truth = np.where(np.isin(labels, ["oval", "budding"]), "Irregular", labels)
    assert (result.predictions == truth).mean() > 0.9
    counted = [[((truth == a) & (result.predictions == b)).sum() for b in result.step.classes]
               for a in result.step.classes]  # fmt: skip
    assert result.matrix.tolist() == np.array(counted).tolist()
    columns = values[:, [names.index(name) for name in result.step.features]]
    assert (result.step.predict(columns) == truth).mean() > 0.9


def test_the_estimate_does_not_see_the_objects_it_judges(cells, rng):
    """With classes dealt at random two steps are no better than chance, however many columns."""
    labels = rng.permutation(cells[1])
    values = rng.normal(size=(170, 120))
    options = TrainOptions(learning_curve=False, n_features=60)
    result = train_two_step(
        values, labels, [f"f{i}" for i in range(120)], true_2n=["BNE", "Doublet"], options=options
    )
    recalls = np.diag(result.matrix) / result.matrix.sum(axis=1)
    assert 0.2 < recalls.mean() < 0.47
    truth = np.where(np.isin(labels, ["oval", "budding"]), "Irregular", labels)
    columns = values[:, [int(name[1:]) for name in result.step.features]]
    assert (result.step.predict(columns) == truth).mean() > 0.7  # on what they learned from


def test_objects_without_values_stay_unknown(cells):
    values, labels, names = cells
    values[7, 0] = np.nan
    values[130, 1] = np.nan
    result = train_two_step(values, labels, names, true_2n=["BNE", "Doublet"], options=PLAIN)
    assert result.predictions[7] == UNKNOWN
    assert result.predictions[130] == UNKNOWN
    assert result.matrix.sum() == 168


def test_groups_stay_whole_in_both_steps(cells):
    values, labels, names = cells
    groups = np.arange(170) % 6
    result = train_two_step(
        values, labels, names, true_2n=["BNE", "Doublet"], options=PLAIN, groups=groups
    )  # fmt: skip
    for training in (result.first, result.second):
        assert "5 folds that keep 6 groups whole" in training.notes


@pytest.mark.parametrize(
    ("true_2n", "rest", "expected"),
    [
        (["BNE"], "Irregular", "found that BNE of BNE, Doublet, budding, oval pass"),
        (["BNE", "Doublet", "oval", "budding"], "Irregular", "another one for 'Irregular'"),
        (["BNE", "Doublet"], "BNE", "two classes that pass"),
        ([], "Irregular", "found that none of"),
    ],
)
def test_truth_that_does_not_part_is_refused(cells, true_2n, rest, expected):
    with pytest.raises(UsageError, match=expected):
        train_two_step(*cells, true_2n=true_2n, rest=rest, options=PLAIN)
