"""Masks for files that store none: the fallback of ``ideas_features`` 1.5.

How IDEAS computes its default masks is not published. The two rules here are
an *approximation*, fitted on the masks of 111 real cells (INFERRED).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.masks.kernels.smooth import blurred, local_variance
from ifcyto.masks.shape import dilate, erode, fill, largest_component

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = ["SegmentRule", "background", "contrast_mask", "default_mask", "peaks", "smoothed"]

REACH = 4.0
"""Standard deviations after which the Gaussian is cut off."""


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """Settings of :func:`default_mask`.

    Parameters
    ----------
    smoothing_um : float
        Standard deviation of the Gaussian that smooths a fluorescence image, in
        micrometres (1.3 pixels at 40x).
    noise_sd : float
        Fluorescence stands out of the background by this many of its standard deviations.
    fraction : float
        And by this fraction of the brightest smoothed pixel.
    contrast_sd : float
        In brightfield, the standard deviation of 3 x 3 pixels exceeds that of the
        background by this factor.
    closing : int
        Pixels by which the brightfield mask is grown and shrunk again before its holes are filled.
    opening : int
        Pixels by which it is shrunk and grown again after.
    """

    smoothing_um: float = 0.65
    noise_sd: float = 5.0
    fraction: float = 0.10
    contrast_sd: float = 3.0
    closing: int = 1
    opening: int = 1


DEFAULT_RULE = SegmentRule()


def default_mask(work: Workspace, image: int, *, rule: SegmentRule = DEFAULT_RULE) -> NDArray[np.bool_]:
    """Segment one channel, for files without masks; an *approximation* (INFERRED).

    Fluorescence: the smoothed image exceeds the background by ``noise_sd``
    deviations and by ``fraction`` of its maximum. Brightfield (as the channel
    says): see :func:`contrast_mask`, then an opening. Holes are filled and
    the largest 4-connected component is kept, since the masks of IDEAS have one
    component and no holes in nearly all cells.

    Parameters
    ----------
    work : Workspace
    image : int
        Channel, from 0.
    rule : SegmentRule, optional

    Returns
    -------
    ndarray (P,) of bool
        Empty for an object in which nothing stands out.

    Notes
    -----
    Mean intersection over union with the stored masks of 111 real cells: 0.9255,
    0.8798 and 0.9077 in the three fluorescence channels that have masks, 0.9425 in
    brightfield (``benchmarks/bench_segment.py``).

    Examples
    --------
    >>> from ifcyto.features.workspace import Workspace
    >>> from ifcyto.planes import Planes
    >>> from ifcyto.samples.cells import CHANNELS, simulate_sample
    >>> planes = Planes(simulate_sample(3, seed=1).batch, CHANNELS, pixel_size_um=0.5)
    >>> work = Workspace(planes, planes.object_mask)
    >>> ours, stored = default_mask(work, 1), planes.object_mask(1)
    >>> bool((ours & stored).sum() > 0.9 * (ours | stored).sum() > 0)
    True
    """
    if work.planes.channels[image].brightfield:
        whole = contrast_mask(work, image, rule.contrast_sd, closing=rule.closing)
        opened = dilate(work, erode(work, whole, rule.opening), rule.opening)
        return largest_component(work, opened)
    smooth = smoothed(work, image, rule.smoothing_um / work.planes.pixel_size_um)
    _, sd = background(work, image)
    level = np.maximum(rule.noise_sd * sd, rule.fraction * peaks(work, smooth))
    return largest_component(work, fill(work, smooth > np.repeat(level, np.diff(work.planes.starts))))


def contrast_mask(work: Workspace, image: int, factor: float, *, closing: int = 0) -> NDArray[np.bool_]:
    """Segment one channel by the contrast of small neighbourhoods; an *approximation* (INFERRED).

    Kept is where the standard deviation of 3 x 3 pixels exceeds `factor`
    standard deviations of the background; holes are filled, the largest
    4-connected component stays.

    Parameters
    ----------
    work : Workspace
    image : int
        Channel, from 0.
    factor : float
    closing : int
        Pixels by which the mask is grown and shrunk again before its holes are filled.

    Returns
    -------
    ndarray (P,) of bool
    """
    mean, sd = background(work, image)
    variance = local_variance(work.image(image), *work.geometry, mean)
    textured = variance > np.repeat((factor * sd) ** 2, np.diff(work.planes.starts))
    closed = textured | erode(work, dilate(work, textured, closing), closing)
    return largest_component(work, fill(work, closed))


def smoothed(work: Workspace, image: int, sigma: float) -> NDArray[np.float64]:
    """Image less its background, smoothed by a Gaussian.

    Parameters
    ----------
    work : Workspace
    image : int
        Channel, from 0.
    sigma : float
        Standard deviation in pixels; 0 does not smooth.

    Returns
    -------
    ndarray (P,) of float64
        Finite: a pixel that is not counts as background. Beyond the image its
        nearest pixel is repeated.
    """
    reach = int(REACH * sigma + 0.5)
    steps = np.arange(-reach, reach + 1, dtype=np.float64)
    weights = np.exp(-0.5 * (steps / sigma) ** 2) if reach else np.ones(1)
    mean, _ = background(work, image)
    flat: NDArray[np.float64] = blurred(work.image(image), *work.geometry, mean, weights / weights.sum())
    return flat


def background(work: Workspace, image: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation ``(n,)`` of the background of one channel; 0 where they are not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        mean, sd = work.planes.background_mean[:, image], work.planes.background_sd[:, image]
    return np.where(np.isfinite(mean), mean, 0.0), np.where(np.isfinite(sd), sd, 0.0)


def peaks(work: Workspace, flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest value of each plane, ``(n,)``."""
    if not len(work):
        return np.zeros(0)
    highest: NDArray[np.float64] = np.maximum.reduceat(flat, work.planes.starts[:-1])
    return highest
