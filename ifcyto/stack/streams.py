"""Arrays of any length in, ordered chunks of an HDF5 dataset out.

A :class:`ChunkQueue` packs chunks in threads and writes them in the order in
which they came; a :class:`Stream` cuts what it is given into chunks.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from ifcyto.stack import layout
from ifcyto.stack.chunks import LEVEL, pack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["ChunkQueue", "Stream", "TextStream"]

WAITING_PER_WORKER = 8
TEXT_CHUNK_BYTES = 2**20
MAX_TEXT_BYTES = 4096
"""Longest text of an object or a channel; longer ones are cut."""


class ChunkQueue:
    """Packs chunks in `workers` threads and writes them in order.

    At most ``8 * workers`` chunks wait; :meth:`put` then blocks until the oldest
    is written, so memory does not grow with the file.
    """

    def __init__(self, workers: int, level: int = LEVEL) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="ifcyto-pack")
        self._waiting: deque[tuple[h5py.Dataset, int, int, tuple[int, ...], Future[bytes]]] = deque()
        self._room = WAITING_PER_WORKER * workers
        self._level = level

    def put(self, dataset: h5py.Dataset, start: int, stop: int, chunk: NDArray[Any]) -> None:
        """Queue the whole `chunk` that begins at row `start`; the dataset then ends at `stop`."""
        while len(self._waiting) >= self._room:
            self._write_oldest()
        packed = self._pool.submit(pack, chunk, self._level)
        self._waiting.append((dataset, start, stop, chunk.shape[1:], packed))
        while self._waiting and self._waiting[0][-1].done():
            self._write_oldest()

    def _write_oldest(self) -> None:
        dataset, start, stop, per_row, packed = self._waiting.popleft()
        dataset.id.set_extent((stop, *per_row))
        dataset.id.write_direct_chunk((start,) + (0,) * len(per_row), packed.result())

    def finish(self) -> None:
        """Write all that waits."""
        while self._waiting:
            self._write_oldest()

    def close(self) -> None:
        """End the threads; what still waits is dropped."""
        self._waiting.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)


class Stream:
    """One numeric dataset, growing along its first axis.

    Parameters
    ----------
    file : h5py.File
    queue : ChunkQueue
    key : str
        HDF5 key.
    dtype : numpy.dtype
    chunk_rows : int
        Rows in a chunk.
    per_row : tuple of int
        Shape of one row, ``()`` for a flat dataset.
    """

    def __init__(
        self,
        file: h5py.File,
        queue: ChunkQueue,
        key: str,
        dtype: np.dtype[Any],
        *,
        chunk_rows: int,
        per_row: tuple[int, ...] = (),
    ) -> None:
        self._queue = queue
        self.dtype = dtype
        self._shape = (chunk_rows, *per_row)
        self.dataset = file.create_dataset(
            key,
            shape=(0, *per_row),
            maxshape=(None, *per_row),
            chunks=self._shape,
            dtype=dtype if dtype.kind == "S" else dtype.newbyteorder("<"),
            compression="gzip",
            compression_opts=LEVEL,
            shuffle=dtype.itemsize > 1,
            track_times=False,
        )
        self._tail: NDArray[Any] | None = None
        self._in_tail = 0
        self._written = 0

    def __len__(self) -> int:
        return self._written + self._in_tail

    def append(self, values: NDArray[Any]) -> None:
        """Add rows; whole chunks among them are not copied, so `values` must stay unchanged."""
        rows, begin = self._shape[0], 0
        if self._in_tail:
            begin = min(rows - self._in_tail, len(values))
            self._keep(values[:begin])
        whole = begin + (len(values) - begin) // rows * rows
        for start in range(begin, whole, rows):
            self._put(values[start : start + rows], rows)
        if whole < len(values):
            self._keep(values[whole:])

    def repeat(self, value: float, count: int) -> None:
        """Add `count` rows of one value."""
        for start in range(0, count, self._shape[0]):
            shape = (min(self._shape[0], count - start), *self._shape[1:])
            self.append(np.full(shape, value, self.dtype))

    def _keep(self, values: NDArray[Any]) -> None:
        if self._tail is None:
            self._tail = np.zeros(self._shape, self.dtype)
        stop = self._in_tail + len(values)
        self._tail[self._in_tail : stop] = values
        self._in_tail = stop
        if stop == self._shape[0]:
            self._put(self._tail, stop)

    def _put(self, chunk: NDArray[Any], rows: int) -> None:
        self._queue.put(self.dataset, self._written, self._written + rows, chunk)
        self._written += rows
        self._tail, self._in_tail = None, 0

    def finish(self) -> None:
        """Queue the last chunk, filled up with zeros."""
        if self._tail is not None:
            self._put(self._tail, self._in_tail)


class TextStream:
    """One dataset of UTF-8 texts; the counterpart of :class:`Stream`.

    Texts are stored at one fixed length, which is only known at the end: until
    then each different text is kept once, and 4 bytes for every row.
    """

    def __init__(self, file: h5py.File, queue: ChunkQueue, key: str) -> None:
        self._file, self._queue, self._key = file, queue, key
        self._codes: dict[bytes, int] = {}
        self._rows: list[NDArray[np.int32]] = []

    def append(self, values: Iterable[Any]) -> None:
        """Add rows."""
        texts = [clean_text(value) for value in values]
        codes = [self._codes.setdefault(text, len(self._codes)) for text in texts]
        self._rows.append(np.array(codes, np.int32))

    def repeat(self, value: str, count: int) -> None:
        """Add `count` rows of one text."""
        code = self._codes.setdefault(clean_text(value), len(self._codes))
        self._rows.append(np.full(count, code, np.int32))

    def finish(self) -> None:
        """Queue all rows."""
        texts = text_array(self._codes)
        rows = max(1, min(layout.CHUNK_ROWS, TEXT_CHUNK_BYTES // texts.dtype.itemsize))
        stream = Stream(self._file, self._queue, self._key, texts.dtype, chunk_rows=rows)
        for codes in self._rows:
            for start in range(0, len(codes), rows):
                stream.append(texts[codes[start : start + rows]])
        stream.finish()


def text_array(texts: Iterable[bytes]) -> NDArray[Any]:
    """UTF-8 texts as a fixed-length array whose dtype tells HDF5 that they are UTF-8."""
    array: NDArray[Any] = np.array([*texts, b""])[:-1]
    return array.astype(h5py.string_dtype("utf-8", max(array.dtype.itemsize, 1)))


def clean_text(value: Any) -> bytes:
    """UTF-8 that HDF5 can hold: NUL and broken Unicode become replacement characters.

    Longer texts than :data:`MAX_TEXT_BYTES` are cut, and end with an ellipsis.
    """
    text = str(value).encode("utf-8", "replace").replace(b"\0", "\N{REPLACEMENT CHARACTER}".encode())
    if len(text) <= MAX_TEXT_BYTES:
        return text
    return text[: MAX_TEXT_BYTES - 3].decode("utf-8", "ignore").encode() + "\N{HORIZONTAL ELLIPSIS}".encode()


def chunk_rows_for(columns: int) -> int:
    """Rows in a chunk of an object column with `columns` 8-byte values a row."""
    return max(1, min(layout.CHUNK_ROWS, layout.MAX_CHUNK_BYTES // 16 // columns))
