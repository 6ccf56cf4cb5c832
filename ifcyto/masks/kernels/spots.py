"""Compiled loop that splits one image into its bright spots; see :mod:`ifcyto.masks.spots`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel
from ifcyto.features.kernels.labels import root

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["spot_labels"]


@kernel
def spot_labels(image: NDArray[np.float64], mask: NDArray[np.bool_], saddle_ratio: float) -> Any:
    """Grow spots from the brightest pixel down, joining two where they meet too high.

    Pixels are visited from bright to dark (ties in raster order). A pixel with
    no labelled 4-neighbour starts a spot. Where spots meet at a pixel of value
    ``s``, the lower-peaked one (peak ``p``) joins the higher unless
    ``s <= saddle_ratio * p``.

    Parameters
    ----------
    image : ndarray (H, W) of float64
        Background subtracted.
    mask : ndarray (H, W) of bool
        Pixels to label.
    saddle_ratio : float

    Returns
    -------
    ndarray (H, W) of int32
        0 outside the mask, else 1 + the raster index of the spot's peak.
    """
    height, width = image.shape
    flat = image.ravel()
    inside = mask.ravel()
    order = np.argsort(-flat, kind="mergesort")
    parent = np.full(height * width, -1, np.int32)
    near = np.empty(4, np.int32)
    for at in order:
        if not inside[at]:
            continue
        row, column = at // width, at % width
        count = 0
        best = -1
        for step in range(4):
            r = row + (step == 1) - (step == 0)
            c = column + (step == 3) - (step == 2)
            if r < 0 or c < 0 or r >= height or c >= width or parent[r * width + c] < 0:
                continue
            top = root(parent, r * width + c)
            near[count] = top
            count += 1
            if best < 0 or flat[top] > flat[best] or (flat[top] == flat[best] and top < best):
                best = top
        parent[at] = at if best < 0 else best
        for i in range(count):
            other = near[i]
            if other != best and parent[other] == other and flat[at] > saddle_ratio * flat[other]:
                parent[other] = best
    labels = np.zeros(height * width, np.int32)
    for at in range(height * width):
        if parent[at] >= 0:
            labels[at] = 1 + root(parent, at)
    return labels.reshape(height, width)
