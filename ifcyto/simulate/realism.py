"""How like real images simulated ones are: spectra, noise, sizes and brightness of a set of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.cells import CellBatch

__all__ = ["ImageProfile", "image_profile", "noise_curve", "radial_power"]

LAPLACE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6.0
"""Mask whose response to white noise has the noise's own standard deviation, and to a plane is 0.

Immerkaer 1996, Computer Vision and Image Understanding 64:300.
"""

WINDOW = 32  # px, side of the window about the object for the spectrum
BINS = 12
NORMAL = 1.4826  # standard deviation of a Gaussian over its median absolute deviation


@dataclass(frozen=True, slots=True, eq=False)
class ImageProfile:
    """What one channel of many images is like.

    Parameters
    ----------
    frequency, power : ndarray (WINDOW / 2,)
        Radial spectrum: cycles a pixel, and the mean share of the variance in a pixel of
        the spectrum at that frequency.
    level, noise : ndarray (b,)
        Local mean in counts and the local noise there, standard deviation in counts.
    diameter_um : ndarray (m,)
        Of the circle with the area of the object's mask.
    brightness : ndarray (m,)
        Sum over the mask less the background, over the median of all objects. NaN for
        objects without background.
    """

    frequency: NDArray[np.float64]
    power: NDArray[np.float64]
    level: NDArray[np.float64]
    noise: NDArray[np.float64]
    diameter_um: NDArray[np.float64]
    brightness: NDArray[np.float64]


def image_profile(batch: CellBatch, channel: int, *, pixel_um: float) -> ImageProfile:
    """Profile of one channel.

    Parameters
    ----------
    batch : CellBatch
        With masks.
    channel : int
        Place on the images' first axis, from 0.
    pixel_um : float
        Side of a pixel, um.

    Returns
    -------
    ImageProfile
    """
    images, masks = [], []
    for cell in batch.cells():
        if cell.masks is not None and (cell.masks[channel] == 1).any():
            images.append(cell.images[channel].astype(np.float64))
            masks.append(cell.masks[channel] == 1)
    areas = np.array([mask.sum() for mask in masks], np.float64)
    sums = np.array(
        [
            np.abs(image[mask] - np.median(image[~mask])).sum() if (~mask).any() else np.nan
            for image, mask in zip(images, masks, strict=True)
        ]
    )
    frequency, power = radial_power(images, masks)
    level, noise = noise_curve(images)
    middle = np.nanmedian(sums) if len(sums) else 1.0
    return ImageProfile(
        frequency, power, level, noise, 2 * pixel_um * np.sqrt(areas / np.pi), sums / max(middle, 1e-300)
    )


def radial_power(
    images: list[NDArray[np.float64]], masks: list[NDArray[np.bool_]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean radial power spectrum of windows about the objects' centroids.

    Each window is filled with the image's border where it reaches beyond, less its mean,
    times a Hann window, and scaled to a power of 1.

    Parameters
    ----------
    images : list of ndarray (H, W)
    masks : list of ndarray (H, W) of bool

    Returns
    -------
    frequency, power : ndarray (WINDOW / 2,)
    """
    hann = np.hanning(WINDOW + 1)[:WINDOW]
    radius = np.hypot(np.fft.fftfreq(WINDOW)[:, None], np.fft.fftfreq(WINDOW)[None, :])
    ring = np.minimum(np.rint(radius * WINDOW).astype(np.int64), WINDOW // 2 + 1)
    total = np.zeros((WINDOW, WINDOW))
    half = WINDOW // 2
    for image, mask in zip(images, masks, strict=True):
        row, column = (round(float(places.mean())) for places in np.nonzero(mask))
        padded = np.pad(image, half, mode="edge")
        window = padded[row : row + WINDOW, column : column + WINDOW]
        power = np.abs(np.fft.fft2((window - window.mean()) * np.outer(hann, hann))) ** 2
        total += power / max(power.sum(), 1e-300)
    counts = np.bincount(ring.ravel())
    mean = np.bincount(ring.ravel(), weights=(total / max(len(images), 1)).ravel()) / np.maximum(counts, 1)
    rings = np.arange(1, half + 1)
    return rings / WINDOW, mean[rings]


def noise_curve(images: list[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Local noise against local brightness.

    The noise is what :data:`LAPLACE` leaves; the median of its absolute value in pixels
    of like brightness is robust against edges, but texture as fine as the mask counts as
    noise.

    Parameters
    ----------
    images : list of ndarray (H, W)

    Returns
    -------
    level, noise : ndarray (b,)
        Counts; at most :data:`BINS` bins, from the darkest to the brightest.
    """
    levels, rests = [np.empty(0)], [np.empty(0)]
    for image in images:
        if min(image.shape) > 4:
            levels.append(ndimage.uniform_filter(image, 3)[2:-2, 2:-2].ravel())
            rests.append(ndimage.convolve(image, LAPLACE)[2:-2, 2:-2].ravel())
    level, rest = np.concatenate(levels), np.abs(np.concatenate(rests))
    if not len(level):
        return np.empty(0), np.empty(0)
    shares = [*np.linspace(0, 0.9, BINS - 3), 0.95, 0.98, 0.995, 1.0]
    edges = np.unique(np.quantile(level, shares))
    place = np.clip(np.searchsorted(edges, level, side="right") - 1, 0, max(len(edges) - 2, 0))
    used = np.unique(place)
    middles = np.array([np.median(level[place == one]) for one in used])
    noise = np.array([NORMAL * np.median(rest[place == one]) for one in used])
    return middles, noise
