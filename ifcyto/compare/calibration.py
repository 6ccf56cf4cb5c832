"""Whether probabilities mean what they say: reliability curve, calibration error, Brier score, NLL."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ifcyto.compare.frequency import proportion_interval
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "FLOOR",
    "Binning",
    "Reliability",
    "brier_score",
    "checked_probabilities",
    "error_if_calibrated",
    "negative_log_likelihood",
    "reliability",
]

Binning = Literal["width", "mass"]

FLOOR = 1e-12
"""A smaller probability counts as this in logarithms, so that one object cannot rule a mean."""

SUM_WITHIN = 1e-3
"""Probabilities of an object may sum to 1 within this: tables are rounded."""


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Probability that was said against the share that came true, bin by bin.

    Parameters
    ----------
    low, high : ndarray (b,)
        Bounds of each bin. It holds ``low < p <= high``; the first one 0 as well.
    count : ndarray (b,) of int64
    said : ndarray (b,)
        Mean probability of the objects in the bin; NaN in an empty one.
    observed : ndarray (b,)
        Share of them that came true; NaN in an empty bin.
    ci_low, ci_high : ndarray (b,)
        Wilson's 95 % interval of `observed`.
    ece : float
        Expected calibration error: ``sum(count / n * |observed - said|)``; NaN without objects.
    mce : float
        Largest ``|observed - said|`` of any bin.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]
    said: NDArray[np.float64]
    observed: NDArray[np.float64]
    ci_low: NDArray[np.float64]
    ci_high: NDArray[np.float64]
    ece: float
    mce: float


def reliability(
    probability: ArrayLike, came_true: ArrayLike, *, bins: int = 10, binning: Binning = "width"
) -> Reliability:
    """Compare probabilities with what came true.

    Parameters
    ----------
    probability : array_like (n,)
        Of the class that was given (then `came_true` is whether it was right: "confidence"),
        or of one class (then whether the object is of it).
    came_true : array_like (n,) of bool
    bins : int
    binning : {"width", "mass"}
        Bins of equal width from 0 to 1 [1]_, or of about equal numbers of objects (quantiles;
        fewer bins where many probabilities are equal).

    Returns
    -------
    Reliability

    Raises
    ------
    UsageError
        Lengths that differ, a probability that is none, or no bin.

    Notes
    -----
    The error depends on the bins and is never 0 for a small number of objects, even of perfect
    probabilities: :func:`error_if_calibrated` says what to expect.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
       Proceedings of the 34th International Conference on Machine Learning, 1321-1330 (2017).

    Examples
    --------
    >>> found = reliability([0.9, 0.9, 0.9, 0.6], [True, True, False, True], bins=5)
    >>> found.count.tolist(), round(found.ece, 3), round(found.mce, 3)
    ([0, 0, 1, 0, 3], 0.275, 0.4)
    """
    p, right = _pairs(probability, came_true)
    if bins < 1:
        msg = f"reliability: expected one bin or more, found {bins}"
        raise UsageError(msg)
    edges = _edges(p, bins, binning)
    place = _bins(p, edges)
    count = np.bincount(place, minlength=len(edges) - 1)
    said, observed = np.full(len(count), np.nan), np.full(len(count), np.nan)
    hits = np.bincount(place, right, minlength=len(count))
    np.divide(np.bincount(place, p, minlength=len(count)), count, out=said, where=count > 0)
    np.divide(hits, count, out=observed, where=count > 0)
    bounds = np.array([proportion_interval(h, int(n)) for h, n in zip(hits.tolist(), count, strict=True)])
    gaps = np.abs(observed - said)[count > 0]
    ece = float(np.average(gaps, weights=count[count > 0])) if len(gaps) else math.nan
    return Reliability(
        edges[:-1], edges[1:], count, said, observed, bounds[:, 0], bounds[:, 1],
        ece, float(gaps.max()) if len(gaps) else math.nan,
    )  # fmt: skip


def error_if_calibrated(
    probability: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "width",
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Calibration error to expect of these probabilities if they were perfect.

    What comes true is drawn with the probabilities themselves [1]_.

    Returns
    -------
    mean, high : float
        Mean over the draws, and the value below which 95 % of them lie: an error above it
        is more than chance.

    References
    ----------
    .. [1] J. Bröcker, L. A. Smith, "Increasing the reliability of reliability diagrams",
       Weather and Forecasting 22, 651-661 (2007): consistency resampling.

    Examples
    --------
    >>> mean, high = error_if_calibrated([0.8] * 100)
    >>> round(mean, 2), round(high, 2)
    (0.03, 0.08)
    """
    p, _ = _pairs(probability, np.zeros(np.shape(probability), bool))
    if not len(p):
        return math.nan, math.nan
    edges = _edges(p, bins, binning)
    place = _bins(p, edges)
    n_bins = len(edges) - 1
    expected = np.bincount(place, p, minlength=n_bins)
    rng = np.random.default_rng(seed)
    errors = [
        np.abs(np.bincount(place, rng.random(len(p)) < p, minlength=n_bins) - expected).sum() / len(p)
        for _ in range(resamples)
    ]
    return float(np.mean(errors)), float(np.quantile(errors, 0.95))


