from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from ifcyto.compare.summary import percentages, summarise, tolerant_matrix
from ifcyto.errors import UsageError

NAMES = ["BNE", "Doublet", "Irregular"]


def labels_of(matrix, names):
    """True and predicted label of every object of a confusion matrix."""
    pairs = [(a, b) for i, a in enumerate(names) for j, b in enumerate(names) for _ in range(matrix[i][j])]
    return [a for a, _ in pairs], [b for _, b in pairs]


def test_the_papers_matrix_gives_the_papers_numbers(truth):
    row = truth["paper_confusion"]
    found = summarise(row["matrix"], row["classes"])
    bne = found.agreement.score(row["class"])
    assert [round(100 * v, 1) for v in (bne.accuracy, bne.specificity, bne.recall, bne.precision)] == [
        94.3, 98.2, 78.2, 91.3,
    ]  # fmt: skip
    assert found.npv[0] == 600 / 632
    assert found.accuracy == 714 / 758
    assert found.balanced_accuracy == pytest.approx((115 / 147 + 349 / 350 + 250 / 261) / 3)
    assert found.weighted.recall == pytest.approx(found.accuracy)


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_averages_against_scikit_learn(rng, average):
    matrix = rng.integers(0, 30, (3, 3)).tolist()
    true, predicted = labels_of(matrix, NAMES)
    found = summarise(matrix, NAMES)
    ours = getattr(found, average)
    wanted = metrics.precision_recall_fscore_support(true, predicted, labels=NAMES, average=average)[:3]
    assert (ours.precision, ours.recall, ours.f1) == pytest.approx(wanted)
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(true, predicted))
    outside = [([t != n for t in true], [p != n for p in predicted]) for n in NAMES]
    weights = np.sum(matrix, axis=1) if average == "weighted" else None
    for name, score in (("specificity", metrics.recall_score), ("npv", metrics.precision_score),
                        ("accuracy", metrics.accuracy_score)):  # fmt: skip
        each = [score(t, p) for t, p in outside]
        assert getattr(ours, name) == pytest.approx(np.average(each, weights=weights)), name


def test_unknown_costs_recall_and_is_no_class():
    found = summarise([[6, 2, 2], [0, 10, 0], [0, 0, 0]], ["BNE", "Doublet", "Unknown"])
    assert found.balanced_accuracy == 0.8
    assert found.macro.precision == pytest.approx((1 + 10 / 12) / 2)
    assert found.accuracy == 16 / 20


def test_a_class_never_given_counts_nothing_in_averages():
    found = summarise([[0, 5], [0, 5]], ["a", "b"])
    assert math.isnan(found.agreement.score("a").precision)
    assert math.isnan(found.npv[1])
    assert (found.macro.precision, found.macro.npv) == (0.25, 0.25)


def test_one_class_and_no_objects():
    one = summarise([[3, 1], [0, 0]], ["a", "b"])
    assert one.macro.recall == 0.75
    assert math.isnan(one.macro.specificity)
    none = summarise([[0, 0], [0, 0]], ["a", "b"])
    assert math.isnan(none.accuracy)
    assert math.isnan(none.balanced_accuracy)


def test_percentages_by_hand():
    rows, columns = percentages([[3, 1, 0], [0, 0, 0], [1, 1, 0]])
    np.testing.assert_array_equal(rows, [[75, 25, 0], [np.nan] * 3, [50, 50, 0]])
    np.testing.assert_array_equal(columns, [[75, 50, np.nan], [0, 0, np.nan], [25, 50, np.nan]])


def test_tolerated_pairs_go_one_way():
    paper = [[115, 1, 31], [0, 349, 1], [11, 0, 250]]
    found = tolerant_matrix(paper, NAMES, [("BNE", "Irregular"), ("BNE", "Irregular")])
    assert found.tolist() == [[146, 1, 0], [0, 349, 1], [11, 0, 250]]
    both = tolerant_matrix(paper, NAMES, [("BNE", "Irregular"), ("Irregular", "BNE")])
    assert summarise(both, NAMES).accuracy == 756 / 758
    assert tolerant_matrix(paper, NAMES, []).tolist() == paper


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("BNE", "Mitosis"), "among BNE, Doublet, Irregular, found 'Mitosis'"),
        (("BNE", "BNE"), "two different"),
    ],
)
def test_pairs_that_cannot_be(pair, expected):
    with pytest.raises(UsageError, match=expected):
        tolerant_matrix(np.zeros((3, 3), int), NAMES, [pair])
