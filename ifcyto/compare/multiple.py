"""Correction of p-values for many tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Correction", "adjusted", "benjamini_hochberg", "holm"]

Correction = Literal["holm", "bh", "none"]
"""Names of the corrections: Holm's, Benjamini and Hochberg's, none."""


def adjusted(p: Sequence[float] | NDArray[np.float64], correction: Correction) -> NDArray[np.float64]:
    """Adjust p-values by the correction of that name.

    Parameters
    ----------
    p : array_like (m,)
        P-values of one family of tests; NaN for a test that could not be made.
    correction : {"holm", "bh", "none"}
        :func:`holm`, :func:`benjamini_hochberg`, or leave them as they are.

    Returns
    -------
    ndarray (m,) of float64
        In the order of `p`.

    Raises
    ------
    UsageError
        Another name; values outside 0 to 1, or not one-dimensional.

    Examples
    --------
    >>> adjusted([0.01, 0.04], "bh").tolist()
    [0.02, 0.04]
    """
    if correction not in _CORRECTIONS:
        msg = f"p-values: expected correction {', '.join(map(repr, _CORRECTIONS))}, found {correction!r}"
        raise UsageError(msg)
    return _CORRECTIONS[correction](p)


def holm(p: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusted p-values that control the family-wise error rate (Holm 1979).

    The i-th smallest of m values becomes the largest ``(m - j + 1) * p_j`` over
    ``j <= i``, at most 1. Nothing is assumed of how the tests depend.

    Parameters
    ----------
    p : array_like (m,)
        P-values. NaN stands for a test that could not be made: it stays NaN
        and does not count among the m.

    Returns
    -------
    ndarray (m,) of float64
        In the order of `p`.

    Raises
    ------
    UsageError
        Values outside 0 to 1, or not one-dimensional.

    References
    ----------
    Holm S (1979) Scand J Stat 6:65-70.

    Examples
    --------
    >>> [round(v, 4) for v in holm([0.01, 0.04, 0.03]).tolist()]
    [0.03, 0.06, 0.06]
    """

    def steps(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
        m = ordered.size
        return np.maximum.accumulate(ordered * np.arange(m, 0, -1))

    return _adjust(p, steps)


def benjamini_hochberg(p: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusted p-values that control the false discovery rate.

    The i-th smallest of m values becomes the smallest ``m / j * p_j`` over
    ``j >= i``, at most 1. It holds for independent or positively dependent tests.

    Parameters
    ----------
    p : array_like (m,)
        P-values. NaN stands for a test that could not be made: it stays NaN
        and does not count among the m.

    Returns
    -------
    ndarray (m,) of float64
        In the order of `p`.

    Raises
    ------
    UsageError
        Values outside 0 to 1, or not one-dimensional.

    References
    ----------
    Benjamini Y, Hochberg Y (1995) J R Stat Soc B 57:289-300.

    Examples
    --------
    >>> [round(v, 4) for v in benjamini_hochberg([0.01, 0.04, 0.03]).tolist()]
    [0.03, 0.04, 0.04]
    """

    def steps(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
        m = ordered.size
        scaled = ordered * m / np.arange(1, m + 1)
        return np.minimum.accumulate(scaled[::-1])[::-1]

    return _adjust(p, steps)


def _adjust(
    p: Sequence[float] | NDArray[np.float64],
    steps: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    values = np.asarray(p, np.float64)
    if values.ndim != 1:
        msg = f"p-values: expected one dimension, found shape {values.shape}"
        raise UsageError(msg)
    known = np.flatnonzero(~np.isnan(values))
    wrong = known[(values[known] < 0) | (values[known] > 1)]
    if wrong.size:
        msg = f"p-values: expected 0 to 1, found {float(values[wrong[0]])} at position {int(wrong[0])}"
        raise UsageError(msg)
    adjusted = np.full(values.shape, np.nan)
    order = known[np.argsort(values[known], kind="stable")]
    adjusted[order] = np.minimum(steps(values[order]), 1.0)
    return adjusted


def _unchanged(p: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    return _adjust(p, lambda ordered: ordered)


_CORRECTIONS = {"holm": holm, "bh": benjamini_hochberg, "none": _unchanged}
