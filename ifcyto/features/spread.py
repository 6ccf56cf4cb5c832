"""Spread of the pixel values: Std Dev and Modulation (``ideas_features`` 5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.kernels.pixels import HIGH, LOW
from ifcyto.features.order import pixel_order, pixel_squares
from ifcyto.features.region import inside
from ifcyto.features.spec import Confidence, FeatureSpec, Takes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = ["SPECS", "modulation", "std_dev"]


def std_dev(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Population standard deviation of the pixels, counts; exactly 0 for a constant image."""
    squares = work.once(pixel_squares, image, inside, mask)
    with np.errstate(divide="ignore", invalid="ignore"):
        values: NDArray[np.float64] = np.sqrt(squares) / work.count(mask)
    return values


def modulation(work: Workspace, mask: str, image: int) -> NDArray[np.float64]:
    """Michelson contrast of the robust extremes: (A - B) / (A + B).

    A and B are the raw pixels of rank floor(0.98 N) and floor(0.02 N). That is a
    ratio of integers (VERIFIED), and keeps the two rank facts known of real
    output (N = 29: the maximum, N = 51: the second largest), which leave the
    upper quantile between 28/29 and 50/51. That it is 0.98, and the lower one
    0.02, is an *approximation*. NaN where A + B is 0.
    """
    order = work.once(pixel_order, image, inside, mask)
    high, low = order[:, HIGH], order[:, LOW]
    with np.errstate(divide="ignore", invalid="ignore"):
        values: NDArray[np.float64] = (high - low) / (high + low)
    return values


SPECS = (
    FeatureSpec(
        name="Modulation",
        group="Texture",
        takes=Takes.MASK_IMAGE,
        unit="",
        function=modulation,
        formula="(A - B) / (A + B), A and B the 98th and 2nd percentile of I",
        source="ideas_features 5.4",
        confidence=Confidence.VERIFIED_STAT,
    ),
    FeatureSpec(
        name="Std Dev",
        group="Texture",
        takes=Takes.MASK_IMAGE,
        unit="counts",
        function=std_dev,
        formula="population standard deviation of I",
        source="ideas_features 5.4",
        confidence=Confidence.VERIFIED,
    ),
)
