"""Where the intensity lies along contours and along the skeleton (``ideas_features`` 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.kernels.paths import CONTOURS, STEPS, X, Y, brightest_contours, darkest_pixels
from ifcyto.features.outline import skeleton
from ifcyto.features.spec import Confidence, FeatureSpec, Takes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = ["SPECS", "max_contour_position", "valley_x", "valley_y"]


def brightest_contour(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Block: steps from the innermost contour to the brightest, and number of contours ``(n, 2)``."""
    background = np.ascontiguousarray(work.planes.background_mean[:, channel])
    values: NDArray[np.float64] = brightest_contours(
        work.image(channel), work.mask(mask), *work.geometry, background
    )
    return values


def valley(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Block: column and row ``(n, 2)`` of the darkest pixel on the skeleton."""
    lines = work.once(skeleton, mask)
    values: NDArray[np.float64] = darkest_pixels(
        work.image(channel), lines, work.planes.starts, work.planes.widths
    )
    return values


def max_contour_position(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Place of the brightest contour, 0 at the centre towards 1 at the edge.

    *Approximation.* The mask is peeled pixel by pixel (chessboard distance, m peels); the
    value is k / (m + 1), where the brightest peel lies k steps from the innermost one.
    That values are k / n is VERIFIED. In real output n follows the largest upright
    square that the cell holds (correlation 0.97, scatter 0.39, little more than rounding
    gives; Thickness: 0.91, 0.62), which is the number of peels, and is 1.1 more
    than m on average: hence m + 1. Which intensity decides is INFERRED: the mean of
    |I - background|, as for the centroid. Of eight choices it gives the brightfield histogram
    nearest to the stored one, but by little, on other cells, and not near.
    """
    found = work.once(brightest_contour, mask, channel)
    values: NDArray[np.float64] = found[:, STEPS] / found[:, CONTOURS]
    return values


def valley_x(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Column of the valley in pixels, from 0: the darkest pixel on the skeleton of the mask.

    *Approximation.* VERIFIED are whole pixels from 0. In real output the valley lies on the
    major axis near the centre of round cells, farther out the more elongated the cell is, and
    away from the axis in irregular cells only: it lies on a skeleton. Of equal pixels
    the first in raster order is taken.
    """
    return work.once(valley, mask, channel)[:, X]


def valley_y(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Row of the valley in pixels, from 0: an *approximation*, see :func:`valley_x`."""
    return work.once(valley, mask, channel)[:, Y]


SPECS = (
    FeatureSpec(
        name="Max Contour Position",
        group="Location",
        takes=Takes.MASK_IMAGE,
        unit="",
        function=max_contour_position,
        formula="k / (m + 1): brightest of m peels, k steps from the innermost",
        source="ideas_features 5.2",
        confidence=Confidence.INFERRED,
    ),
    FeatureSpec(
        name="Valley X",
        group="Location",
        takes=Takes.MASK_IMAGE,
        unit="px",
        function=valley_x,
        formula="column of the darkest pixel on the skeleton",
        source="ideas_features 5.2",
        confidence=Confidence.INFERRED,
    ),
    FeatureSpec(
        name="Valley Y",
        group="Location",
        takes=Takes.MASK_IMAGE,
        unit="px",
        function=valley_y,
        formula="row of the darkest pixel on the skeleton",
        source="ideas_features 5.2",
        confidence=Confidence.INFERRED,
    ),
)
