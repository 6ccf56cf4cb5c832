"""How well a score tells a class from all others: ROC and precision-recall curves, and their areas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["RankedScores", "average_precision", "precision_recall_curve", "roc_auc", "roc_curve"]


class RankedScores:
    """Scores put in order once, so that areas for many weights of the objects are cheap.

    Parameters
    ----------
    scores : array_like (n,)
        The higher, the likelier the class. Equal scores count as one step.
    positive : array_like (n,) of bool
        Objects of the class.

    Raises
    ------
    UsageError
        Lengths that differ, or a score that is NaN.

    Examples
    --------
    >>> ranked = RankedScores([0.9, 0.8, 0.3, 0.1], [True, False, True, False])
    >>> ranked.auc(), round(ranked.average_precision(), 4)
    (0.75, 0.8333)
    """

    def __init__(self, scores: ArrayLike, positive: ArrayLike) -> None:
        values, inside = np.asarray(scores, np.float64), np.asarray(positive, bool)
        if values.ndim != 1 or values.shape != inside.shape or np.isnan(values).any():
            found = f"{values.shape} and {inside.shape}, {int(np.isnan(values).sum())} of them NaN"
            msg = (
                f"scores: expected one score and one class for every object, none of them NaN, found {found}"
            )
            raise UsageError(msg)
        self._order = np.argsort(-values, kind="stable")
        self._positive = inside[self._order]
        ranked = values[self._order]
        last = np.append(ranked[1:] != ranked[:-1], [True])[: len(ranked)]
        self._ends = np.flatnonzero(last)
        self.thresholds: NDArray[np.float64] = ranked[self._ends]

    def counts(
        self, weights: NDArray[np.generic] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """True and false positives ``(m,)`` at each threshold ``score >= t``, from the highest down."""
        weight = np.ones(len(self._order)) if weights is None else np.asarray(weights, float)[self._order]
        true = np.cumsum(np.where(self._positive, weight, 0.0))[self._ends]
        false = np.cumsum(np.where(self._positive, 0.0, weight))[self._ends]
        return true, false

    def auc(self, weights: NDArray[np.generic] | None = None) -> float:
        """Area under the ROC curve by trapezoids; NaN without objects of the class, or of others."""
        true, false = self.counts(weights)
        if not len(true) or not true[-1] or not false[-1]:
            return math.nan
        return _area(true, false) / float(true[-1] * false[-1])

    def average_precision(self, weights: NDArray[np.generic] | None = None) -> float:
        """Sum of precision times gain in recall over the thresholds; NaN without objects of the class."""
        true, false = self.counts(weights)
        if not len(true) or not true[-1]:
            return math.nan
        given = true + false
        precision = np.divide(true, given, out=np.zeros_like(true), where=given > 0)
        return float((np.diff(true, prepend=0.0) * precision).sum() / true[-1])


def _area(true: NDArray[np.float64], false: NDArray[np.float64]) -> float:
    middle = true - np.diff(true, prepend=0.0) / 2
    return float((np.diff(false, prepend=0.0) * middle).sum())


def roc_auc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Area under the ROC curve.

    The probability that an object of the class scores above one of the others, ties counting
    a half [1]_; NaN where either is missing.

    Parameters
    ----------
    scores : array_like (n,)
    positive : array_like (n,) of bool

    References
    ----------
    .. [1] J. A. Hanley, B. J. McNeil, "The meaning and use of the area under a receiver operating
       characteristic (ROC) curve", Radiology 143, 29-36 (1982).

    Examples
    --------
    >>> roc_auc([0.9, 0.5, 0.5, 0.1], [True, True, False, False])
    0.875
    """
    return RankedScores(scores, positive).auc()


def average_precision(scores: ArrayLike, positive: ArrayLike) -> float:
    """Area under the precision-recall curve as steps, ``sum (R_i - R_(i-1)) P_i``.

    Not interpolated, which would promise too much; that is also scikit-learn's definition.

    Parameters
    ----------
    scores : array_like (n,)
    positive : array_like (n,) of bool

    Examples
    --------
    >>> average_precision([0.9, 0.8, 0.1], [True, False, True]) == 1 / 2 * 1 + 1 / 2 * 2 / 3
    True
    """
    return RankedScores(scores, positive).average_precision()


def roc_curve(
    scores: ArrayLike, positive: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Points of the ROC curve, one a different score, and (0, 0) in front.

    Returns
    -------
    fpr, tpr : ndarray (m + 1,)
        False and true positive rate, rising from 0 to 1; NaN where there is nothing to divide by.
    thresholds : ndarray (m + 1,)
        Falling; infinity for (0, 0).
    """
    ranked = RankedScores(scores, positive)
    true, false = ranked.counts()
    rates = []
    for counts in (false, true):
        total = counts[-1] if len(counts) else 0.0
        rates.append(np.append(0.0, counts) / total if total else np.full(len(counts) + 1, np.nan))
    return rates[0], rates[1], np.append(math.inf, ranked.thresholds)


def precision_recall_curve(
    scores: ArrayLike, positive: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Points of the precision-recall curve, one a different score, recall rising.

    Returns
    -------
    recall, precision : ndarray (m,)
        Recall is NaN without objects of the class.
    thresholds : ndarray (m,)
        Falling.
    """
    ranked = RankedScores(scores, positive)
    true, false = ranked.counts()
    total = true[-1] if len(true) else 0.0
    recall = true / total if total else np.full(len(true), np.nan)
    return recall, true / (true + false), ranked.thresholds
