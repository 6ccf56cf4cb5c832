"""Blocks that come from moments: centroids, spreads, symmetries, distances of the outline.

Coordinates are whole pixels from 0 at the centre of the first pixel, x along
columns and y along rows (``ideas_features`` 1.2). A *spread* is a covariance
matrix: its columns are xx, yy and xy in square pixels, divisor = sum of the
weights, nothing added for the size of a pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.features.kernels import moments as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = [
    "ellipse",
    "intensity_centroid",
    "intensity_spread",
    "lean",
    "mask_bounds",
    "mask_centroid",
    "mask_spread",
    "outline_statistics",
    "symmetries",
]

XX, YY, XY = range(3)
"""Columns of a spread."""
ROUND = 1e-12
"""Difference of two axes, relative to their sum, that is rounding alone."""


def mask_sums(work: Workspace, mask: str) -> NDArray[np.int64]:
    """Block: exact sums ``(n, MASK_COLUMNS)`` of a mask; see :mod:`ifcyto.features.kernels.moments`."""
    out = np.zeros((len(work), kernels.MASK_COLUMNS), np.int64)
    kernels.mask_moments(work.mask(mask), *work.geometry, out)
    return out


def intensity_sums(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Block: sums ``(n, INTENSITY_COLUMNS)`` of the pixels of an image in a mask."""
    out = np.zeros((len(work), kernels.INTENSITY_COLUMNS))
    kernels.intensity_moments(*_pixels(work, mask, channel), out)
    return out


def mask_bounds(work: Workspace, mask: str) -> NDArray[np.int64]:
    """Block: top, bottom, left and right ``(n, 4)`` of a mask, ends excluded; 0 for an empty one."""
    sums = work.once(mask_sums, mask)
    box = sums[:, [kernels.TOP, kernels.BOTTOM, kernels.LEFT, kernels.RIGHT]]
    return np.where(sums[:, [kernels.COUNT]] > 0, box, 0)


def mask_centroid(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Block: mean x and y ``(n, 2)`` of a mask's pixels, in pixels; NaN for an empty mask."""
    sums = work.once(mask_sums, mask)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums[:, [kernels.SUM_X, kernels.SUM_Y]] / sums[:, [kernels.COUNT]]
    centroid: NDArray[np.float64] = sums[:, [kernels.X0, kernels.Y0]] + mean
    return centroid


def intensity_centroid(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Block: mean x and y ``(n, 2)`` with weights |J|, in pixels; NaN where all weights are 0.

    The weighting is VERIFIED (``ideas_features`` 5.2).
    """
    sums = work.once(intensity_sums, mask, channel)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums[:, [kernels.W_X, kernels.W_Y]] / sums[:, [kernels.WEIGHT]]
    centroid: NDArray[np.float64] = work.once(mask_sums, mask)[:, [kernels.X0, kernels.Y0]] + mean
    return centroid


def mask_spread(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Block: spread ``(n, 3)`` of a mask's pixels; NaN for an empty mask."""
    return _spread(work.once(mask_sums, mask)[:, : kernels.SUM_XY + 1].astype(np.float64))


def intensity_spread(work: Workspace, mask: str, channel: int, power: int) -> NDArray[np.float64]:
    """Block: spread ``(n, 3)`` with weights |J| (`power` 1) or J^2 (`power` 2) about their own centroid."""
    first = kernels.POWER_2 * (power - 1)
    return _spread(work.once(intensity_sums, mask, channel)[:, first : first + kernels.W_XY + 1])


def symmetries(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Block: strength ``(n, 3)`` of the 2-, 3- and 4-fold structure, 0 to 100, in columns 0, 1, 2."""
    sums = np.zeros((len(work), kernels.ANGULAR_COLUMNS))
    centres = work.once(intensity_centroid, mask, channel)
    kernels.angular_sums(*_pixels(work, mask, channel), centres, sums)
    cosines, sines = sums[:, kernels.COS_2 :: 2], sums[:, kernels.SIN_2 :: 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        strength: NDArray[np.float64] = 100 * np.hypot(cosines, sines) / sums[:, [kernels.RADIUS]]
    return strength


def outline_statistics(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Block: mean and population SD ``(n, 2)`` of the outline's distance from the centroid, in pixels.

    The outline is every mask pixel with a 4-neighbour outside the mask or the image.
    """
    sums = np.zeros((len(work), kernels.OUTLINE_COLUMNS))
    kernels.outline_distances(work.mask(mask), *work.geometry, work.once(mask_sums, mask), sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = sums[:, kernels.EXCESS] / sums[:, kernels.POINTS]
        variance = sums[:, kernels.EXCESS_2] / sums[:, kernels.POINTS] - excess**2
    return np.stack([sums[:, kernels.FIRST] + excess, np.sqrt(np.maximum(variance, 0))], axis=1)


def ellipse(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Long and short axis ``(n, 2)``, in pixels, of the ellipse with a given spread.

    4 sqrt(lambda), lambda the eigenvalues: the full axes of a filled ellipse.

    Examples
    --------
    >>> ellipse(np.array([[4.0, 1.0, 0.0]])).tolist()
    [[8.0, 4.0]]
    """
    with np.errstate(all="ignore"):
        middle = (spread[:, XX] + spread[:, YY]) / 2
        half = np.hypot((spread[:, XX] - spread[:, YY]) / 2, spread[:, XY])
        roots = np.sqrt(np.stack([middle + half, np.maximum(middle - half, 0)], axis=1))
    axes: NDArray[np.float64] = 4 * roots
    return axes


def lean(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle ``(n,)`` between the long axis and the rows, 0 to pi/2; NaN where no axis is longer.

    Examples
    --------
    >>> lean(np.array([[1.0, 4.0, 0.0], [2.0, 2.0, -1.0], [1.0, 1.0, 0.0]])).tolist()
    [1.5707963267948966, 0.7853981633974483, nan]
    """
    with np.errstate(all="ignore"):
        across, twice = spread[:, XX] - spread[:, YY], 2 * np.abs(spread[:, XY])
        angle: NDArray[np.float64] = np.arctan2(twice, across) / 2
        longer = np.hypot(across, twice) > ROUND * (spread[:, XX] + spread[:, YY])
    return np.where(longer, angle, np.nan)


def _spread(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread of sums N, x, y, xx, yy, xy; exact up to the division where these are whole numbers."""
    n, x, y, xx, yy, xy = sums.T
    with np.errstate(all="ignore"):
        above = np.stack([n * xx - x * x, n * yy - y * y, n * xy - x * y], axis=1)
        spread: NDArray[np.float64] = above / (n * n)[:, np.newaxis]
    return spread


def _pixels(work: Workspace, mask: str, channel: int) -> tuple[NDArray[Any], ...]:
    """Arguments that the kernels of intensities begin with."""
    starts, _, widths = work.geometry
    background = np.ascontiguousarray(work.planes.background_mean[:, channel], np.float64)
    return work.mask(mask), work.image(channel), starts, widths, background, work.once(mask_sums, mask)
