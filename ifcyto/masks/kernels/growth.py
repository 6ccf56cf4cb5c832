"""Compiled loops that grow, shrink and fill masks: all objects of a batch in one call.

Each plane is worked on with a margin of one pixel around it, so that no loop
asks for an image border; what the margin holds says how the border counts.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fill_holes", "grow", "peel"]

OUTSIDE = 2
"""Mark of a pixel that is known to be outside."""


@kernel
def _largest(heights: NDArray[np.int32], widths: NDArray[np.int32]) -> Any:
    """Pixels of the largest plane with its margin."""
    size = 1
    for i in range(len(heights)):
        size = max(size, (heights[i] + 2) * (widths[i] + 2))
    return size


@kernel
def _load(
    flat: NDArray[np.bool_],
    begin: int,
    step: int,
    height: int,
    width: int,
    flip: int,
    plane: NDArray[np.uint8],
) -> None:
    """Copy `height` rows, `step` apart, into a margin of zeros, inverted if asked."""
    stride = width + 2
    plane[: stride * (height + 2)] = 0
    for row in range(height):
        at, to = begin + row * step, (row + 1) * stride + 1
        for column in range(width):
            plane[to + column] = flat[at + column] != flip


@kernel
def _margin(plane: NDArray[np.uint8], height: int, width: int, value: int) -> None:
    stride = width + 2
    plane[:stride] = value
    plane[(height + 1) * stride : (height + 2) * stride] = value
    for row in range(height + 2):
        plane[row * stride] = value
        plane[row * stride + width + 1] = value


@kernel
def _step(plane: NDArray[np.uint8], height: int, stride: int, box: int, spread: NDArray[np.uint8]) -> None:
    """Grow by one pixel: along rows into `spread`, then along columns back into `plane`."""
    size = stride * (height + 2)
    left, here, right = plane[: size - 2], plane[1 : size - 1], plane[2:size]
    middle = spread[1 : size - 1]
    for at in range(size - 2):
        middle[at] = left[at] | here[at] | right[at]
    inner = stride * height
    if box:
        above, same, below = spread[:inner], spread[stride:], spread[2 * stride :]
        target = plane[stride : stride + inner]
        for at in range(inner):
            target[at] = above[at] | same[at] | below[at]
    else:
        above, below = plane[:inner], plane[2 * stride :]
        target = spread[stride : stride + inner]
        for at in range(inner):
            target[at] |= above[at] | below[at]
        plane[stride : stride + inner] = target


@kernel
def grow(
    mask: NDArray[np.bool_],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    steps: int,
    shrink: int,
) -> Any:
    """Grow (or shrink) masks by `steps` pixels: a cross, a box, a cross, ... in turn.

    Parameters
    ----------
    mask : ndarray (P,) of bool
    starts : ndarray (n + 1,) of int64
    heights, widths : ndarray (n,) of int32
    steps : int
    shrink : int
        1 to grow the outside instead; what lies beyond the image is outside.

    Returns
    -------
    ndarray (P,) of bool
    """
    out = np.empty(len(mask), np.bool_)
    size = _largest(heights, widths)
    plane, spread = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    edge = 1 if shrink else 0
    for i in range(len(heights)):
        height, width = heights[i], widths[i]
        _load(mask, starts[i], width, height, width, shrink, plane)
        for step in range(steps):
            _margin(plane, height, width, edge)
            _step(plane, height, width + 2, step % 2 == 1, spread)
        for row in range(height):
            to, at = starts[i] + row * width, (row + 1) * (width + 2) + 1
            for column in range(width):
                out[to + column] = (plane[at + column] != 0) != shrink
    return out


@kernel
def _box(mask: NDArray[np.bool_], begin: int, height: int, width: int) -> Any:
    """First row, rows, first column and columns of the bounding box of one mask; all 0 for none."""
    top, bottom, left, right = -1, -1, width, -1
    for row in range(height):
        line = mask[begin + row * width : begin + (row + 1) * width]
        first = 0
        while first < width and not line[first]:
            first += 1
        if first == width:
            continue
        last = width - 1
        while not line[last]:
            last -= 1
        top = row if top < 0 else top
        bottom = row
        left, right = min(left, first), max(right, last)
    if top < 0:
        return 0, 0, 0, 0
    return top, bottom - top + 1, left, right - left + 1


@kernel
def _flood(plane: NDArray[np.uint8], stride: int, size: int, stack: NDArray[np.int64]) -> None:
    """Mark what a 4-connected path of zeros reaches from the corner of the margin."""
    stack[0], depth = 0, 1
    plane[0] = OUTSIDE
    while depth > 0:
        depth -= 1
        at = stack[depth]
        for step in (-stride, -1, 1, stride):
            near = at + step
            if 0 <= near < size and plane[near] == 0:
                plane[near] = OUTSIDE
                stack[depth] = near
                depth += 1


@kernel
def fill_holes(
    mask: NDArray[np.bool_], starts: NDArray[np.int64], heights: NDArray[np.int32], widths: NDArray[np.int32]
) -> Any:
    """Fill what a 4-connected path from beyond the image cannot reach.

    Parameters
    ----------
    mask : ndarray (P,) of bool
    starts : ndarray (n + 1,) of int64
    heights, widths : ndarray (n,) of int32

    Returns
    -------
    ndarray (P,) of bool
    """
    out = mask.copy()
    size = _largest(heights, widths)
    plane, stack = np.zeros(size, np.uint8), np.empty(size, np.int64)
    for i in range(len(heights)):
        step = widths[i]
        top, height, left, width = _box(mask, starts[i], heights[i], step)
        begin, stride = starts[i] + top * step + left, width + 2
        _load(mask, begin, step, height, width, 0, plane)
        _flood(plane, stride, stride * (height + 2), stack)
        for row in range(height):
            to, at = begin + row * step, (row + 1) * stride + 1
            for column in range(width):
                out[to + column] = plane[at + column] != OUTSIDE
    return out


@kernel
def peel(
    weights: NDArray[np.float64],
    mask: NDArray[np.bool_],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    left: NDArray[np.int64],
) -> Any:
    """Take pixels off the boundary, the lightest first, until `left` are left.

    A pixel is on the boundary when one of its 4 neighbours is outside the mask
    or the image. Equal weights go in raster order.

    Parameters
    ----------
    weights : ndarray (P,) of float64
        Finite.
    mask : ndarray (P,) of bool
    starts : ndarray (n + 1,) of int64
    heights, widths : ndarray (n,) of int32
    left : ndarray (n,) of int64

    Returns
    -------
    ndarray (P,) of bool
    """
    out = mask.copy()
    size = _largest(heights, widths)
    plane = np.zeros(size, np.uint8)
    for i in range(len(heights)):
        height, width = heights[i], widths[i]
        stride = width + 2
        _load(mask, starts[i], width, height, width, 0, plane)
        heap = [(0.0, np.int64(0))]
        heap.clear()
        count = 0
        for place in range(stride, stride * (height + 1)):
            if plane[place]:
                count += 1
                closed = plane[place - 1] & plane[place + 1] & plane[place - stride] & plane[place + stride]
                if not closed & 1:
                    plane[place] = 3
                    heappush(heap, (weights[_flat(place, stride, starts[i])], np.int64(place)))
        while count > left[i]:
            taken = heappop(heap)[1]
            plane[taken] = 0
            out[_flat(taken, stride, starts[i])] = False
            count -= 1
            for step in (-stride, -1, 1, stride):
                near = taken + step
                if plane[near] == 1:
                    plane[near] = 3
                    heappush(heap, (weights[_flat(near, stride, starts[i])], np.int64(near)))
    return out


@kernel
def _flat(place: int, stride: int, begin: int) -> Any:
    """Index in the flat arrays of a place in a plane with its margin."""
    return begin + (place // stride - 1) * (stride - 2) + place % stride - 1
