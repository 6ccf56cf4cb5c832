"""Comparison of images or masks: similarity, concentration, internalization (``ideas_features`` 5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.detail import bright_detail
from ifcyto.features.kernels.pairs import covariances, products, triple_products
from ifcyto.features.kernels.pixels import MAXIMUM, UPPER
from ifcyto.features.order import pixel_order, pixel_totals
from ifcyto.features.region import Region, inside, outside, union
from ifcyto.features.spec import Confidence, FeatureSpec, Takes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

    Values = NDArray[np.float64]

__all__ = [
    "SPECS",
    "bright_detail_colocalization_3",
    "bright_detail_similarity_r3",
    "intensity_concentration_ratio",
    "internalization",
    "log_ratio",
    "similarity",
]

DETAIL_RADIUS = 3

ROUNDING = 1e-13
"""A correlation of floats that is so near to 1 is taken as perfect."""


def log_ratio(correlation: Values) -> Values:
    """Return ln((1 + c) / (1 - c)) of correlations; infinite at -1 and 1, or where rounding hides them."""
    perfect = np.abs(correlation) > 1 - ROUNDING
    exact = np.where(perfect, np.sign(correlation), correlation)
    with np.errstate(divide="ignore", invalid="ignore"):
        values: Values = np.log((1 + exact) / (1 - exact))
    return values


def normalised(sums: Values) -> Values:
    """Return AB / sqrt(AA BB) of the columns AB, AA, BB; NaN where AA or BB is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values: Values = sums[:, 0] / np.sqrt(sums[:, 1] * sums[:, 2])
    return values


def similarity(work: Workspace, mask: str, first: int, second: int) -> Values:
    """Log-transformed Pearson correlation of the pixels of two images in a mask.

    ln((1 + rho) / (1 - rho)); George et al. 2006, J Immunol Methods 311:117.
    NaN where an image is constant in the mask, or the correlation is perfect.
    An *approximation*: not testable without the images behind stored values.
    """
    sums = np.full((len(work), 3), np.nan)
    covariances(work.image(first), work.image(second), *work.once(inside, mask), sums)
    return log_ratio(normalised(sums))


def bright_detail_similarity_r3(work: Workspace, mask: str, first: int, second: int) -> Values:
    """Log-transformed correlation, not centred, of the bright detail of two images in a mask.

    ln((1 + c) / (1 - c)) with c = sum AB / sqrt(sum A^2 sum B^2), A and B the white
    top-hats with a disc of radius 3; Beum et al. 2006, J Immunol Methods
    317:90. An *approximation*: IDEAS' element is not published.
    """
    sums = np.full((len(work), 3), np.nan)
    details = (work.once(bright_detail, image, DETAIL_RADIUS) for image in (first, second))
    products(*details, *work.once(inside, mask), sums)
    return log_ratio(normalised(sums))


def bright_detail_colocalization_3(work: Workspace, mask: str, first: int, second: int, third: int) -> Values:
    """Log-transformed correlation, not centred, of the bright detail of three images in a mask.

    ln((1 + c) / (1 - c)) with c = sum ABC / (sum A^3 sum B^3 sum C^3)^(1/3), the form of
    Bright Detail Similarity R3 for three images: 1 only for proportional
    details, 0 where no pixel has detail in all three. An *approximation*: IDEAS' formula is not published.
    """
    sums = np.full((len(work), 4), np.nan)
    details = (work.once(bright_detail, image, DETAIL_RADIUS) for image in (first, second, third))
    triple_products(*details, *work.once(inside, mask), sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = sums[:, 0] / np.cbrt(sums[:, 1:]).prod(axis=1)
    return log_ratio(values)


def brightness(work: Workspace, image: int, region: Callable[..., Region], *masks: str) -> Values:
    """Mean of the upper quartile times the peak, ``(n,)``, both above background, of a region.

    NaN unless both are positive.
    """
    background = work.planes.background_mean[:, image]
    upper = work.once(pixel_order, image, region, *masks)[:, UPPER] - background
    peak = work.once(pixel_totals, image, region, *masks)[:, MAXIMUM] - background
    return np.where((upper > 0) & (peak > 0), upper * peak, np.nan)


def internalization(work: Workspace, mask: str, image: int) -> Values:
    """Log ratio of the brightness inside a mask to that outside it.

    ln[(m_I / m_B)(p_I / p_B)]: m is the mean of the upper quartile of the pixels, p
    the peak, both above background; I is the mask, B all other pixels of the
    image. NaN where one of the four is not positive.

    An *approximation* (``ideas_features`` 5.6, VERIFIED-STAT): which pixels IDEAS
    takes as B is not known. With all of them, real brightfield cells give
    m_B p_B / s^2 = 3.9 / 6.9 / 14 (5 % / median / 95 %); stored values of other
    cells imply 5.7 / 9.7 / 21.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = brightness(work, image, inside, mask) / brightness(work, image, outside, mask)
        return np.log(ratio)


def intensity_concentration_ratio(work: Workspace, first: str, second: str, image: int) -> Values:
    """Log ratio of the brightness in the first mask to that in the union of both.

    As :func:`internalization`, with I the first mask and B the union; 0 where
    both are equally bright, never above 0 for the peak's part. An
    *approximation* (``ideas_features`` 5.6, VERIFIED-STAT).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = brightness(work, image, inside, first) / brightness(work, image, union, first, second)
        return np.log(ratio)


def _spec(
    name: str,
    function: Callable[..., object],
    formula: str,
    source: str,
    confidence: Confidence,
    takes: Takes,
) -> FeatureSpec:
    return FeatureSpec(
        name=name,
        group="Comparison",
        takes=takes,
        unit="",
        function=function,
        formula=formula,
        source=source,
        confidence=confidence,
    )


SPECS = (
    _spec(
        "Bright Detail Colocalization 3",
        bright_detail_colocalization_3,
        "ln((1 + c) / (1 - c)), c = sum ABC / (sum A^3 sum B^3 sum C^3)^(1/3) of R3 bright details",
        "ideas_features 5.6",
        Confidence.INFERRED,
        Takes.THREE_IMAGES,
    ),
    _spec(
        "Bright Detail Similarity R3",
        bright_detail_similarity_r3,
        "ln((1 + c) / (1 - c)), c = sum AB / sqrt(sum A^2 sum B^2) of R3 bright details",
        "Beum et al. 2006, J Immunol Methods 317:90",
        Confidence.DOCUMENTED,
        Takes.TWO_IMAGES,
    ),
    _spec(
        "Intensity Concentration Ratio",
        intensity_concentration_ratio,
        "ln[(m_1 p_1) / (m_12 p_12)], m mean of the upper quartile and p peak of J, 12 the union",
        "ideas_features 5.6",
        Confidence.VERIFIED_STAT,
        Takes.TWO_MASKS_IMAGE,
    ),
    _spec(
        "Internalization",
        internalization,
        "ln[(m_I p_I) / (m_B p_B)], m mean of the upper quartile and p peak of J, B outside the mask",
        "ideas_features 5.6",
        Confidence.VERIFIED_STAT,
        Takes.MASK_IMAGE,
    ),
    _spec(
        "Similarity",
        similarity,
        "ln((1 + rho) / (1 - rho)), rho Pearson's correlation in the mask",
        "George et al. 2006, J Immunol Methods 311:117",
        Confidence.DOCUMENTED,
        Takes.TWO_IMAGES,
    ),
)
