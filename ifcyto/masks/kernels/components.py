"""Compiled loops over labelled components: their areas, and the pixels of chosen ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["component_areas", "component_boxes", "component_pixels"]


@kernel
def component_areas(
    labels: NDArray[np.int32], starts: NDArray[np.int64], firsts: NDArray[np.int64], total: int
) -> Any:
    """Pixels ``(total,)`` of every component; `firsts` ``(n,)`` is the place of each object's label 1."""
    areas = np.zeros(total, np.int64)
    for i in range(len(firsts)):
        for at in range(starts[i], starts[i + 1]):
            if labels[at] > 0:
                areas[firsts[i] + labels[at] - 1] += 1
    return areas


@kernel
def component_boxes(
    labels: NDArray[np.int32],
    starts: NDArray[np.int64],
    widths: NDArray[np.int32],
    firsts: NDArray[np.int64],
    total: int,
) -> Any:
    """Top, bottom, left and right ``(total, 4)`` of every component, bottom and right excluded."""
    boxes = np.empty((total, 4), np.int64)
    boxes[:, ::2] = np.iinfo(np.int64).max
    boxes[:, 1::2] = 0
    for i in range(len(firsts)):
        width = np.int64(widths[i])
        for at in range(starts[i], starts[i + 1]):
            if labels[at] > 0:
                row, column = (at - starts[i]) // width, (at - starts[i]) % width
                box = boxes[firsts[i] + labels[at] - 1]
                box[0], box[1] = min(box[0], row), max(box[1], row + 1)
                box[2], box[3] = min(box[2], column), max(box[3], column + 1)
    return boxes


@kernel
def component_pixels(
    labels: NDArray[np.int32],
    starts: NDArray[np.int64],
    firsts: NDArray[np.int64],
    chosen: NDArray[np.bool_],
) -> Any:
    """Mask ``(P,)`` of the components at which `chosen` is True."""
    out = np.zeros(len(labels), np.bool_)
    for i in range(len(firsts)):
        for at in range(starts[i], starts[i + 1]):
            if labels[at] > 0:
                out[at] = chosen[firsts[i] + labels[at] - 1]
    return out
