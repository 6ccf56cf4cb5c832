"""Perimeter, box, length and thickness of a mask (``ideas_features`` 5.1, 5.3).

The skeleton that length, thickness and valley share is our own: IDEAS does not
publish its rule. See :func:`skeleton`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.kernels.outline import LONG, SHORT, SIDES, SPREAD, outlines
from ifcyto.features.kernels.paths import longest_paths
from ifcyto.features.kernels.skeleton import SQUARE_MAX, SQUARE_MIN, skeleton_widths, skeletons
from ifcyto.features.spec import Confidence, FeatureSpec, Takes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = [
    "BENT_ABOVE",
    "SPECS",
    "TURN_BELOW",
    "elongatedness",
    "height",
    "length",
    "perimeter",
    "shape_ratio",
    "skeleton",
    "thickness_max",
    "thickness_min",
    "width",
]

TURN_BELOW = 0.78
"""Aspect ratio below which the bounding box turns with the object (INFERRED).

In real output of IDEAS the oblique cells of aspect ratio 0.776 and less have a
turned box, those of 0.790 and more mostly an upright one.
"""
BENT_ABOVE = 1.15
"""Spread (4 pi sqrt(det covariance) / N, 1 for an ellipse) above which the length follows the skeleton."""


def outline(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Block: sides, box and spread ``(n, 4)`` of a mask, pixels."""
    values: NDArray[np.float64] = outlines(work.mask(mask), *work.geometry, TURN_BELOW)
    return values


def skeleton(work: Workspace, mask: str) -> NDArray[np.int32]:
    """Block: skeleton of a mask, an *approximation* of IDEAS' unpublished one.

    The mask is thinned from its edge inwards, in the order of the Euclidean distance
    from the outside, keeping parts and holes; the pixels where the city-block distance
    has its maximum over 5 x 5 pixels, and the pixels farthest from the outside, stay.

    Returns
    -------
    ndarray (P,) of int32
        On the skeleton the squared distance (pixels) to the nearest pixel centre outside
        the mask; elsewhere 0. Outside the image counts as outside the mask.
    """
    wanted = np.ones(len(work), np.bool_)
    values: NDArray[np.int32] = skeletons(work.mask(mask), *work.geometry, wanted)
    return values


