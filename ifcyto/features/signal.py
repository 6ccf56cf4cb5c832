"""Signal strength: intensity, mean, median, extremes, background, saturation (``ideas_features`` 5.5).

"Raw" means that the background is not subtracted; all pixels are compensated.
Uncompensated Intensity is not offered: it needs the raw image file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.kernels.pixels import MAXIMUM, MEDIAN, MINIMUM, SUM
from ifcyto.features.order import pixel_order, pixel_totals
from ifcyto.features.region import inside, region_of
from ifcyto.features.spec import Confidence, FeatureSpec, Takes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

    Values = NDArray[np.float64]

__all__ = [
    "SPECS",
    "bkgd_mean",
    "bkgd_stddev",
    "intensity",
    "max_pixel",
    "mean_pixel",
    "median_pixel",
    "min_pixel",
    "raw_intensity",
    "raw_max_pixel",
    "raw_mean_pixel",
    "raw_median_pixel",
    "raw_min_pixel",
    "saturation_count",
    "saturation_percent",
]


def bkgd_mean(work: Workspace, image: int) -> Values:
    """Mean of the background, b, counts: as stored; estimated from the border where nothing is stored."""
    return work.planes.background_mean[:, image]


def bkgd_stddev(work: Workspace, image: int) -> Values:
    """Standard deviation of the background, counts: stored or estimated, like :func:`bkgd_mean`."""
    return work.planes.background_sd[:, image]


def raw_intensity(work: Workspace, mask: str, image: int) -> Values:
    """Sum of the pixels, counts: sum(I); exact for integer pixels."""
    return work.once(pixel_totals, image, inside, mask)[:, SUM]


def intensity(work: Workspace, mask: str, image: int) -> Values:
    """Sum of the pixels above background, counts: sum(I) - N b."""
    return raw_intensity(work, mask, image) - work.count(mask) * bkgd_mean(work, image)


def raw_mean_pixel(work: Workspace, mask: str, image: int) -> Values:
    """Mean of the pixels, counts: sum(I) / N."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return raw_intensity(work, mask, image) / work.count(mask)


def mean_pixel(work: Workspace, mask: str, image: int) -> Values:
    """Mean of the pixels above background, counts: Intensity / N."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return intensity(work, mask, image) / work.count(mask)


def raw_median_pixel(work: Workspace, mask: str, image: int) -> Values:
    """Median of the pixels, counts; the mean of the two middle ones for even N."""
    return work.once(pixel_order, image, inside, mask)[:, MEDIAN]


def median_pixel(work: Workspace, mask: str, image: int) -> Values:
    """Median of the pixels above background, counts: median(I) - b."""
    return raw_median_pixel(work, mask, image) - bkgd_mean(work, image)


def raw_max_pixel(work: Workspace, mask: str, image: int) -> Values:
    """Largest pixel, counts: max(I)."""
    return work.once(pixel_totals, image, inside, mask)[:, MAXIMUM]


def max_pixel(work: Workspace, mask: str, image: int) -> Values:
    """Largest pixel above background, counts: max(I) - b."""
    return raw_max_pixel(work, mask, image) - bkgd_mean(work, image)


def raw_min_pixel(work: Workspace, mask: str, image: int) -> Values:
    """Smallest pixel, counts: min(I)."""
    return work.once(pixel_totals, image, inside, mask)[:, MINIMUM]


def min_pixel(work: Workspace, mask: str, image: int) -> Values:
    """Smallest pixel above background, counts: min(I) - b."""
    return raw_min_pixel(work, mask, image) - bkgd_mean(work, image)


def saturation_count(work: Workspace, mask: str, image: int) -> Values:
    """Saturated pixels of the object: the stored count, whatever the mask, as in IDEAS.

    NaN where the source stored none: the level of saturation is that of the
    raw image, so the count cannot be had from compensated pixels.
    """
    del mask
    stored = work.planes.facts.get("saturation_count")
    if stored is None:
        return np.full(len(work), np.nan)
    values: Values = np.asarray(stored[:, image], np.float64)
    return values


def clipped_counts(work: Workspace, image: int) -> NDArray[np.int64]:
    """Block: clipped pixels ``(n,)``, those above 1 in the stored mask of an image; 0 without masks."""
    if not work.planes.has_masks:
        return np.zeros(len(work), np.int64)
    return region_of(work, work.planes.stored_mask(image) > 1).counts


def saturation_percent(work: Workspace, mask: str, image: int) -> Values:
    """Saturated pixels in percent: 100 Saturation Count / D.

    D is the number of non-zero pixels of the stored mask, clipped ones (2 and 3)
    included: VERIFIED for the default mask of the image itself (M01 with the
    first image, ...). For other masks IDEAS' D is not known; here D is the
    number of pixels of the mask and the clipped pixels of the image's own
    stored mask. That agrees for default masks, and is an *approximation* else.
    """
    pixels = work.count(mask) + work.once(clipped_counts, image)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 100 * saturation_count(work, mask, image) / pixels


def _spec(
    name: str,
    function: Callable[..., object],
    formula: str,
    *,
    takes: Takes = Takes.MASK_IMAGE,
    unit: str = "counts",
    empty: float = float("nan"),
) -> FeatureSpec:
    return FeatureSpec(
        name=name,
        group="Signal Strength",
        takes=takes,
        unit=unit,
        function=function,
        formula=formula,
        source="ideas_features 5.5",
        confidence=Confidence.VERIFIED,
        empty=empty,
    )


SPECS = (
    _spec("Bkgd Mean", bkgd_mean, "b (stored)", takes=Takes.IMAGE),
    _spec("Bkgd StdDev", bkgd_stddev, "s (stored)", takes=Takes.IMAGE),
    _spec("Intensity", intensity, "sum(I) - N b", empty=0.0),
    _spec("Max Pixel", max_pixel, "max(I) - b"),
    _spec("Mean Pixel", mean_pixel, "(sum(I) - N b) / N"),
    _spec("Median Pixel", median_pixel, "median(I) - b"),
    _spec("Min Pixel", min_pixel, "min(I) - b"),
    _spec("Raw Intensity", raw_intensity, "sum(I)", empty=0.0),
    _spec("Raw Max Pixel", raw_max_pixel, "max(I)"),
    _spec("Raw Mean Pixel", raw_mean_pixel, "sum(I) / N"),
    _spec("Raw Median Pixel", raw_median_pixel, "median(I)"),
    _spec("Raw Min Pixel", raw_min_pixel, "min(I)"),
    _spec("Saturation Count", saturation_count, "saturated pixels (stored)", unit="px", empty=0.0),
    _spec(
        "Saturation Percent", saturation_percent, "100 Saturation Count / pixels with clipped ones", unit="%"
    ),
)
