"""Compiled loops over labelled components: their areas, and the pixels of chosen ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["component_areas", "component_pixels"]


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
