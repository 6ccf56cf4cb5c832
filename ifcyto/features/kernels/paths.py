"""Compiled loops along the skeleton and over the contours of masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel
from ifcyto.features.kernels.skeleton import mask_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CONTOURS", "STEPS", "X", "Y", "brightest_contours", "darkest_pixels", "longest_paths"]

X, Y = 0, 1
"""Columns of `darkest_pixels`."""
STEPS, CONTOURS = 0, 1
"""Columns of `brightest_contours`."""
DIAGONAL = 2.0**0.5
EQUAL = 1.0 + 1e-9  # means that differ by rounding alone are equal


@kernel
def _sweep(
    skeleton: NDArray[np.int32],
    shape: tuple[int, int, int],
    source: int,
    way: NDArray[np.float64],
    queue: NDArray[np.int32],
    seen: NDArray[np.int32],
) -> Any:
    """Pixel (of the plane) that is farthest from `source` along its part of the skeleton.

    `way` holds infinity on the whole part beforehand, the distance from `source` afterwards;
    the sign of a waiting pixel is negative, so that each waits once.
    """
    start, height, width = shape
    way[source] = -0.0
    queue[0] = seen[0] = source
    head, tail, reached = 0, 1, 1
    while head < tail:
        at = queue[head % len(queue)]
        head += 1
        way[at] = abs(way[at])
        row, column = at // width, at % width
        for r in range(max(row - 1, 0), min(row + 2, height)):
            for c in range(max(column - 1, 0), min(column + 2, width)):
                to = r * width + c
                if to == at or skeleton[start + to] == 0:
                    continue
                longer = way[at] + (DIAGONAL if r != row and c != column else 1.0)
                if longer < abs(way[to]) - 1e-9:
                    if way[to] == np.inf:
                        seen[reached] = to
                        reached += 1
                    if way[to] > 0:
                        queue[tail % len(queue)] = to
                        tail += 1
                    way[to] = -longer
    best = source
    for i in range(reached):
        if way[seen[i]] > way[best]:
            best = seen[i]
    return best


@kernel
def longest_paths(
    skeleton: NDArray[np.int32],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
) -> Any:
    """Longest way along each skeleton, between the pixel centres at the edge of the mask.

    The two ends are found by walking to the farthest pixel twice, which is exact
    without loops; the way on from an end to the edge is its distance from the outside
    less one pixel. Parts are walked one by one.

    Parameters
    ----------
    skeleton : ndarray (P,) of int32
        As `skeletons` gives it.
    starts, heights, widths : ndarray
        Geometry of the planes.

    Returns
    -------
    ndarray (n,) of float64
        Pixels; 0 without a skeleton.
    """
    out = np.zeros(len(heights))
    largest = 1
    for i in range(len(heights)):
        largest = max(largest, starts[i + 1] - starts[i])
    there, back = np.full(largest, np.inf), np.full(largest, np.inf)
    queue, seen = np.empty(largest, np.int32), np.empty(largest, np.int32)
    for i in range(len(heights)):
        size = starts[i + 1] - starts[i]
        used = False
        for at in range(size):
            if skeleton[starts[i] + at] == 0:
                continue
            if not used:
                there[:size] = np.inf
                back[:size] = np.inf
                used = True
            if there[at] < np.inf:
                continue
            shape = (starts[i], np.int64(heights[i]), np.int64(widths[i]))
            end = _sweep(skeleton, shape, at, there, queue, seen)
            other = _sweep(skeleton, shape, end, back, queue, seen)
            margins = np.sqrt(skeleton[starts[i] + end]) + np.sqrt(skeleton[starts[i] + other]) - 2
            out[i] = max(out[i], back[other] + margins)
    return out


@kernel
def darkest_pixels(
    image: NDArray[Any],
    skeleton: NDArray[np.int32],
    starts: NDArray[np.int64],
    widths: NDArray[np.int32],
) -> Any:
    """Column and row of the smallest pixel on each skeleton, the first in raster order of equal ones.

    Returns
    -------
    ndarray (n, 2) of float64
        Columns X and Y, pixels from 0; NaN without a skeleton.
    """
    out = np.full((len(widths), 2), np.nan)
    for i in range(len(widths)):
        best = -1
        for at in range(starts[i], starts[i + 1]):
            if skeleton[at] and (best < 0 or image[at] < image[best]):
                best = at
        if best >= 0:
            out[i, X] = (best - starts[i]) % widths[i]
            out[i, Y] = (best - starts[i]) // widths[i]
    return out


@kernel
def _depths(depth: NDArray[np.int32], rows: int, columns: int) -> Any:
    """Chessboard distance to the outside, in place (0 outside, else 1 beforehand); return the largest."""
    for r in range(1, rows - 1):
        for at in range(r * columns + 1, (r + 1) * columns - 1):
            if depth[at]:
                above = min(depth[at - columns - 1], depth[at - columns], depth[at - columns + 1])
                depth[at] = min(above, depth[at - 1]) + 1
    largest = 0
    for r in range(rows - 2, 0, -1):
        for at in range((r + 1) * columns - 2, r * columns, -1):
            if depth[at]:
                below = min(depth[at + columns - 1], depth[at + columns], depth[at + columns + 1])
                depth[at] = min(depth[at], min(below, depth[at + 1]) + 1)
                largest = max(largest, depth[at])
    return largest


@kernel
def _load_box(
    mask: NDArray[np.bool_], source: int, width: int, depth: NDArray[np.int32], rows: int, columns: int
) -> None:
    """Copy the bounding box, whose padded corner lies at `source`, into `depth` with one row around it."""
    depth[: rows * columns] = 0
    for r in range(1, rows - 1):
        for c in range(1, columns - 1):
            depth[r * columns + c] = mask[source + r * width + c]


@kernel
def _brightest(
    image: NDArray[Any],
    source: int,
    width: int,
    depth: NDArray[np.int32],
    shape: tuple[int, int, int],
    background: float,
    sums: NDArray[np.float64],
) -> Any:
    """Depth of the peel with the largest mean of |image - background|; the deepest of equals."""
    rows, columns, count = shape
    sums[: count + 1] = 0
    for r in range(1, rows - 1):
        for c in range(1, columns - 1):
            peel = depth[r * columns + c]
            if peel:
                sums[peel, 0] += abs(image[source + r * width + c] - background)
                sums[peel, 1] += 1
    best = count
    for peel in range(count - 1, 0, -1):
        if sums[peel, 0] / sums[peel, 1] > EQUAL * sums[best, 0] / sums[best, 1]:
            best = peel
    return best


@kernel
def brightest_contours(
    image: NDArray[Any],
    mask: NDArray[np.bool_],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    background: NDArray[np.float64],
) -> Any:
    """Peel every mask pixel by pixel and find the peel with the largest mean of |image - background|.

    Peels are the pixels of equal chessboard distance from the outside.

    Returns
    -------
    ndarray (n, 2) of float64
        Columns STEPS (peels from the innermost one to the brightest, the inner one of
        equals) and CONTOURS (number of peels plus 1); NaN for an empty mask.
    """
    out = np.full((len(heights), 2), np.nan)
    largest, highest = 1, 1
    for i in range(len(heights)):
        largest = max(largest, (heights[i] + 2) * (widths[i] + 2))
        highest = max(highest, heights[i])
    depth = np.zeros(largest, np.int32)
    sums = np.zeros(((highest + 1) // 2 + 1, 2))
    for i in range(len(heights)):
        width = np.int64(widths[i])
        top, bottom, left, right = mask_box(mask, starts[i], heights[i], width)
        if bottom < 0:
            continue
        rows, columns = bottom - top + 3, right - left + 3
        source = starts[i] + (top - 1) * width + left - 1
        _load_box(mask, source, width, depth, rows, columns)
        count = _depths(depth, rows, columns)
        shape = (np.int64(rows), np.int64(columns), np.int64(count))
        best = _brightest(image, source, width, depth, shape, background[i], sums)
        out[i, STEPS], out[i, CONTOURS] = count - best, count + 1
    return out
