"""Scores of all classes of one confusion matrix, and their averages; strict and tolerant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.compare.agreement import agreement_from_matrix
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import ArrayLike, NDArray

    from ifcyto.compare.agreement import Agreement, ClassScore

__all__ = ["Averages", "Summary", "negative_predictive_value", "percentages", "summarise", "tolerant_matrix"]

AVERAGED = ("precision", "recall", "f1", "specificity", "npv", "accuracy")


@dataclass(frozen=True, slots=True)
class Averages:
    """One number for all classes, each class against all others.

    Parameters
    ----------
    precision, recall, f1, specificity, npv, accuracy : float
        From 0 to 1; `accuracy` is ``(tp + tn) / all``. NaN where a class has none, and
        without objects.
    """

    precision: float
    recall: float
    f1: float
    specificity: float
    npv: float
    accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """What one confusion matrix says.

    Parameters
    ----------
    agreement : Agreement
        The matrix and the scores of each class.
    npv : tuple of float
        Negative predictive value of each class, ``tn / (tn + fn)``.
    macro : Averages
        Every class of the reference counts alike.
    weighted : Averages
        Every class counts by its objects in the reference.
    accuracy : float
        Objects on the diagonal over all objects.
    balanced_accuracy : float
        Mean recall of the classes of the reference; ``macro.recall``.
    """

    agreement: Agreement
    npv: tuple[float, ...]
    macro: Averages
    weighted: Averages
    accuracy: float
    balanced_accuracy: float


def summarise(matrix: ArrayLike, classes: Sequence[str]) -> Summary:
    """Compute every score from one confusion matrix.

    Parameters
    ----------
    matrix : array_like (k, k) of int
        Counts; rows are the reference, columns the other.
    classes : sequence of str (k,)

    Returns
    -------
    Summary

    Raises
    ------
    UsageError
        As in :func:`ifcyto.compare.agreement.agreement_from_matrix`.

    Notes
    -----
    Averages are over the classes that have objects in the reference: ``Unknown``, which is
    a column only, costs recall and is no class of its own. In an average, the precision of
    a class that was never given counts 0, as in scikit-learn [1]_, and so does the negative
    predictive value where every object was given the class; in the scores of the class they
    are NaN.

    References
    ----------
    .. [1] F. Pedregosa et al., "Scikit-learn: machine learning in Python", J Mach Learn Res 12,
       2825-2830 (2011): ``precision_recall_fscore_support``, ``zero_division``.

    Examples
    --------
    >>> paper = [[115, 1, 31], [0, 349, 1], [11, 0, 250]]
    >>> found = summarise(paper, ["BNE", "doublet", "irregular"])
    >>> round(100 * found.accuracy, 1), round(100 * found.weighted.f1, 1)
    (94.2, 94.1)
    """
    agreement = agreement_from_matrix(matrix, classes)
    npv = tuple(negative_predictive_value(score) for score in agreement.scores)
    macro, weighted = _average(agreement.scores, npv)
    return Summary(agreement, npv, macro, weighted, agreement.accuracy, macro.recall)


def negative_predictive_value(score: ClassScore) -> float:
    """``tn / (tn + fn)``: how often an object that was not given the class is not of it.

    NaN where every object was given the class.
    """
    negatives = score.tn + score.fn
    return score.tn / negatives if negatives else math.nan


def _average(scores: Sequence[ClassScore], npv: Sequence[float]) -> tuple[Averages, Averages]:
    rows, support = [], []
    for score, value in zip(scores, npv, strict=True):
        if score.support:
            precision = 0.0 if math.isnan(score.precision) else score.precision
            negative = 0.0 if math.isnan(value) else value
            rows.append((precision, score.recall, score.f1, score.specificity, negative, score.accuracy))
            support.append(score.support)
    if not rows:
        nothing = Averages(*[math.nan] * len(AVERAGED))
        return nothing, nothing
    return (
        Averages(*np.mean(rows, axis=0).tolist()),
        Averages(*np.average(rows, axis=0, weights=support).tolist()),
    )


def percentages(matrix: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percent of each row and percent of each column of counts; NaN where a sum is 0.

    Examples
    --------
    >>> rows, columns = percentages([[3, 1], [1, 0]])
    >>> rows.tolist(), columns.tolist()
    ([[75.0, 25.0], [100.0, 0.0]], [[75.0, 100.0], [25.0, 0.0]])
    """
    counts = np.asarray(matrix, np.float64)
    shares = []
    for axis in (1, 0):
        totals = counts.sum(axis=axis, keepdims=True)
        share = np.full_like(counts, np.nan)
        np.divide(100 * counts, totals, out=share, where=totals > 0)
        shares.append(share)
    return shares[0], shares[1]


def tolerant_matrix(
    matrix: ArrayLike, classes: Sequence[str], tolerable: Collection[tuple[str, str]]
) -> NDArray[np.int64]:
    """Count mix-ups that a user tolerates as right.

    Parameters
    ----------
    matrix : array_like (k, k) of int
        Counts; rows are the reference, columns the other.
    classes : sequence of str (k,)
    tolerable : collection of (true, predicted)
        One way each: a pair says nothing of its reverse.

    Returns
    -------
    ndarray (k, k) of int64
        The counts of the pairs moved to the diagonal of their true class; the number
        of objects of every true class is unchanged.

    Raises
    ------
    UsageError
        A pair of a class that is not among `classes`, or of a class with itself.

    References
    ----------
    C. Matek et al., "Highly accurate differentiation of bone marrow cell morphologies using deep
    neural networks on a large image data set", Blood 138, 1917-1927 (2021): strict and tolerant
    evaluation.

    Examples
    --------
    >>> tolerant_matrix([[8, 2], [3, 7]], ["late", "early"], [("late", "early")]).tolist()
    [[10, 0], [3, 7]]
    """
    counts = agreement_from_matrix(matrix, classes).matrix.copy()
    index = {name: i for i, name in enumerate(classes)}
    for true, predicted in dict.fromkeys(tolerable):
        for name in (true, predicted):
            if name not in index:
                msg = f"tolerable mix-ups: expected a class among {', '.join(classes)}, found {name!r}"
                raise UsageError(msg)
        if true == predicted:
            msg = f"tolerable mix-ups: expected two different classes, found {true!r} twice"
            raise UsageError(msg)
        row, column = index[true], index[predicted]
        counts[row, row] += counts[row, column]
        counts[row, column] = 0
    return counts
