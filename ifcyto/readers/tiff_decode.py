"""Decode the rarer forms of TIFF pixels by libraries: tiles and PackBits, and LZW.

The library is handed a clean file of one page, written here from checked values: it
never meets a tag that was not checked, nor any XML. tifffile decodes all but
LZW, for which it needs a further package; Pillow reads that.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL.TiffImagePlugin import TiffImageFile

from ifcyto.errors import FormatError
from ifcyto.readers.tiff_pages import TAGS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.readers.tiff_pages import TiffPage

__all__ = ["LZW", "decode_page"]

LZW = 5
"""Compression by Lempel, Ziv and Welch."""


def decode_page(
    page: TiffPage,
    chunks: list[bytes],
    compression: int,
    predictor: int,
    dtype: np.dtype[Any],
    path: Path,
) -> NDArray[Any]:
    """Decode the strips or tiles `chunks` of a page to a flat array of `dtype`.

    Parameters
    ----------
    page : TiffPage
        Says the geometry, which the caller has checked.
    chunks : list of bytes
    compression, predictor : int
        TIFF codes of what is still to be undone in `chunks`.
    dtype : numpy.dtype
        Of the pixels, in native byte order.
    path : pathlib.Path
        For messages.

    Raises
    ------
    FormatError
        The library refuses the pixels.
    """
    clean = io.BytesIO(_clean_file(page, chunks, compression, predictor))
    try:
        if compression == LZW:
            with TiffImageFile(clean) as image:
                pixels: NDArray[Any] = np.asarray(image)
        else:
            with tifffile.TiffFile(clean) as file:
                pixels = file.pages[0].asarray(maxworkers=1)
    except Exception as error:  # what decoders raise on damaged pixels is not a closed list
        hint = ": pip install imagecodecs" if "imagecodecs" in str(error) else ""
        words = " ".join(str(error).split()) or type(error).__name__
        raise FormatError(path, f"pixels cannot be decoded ({words}){hint}", offset=page.offset) from error
    wanted = page.number("width", 0) * page.number("height", 0) * page.number("samples", 1)
    if pixels.size != wanted or pixels.dtype.kind not in "uif":
        msg = f"expected {wanted} decoded pixels, found {pixels.size} of {pixels.dtype}"
        raise FormatError(path, msg, offset=page.offset)
    return pixels.astype(dtype, copy=False).reshape(-1)


_GEOMETRY = (
    "width", "height", "bits", "photometric", "fill_order", "samples", "rows_per_strip", "planar",
    "tile_width", "tile_height", "extra_samples", "sample_format",
)  # fmt: skip


def _clean_file(page: TiffPage, chunks: list[bytes], compression: int, predictor: int) -> bytes:
    """Write a TIFF file of this page alone: checked geometry and the chunks, nothing else."""
    kind = "tile" if "tile_offsets" in page.values else "strip"
    values = {TAGS[name]: page.numbers(name) for name in _GEOMETRY if page.numbers(name)}
    values[TAGS["compression"]] = (compression,)
    values[TAGS["predictor"]] = (predictor,)
    values[TAGS[f"{kind}_bytes"]] = tuple(len(chunk) for chunk in chunks)
    values[TAGS[f"{kind}_offsets"]] = (0,) * len(chunks)
    start = 8 + 2 + 12 * len(values) + 4
    start += sum(4 * len(numbers) for numbers in values.values() if len(numbers) > 1)
    ends = np.cumsum([start, *(len(chunk) for chunk in chunks)]).tolist()
    values[TAGS[f"{kind}_offsets"]] = tuple(ends[:-1])
    entries, tail = b"", b""
    for tag in sorted(values):
        numbers = values[tag]
        raw = struct.pack(f"{page.order}{len(numbers)}I", *(int(n) & 0xFFFFFFFF for n in numbers))
        if len(numbers) > 1:
            place = 8 + 2 + 12 * len(values) + 4 + len(tail)
            tail += raw
            raw = struct.pack(page.order + "I", place)
        entries += struct.pack(page.order + "HHI", tag, 4, len(numbers)) + raw
    magic = (b"II" if page.order == "<" else b"MM") + struct.pack(page.order + "HI", 42, 8)
    return magic + struct.pack(page.order + "H", len(values)) + entries + bytes(4) + tail + b"".join(chunks)
