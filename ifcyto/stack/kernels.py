"""Compiled loops over the cells of a batch: mask centroids, frames, borders.

All take the flat form of :class:`ifcyto.cells.CellBatch`: cell `i` is
``pixels[offsets[i]:offsets[i + 1]]``, axes (channel, row, column).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel
from ifcyto.cells import MASK_OBJECT

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["border_medians", "cut_frames", "mask_centroids"]


@kernel
def mask_centroids(
    masks: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    n_channels: int,
    out: NDArray[np.float64],
) -> None:
    """Mean row and column of the pixels with value 1 in any channel, into ``out (n, 2)``."""
    for i in range(len(heights)):
        height, width = np.int64(heights[i]), np.int64(widths[i])
        area = height * width
        hit = np.zeros(area, np.uint8)
        for channel in range(n_channels):  # whole planes at once: long loops are vectorised
            begin = offsets[i] + channel * area
            plane = masks[begin : begin + area]
            for at in range(area):
                hit[at] |= np.uint8(plane[at] == MASK_OBJECT)
        in_column = np.zeros(width, np.int32)
        count, row_sum, column_sum = np.int64(0), np.int64(0), np.int64(0)
        for row in range(height):
            line = hit[row * width : (row + 1) * width]
            in_row = np.int64(0)
            for column in range(width):
                in_row += np.int64(line[column])
                in_column[column] += np.int32(line[column])
            count += in_row
            row_sum += in_row * row
        for column in range(width):
            column_sum += in_column[column] * column
        if count:
            out[i, 0] = row_sum / count
            out[i, 1] = column_sum / count
        else:
            out[i, 0] = (height - 1) / 2
            out[i, 1] = (width - 1) / 2


@kernel
def cut_frames(
    flat: NDArray[Any],
    offsets: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    corners: NDArray[np.int64],
    picked: NDArray[np.int64],
    out: NDArray[Any],
) -> None:
    """Copy each cell's `picked` channels into ``out (n, C, H, W)``, already filled.

    ``corners (n, 2)`` is the row and column of the cell's image that lands at
    the frame's first pixel; it may lie outside the image.
    """
    frame_height, frame_width = out.shape[2], out.shape[3]
    for i in range(len(heights)):
        height, width = heights[i], widths[i]
        first_row, first_column = corners[i, 0], corners[i, 1]
        top, bottom = max(0, -first_row), min(frame_height, height - first_row)
        left, right = max(0, -first_column), min(frame_width, width - first_column)
        for k in range(len(picked)):
            plane = offsets[i] + picked[k] * height * width
            for row in range(top, bottom):
                begin = plane + (row + first_row) * width + first_column
                for column in range(left, right):
                    out[i, k, row, column] = flat[begin + column]


@kernel
def border_medians(
    pixels: NDArray[Any],
    offsets: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    n_channels: int,
    out: NDArray[np.float64],
) -> None:
    """Median of the outermost rows and columns of each image, into ``out (n, C)``."""
    for i in range(len(heights)):
        height, width = heights[i], widths[i]
        for channel in range(n_channels):
            begin = offsets[i] + channel * height * width
            image = pixels[begin : begin + height * width].reshape((height, width))
            ring = np.empty(height * width, np.float64)
            n = 0
            for row in range(height):
                step = 1 if row == 0 or row == height - 1 or width == 1 else width - 1
                for column in range(0, width, step):
                    ring[n] = image[row, column]
                    n += 1
            out[i, channel] = np.median(ring[:n])
