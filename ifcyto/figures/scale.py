"""Range and bins of an axis that a few outliers must not rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["axis_range", "beyond_text", "bin_edges"]

_TRIMMED = 0.0025  # at each end, of all values
_KEPT = 0.05  # of one class, at each end, may be left out at most
_FEW = 40  # fewer values are never trimmed
_WORTH = 1.25  # trim only where the axis is longer than needed by this factor
_BINS = 16, 60


def axis_range(
    groups: Sequence[NDArray[np.float64]], line: float, *, margin: float = 0.0
) -> tuple[float, float]:
    """Choose the ends of an axis: they hold a line, and all values but outliers.

    The outermost 0.5 % of all values (rounded up to whole values, at each end) are
    left out where the axis would be longer by a quarter with them, but never more
    than 5 % of one class at one end: a rare class is not an outlier.

    Parameters
    ----------
    groups : sequence of ndarray (n,)
        Values of each class, without NaN. Infinities are always left out.
    line : float
        A value that the axis holds.
    margin : float
        Room at each end, as a share of the range.

    Returns
    -------
    low, high : float
        With `low` below `high`, even where all values are the same.

    Examples
    --------
    >>> axis_range([np.arange(-50.0, 50.0), np.array([1e9])], 0.0)
    (-50.0, 1000000000.0)
    >>> axis_range([np.append(np.arange(-50.0, 50.0), 1e9)], 0.0)
    (-49.0, 49.0)
    """
    finite = [group[np.isfinite(group)] for group in groups]
    finite = [group for group in finite if group.size]
    if not finite:
        return line - 1, line + 1
    pooled = np.sort(np.concatenate(finite))
    trim = math.ceil(_TRIMMED * pooled.size) if pooled.size >= _FEW else 0
    lows = [float(np.quantile(group, _KEPT, method="higher")) for group in finite]
    highs = [float(np.quantile(group, 1 - _KEPT, method="lower")) for group in finite]
    low = min(float(pooled[trim]), line, *lows)
    high = max(float(pooled[-1 - trim]), line, *highs)
    full = min(float(pooled[0]), line), max(float(pooled[-1]), line)
    if full[1] - full[0] <= _WORTH * (high - low):
        low, high = full
    if high == low:
        return line - 1, line + 1
    room = margin * (high - low)
    return low - room, high + room


def bin_edges(groups: Sequence[NDArray[np.float64]], line: float) -> NDArray[np.float64]:
    """Edges of bins of one width over :func:`axis_range`, one of them on the line.

    The width is the median over the classes of Freedman and Diaconis' [1]_; there are
    16 to 60 bins, and up to two more so that they meet the line.

    Parameters
    ----------
    groups : sequence of ndarray (n,)
        Values of each class, without NaN.
    line : float
        A value that becomes an edge.

    Returns
    -------
    ndarray (bins + 1,)

    References
    ----------
    .. [1] D. Freedman, P. Diaconis, Z. Wahrscheinlichkeitstheorie verw. Gebiete 57, 453-476 (1981).

    Examples
    --------
    >>> edges = bin_edges([np.arange(-50.0, 50.0)], 0.0)
    >>> len(edges) - 1, 0.0 in edges
    (17, True)
    """
    low, high = axis_range(groups, line)
    widths = [_width(group[np.isfinite(group)]) for group in groups]
    wanted = float(np.median([width for width in widths if width > 0] or [high - low]))
    width = (high - low) / min(max(round((high - low) / wanted), _BINS[0]), _BINS[1])
    steps = np.arange(math.floor((low - line) / width), math.ceil((high - line) / width) + 1)
    edges = np.asarray(line + width * steps, np.float64)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)  # rounding must leave nothing outside
    return edges


def beyond_text(beyond: NDArray[np.bool_], noun: str, place: str) -> str:
    """Say how many of the objects lie beyond the axis and where they went; empty if none.

    Examples
    --------
    >>> beyond_text(np.array([True, False, False, False]), "values", "counted in the end bins")
    '1 of 4 values (25.0 %) beyond the axis: counted in the end bins'
    """
    count = int(beyond.sum())
    if not count:
        return ""
    percent = 100 * count / beyond.size
    share = "< 0.1" if percent < 0.1 else f"{percent:.1f}"
    return f"{count:,} of {beyond.size:,} {noun} ({share} %) beyond the axis: {place}"


def _width(values: NDArray[np.float64]) -> float:
    if not values.size:
        return 0.0
    first, third = np.quantile(values, [0.25, 0.75])
    return float(2 * (third - first) / values.size ** (1 / 3))
