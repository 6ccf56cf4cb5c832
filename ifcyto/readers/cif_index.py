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
from ifcyto.readers.tiffdirs import CODEC, RECORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Report = Callable[[Fault], None]

__all__ = ["ObjectIndex", "check_shapes", "index_objects", "read_span", "scan_records"]

_WINDOW = 8 << 20
_SMALL_WINDOW = 1 << 16
_SIGNATURE = 10  # entry count and the constant part of the first field
_ROWS = 1 << 14


def read_span(file: BinaryIO, at: int, n_bytes: int) -> NDArray[np.uint8]:
    """Read up to `n_bytes` from offset `at`, as bytes in an array."""
    file.seek(at)
    return np.frombuffer(file.read(n_bytes), np.uint8)


def scan_records(file: BinaryIO, at: int, size: int, report: Report) -> NDArray[np.int64]:
    """Walk the chain that starts at `at`.

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

    Returns
    -------
    ndarray (n, REC_COLUMNS) of int64
        One row a directory, in file order.
    """
    parts = []
    signature = b""
    window = _WINDOW
    while at:
        buf = read_span(file, at, window)
        records = np.empty((_ROWS, k.REC_COLUMNS), np.int64)
        n, status, stop = k.scan_chain(buf, at, at, size, records)
        if n:
            parts.append(records[:n].copy())
            if not signature and records[0, k.REC_TYPE] == RECORD["image"]:
                signature = buf[:_SIGNATURE].tobytes()
        if status == k.SCAN_END:
            break
        if status in {k.SCAN_MORE, k.SCAN_FULL}:
            # Directories that lie far apart are read in small steps.
            window = _WINDOW if n == 0 or n > 4 else _SMALL_WINDOW
            at = stop
            continue
        report(Fault(_chain_text(status, size), offset=int(stop)))
        at = _find(file, signature, int(stop) + 1, size)
    if not parts:
        return np.empty((0, k.REC_COLUMNS), np.int64)
    return np.concatenate(parts)


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


