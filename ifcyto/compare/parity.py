"""Two computations of the same numbers: how far apart they are, feature by feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Parity", "parity"]


@dataclass(frozen=True, slots=True)
class Parity:
    """Agreement of our values of one feature with stored ones.

    Parameters
    ----------
    n : int
        Objects for which both are finite.
    equal : int
        Of these, objects with the very same number.
    ours_missing, theirs_missing : int
        Objects for which only the other is finite.
    median_error, max_error : float
        Relative error ``|ours - theirs| / |theirs|``; against the median of
        ``|theirs|`` where theirs is 0. NaN where `n` is 0.
    correlation : float
        Pearson's; NaN where either is constant or `n` is below 2.
    offset : float
        Median of ``ours - theirs``, in the feature's unit.
    slope : float
        Median of ``ours / theirs`` over non-zero values: a constant factor shows here.
    """

    n: int
    equal: int
    ours_missing: int
    theirs_missing: int
    median_error: float
    max_error: float
    correlation: float
    offset: float
    slope: float


def parity(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Parity:
    """Compare our values with stored ones.

    Parameters
    ----------
    ours, theirs : ndarray (n,) of float64
        Of the same objects in the same order.

    Raises
    ------
    ValueError
        The lengths differ.

    Examples
    --------
    >>> parity(np.array([1.0, 2.2, 4.0]), np.array([1.0, 2.0, 4.0])).max_error
    0.1
    """
    if ours.shape != theirs.shape:
        msg = f"expected values of the same objects, found {ours.shape} and {theirs.shape}"
        raise ValueError(msg)
    mine, stored = np.isfinite(ours), np.isfinite(theirs)
    both = mine & stored
    a, b = ours[both], theirs[both]
    missing = {"ours_missing": int((stored & ~mine).sum()), "theirs_missing": int((mine & ~stored).sum())}
    nan = float("nan")
    if not len(a):
        return Parity(
            0, 0, **missing, median_error=nan, max_error=nan, correlation=nan, offset=nan, slope=nan
        )
    scale = np.where(b == 0, np.median(np.abs(b)), np.abs(b))
    gap = np.abs(a - b)
    errors = np.where(gap == 0, 0.0, gap / np.where(scale == 0, 1.0, scale))
    errors = np.round(errors, 15)  # the last bits of a quotient of decimals say nothing
    factors = a[b != 0] / b[b != 0]
    return Parity(
        n=len(a),
        equal=int((gap == 0).sum()),
        **missing,
        median_error=float(np.median(errors)),
        max_error=float(errors.max()),
        correlation=_pearson(a, b),
        offset=float(np.median(a - b)),
        slope=float(np.median(factors)) if len(factors) else nan,
    )


def _pearson(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    x, y = a - a.mean(), b - b.mean()
    return float((x @ y) / np.sqrt((x @ x) * (y @ y)))
