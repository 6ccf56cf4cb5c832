"""Pixels of TIFF pages, checked against what the file holds before anything is allocated.

Strips, the form in which instruments write, are taken as they lie or inflated here;
tiles, PackBits and LZW go to :mod:`ifcyto.readers.tiff_decode`.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import FormatError
from ifcyto.readers.pixels import MAX_OBJECT_BYTES, read_file
from ifcyto.readers.tiff_decode import LZW, decode_page
from ifcyto.readers.tiff_pages import read_pages

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.readers.tiff_pages import TiffPage

__all__ = ["page_dtype", "page_planes", "read_tiff"]

_NONE, _DEFLATE, _PACKBITS = 1, 8, 32773

_DIFFERENCES = 2
"""Predictor by which each pixel is stored as the difference to its left neighbour."""

_EXPANSION = {_NONE: 1, _DEFLATE: 1040, 32946: 1040, _PACKBITS: 64, LZW: 2800}
"""Compressions that are read, and how many bytes one byte can at most become.

Deflate spends at least one bit on 129 bytes, PackBits two bytes on 128, LZW at
least nine bits on what one table entry holds (under 4096 bytes).
"""

_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}
"""TIFF sample format to numpy kind; 4 is "undefined"."""


@dataclass(frozen=True, slots=True)
class _Form:
    """Geometry of a page: `chunks` strips or tiles of `rows` by `columns`."""

    height: int
    width: int
    samples: int
    dtype: np.dtype[Any]
    planar: bool
    rows: int
    columns: int
    chunks: int
    tiled: bool

    def chunk_bytes(self, index: int) -> int:
        """Bytes of chunk `index` when not compressed."""
        rows = self.rows
        if not self.tiled:
            per_plane = -(-self.height // self.rows)
            rows = min(rows, self.height - index % per_plane * self.rows)
        return rows * self.columns * (1 if self.planar else self.samples) * self.dtype.itemsize


def read_tiff(path: Path) -> tuple[list[TiffPage], NDArray[Any]]:
    """Read a file that holds one object.

    Returns
    -------
    pages : list of TiffPage
    planes : ndarray (C, H, W)
        Every sample of every page, in the order of the file, in its own dtype.

    Raises
    ------
    FormatError
        The file is damaged, or its pages differ in size or dtype.
    """
    data = read_file(path)
    pages = read_pages(data, path)
    claimed = sum(sum(page.numbers("strip_bytes")) + sum(page.numbers("tile_bytes")) for page in pages)
    if claimed > len(data):
        msg = f"expected pixels inside the file of {len(data)} bytes, found claims of {claimed} bytes"
        raise FormatError(path, msg)
    parts: list[NDArray[Any]] = []
    total = 0
    for page in pages:
        planes = page_planes(data, page, path)
        if parts and (planes.shape[1:], planes.dtype) != (parts[0].shape[1:], parts[0].dtype):
            msg = (
                f"expected channels of one size, {_size(parts[0])} as on the first page, "
                f"found {_size(planes)} on page {len(parts) + 1}"
            )
            raise FormatError(path, msg, offset=page.offset)
        total += planes.nbytes
        if total > MAX_OBJECT_BYTES:
            msg = f"expected at most {MAX_OBJECT_BYTES} bytes for one object, found more"
            raise FormatError(path, msg, offset=page.offset)
        parts.append(planes)
    return pages, np.concatenate(parts) if len(parts) > 1 else parts[0]


def _size(planes: NDArray[Any]) -> str:
    return f"{planes.shape[1]} x {planes.shape[2]} {planes.dtype.name}"


def page_dtype(page: TiffPage, path: Path) -> np.dtype[Any]:
    """Pixel dtype of a page, in native byte order.

    Raises
    ------
    FormatError
        The samples differ, or are not of 8, 16 or 32 bits.
    """
    bits, formats = set(page.numbers("bits") or (1,)), set(page.numbers("sample_format") or (1,))
    if len(bits) == 1 and len(formats) == 1:
        (width,), (form,) = bits, formats
        kind = _KINDS.get(form)
        if kind and width in {8, 16, 32} and not (kind == "f" and width == 8):
            return np.dtype(f"{kind}{width // 8}")
    msg = f"expected pixels of 8, 16 or 32 bits, found bits {sorted(bits)} in sample format {sorted(formats)}"
    raise FormatError(path, msg, offset=page.offset)


def page_planes(data: bytes, page: TiffPage, path: Path) -> NDArray[Any]:
    """Decode one page of the file `data` to ``(samples, H, W)``, in its own dtype.

    Values are those stored: a page that says "white is zero" is not inverted.

    Raises
    ------
    FormatError
        A size or place that the file does not hold, or a form that is not read.
    """
    form = _form(page, path)
    compression = page.number("compression", _NONE)
    if compression not in _EXPANSION:
        msg = f"expected no compression, LZW, deflate or PackBits, found compression {compression}"
        raise FormatError(path, msg, offset=page.offset)
    chunks = _chunks(data, page, form, compression, path)
    if compression in {_DEFLATE, 32946}:
        chunks = [_inflate(chunk, form.chunk_bytes(i), page, path) for i, chunk in enumerate(chunks)]
        compression = _NONE
    predictor, reverse = page.number("predictor", 1), page.number("fill_order", 1) != 1
    if compression == _NONE and predictor == _DIFFERENCES and not reverse:
        chunks = [_undo_differences(chunk, page.order, form) for chunk in chunks]
        predictor = 1
    if compression == _NONE and predictor == 1 and not reverse and not form.tiled:
        stored = form.dtype.newbyteorder("<" if page.order == "<" else ">")
        flat = np.frombuffer(b"".join(chunks), stored).astype(form.dtype)
        return _planes_first(flat, form)
    return _planes_first(decode_page(page, chunks, compression, predictor, form.dtype, path), form)


def _undo_differences(chunk: bytes, order: str, form: _Form) -> bytes:
    """Sum up the differences to the left neighbour (predictor 2), modulo the pixel's width."""
    stored = np.dtype(f"u{form.dtype.itemsize}").newbyteorder("<" if order == "<" else ">")
    rows = np.frombuffer(chunk, stored).reshape(-1, form.columns, 1 if form.planar else form.samples)
    return np.cumsum(rows, axis=1, dtype=stored.newbyteorder("=")).astype(stored).tobytes()


