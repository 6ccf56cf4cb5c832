"""Images of cells as a network gets them: one size, chosen channels, background and scale. Needs no keras."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.stack.frames import backgrounds, channel_rows, frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ifcyto.stack.cell_stack import CellStack

__all__ = ["Crops", "cut", "join", "repeats", "training_scale"]

ROWS_AT_ONCE = 512
"""Cells whose whole images are in memory at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Images of one size, in the stack's own numbers.

    Parameters
    ----------
    images : ndarray (n, C, H, W)
    background : ndarray (n, C) of float32
        Value that surrounds each cell; :func:`ifcyto.stack.frames.backgrounds`.
    """

    images: NDArray[Any]
    background: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: NDArray[np.int64]) -> Crops:
        """Some of them."""
        return Crops(self.images[rows], self.background[rows])

    def scaled(self, rows: Any, scale: NDArray[np.float32]) -> NDArray[np.float32]:
        """Input of a network ``(n, H, W, C)``: less the background, divided by the channel's scale."""
        values = self.images[rows].astype(np.float32)
        values -= self.background[rows][:, :, np.newaxis, np.newaxis]
        values /= scale[:, np.newaxis, np.newaxis]
        return np.ascontiguousarray(np.moveaxis(values, 1, -1))


def cut(
    stack: CellStack,
    rows: NDArray[np.int64],
    channels: Sequence[str | int],
    size: int,
    step: Callable[[int], None] | None = None,
) -> Crops:
    """Cut or pad cells about their centroid, as :meth:`CellStack.images` does, and keep their background.

    Parameters
    ----------
    stack : CellStack
    rows : ndarray (n,) of int64
    channels : sequence of str or int
        By role, name or number.
    size : int
        Side in pixels.
    step : callable, optional
        Called with the number of cells that are done.

    Raises
    ------
    UsageError
        A channel that is not there.
    StackError
        The file is damaged.
    """
    picked = channel_rows(stack.channels, list(channels))
    images = np.empty((len(rows), len(picked), size, size), stack.dtype)
    background = np.empty((len(rows), len(picked)), np.float32)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        batch = stack.read_batch(rows[part])
        fill = backgrounds(batch)
        frames(batch, batch.pixels, stack.centroids[rows[part]], picked, fill, images[part])
        background[part] = fill[:, picked]
        if step is not None:
            step(min(start + ROWS_AT_ONCE, len(rows)))
    return Crops(images, background)


def join(parts: Sequence[Crops]) -> Crops:
    """Crops of several stacks, one after the other."""
    return Crops(
        np.concatenate([part.images for part in parts]), np.concatenate([part.background for part in parts])
    )


def training_scale(crops: Crops, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Scale of each channel ``(C,)``: root of the mean square of what lies above the background.

    Found on the training images alone; 1 for a channel that is empty in all of them.
    """
    total = np.zeros(crops.images.shape[1])
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        above = crops.images[part] - crops.background[part].astype(np.float64)[:, :, np.newaxis, np.newaxis]
        total += np.square(above).sum(axis=(0, 2, 3))
    height, width = crops.images.shape[2:]
    found = np.sqrt(total / (max(1, len(rows)) * height * width))
    scale: NDArray[np.float32] = np.where(found > 0, found, 1).astype(np.float32)
    return scale


def repeats(crops: Crops) -> list[NDArray[np.int64]]:
    """Groups of rows whose images are the same, byte for byte; empty when all differ.

    Examples
    --------
    >>> images = np.arange(3)[[0, 1, 0], None, None, None] * np.ones((3, 1, 2, 2))
    >>> [group.tolist() for group in repeats(Crops(images, np.zeros((3, 1), np.float32)))]
    [[0, 2]]
    """
    seen: dict[bytes, list[int]] = {}
    for row in range(len(crops)):
        digest = hashlib.sha256(crops.images[row].tobytes()).digest()
        seen.setdefault(digest, []).append(row)
    return [np.array(rows) for rows in seen.values() if len(rows) > 1]
