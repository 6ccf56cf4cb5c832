from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from ifcyto.compare.agreement import agreement, agreement_from_matrix
from ifcyto.errors import UsageError


def test_the_papers_matrix(truth):
    row = truth["paper_confusion"]
    result = agreement_from_matrix(row["matrix"], row["classes"])
    assert [score.support for score in result.scores] == [147, 350, 261]
    score = result.score(row["class"])
    for name in ("accuracy", "specificity", "recall", "precision"):
        assert round(100 * getattr(score, name), row["digits"]) == row[name], name
    assert (score.tp, score.fp, score.fn, score.tn) == (115, 11, 32, 600)


def test_by_hand():
    result = agreement(["a", "a", "b", "b", "b", "c"], ["a", "b", "b", "b", "c", "c"])
    assert result.classes == ("a", "b", "c")
    assert result.matrix.tolist() == [[1, 1, 0], [0, 2, 1], [0, 0, 1]]
    assert result.accuracy == 4 / 6
    b = result.score("b")
    assert (b.support, b.tp, b.fp, b.fn, b.tn) == (3, 2, 1, 1, 2)
    assert (b.precision, b.recall, b.f1, b.specificity, b.accuracy) == (2 / 3, 2 / 3, 4 / 6, 2 / 3, 4 / 6)


def test_against_scikit_learn(rng):
    names = np.array(["BNE", "Doublet", "Irregular", "Unknown"])
    reference, other = names[rng.integers(0, 4, (2, 500))].tolist()
    result = agreement(reference, other, classes=names.tolist())
    np.testing.assert_array_equal(
        result.matrix, metrics.confusion_matrix(reference, other, labels=names.tolist())
    )
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        reference, other, labels=names.tolist()
    )
    np.testing.assert_allclose([s.precision for s in result.scores], precision)
    np.testing.assert_allclose([s.recall for s in result.scores], recall)
    np.testing.assert_allclose([s.f1 for s in result.scores], f1)
    assert [s.support for s in result.scores] == support.tolist()
    assert result.accuracy == pytest.approx(metrics.accuracy_score(reference, other))
    for name, score in zip(names.tolist(), result.scores, strict=True):
        outside = metrics.recall_score([r != name for r in reference], [o != name for o in other])
        assert score.specificity == pytest.approx(outside)
        assert score.tp + score.fp + score.fn + score.tn == 500


def test_undefined_ratios_are_nan():
    result = agreement(["a", "a"], ["b", "b"], classes=["a", "b", "c"])
    a, b, c = result.scores
    assert math.isnan(a.precision)
    assert (a.recall, a.f1) == (0.0, 0.0)
    assert math.isnan(b.recall)
    assert (b.precision, b.specificity) == (0.0, 0.0)
    assert all(math.isnan(v) for v in (c.precision, c.recall, c.f1))
    assert (c.specificity, c.accuracy) == (1.0, 1.0)


def test_no_objects():
    result = agreement([], [], classes=["BNE"])
    assert result.matrix.tolist() == [[0]]
    assert math.isnan(result.accuracy)
    assert math.isnan(result.score("BNE").accuracy)
    assert agreement([], []).matrix.shape == (0, 0)


def test_matrix_is_a_copy_that_cannot_be_changed():
    given = np.array([[1, 2], [3, 4]])
    result = agreement_from_matrix(given, ["a", "b"])
    given[0, 0] = 99
    assert result.matrix[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        result.matrix[0, 0] = 5


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((["a"], []), {}, "one label each for every object, found 1 and 0"),
        ((["a", "x"], ["a", "a"]), {"classes": ["a", "b"]}, "among a, b, found 'x' at position 1"),
        ((["a"], ["a"]), {"classes": ["a", "a"]}, "expected every class once, found a, a"),
    ],
)
def test_refused_labels(arguments, options, message):
    with pytest.raises(UsageError, match=message):
        agreement(*arguments, **options)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 2]], r"expected a matrix 2 x 2, found shape \(1, 2\)"),
        ([[1, 2], [3, -1]], "expected whole counts of at least 0"),
        ([[1.0, 2.0], [3.0, 4.0]], "expected whole counts of at least 0"),
        ([], r"expected a matrix 2 x 2, found shape \(0,\)"),
    ],
)
def test_refused_matrices(matrix, message):
    with pytest.raises(UsageError, match=message):
        agreement_from_matrix(matrix, ["a", "b"])


def test_unknown_class():
    with pytest.raises(UsageError, match="expected a class among a, found 'b'"):
        agreement(["a"], ["a"]).score("b")
