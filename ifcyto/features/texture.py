"""Texture from slopes, bright detail and the strongest pixel (``ideas_features`` 5.4).

J is the image less its background b; m(.) is the mean of the 3 x 3 pixels
around a pixel; g is the length of the slope, from the differences to the next
pixel along the row and along the column. Beyond the border of the image its
outermost pixels are repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.detail import bright_detail
from ifcyto.features.kernels.gradients import (
    RELATIVE_MAX,
    RELATIVE_SQUARE,
    SLOPE_SQUARE,
    ensquared_energy,
    slopes,
)
from ifcyto.features.kernels.pixels import SUM, TOTALS, totals
from ifcyto.features.region import inside
from ifcyto.features.spec import Confidence, FeatureSpec, Scalar, Takes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = [
    "SPECS",
    "contrast",
    "detail_intensity_r3",
    "detail_intensity_r7",
    "detail_sum",
    "energy_in_square",
    "gradient_max",
    "gradient_rms",
    "slope_measures",
]


def slope_measures(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Block: mean square and maximum of g / (g + abs(m(J))), and mean of (g / m(I))^2, ``(n, 3)``."""
    background = np.ascontiguousarray(work.planes.background_mean[:, image])
    out = np.empty((len(work), 3))
    slopes(work.image(image), work.mask(mask), *work.geometry, background, out)
    return out


def detail_sum(work: Workspace, mask: str, image: int, radius: int) -> NDArray[np.float64]:
    """Block: sum over the mask of the bright detail image of this radius, ``(n,)``, counts."""
    out = np.zeros((len(work), TOTALS))
    totals(work.once(bright_detail, image, radius), *work.once(inside, mask), out)
    return out[:, SUM]


