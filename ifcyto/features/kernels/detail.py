"""Compiled loops for bright detail: the white top-hat with a flat disc.

A plane is laid row after row with `radius` outer pixels before, between and
after the rows. A window along a row then never meets the next row, and every
loop runs over one long contiguous range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["top_hat"]


@kernel
def _run(values: NDArray[Any], size: int, half: int, wider: NDArray[Any]) -> None:
    """Minima of 2 half + 1 values from those of 2 half - 1, each kept at its first place.

    They go to another array: in place the compiler could not compare many at once.
    """
    near, far = values[: size - 2], values[2:size]
    if half == 1:
        between = values[1 : size - 1]
        for at in range(size - 2):
            low = near[at] if near[at] < between[at] else between[at]
            wider[at] = low if low < far[at] else far[at]
    else:
        for at in range(size - 2):
            wider[at] = near[at] if near[at] < far[at] else far[at]
    wider[size - 2 : size] = values[size - 2 : size]


@kernel
def _lower(target: NDArray[Any], above: NDArray[Any], below: NDArray[Any]) -> None:
    """Keep in `target` the smallest of three."""
    for at in range(len(target)):
        low = above[at] if above[at] < below[at] else below[at]
        target[at] = low if low < target[at] else target[at]


@kernel
def _erode(
    values: NDArray[Any],
    height: int,
    stride: int,
    halves: NDArray[np.int64],
    spare: NDArray[Any],
    lowest: NDArray[Any],
) -> None:
    """Minimum over a disc for the rows of one plane; `values` and `spare` are used up.

    Row y of the plane begins at (y + radius) stride + radius in `values` and at
    y stride in `lowest`. ``halves[k]`` is the half width of the disc k rows off
    its middle; it falls with k, so the widest rows of the disc are needed last.
    """
    radius = len(halves) - 1
    size, inner = (height + 2 * radius) * stride + radius, height * stride
    target = lowest[:inner]
    target[:] = values[radius * stride + radius : radius * stride + radius + inner]
    half = 0
    for k in range(radius, -1, -1):
        while half < halves[k]:
            half += 1
            _run(values, size, half, spare)
            values, spare = spare, values
        above = (radius - k) * stride + radius - half
        below = (radius + k) * stride + radius - half
        _lower(target, values[above : above + inner], values[below : below + inner])


@kernel
def top_hat(
    image: NDArray[Any],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    halves: NDArray[np.int64],
    outside: NDArray[Any],
    flip: NDArray[Any],
    out: NDArray[Any],
) -> None:
    """White top-hat of every plane: the image less its opening with a disc.

    Parameters
    ----------
    image : ndarray (P,) of int16, int32 or float64
        A pixel that is not a number counts as outside.
    starts, heights, widths : ndarray
        Geometry of the planes.
    halves : ndarray (radius + 1,) of int64
        Half width of the disc at each row from its middle to its end; the last is 0.
    outside : ndarray (1,) of the image's dtype
        A value that no pixel exceeds.
    flip : ndarray (1,) of the image's dtype
        Values are turned upside down by ``-value - flip``: 1 for whole numbers, whose
        lowest one has no positive twin, else 0.
    out : ndarray (P,) of int32 or float64
        Result.
    """
    radius, largest = len(halves) - 1, 0
    for i in range(len(heights)):
        largest = max(largest, (heights[i] + 2 * radius) * (widths[i] + radius))
    values, lowest = np.empty(largest + radius, image.dtype), np.empty(largest, image.dtype)
    spare = np.empty(largest + radius, image.dtype)
    for i in range(len(heights)):
        height, width, begin = heights[i], widths[i], starts[i]
        stride = width + radius
        size = (height + 2 * radius) * stride + radius
        values[:size] = outside[0]
        for row in range(height):
            source = image[begin + row * width : begin + (row + 1) * width]
            place = (row + radius) * stride + radius
            target = values[place : place + width]
            for column in range(width):
                target[column] = source[column] if source[column] == source[column] else outside[0]
        _erode(values, height, stride, halves, spare, lowest)
        # A maximum is the minimum of the values turned upside down, turned back.
        values[:size] = outside[0]
        for row in range(height):
            place = (row + radius) * stride + radius
            target = values[place : place + width]
            lows = lowest[row * stride : row * stride + width]
            for column in range(width):
                target[column] = -lows[column] - flip[0]
        _erode(values, height, stride, halves, spare, lowest)
        for row in range(height):
            source = image[begin + row * width : begin + (row + 1) * width]
            result = out[begin + row * width : begin + (row + 1) * width]
            lows = lowest[row * stride : row * stride + width]
            for column in range(width):
                result[column] = source[column] + lows[column] + flip[0]
