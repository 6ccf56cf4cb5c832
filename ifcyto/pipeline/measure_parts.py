"""Large images a few at a time, so that memory is bounded by pixels and not by objects."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ifcyto.cells import CellBatch
    from ifcyto.readers.base import Reader
    from ifcyto.stack.cell_stack import CellStack

__all__ = ["image_sizes", "in_parts", "rows_at_once"]

PIXELS_AT_ONCE = 4_000_000
"""Pixels, all channels together, that are read and of which features are computed at once."""


def image_sizes(reader: CellStack | Reader) -> NDArray[np.int64] | None:
    """Pixels ``(N,)`` of every object, all channels together; None where they are known by reading only."""
    heights, widths = (getattr(reader, name, None) for name in ("heights", "widths"))
    if heights is None or widths is None:
        return None
    sizes: NDArray[np.int64] = heights.astype(np.int64) * widths * len(reader.channels)
    return sizes


def rows_at_once(rows: list[int], sizes: NDArray[np.int64] | None) -> Iterator[list[int]]:
    """Split rows so that large images are read a few at a time.

    Parameters
    ----------
    rows : list of int
    sizes : ndarray (N,) or None
        What :func:`image_sizes` says; None does not split.

    Examples
    --------
    >>> list(rows_at_once([4, 0, 2], np.array([3, 1, 3, 1, 3]) * 1_000_000))
    [[4, 0], [2]]
    """
    if sizes is None:
        yield rows
        return
    bounds = _bounds(np.cumsum(sizes[rows]) - sizes[rows])
    for first, last in pairwise(bounds):
        yield rows[first:last]


def in_parts(batch: CellBatch) -> Iterator[CellBatch]:
    """Split a batch of large images, for readers that did not know how large they are.

    Examples
    --------
    >>> from ifcyto.samples.cells import simulate_sample
    >>> len(list(in_parts(simulate_sample(5, seed=1).batch)))
    1
    """
    bounds = _bounds(batch.offsets[:-1])
    if len(bounds) <= 2:
        yield batch
        return
    places = np.arange(len(batch))
    for first, last in pairwise(bounds):
        yield batch.keep((places >= first) & (places < last))


def _bounds(offsets: NDArray[np.int64]) -> list[int]:
    """Where parts begin, and the end of the last, from the pixels before each object."""
    cuts = np.flatnonzero(np.diff(offsets // PIXELS_AT_ONCE)) + 1
    return [0, *cuts.tolist(), len(offsets)]