def radii(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Block: largest and smallest whole distance ``(n, 2)`` of the skeleton from the outside, pixels."""
    values: NDArray[np.float64] = np.floor(
        np.sqrt(skeleton_widths(work.once(skeleton, mask), work.planes.starts))
    )
    return values


def bent_length(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Block: length ``(n,)`` along the skeleton, pixels; 0 for shapes that are not bent."""
    bent = work.once(outline, mask)[:, SPREAD] > BENT_ABOVE
    if not bent.any():
        return np.zeros(len(work))
    lines = skeletons(work.mask(mask), *work.geometry, bent)
    values: NDArray[np.float64] = np.floor(longest_paths(lines, *work.geometry))
    return values


def in_um(work: Workspace, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lengths in micrometres."""
    return pixels * np.float64(work.planes.pixel_size_um)


def perimeter(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Perimeter in micrometres: pixel sides, inside the image, between a mask pixel and another pixel."""
    return in_um(work, work.once(outline, mask)[:, SIDES])


def height(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Long side of the bounding box in micrometres, between outermost pixel centres.

    Unit, whole pixels and order are VERIFIED. When the box turns is INFERRED (an
    *approximation*): it is upright if the aspect ratio is `TURN_BELOW` or more, else
    it lies along the major axis and its sides are rounded to whole pixels.
    """
    return in_um(work, work.once(outline, mask)[:, LONG])


def width(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Short side of the bounding box in micrometres: an *approximation*, see :func:`height`."""
    return in_um(work, work.once(outline, mask)[:, SHORT])


def length(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Length in micrometres: Height, or the way along a bent shape if that is longer.

    *Approximation.* VERIFIED is that the length is a whole number of pixels, never below
    Height and equal to it for compact shapes (whole cells: 420 of 420). In real output it
    differs in 4 of 5 masks that fill less than 0.65 of their box when they are ragged,
    hardly ever when they are two round parts. Here shapes of spread above `BENT_ABOVE`
    get the longest way along their skeleton, to the edge at both ends; the way goes
    from pixel to pixel, which makes a smooth arc about 5 % longer.
    """
    box = work.once(outline, mask)[:, LONG]
    return in_um(work, np.maximum(box, work.once(bent_length, mask)))


def thickness_max(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Largest thickness in micrometres: twice the largest whole distance from the outside.

    *Approximation.* That the value is an even number of pixels is VERIFIED. With Width
    w pixels, real convex cells have w (88 %) or w - 2 (8 %) for even w, w + 1 (68 %) or
    w - 1 (27 %) for odd w; this rule gives 89, 5, 67 and 33 % on the 58 convex masks of the
    other real file that are at least 25 pixels wide, but 64, 28, 59 and 32 % on the 141
    of at least 20. City-block and chessboard distances are ruled out; the rounding is not
    settled: on rough ellipses of the stored cells' size rounding up fits better than down.
    """
    return in_um(work, 2 * work.once(radii, mask)[:, SQUARE_MAX])


def thickness_min(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Smallest thickness in micrometres: twice the smallest whole distance along the skeleton.

    *Approximation.* Real convex cells lie 0, 2, 4, 6 pixels below Thickness Max in 10, 60,
    22, 3 %, others in 5, 24, 18, 16 %. On ellipses with the axes of those cells and slightly
    rough edges this rule gives 14, 53, 29, 5 %; with rough, not convex ones 1, 23, 31, 25 %.
    It was picked for that from about twenty (other thinnings, ridges of other distances),
    so the agreement is no independent check.
    """
    return in_um(work, 2 * work.once(radii, mask)[:, SQUARE_MIN])


def elongatedness(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Height / Width: an exact relation (VERIFIED) of two values that are *approximations*."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values: NDArray[np.float64] = height(work, mask) / width(work, mask)
    return values


def shape_ratio(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Thickness Min / Length: an exact relation (VERIFIED) of two values that are *approximations*."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values: NDArray[np.float64] = thickness_min(work, mask) / length(work, mask)
    return values


SPECS = (
    FeatureSpec(
        name="Perimeter",
        group="Size",
        takes=Takes.MASK,
        unit="um",
        function=perimeter,
        formula="p x number of pixel sides between mask and rest inside the image",
        source="ideas_features 5.1",
        confidence=Confidence.VERIFIED,
    ),
    FeatureSpec(
        name="Height",
        group="Size",
        takes=Takes.MASK,
        unit="um",
        function=height,
        formula="p x long side of the bounding box between pixel centres; turned if aspect ratio < 0.78",
        source="ideas_features 5.1",
        confidence=Confidence.INFERRED,
    ),
    FeatureSpec(
        name="Width",
        group="Size",
        takes=Takes.MASK,
        unit="um",
        function=width,
        formula="p x short side of the bounding box between pixel centres; turned if aspect ratio < 0.78",
        source="ideas_features 5.1",
        confidence=Confidence.INFERRED,
    ),
    FeatureSpec(
        name="Length",
        group="Size",
        takes=Takes.MASK,
        unit="um",
        function=length,
        formula="max(Height, p x longest way along the skeleton of a bent shape)",
        source="ideas_features 5.1",
        confidence=Confidence.INFERRED,
    ),
    FeatureSpec(
        name="Thickness Max",
        group="Size",
        takes=Takes.MASK,
        unit="um",
        function=thickness_max,
        formula="2 p floor(max distance from the outside)",
        source="ideas_features 5.1",
        confidence=Confidence.VERIFIED_STAT,
    ),
    FeatureSpec(
        name="Thickness Min",
        group="Size",
        takes=Takes.MASK,
        unit="um",
        function=thickness_min,
        formula="2 p floor(min over the skeleton of the distance from the outside)",
        source="ideas_features 5.1",
        confidence=Confidence.INFERRED,
    ),
    FeatureSpec(
        name="Elongatedness",
        group="Shape",
        takes=Takes.MASK,
        unit="",
        function=elongatedness,
        formula="Height / Width",
        source="ideas_features 5.3",
        confidence=Confidence.INFERRED,
    ),
    FeatureSpec(
        name="Shape Ratio",
        group="Shape",
        takes=Takes.MASK,
        unit="",
        function=shape_ratio,
        formula="Thickness Min / Length",
        source="ideas_features 5.3",
        confidence=Confidence.INFERRED,
    ),
)
