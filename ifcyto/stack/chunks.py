"""Chunks of an HDF5 dataset, packed and unpacked beside HDF5's own filters.

What is written is what the stock *shuffle* and *deflate* filters write, so any
HDF5 reads it; it is only made and undone by a faster deflate (Intel's ISA-L),
which also leaves the interpreter free for other threads.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NoReturn

import h5py
import numpy as np
from h5py._objects import phil
from isal import isal_zlib

from ifcyto.errors import StackError
from ifcyto.stack import layout

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ChunkReader", "pack", "unpack"]

LEVEL = 1
"""ISA-L's compression level; chosen by ``benchmarks/bench_stack.py``."""

DEFLATE, SHUFFLE = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE

CACHED_CHUNKS = 8
SLACK_BYTES = 4096


def shuffle(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Group the bytes of all values by their place in a value, as HDF5's filter does."""
    flat = np.ascontiguousarray(array).reshape(-1)
    out = np.empty(flat.nbytes, np.uint8)
    n = flat.size
    if flat.itemsize == 2:
        words = flat.view(np.uint16)
        np.copyto(out[:n], words, casting="unsafe")
        np.right_shift(words, 8, out=out[n:], casting="unsafe")
        return out
    octets = flat.view(np.uint8)
    for place in range(flat.itemsize):
        out[place * n : (place + 1) * n] = octets[place :: flat.itemsize]
    return out


def unshuffle(octets: NDArray[np.uint8], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Undo :func:`shuffle`."""
    n = octets.size // dtype.itemsize
    out = np.empty(n, dtype)
    if dtype.itemsize == 2:
        words = out.view(np.uint16)
        np.left_shift(octets[n:], 8, out=words, dtype=np.uint16)
        words |= octets[:n]
        return out
    view = out.view(np.uint8)
    for place in range(dtype.itemsize):
        view[place :: dtype.itemsize] = octets[place * n : (place + 1) * n]
    return out


def pack(array: NDArray[Any], level: int = LEVEL) -> bytes:
    """Shuffle (values wider than a byte) and deflate one chunk.

    Examples
    --------
    >>> chunk = np.arange(6, dtype=np.int16)
    >>> unpack(pack(chunk), chunk.dtype, chunk.size)
    array([0, 1, 2, 3, 4, 5], dtype=int16)
    """
    octets = shuffle(array) if array.dtype.itemsize > 1 else np.ascontiguousarray(array)
    packed: bytes = isal_zlib.compress(octets, level)
    return packed


def unpack(
    packed: bytes | NDArray[np.uint8],
    dtype: np.dtype[Any],
    size: int,
    *,
    shuffled: bool | None = None,
    deflated: bool = True,
) -> NDArray[Any]:
    """Undo :func:`pack`; at most one byte more than expected is ever inflated.

    Parameters
    ----------
    packed : bytes-like
    dtype : numpy.dtype
        Little-endian.
    size : int
        Number of values that the chunk must hold.
    shuffled : bool, optional
        Default: values wider than a byte are.
    deflated : bool

    Raises
    ------
    ValueError
        The data are damaged, or hold another number of bytes.
    """
    expected = size * dtype.itemsize
    if deflated:
        stream = isal_zlib.decompressobj()
        try:
            data = stream.decompress(packed, expected + 1)
        except (isal_zlib.error, EOFError) as error:  # type: ignore[misc]
            raise ValueError(str(error)) from error
        if len(data) == expected and not stream.eof:
            msg = "the compressed data have no end"
            raise ValueError(msg)
    else:
        data = bytes(packed)
    if len(data) != expected:
        msg = f"expected {expected} bytes, found {'more' if len(data) > expected else len(data)}"
        raise ValueError(msg)
    octets = np.frombuffer(data, np.uint8)
    if dtype.itemsize > 1 if shuffled is None else shuffled:
        return unshuffle(octets, dtype)
    return octets.view(dtype)


def one_line(error: BaseException) -> str:
    """Message of an HDF5 error without its line breaks."""
    return " ".join(str(error).split())


class ChunkReader:
    """Rows of one chunked dataset, a chunk at a time; safe from several threads.

    Parameters
    ----------
    path : pathlib.Path
        For messages.
    dataset : h5py.Dataset
        Chunked along its first axis only; packed by gzip, with shuffle or
        without, or plain.

    Raises
    ------
    StackError
        The dataset has another form, or chunks over
        :data:`ifcyto.stack.layout.MAX_CHUNK_BYTES`.

    Notes
    -----
    The number of rows is only a claim of the file: memory is taken chunk by
    chunk as they are found, and a missing chunk is an error.
    """

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        self.path, self.dataset, self.key = path, dataset, dataset.name
        if dataset.dtype.kind not in "iufS":
            self.fail(f"expected numbers or texts of fixed length, found {dataset.dtype}")
        self.dtype = dataset.dtype
        self.shape: tuple[int, ...] = dataset.shape
        chunks = dataset.chunks
        if chunks is None or len(self.shape) not in {1, 2} or chunks[1:] != self.shape[1:]:
            self.fail(f"expected chunks along the first axis, found shape {self.shape}, chunks {chunks}")
        self.chunk_rows = int(chunks[0])
        self._chunk_shape = (self.chunk_rows, *self.shape[1:])
        self._values = int(np.prod([int(n) for n in chunks], dtype=object))
        size = self._values * self.dtype.itemsize
        if not 0 < size <= layout.MAX_CHUNK_BYTES:
            self.fail(f"expected chunks of at most {layout.MAX_CHUNK_BYTES} bytes, found {size}")
        self._room = size + size // 8 + SLACK_BYTES
        self.filters = self._filters()
        self._cache: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def _filters(self) -> list[int]:
        pipeline = self.dataset.id.get_create_plist()
        codes = [int(pipeline.get_filter(i)[0]) for i in range(pipeline.get_nfilters())]
        if codes not in ([], [DEFLATE], [SHUFFLE], [SHUFFLE, DEFLATE]):
            self.fail(f"expected gzip with or without shuffle, found the HDF5 filters {codes}")
        return codes

    def fail(self, message: str, cause: BaseException | None = None) -> NoReturn:
        """Raise :class:`StackError` with the place of this dataset."""
        msg = f"{self.path}: {self.key}: {message}"
        raise StackError(msg) from cause

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def n_chunks(self) -> int:
        """Number of chunks that the rows need."""
        return -(-len(self) // self.chunk_rows)

    def chunk(self, index: int) -> NDArray[Any]:
        """Read one whole chunk, read-only, from the small cache where it is there."""
        with self._lock:
            found = self._cache.get(index)
            if found is not None:
                self._cache.move_to_end(index)
                return found
        array = self._load(index)
        array.flags.writeable = False
        with self._lock:
            self._cache[index] = array
            while len(self._cache) > CACHED_CHUNKS:
                self._cache.popitem(last=False)
        return array

    def _load(self, index: int) -> NDArray[Any]:
        start = (index * self.chunk_rows,) + (0,) * (len(self.shape) - 1)
        try:
            with phil:  # h5py 3.14 does not take its lock here, and HDF5 is not for several threads
                mask, packed = self.dataset.id.read_direct_chunk(start, out=np.empty(self._room, np.uint8))
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            self.fail(f"chunk {index} is missing or damaged: {one_line(error)}", error)
        applied = [code for i, code in enumerate(self.filters) if not mask >> i & 1]
        how = {"shuffled": SHUFFLE in applied, "deflated": DEFLATE in applied}
        try:
            values = unpack(packed, self.dtype, self._values, **how)
        except ValueError as error:
            self.fail(f"chunk {index} is damaged: {error}", error)
        return values.astype(self.dtype.newbyteorder("="), copy=False).reshape(self._chunk_shape)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Copy rows `start` to `stop`; only the chunks that hold them are unpacked."""
        if not 0 <= start <= stop <= len(self):
            self.fail(f"expected rows within 0 to {len(self)}, found {start} to {stop}")
        parts = []
        for index in range(start // self.chunk_rows, -(-stop // self.chunk_rows)):
            first = index * self.chunk_rows
            parts.append(self.chunk(index)[max(start - first, 0) : stop - first])
        if not parts:
            return np.empty((0, *self.shape[1:]), self.dtype.newbyteorder("="))
        return np.concatenate(parts)
