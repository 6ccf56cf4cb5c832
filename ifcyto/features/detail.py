"""Bright detail: what an image holds above its local background (``ideas_features`` 5.4)."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.features.kernels.detail import top_hat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = ["bright_detail", "white_top_hat"]


def bright_detail(work: Workspace, image: int, radius: int) -> NDArray[Any]:
    """Block: the bright detail image I - opening(I), the white top-hat with a flat disc.

    The disc holds the pixels with dx^2 + dy^2 <= radius^2. At the image border
    only pixels inside the image count. An *approximation* of IDEAS, whose
    element is not published (``ideas_features`` 5.4, MANUAL).

    Parameters
    ----------
    work : Workspace
    image : int
        Place of the channel on the images' first axis.
    radius : int
        Radius of the disc in pixels, at least 0.

    Returns
    -------
    ndarray (P,) of int32 or float64
        Counts, never negative, in the dtype of the image. The opening is the
        image less this. Shared: do not write.

    Raises
    ------
    ValueError
        `radius` is negative.

    Examples
    --------
    >>> from ifcyto.features.workspace import Workspace
    >>> from ifcyto.planes import Planes
    >>> from ifcyto.samples.cells import CHANNELS, simulate_sample
    >>> planes = Planes(simulate_sample(3, seed=1).batch, CHANNELS, pixel_size_um=0.5)
    >>> work = Workspace(planes, lambda name: planes.object_mask(0))
    >>> detail = work.once(bright_detail, 0, 3)
    >>> detail.shape == planes.image(0).shape, bool(detail.min() >= 0)
    (True, True)
    """
    return white_top_hat(work.image(image), work.geometry, radius)


def white_top_hat(
    pixels: NDArray[Any],
    geometry: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]],
    radius: int,
) -> NDArray[Any]:
    """Top-hat of planes as :func:`bright_detail` has it.

    Parameters
    ----------
    pixels : ndarray (P,) of int32 or float64
    geometry : (starts, heights, widths)
        Of the planes.
    radius : int
        In pixels, at least 0.

    Returns
    -------
    ndarray (P,)
        In the dtype of `pixels`.

    Raises
    ------
    ValueError
        `radius` is negative.
    """
    if radius < 0:
        msg = f"expected a radius of 0 or more, found {radius}"
        raise ValueError(msg)
    out = np.empty_like(pixels)
    halves = np.array([isqrt(radius**2 - k**2) for k in range(radius + 1)], np.int64)
    narrow = _narrowed(pixels)
    whole = narrow.dtype.kind != "f"
    highest = np.array([np.iinfo(narrow.dtype).max if whole else np.inf], narrow.dtype)
    top_hat(narrow, *geometry, halves, highest, np.array([whole], narrow.dtype), out)
    return out


def _narrowed(pixels: NDArray[Any]) -> NDArray[Any]:
    """The same whole numbers in 16 bits where they fit: twice as many are compared at once."""
    limits = np.iinfo(np.int16)
    if pixels.dtype.kind == "f" or not pixels.size:
        return pixels
    fits = pixels.min() >= limits.min and pixels.max() <= limits.max
    return pixels.astype(np.int16) if fits else pixels
