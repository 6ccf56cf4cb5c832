"""Reader of Amnis CIF and RIF files (ImageStream, FlowSight)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ifcyto.cells import CellBatch
from ifcyto.errors import Fault, FormatError
from ifcyto.readers import codec_kernels
from ifcyto.readers import kernels as k
from ifcyto.readers.base import Reader
from ifcyto.readers.cif_facts import FactPlan
from ifcyto.readers.cif_index import FileIndex, ObjectIndex, check_shapes, index_file, read_span
from ifcyto.readers.cif_metadata import MAX_CHANNELS, choose_channels, read_metadata
from ifcyto.readers.cif_records import RecordFile
from ifcyto.readers.codecs import STATUS_TEXT
from ifcyto.readers.daf_document import parse_daf
from ifcyto.readers.tiffdirs import CODEC, MAGIC, RECORD, TAG, read_directory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.cells import Cell, Channel
    from ifcyto.readers.daf_records import DafDocument
    from ifcyto.readers.tiffdirs import Entry

__all__ = ["CifReader"]

_MAX_SPAN = 64 << 20  # bytes read at once, at most
_TAIL = 1 << 17  # bytes read behind the last strip or directory, for the values of the last object


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
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise FormatError(self.path, f"cannot be opened: {error.strerror}") from error
        try:
            self._records = RecordFile(file, self.path)
            self._open()
        except BaseException:
            file.close()
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
        file, size = self._records.file, self._records.size
        head = read_span(file, 0, 8).tobytes()
        if head[:4] != MAGIC:
            message = f"expected little-endian TIFF ({MAGIC.hex(' ')}), found {head[:4].hex(' ')}"
            raise FormatError(self.path, message, offset=0)
        first = int.from_bytes(head[4:8], "little")
        self.header, following = self._records.directory(first)
        if 0 < following <= first or following >= size:
            message = f"expected the first object further on, found offset {following} in {size} bytes"
            raise FormatError(self.path, message, offset=first)
        index = index_file(file, following, size, self.report)
        found = read_metadata(self.header)
        for fault in found.faults:
            self.report(fault)
        self.metadata = found.values
        self._daf = found.daf
        self.channels = self._choose_channels(index)
        self._index = check_shapes(index, len(self.channels), self.report)
        self.object_numbers = self._index.numbers
        self.image_offsets = self._index.column("image", k.REC_OFFSET)
        self.has_masks = bool(self._index.masked.any())
        self.dtype = np.dtype(np.int16)
        self._plan = FactPlan(len(self.channels))
        self._say_numbers()

    def _choose_channels(self, index: FileIndex) -> tuple[Channel, ...]:
        declared = self.header.get(TAG["channel_count"])
        number = int(declared.number) if declared else None
        widths = index.column("image", k.REC_WIDTH)
        # Most objects decide: one of a wrong width must not change the channels of the file.
        divide = {
            n: not len(widths) or bool(np.mean(widths % n == 0) > 0.5) for n in range(1, MAX_CHANNELS + 1)
        }
        channels, notes = choose_channels(
            self.metadata, declared=number, per_object=self._values_per_object(index), widths_divide=divide
        )
        if not channels:
            message = (
                f"expected channels that divide the image widths ({', '.join(map(str, widths[:4]))} ... px), "
                f"found channel count tag {number}, "
                f"channels in use {self.metadata.get('Imaging/ChannelInUseIndicators_0_11', 'none')!r}"
            )
            raise FormatError(self.path, message)
        self.notes.extend(notes)
        return self._named_by_daf(channels) if self._daf else channels

    def _values_per_object(self, index: FileIndex) -> int | None:
        """Number of background values that the first readable objects agree on most."""
        counts = []
        for at in index.column("image", k.REC_OFFSET)[:9].tolist():
            try:
                entries, _ = self._records.directory(at)
            except FormatError:
                continue  # the object is refused with this message when it is read
            if TAG["background_mean"] in entries:
                counts.append(entries[TAG["background_mean"]].count)
        return max(counts, key=counts.count, default=None)

    def _named_by_daf(self, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        document = self.embedded_daf
        names = document.channel_names if document else {}
        return tuple(replace(channel, name=names.get(channel.number, channel.name)) for channel in channels)

    @cached_property
    def embedded_daf(self) -> DafDocument | None:
        """The DAF that some files carry inside, None when there is none or it is broken (then noted)."""
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
            self.notes.append(f"object numbers {numbers.min()} to {numbers.max()} leave out {gap}")
        if (np.diff(numbers) < 0).any():
            self.notes.append("object numbers do not rise in file order")

    @property
    def heights(self) -> NDArray[np.int32]:
        """Height of every object's images in pixels, ``(N,)``."""
        return self._index.column("image", k.REC_HEIGHT).astype(np.int32)

    @property
    def widths(self) -> NDArray[np.int32]:
        """Width of one channel's image of every object in pixels, ``(N,)``."""
        return (self._index.column("image", k.REC_WIDTH) // len(self.channels)).astype(np.int32)

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
        n = len(self.channels)
        shapes = np.stack([part.image[:, k.REC_HEIGHT], part.image[:, k.REC_WIDTH] // n], axis=1)
        ends = np.concatenate([[0], np.cumsum(shapes.prod(axis=1)) * n]).tolist()
        pixels = np.empty(ends[-1], np.int16)
        masks = np.empty(ends[-1], np.uint8) if self.has_masks else None
        facts = np.full((len(part), self._plan.width), np.nan)
        faults: dict[int, Fault] = {}
        for start, stop in self._groups(part):
            to = slice(ends[start], ends[stop])
            piece = _Piece(
                part.keep(np.arange(start, stop)),
                shapes[start:stop],
                pixels[to],
                None if masks is None else masks[to],
                facts[start:stop],
            )
            faults |= {start + row: fault for row, fault in self._decode(piece).items()}
        heights, widths = shapes.astype(np.int32).T
        batch = CellBatch(part.numbers, heights, widths, n, pixels, masks, self._plan.columns(facts))
        if not faults:
            return batch
        good = np.ones(len(batch), bool)
        for row, fault in sorted(faults.items()):
            if strict:
                raise FormatError(self.path, fault)
            self.report(fault)
            good[row] = False
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

    def _decode(self, piece: _Piece) -> dict[int, Fault]:
        """Decode objects that lie one after the other; returns the damaged ones by row."""
        part, n = piece.index, len(self.channels)
        begin = int(part.image[0, k.REC_OFFSET])
        strips = part.image if piece.masks is None else np.concatenate([part.image, part.mask])
        stops = strips[:, k.REC_STRIP] + strips[:, k.REC_BYTES]
        end = int(min(part.stop[-1], max(int(stops.max()), int(strips[:, k.REC_OFFSET].max())) + _TAIL))
        usual = (
            (strips[:, k.REC_STRIPS] == 1)
            & (strips[:, k.REC_CODEC] != CODEC["plain"])
            & (strips[:, k.REC_STRIP] >= begin)
            & (stops <= end)
        )
        if not usual.all() or end - begin > _MAX_SPAN:
            return self._decode_slowly(piece)
        buf = self._records.span(begin, end)
        status = np.zeros((2, len(part)), np.int64)
        codec_kernels.decode_images(buf, _spans(part.image, begin), piece.shapes, n, piece.pixels, status[0])
        if piece.masks is not None:
            codec_kernels.decode_masks(buf, _spans(part.mask, begin), piece.shapes, n, piece.masks, status[1])
        plan = self._plan
        places = part.image[:, k.REC_OFFSET].copy()
        told = k.read_many_facts(
            buf, begin, places, self._records.size, plan.slots, plan.first, plan.counts, piece.facts
        )
        faults = {}
        for row in np.flatnonzero(~told).tolist():
            fault = self._facts_slowly(part, row, piece.facts[row])
            if fault is not None:
                faults[row] = fault
        for row in np.flatnonzero(status.any(axis=0)).tolist():
            what, record = ("image", part.image[row]) if status[0, row] else ("mask", part.mask[row])
            text = STATUS_TEXT[int(status[0, row] or status[1, row])]
            faults[row] = Fault(f"{what}: {text}", int(part.numbers[row]), int(record[k.REC_STRIP]))
        return faults

    def _decode_slowly(self, piece: _Piece) -> dict[int, Fault]:
        """Decode objects with several strips, plain pixels, or strips that lie elsewhere."""
        part, to = piece.index, 0
        faults: dict[int, Fault] = {}
        for row, (height, width) in enumerate(piece.shapes.tolist()):
            shape = (len(self.channels), height, width)
            size = int(np.prod(shape))
            number = int(part.numbers[row])
            try:
                image = self._records.plane(part.image[row], "image", shape, number)
                piece.pixels[to : to + size] = image.ravel()
                if piece.masks is not None:
                    piece.masks[to : to + size] = self._records.plane(
                        part.mask[row], "mask", shape, number
                    ).ravel()
            except FormatError as error:
                faults[row] = error.fault
            fault = self._facts_slowly(part, row, piece.facts[row])
            if fault is not None:
                faults.setdefault(row, fault)
            to += size
        return faults

    def _facts_slowly(self, part: ObjectIndex, row: int, out: NDArray[np.float64]) -> Fault | None:
        out[:] = np.nan
        number, place = int(part.numbers[row]), int(part.image[row, k.REC_OFFSET])
        try:
            entries, _ = self._records.directory(place)
        except FormatError as error:
            return replace(error.fault, object_number=number)
        wrong = self._plan.fill(entries, out)
        return Fault("; ".join(wrong), number, place) if wrong else None

    def raw_records(self, row: int) -> list[tuple[dict[int, Entry], bytes]]:
        """Directory fields and undecoded strip of an object's image, and of its mask if it has one."""
        row = self.check_row(row)
        number = int(self.object_numbers[row])
        one = self._index.keep(np.array([row]))
        return [
            self._records.strip(record, what, number)
            for what, record in (("image", one.image[0]), ("mask", one.mask[0]))
            if record[k.REC_OFFSET] >= 0
        ]

    def close(self) -> None:
        """Close the file."""
        self._records.file.close()


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Objects to decode, and the parts of a batch's arrays that they fill."""

    index: ObjectIndex
    shapes: NDArray[np.int64]  # (n, 2): height, width of one channel
    pixels: NDArray[np.int16]
    masks: NDArray[np.uint8] | None
    facts: NDArray[np.float64]


def _spans(records: NDArray[np.int64], begin: int) -> NDArray[np.int64]:
    start = records[:, k.REC_STRIP] - begin
    return np.stack([start, start + records[:, k.REC_BYTES]], axis=1)