def contrast(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Sharpness: 1000 times the mean over the mask of (g / m(I))^2.

    An *approximation*; IDEAS' formula is not published. Local means below
    1 count are taken as 1.

    Notes
    -----
    What the stored values of 420 cells decide: over brightfield cells Contrast
    goes with Gradient RMS^3.3, Std Dev^1.5 and bright detail^0.2 (R2 0.92), and
    between channels with about (detail / raw mean)^2. Of about 100 formulas tried
    on other cells, the mean square of the forward slope over the raw local mean is
    among the nearest (3.2, 1.7 and 0.2; R2 0.91); the squared mean of the slope and
    the eroded mask do as well. The factor 1000 is rounded and rests on carrying these
    relations over to other cells: brightfield asks for 850, dim noisy channels for
    about 2000, bright ones for 200 to 400. Compare values within one channel only.
    """
    values: NDArray[np.float64] = 1000 * work.once(slope_measures, mask, image)[:, SLOPE_SQUARE]
    return values


def gradient_rms(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Sharpness: 100 times the root mean square over the mask of g / (g + abs(m(J))).

    An *approximation* (``ideas_features`` 5.4, INFERRED): on brightfield cells
    it lies 1.5 units (median; 8.5 below to 3.5 above in nine cells of ten) below
    the line 65.7 - 52.5 H Correlation Mean (g = 3) that real output follows.
    """
    return 100 * np.sqrt(work.once(slope_measures, mask, image)[:, RELATIVE_SQUARE])


def gradient_max(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Steepest place: 100 times the maximum over the mask of g / (g + abs(m(J))).

    An *approximation* (``ideas_features`` 5.4, INFERRED): 99.0 to 100 on
    brightfield cells (5th to 95th percentile), where real output has 99.2 to 99.996.
    """
    values: NDArray[np.float64] = 100 * work.once(slope_measures, mask, image)[:, RELATIVE_MAX]
    return values


def detail_intensity_r3(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Sum over the mask of the bright detail image of radius 3, counts.

    An *approximation*: see :func:`ifcyto.features.detail.bright_detail`.
    """
    return work.once(detail_sum, mask, image, 3)


def detail_intensity_r7(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Sum over the mask of the opening of radius 3 less that of radius 7, counts.

    An *approximation* (``ideas_features`` 5.4, INFERRED): in real output R7 is
    below R3 in 98.8 % of brightfield cells (median ratio 0.52, 0.21 to 1.30), which
    rules the plain radius 7 out. The band gives 0.28 (0.11 to 0.85) on smaller
    brightfield cells, where the plain one gives 1.28.
    """
    return work.once(detail_sum, mask, image, 7) - work.once(detail_sum, mask, image, 3)


def energy_in_square(work: Workspace, image: int, diameter: int) -> NDArray[np.float64]:
    """Share of the energy that lies close to the strongest pixel.

    The sum of J^2 in the square that reaches `diameter` pixels from the pixel of
    largest abs(J) to each side, over that in the square that reaches
    2 `diameter` + 1 pixels; both as far as they lie in the image. In an image of
    whole numbers b is rounded to one.

    An *approximation* (``ideas_features`` 5.4, INFERRED). Stored values for
    diameter 3: 392 of 420 are ratios of whole numbers below 4 million (to 3e-16),
    too large for sums of pixels near a point and right for sums of squares.
    Of 165 combinations of squares, contents and centres tried on other brightfield
    cells this one agrees best in median (0.41; stored 0.37), in range (0.19 to 0.57;
    0.17 to 0.62) and in the size of both sums against (Max - Min)^2. How the larger
    square grows with the diameter is a guess.
    """
    pixels = work.image(image)
    background = np.ascontiguousarray(work.planes.background_mean[:, image])
    if pixels.dtype.kind == "i":
        background = np.rint(background)
    out = np.empty(len(work))
    ensquared_energy(pixels, *work.geometry, background, (int(diameter), 2 * int(diameter) + 1), out)
    return out


SPECS = (
    FeatureSpec(
        name="Contrast",
        group="Texture",
        takes=Takes.MASK_IMAGE,
        unit="",
        function=contrast,
        formula="1000 mean (g / m(I))^2",
        source="ideas_features 5.4",
        confidence=Confidence.INFERRED,
    ),
    FeatureSpec(
        name="Gradient RMS",
        group="Texture",
        takes=Takes.MASK_IMAGE,
        unit="%",
        function=gradient_rms,
        formula="100 RMS g / (g + abs(m(J)))",
        source="ideas_features 5.4",
        confidence=Confidence.INFERRED,
    ),
    FeatureSpec(
        name="Gradient Max",
        group="Texture",
        takes=Takes.MASK_IMAGE,
        unit="%",
        function=gradient_max,
        formula="100 max g / (g + abs(m(J)))",
        source="ideas_features 5.4",
        confidence=Confidence.INFERRED,
    ),
    FeatureSpec(
        name="Bright Detail Intensity R3",
        group="Texture",
        takes=Takes.MASK_IMAGE,
        unit="counts",
        function=detail_intensity_r3,
        formula="sum I - opening3(I)",
        source="ideas_features 5.4",
        confidence=Confidence.VERIFIED_STAT,
        empty=0.0,
    ),
    FeatureSpec(
        name="Bright Detail Intensity R7",
        group="Texture",
        takes=Takes.MASK_IMAGE,
        unit="counts",
        function=detail_intensity_r7,
        formula="sum opening3(I) - opening7(I)",
        source="ideas_features 5.4",
        confidence=Confidence.INFERRED,
        empty=0.0,
    ),
    FeatureSpec(
        name="Ensquared Energy",
        group="Texture",
        takes=Takes.IMAGE_SCALAR,
        unit="",
        function=energy_in_square,
        formula="sum J^2 within d of the strongest pixel / sum J^2 within 2 d + 1",
        source="ideas_features 5.4",
        confidence=Confidence.INFERRED,
        scalar=Scalar("Diameter", 3, 1, 20),
    ),
)
