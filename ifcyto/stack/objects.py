"""The table of objects inside a stack that is being written, and what a batch must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import FACTS, CellBatch
from ifcyto.errors import UsageError
from ifcyto.stack import layout
from ifcyto.stack.kernels import mask_centroids
from ifcyto.stack.streams import Stream, TextStream, chunk_rows_for

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from ifcyto.stack.streams import ChunkQueue

__all__ = ["ObjectNumbers", "ObjectTable", "check_batch", "duplicates", "mask_centres"]

RECENT_NUMBERS = 4096


def duplicates(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers that occur more than once, each named once, in rising order.

    Examples
    --------
    >>> duplicates(np.array([3, 1, 3, 2, 1]))
    array([1, 3])
    """
    values, counts = np.unique(numbers, return_counts=True)
    return values[counts > 1]


def mask_centres(batch: CellBatch) -> NDArray[np.float64]:
    """Row and column of each object's centre, ``(n, 2)``, in pixels from 0.

    The mean over the pixels whose mask value is 1 in any channel; the centre of
    the image, ``((H - 1) / 2, (W - 1) / 2)``, where there is no such pixel or no mask.
    """
    if batch.masks is None:
        return np.stack([(batch.heights - 1) / 2, (batch.widths - 1) / 2], axis=1)
    centres = np.empty((len(batch), 2))
    masks = np.ascontiguousarray(batch.masks)
    mask_centroids(masks, batch.offsets, batch.heights, batch.widths, batch.n_channels, centres)
    return centres


def check_batch(
    batch: CellBatch, place: str, n_channels: int, dtype: np.dtype[Any], *, has_masks: bool
) -> None:
    """Raise :class:`UsageError` unless `batch` fits a stack of these channels and this dtype."""
    n = len(batch)
    found = None
    if batch.n_channels != n_channels:
        found = f"expected {n_channels} channels, found {batch.n_channels}"
    elif not np.can_cast(batch.pixels.dtype, dtype, "safe"):
        found = f"expected {dtype} pixels, found {batch.pixels.dtype}, which does not fit without loss"
    elif (batch.masks is not None) != has_masks and n:
        found = f"expected {'masks' if has_masks else 'no masks'}, found {'none' if has_masks else 'masks'}"
    elif batch.heights.shape != (n,) or batch.widths.shape != (n,):
        found = f"expected {n} heights and widths, found {batch.heights.shape} and {batch.widths.shape}"
    elif n and min(batch.heights.min(), batch.widths.min()) < 1:
        row = int(np.argmin(np.minimum(batch.heights, batch.widths)))
        size = f"{batch.heights[row]} x {batch.widths[row]}"
        found = f"object {batch.object_numbers[row]}: expected an image of 1 x 1 pixels or more, found {size}"
    elif batch.pixels.shape != (batch.offsets[-1],):
        found = f"expected {batch.offsets[-1]} pixels by the objects' sizes, found {batch.pixels.shape}"
    elif batch.masks is not None and batch.masks.shape != batch.pixels.shape:
        found = f"expected {batch.pixels.size} mask values, found {batch.masks.shape}"
    elif batch.masks is not None and batch.masks.dtype != np.uint8:
        found = f"expected masks of uint8, found {batch.masks.dtype}"
    else:
        found = _wrong_fact(batch)
    if found is not None:
        msg = f"{place}: {found}"
        raise UsageError(msg)


def _wrong_fact(batch: CellBatch) -> str | None:
    for name, values in batch.facts.items():
        if name not in FACTS:
            return f"expected facts of ifcyto.cells.FACTS, found {name!r}"
        shape = (len(batch), batch.n_channels) if FACTS[name].per_channel else (len(batch),)
        if np.shape(values) != shape:
            return f"fact {name}: expected the shape {shape}, found {np.shape(values)}"
    return None


