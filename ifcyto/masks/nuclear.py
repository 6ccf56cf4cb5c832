"""The nuclei of one object, from its DNA image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from ifcyto.cells import MASK_OBJECT
from ifcyto.masks.spots import split_spots
from ifcyto.planes import border_background

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NuclearRule", "nuclear_mask"]


@dataclass(frozen=True, slots=True)
class NuclearRule:
    """Settings of :func:`nuclear_mask`.

    Parameters
    ----------
    smoothing_um : float
        Standard deviation of the Gaussian that smooths the image, in micrometres.
    noise_sd : float
        A nucleus is brighter than the background by this many of its standard deviations.
    fraction : float
        And by this fraction of the brightest smoothed pixel.
    saddle_ratio : float
        Two peaks are two nuclei when the highest path between them falls to this
        ratio of the lower peak, or below.
    min_area_um2 : float
        Smaller pieces are not nuclei, in square micrometres.
    min_share : float
        Nor are pieces smaller than this share of the largest.
    """

    smoothing_um: float = 0.5
    noise_sd: float = 5.0
    fraction: float = 0.3
    saddle_ratio: float = 0.7
    min_area_um2: float = 4.0
    min_share: float = 0.3


def nuclear_mask(
    image: NDArray[Any],
    mask: NDArray[Any] | None = None,
    background_mean: float | None = None,
    background_sd: float | None = None,
    *,
    pixel_size_um: float,
    rule: NuclearRule | None = None,
) -> NDArray[np.bool_]:
    """Find the nuclei of one object and separate those that touch.

    The image is smoothed; what stands out of the background by ``noise_sd``
    deviations and by ``fraction`` of the maximum is nuclear; the mask is then
    cut by :func:`ifcyto.masks.spots.split_spots`.

    Parameters
    ----------
    image : ndarray (H, W)
        DNA channel, in counts, background not subtracted.
    mask : ndarray (H, W), optional
        Only pixels with the value 1 (the object itself) can be nuclear. None, or
        a mask without such a pixel: the whole image.
    background_mean, background_sd : float, optional
        Of this object and channel, in counts; estimated by
        :func:`ifcyto.planes.border_background` when None or NaN.
    pixel_size_um : float
        Side of a pixel in micrometres.
    rule : NuclearRule, optional

    Returns
    -------
    ndarray (H, W) of bool
        Each nucleus is one 4-connected component; empty when nothing stands out.

    Notes
    -----
    An *approximation* of a user-made IDEAS mask, not IDEAS' own algorithm.

    Examples
    --------
    >>> from ifcyto.masks.spots import spot_count
    >>> row, column = np.mgrid[:40, :40]
    >>> two = sum(800 * np.exp(-((row - 20) ** 2 + (column - c) ** 2) / 18.0) for c in (13, 27))
    >>> spot_count(nuclear_mask(two + 40, background_mean=40.0, background_sd=3.0, pixel_size_um=0.5))
    2
    """
    rule = rule or NuclearRule()
    if background_mean is None or background_sd is None or not np.isfinite(background_mean + background_sd):
        background_mean, background_sd = border_background(image)
    smooth: NDArray[np.float64] = ndimage.gaussian_filter(
        np.asarray(image, np.float64) - background_mean, rule.smoothing_um / pixel_size_um, mode="nearest"
    )
    inside = np.ones(smooth.shape, bool) if mask is None else np.asarray(mask) == MASK_OBJECT
    if not inside.any():
        inside[:] = True
    level = max(rule.noise_sd * background_sd, rule.fraction * float(smooth[inside].max()), 0.0)
    return split_spots(
        smooth,
        inside & (smooth > level),
        saddle_ratio=rule.saddle_ratio,
        min_area=rule.min_area_um2 / pixel_size_um**2,
        min_share=rule.min_share,
    )