def _planes_first(flat: NDArray[Any], form: _Form) -> NDArray[Any]:
    if form.planar or form.samples == 1:
        return flat.reshape(form.samples, form.height, form.width)
    return np.ascontiguousarray(flat.reshape(form.height, form.width, form.samples).transpose(2, 0, 1))


def _form(page: TiffPage, path: Path) -> _Form:
    dtype = page_dtype(page, path)
    width, height = page.number("width", 0), page.number("height", 0)
    samples, planar = page.number("samples", 1), page.number("planar", 1) == 2
    size = width * height * samples * dtype.itemsize
    if min(width, height, samples) < 1 or size > MAX_OBJECT_BYTES:
        msg = (
            f"expected an image of 1 to {MAX_OBJECT_BYTES} bytes, found {height} x {width} pixels, "
            f"{samples} samples"
        )
        raise FormatError(path, msg, offset=page.offset)
    if page.number("photometric", 1) == 3:
        msg = "expected grey or RGB pixels, found palette colours: save it as grey or RGB"
        raise FormatError(path, msg, offset=page.offset)
    tiled = "tile_offsets" in page.values
    rows = page.number("tile_height", 0) if tiled else min(page.number("rows_per_strip", height), height)
    columns = page.number("tile_width", 0) if tiled else width
    chunks = -(-height // max(rows, 1)) * -(-width // max(columns, 1)) * (samples if planar else 1)
    padded = chunks * rows * columns * dtype.itemsize * (1 if planar else samples)
    if rows < 1 or columns < 1 or padded > 2 * MAX_OBJECT_BYTES:
        msg = f"expected strips or tiles of the image's size, found {rows} x {columns} pixels"
        raise FormatError(path, msg, offset=page.offset)
    return _Form(height, width, samples, dtype, planar, rows, columns, chunks, tiled)


def _chunks(data: bytes, page: TiffPage, form: _Form, compression: int, path: Path) -> list[bytes]:
    """Bytes of each strip or tile as they lie in the file, long enough for its pixels."""
    kind = "tile" if form.tiled else "strip"
    offsets, counts = page.numbers(f"{kind}_offsets"), page.numbers(f"{kind}_bytes")
    if len(offsets) < form.chunks or len(counts) < form.chunks:
        msg = f"expected {form.chunks} {kind}s, found {len(offsets)} offsets and {len(counts)} sizes"
        raise FormatError(path, msg, offset=page.offset)
    chunks = []
    for i in range(form.chunks):
        offset, count, wanted = int(offsets[i]), int(counts[i]), form.chunk_bytes(i)
        held = max(0, min(count, len(data) - offset))
        if offset < 0 or held < count or held * _EXPANSION[compression] < wanted:
            msg = f"expected {kind} {i + 1} of {max(count, wanted)} bytes, found {held} bytes"
            raise FormatError(path, msg, offset=offset)
        chunks.append(data[offset : offset + (wanted if compression == _NONE else count)])
    return chunks


def _inflate(chunk: bytes, wanted: int, page: TiffPage, path: Path) -> bytes:
    try:
        plain = zlib.decompressobj().decompress(chunk, wanted)
    except zlib.error as error:
        raise FormatError(path, f"deflated pixels are damaged ({error})", offset=page.offset) from error
    if len(plain) < wanted:
        msg = f"expected {wanted} bytes of deflated pixels, found {len(plain)}"
        raise FormatError(path, msg, offset=page.offset)
    return plain