class ObjectNumbers:
    """Object numbers seen so far, 8 bytes each; a twin is found as it comes.

    Numbers above all earlier ones cost nothing; others are looked up among the
    earlier ones, which are kept sorted but for the latest few.
    """

    def __init__(self) -> None:
        self._sorted = np.empty(0, np.int64)
        self._recent: list[NDArray[np.int64]] = []
        self._highest: int | None = None

    def add(self, numbers: NDArray[np.int64], place: str) -> None:
        """Take more numbers, or raise :class:`UsageError` naming one that occurs twice."""
        if not len(numbers):
            return
        ordered = np.sort(numbers)
        twice = duplicates(ordered)
        if not len(twice) and self._highest is not None and ordered[0] <= self._highest:
            twice = ordered[self._known(ordered)]
        if len(twice):
            more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
            msg = f"{place}: expected each object number once, found object {twice[0]}{more} twice"
            raise UsageError(msg)
        self._recent.append(ordered)
        highest = int(ordered[-1])
        self._highest = highest if self._highest is None else max(highest, self._highest)

    def _known(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which `numbers` have been seen."""
        if sum(map(len, self._recent)) > RECENT_NUMBERS:
            self._sorted = np.sort(np.concatenate([self._sorted, *self._recent]), kind="stable")
            self._recent = []
        known: NDArray[np.bool_] = np.isin(numbers, np.concatenate([*self._recent, numbers[:0]]))
        if len(self._sorted):
            place = np.minimum(np.searchsorted(self._sorted, numbers), len(self._sorted) - 1)
            known |= self._sorted[place] == numbers
        return known


class ObjectTable:
    """Per-object columns of a stack that is being written."""

    def __init__(self, file: h5py.File, queue: ChunkQueue, n_channels: int) -> None:
        self._file, self._queue, self._n_channels = file, queue, n_channels
        self.numbers = ObjectNumbers()
        self._columns = {column.key: self._stream(column) for column in layout.COLUMNS}
        self._facts: dict[str, Stream | TextStream] = {}
        self._count = 0
        self._end = 0
        self._columns[layout.OFFSET.key].append(np.zeros(1, np.int64))

    def _stream(self, column: layout.Column) -> Stream:
        width = self._n_channels if column.per_channel else 1
        per_row = (width,) if column.per_channel else ()
        rows = chunk_rows_for(width)
        return Stream(
            self._file, self._queue, column.key, np.dtype(column.dtype), chunk_rows=rows, per_row=per_row
        )

    def append(
        self, batch: CellBatch, place: str, source: int, source_numbers: NDArray[np.int64] | None
    ) -> None:
        """Add one row for each object; `batch` has been checked."""
        numbers = np.asarray(batch.object_numbers, np.int64)
        own = numbers if source_numbers is None else np.asarray(source_numbers, np.int64)
        if own.shape != numbers.shape:
            msg = f"{place}: expected {len(numbers)} source object numbers, found {own.shape}"
            raise UsageError(msg)
        self.numbers.add(numbers, place)
        centres = mask_centres(batch)
        values = {
            layout.OBJECT_NUMBER: numbers,
            layout.HEIGHT: batch.heights,
            layout.WIDTH: batch.widths,
            layout.OFFSET: batch.offsets[1:] + self._end,
            layout.SOURCE: np.full(len(batch), source),
            layout.SOURCE_OBJECT_NUMBER: own,
            layout.CENTROID_ROW: centres[:, 0],
            layout.CENTROID_COLUMN: centres[:, 1],
        }
        for column, array in values.items():
            self._columns[column.key].append(np.ascontiguousarray(array, column.dtype))
        self._append_facts(batch)
        self._end += int(batch.offsets[-1])
        self._count += len(batch)

    def _append_facts(self, batch: CellBatch) -> None:
        """Add the facts; where a fact is new or missing, rows are filled with *not known*."""
        for name in batch.facts:
            if name not in self._facts:
                self._facts[name] = self._new_fact(name)
        for name, stream in self._facts.items():
            if name not in batch.facts:
                stream.repeat(FACTS[name].missing, len(batch))  # type: ignore[arg-type]
            elif isinstance(stream, Stream):
                stream.append(np.ascontiguousarray(batch.facts[name], stream.dtype))
            else:
                stream.append(batch.facts[name])

    def _new_fact(self, name: str) -> Stream | TextStream:
        column = layout.FACT_COLUMNS[name]
        is_text = column.dtype == "str"
        stream = TextStream(self._file, self._queue, column.key) if is_text else self._stream(column)
        stream.repeat(FACTS[name].missing, self._count)  # type: ignore[arg-type]
        return stream

    def finish(self) -> None:
        """Queue the last rows of every column."""
        for stream in (*self._columns.values(), *self._facts.values()):
            stream.finish()
