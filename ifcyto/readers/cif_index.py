"""Find every object of a CIF or RIF file: walk the directory chain and check its claims.

Nothing is decoded here. Memory is bounded by the number of directories that the
file really holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ifcyto.errors import Fault
from ifcyto.readers import kernels as k
from ifcyto.readers.cif_checks import check_pairs, check_strips, repeated_numbers, strips_in_others
from ifcyto.readers.tiffdirs import RECORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ifcyto.readers.cif_checks import Report

__all__ = ["FileIndex", "ObjectIndex", "check_shapes", "index_file", "read_span"]

_WINDOW = 8 << 20
_SMALL_WINDOW = 1 << 16
_SIGNATURE = 10  # entry count and the constant part of the first field
_ROWS = 1 << 14


def read_span(file: BinaryIO, at: int, n_bytes: int) -> NDArray[np.uint8]:
    """Read up to `n_bytes` from offset `at`, as bytes in an array."""
    file.seek(at)
    return np.frombuffer(file.read(n_bytes), np.uint8)


def _scan(file: BinaryIO, at: int, size: int, report: Report) -> Iterator[NDArray[np.int64]]:
    """Walk the chain that starts at `at`, a block of directories at a time.

    Parameters
    ----------
    file : binary file, open for reading
    at : int
        Offset of the first directory of an object.
    size : int
        Size of the file in bytes.
    report : callable
        Takes each :class:`~ifcyto.errors.Fault`; when it returns, the walk looks
        for the next image directory of the same layout and goes on there.

    Yields
    ------
    ndarray (n, REC_COLUMNS) of int64
        One row a directory, in file order.
    """
    signature = b""
    window = _WINDOW
    while at:
        buf = read_span(file, at, window)
        records = np.empty((_ROWS, k.REC_COLUMNS), np.int64)
        n, status, stop = k.scan_chain(buf, at, at, size, records)
        if n:
            if not signature and records[0, k.REC_TYPE] == RECORD["image"]:
                signature = buf[:_SIGNATURE].tobytes()
            yield records[:n]
        if status == k.SCAN_END:
            break
        if status in {k.SCAN_MORE, k.SCAN_FULL}:
            # Directories that lie far apart are read in small steps.
            window = _WINDOW if n == 0 or n > 4 else _SMALL_WINDOW
            at = stop
            continue
        report(Fault(_chain_text(status, size), offset=int(stop)))
        at = _find(file, signature, int(stop) + 1, size)


def _chain_text(status: int, size: int) -> str:
    return {
        k.SCAN_BAD_COUNT: f"expected a directory of 1 to {k.MAX_ENTRIES} entries, found another number",
        k.SCAN_BAD_NEXT: "expected the next directory further on, the chain goes backward or leaves the file",
        k.SCAN_BAD_TYPE: "expected an image or mask record, found another kind of directory",
        k.SCAN_CUT: f"the file ends inside a directory: it is truncated at {size} bytes",
    }[status]


def _find(file: BinaryIO, signature: bytes, at: int, size: int) -> int:
    """Offset of the next `signature` from `at`, or 0."""
    while signature and at < size:
        block = read_span(file, at, _WINDOW + _SIGNATURE).tobytes()
        place = block.find(signature)
        if place >= 0:
            return at + place
        at += _WINDOW
    return 0


_KEPT: dict[str, dict[int, type[np.integer[Any]]]] = {
    "image": {
        k.REC_OFFSET: np.int64,
        k.REC_STRIP: np.int64,
        k.REC_BYTES: np.uint32,
        k.REC_STRIPS: np.uint8,
        k.REC_CODEC: np.int32,
        k.REC_WIDTH: np.uint32,
        k.REC_HEIGHT: np.uint32,
    },
    "mask": {
        k.REC_OFFSET: np.int64,
        k.REC_STRIP: np.int64,
        k.REC_BYTES: np.uint32,
        k.REC_STRIPS: np.uint8,
        k.REC_CODEC: np.int32,
    },
}
"""Columns of the record table that reading needs, and how they are kept: 74 bytes an object in all."""


@dataclass(frozen=True, slots=True, eq=False)
class ObjectIndex:
    """Some objects, with the record tables that decoding needs; one entry an object.

    `image` and `mask` have the columns of the record table (REC_COLUMNS), of
    which those in use are set; a mask offset of -1 stands for "no mask". `stop`
    is the end of the object's bytes.
    """

    numbers: NDArray[np.int64]
    image: NDArray[np.int64]
    mask: NDArray[np.int64]
    stop: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    def keep(self, rows: NDArray[Any]) -> ObjectIndex:
        """Return the chosen rows (indices or a boolean array)."""
        return ObjectIndex(self.numbers[rows], self.image[rows], self.mask[rows], self.stop[rows])


class FileIndex:
    """Where every object of a file lies, in few bytes each.

    Parameters
    ----------
    numbers, stop : ndarray (N,) of int64
        As in :class:`ObjectIndex`.
    columns : dict
        ``(kind, column)`` to an array ``(N,)``; kinds and columns of `_KEPT`.
    """

    def __init__(
        self,
        numbers: NDArray[np.int64],
        stop: NDArray[np.int64],
        columns: dict[tuple[str, int], NDArray[Any]],
    ) -> None:
        self.numbers = numbers
        self.stop = stop
        self._columns = columns

    def __len__(self) -> int:
        return len(self.numbers)

    def column(self, kind: str, column: int) -> NDArray[Any]:
        """One column of the image or mask records, ``(N,)``."""
        return self._columns[kind, column]

    @property
    def masked(self) -> NDArray[np.bool_]:
        """Which objects have a mask."""
        has: NDArray[np.bool_] = self.column("mask", k.REC_OFFSET) >= 0
        return has

    def keep(self, rows: NDArray[Any]) -> ObjectIndex:
        """Unpack the chosen rows."""
        tables = {}
        for kind, kept in _KEPT.items():
            tables[kind] = np.full((len(rows), k.REC_COLUMNS), -1, np.int64)
            for column in kept:
                tables[kind][:, column] = self._columns[kind, column][rows]
        return ObjectIndex(self.numbers[rows], tables["image"], tables["mask"], self.stop[rows])

    def without(self, bad: NDArray[np.bool_]) -> FileIndex:
        """Leave out the objects at which `bad` is True."""
        if not bad.any():
            return self
        columns = {key: values[~bad] for key, values in self._columns.items()}
        return FileIndex(self.numbers[~bad], self.stop[~bad], columns)

    @classmethod
    def pack(cls, objects: ObjectIndex) -> FileIndex:
        """Keep what reading needs."""
        columns = {}
        for kind, kept in _KEPT.items():
            table = objects.image if kind == "image" else objects.mask
            for column, dtype in kept.items():
                low = -1 if np.issubdtype(dtype, np.signedinteger) else 0
                columns[kind, column] = np.clip(table[:, column], low, np.iinfo(dtype).max).astype(dtype)
        return cls(objects.numbers, objects.stop, columns)

    @classmethod
    def join(cls, parts: list[FileIndex]) -> FileIndex:
        """Put parts one after the other; the parts are emptied on the way, so that memory stays low."""
        if not parts:
            none = np.empty((0, k.REC_COLUMNS), np.int64)
            return cls.pack(ObjectIndex(none[:, 0], none, none, none[:, 0]))
        columns = {
            key: np.concatenate([part._columns.pop(key) for part in parts]) for key in list(parts[0]._columns)
        }
        numbers, stop = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("numbers", "stop")
        )
        return cls(numbers, stop, columns)


def index_file(file: BinaryIO, at: int, size: int, report: Report) -> FileIndex:
    """Walk the chain from offset `at`, pair images with masks and leave out what cannot be read.

    Faults are reported for a broken chain, masks without an image, images
    without a mask where others have one, object numbers that occur twice,
    strips outside the file or inside another's, unknown codecs, and claims of
    more pixels than the strip can hold. When `report` returns, the rest of the
    file is indexed.
    """
    parts: list[FileIndex] = []
    n_images = 0
    carried = np.empty((0, k.REC_COLUMNS), np.int64)
    for block in _scan(file, at, size, report):
        records = np.concatenate([carried, block])
        images = np.flatnonzero(records[:, k.REC_TYPE] == RECORD["image"])
        cut = int(images[-1]) if len(images) else len(records)
        if cut:
            stop = int(records[cut, k.REC_OFFSET]) if len(images) else size
            parts.append(_pair(records[:cut], stop, n_images, size, report))
        n_images += max(0, len(images) - 1)
        carried = records[cut:].copy()
    if len(carried):
        parts.append(_pair(carried, size, n_images, size, report))
    index = FileIndex.join(parts)
    if index.masked.any():
        bad = ~index.masked
        _refuse(index, bad, report, lambda _: "expected a mask after the image, found none")
        index = index.without(bad)
    bad, owners = strips_in_others(
        {kind: (index.column(kind, k.REC_STRIP), index.column(kind, k.REC_BYTES)) for kind in _KEPT},
        {kind: index.column(kind, k.REC_STRIPS) == 1 for kind in _KEPT},
        index.column("image", k.REC_OFFSET),
        index.stop,
    )
    _refuse(
        index, bad, report, lambda row: f"a strip reaches into that of object {index.numbers[owners[row]]}"
    )
    index = index.without(bad)
    bad, first = repeated_numbers(index.numbers)
    offsets = index.column("image", k.REC_OFFSET)
    _refuse(
        index, bad, report, lambda row: f"object number occurs twice, first at offset {offsets[first[row]]}"
    )
    return index.without(bad)


def _refuse(index: FileIndex, bad: NDArray[np.bool_], report: Report, text: Callable[[int], str]) -> None:
    offsets = index.column("image", k.REC_OFFSET)
    for row in np.flatnonzero(bad).tolist():
        report(Fault(text(row), int(index.numbers[row]), int(offsets[row])))


def _pair(records: NDArray[np.int64], stop: int, first: int, size: int, report: Report) -> FileIndex:
    """Make objects of the records of one block; `stop` is where the next object begins."""
    kinds = records[:, k.REC_TYPE]
    is_image = kinds == RECORD["image"]
    follows = np.zeros(len(records), bool)
    follows[:-1] = is_image[:-1] & (kinds[1:] == RECORD["mask"])
    for at in records[~is_image & ~np.concatenate([[False], follows[:-1]]), k.REC_OFFSET].tolist():
        report(Fault("expected an image before this mask, found none", offset=at))
    images = np.flatnonzero(is_image)
    padded = np.concatenate([records, np.full((1, k.REC_COLUMNS), -1, np.int64)])
    numbers = records[images, k.REC_ID]
    objects = ObjectIndex(
        np.where(numbers >= 0, numbers, first + np.arange(len(images))),
        records[images],
        padded[np.where(follows[images], images + 1, len(records))],
        np.append(records[images[1:], k.REC_OFFSET], stop)[: len(images)],
    )
    good = np.ones(len(objects), bool)
    check_pairs(objects.image, objects.mask, objects.numbers, good, report)
    check_strips(objects.image, "image", objects.numbers, good, size, report)
    masked = objects.mask[:, k.REC_OFFSET] >= 0
    check_strips(objects.mask, "mask", objects.numbers, good & masked, size, report, into=good)
    return FileIndex.pack(objects.keep(good))


def check_shapes(index: FileIndex, n_channels: int, report: Report) -> FileIndex:
    """Leave out objects whose width is not a multiple of the number of channels."""
    width = index.column("image", k.REC_WIDTH)
    bad = width % n_channels != 0
    _refuse(
        index, bad, report, lambda row: f"width {width[row]} px is not a multiple of {n_channels} channels"
    )
    return index.without(bad)
