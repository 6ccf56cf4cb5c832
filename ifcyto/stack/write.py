"""Cells in, one finished cell stack out.

The file grows under a temporary name beside its final one. Its last act is the
attribute that says *complete*; then it is renamed. Whatever stops the writer
before that leaves nothing under the final name.
"""

from __future__ import annotations

import itertools
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from ifcyto.cells import Cell, CellBatch
from ifcyto.errors import OutputError, UsageError
from ifcyto.provenance import json_text, version_of
from ifcyto.provenance import provenance as describe_run
from ifcyto.stack import layout
from ifcyto.stack.objects import ObjectTable, check_batch
from ifcyto.stack.prepare import batched, pixel_dtype, refuse_output, write_channels
from ifcyto.stack.streams import ChunkQueue, Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

    from ifcyto.cells import Channel

__all__ = ["StackWriter", "write_stack"]


class StackWriter:
    """Writes a cell stack, batch after batch, in memory that does not grow.

    Use it as a context manager: leaving the block finishes the file, an
    exception inside the block removes it.

    Parameters
    ----------
    path : path-like
        The file to make; its folder must exist.
    channels : sequence of Channel
        In the order of the images' first axis.
    dtype : dtype-like
        Of all pixels; an integer or floating-point type of 1 to 8 bytes.
    has_masks : bool
        Whether every batch brings masks.
    metadata : mapping, optional
        What the vendor wrote; stored as JSON.
    provenance : mapping, optional
        Record of :func:`ifcyto.provenance.provenance`; the default names no sources.
    overwrite : bool
        Replace an existing file, at the very end.
    workers : int, optional
        Threads that compress; default: one per core.

    Attributes
    ----------
    path : pathlib.Path
    metadata, provenance : dict
        Written when the file is finished; may be added to until then.

    Raises
    ------
    OutputError
        The file exists, or the disk refuses.
    UsageError
        No channels, a dtype that cannot be stored, or a batch that does not fit.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.cells import Channel
    >>> path = Path(tempfile.mkdtemp()) / "a.h5"
    >>> cells = [Cell(7, np.ones((1, 3, 4), np.int16)), Cell(9, np.ones((1, 5, 5), np.int16))]
    >>> with StackWriter(path, channels=[Channel(1, "BF")], dtype="int16", has_masks=False) as writer:
    ...     writer.append(CellBatch.from_cells(cells, n_channels=1, dtype=np.dtype("int16")))
    >>> len(writer), path.exists()
    (2, True)
    """

    def __init__(
        self,
        path: Path | str,
        *,
        channels: Sequence[Channel],
        dtype: Any,
        has_masks: bool,
        metadata: Mapping[str, Any] | None = None,
        provenance: Mapping[str, Any] | None = None,
        overwrite: bool = False,
        workers: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.channels = tuple(channels)
        self.dtype = pixel_dtype(dtype)
        self.has_masks = has_masks
        self.metadata = dict(metadata or {})
        self.provenance = dict(describe_run(sources=[], options={}) if provenance is None else provenance)
        self._overwrite = overwrite
        self._workers = workers or os.cpu_count() or 1
        self._part = self.path.with_name(f".{self.path.name}.part-{os.getpid()}-{secrets.token_hex(2)}")
        self._file: h5py.File | None = None
        self._broken: OutputError | None = None
        self._count = 0
        if not 0 < len(self.channels) <= layout.MAX_CHANNELS:
            msg = f"{path}: expected 1 to {layout.MAX_CHANNELS} channels, found {len(self.channels)}"
            raise UsageError(msg)

    def __len__(self) -> int:
        """Objects taken so far."""
        return self._count

    def __enter__(self) -> Self:
        refuse_output(self.path, overwrite=self._overwrite)
        try:
            with self._disk():
                self._file = h5py.File(self._part, "x", libver=layout.LIBVER, locking="best-effort")
                self._queue = ChunkQueue(self._workers)
                self._start(self._file)
        except BaseException:
            self._abort()
            raise
        return self

    def _start(self, file: h5py.File) -> None:
        file.attrs[layout.ATTR_FORMAT] = np.bytes_(layout.FORMAT)
        file.attrs[layout.ATTR_VERSION] = np.array(layout.VERSION, np.int64)
        file.attrs[layout.ATTR_CHANNELS] = np.int64(len(self.channels))
        file.attrs[layout.ATTR_CREATED_BY] = np.bytes_(f"ifcyto {version_of('ifcyto')}")
        kinds = [(layout.PIXELS, self.dtype, layout.CHUNK_PIXELS)]
        if self.has_masks:
            kinds.append((layout.MASKS, np.dtype(np.uint8), layout.CHUNK_MASKS))
        flat = [Stream(file, self._queue, key, dtype, chunk_rows=rows) for key, dtype, rows in kinds]
        for stream in flat:
            stream.dataset.attrs[layout.ATTR_HOW_TO_READ] = np.bytes_(layout.HOW_TO_READ)
            stream.dataset.attrs[layout.ATTR_CHANNELS] = np.int64(len(self.channels))
        self._pixels, self._masks = flat[0], flat[1] if self.has_masks else None
        self._objects = ObjectTable(file, self._queue, len(self.channels))
        write_channels(file, self.channels)

    def append(
        self, batch: CellBatch, source: int = 0, *, source_object_numbers: NDArray[np.int64] | None = None
    ) -> None:
        """Add the objects of `batch`, in order.

        Parameters
        ----------
        batch : CellBatch
            Its arrays must not be changed afterwards: compression runs behind
            the caller's back, without a copy.
        source : int
            0-based index of the input they come from, in the provenance's sources.
        source_object_numbers : ndarray (n,) of int64, optional
            Numbers in that input, where they differ from the batch's (a merge).

        Raises
        ------
        UsageError
            The batch does not fit the stack, or an object number occurs twice.
        OutputError
            The disk refuses.
        """
        if self._file is None:
            msg = f"{self.path}: expected an open writer: append inside the with block"
            raise UsageError(msg)
        with self._disk():
            check_batch(batch, str(self.path), len(self.channels), self.dtype, has_masks=self.has_masks)
            self._objects.append(batch, str(self.path), source, source_object_numbers)
            self._pixels.append(np.ascontiguousarray(batch.pixels, self.dtype))
            if self._masks is not None and batch.masks is not None:
                self._masks.append(np.ascontiguousarray(batch.masks))
        self._count += len(batch)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                if self._broken is not None:
                    raise self._broken
                with self._disk():
                    self._finish()
        finally:
            self._abort()

    def _finish(self) -> None:
        if self._file is None:
            return
        for stream in (self._pixels, self._masks, self._objects):
            if stream is not None:
                stream.finish()
        self._queue.finish()
        for key, document in ((layout.METADATA, self.metadata), (layout.PROVENANCE, self.provenance)):
            text = json_text(document).encode("ascii")
            self._file.create_dataset(key, data=np.array(text, f"S{len(text)}"), track_times=False)
        self._file.flush()
        self._file.attrs[layout.ATTR_COMPLETE] = np.int64(1)
        self._file.close()
        self._file = None
        refuse_output(self.path, overwrite=self._overwrite)
        self._part.replace(self.path)

    def _abort(self) -> None:
        """Release everything; the temporary file goes, unless it has its final name by now."""
        if hasattr(self, "_queue"):
            self._queue.close()
        file, self._file = self._file, None
        if file is not None:
            # A full disk lets closing fail as well; the first error has been raised already.
            with suppress(OSError, RuntimeError, ValueError):
                file.close()
        with suppress(FileNotFoundError):
            self._part.unlink()

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Turn what the disk or HDF5 says into an :class:`OutputError`."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            number = getattr(error, "errno", None)
            reason = os.strerror(number) if number else " ".join(str(error).split())
            self._broken = OutputError(f"{self.path}: cannot be written: {reason}")
            raise self._broken from error


def write_stack(
    cells: Iterable[Cell] | Iterable[CellBatch],
    path: Path | str,
    *,
    channels: Sequence[Channel],
    dtype: Any = None,
    metadata: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    workers: int | None = None,
) -> Path:
    """Write cells, or batches of cells, as one cell stack.

    Parameters
    ----------
    cells : iterable of Cell or of CellBatch
        Taken as they come; never held all at once.
    path : path-like
        The file to make.
    channels : sequence of Channel
    dtype : dtype-like, optional
        Default: that of the first item's pixels.
    metadata, provenance, overwrite, workers
        As in :class:`StackWriter`.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    OutputError, UsageError
        As in :class:`StackWriter`; UsageError too where there is no item and no `dtype`.

    Examples
    --------
    See :class:`ifcyto.stack.cell_stack.CellStack`.
    """
    items = iter(cells)
    first = next(items, None)
    if first is None and dtype is None:
        msg = f"{path}: expected cells, found none: give the dtype to write an empty stack"
        raise UsageError(msg)
    pixels = first.pixels if isinstance(first, CellBatch) else getattr(first, "images", None)
    dtype = np.dtype(dtype) if pixels is None or dtype is not None else pixels.dtype
    everything = itertools.chain([] if first is None else [first], items)
    with StackWriter(
        path,
        channels=channels,
        dtype=dtype,
        has_masks=getattr(first, "masks", None) is not None,
        metadata=metadata,
        provenance=provenance,
        overwrite=overwrite,
        workers=workers,
    ) as writer:
        for batch in batched(everything, len(writer.channels), writer.dtype):
            writer.append(batch)
    return writer.path
