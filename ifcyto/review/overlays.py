"""What is drawn over the cells of a page: outlines of masks, and frames that tell tags and selection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.review.mosaic import Mosaic

__all__ = ["SELECTED", "frames", "outlines"]

SELECTED = 255
"""Value of a selected cell's outer frame."""


def outlines(masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Border of the masks, from inside.

    Parameters
    ----------
    masks : ndarray (C, H, W) of uint8

    Returns
    -------
    ndarray (H, W) of uint8
        Channel counted from 1, the last one where borders lie over each other; 0 elsewhere.

    Examples
    --------
    >>> square = np.zeros((1, 5, 5), np.uint8)
    >>> square[0, 1:4, 1:4] = 1
    >>> outlines(square)[2].tolist()
    [0, 1, 0, 1, 0]
    """
    found = np.zeros(masks.shape[1:], np.uint8)
    for channel, mask in enumerate(masks, start=1):
        inside = np.pad(mask > 0, 1)
        deep = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
        found[inside[1:-1, 1:-1] & ~deep] = channel
    return found


def frames(made: Mosaic, tags: Sequence[int], selected: Sequence[bool]) -> NDArray[np.uint8]:
    """Frames around the cells of a page.

    Parameters
    ----------
    made : Mosaic
    tags : sequence of int (n,)
        Number of each cell's class, from 1; 0 for untagged.
    selected : sequence of bool (n,)

    Returns
    -------
    ndarray (H + gap, W + gap) of uint8
        The picture with half a gap more on every side. Around a cell half a gap is framed: the
        half next to the cell by its class, the outer half by :data:`SELECTED`. 0 elsewhere.
    """
    room = made.gap // 2
    inner = max(room // 2, 1)
    height, width = made.images.shape[1:]
    found = np.zeros((height + 2 * room, width + 2 * room), np.uint8)
    for place, (tag, chosen) in enumerate(zip(tags, selected, strict=True)):
        top, left = (corner + room for corner in made.corner(place))
        bottom, right = top + made.tile[0], left + made.tile[1]
        if chosen:
            found[top - room : bottom + room, left - room : right + room] = SELECTED
        if tag or chosen:
            found[top - inner : bottom + inner, left - inner : right + inner] = tag
            found[top:bottom, left:right] = 0
    return found
