"""TIFF directories of CIF and RIF files: the declared tag table and the plain parser.

Source of every tag: ``formats``, "CIF / RIF". The parser serves the first
directory and the odd object; whole chains go through the compiled walker.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from ifcyto.errors import FormatError
from ifcyto.readers.kernels import MAX_ENTRIES, WRAP, near

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DTYPES", "MAGIC", "PIXEL_SIZE_UM", "RECORD", "TAG", "Entry", "read_directory"]

MAGIC: Final = b"II*\x00"
"""Little-endian classic TIFF."""

TAG: Final = {
    "subfile_type": 254,
    "width": 256,
    "height": 257,
    "bits": 258,
    "codec": 259,
    "photometric": 262,
    "strip_offsets": 273,
    "samples_per_pixel": 277,
    "rows_per_strip": 278,
    "strip_byte_counts": 279,
    "resolution_unit": 296,
    "channel_count": 33000,
    "record_type": 33002,
    "object_id": 33003,
    "time_of_day": 33004,
    "operator": 33005,
    "instrument": 33006,
    "channel_width": 33009,
    "flow_speed": 33012,
    "camera_line": 33016,
    "camera_timer": 33017,
    "object_count": 33018,
    "crosstalk": 33020,
    "acquisition_number": 33024,
    "source_path": 33026,
    "acquisition_xml": 33027,
    "template_path": 33030,
    "background_mean": 33052,
    "background_sd": 33053,
    "saturation_count": 33054,
    "saturation_percent": 33055,
    "raw_centroid_x_floor": 33056,
    "raw_centroid_y_floor": 33057,
    "instrument_xml": 33064,
    "ideas_version": 33066,
    "inspire_version": 33069,
    "raw_centroid_x": 33071,
    "raw_centroid_y": 33072,
}
"""Every tag number that the package knows, by our name."""

RECORD: Final = {"file": 1, "image": 2, "mask": 3}
"""Values of the tag ``record_type``."""

CODEC: Final = {"plain": 1, "greyscale": 30817, "mask": 30818}
"""Values of the tag ``codec``."""

PIXEL_SIZE_UM: Final = {20: 1.0, 40: 0.5, 60: 0.3}
"""Pixel side by magnification; ``ideas_features`` 1.1 (VERIFIED at 40x, the others DOC(IFC))."""

DTYPES: Final = {
    1: "u1",
    2: "S1",
    3: "<u2",
    4: "<u4",
    6: "i1",
    7: "u1",
    8: "<i2",
    9: "<i4",
    11: "<f4",
    12: "<f8",
}
"""Numpy dtype of each TIFF field type (rationals, 5 and 10, are read as pairs of integers)."""
_PAIRS: Final = {5: "<u4", 10: "<i4"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a directory: tag, TIFF type, count, raw value bytes."""

    tag: int
    kind: int
    count: int
    raw: bytes

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """The values as a 1-D array."""
        return np.frombuffer(self.raw, DTYPES.get(self.kind) or _PAIRS.get(self.kind, "u1"))

    @property
    def number(self) -> int | float:
        """The first value."""
        value: int | float = self.array[0].item()
        return value

    @property
    def text(self) -> str:
        """The value as text: UTF-8, or Latin-1 where it is not; ends at a NUL."""
        raw = self.raw.split(b"\0", 1)[0]
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("latin-1")


def item_size(kind: int) -> int:
    """Bytes of one value of a TIFF field type; 0 for a type that does not exist."""
    return 8 if kind in _PAIRS else np.dtype(DTYPES[kind]).itemsize if kind in DTYPES else 0


def read_directory(file: BinaryIO, path: Path, at: int, size: int) -> tuple[dict[int, Entry], int]:
    """Read the directory at offset `at`.

    Returns
    -------
    entries : dict of int to Entry
        By tag number; fields of unknown type are left out.
    following : int
        Stored offset of the next directory, 0 at the end.

    Raises
    ------
    FormatError
        The directory or one of its values lies outside the file.
    """
    file.seek(at)
    head = file.read(2)
    n_entries = struct.unpack("<H", head)[0] if len(head) == 2 else 0
    if not 0 < n_entries <= MAX_ENTRIES:
        message = f"expected a TIFF directory of 1 to {MAX_ENTRIES} entries, found {n_entries or 'none'}"
        raise FormatError(path, message, offset=at)
    body = file.read(12 * n_entries + 4)
    if len(body) < 12 * n_entries + 4:
        message = f"the file ends inside a directory of {n_entries} entries: it is truncated"
        raise FormatError(path, message, offset=at)
    entries = {}
    for i in range(n_entries):
        tag, kind, count = struct.unpack_from("<HHI", body, 12 * i)
        n_bytes = count * item_size(kind)
        if n_bytes <= 4:
            raw = body[12 * i + 8 : 12 * i + 8 + n_bytes]
        else:
            place = int(near(struct.unpack_from("<I", body, 12 * i + 8)[0], at, size))
            if place + n_bytes > size:
                message = f"tag {tag} claims {n_bytes} bytes at {place}, the file has {size}"
                raise FormatError(path, message, offset=at)
            file.seek(place)
            raw = file.read(n_bytes)
        if n_bytes:
            entries[tag] = Entry(tag, kind, count, raw)
    return entries, struct.unpack_from("<I", body, 12 * n_entries)[0]


def pack_directory(entries: list[tuple[int, int, bytes]], at: int, *, following: int) -> bytes:
    """Lay out a directory at file offset `at`, its long values right behind it.

    Parameters
    ----------
    entries : list of (tag, kind, raw)
        Raw value bytes of any length.
    at : int
        File offset of the directory; offsets are stored modulo 2**32.
    following : int
        Offset of the next directory, 0 for none.
    """
    entries = sorted(entries, key=lambda entry: entry[0])
    end = at + 2 + 12 * len(entries) + 4
    fields, values = [], []
    for tag, kind, raw in entries:
        head = struct.pack("<HHI", tag, kind, len(raw) // item_size(kind))
        if len(raw) <= 4:
            fields.append(head + raw.ljust(4, b"\0"))
        else:
            fields.append(head + struct.pack("<I", end % WRAP))
            values.append(raw)
            end += len(raw)
    return b"".join([struct.pack("<H", len(entries)), *fields, struct.pack("<I", following % WRAP), *values])
