"""Walk the pages of a TIFF file held in memory, trusting nothing that it claims.

The walk bounds the number of pages and entries, follows no offset twice and
believes no size that the file does not hold. Entries that are malformed are
left out when nothing depends on them, as the IDEAS export writes such ones.
The pixels are the business of :mod:`ifcyto.readers.tiff_pixels`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ifcyto.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MAX_ENTRIES", "MAX_PAGES", "TAGS", "TiffPage", "is_tiff", "read_pages"]

MAX_PAGES = 256
"""Pages of one object; more are a damaged file or not one object."""

MAX_ENTRIES = 4096
"""Entries of one page."""

TAGS = {
    "width": 256,
    "height": 257,
    "bits": 258,
    "compression": 259,
    "photometric": 262,
    "fill_order": 266,
    "description": 270,
    "strip_offsets": 273,
    "samples": 277,
    "rows_per_strip": 278,
    "strip_bytes": 279,
    "planar": 284,
    "page_name": 285,
    "predictor": 317,
    "tile_width": 322,
    "tile_height": 323,
    "tile_offsets": 324,
    "tile_bytes": 325,
    "extra_samples": 338,
    "sample_format": 339,
    "object_number": 33003,
    "acquisition_number": 33024,
}
"""The tags that are read, by our name for them: TIFF 6.0, and two of Amnis."""

_NAMES = {number: name for name, number in TAGS.items()}

_MAX_NUMBERS = 65_536
"""Values of one numeric tag: strips or tiles of a page."""

_OPTIONAL = {"description", "page_name", "extra_samples", "object_number", "acquisition_number"}
"""Malformed entries of these are left out; of any other they are a fault."""

_TYPES = {
    1: "B",
    2: "s",
    3: "H",
    4: "I",
    6: "b",
    7: "s",
    8: "h",
    9: "i",
    11: "f",
    12: "d",
    13: "I",
    16: "Q",
    17: "q",
}
"""TIFF value type to its letter in :mod:`struct`; rationals are not needed."""

_MAGIC = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
"""First four bytes to byte order: classic TIFF, and with a plus BigTIFF."""


@dataclass(frozen=True, slots=True)
class TiffPage:
    """One page: where its directory lies and the values of the declared tags.

    Parameters
    ----------
    offset : int
        Of the directory in the file.
    order : str
        ``"<"`` or ``">"``.
    values : dict
        Tag name (:data:`TAGS`) to a tuple of numbers, or a text.
    """

    offset: int
    order: str
    values: dict[str, Any]

    def numbers(self, name: str) -> tuple[Any, ...]:
        """Every value of a numeric tag; empty when the page lacks it or holds a text."""
        value = self.values.get(name, ())
        return value if isinstance(value, tuple) else ()

    def number(self, name: str, default: int) -> int:
        """First value of a numeric tag as an int; `default` when the page lacks it."""
        values = self.numbers(name)
        return int(values[0]) if values and values[0] == values[0] // 1 else default

    def text(self, name: str) -> str:
        """Value of a text tag without trailing zeros; empty when the page lacks it."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""


def is_tiff(head: bytes) -> bool:
    """Say whether these first bytes begin a TIFF or BigTIFF file."""
    return head[:4] in _MAGIC


def read_pages(data: bytes, path: Path, *, limit: int = MAX_PAGES) -> list[TiffPage]:
    """List the pages of the TIFF file `data`; `path` serves the messages.

    Raises
    ------
    FormatError
        Wrong magic, a directory outside the file or met twice, more than
        `limit` pages, or a tag that is needed is malformed.
    """
    if not is_tiff(data):
        found = f"first bytes {data[:4].hex(' ')}" if data else "an empty file (0 bytes)"
        raise FormatError(path, f"expected a TIFF file, found {found}")
    layout = _Layout(_MAGIC[data[:4]], big=b"+" in data[2:4], budget=len(data))
    offset = layout.first(data, path)
    pages: list[TiffPage] = []
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise FormatError(
                path,
                f"expected {len(pages)} pages, found a chain of them that runs in a circle",
                offset=offset,
            )
        if len(pages) == limit:
            raise FormatError(
                path, f"expected at most {limit} pages for one object, found more", offset=offset
            )
        seen.add(offset)
        page, offset = layout.page(data, offset, path)
        pages.append(page)
    if not pages:
        raise FormatError(path, "expected at least one page, found none")
    return pages


class _Layout:
    """Field sizes of classic TIFF and of BigTIFF.

    `budget` is how many bytes all values together may take: tags that share
    the same bytes could otherwise claim many times what the file holds.
    """

    def __init__(self, order: str, *, big: bool, budget: int) -> None:
        self.order = order
        self.budget = budget
        self.big = big
        self.count = struct.Struct(order + ("Q" if big else "H"))
        self.entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
        self.pointer = struct.Struct(order + ("Q" if big else "I"))

    def first(self, data: bytes, path: Path) -> int:
        """Offset of the first directory."""
        start = 8 if self.big else 4
        if len(data) < start + self.pointer.size:
            raise FormatError(path, f"expected a TIFF header, found {len(data)} bytes")
        (offset,) = self.pointer.unpack_from(data, start)
        return int(offset)

    def page(self, data: bytes, offset: int, path: Path) -> tuple[TiffPage, int]:
        """Read the directory at `offset`: the page, and the offset of the next (0: none)."""
        size = len(data)
        if offset + self.count.size > size:
            raise FormatError(path, f"expected a page inside the file of {size} bytes", offset=offset)
        (count,) = self.count.unpack_from(data, offset)
        start = offset + self.count.size
        end = start + count * self.entry.size
        if count > MAX_ENTRIES or end > size:
            msg = f"expected a page directory inside the file of {size} bytes, found one of {count} entries"
            raise FormatError(path, msg, offset=offset)
        values: dict[str, Any] = {}
        for i in range(count):
            number, kind, n, inline = self.entry.unpack_from(data, start + i * self.entry.size)
            name = _NAMES.get(number)
            if name is None:
                continue
            value = self._value(data, kind, n, inline)
            if value is not None:
                values.setdefault(name, value)
            elif name not in _OPTIONAL:
                msg = f"tag {number} ({name}) claims {n} values of type {kind}, which the file does not hold"
                raise FormatError(path, msg, offset=start + i * self.entry.size)
        following = 0
        if end + self.pointer.size <= size:
            (following,) = self.pointer.unpack_from(data, end)
        return TiffPage(offset, self.order, values), int(following)

    def _value(self, data: bytes, kind: int, count: int, inline: bytes) -> tuple[Any, ...] | str | None:
        letter = _TYPES.get(kind)
        if letter is None or count == 0 or (letter != "s" and count > _MAX_NUMBERS):
            return None
        size = count * (1 if letter == "s" else struct.calcsize("=" + letter))
        if size <= len(inline):
            raw = inline[:size]
        else:
            (offset,) = self.pointer.unpack(inline)
            if offset + size > len(data):
                return None
            self.budget -= size
            if self.budget < 0:
                return None
            raw = data[offset : offset + size]
        if letter == "s":
            return _text(raw)
        return struct.unpack(f"{self.order}{count}{letter}", raw)


def _text(raw: bytes) -> str:
    raw = raw.rstrip(b"\0")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
