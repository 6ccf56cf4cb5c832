"""Many cells as one picture, and back from a point of it to the cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Mosaic", "columns_for", "mosaic"]


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """Cells in rows and columns, in reading order.

    Parameters
    ----------
    images : ndarray (C, H, W)
    masks : ndarray (C, H, W) of uint8
        0 outside, 1 inside; 0 between the cells.
    count : int
        Cells.
    columns : int
    tile : (int, int)
        Height and width of a cell, px.
    gap : int
        Pixels between cells.
    header : int
        Pixels above each cell, for its number.
    """

    images: NDArray[Any]
    masks: NDArray[np.uint8]
    count: int
    columns: int
    tile: tuple[int, int]
    gap: int
    header: int = 0

    def corner(self, place: int) -> tuple[int, int]:
        """Row and column of a cell's upper left pixel."""
        down, across = divmod(place, self.columns)
        return (
            down * (self.header + self.tile[0] + self.gap) + self.header,
            across * (self.tile[1] + self.gap),
        )

    def place_at(self, y: float, x: float) -> int | None:
        """Which cell lies under a point, px; None between cells and beside them."""
        down, in_y = divmod(y, self.header + self.tile[0] + self.gap)
        in_y -= self.header
        across, in_x = divmod(x, self.tile[1] + self.gap)
        place = int(down) * self.columns + int(across)
        inside = 0 <= in_y < self.tile[0] and in_x < self.tile[1]
        good = inside and 0 <= across < self.columns and down >= 0 and place < self.count
        return place if good else None

    def outline(self, place: int) -> NDArray[np.float64]:
        """Corners ``(4, 2)`` of a cell's frame, (row, column), at the outer border of its pixels."""
        top, left = self.corner(place)
        bottom, right = top + self.tile[0], left + self.tile[1]
        return np.array([[top, left], [top, right], [bottom, right], [bottom, left]], np.float64) - 0.5

    def laid(self, tiles: NDArray[Any]) -> NDArray[Any]:
        """Put something of every cell where the cell is.

        Parameters
        ----------
        tiles : ndarray (n, height, width, ...)

        Returns
        -------
        ndarray (H, W, ...)
            In the dtype of `tiles`; 0 between the cells.
        """
        found = np.zeros((*self.images.shape[1:], *tiles.shape[3:]), tiles.dtype)
        for place in range(self.count):
            top, left = self.corner(place)
            found[top : top + self.tile[0], left : left + self.tile[1]] = tiles[place]
        return found


def columns_for(count: int, tile: tuple[int, int], aspect: float = 1.5) -> int:
    """Columns that give a mosaic about `aspect` times as wide as high.

    Examples
    --------
    >>> columns_for(100, (64, 64)), columns_for(3, (64, 64)), columns_for(0, (64, 64))
    (12, 2, 1)
    """
    wanted = np.sqrt(count * aspect * tile[0] / tile[1])
    return int(min(max(round(float(wanted)), 1), max(count, 1)))


def mosaic(
    images: NDArray[Any],
    masks: NDArray[np.uint8],
    *,
    columns: int | None = None,
    gap: int = 2,
    header: int = 0,
    fill: NDArray[Any] | None = None,
) -> Mosaic:
    """Put cells side by side.

    Parameters
    ----------
    images : ndarray (n, C, H, W)
    masks : ndarray (n, C, H, W) of uint8
    columns : int, optional
        By default about 1.5 times as wide as high.
    gap : int
        Pixels between cells.
    header : int
        Pixels above each row of cells.
    fill : ndarray (C,), optional
        Values of what is no cell; by default the least value of each channel.

    Returns
    -------
    Mosaic
        One empty cell where there is none.
    """
    n, channels, height, width = images.shape
    columns = columns or columns_for(n, (height, width))
    rows = max(1, -(-n // columns))
    shape = (channels, rows * (header + height + gap) - gap, columns * (width + gap) - gap)
    if fill is None:
        fill = images.min(axis=(0, 2, 3)) if n else np.zeros(channels, images.dtype)
    picture = np.empty(shape, images.dtype)
    picture[:] = fill[:, np.newaxis, np.newaxis]
    inside = np.zeros(shape, np.uint8)
    found = Mosaic(picture, inside, n, columns, (height, width), gap, header)
    for place in range(n):
        top, left = found.corner(place)
        picture[:, top : top + height, left : left + width] = images[place]
        inside[:, top : top + height, left : left + width] = masks[place] > 0
    return found
