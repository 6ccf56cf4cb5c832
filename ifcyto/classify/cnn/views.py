"""The same image as it might as well have lain: turned by right angles, and mirrored. Needs no keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["VIEWS", "orientations"]

VIEWS = (1, 8)
"""Numbers of orientations that may be asked for: as the image lies, or all that keep its pixels whole."""


def orientations(images: NDArray[np.float32], views: int) -> Iterator[NDArray[np.float32]]:
    """Give images in one orientation after the other, first as they lie.

    Parameters
    ----------
    images : ndarray (n, H, W, C)
        For eight views square: H is W.
    views : int
        1, or 8: turned by 0, 90, 180 and 270 degrees, and the same of the mirrored images (the
        symmetry group of the square, D4). Pixels are moved, none is computed.

    Yields
    ------
    ndarray (n, H, W, C)

    Raises
    ------
    UsageError
        Another number of views, or eight of images that are not square.

    Examples
    --------
    >>> image = np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1)
    >>> [view.ravel().astype(int).tolist() for view in orientations(image, 8)][:5]
    [[0, 1, 2, 3], [1, 3, 0, 2], [3, 2, 1, 0], [2, 0, 3, 1], [1, 0, 3, 2]]
    """
    if views not in VIEWS:
        msg = f"expected {' or '.join(map(str, VIEWS))} views, found {views}"
        raise UsageError(msg)
    height, width = images.shape[1:3]
    if views > 1 and height != width:
        msg = f"expected square images for {views} views, found {height} x {width} pixels: ask for 1 view"
        raise UsageError(msg)
    for turned in (images, images[:, :, ::-1])[: 1 if views == 1 else 2]:
        for quarter in range(1 if views == 1 else 4):
            yield np.ascontiguousarray(np.rot90(turned, quarter, axes=(1, 2)))
