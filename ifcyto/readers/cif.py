"""Reader of Amnis CIF and RIF files (ImageStream, FlowSight)."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ifcyto.cells import CellBatch
from ifcyto.errors import Fault, FormatError
from ifcyto.readers import kernels as k
from ifcyto.readers.base import Reader
from ifcyto.readers.cif_facts import FactPlan
from ifcyto.readers.cif_index import ObjectIndex, check_shapes, index_objects, read_span, scan_records
from ifcyto.readers.cif_metadata import choose_channels, read_metadata
from ifcyto.readers.codecs import STATUS_TEXT, decode_image, decode_mask
from ifcyto.readers.tiffdirs import CODEC, MAGIC, RECORD, TAG, read_directory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.cells import Cell
    from ifcyto.readers.daf_records import DafDocument
    from ifcyto.readers.tiffdirs import Entry

__all__ = ["CifReader"]

_MAX_SPAN = 64 << 20  # bytes read at once, at most
_TAIL = 1 << 16  # bytes kept behind the last strip for the last object's values


class CifReader(Reader):
    """Objects of a CIF (compensated) or RIF (raw) file.

    Image and mask strips of many objects are read at once and decoded by
    compiled loops without the GIL, so threads may share a reader. Opening walks
    the whole chain of directories and checks every claim in it against the
    bytes that are there; pixels are decoded when they are asked for. Files over
    4 GiB are read by undoing the 32-bit wrap of their offsets.

    Parameters
    ----------
    path, salvage
        As for :class:`~ifcyto.readers.base.Reader`.

    Attributes
    ----------
    image_offsets : ndarray (N,) of int64
        Byte offset of each object's image directory.
    header : dict of int to Entry
        The first directory, by tag number.

    Raises
    ------
    FormatError
        The file is not a CIF, or is damaged.

    Notes
    -----
    Format: ``formats``, "CIF / RIF". The key is the tag ``object_id`` (33003);
    the number at acquisition (33024) is the fact ``acquisition_number``.
    """

    format: ClassVar[str] = "cif"

    def __init__(self, path: Path | str, *, salvage: bool = False) -> None:
        super().__init__(path, salvage=salvage)
        self._lock = threading.Lock()
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise FormatError(self.path, f"cannot be opened: {error.strerror}") from error
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise

    @classmethod
    def sniff(cls, path: Path, head: bytes) -> bool:
        """Take little-endian TIFFs whose first directory is an instrument's file record."""
        if head[:4] != MAGIC or len(head) < 8:
            return False
        first = int.from_bytes(head[4:8], "little")
        try:
            with path.open("rb") as file:
                entries, _ = read_directory(file, path, first, path.stat().st_size)
        except FormatError:
            # A damaged first directory is still ours when the instrument's tags stand in it.
            return any(
                int.to_bytes(TAG[name], 2, "little") in head for name in ("object_count", "acquisition_xml")
            )
        kind = entries.get(TAG["record_type"])
        return TAG["object_count"] in entries or (kind is not None and kind.number == RECORD["file"])

    def _open(self) -> None:
        self._size = self._file.seek(0, 2)
        head = read_span(self._file, 0, 8).tobytes()
        if head[:4] != MAGIC:
            raise FormatError(
                self.path,
                f"expected little-endian TIFF ({MAGIC.hex(' ')}), found {head[:4].hex(' ')}",
                offset=0,
            )
        first = int.from_bytes(head[4:8], "little")
        entries, following = read_directory(self._file, self.path, first, self._size)
        if 0 < following <= first or following >= self._size:
            raise FormatError(
                self.path, f"expected the first object further on, found offset {following}", offset=first
            )
        self.header = entries
        records = scan_records(self._file, following, self._size, self.report)
        index = index_objects(records, self._size, self.report)
        found = read_metadata(entries)
        for fault in found.faults:
            self.report(fault)
        self.metadata = found.values
        self._daf = found.daf
        self.channels = self._choose_channels(index)
        self._index = check_shapes(index, len(self.channels), self.report)
        self.object_numbers = self._index.numbers
        self.image_offsets = self._index.image[:, k.REC_OFFSET]
        self.has_masks = bool(len(index)) and bool((self._index.mask[:, k.REC_OFFSET] >= 0).any())
        self.dtype = np.dtype(np.int16)
        self._plan = FactPlan(len(self.channels))
        self._say_numbers()

    def _choose_channels(self, index: ObjectIndex) -> Any:
        declared = self.header.get(TAG["channel_count"])
        per_object = None
        if len(index):
            first, _ = read_directory(self._file, self.path, int(index.image[0, k.REC_OFFSET]), self._size)
            per_object = first[TAG["background_mean"]].count if TAG["background_mean"] in first else None
        widths = np.unique(index.image[:, k.REC_WIDTH])
        # One object of a wrong width must not change the number of channels of the file.
        divide = {
            n: bool(np.mean(index.image[:, k.REC_WIDTH] % n == 0) > 0.5) if len(widths) else True
            for n in range(1, 13)
        }
        number = int(declared.number) if declared else None
        channels, notes = choose_channels(
            self.metadata, declared=number, per_object=per_object, widths_divide=divide
        )
        if not channels:
            raise FormatError(
                self.path,
                f"expected channels that divide the image widths ({', '.join(map(str, widths[:4]))} px), "
                f"found channel count tag {number}, background values {per_object}, "
                f"channels in use {self.metadata.get('Imaging/ChannelInUseIndicators_0_11', 'none')!r}",
            )
        self.notes.extend(notes)
        if self._daf:
            channels = self._named_by_daf(channels)
        return channels

    def _named_by_daf(self, channels: Any) -> Any:
        document = self.embedded_daf
        names = {image.physical_channel + 1: image.name for image in document.images} if document else {}
        return tuple(replace(channel, name=names.get(channel.number, channel.name)) for channel in channels)

    @cached_property
    def embedded_daf(self) -> DafDocument | None:
        """The DAF that some files carry inside, None when there is none or it is broken (then noted)."""
        from ifcyto.readers.daf_document import parse_daf

        if not self._daf:
            return None
        try:
            return parse_daf(self._daf.encode(), self.path)
        except FormatError as error:
            self.notes.append(f"the DAF inside the file cannot be read: {error.fault}")
            return None

    def _say_numbers(self) -> None:
        numbers = self.object_numbers
        declared = self.header.get(TAG["object_count"])
        if declared is not None and int(declared.number) != len(numbers):
            text = f"the header says {int(declared.number)} objects, the file holds {len(numbers)}"
            if self.salvage:
                self.report(Fault(text, where=f"tag {TAG['object_count']}"))
            self.notes.append(text)
        if len(numbers) and int(numbers.max()) - int(numbers.min()) + 1 != len(numbers):
            gap = int(numbers.max()) - int(numbers.min()) + 1 - len(numbers)
            self.notes.append(f"object numbers {numbers.min()} to {numbers.max()} have {gap} holes")
        if (np.diff(numbers) < 0).any():
            self.notes.append("object numbers do not rise in file order")

    def read_cell(self, row: int) -> Cell:
        """Read one object; see :meth:`Reader.read_cell`."""
        return self._read_rows(np.array([self.check_row(row)]), strict=True).cells()[0]

    def read_batch(self, rows: Sequence[int]) -> CellBatch:
        """Read several objects at once; see :meth:`Reader.read_batch`."""
        return self._read_rows(np.array(rows, np.int64))

    def _read_rows(self, rows: NDArray[np.int64], *, strict: bool = False) -> CellBatch:
        if len(rows):
            self.check_row(int(rows.min()))
            self.check_row(int(rows.max()))
        part = self._index.keep(rows)
        shapes = np.stack(
            [part.image[:, k.REC_HEIGHT], part.image[:, k.REC_WIDTH] // len(self.channels)], axis=1
        )
        total = int(shapes.prod(axis=1).sum()) * len(self.channels)
        pixels = np.empty(total, np.int16)
        masks = np.empty(total, np.uint8) if self.has_masks else None
        facts = np.full((len(part), self._plan.width), np.nan)
        status = np.zeros((2, len(part)), np.int64)
        ends = np.cumsum(shapes.prod(axis=1)) * len(self.channels)
        for start, stop in self._groups(part):
            to = slice(int(ends[start - 1]) if start else 0, int(ends[stop - 1]) if stop else 0)
            self._decode(
                part.keep(np.arange(start, stop)),
                shapes[start:stop],
                pixels[to],
                None if masks is None else masks[to],
                facts[start:stop],
                status[:, start:stop],
            )
        bad = np.flatnonzero(status.any(axis=0))
        batch = CellBatch(
            part.numbers,
            shapes[:, 0].astype(np.int32),
            shapes[:, 1].astype(np.int32),
            len(self.channels),
            pixels,
            masks,
            self._plan.columns(facts),
        )
        if not len(bad):
            return batch
        for row in bad.tolist():
            what, code = ("image", status[0, row]) if status[0, row] else ("mask", status[1, row])
            place = (part.image if what == "image" else part.mask)[row, k.REC_STRIP]
            fault = Fault(f"{what}: {STATUS_TEXT[int(code)]}", int(part.numbers[row]), int(place))
            if strict:
                raise FormatError(self.path, fault)
            self.report(fault)
        good = np.ones(len(batch), bool)
        good[bad] = False
        return batch.keep(good)

    def _groups(self, part: ObjectIndex) -> list[tuple[int, int]]:
        """Cut the rows into runs that lie one after the other in the file."""
        starts, stops = part.image[:, k.REC_OFFSET].tolist(), part.stop.tolist()
        groups = []
        begin = 0
        for row in range(1, len(part)):
            if starts[row] != stops[row - 1] or stops[row] - starts[begin] > _MAX_SPAN:
                groups.append((begin, row))
                begin = row
        if len(part):
            groups.append((begin, len(part)))
        return groups

    def _decode(
        self,
        part: ObjectIndex,
        shapes: NDArray[np.int64],
        pixels: NDArray[np.int16],
        masks: NDArray[np.uint8] | None,
        facts: NDArray[np.float64],
        status: NDArray[np.int64],
    ) -> None:
        begin = int(part.image[0, k.REC_OFFSET])
        strips = part.image if masks is None else np.concatenate([part.image, part.mask])
        far = int((strips[:, k.REC_STRIP] + strips[:, k.REC_BYTES]).max())
        end = int(min(part.stop[-1], max(far, int(strips[:, k.REC_END].max())) + _TAIL))
        inside = (
            (strips[:, k.REC_STRIPS] == 1)
            & (strips[:, k.REC_CODEC] != CODEC["plain"])
            & (strips[:, k.REC_STRIP] >= begin)
            & (strips[:, k.REC_STRIP] + strips[:, k.REC_BYTES] <= end)
        )
        if not inside.all() or end - begin > _MAX_SPAN:
            self._decode_slowly(part, shapes, pixels, masks, facts, status)
            return
        with self._lock:
            buf = read_span(self._file, begin, end - begin)
        if buf.size < end - begin:
            raise FormatError(
                self.path, f"the file became shorter while it was read: expected {end} bytes", offset=begin
            )
        n = len(self.channels)
        k.decode_images(buf, _spans(part.image, begin), shapes, n, pixels, status[0])
        if masks is not None:
            k.decode_masks(buf, _spans(part.mask, begin), shapes, n, masks, status[1])
        plan = self._plan
        told = k.read_many_facts(
            buf,
            begin,
            part.image[:, k.REC_OFFSET].copy(),
            self._size,
            plan.slots,
            plan.first,
            plan.counts,
            facts,
        )
        for row in np.flatnonzero(~told).tolist():
            self._facts_slowly(part, row, facts[row])

    def _decode_slowly(
        self,
        part: ObjectIndex,
        shapes: NDArray[np.int64],
        pixels: NDArray[np.int16],
        masks: NDArray[np.uint8] | None,
        facts: NDArray[np.float64],
        status: NDArray[np.int64],
    ) -> None:
        """Read objects with several strips, plain pixels, or strips that lie elsewhere."""
        to = 0
        for row, (height, width) in enumerate(shapes.tolist()):
            shape = (len(self.channels), height, width)
            size = int(np.prod(shape))
            pixels[to : to + size] = self._plane(part, row, "image", shape, status).ravel()
            if masks is not None:
                masks[to : to + size] = self._plane(part, row, "mask", shape, status).ravel()
            self._facts_slowly(part, row, facts[row])
            to += size

    def _plane(
        self, part: ObjectIndex, row: int, what: str, shape: tuple[int, int, int], status: NDArray[np.int64]
    ) -> NDArray[Any]:
        record = (part.image if what == "image" else part.mask)[row]
        dtype, line = (np.int16, 0) if what == "image" else (np.uint8, 1)
        strip = self._strip(record, what, int(part.numbers[row]))
        if record[k.REC_CODEC] == CODEC["plain"]:
            if len(strip) == np.prod(shape) * np.dtype(dtype).itemsize:
                raster = np.frombuffer(strip, np.dtype(dtype).newbyteorder("<")).astype(dtype)
                return raster.reshape(shape[1], shape[0], shape[2]).transpose(1, 0, 2)
            status[line, row] = (
                k.EARLY_END if len(strip) < np.prod(shape) * np.dtype(dtype).itemsize else k.LEFT_OVER
            )
            return np.zeros(shape, dtype)
        try:
            return (decode_image if what == "image" else decode_mask)(strip, shape)
        except ValueError as error:
            status[line, row] = next(code for code, text in STATUS_TEXT.items() if text == str(error))
            return np.zeros(shape, dtype)

    def _strip(self, record: NDArray[np.int64], what: str, number: int) -> bytes:
        entries = self._entries(int(record[k.REC_OFFSET]))
        offsets, counts = entries[TAG["strip_offsets"]].array, entries[TAG["strip_byte_counts"]].array
        place = int(record[k.REC_OFFSET])
        spans = [
            (int(k.near(int(at), place, self._size)), int(n)) for at, n in zip(offsets, counts, strict=True)
        ]
        if any(at + n > self._size for at, n in spans) or sum(n for _, n in spans) > self._size:
            raise FormatError(
                self.path,
                f"a {what} strip leaves the file of {self._size} bytes",
                object_number=number,
                offset=place,
            )
        with self._lock:
            return b"".join(read_span(self._file, at, n).tobytes() for at, n in spans)

    def raw_records(self, row: int) -> list[tuple[dict[int, Entry], bytes]]:
        """Directory fields and undecoded strip of an object's image, and of its mask if it has one."""
        row = self.check_row(row)
        records = [("image", self._index.image[row]), ("mask", self._index.mask[row])]
        return [
            (
                self._entries(int(record[k.REC_OFFSET])),
                self._strip(record, kind, int(self.object_numbers[row])),
            )
            for kind, record in records
            if record[k.REC_OFFSET] >= 0
        ]

    def _entries(self, at: int) -> dict[int, Entry]:
        with self._lock:
            return read_directory(self._file, self.path, at, self._size)[0]

    def _facts_slowly(self, part: ObjectIndex, row: int, out: NDArray[np.float64]) -> None:
        out[:] = np.nan
        try:
            entries = self._entries(int(part.image[row, k.REC_OFFSET]))
        except FormatError as error:
            self.report(replace(error.fault, object_number=int(part.numbers[row])))
            return
        for text in self._plan.fill(entries, out):
            self.report(Fault(text, int(part.numbers[row]), int(part.image[row, k.REC_OFFSET])))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _spans(records: NDArray[np.int64], begin: int) -> NDArray[np.int64]:
    start = records[:, k.REC_STRIP] - begin
    return np.stack([start, start + records[:, k.REC_BYTES]], axis=1)
