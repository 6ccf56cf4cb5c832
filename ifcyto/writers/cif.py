"""Write CIF files: from cells, or as a subset or merge of other CIF files.

The layout follows ``formats``, "CIF / RIF": a file directory, then an image and
a mask directory per object, each with its strip and values behind it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np

from ifcyto._output import replacing
from ifcyto.cells import FACTS
from ifcyto.errors import UsageError
from ifcyto.readers.cif import CifReader
from ifcyto.readers.cif_metadata import PERSONAL
from ifcyto.readers.codecs import encode_image, encode_mask
from ifcyto.readers.kernels import WRAP
from ifcyto.readers.tiffdirs import CODEC, MAGIC, RECORD, TAG, pack_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from ifcyto.cells import Cell, Channel

__all__ = ["SubsetResult", "subset_cif", "write_cif"]

SHORT, LONG, TEXT, DOUBLE = 3, 4, 2, 12
_FORMAT = {SHORT: "<H", LONG: "<I", DOUBLE: "<d"}
_FACT_TAGS = {
    "flow_speed": DOUBLE,
    "camera_line": LONG,
    "camera_timer": LONG,
    "acquisition_number": LONG,
    "background_mean": DOUBLE,
    "background_sd": DOUBLE,
    "saturation_count": DOUBLE,
    "saturation_percent": DOUBLE,
    "raw_centroid_x": DOUBLE,
    "raw_centroid_y": DOUBLE,
}

_AT_ONCE = 256
_Entry = tuple[int, int, bytes]


def _numbers(name: str, kind: int, *values: float) -> _Entry:
    return TAG[name], kind, b"".join(struct.pack(_FORMAT[kind], value) for value in values)


def _text(name: str, text: str) -> _Entry:
    return TAG[name], TEXT, text.encode()


class _Chain:
    """Appends directories, each with its strip behind it, and links each to the next."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 8
        self._link = 4  # where the offset of the next directory stands
        file.write(MAGIC + struct.pack("<I", 8))

    def add(self, entries: list[_Entry], strip: bytes = b"") -> None:
        """Append a directory; a strip adds the two fields that point to it."""
        if strip:
            entries = [
                *entries,
                _numbers("strip_byte_counts", LONG, len(strip)),
                _numbers("strip_offsets", LONG, 0),
            ]
            place = self._at + len(pack_directory(entries, self._at, following=0))
            entries[-1] = _numbers("strip_offsets", LONG, place % WRAP)
        n_bytes = len(pack_directory(entries, self._at, following=0)) + len(strip)
        self._file.write(pack_directory(entries, self._at, following=self._at + n_bytes) + strip)
        self._link = self._at + 2 + 12 * len(entries)
        self._at += n_bytes

    def finish(self, count_at: int, n_objects: int) -> None:
        """End the chain and set the number of objects."""
        for at, value in ((self._link, 0), (count_at, n_objects)):
            self._file.seek(at)
            self._file.write(struct.pack("<I", value))


def _acquisition_xml(channels: Sequence[Channel], magnification: float) -> str:
    used = {channel.number: channel for channel in channels}
    flags = " ".join("1" if n in used else "0" for n in range(1, 13))
    lit = " ".join("1" if n in used and used[n].brightfield else "0" for n in range(1, 13))
    names = "".join(
        f"    <ChannelName{n}>{escape(used[n].name)}</ChannelName{n}>\n"
        for n in sorted(used)
        if used[n].name != f"Ch{n:02d}"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>\n<ifcyto>\n'
        f"  <Illumination>\n    <BfLedIndicators_0_11>{lit} </BfLedIndicators_0_11>\n  </Illumination>\n"
        f"  <Imaging>\n    <Magnification>{magnification:g}</Magnification>\n"
        f"    <ChannelInUseIndicators_0_11>{flags} </ChannelInUseIndicators_0_11>\n{names}"
        "    <DafFile></DafFile>\n  </Imaging>\n</ifcyto>\n"
    )


def _file_entries(channels: Sequence[Channel], magnification: float) -> list[_Entry]:
    return [
        _numbers("width", LONG, 1),
        _numbers("height", LONG, 1),
        _numbers("bits", SHORT, 16),
        _numbers("codec", SHORT, CODEC["plain"]),
        _numbers("photometric", SHORT, 1),
        _numbers("strip_offsets", LONG, 8),
        _numbers("samples_per_pixel", SHORT, 1),
        _numbers("rows_per_strip", LONG, 1),
        _numbers("strip_byte_counts", LONG, 1),
        _numbers("channel_count", LONG, len(channels)),
        _numbers("record_type", SHORT, RECORD["file"]),
        _numbers("object_count", LONG, 0),
        _text("acquisition_xml", _acquisition_xml(channels, magnification)),
    ]


