"""Hostile TIFF directories: nothing is believed that the file does not hold."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from ifcyto.errors import FormatError
from ifcyto.readers.pixels import MAX_OBJECT_BYTES
from ifcyto.readers.tiff_pages import MAX_PAGES, read_pages
from ifcyto.readers.tiff_pixels import read_tiff
from ifcyto.testing.tiff_files import tiff_bytes

PLANE = np.arange(12, dtype=np.uint16).reshape(3, 4)


def long(number, value):
    return (number, 4, 1, struct.pack("<I", value))


def short(number, value):
    return (number, 3, 1, struct.pack("<H", value))


def refuse(tmp_path, data, words):
    """The file is refused in one line, within a few MiB."""
    path = tmp_path / "a.tif"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=words) as caught:
            read_tiff(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20 + 8 * len(data)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


HOSTILE = {
    "huge width": ([long(256, 4_000_000_000)], r"found 3 x 4000000000 pixels"),
    "huge both": ([long(256, 2**32 - 1), long(257, 2**32 - 1)], r"at most|found 4294967295 x"),
    "no pixels": ([long(256, 0)], r"found 3 x 0 pixels"),
    "width beyond the strip": ([long(256, 5)], r"expected strip 1 of 30 bytes, found 24 bytes"),
    "strip outside": ([long(273, 10**9)], r"offset 1000000000: expected strip 1 of 24 bytes, found 0 bytes"),
    "strip claims 4 GB": ([long(279, 2**32 - 1)], r"found claims of 4294967295 bytes"),
    "strips missing": ([long(278, 1)], r"expected 3 strips, found 1 offsets and 1 sizes"),
    "rows of zero": ([long(278, 0)], r"found 0 x 4 pixels"),
    "many samples": ([long(277, 2**31)], r"found 3 x 4 pixels, 2147483648 samples"),
    "one bit": ([short(258, 1)], r"found bits \[1\] in sample format \[1\]"),
    "odd float": ([short(258, 8), short(339, 3)], r"found bits \[8\] in sample format \[3\]"),
    "mixed bits": ([(258, 3, 2, struct.pack("<HH", 8, 16))], r"found bits \[8, 16\]"),
    "float width": ([(256, 11, 1, struct.pack("<f", np.nan))], r"found 3 x 0 pixels"),
    "text for width": ([(256, 2, 4, b"abc\0")], r"found 3 x 0 pixels"),
    "compression": ([short(259, 34712)], r"found compression 34712"),
    "palette": ([short(262, 3)], r"found palette colours: save it as grey or RGB"),
    "tag with no type": ([(256, 99, 1, b"\0\0\0\0")], r"tag 256 \(width\) claims 1 values of type 99"),
    "tag count 4e9": (
        [(273, 4, 2**32 - 1, b"\0\0\0\0")],
        r"tag 273 \(strip_offsets\) claims 4294967295 values",
    ),
    "values outside": (
        [(273, 4, 3, struct.pack("<I", 10**6))],
        r"offset 70: tag 273 \(strip_offsets\) claims 3 values of type 4, which the file does not hold",
    ),
    "not deflated": ([short(259, 8)], r"deflated pixels are damaged"),
    "tile of zero": ([long(322, 0), long(323, 16), long(324, 8), long(325, 1)], r"found 16 x 0 pixels"),
    "huge tile": (
        [long(322, 2**31), long(323, 2**31), long(324, 8), long(325, 1)],
        r"found 2147483648 x 2147483648",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_tags(tmp_path, case):
    tags, words = HOSTILE[case]
    refuse(tmp_path, tiff_bytes([PLANE], tags=tags), words)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "expected a TIFF file, found an empty file"),
        (b"\x89PNG\r\n", "expected a TIFF file, found first bytes 89 50 4e 47"),
        (b"II*\0\xff\xff\xff\xff", "offset 4294967295: expected a page inside the file of 8 bytes"),
        (b"II*\0\0\0\0\0", "expected at least one page, found none"),
        (
            b"II*\0\x08\0\0\0\xff\xff" + bytes(100),
            "offset 8: expected a page directory .* found one of 65535 entries",
        ),
        (b"II+\0\x08\0\0\0" + b"\xff" * 8, "expected a page inside the file of 16 bytes"),
        (b"II+\0", "expected a TIFF header, found 4 bytes"),
    ],
)
def test_hostile_chain(tmp_path, data, words):
    refuse(tmp_path, data, words)


def test_cyclic_chain(tmp_path):
    refuse(
        tmp_path,
        tiff_bytes([PLANE, PLANE], loop=True),
        "offset 8: expected 2 pages, found a chain .* in a circle",
    )


def test_too_many_pages(tmp_path):
    data = tiff_bytes([np.zeros((1, 1), np.uint8)] * (MAX_PAGES + 1))
    refuse(tmp_path, data, f"expected at most {MAX_PAGES} pages for one object")


def test_pages_that_share_pixels(tmp_path):
    data = bytearray(tiff_bytes([np.zeros((1, 10_000), np.uint8)]))
    page = bytes(data[8 : 8 + 2 + 10 * 12])
    for _ in range(50):
        last = 8 if len(data) < 10_300 else len(data) - len(page) - 4
        data[last + len(page) : last + len(page) + 4] = struct.pack("<I", len(data))
        data += page + bytes(4)
    refuse(tmp_path, bytes(data), "found claims of 500000 bytes")


def test_shared_texts_are_not_multiplied():
    """Pages whose texts share the same bytes cannot claim more than the file holds."""
    text = b"x" * 50_000
    data = tiff_bytes([np.zeros((1, 1), np.uint8)], tags=[(270, 2, len(text), text)])
    again = tuple(
        (number, 2, len(text), struct.pack("<I", 8 + 2 + 12 * 13 + 4)) for number in (270, 285, 33003)
    )
    page = read_pages(data, "a.tif")[0]
    assert page.text("description") == text.decode()
    count = struct.pack("<H", len(again))
    entries = b"".join(struct.pack("<HHI", *tag[:3]) + tag[3] for tag in again)
    shared = b"II*\0" + struct.pack("<I", 8) + count + entries + bytes(4) + bytes(120) + text
    held = [
        name
        for name in ("description", "page_name", "object_number")
        if name in read_pages(shared, "a")[0].values
    ]
    assert held == ["description"]


def test_deflate_bomb_is_cut_at_what_the_image_needs(tmp_path):
    bomb = zlib.compress(bytes(50_000_000), 9)
    start = len(tiff_bytes([np.zeros((1, 1), np.uint8)])) - 1
    data = tiff_bytes([np.zeros((1, 1), np.uint8)], tags=[short(259, 8), long(279, len(bomb))])[:start] + bomb
    path = tmp_path / "a.tif"
    path.write_bytes(data)
    tracemalloc.start()
    planes = read_tiff(path)[1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert planes.tolist() == [[[0]]]
    assert peak < 2**20


def test_deflate_that_claims_too_much(tmp_path):
    tags = [short(259, 8), long(256, 60_000), long(257, 2_000), long(278, 2_000)]
    refuse(tmp_path, tiff_bytes([PLANE], tags=tags), "expected strip 1 of .* found 24 bytes")
    assert MAX_OBJECT_BYTES > 60_000 * 2_000 * 2


def test_deflate_that_ends_early(tmp_path):
    stored = zlib.compress(bytes(10))
    data = tiff_bytes([PLANE], tags=[short(259, 8), long(279, len(stored))])
    refuse(tmp_path, data[:-24] + stored, "expected 24 bytes of deflated pixels, found 10")


@pytest.mark.parametrize("number", [254, 282, 305, 306, 33003, 33024, 285, 270])
def test_malformed_entries_that_nothing_depends_on(number):
    data = tiff_bytes([PLANE], tags=[(number, 2, 2**32 - 1, b"\xff\xff\xff\xff")])
    np.testing.assert_array_equal(read_pages(data, "a.tif")[0].numbers("width"), [4])


def test_a_text_that_begins_outside_is_left_out():
    data = tiff_bytes([PLANE], tags=[(270, 2, 50, struct.pack("<I", 10**6))])
    assert "description" not in read_pages(data, "a.tif")[0].values


def test_texts_of_any_encoding():
    for raw, text in ((b"caf\xe9\0\0", "caf\u00e9"), ("\u00b5m".encode(), "\u00b5m")):
        page = read_pages(tiff_bytes([PLANE], tags=[(285, 2, len(raw), raw)]), "a.tif")[0]
        assert page.text("page_name") == text


def test_unreadable_file(tmp_path):
    with pytest.raises(FormatError, match=r"none\.tif: cannot be read: No such file"):
        read_tiff(tmp_path / "none.tif")
    with pytest.raises(FormatError, match="cannot be read: Is a directory"):
        read_tiff(tmp_path)
