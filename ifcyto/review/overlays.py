"""What is drawn over the cells of a page: outlines of masks, and frames that tell tags and selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.review.mosaic import Mosaic

__all__ = [
    "LINES", "MASK_COLOURS", "SELECTED", "Line", "borders", "frames", "line_pattern", "outlines",
    "piece_centres", "rgb",
]  # fmt: skip

Line = Literal["solid", "dashed", "dotted"]

LINES: tuple[Line, ...] = ("solid", "dashed", "dotted")

MASK_COLOURS = ("#00E5FF", "#FFFFFF", "#B6FF00", "#FF8A80", "#80D8FF", "#EA80FC")
"""Of the outlines of the stored masks, channel by channel."""

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
        found[borders(mask > 0)] = channel
    return found


def borders(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of masks with a neighbour outside, or at the frame's border.

    Parameters
    ----------
    inside : ndarray (..., H, W) of bool
        Each frame for itself.

    Examples
    --------
    >>> borders(np.ones((1, 3, 3), bool)).astype(int).tolist()
    [[[1, 1, 1], [1, 0, 1], [1, 1, 1]]]
    """
    deep = np.zeros_like(inside)
    middle = inside[..., 1:-1, 1:-1]
    deep[..., 1:-1, 1:-1] = (
        middle
        & inside[..., :-2, 1:-1]
        & inside[..., 2:, 1:-1]
        & inside[..., 1:-1, :-2]
        & inside[..., 1:-1, 2:]
    )
    found: NDArray[np.bool_] = inside & ~deep
    return found


def line_pattern(line: Line, height: int, width: int, *, grain: int = 1) -> NDArray[np.bool_]:
    """Where a line of this kind leaves ink.

    Along rows, columns and both diagonals the steps of ``row + 2 column`` modulo 5 are not 0, so
    that a line is broken whichever way it runs.

    Parameters
    ----------
    line : {"solid", "dashed", "dotted"}
    height, width : int
    grain : int
        Pixels of the screen that are one of the pattern.

    Returns
    -------
    ndarray (height, width) of bool

    Examples
    --------
    >>> [line_pattern(line, 1, 10)[0].astype(int).tolist() for line in ("dashed", "dotted")]
    [[1, 1, 0, 1, 0, 1, 1, 0, 1, 0], [1, 0, 0, 1, 0, 1, 0, 0, 1, 0]]
    """
    if line == "solid":
        return np.ones((height, width), bool)
    row, column = np.ogrid[:height, :width]
    step = (row // grain + 2 * (column // grain)) % 5
    found: NDArray[np.bool_] = step < (3 if line == "dashed" else 2)
    return found


def piece_centres(
    labels: NDArray[np.integer[Any]], most: int = 20
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Where the pieces of numbered masks lie.

    Parameters
    ----------
    labels : ndarray (n, H, W) of int
    most : int
        Pieces of a cell from number 1 on; further ones have no place.

    Returns
    -------
    cells : ndarray (m,) of int64
        Which cell each piece belongs to.
    numbers : ndarray (m,) of int64
    centres : ndarray (m, 2) of float64
        Row and column of the mean of its pixels that lie in the frame.

    Examples
    --------
    >>> cells, numbers, centres = piece_centres(np.array([[[1, 1, 0, 2]], [[0, 0, 1, 0]]]))
    >>> cells.tolist(), numbers.tolist(), centres.tolist()
    ([0, 0, 1], [1, 2, 1], [[0.0, 0.5], [0.0, 3.0], [0.0, 2.0]])
    """
    cell, row, column = np.nonzero((labels > 0) & (labels <= most))
    key = cell * (most + 1) + labels[cell, row, column]
    area = np.bincount(key)
    there = np.flatnonzero(area)
    sums = [np.bincount(key, weights=place)[there] for place in (row, column)]
    centres = np.column_stack(sums) / area[there, np.newaxis]
    return there // (most + 1), there % (most + 1), centres


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of ``#RRGGBB``, from 0 to 255.

    Examples
    --------
    >>> rgb("#FF9E80")
    (255, 158, 128)
    """
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


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
