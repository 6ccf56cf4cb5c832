"""Haralick texture: 12 features of the grey-level co-occurrence matrix (``ideas_features`` 5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.kernels.cooccurrence import MEASURES, cooccurrence
from ifcyto.features.spec import Confidence, FeatureSpec, Scalar, Takes
from ifcyto.features.workspace import column_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = ["SPECS", "haralick_measures"]

GRANULARITY = Scalar("Granularity", 3, 1, 20)
FORMULAS = {
    "contrast": "sum (i - j)^2 p / 256",
    "correlation": "sum (i - mu)(j - mu) p / variance",
    "energy": "sum p^2",
    "entropy": "-sum p log2 p",
    "homogeneity": "sum (i + j) p, the sum average",
    "variance": "sum (i - mu)^2 p",
}
STATISTICS = {"Mean": "mean", "Std": "population standard deviation"}


def haralick_measures(work: Workspace, mask: str, image: int, granularity: int) -> NDArray[np.float64]:
    """Block: mean and standard deviation over four directions of six co-occurrence measures.

    The pixels of the mask are graded into 16 levels 0..15 between their lowest
    and their highest value, round(15 (I - min) / (max - min)), halves upwards;
    all are 0 in a flat image. p[i, j] is the share of ordered pairs of levels
    (both orders counted) among pixels that are `granularity` pixels apart, both
    in the mask, in the directions 0, 45, 90 and 135 degrees: (0, g), (-g, g),
    (-g, 0), (-g, -g) as (row, column). A direction without pairs is left out,
    and one without variance for the correlation only.

    Parameters
    ----------
    work : Workspace
    mask : str
    image : int
    granularity : int
        g, at least 1.

    Returns
    -------
    ndarray (n, 12) of float64
        Mean and population standard deviation of contrast, correlation, energy,
        entropy, homogeneity and variance, in this order; NaN without any pair.

    Raises
    ------
    ValueError
        `granularity` is below 1.

    Notes
    -----
    ``ideas_features`` 5.4 (VERIFIED-STAT): the number of levels, their start at
    0, the divisor 256 and the logarithm agree with real output; the rounding
    and the divisor of the standard deviation are not settled. An *approximation*.
    Haralick et al. 1973, IEEE Trans. Syst. Man Cybern. 3:610.
    """
    if granularity < 1:
        msg = f"expected a granularity of 1 or more, found {granularity}"
        raise ValueError(msg)
    out = np.empty((len(work), 2 * len(MEASURES)))
    cooccurrence(work.image(image), work.mask(mask), *work.geometry, int(granularity), out)
    return out


SPECS = tuple(
    FeatureSpec(
        name=f"H {measure.capitalize()} {statistic}",
        group="Texture",
        takes=Takes.MASK_IMAGE_SCALAR,
        unit="",
        function=column_of(haralick_measures, 2 * m + s),
        formula=f"{STATISTICS[statistic]} over four directions of {FORMULAS[measure]}",
        source="Haralick et al. 1973; ideas_features 5.4",
        confidence=Confidence.VERIFIED_STAT,
        scalar=GRANULARITY,
    )
    for m, measure in enumerate(MEASURES)
    for s, statistic in enumerate(STATISTICS)
)
"""H Contrast, Correlation, Energy, Entropy, Homogeneity and Variance, each Mean and Std."""
