"""Compiled loops over small neighbourhoods; beyond the image its nearest pixel is repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["blurred", "local_variance"]


@kernel
def _loaded(image: NDArray[Any], begin: int, end: int, background: float, plane: NDArray[np.float64]) -> None:
    """Copy one plane less its background; what is not finite becomes 0."""
    for at in range(begin, end):
        value = float(image[at]) - background
        plane[at - begin] = value if np.isfinite(value) else 0.0


@kernel
def _convolved(
    plane: NDArray[np.float64],
    height: int,
    width: int,
    weights: NDArray[np.float64],
    out: NDArray[np.float64],
    row_sums: NDArray[np.float64],
) -> None:
    """Weighted sums of one plane along its columns, then along its rows."""
    reach = len(weights) // 2
    for row in range(height):
        sums = row_sums[reach : reach + width]
        sums[:] = 0.0
        for k in range(len(weights)):
            near = min(max(row + k - reach, 0), height - 1) * width
            line, weight = plane[near : near + width], weights[k]
            for column in range(width):
                sums[column] += weight * line[column]
        row_sums[:reach] = row_sums[reach]
        row_sums[reach + width : 2 * reach + width] = row_sums[reach + width - 1]
        target = out[row * width : (row + 1) * width]
        target[:] = 0.0
        for k in range(len(weights)):
            line, weight = row_sums[k : k + width], weights[k]
            for column in range(width):
                target[column] += weight * line[column]


@kernel
def blurred(
    image: NDArray[Any],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    background: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> Any:
    """Smooth each plane, its background subtracted, with the same weights along both axes.

    Parameters
    ----------
    image : ndarray (P,) of int32 or float64
        What is not finite counts as background.
    starts : ndarray (n + 1,) of int64
    heights, widths : ndarray (n,) of int32
    background : ndarray (n,) of float64
    weights : ndarray (2 r + 1,) of float64

    Returns
    -------
    ndarray (P,) of float64
    """
    out = np.empty(len(image), np.float64)
    size, widest = 1, 1
    for i in range(len(heights)):
        size = max(size, starts[i + 1] - starts[i])
        widest = max(widest, widths[i])
    plane, row_sums = np.empty(size, np.float64), np.empty(widest + len(weights), np.float64)
    for i in range(len(heights)):
        _loaded(image, starts[i], starts[i + 1], background[i], plane)
        _convolved(plane, heights[i], widths[i], weights, out[starts[i] : starts[i + 1]], row_sums)
    return out


@kernel
def local_variance(
    image: NDArray[Any],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    background: NDArray[np.float64],
) -> Any:
    """Population variance of the 3 x 3 pixels around each pixel.

    Parameters
    ----------
    image : ndarray (P,) of int32 or float64
        What is not finite counts as background.
    starts : ndarray (n + 1,) of int64
    heights, widths : ndarray (n,) of int32
    background : ndarray (n,) of float64
        Subtracted first; the variance does not depend on it, its rounding does.

    Returns
    -------
    ndarray (P,) of float64
    """
    out = np.empty(len(image), np.float64)
    size, widest = 1, 1
    for i in range(len(heights)):
        size = max(size, starts[i + 1] - starts[i])
        widest = max(widest, widths[i])
    plane, squares, means = np.empty(size), np.empty(size), np.empty(size)
    row_sums, third = np.empty(widest + 3), np.full(3, 1.0 / 3.0)
    for i in range(len(heights)):
        _loaded(image, starts[i], starts[i + 1], background[i], plane)
        _convolved(plane, heights[i], widths[i], third, means, row_sums)
        for at in range(starts[i + 1] - starts[i]):
            squares[at] = plane[at] * plane[at]
        target = out[starts[i] : starts[i + 1]]
        _convolved(squares, heights[i], widths[i], third, target, row_sums)
        for at in range(len(target)):
            target[at] = max(target[at] - means[at] * means[at], 0.0)
    return out