@dataclass(frozen=True, slots=True, eq=False)
class ObjectIndex:
    """Where each object lies; every array has one entry an object, in file order.

    `image` and `mask` are rows of the record table (REC_COLUMNS); a mask row of
    -1 throughout stands for "no mask". `stop` is the end of the object's bytes.
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


def index_objects(records: NDArray[np.int64], size: int, report: Report) -> ObjectIndex:
    """Pair images with masks and leave out what cannot be read.

    Faults are reported for masks without an image, images without a mask where
    others have one, object numbers that occur twice, strips outside the file,
    unknown codecs, and claims of more pixels than the strip can hold.
    """
    kinds = records[:, k.REC_TYPE]
    is_image = kinds == RECORD["image"]
    follows = np.zeros(len(records), bool)
    follows[:-1] = is_image[:-1] & (kinds[1:] == RECORD["mask"])
    for at in records[~is_image & ~np.concatenate([[False], follows[:-1]]), k.REC_OFFSET].tolist():
        report(Fault("expected an image before this mask, found none", offset=at))
    images = np.flatnonzero(is_image)
    none = np.full((1, k.REC_COLUMNS), -1, np.int64)
    padded = np.concatenate([records, none])
    numbers = records[images, k.REC_ID].copy()
    numbers[numbers < 0] = np.flatnonzero(numbers < 0)
    ends = np.append(records[images[1:], k.REC_OFFSET], size)
    index = ObjectIndex(
        numbers, records[images], padded[np.where(follows[images], images + 1, len(records))], ends
    )
    good = np.ones(len(index), bool)
    _check_masks(index, good, report)
    _check_strips(index.image, "image", index.numbers, good, size, report)
    masked = index.mask[:, k.REC_OFFSET] >= 0
    _check_strips(index.mask, "mask", index.numbers, good & masked, size, report, into=good)
    _check_overlaps(index, good, report)
    _check_numbers(index, good, report)
    return index.keep(good)


def _tell(
    rows: NDArray[np.bool_],
    index_numbers: NDArray[np.int64],
    offsets: NDArray[np.int64],
    good: NDArray[np.bool_],
    report: Report,
    text: Callable[[int], str],
) -> None:
    for row in np.flatnonzero(rows).tolist():
        good[row] = False
        report(Fault(text(row), int(index_numbers[row]), int(offsets[row])))


def _check_masks(index: ObjectIndex, good: NDArray[np.bool_], report: Report) -> None:
    masked = index.mask[:, k.REC_OFFSET] >= 0
    offsets = index.image[:, k.REC_OFFSET]
    if masked.any():
        _tell(
            ~masked,
            index.numbers,
            offsets,
            good,
            report,
            lambda _: "expected a mask after the image, found none",
        )
    for column, name in ((k.REC_WIDTH, "wide"), (k.REC_HEIGHT, "high")):
        differs = masked & good & (index.mask[:, column] != index.image[:, column])

        def text(row: int, column: int = column, name: str = name) -> str:
            return f"image is {index.image[row, column]} px {name}, its mask {index.mask[row, column]}"

        _tell(differs, index.numbers, offsets, good, report, text)
    theirs = index.mask[:, k.REC_ID]
    other = masked & good & (theirs >= 0) & (theirs != index.numbers)
    _tell(
        other, index.numbers, offsets, good, report, lambda row: f"its mask belongs to object {theirs[row]}"
    )


def _check_strips(
    records: NDArray[np.int64],
    what: str,
    numbers: NDArray[np.int64],
    rows: NDArray[np.bool_],
    size: int,
    report: Report,
    *,
    into: NDArray[np.bool_] | None = None,
) -> None:
    good = rows if into is None else into
    offsets = records[:, k.REC_OFFSET]
    codec = records[:, k.REC_CODEC]
    wanted = CODEC["greyscale" if what == "image" else "mask"]
    _tell(
        rows & (codec != wanted) & (codec != CODEC["plain"]),
        numbers,
        offsets,
        good,
        report,
        lambda row: f"expected {what} codec {wanted} or {CODEC['plain']}, found {codec[row]}",
    )
    width, height = records[:, k.REC_WIDTH], records[:, k.REC_HEIGHT]
    _tell(
        rows & good & ((width <= 0) | (height <= 0)),
        numbers,
        offsets,
        good,
        report,
        lambda row: f"expected an {what} of at least 1 x 1 px, found {width[row]} x {height[row]}",
    )
    strips, counts = records[:, k.REC_STRIPS], records[:, k.REC_COUNTS]
    _tell(
        rows & good & ((strips < 1) | (strips != counts)),
        numbers,
        offsets,
        good,
        report,
        lambda row: f"expected as many {what} strips as byte counts, found {strips[row]} and {counts[row]}",
    )
    n_bytes = records[:, k.REC_BYTES]
    single = rows & good & (strips == 1)
    stop = records[:, k.REC_STRIP] + n_bytes
    _tell(
        single & (stop > size),
        numbers,
        offsets,
        good,
        report,
        lambda row: f"{what} strip ends at {stop[row]}, the file has {size} bytes: it is truncated",
    )
    several = rows & good & (strips > 1) & (np.maximum(records[:, k.REC_STRIP], n_bytes) + 4 * strips > size)
    _tell(
        several,
        numbers,
        offsets,
        good,
        report,
        lambda row: f"the list of {strips[row]} {what} strips leaves the file",
    )
    # A nibble holds at most one pixel, a byte pair at most 256.
    most = np.where(strips == 1, n_bytes, size) * (2 if what == "image" else 128)
    plain = codec == CODEC["plain"]
    pixels = width.astype(np.float64) * height
    most = np.where(plain, most if what == "image" else most // 128, most)
    _tell(
        rows & good & (pixels > most),
        numbers,
        offsets,
        good,
        report,
        lambda row: f"claims {width[row]} x {height[row]} px, its {what} strip holds at most {most[row]}",
    )


def _check_overlaps(index: ObjectIndex, good: NDArray[np.bool_], report: Report) -> None:
    """Refuse strips that reach into another's bytes: they could claim the file many times over."""
    tables = [("image", index.image), ("mask", index.mask)]
    begin = np.concatenate([table[:, k.REC_STRIP] for _, table in tables])
    end = begin + np.concatenate([table[:, k.REC_BYTES] for _, table in tables])
    single = np.concatenate([good & (table[:, k.REC_STRIPS] == 1) for _, table in tables])
    rows = np.tile(np.arange(len(index)), 2)
    outside = single & ((begin < index.image[rows, k.REC_OFFSET]) | (end > index.stop[rows]))
    for at in np.flatnonzero(outside).tolist():
        other = single & (begin < end[at]) & (end > begin[at])
        other[at] = False
        if other.any():
            row, theirs = int(rows[at]), int(rows[np.flatnonzero(other)[0]])
            good[row] = single[at] = False
            what = tables[at >= len(index)][0]
            message = (
                f"{what} strip {begin[at]} to {end[at]} reaches into that of object {index.numbers[theirs]}"
            )
            report(Fault(message, int(index.numbers[row]), int(index.image[row, k.REC_OFFSET])))


def _check_numbers(index: ObjectIndex, good: NDArray[np.bool_], report: Report) -> None:
    rows = np.flatnonzero(good)
    _, first = np.unique(index.numbers[rows], return_index=True)
    again = np.ones(len(rows), bool)
    again[first] = False
    for row in rows[again].tolist():
        number = int(index.numbers[row])
        earlier = int(index.image[rows[index.numbers[rows] == number][0], k.REC_OFFSET])
        good[row] = False
        report(
            Fault(
                f"object number occurs twice, first at offset {earlier}",
                number,
                int(index.image[row, k.REC_OFFSET]),
            )
        )


def check_shapes(index: ObjectIndex, n_channels: int, report: Report) -> ObjectIndex:
    """Leave out objects whose width is not a multiple of the number of channels."""
    good = np.ones(len(index), bool)
    width = index.image[:, k.REC_WIDTH]
    _tell(
        width % n_channels != 0,
        index.numbers,
        index.image[:, k.REC_OFFSET],
        good,
        report,
        lambda row: f"width {width[row]} px is not a multiple of {n_channels} channels",
    )
    return index.keep(good)
