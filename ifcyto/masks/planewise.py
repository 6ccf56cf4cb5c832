"""Single planes, one object after the other: what the rarer mask functions are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import morphology, segmentation

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifcyto.features.workspace import Workspace

__all__ = [
    "BOX",
    "CROSS",
    "Mask",
    "Plane",
    "disc",
    "distance",
    "major_axis",
    "medial_lines",
    "one_by_one",
    "ridge",
    "split",
    "tops",
]

Plane: TypeAlias = NDArray[np.float64]
"""Image ``(H, W)``, finite."""

Mask: TypeAlias = NDArray[np.bool_]
"""Mask ``(H, W)``."""

CROSS = ndimage.generate_binary_structure(2, 1)
BOX = ndimage.generate_binary_structure(2, 2)

MORPHOLOGY: Any = morphology
SEGMENTATION: Any = segmentation
"""Both are loaded at their first use, and have no types."""


def one_by_one(
    work: Workspace,
    start: NDArray[np.bool_],
    flat: NDArray[np.float64],
    function: Callable[[Plane, Mask, int], Mask],
) -> NDArray[np.bool_]:
    """Mask ``(P,)`` of ``function(plane, inside, number)``, each ``(H, W)``, over the objects with a mask."""
    out = np.zeros(len(start), bool)
    starts, heights, widths = (values.tolist() for values in work.geometry)
    for number, (height, width) in enumerate(zip(heights, widths, strict=True)):
        part = slice(starts[number], starts[number + 1])
        inside = start[part].reshape(height, width)
        if inside.any():
            with np.errstate(over="ignore", invalid="ignore"):  # sums of pixels beyond all bounds
                out[part] = function(flat[part].reshape(height, width), inside, number).ravel()
    return out


def tops(plane: Plane, inside: Mask, height: float) -> Mask:
    """Regional maxima ``(H, W)`` of the h-maxima transform inside a mask."""
    floor = float(plane[inside].min())
    level = np.where(inside, plane, floor)
    if height > 0.0:
        marker = np.maximum(level - height, floor)
        level = MORPHOLOGY.reconstruction(marker, level, footprint=CROSS)
    if level.max() <= floor:
        return np.zeros_like(inside)
    highest: Mask = MORPHOLOGY.local_maxima(level, connectivity=1) & inside
    return highest


def split(deep: Plane, markers: NDArray[np.int32], inside: Mask) -> NDArray[np.int32]:
    """Watershed of a landscape from markers: labels ``(H, W)``, 0 on the lines and outside."""
    parts: NDArray[np.int32] = SEGMENTATION.watershed(
        deep, markers, connectivity=1, mask=inside, watershed_line=True
    )
    return parts


def medial_lines(inside: Mask) -> Mask:
    """Thin a mask to lines of one pixel (Zhang and Suen 1984)."""
    lines: Mask = MORPHOLOGY.skeletonize(inside).astype(bool)
    return lines


def major_axis(columns: NDArray[Any], rows: NDArray[Any]) -> tuple[float, float]:
    """Unit vector (column, row) along the major axis of some pixels."""
    spread = np.cov(np.stack([columns, rows]).astype(np.float64), ddof=0)
    angle = 0.5 * np.arctan2(2.0 * spread[0, 1], spread[0, 0] - spread[1, 1])
    return float(np.cos(angle)), float(np.sin(angle))


def distance(inside: Mask, sigma: float) -> Plane:
    """Distance to the outside of the mask or the image, smoothed."""
    distance = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    smooth: Plane = ndimage.gaussian_filter(distance, sigma, mode="nearest") if sigma else distance
    return smooth


def disc(diameter: int) -> Mask:
    """Disc ``(d, d)`` of pixels whose centres are within d / 2 of its centre."""
    steps = np.arange(diameter) - (diameter - 1) / 2.0
    disc: Mask = steps[:, None] ** 2 + steps**2 <= (diameter / 2.0) ** 2
    return disc


def ridge(plane: Plane, inside: Mask) -> Mask:
    """Pixels ``(H, W)`` brighter than both neighbours in some direction, and than the mean of the mask."""
    around = np.pad(plane, 1, mode="edge")
    height, width = plane.shape
    found = np.zeros_like(inside)
    for row, column in ((0, 1), (1, 0), (1, 1), (1, -1)):
        ahead = around[1 + row : 1 + row + height, 1 + column : 1 + column + width]
        behind = around[1 - row : 1 - row + height, 1 - column : 1 - column + width]
        found |= (plane > ahead) & (plane > behind)
    lines: Mask = found & inside & (plane > plane[inside].mean())
    return lines
