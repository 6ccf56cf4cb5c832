"""Percentile bootstrap intervals of any statistic that takes weights of the objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

__all__ = ["BootstrapIntervals", "bootstrap_intervals", "draws"]

ENOUGH = 0.5
"""At least this share of the resamples must give a value, or there is no interval."""


@dataclass(frozen=True, slots=True, eq=False)
class BootstrapIntervals:
    """Intervals of several statistics from the same resamples.

    Parameters
    ----------
    low, high : ndarray (k,)
        NaN where fewer than half of the resamples gave a value.
    used : ndarray (k,) of int64
        Resamples that gave a value.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    used: NDArray[np.int64]


def bootstrap_intervals(
    statistic: Callable[[NDArray[np.int64]], ArrayLike],
    strata: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> BootstrapIntervals:
    """Draw objects (or whole groups) with replacement, again and again.

    Parameters
    ----------
    statistic : callable
        Takes weights ``(n,)``: how often each object was drawn; returns ``(k,)`` numbers.
        NaN where a resample has none, such as one without objects of a class.
    strata : array_like (n,)
        Class of each object. Without `groups` each class keeps its number of objects.
    groups : array_like (n,), optional
        Samples or donors. Whole groups are drawn, with all of their objects: objects of one
        sample are alike, so that drawing single ones gives intervals that are too narrow
        for another sample. Classes then vary as groups do.
    resamples : int
    seed : int
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    BootstrapIntervals
        The same for the same arguments.

    Raises
    ------
    UsageError
        Lengths that differ, fewer than 2 groups, too few resamples, or a level outside (0, 1).

    Notes
    -----
    Percentile intervals [1]_, an *approximation*: with few objects or groups of a class they are
    somewhat too narrow. Stratified by class as drawing cases and controls apart is the custom for
    areas under ROC curves.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An introduction to the bootstrap", Chapman & Hall (1993),
       chapter 13.

    Examples
    --------
    >>> values = np.arange(100.0)
    >>> found = bootstrap_intervals(lambda w: [np.average(values, weights=w)], np.zeros(100))
    >>> bool(43 < found.low[0] < 45 and 54 < found.high[0] < 56)
    True
    """
    if resamples < 20 or not 0 < level < 1:
        msg = (
            f"bootstrap: expected 20 resamples or more and a level between 0 and 1, "
            f"found {resamples} and {level:g}"
        )
        raise UsageError(msg)
    values = np.array([statistic(weights) for weights in draws(strata, groups, resamples, seed)], np.float64)
    known = np.isfinite(values)
    used = known.sum(axis=0)
    low, high = np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    tails = [(1 - level) / 2, (1 + level) / 2]
    for place in np.flatnonzero(used >= ENOUGH * resamples):
        low[place], high[place] = np.quantile(values[known[:, place], place], tails)
    return BootstrapIntervals(low, high, used)


def draws(
    strata: ArrayLike, groups: ArrayLike | None, resamples: int, seed: int
) -> Iterator[NDArray[np.int64]]:
    """How often each object ``(n,)`` is drawn, resample by resample.

    Raises
    ------
    UsageError
        Lengths that differ, or fewer than 2 groups.
    """
    classes = np.unique(np.asarray(strata), return_inverse=True)[1].ravel()
    rng = np.random.default_rng(seed)
    if groups is not None:
        found, member = np.unique(np.asarray(groups), return_inverse=True)
        if member.shape != classes.shape or len(found) < 2:
            msg = (
                f"bootstrap: expected {len(classes)} objects of 2 groups or more, "
                f"found {member.size} of {len(found)}: draw single objects instead"
            )
            raise UsageError(msg)
        for _ in range(resamples):
            yield rng.multinomial(len(found), np.full(len(found), 1 / len(found)))[member]
        return
    members = [np.flatnonzero(classes == code) for code in range(int(classes.max(initial=-1)) + 1)]
    for _ in range(resamples):
        weights = np.zeros(len(classes), np.int64)
        for rows in members:
            weights[rows] = np.bincount(rng.integers(len(rows), size=len(rows)), minlength=len(rows))
        yield weights
