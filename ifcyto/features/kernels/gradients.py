"""Compiled loops over slopes of pixel values and over the energy around the strongest pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RELATIVE_MAX", "RELATIVE_SQUARE", "SLOPE_SQUARE", "ensquared_energy", "slopes"]

RELATIVE_SQUARE, RELATIVE_MAX, SLOPE_SQUARE = range(3)
"""Columns of the result of `slopes`."""


@kernel
def _load(image: NDArray[Any], begin: int, height: int, width: int, plane: NDArray[np.float64]) -> None:
    """Copy one plane with its outermost pixels repeated once on every side."""
    stride = width + 2
    for row in range(height + 2):
        source = begin + min(max(row - 1, 0), height - 1) * width
        target = plane[row * stride : (row + 1) * stride]
        target[1 : width + 1] = image[source : source + width]
        target[0], target[width + 1] = target[1], target[width]


@kernel
def _row_slopes(
    above: NDArray[np.float64],
    here: NDArray[np.float64],
    below: NDArray[np.float64],
    background: float,
    sums: NDArray[np.float64],
    relative: NDArray[np.float64],
    slope: NDArray[np.float64],
) -> None:
    """Both measures for the pixels of one row; the rows have one more pixel at each end."""
    for column in range(len(here)):
        sums[column] = above[column] + here[column] + below[column]
    left, middle, right = sums[:-2], sums[1:-1], sums[2:]
    own, after, under = here[1:-1], here[2:], below[1:-1]
    for column in range(len(own)):
        across, down = after[column] - own[column], under[column] - own[column]
        squared = across * across + down * down
        level = (left[column] + middle[column] + right[column]) * (1 / 9)
        steep = np.sqrt(squared)
        whole = steep + abs(level - background)
        relative[column] = np.true_divide(steep, whole if whole > 0 else 1.0)
        floor = level if level > 1 else 1.0
        slope[column] = np.true_divide(squared, floor * floor)


@kernel
def slopes(
    image: NDArray[Any],
    mask: NDArray[np.bool_],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    background: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Measures of the slope g of every object; g is the length of the two forward differences.

    Parameters
    ----------
    image : ndarray (P,) of int32 or float64
        Beyond its border the outermost pixels are repeated.
    mask : ndarray (P,) of bool
    starts, heights, widths : ndarray
        Geometry of the planes.
    background : ndarray (n,) of float64
        Subtracted for the relative slope, counts.
    out : ndarray (n, 3) of float64
        Result. RELATIVE_SQUARE and RELATIVE_MAX: mean square and maximum over
        the mask of g / (g + abs(m - background)), m the mean of 3 x 3 pixels.
        SLOPE_SQUARE: mean of (g / max(m, 1))^2. NaN for an empty mask.
    """
    widest, largest = 0, 0
    for i in range(len(heights)):
        widest = max(widest, widths[i] + 2)
        largest = max(largest, (heights[i] + 2) * (widths[i] + 2))
    plane, buffers = np.empty(largest), np.empty((3, widest))
    for i in range(len(heights)):
        height, width, begin = heights[i], widths[i], starts[i]
        stride = width + 2
        _load(image, begin, height, width, plane)
        sums, relative, slope = buffers[0, :stride], buffers[1, :width], buffers[2, :width]
        number, square, highest, steep = 0, 0.0, 0.0, 0.0
        for row in range(height):
            inside = mask[begin + row * width : begin + (row + 1) * width]
            if not inside.any():
                continue
            three = plane[row * stride : (row + 3) * stride]
            above, here, below = three[:stride], three[stride : 2 * stride], three[2 * stride :]
            _row_slopes(above, here, below, background[i], sums, relative, slope)
            for column in range(width):
                if inside[column]:
                    number += 1
                    square += relative[column] * relative[column]
                    highest = max(highest, relative[column])
                    steep += slope[column]
        out[i] = np.nan
        if number:
            out[i, RELATIVE_SQUARE], out[i, RELATIVE_MAX] = square / number, highest
            out[i, SLOPE_SQUARE] = steep / number


@kernel
def _energy(image: NDArray[Any], place: tuple[int, int, int], at: int, half: int, background: float) -> float:
    """Sum of squares in the square of side 2 half + 1 around pixel `at`, as far as it is in the image."""
    begin, height, width = place
    row, column = at // width, at % width
    total = 0.0
    for y in range(max(row - half, 0), min(row + half + 1, height)):
        first = begin + y * width
        for x in range(first + max(column - half, 0), first + min(column + half + 1, width)):
            total += (image[x] - background) ** 2
    return total


@kernel
def ensquared_energy(
    image: NDArray[Any],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    background: NDArray[np.float64],
    halves: tuple[int, int],
    out: NDArray[np.float64],
) -> None:
    """Energy in a small square over that in a larger one, both around the strongest pixel.

    Parameters
    ----------
    image : ndarray (P,) of int32 or float64
    starts, heights, widths : ndarray
        Geometry of the planes.
    background : ndarray (n,) of float64
        Subtracted, counts.
    halves : tuple of int
        Pixels from the middle to the edge of the small and of the large square.
    out : ndarray (n,) of float64
        Result; NaN when all pixels of the large square equal the background.
    """
    for i in range(len(heights)):
        begin, strongest, farthest = starts[i], 0, -1.0
        for at in range(starts[i + 1] - begin):
            distance = abs(image[begin + at] - background[i])
            if distance > farthest:
                strongest, farthest = at, distance
        place = begin, np.int64(heights[i]), np.int64(widths[i])
        small = _energy(image, place, strongest, halves[0], background[i])
        large = _energy(image, place, strongest, halves[1], background[i])
        out[i] = small / large if large > 0 else np.nan