def brier_score(probabilities: ArrayLike, codes: ArrayLike) -> float:
    """Mean over the objects of the sum over the classes of ``(p - [is it])^2``; 0 to 2.

    Brier's own definition [1]_; for two classes it is twice the form that counts one of them only.

    Parameters
    ----------
    probabilities : array_like (n, C)
    codes : array_like (n,) of int
        Place of the true class among the columns.

    References
    ----------
    .. [1] G. W. Brier, "Verification of forecasts expressed in terms of probability",
       Monthly Weather Review 78, 1-3 (1950).

    Examples
    --------
    >>> round(brier_score([[0.8, 0.2], [0.6, 0.4]], [0, 1]), 2)
    0.4
    """
    p, code = checked_probabilities(probabilities, codes)
    is_it = np.eye(p.shape[1])[code]
    return float(((p - is_it) ** 2).sum(axis=1).mean()) if len(p) else math.nan


def negative_log_likelihood(probabilities: ArrayLike, codes: ArrayLike) -> float:
    """Mean of ``-ln`` of the probability of the true class, of at least :data:`FLOOR`.

    Examples
    --------
    >>> round(negative_log_likelihood([[0.5, 0.5]], [0]), 4)
    0.6931
    """
    p, code = checked_probabilities(probabilities, codes)
    true = p[np.arange(len(p)), code]
    return float(-np.log(np.maximum(true, FLOOR)).mean()) if len(p) else math.nan


def checked_probabilities(
    probabilities: ArrayLike, codes: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give probabilities ``(n, C)`` and codes ``(n,)`` as arrays.

    Raises
    ------
    UsageError
        Shapes that do not fit, a value outside 0 to 1 or NaN, a row that does not sum to 1
        (within 0.001), or a code that is no column.
    """
    p, code = np.asarray(probabilities, np.float64), np.asarray(codes, np.int64)
    if p.ndim != 2 or code.shape != p.shape[:1] or p.shape[1] < 1:
        msg = f"probabilities: expected a row for every object, found {p.shape} and {code.shape} classes"
        raise UsageError(msg)
    with np.errstate(invalid="ignore"):
        wrong = ~((p >= 0) & (p <= 1)).all(axis=1)
        odd = ~(np.abs(p.sum(axis=1) - 1) <= SUM_WITHIN)
    for faults, expected in ((wrong, "values from 0 to 1"), (odd, "a sum of 1")):
        if faults.any():
            row = int(np.flatnonzero(faults)[0])
            shown = ", ".join(f"{value:g}" for value in p[row])
            msg = f"probabilities: expected {expected}, found {shown} in row {row} ({int(faults.sum())} such)"
            raise UsageError(msg)
    if ((code < 0) | (code >= p.shape[1])).any():
        msg = f"probabilities: expected classes 0 to {p.shape[1] - 1}, found others"
        raise UsageError(msg)
    return p, code


def _pairs(probability: ArrayLike, came_true: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    p, right = np.asarray(probability, np.float64), np.asarray(came_true, bool)
    if p.ndim != 1 or p.shape != right.shape or not ((p >= 0) & (p <= 1)).all():
        msg = (
            f"reliability: expected a probability from 0 to 1 for every object and whether it came true, "
            f"found {p.shape} and {right.shape} values"
        )
        raise UsageError(msg)
    return p, right


def _edges(p: NDArray[np.float64], bins: int, binning: Binning) -> NDArray[np.float64]:
    if binning == "width" or not len(p):
        return np.linspace(0, 1, bins + 1)
    inner = np.quantile(p, np.arange(1, bins) / bins, method="inverted_cdf")
    return np.unique(np.concatenate([[0.0], inner, [1.0]]))


def _bins(p: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(np.searchsorted(edges, p, side="left") - 1, 0, len(edges) - 2)