def _count_place(entries: list[_Entry]) -> int:
    """File offset of the value of ``object_count`` in the first directory."""
    tags = sorted(entry[0] for entry in entries)
    return 8 + 2 + 12 * tags.index(TAG["object_count"]) + 8


def _image_entries(width: int, height: int, kind: str) -> list[_Entry]:
    return [
        _numbers("width", LONG, width),
        _numbers("height", LONG, height),
        _numbers("bits", SHORT, 16 if kind == "image" else 8),
        _numbers("codec", SHORT, CODEC["greyscale" if kind == "image" else "mask"]),
        _numbers("photometric", SHORT, 1),
        _numbers("samples_per_pixel", SHORT, 1),
        _numbers("rows_per_strip", LONG, height),
        _numbers("record_type", SHORT, RECORD[kind]),
    ]


def _fact_entries(cell: Cell) -> list[_Entry]:
    entries = []
    for name, kind in _FACT_TAGS.items():
        value = cell.facts.get(name)
        if value is None or (np.isscalar(value) and (np.isnan(value) or value == FACTS[name].missing)):
            continue
        values = np.atleast_1d(value).tolist()
        entries.append(_numbers(name, kind, *(map(int, values) if kind == LONG else values)))
    return entries


def write_cif(
    cells: Iterable[Cell],
    path: Path,
    *,
    channels: Sequence[Channel],
    magnification: float = 40,
    overwrite: bool = False,
) -> Path:
    """Write cells as a CIF file that this package and others can read.

    Parameters
    ----------
    cells : iterable of Cell
        Taken one at a time; images must fit into int16. Masks are written for
        cells that have them (a file without masks is what a RIF may be).
    path : path-like
    channels : sequence of Channel
        In the order of the images; numbers 1 to 12, each once, rising.
    magnification : float
        20, 40 or 60; decides the pixel size of whoever reads the file.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    UsageError
        A cell does not fit the channels or 16 bits, or an object number occurs twice.
    OutputError
        The file exists or cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from ifcyto.cells import Cell, Channel
    >>> cell = Cell(0, np.arange(-10, 10, dtype=np.int16).reshape(1, 4, 5))
    >>> path = write_cif([cell], pathlib.Path(tempfile.mkdtemp()) / "a.cif", channels=[Channel(1, "BF")])
    >>> with CifReader(path) as reader:
    ...     int(reader.read_cell(0).images.min())
    -10
    """
    numbers = [channel.number for channel in channels]
    if not numbers or sorted(set(numbers)) != numbers or numbers[0] < 1 or numbers[-1] > 12:
        msg = f"expected rising channel numbers from 1 to 12, found {numbers}"
        raise UsageError(msg)
    with replacing(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        chain = _Chain(file)
        header = _file_entries(channels, magnification)
        chain.add(header)
        seen: set[int] = set()
        for cell in cells:
            if cell.object_number in seen or not 0 <= cell.object_number < 1 << 32:
                msg = f"{path}: object number {cell.object_number} occurs twice or does not fit into 32 bits"
                raise UsageError(msg)
            seen.add(cell.object_number)
            _add_cell(chain, cell, path, len(channels))
        chain.finish(_count_place(header), len(seen))
    return path


def _add_cell(chain: _Chain, cell: Cell, path: Path, n_channels: int) -> None:
    images = cell.images
    if images.ndim != 3 or images.shape[0] != n_channels or 0 in images.shape:
        msg = (
            f"{path}: object {cell.object_number}: expected images ({n_channels}, H, W), found {images.shape}"
        )
        raise UsageError(msg)
    if images.dtype.kind not in "iu" or images.min() < -32768 or images.max() > 32767:
        msg = (
            f"{path}: object {cell.object_number}: expected integers of 16 bits, "
            f"found {images.dtype} from {images.min()} to {images.max()}"
        )
        raise UsageError(msg)
    _, height, width = images.shape
    entries = [
        *_image_entries(n_channels * width, height, "image"),
        _numbers("object_id", LONG, cell.object_number),
        *_fact_entries(cell),
    ]
    chain.add(entries, encode_image(images.astype(np.int16, copy=False)))
    if cell.masks is not None:
        chain.add(_image_entries(n_channels * width, height, "mask"), encode_mask(cell.masks))


@dataclass(frozen=True, slots=True)
class SubsetResult:
    """What :func:`subset_cif` wrote; `renumbered` says whether objects got new numbers."""

    path: Path
    n_objects: int
    renumbered: bool


def subset_cif(
    sources: Sequence[Path],
    path: Path,
    *,
    objects: Sequence[Sequence[int] | None] | None = None,
    keep_personal: bool = False,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> SubsetResult:
    """Write chosen objects of one or several CIF files as one CIF file.

    Strips are copied byte for byte, tags as they are; each object is decoded
    first, so that no damage is passed on. Object numbers stay as
    they are when they are unique over all sources; otherwise objects are
    numbered from 0 in the order of writing (``acquisition_number`` stays).

    Parameters
    ----------
    sources : sequence of path-like
        CIF or RIF files with the same channels.
    path : path-like
    objects : sequence, one entry a source
        Object numbers to take, in file order whatever their order here; None
        for all.
    keep_personal : bool
        Keep the operator's name, folders and the full vendor metadata of the
        first source. By default only what is needed to read the images is kept.
    overwrite : bool
    progress : callable, optional
        Called as ``progress(done, total)``.

    Raises
    ------
    FormatError
        A source is damaged.
    UsageError
        Objects are not in their source, or the sources' channels differ.
    OutputError
        The file exists or cannot be written.
    """
    readers: list[CifReader] = []
    try:
        for source in sources:
            readers.append(CifReader(source))
        rows = _chosen_rows(readers, objects)
        _check_channels(readers)
        numbers = np.concatenate(
            [reader.object_numbers[part] for reader, part in zip(readers, rows, strict=True)]
        )
        renumber = len(np.unique(numbers)) < len(numbers)
        if renumber:
            numbers = np.arange(len(numbers))
        header = _subset_header(readers[0], keep_personal=keep_personal)
        with replacing(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
            chain = _Chain(file)
            chain.add(header)
            done = 0
            for reader, part in zip(readers, rows, strict=True):
                for start in range(0, len(part), _AT_ONCE):
                    some = part[start : start + _AT_ONCE].tolist()
                    reader.read_batch(some)
                    for row in some:
                        _copy_object(chain, reader, row, int(numbers[done]))
                        done += 1
                    if progress is not None:
                        progress(done, len(numbers))
            chain.finish(_count_place(header), len(numbers))
    finally:
        for reader in readers:
            reader.close()
    return SubsetResult(path, len(numbers), renumber)


def _chosen_rows(readers: list[CifReader], objects: Sequence[Sequence[int] | None] | None) -> list[Any]:
    wanted = list(objects) if objects is not None else [None] * len(readers)
    if not readers or len(wanted) != len(readers):
        msg = f"expected one list of objects for each of {len(readers)} files, found {len(wanted)}"
        raise UsageError(msg)
    return [
        np.arange(len(reader)) if numbers is None else np.unique(reader.rows_of(numbers))
        for reader, numbers in zip(readers, wanted, strict=True)
    ]


def _check_channels(readers: list[CifReader]) -> None:
    first = [(channel.number, channel.name) for channel in readers[0].channels]
    for reader in readers[1:]:
        here = [(channel.number, channel.name) for channel in reader.channels]
        if here != first or reader.has_masks != readers[0].has_masks:
            msg = f"{reader.path}: expected the channels of {readers[0].path} ({first}), found {here}"
            raise UsageError(msg)


def _subset_header(reader: CifReader, *, keep_personal: bool) -> list[_Entry]:
    magnification = float(reader.metadata.get("Imaging/Magnification", "40"))
    entries = {entry[0]: entry for entry in _file_entries(reader.channels, magnification)}
    hidden = {TAG[name] for name in (*PERSONAL, "acquisition_xml", "instrument_xml")}
    for tag, field in reader.header.items():
        known = tag in TAG.values() and tag >= TAG["channel_count"]
        if tag != TAG["object_count"] and (keep_personal or (known and tag not in hidden)):
            entries[tag] = (tag, field.kind, field.raw)
    entries[TAG["strip_offsets"]] = _numbers("strip_offsets", LONG, 8)
    return list(entries.values())


def _copy_object(chain: _Chain, reader: CifReader, row: int, number: int) -> None:
    replaced = {TAG["strip_offsets"], TAG["strip_byte_counts"], TAG["object_id"]}
    copied = False
    for entries, strip in reader.raw_records(row):
        kept = [(entry.tag, entry.kind, entry.raw) for entry in entries.values() if entry.tag not in replaced]
        if TAG["object_id"] in entries or not copied:  # masks may go without a number, images not
            kept.append(_numbers("object_id", LONG, number))
        chain.add(kept, strip)
        copied = True
