"""The file under a cell stack: opened, checked against its own claims, read by chunks.

Nothing that the file says of itself is believed before it is held against
what the file holds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import h5py
import numpy as np

from ifcyto.cells import FACTS, CellBatch, Channel
from ifcyto.errors import StackError, UsageError
from ifcyto.stack import layout
from ifcyto.stack.chunks import ChunkReader, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["HDF5_ERRORS", "StackFile", "is_cell_stack", "open_hdf5", "read_attributes"]

HDF5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, UnicodeDecodeError, MemoryError)
"""What h5py raises on damaged files."""


def open_hdf5(path: Path) -> h5py.File:
    """Open an HDF5 file to read, or raise :class:`StackError` saying what it is instead."""
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        msg = f"{path}: expected a cell stack, found {found}"
        raise StackError(msg)
    try:
        return h5py.File(path, "r", locking="best-effort")
    except HDF5_ERRORS as error:
        with path.open("rb") as file:
            head = file.read(8)
        if head != b"\x89HDF\r\n\x1a\n":
            msg = f"{path}: expected an HDF5 file, found one that begins with {head.hex(' ') or 'nothing'}"
        else:
            msg = f"{path}: is unfinished or damaged, convert its source again: HDF5 says {one_line(error)}"
        raise StackError(msg) from error


def read_attributes(file: h5py.File) -> dict[str, Any]:
    """Read the attributes of the root as plain Python values.

    Those of variable length are left out, as None: HDF5 keeps them in heaps
    without checksums, and a damaged heap can make it read for ever.
    """
    found = {}
    for name in file.attrs:
        fixed = not file.attrs.get_id(name).dtype.hasobject
        value = file.attrs[name] if fixed else None
        plain = value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value
        found[name] = plain.decode("utf-8", "replace") if isinstance(plain, bytes) else plain
    return found


def is_cell_stack(path: Path) -> bool:
    """Say whether a file is a cell stack, by one attribute; nothing else of it is read.

    False for other people's HDF5 files, for damaged ones and for what is no file.

    Examples
    --------
    >>> import pathlib
    >>> is_cell_stack(pathlib.Path("no-such-file.h5"))
    False
    """
    try:
        with open_hdf5(path) as file:
            return bool(read_attributes(file).get(layout.ATTR_FORMAT) == layout.FORMAT)
    except (StackError, OSError, *HDF5_ERRORS):
        return False


class StackFile:
    """An open cell stack whose parts agree with one another.

    Raises
    ------
    StackError
        See :meth:`ifcyto.stack.cell_stack.CellStack.open`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.channels: tuple[Channel, ...] = ()
        self._hdf5 = open_hdf5(path)
        try:
            self._check_root()
            self.channels = self._read_channels()
            self._read_objects()
            self._read_flat_datasets()
            self.fact_names = [name for name in FACTS if layout.fact_key(name) in self._hdf5]
            self.metadata = self._read_document(layout.METADATA)
            self.provenance = self._read_document(layout.PROVENANCE)
        except StackError:
            self.close()
            raise
        except HDF5_ERRORS as error:
            self.close()
            msg = f"{path}: is damaged: HDF5 says {one_line(error)}"
            raise StackError(msg) from error
        self._facts: dict[str, NDArray[Any]] = {}

    def close(self) -> None:
        """Close the file."""
        self._hdf5.close()

    def fail(self, message: str) -> NoReturn:
        """Raise :class:`StackError` with the path."""
        msg = f"{self.path}: {message}"
        raise StackError(msg)

    def _check_root(self) -> None:
        attributes = read_attributes(self._hdf5)
        name = attributes.get(layout.ATTR_FORMAT)
        if name != layout.FORMAT:
            self.fail(f"expected the attribute {layout.ATTR_FORMAT} = {layout.FORMAT!r}, found {name!r:.80}")
        version = attributes.get(layout.ATTR_VERSION)
        if not (isinstance(version, list) and len(version) == 2 and all(type(n) is int for n in version)):
            self.fail(f"expected the attribute {layout.ATTR_VERSION} of two whole numbers, found {version}")
        if version[0] > layout.VERSION[0]:
            known = f"{layout.VERSION[0]}.x"
            self.fail(f"expected version {known}, found {version[0]}.{version[1]}: update the package ifcyto")
        if version[0] < 1:
            self.fail(f"expected version 1.0 or later, found {version[0]}.{version[1]}")
        if attributes.get(layout.ATTR_COMPLETE) != 1:
            self.fail("is unfinished: it has no end mark, convert its source again")
        self._n_channels = attributes.get(layout.ATTR_CHANNELS)

    def numbers(self, column: layout.Column) -> ChunkReader:
        """Find a numeric column and check its type and rank."""
        reader = ChunkReader(self.path, self.dataset(column.key))
        if reader.dtype.newbyteorder("=") != np.dtype(column.dtype):
            reader.fail(f"expected {column.dtype}, found {reader.dtype}")
        per_row = (len(self.channels),) if column.per_channel else ()
        if reader.shape[1:] != per_row:
            reader.fail(f"expected rows of shape {per_row}, found {reader.shape[1:]}")
        return reader

    def dataset(self, key: str) -> h5py.Dataset:
        """Find a dataset, or say that it is missing."""
        found = self._hdf5.get(key)
        if not isinstance(found, h5py.Dataset):
            self.fail(f"/{key}: expected a dataset, found {'nothing' if found is None else 'a group'}")
        return found

    def column(self, column: layout.Column, rows: int | None = None) -> NDArray[Any]:
        """Read a whole numeric column, whose length must be `rows` where that is given."""
        reader = self.numbers(column)
        if rows is not None and len(reader) != rows:
            reader.fail(f"expected {rows} rows, found {len(reader)}")
        return reader.read(0, len(reader))

    def texts(self, key: str, rows: int) -> NDArray[Any]:
        """Read a column of `rows` texts as an array of str."""
        reader = ChunkReader(self.path, self.dataset(key))
        if reader.dtype.kind != "S" or reader.shape != (rows,):
            reader.fail(f"expected {rows} texts of fixed length, found {reader.dtype}, shape {reader.shape}")
        return np.array([text.decode("utf-8", "replace") for text in reader.read(0, rows).tolist()], object)

    def _read_channels(self) -> tuple[Channel, ...]:
        n = self._n_channels
        if not isinstance(n, int) or not 1 <= n <= layout.MAX_CHANNELS:
            expected = f"the attribute {layout.ATTR_CHANNELS} from 1 to {layout.MAX_CHANNELS}"
            self.fail(f"expected {expected}, found {n!r:.80}")
        table: dict[str, list[Any]] = {}
        for name, dtype in layout.CHANNEL_COLUMNS.items():
            key = layout.channel_key(name)
            texts = dtype == "str"
            values = self.texts(key, int(n)) if texts else self.column(layout.Column(key, dtype), int(n))
            table[name] = values.tolist()
        sizes = [None if np.isnan(size) else size for size in table.pop("pixel_size_um")]
        lit = [bool(value) for value in table.pop("brightfield")]
        rows = zip(*table.values(), lit, sizes, strict=True)
        names = (*table, "brightfield", "pixel_size_um")
        return tuple(Channel(**dict(zip(names, row, strict=True))) for row in rows)

    def _read_objects(self) -> None:
        self.object_numbers = self.column(layout.OBJECT_NUMBER)
        n = len(self.object_numbers)
        self.heights, self.widths = self.column(layout.HEIGHT, n), self.column(layout.WIDTH, n)
        self.offsets = self.column(layout.OFFSET, n + 1)
        self.sources = self.column(layout.SOURCE, n)
        self.source_object_numbers = self.column(layout.SOURCE_OBJECT_NUMBER, n)
        centroid = [self.column(column, n) for column in (layout.CENTROID_ROW, layout.CENTROID_COLUMN)]
        self.centroids = np.stack(centroid, axis=1)
        bad = np.flatnonzero((self.heights < 1) | (self.widths < 1))
        if len(bad):
            self.fail(f"/{layout.HEIGHT.key}, row {bad[0]}: expected an image of 1 x 1 pixels or more")
        areas = self.heights.astype(np.int64) * self.widths
        sizes = np.diff(self.offsets)
        wrong = np.flatnonzero((sizes < 0) | (sizes % areas != 0) | (sizes // areas != len(self.channels)))
        if self.offsets[0] != 0 or len(wrong):
            row = int(wrong[0]) if len(wrong) else 0
            self.fail(f"/{layout.OFFSET.key}, row {row}: expected offsets that follow the objects' sizes")
        limits = np.stack([self.heights, self.widths], axis=1)
        outside = np.flatnonzero(~((self.centroids >= 0) & (self.centroids < limits)).all(axis=1))
        if len(outside):
            self.fail(f"/{layout.CENTROID_ROW.key}, row {outside[0]}: expected a centroid inside the image")

    def _read_flat_datasets(self) -> None:
        self.pixels = ChunkReader(self.path, self.dataset(layout.PIXELS))
        self.masks: ChunkReader | None = None
        if layout.MASKS in self._hdf5:
            self.masks = ChunkReader(self.path, self.dataset(layout.MASKS))
            if self.masks.dtype != np.uint8:
                self.masks.fail(f"expected uint8, found {self.masks.dtype}")
        for reader in (self.pixels, self.masks):
            if reader is not None and reader.shape != (self.offsets[-1],):
                reader.fail(
                    f"expected {self.offsets[-1]} values by /{layout.OFFSET.key}, found {reader.shape}"
                )
        if self.pixels.dtype.newbyteorder("=") not in layout.PIXEL_DTYPES:
            self.pixels.fail(f"expected pixels of 1 to 8 bytes, found {self.pixels.dtype}")

    def _read_document(self, key: str) -> dict[str, Any]:
        dataset = self.dataset(key)
        if dataset.shape != () or dataset.dtype.kind != "S":
            self.fail(f"/{key}: expected one text of fixed length, found {dataset.dtype}, {dataset.shape}")
        if dataset.dtype.itemsize > self.path.stat().st_size:
            self.fail(f"/{key}: expected a text that fits the file, found {dataset.dtype.itemsize} bytes")
        try:
            document = json.loads(bytes(dataset[()]))
        except (*HDF5_ERRORS, RecursionError) as error:
            msg = f"{self.path}: /{key}: expected JSON: {one_line(error)}"
            raise StackError(msg) from error
        if not isinstance(document, dict):
            self.fail(f"/{key}: expected a JSON object, found {type(document).__name__}")
        return document

    def fact(self, name: str) -> NDArray[Any]:
        """Read a column of facts, once."""
        if name not in self._facts:
            column, n = layout.FACT_COLUMNS[name], len(self.object_numbers)
            self.require_open()
            self._facts[name] = self.texts(column.key, n) if column.dtype == "str" else self.column(column, n)
        return self._facts[name]

    def require_open(self) -> None:
        """Raise :class:`UsageError` after :meth:`close`."""
        if not self._hdf5:
            msg = f"{self.path}: the stack is closed: open it again"
            raise UsageError(msg)

    def read_flat(self, reader: ChunkReader, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Read the values of whole cells one after the other, neighbours at one go."""
        self.require_open()
        if not len(rows):
            return reader.read(0, 0)
        runs = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
        parts = [reader.read(int(self.offsets[run[0]]), int(self.offsets[run[-1] + 1])) for run in runs]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def flat_batch(self, rows: NDArray[np.int64], *, masks: bool) -> CellBatch:
        """Read either the pixels or the masks of `rows`, with what padding needs, as a batch."""
        reader = self.masks if masks and self.masks is not None else self.pixels
        name = "background_mean"
        facts = {name: self.fact(name)[rows]} if name in self.fact_names and not masks else {}
        return CellBatch(
            object_numbers=self.object_numbers[rows],
            heights=self.heights[rows],
            widths=self.widths[rows],
            n_channels=len(self.channels),
            pixels=self.read_flat(reader, rows),
            masks=None,
            facts=facts,
        )

    def parts(self, rows: NDArray[np.int64], pixels: int) -> Iterator[slice]:
        """Cut `rows` into runs of at most `pixels` pixels, at least one cell each."""
        ends = np.cumsum(self.offsets[rows + 1] - self.offsets[rows])
        start = 0
        while start < len(rows):
            before = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + pixels, side="right")))
            yield slice(start, stop)
            start = stop
