"""Make TIFF files byte by byte, malformed ones included, and damage files on purpose.

For tests of readers: the files are written with :mod:`struct` alone, so that what is
read back is judged by something other than the code under test.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Tag", "mutations", "tiff_bytes"]

Order = Literal["<", ">"]

Tag = tuple[int, int, int, bytes]
"""Tag number, TIFF value type, count as claimed, and the value's bytes as they shall lie in the file."""


def tiff_bytes(
    planes: Sequence[NDArray[np.generic]],
    *,
    tags: Sequence[Tag] = (),
    page_names: Sequence[str] = (),
    order: Order = "<",
    loop: bool = False,
) -> bytes:
    r"""Write planes ``(H, W)`` as the pages of a classic TIFF file, one plain strip each.

    Parameters
    ----------
    planes : sequence of ndarray (H, W)
        Unsigned, signed or floating pixels of 1, 2 or 4 bytes.
    tags : sequence of Tag
        Further entries of the first page; one of the same number as a usual entry
        takes its place. Count and type are written as given, right or wrong.
    page_names : sequence of str
        PageName of each page.
    order : {"<", ">"}
        Byte order.
    loop : bool
        Let the last page point back to the first.

    Examples
    --------
    >>> tiff_bytes([np.zeros((2, 3), np.uint16)])[:4]
    b'II*\x00'
    """
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8))
    for i, plane in enumerate(planes):
        entries = _entries(plane, order, len(out))
        if page_names:
            text = page_names[i].encode() + b"\0"
            entries[285] = (2, len(text), text)
        if i == 0:
            entries.update({number: (kind, count, raw) for number, kind, count, raw in tags})
        last = i + 1 == len(planes)
        out += _directory(entries, plane, order, len(out), following=(8 if loop else 0) if last else None)
    return bytes(out)


def mutations(data: bytes, count: int, *, seed: int) -> Iterator[bytes]:
    """Yield `count` damaged versions of `data`: flipped, overwritten, cut, doubled parts.

    The first 512 bytes, where the headers lie, are hit more often than the rest.
    """
    rng = np.random.default_rng(seed)
    extreme = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]
    for _ in range(count):
        broken = bytearray(data)
        for _ in range(int(rng.integers(1, 4))):
            span = len(broken) if rng.random() < 0.3 else min(len(broken), 512)
            at = int(rng.integers(0, max(span, 1)))
            kind = int(rng.integers(0, 5))
            if kind == 0:
                broken[at : at + 1] = bytes([int(rng.integers(0, 256))])
            elif kind == 1:
                value = extreme[int(rng.integers(0, len(extreme)))]
                broken[at : at + 4] = struct.pack("<I", value)
            elif kind == 2:
                del broken[int(rng.integers(0, len(broken) + 1)) :]
            elif kind == 3:
                del broken[at : at + int(rng.integers(1, 9))]
            else:
                broken[at:at] = broken[at : at + int(rng.integers(1, 17))]
        yield bytes(broken)


def _entries(plane: NDArray[np.generic], order: Order, start: int) -> dict[int, tuple[int, int, bytes]]:
    height, width = plane.shape
    kind = {"u": 1, "i": 2, "f": 3}[plane.dtype.kind]

    def short(value: int) -> tuple[int, int, bytes]:
        return 3, 1, struct.pack(order + "H", value)

    def long(value: int) -> tuple[int, int, bytes]:
        return 4, 1, struct.pack(order + "I", value)

    return {
        256: long(width),
        257: long(height),
        258: short(8 * plane.dtype.itemsize),
        259: short(1),
        262: short(1),
        273: long(start),  # put right by _directory
        277: short(1),
        278: long(height),
        279: long(plane.nbytes),
        339: short(kind),
    }


def _directory(
    entries: dict[int, tuple[int, int, bytes]],
    plane: NDArray[np.generic],
    order: Order,
    start: int,
    *,
    following: int | None,
) -> bytes:
    """Directory at `start`, its long values, the pixels; `following` None: a page comes right after."""
    table = start + 2 + 12 * len(entries) + 4
    tail = b"".join(raw for _, _, raw in entries.values() if len(raw) > 4)
    if entries[273] == (4, 1, struct.pack(order + "I", start)):
        entries[273] = (4, 1, struct.pack(order + "I", table + len(tail)))
    out, tail = struct.pack(order + "H", len(entries)), b""
    for number in sorted(entries):
        kind, count, raw = entries[number]
        place = raw.ljust(4, b"\0")
        if len(raw) > 4:
            place = struct.pack(order + "I", table + len(tail))
            tail += raw
        out += struct.pack(order + "HHI", number, kind, count) + place
    pixels = np.ascontiguousarray(plane, plane.dtype.newbyteorder(order)).tobytes()
    end = table + len(tail) + len(pixels)
    return out + struct.pack(order + "I", end if following is None else following) + tail + pixels
