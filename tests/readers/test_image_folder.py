"""Folders of PNG, JPEG and TIFF images, judged by what Pillow writes."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ifcyto.errors import FormatError
from ifcyto.readers.image_folder import ImageFolderReader
from ifcyto.readers.registry import open_acquisition
from ifcyto.testing import check_reader
from ifcyto.testing.tiff_files import tiff_bytes


def png(path, array):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture
def grey(rng):
    return rng.integers(0, 255, (7, 9)).astype(np.uint8)


def test_battery_with_classes(tmp_path, grey):
    for i, name in enumerate(["G1/c10.png", "G1/c9.png", "BNE/x.png"]):
        png(tmp_path / name, grey[i:])
    check_reader(
        lambda: ImageFolderReader(tmp_path),
        channels=["Ch01"],
        object_numbers=[0, 1, 2],
        dtype="int16",
        has_masks=False,
    )
    with ImageFolderReader(tmp_path) as reader:
        assert [cell.label for cell in reader] == ["BNE", "G1", "G1"]
        assert reader.metadata["files"] == {"0": "BNE/x.png", "1": "G1/c9.png", "2": "G1/c10.png"}
        np.testing.assert_array_equal(reader.read_cell(1).images[0], grey[1:])
        assert "numbered from 0 to 2 in natural order" in reader.notes[0]


def test_battery_flat_and_single(tmp_path, grey):
    png(tmp_path / "b.png", grey)
    png(tmp_path / "a.png", grey)
    check_reader(lambda: ImageFolderReader(tmp_path), n_objects=2)
    check_reader(lambda: ImageFolderReader(tmp_path / "a.png"), n_objects=1)
    assert ImageFolderReader(tmp_path).read_cell(0).label is None


def test_colours_and_alpha(tmp_path, rng):
    colours = rng.integers(0, 255, (7, 9, 4)).astype(np.uint8)
    png(tmp_path / "a.png", colours)
    png(tmp_path / "b.png", colours[..., :3])
    with ImageFolderReader(tmp_path) as reader:
        assert [channel.name for channel in reader.channels] == ["R", "G", "B"]
        assert "the alpha channel) is left out" in reader.notes[-1]
        for cell in reader:
            np.testing.assert_array_equal(cell.images, colours[..., :3].transpose(2, 0, 1))


def test_sixteen_bit_grey(tmp_path, rng):
    deep = rng.integers(0, 65_535, (7, 9)).astype(np.uint16)
    png(tmp_path / "a.png", deep)
    with ImageFolderReader(tmp_path) as reader:
        assert reader.dtype == np.int32
        np.testing.assert_array_equal(reader.read_cell(0).images[0], deep)


def test_other_modes(tmp_path, grey):
    image = Image.fromarray(grey)
    image.convert("1", dither=Image.Dither.NONE).save(tmp_path / "one.png")
    image.convert("LA").save(tmp_path / "two.png")
    image.save(tmp_path / "three.png")
    with ImageFolderReader(tmp_path) as reader:
        cells = {reader.metadata["files"][str(cell.object_number)]: cell.images[0] for cell in reader}
    np.testing.assert_array_equal(cells["one.png"], np.where(grey > 127, 255, 0))
    np.testing.assert_array_equal(cells["two.png"], grey)
    np.testing.assert_array_equal(cells["three.png"], grey)


def test_palette_becomes_colours(tmp_path):
    image = Image.new("P", (3, 2), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "a.png")
    with ImageFolderReader(tmp_path) as reader:
        assert reader.read_cell(0).images[:, 0, 0].tolist() == [10, 20, 30]
        assert reader.notes[-1] == "palette colours are read as RGB"


def test_jpeg_and_tiff_by_content(tmp_path, grey):
    Image.fromarray(grey).save(tmp_path / "a.jpg", quality=95)
    (tmp_path / "b.png").write_bytes(tiff_bytes([grey]))  # a wrong extension
    with ImageFolderReader(tmp_path) as reader:
        np.testing.assert_array_equal(
            reader.read_cell(0).images[0], np.asarray(Image.open(tmp_path / "a.jpg"))
        )
        np.testing.assert_array_equal(reader.read_cell(1).images[0], grey)


def test_colour_among_grey_is_a_fault(tmp_path, grey):
    png(tmp_path / "x" / "a.png", grey)
    png(tmp_path / "x" / "b.png", np.dstack([grey] * 3))
    with (
        ImageFolderReader(tmp_path) as reader,
        pytest.raises(
            FormatError,
            match=r"object 1, x/b\.png: expected the channels of the first object \(Ch01\), found R, G, B",
        ),
    ):
        list(reader)
    check_reader(lambda: ImageFolderReader(tmp_path, salvage=True), n_objects=2, n_faults=1)


def test_deeper_among_shallow_is_a_fault(tmp_path, grey):
    png(tmp_path / "a.png", grey)
    png(tmp_path / "b.png", grey.astype(np.uint16))
    with (
        ImageFolderReader(tmp_path) as reader,
        pytest.raises(FormatError, match=r"b\.png: .* fit int16 .* uint16"),
    ):
        reader.read_cell(1)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width, height, depth=8, colour=0, pixels=b"\0" * 100):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


BAD = {
    "empty": (b"", "found an empty file"),
    "not an image": (b"hello, world", r"expected a PNG, JPEG or TIFF image, found first bytes 68 65"),
    "bomb": (bomb(50_000, 50_000), r"found a claim of 50000 x 50000 pixels"),
    "bomb beyond Pillow's own limit": (
        bomb(2**31 - 1, 2**31 - 1),
        r"found a claim of 2147483647 x 2147483647",
    ),
    "small bomb": (bomb(1_000, 1_000), r"fits its \d+ bytes, found a claim of 1000 x 1000"),
    "16-bit colours": (bomb(2, 2, 16, 2), "found a 16-bit colour PNG: save it as TIFF"),
    "cut header": (bomb(5, 5)[:20], "the image cannot be decoded"),
    "cut pixels": (bomb(64, 64, pixels=bytes(range(65)) * 64)[:-60], "the image cannot be decoded"),
    "no size": (bomb(0, 5), "found a claim of 5 x 0 pixels|cannot be decoded"),
    "JPEG start only": (b"\xff\xd8\xff\xe0", "the image cannot be decoded"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_images(tmp_path, grey, case):
    data, words = BAD[case]
    png(tmp_path / "a.png", grey)
    (tmp_path / "b.png").write_bytes(data)
    with ImageFolderReader(tmp_path) as reader, pytest.raises(FormatError, match=words) as caught:
        reader.read_cell(1)
    assert "object 1, " in str(caught.value)
    assert "b.png" in str(caught.value)
    assert "\n" not in str(caught.value)
    with ImageFolderReader(tmp_path, salvage=True) as reader:
        assert [cell.object_number for cell in reader] == [0]
        assert reader.faults[0].where == "b.png"


def test_unreadable_cmyk(tmp_path):
    Image.new("CMYK", (4, 4)).save(tmp_path / "a.jpg")
    with pytest.raises(FormatError, match="expected a grey or RGB image, found mode CMYK"):
        ImageFolderReader(tmp_path)


def test_mixed_content_is_noted(tmp_path, grey):
    png(tmp_path / "G1" / "a.png", grey)
    (tmp_path / "readme.txt").write_text("x")
    (tmp_path / "G1" / "deep").mkdir()
    with ImageFolderReader(tmp_path) as reader:
        assert reader.notes[0] == "2 other entries are not read: readme.txt, G1/deep"


def test_folder_kinds(tmp_path, grey):
    with pytest.raises(FormatError, match="expected images in this folder, found nothing"):
        open_acquisition(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(FormatError, match="no images of a known kind in the folder"):
        open_acquisition(tmp_path)
    with pytest.raises(FormatError, match="found none; first fault: no image files"):
        ImageFolderReader(tmp_path)
    (tmp_path / "a_1.tif").write_bytes(tiff_bytes([grey]))
    assert open_acquisition(tmp_path).format == "multipage-tiff"
    png(tmp_path / "b.png", grey)
    assert open_acquisition(tmp_path).format == "image-folder"
