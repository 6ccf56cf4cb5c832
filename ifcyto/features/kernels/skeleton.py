"""Compiled loops over the inside of masks: distance to the edge and the skeleton that it gives.

Outside the image counts as outside the mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel
from ifcyto.features.kernels.outline import row_ends

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SQUARE_MAX", "SQUARE_MIN", "mask_box", "skeleton_widths", "skeletons"]

SQUARE_MAX, SQUARE_MIN = 0, 1
"""Columns of `skeleton_widths`."""
PAD = 2
FREE, ANCHOR = 1, 2


@kernel
def mask_box(mask: NDArray[np.bool_], start: int, height: int, width: int) -> Any:
    """Bounding box (top, bottom, left, right), all inclusive; bottom is -1 for an empty mask."""
    top, bottom, left, right = height, -1, width, -1
    for r in range(height):
        first, last = row_ends(mask, start + r * width, width)
        if last >= 0:
            top, bottom = min(top, r), r
            left, right = min(left, first), max(right, last)
    return top, bottom, left, right


@kernel
def _steps(state: NDArray[np.uint8], block: NDArray[np.int32], rows: int, columns: int) -> None:
    """Vertical distance to the outside, pixels."""
    block[:columns] = 0
    for at in range(columns, rows * columns):
        block[at] = block[at - columns] + 1 if state[at] else 0
    for at in range((rows - 1) * columns - 1, -1, -1):
        block[at] = min(block[at], block[at + columns] + 1)


@kernel
def _squares(block: NDArray[np.int32], square: NDArray[np.int32], rows: int, columns: int) -> Any:
    """Squared Euclidean distance to the nearest outside pixel, from vertical ones; return the largest."""
    largest = 0
    for r in range(rows):
        base = r * columns
        for c in range(columns):
            best = block[base + c] * block[base + c]
            k = 1
            while k * k < best:
                left, right = block[base + c - k], block[base + c + k]
                best = min(best, k * k + min(left * left, right * right))
                k += 1
            square[base + c] = best
            largest = max(largest, best)
    return largest


@kernel
def _blocks(block: NDArray[np.int32], rows: int, columns: int) -> None:
    """City-block distance to the outside, in place, from vertical distances."""
    for r in range(rows):
        base = r * columns
        for at in range(base + 1, base + columns):
            block[at] = min(block[at], block[at - 1] + 1)
        for at in range(base + columns - 2, base - 1, -1):
            block[at] = min(block[at], block[at + 1] + 1)


@kernel
def _is_ridge(block: NDArray[np.int32], at: int, columns: int) -> Any:
    """Whether no pixel of the 5 x 5 around has a larger city-block distance."""
    here = block[at]
    if max(block[at - 1], block[at + 1], block[at - columns], block[at + columns]) > here:
        return False
    for r in range(-2, 3):
        for c in range(-2, 3):
            if block[at + r * columns + c] > here:
                return False
    return True


@kernel
def _is_simple(state: NDArray[np.uint8], at: int, columns: int) -> Any:
    """Whether taking the pixel away keeps parts (8-connected) and holes (4-connected) as they are."""
    east, west = 1 - min(state[at + 1], 1), 1 - min(state[at - 1], 1)
    north, south = 1 - min(state[at - columns], 1), 1 - min(state[at + columns], 1)
    north_east, north_west = 1 - min(state[at - columns + 1], 1), 1 - min(state[at - columns - 1], 1)
    south_east, south_west = 1 - min(state[at + columns + 1], 1), 1 - min(state[at + columns - 1], 1)
    crossings = (
        east * (1 - north_east * north)
        + north * (1 - north_west * west)
        + west * (1 - south_west * south)
        + south * (1 - south_east * east)
    )
    return crossings == 1


@kernel
def _sorted_inside(
    state: NDArray[np.uint8], square: NDArray[np.int32], order: NDArray[np.int32], size: int, largest: int
) -> Any:
    """Fill `order` with the inside pixels, those near the edge first; return how many."""
    begins = np.zeros(largest + 2, np.int32)
    for at in range(size):
        if state[at]:
            begins[square[at] + 1] += 1
    for value in range(1, largest + 2):
        begins[value] += begins[value - 1]
    for at in range(size):
        if state[at]:
            order[begins[square[at]]] = at
            begins[square[at]] += 1
    return begins[largest + 1]


@kernel
def _thin(state: NDArray[np.uint8], order: NDArray[np.int32], count: int, columns: int) -> None:
    """Take simple pixels away, from the edge inwards, again and again until none is left but anchors."""
    changed = True
    while changed:
        changed = False
        left = 0
        for i in range(count):
            at = order[i]
            if state[at] == FREE and _is_simple(state, at, columns):
                state[at] = 0
                changed = True
            elif state[at] == FREE:
                order[left] = at
                left += 1
        count = left


@kernel
def _skeleton(
    state: NDArray[np.uint8],
    block: NDArray[np.int32],
    square: NDArray[np.int32],
    order: NDArray[np.int32],
    rows: int,
    columns: int,
) -> None:
    """Turn `state` (padded box, 1 inside) into the skeleton; fill `square`."""
    _steps(state, block, rows, columns)
    largest = _squares(block, square, rows, columns)
    _blocks(block, rows, columns)
    count = _sorted_inside(state, square, order, rows * columns, largest)
    for i in range(count):
        if square[order[i]] == largest or _is_ridge(block, order[i], columns):
            state[order[i]] = ANCHOR
    _thin(state, order, count, columns)


@kernel
def skeletons(
    mask: NDArray[np.bool_],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    wanted: NDArray[np.bool_],
) -> Any:
    """Skeleton of every mask and the distance of its pixels from the edge.

    Pixels are taken away from the edge inwards (by Euclidean distance) as long as
    parts and holes stay as they are; pixels where the city-block distance has its
    maximum over 5 x 5 pixels, and the pixels farthest from the edge, stay.

    Parameters
    ----------
    mask : ndarray (P,) of bool
    starts, heights, widths : ndarray
        Geometry of the planes.
    wanted : ndarray (n,) of bool
        Objects to work on; the others get an empty skeleton.

    Returns
    -------
    ndarray (P,) of int32
        On the skeleton the squared distance to the nearest pixel centre outside the
        mask (at least 1), elsewhere 0.
    """
    out = np.zeros(len(mask), np.int32)
    largest = 1
    for i in range(len(heights)):
        if wanted[i]:
            largest = max(largest, (heights[i] + 2 * PAD) * (widths[i] + 2 * PAD))
    state = np.zeros(largest, np.uint8)
    block, square = np.zeros(largest, np.int32), np.zeros(largest, np.int32)
    order = np.zeros(largest, np.int32)
    for i in range(len(heights)):
        if not wanted[i]:
            continue
        top, bottom, left, right = mask_box(mask, starts[i], heights[i], widths[i])
        if bottom < 0:
            continue
        rows, columns = bottom - top + 1 + 2 * PAD, right - left + 1 + 2 * PAD
        state[: rows * columns] = 0
        for r in range(PAD, rows - PAD):
            source = starts[i] + (top + r - PAD) * widths[i] + left - PAD
            for c in range(PAD, columns - PAD):
                state[r * columns + c] = mask[source + c]
        _skeleton(state, block, square, order, rows, columns)
        for r in range(PAD, rows - PAD):
            target = starts[i] + (top + r - PAD) * widths[i] + left - PAD
            for c in range(PAD, columns - PAD):
                if state[r * columns + c]:
                    out[target + c] = square[r * columns + c]
    return out


@kernel
def skeleton_widths(skeleton: NDArray[np.int32], starts: NDArray[np.int64]) -> Any:
    """Largest and smallest value of each object's skeleton.

    Returns
    -------
    ndarray (n, 2) of float64
        Columns SQUARE_MAX and SQUARE_MIN; NaN where there is no skeleton.
    """
    out = np.full((len(starts) - 1, 2), np.nan)
    for i in range(len(starts) - 1):
        largest, smallest = 0, np.iinfo(np.int32).max
        for at in range(starts[i], starts[i + 1]):
            value = skeleton[at]
            if value:
                largest = max(largest, value)
                smallest = min(smallest, value)
        if largest:
            out[i, SQUARE_MAX], out[i, SQUARE_MIN] = largest, smallest
    return out
