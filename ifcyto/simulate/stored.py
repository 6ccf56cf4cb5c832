"""What an instrument stores with the images: masks, background, saturation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["background", "stored_masks"]

IN_PLANE = np.zeros((3, 3, 3), bool)
IN_PLANE[1] = True
"""Neighbours of a pixel: eight in its own image, none in the next object's."""

FOUR = np.zeros((3, 3, 3), bool)
FOUR[1] = ndimage.generate_binary_structure(2, 1)
"""Neighbours of a pixel outside: four, so that a diagonal line of the mask is tight."""

NOISE_SD = 4.0  # what stands out of the background by so many of its deviations
BRIGHT_SHARE = 0.06  # and, in fluorescence, by this share of the brightest smoothed pixel
DARK_SHARE = 0.12  # in brightfield, of the strongest deviation
SMALLEST = 12  # px, a smaller piece is noise


def background(
    counts: NDArray[np.int16], empty: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation ``(n, 3)`` of the pixels without object.

    Parameters
    ----------
    counts : ndarray (3, n, S, S)
    empty : ndarray (n, S, S) of bool
        Pixels of the frame that are far from the object. NaN where there are none.
    """
    number = empty.sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(empty, counts, 0).sum(axis=(2, 3), dtype=np.float64) / number
        apart = np.where(empty, counts - mean[:, :, None, None].astype(np.float32), 0.0)
        sd = np.sqrt(np.square(apart).sum(axis=(2, 3), dtype=np.float64) / number)
    return mean.T, sd.T


def stored_masks(
    counts: NDArray[np.int16],
    mean: NDArray[np.float64],
    sd: NDArray[np.float64],
    frame: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Mask each image as an instrument would: what differs from the background, holes filled.

    The 3 x 3 mean is compared with the background; brightfield on both sides. Pieces
    below :data:`SMALLEST` pixels go. An *approximation*: the instrument's own way is not
    published.

    Parameters
    ----------
    counts : ndarray (3, n, S, S)
    mean, sd : ndarray (n, 3)
        Of the background.
    frame : ndarray (n, S, S) of bool
        Pixels that belong to the object's image; the mask stays within.

    Returns
    -------
    ndarray (3, n, S, S) of uint8
        1 in the object.
    """
    masks = np.empty(counts.shape, np.uint8)
    for channel, image in enumerate(counts):
        smooth = image.astype(np.float32)
        smooth -= np.nan_to_num(mean[:, channel]).astype(np.float32)[:, None, None]
        smooth = ndimage.uniform_filter(smooth, (0, 3, 3), mode="nearest")
        if channel == 0:
            np.abs(smooth, out=smooth)
        smooth *= frame
        share = DARK_SHARE if channel == 0 else BRIGHT_SHARE
        noise = np.nan_to_num(sd[:, channel], nan=1.0)
        level = np.maximum(NOISE_SD * noise, share * smooth.max(axis=(1, 2)))
        inside = smooth > level[:, None, None].astype(np.float32)
        masks[channel] = _filled(inside, frame)
    return masks


def _filled(inside: NDArray[np.bool_], frame: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pieces that are large enough, with their holes."""
    labels, _ = ndimage.label(inside, IN_PLANE)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept = (sizes >= SMALLEST)[labels]
    outside, _ = ndimage.label(~kept & frame, FOUR)
    reached = np.zeros(outside.max() + 1, bool)
    reached[outside[_rim(frame)]] = True
    reached[0] = False
    filled: NDArray[np.bool_] = frame & (kept | ~reached[outside])
    return filled


def _rim(frame: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Outermost pixels of each rectangular frame."""
    inner = frame.copy()
    inner[:, 1:] &= frame[:, :-1]
    inner[:, :-1] &= frame[:, 1:]
    inner[:, :, 1:] &= frame[:, :, :-1]
    inner[:, :, :-1] &= frame[:, :, 1:]
    inner[:, [0, -1]] = False
    inner[:, :, [0, -1]] = False
    rim: NDArray[np.bool_] = frame & ~inner
    return rim
