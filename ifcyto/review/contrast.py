"""Contrast of a page's channels, so that a channel without a signal stays dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import uniform_filter

from ifcyto.figures.channels import display_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["contrast"]

NOISE = 0.66
"""Brightness that is left after a mean of 3 x 3 pixels: a third of noise, nearly all of a cell."""

FAINT = 8.0
"""Counts of a camera that are no more than its noise."""

DIM = 5.0
"""How much darker a channel of noise is shown."""


def contrast(images: NDArray[Any], brightfield: Sequence[bool]) -> list[tuple[float, float]]:
    """Contrast limits of each channel.

    Parameters
    ----------
    images : ndarray (n, C, H, W)
    brightfield : sequence of bool (C,)

    Returns
    -------
    list of (float, float)
        :func:`ifcyto.figures.channels.display_range` over all images; a fluorescence channel that
        holds noise alone is shown five times darker. (0, 1) where there is no image.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(2, 1, 32, 32))
    >>> cell = noise.copy()
    >>> cell[:, :, 8:24, 8:24] += 50
    >>> [round(contrast(shown, [False])[0][1]) for shown in (noise, cell)]
    [17, 52]
    """
    found = []
    for channel, bright in enumerate(brightfield):
        planes = images[:, channel]
        low, high = display_range(list(planes) or [np.zeros((1, 1))], brightfield=bright)
        if not bright and len(planes):
            middle = float(np.median(planes))
            smooth = uniform_filter(planes.astype(np.float32), (0, 3, 3))
            left = float(np.percentile(smooth, 99.8)) - middle
            faint = images.dtype.kind in "iu" and high - low < FAINT
            if faint or left < NOISE * (high - middle):
                high = low + DIM * (high - low)
        found.append((low, high))
    return found
