"""Shape from moments: ratios of axes, roundness, packing, symmetry, lobes (``ideas_features`` 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.axes import major_axis, major_axis_intensity, minor_axis, minor_axis_intensity
from ifcyto.features.moments import XX, YY, intensity_spread, mask_spread, outline_statistics, symmetries
from ifcyto.features.spec import Confidence, FeatureSpec, Takes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = [
    "SPECS",
    "aspect_ratio",
    "aspect_ratio_intensity",
    "circularity",
    "compactness",
    "lobe_count",
    "symmetry_2",
    "symmetry_3",
    "symmetry_4",
]

LOBE_WEIGHTS = (1.0, 1.2, 1.8)
"""Factors of Symmetry 2, 3, 4 in the lobe rule (VERIFIED on 420 of 420 cells)."""
LOBE_THRESHOLD = 10.0
"""Below it, the strongest symmetry does not count and there is one lobe (VERIFIED)."""


def aspect_ratio(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Minor Axis / Major Axis; NaN for one pixel."""
    return _ratio(minor_axis(work, mask), major_axis(work, mask))


def aspect_ratio_intensity(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Minor Axis Intensity / Major Axis Intensity: the ratio is VERIFIED, the axes an *approximation*."""
    return _ratio(minor_axis_intensity(work, mask, channel), major_axis_intensity(work, mask, channel))


def circularity(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Mean distance from the centroid to the outline, divided by its standard deviation.

    An *approximation*: that it is mean / SD is VERIFIED-STAT; the outline
    (here mask pixels with a 4-neighbour outside) and the divisor of the SD (here
    the number of points) are INFERRED. Stored values are 0.55 to 0.90 of
    those of a drawn ellipse of the same axes, at every aspect ratio, as those of 111
    other cells are; pixels with an 8-neighbour outside and pixel sides do as
    well, and the divisor changes 0.5 %. Higher is rounder; NaN where no distance differs.
    """
    mean, sd = work.once(outline_statistics, mask).T
    return _ratio(mean, sd)


def compactness(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """How far the intensity lies towards the middle: 1 - T_J / (2 T).

    T is the trace of the spread of the mask's pixels, T_J the same with weights |J|.
    0.5 where intensity is even, 1 where it is one point, lower where it lies at the rim.

    An *approximation* (INFERRED; the formula of IDEAS is unknown). Stored values on
    brightfield are 0.43/0.55/0.64 (least, median, largest). Area / (2 pi T_J) is
    rejected: with the stored axes it is near 1.1, and depends on the outline. The form
    here has the scale and does not; on 111 other cells it is 0.57/0.61/0.66.
    """
    spread, weighted = work.once(mask_spread, mask), work.once(intensity_spread, mask, channel, 1)
    share = _ratio(weighted[:, XX] + weighted[:, YY], spread[:, XX] + spread[:, YY])
    return 1 - share / 2


def symmetry_2(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Strength of the two-fold structure of the intensity, 0 to 100.

    100 |sum |J| r exp(2 i t)| / sum |J| r, with r and t the distance and the
    direction from the centroid weighted by |J|.

    An *approximation* (INFERRED). The power of r: stored values for DNA agree within
    6 % with r (those of r^0 are 1.5 times too small, of r^2 1.25 times too large).
    On brightfield the stored medians of Symmetry 2, 3, 4 are 5.6, 4.1, 3.2 in round cells;
    111 other cells give 8.3, 5.1, 4.5 with |J|, 15, 9, 9 with J^2, 3.6, 2.5, 5.7 without.
    """
    return work.once(symmetries, mask, channel)[:, 0]


def symmetry_3(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Strength of the three-fold structure, 0 to 100; *approximation*, see :func:`symmetry_2`."""
    return work.once(symmetries, mask, channel)[:, 1]


def symmetry_4(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Strength of the four-fold structure, 0 to 100; *approximation*, see :func:`symmetry_2`."""
    return work.once(symmetries, mask, channel)[:, 2]


def lobe_count(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Number of lobes, 1 to 4, by :func:`lobes`.

    An *approximation*: the rule is VERIFIED, the symmetries that go into it are not.
    """
    return lobes(work.once(symmetries, mask, channel))


def lobes(strengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lobes ``(n,)`` of Symmetry 2, 3, 4 ``(n, 3)``: the largest of S2, 1.2 S3, 1.8 S4 if >= 10, else 1.

    Examples
    --------
    >>> lobes(np.array([[30.0, 5, 5], [10, 10, 5], [9.9, 8, 5], [np.nan, 1, 1]])).tolist()
    [2.0, 3.0, 1.0, nan]
    """
    scaled = strengths * np.array(LOBE_WEIGHTS)
    count = np.where(scaled.max(axis=1) >= LOBE_THRESHOLD, scaled.argmax(axis=1) + 2.0, 1.0)
    return np.where(np.isnan(scaled).any(axis=1), np.nan, count)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        return above / below


_SYMMETRIES = tuple(
    FeatureSpec(
        name=f"Symmetry {k}",
        group="Shape",
        takes=Takes.MASK_IMAGE,
        unit="",
        function=function,
        formula=f"100 |sum |J| r exp({k} i t)| / sum |J| r about the |J|-weighted centroid",
        source="ideas_features 5.3",
        confidence=Confidence.INFERRED,
    )
    for k, function in ((2, symmetry_2), (3, symmetry_3), (4, symmetry_4))
)

SPECS = (
    FeatureSpec(
        name="Aspect Ratio",
        group="Shape",
        takes=Takes.MASK,
        unit="",
        function=aspect_ratio,
        formula="Minor Axis / Major Axis",
        source="ideas_features 5.3",
        confidence=Confidence.VERIFIED,
    ),
    FeatureSpec(
        name="Aspect Ratio Intensity",
        group="Shape",
        takes=Takes.MASK_IMAGE,
        unit="",
        function=aspect_ratio_intensity,
        formula="Minor Axis Intensity / Major Axis Intensity",
        source="ideas_features 5.3; the axes are approximations",
        confidence=Confidence.VERIFIED_STAT,
    ),
    FeatureSpec(
        name="Circularity",
        group="Shape",
        takes=Takes.MASK,
        unit="",
        function=circularity,
        formula="mean / SD of the distance from the centroid to the outline pixels",
        source="ideas_features 5.3",
        confidence=Confidence.VERIFIED_STAT,
    ),
    FeatureSpec(
        name="Compactness",
        group="Shape",
        takes=Takes.MASK_IMAGE,
        unit="",
        function=compactness,
        formula="1 - T_J / (2 T), traces of the covariance with weights |J| and without",
        source="ideas_features 5.3; scale of stored values",
        confidence=Confidence.INFERRED,
    ),
    FeatureSpec(
        name="Lobe Count",
        group="Shape",
        takes=Takes.MASK_IMAGE,
        unit="",
        function=lobe_count,
        formula="n of the largest of S2, 1.2 S3, 1.8 S4 if it is >= 10, else 1",
        source="ideas_features 5.3; the symmetries are approximations",
        confidence=Confidence.INFERRED,
        dtype="uint8",
    ),
    *_SYMMETRIES,
)
