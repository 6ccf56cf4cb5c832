"""Compiled loop over the outline of masks: sides, bounding boxes, how far the shape is from an ellipse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LONG", "OUTLINE_COLUMNS", "SHORT", "SIDES", "SPREAD", "outlines", "row_ends"]

SIDES, LONG, SHORT, SPREAD = 0, 1, 2, 3
"""Columns of `outlines`."""
OUTLINE_COLUMNS = 4


@kernel
def row_ends(mask: NDArray[np.bool_], base: int, width: int) -> Any:
    """First and last column of the mask in a row; ``width, -1`` where there is none."""
    first = 0
    while first < width and not mask[base + first]:
        first += 1
    if first == width:
        return width, -1
    last = width - 1
    while not mask[base + last]:
        last -= 1
    return first, last


@kernel
def _row_sums(mask: NDArray[np.bool_], base: int, width: int, first: int, last: int) -> Any:
    """Count, sum of x, sum of x^2 and vertical sides of one row that is not empty."""
    count, sum_x, sum_xx, gaps = 0, 0, 0, 0
    for c in range(first, last + 1):
        inside = int(mask[base + c])
        count += inside
        sum_x += inside * c
        sum_xx += inside * c * c
    if count < last - first + 1:
        for c in range(first, last):
            gaps += mask[base + c] != mask[base + c + 1]
    return count, sum_x, sum_xx, gaps + (first > 0) + (last < width - 1)


@kernel
def _sides_above(mask: NDArray[np.bool_], base: int, width: int, low: int, high: int) -> Any:
    """Sides between a row and the one above it, from column `low` to `high`."""
    sides = 0
    for c in range(low, high + 1):
        sides += mask[base + c] != mask[base + c - width]
    return sides


@kernel
def _span(ends: NDArray[np.int64], height: int, cosine: float, sine: float) -> Any:
    """Longest distance between pixel centres along one direction."""
    low, high = np.inf, -np.inf
    for r in range(height):
        if ends[r, 1] >= 0:
            for side in range(2):
                along = ends[r, side] * cosine + r * sine
                low = min(low, along)
                high = max(high, along)
    return high - low


@kernel
def _box(ends: NDArray[np.int64], height: int, moments: NDArray[np.int64], turn_below: float) -> Any:
    """Long side, short side (whole pixels between centres) and spread, from row ends and moments."""
    n = float(moments[0])
    xx = (moments[0] * moments[3] - moments[1] * moments[1]) / (n * n)
    yy = (moments[0] * moments[4] - moments[2] * moments[2]) / (n * n)
    xy = (moments[0] * moments[5] - moments[1] * moments[2]) / (n * n)
    half = np.sqrt((xx - yy) * (xx - yy) / 4 + xy * xy)
    major, minor = (xx + yy) / 2 + half, max((xx + yy) / 2 - half, 0.0)
    cosine, sine = 1.0, 0.0
    if minor < turn_below * turn_below * major:
        angle = np.arctan2(2 * xy, xx - yy) / 2
        cosine, sine = np.cos(angle), np.sin(angle)
    along = np.floor(_span(ends, height, cosine, sine) + 0.5)
    across = np.floor(_span(ends, height, -sine, cosine) + 0.5)
    spread = 4 * np.pi * np.sqrt(major * minor) / n
    return max(along, across), min(along, across), spread


@kernel
def outlines(
    mask: NDArray[np.bool_],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    turn_below: float,
) -> Any:
    """Describe the outline of every mask.

    Parameters
    ----------
    mask : ndarray (P,) of bool
    starts, heights, widths : ndarray
        Geometry of the planes.
    turn_below : float
        The box turns with the object where sqrt(minor / major eigenvalue) is below this.

    Returns
    -------
    ndarray (n, 4) of float64
        Columns SIDES (pixel sides inside the image between mask and rest), LONG and SHORT
        (sides of the box, whole pixels between outermost pixel centres), SPREAD
        (4 pi sqrt(det of the covariance) / N: 1 for an ellipse, larger for bent, ragged or
        scattered shapes). Zeros for an empty mask.
    """
    out = np.zeros((len(heights), OUTLINE_COLUMNS))
    ends = np.empty((heights.max() if len(heights) else 1, 2), np.int64)
    moments = np.empty(6, np.int64)
    for i in range(len(heights)):
        height, width = heights[i], widths[i]
        moments[:] = 0
        sides, before, behind = 0, width, -1
        for r in range(height):
            base = starts[i] + r * width
            first, last = row_ends(mask, base, width)
            ends[r, 0], ends[r, 1] = first, last
            if last >= 0:
                count, sum_x, sum_xx, gaps = _row_sums(mask, base, width, first, last)
                sides += gaps
                moments[0] += count
                moments[1] += sum_x
                moments[2] += count * r
                moments[3] += sum_xx
                moments[4] += count * r * r
                moments[5] += sum_x * r
            if r > 0:
                sides += _sides_above(mask, base, width, min(first, before), max(last, behind))
            before, behind = first, last
        if moments[0]:
            out[i, SIDES] = sides
            out[i, LONG], out[i, SHORT], out[i, SPREAD] = _box(ends, height, moments, turn_below)
    return out
