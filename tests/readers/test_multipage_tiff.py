"""Multi-page and OME-TIFF, judged by files that tifffile writes."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from ifcyto.errors import FormatError
from ifcyto.readers.multipage_tiff import MultipageTiffReader
from ifcyto.testing import check_reader
from ifcyto.testing.tiff_files import tiff_bytes


def write(path, images, **options):
    tifffile.imwrite(path, images, photometric="minisblack", **options)


@pytest.fixture
def images(rng):
    return rng.integers(0, 60_000, (2, 33, 21)).astype(np.uint16)


def test_battery(tmp_path, images):
    for number in (5, 6, 9):
        write(tmp_path / f"cell_{number}.tif", images[:, number:], metadata=None)
    check_reader(
        lambda: MultipageTiffReader(tmp_path),
        channels=["Ch01", "Ch02"],
        object_numbers=[5, 6, 9],
        dtype="int32",
        has_masks=False,
    )
    check_reader(lambda: MultipageTiffReader(tmp_path / "cell_9.tif"), object_numbers=[9])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "float32"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_pixel_type(tmp_path, rng, dtype, order):
    if dtype == "float32":
        images = rng.normal(size=(2, 7, 5)).astype(dtype)
    else:
        info = np.iinfo(dtype)
        images = rng.integers(info.min, info.max, (2, 7, 5), endpoint=True).astype(dtype)
    write(tmp_path / "a.tif", images, byteorder=order, metadata=None)
    found = MultipageTiffReader(tmp_path / "a.tif").read_cell(0).images
    np.testing.assert_array_equal(found, images)
    assert found.dtype == {"uint8": "int16", "int8": "int16", "uint16": "int32"}.get(dtype, dtype)


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"compression": "zlib", "rowsperstrip": 4},
        {"rowsperstrip": 5},
        {"tile": (16, 16)},
        {"tile": (16, 32), "compression": "zlib", "predictor": True},
        {"bigtiff": True},
        {"bigtiff": True, "byteorder": ">", "tile": (16, 16)},
        {"ome": True},
        {"imagej": True},
    ],
    ids=str,
)
def test_every_form(tmp_path, images, options):
    write(tmp_path / "a.tif", images, **options)
    np.testing.assert_array_equal(MultipageTiffReader(tmp_path / "a.tif").read_cell(0).images, images)


def packbits(data):
    """Literal runs only: the plainest stream that is right."""
    return b"".join(
        bytes([len(part) - 1]) + part for part in (data[i : i + 128] for i in range(0, len(data), 128))
    )


def test_packbits(tmp_path):
    plane = np.arange(200, dtype=np.uint8).reshape(10, 20)
    plain = tiff_bytes([plane])
    coded = packbits(plane.tobytes())
    data = tiff_bytes([plane], tags=[(259, 3, 1, b"\x05\x80"), (279, 4, 1, len(coded).to_bytes(4, "little"))])
    (tmp_path / "a.tif").write_bytes(data[: len(plain) - plane.size] + coded)
    np.testing.assert_array_equal(MultipageTiffReader(tmp_path / "a.tif").read_cell(0).images[0], plane)


def test_rgb_page_becomes_three_channels(tmp_path, rng):
    colours = rng.integers(0, 255, (7, 5, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb")
    tifffile.imwrite(
        tmp_path / "b.tif", colours.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"
    )
    for name in ("a.tif", "b.tif"):
        reader = MultipageTiffReader(tmp_path / name)
        assert [channel.name for channel in reader.channels] == ["R", "G", "B"]
        np.testing.assert_array_equal(reader.read_cell(0).images, colours.transpose(2, 0, 1))


def test_ome_names_and_pixel_size(tmp_path, images):
    light = ["Transmitted", "Epifluorescence"]
    metadata = {
        "axes": "CYX",
        "Channel": {"Name": ["BF & <light>", "DRAQ5"], "IlluminationType": light},
        "PhysicalSizeX": 500.0,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 0.5,
        "PhysicalSizeYUnit": "\u00b5m",
    }
    write(tmp_path / "a_3.ome.tif", images, ome=True, metadata=metadata)
    reader = MultipageTiffReader(tmp_path / "a_3.ome.tif")
    assert [(c.name, c.brightfield, c.pixel_size_um) for c in reader.channels] == [
        ("BF & <light>", True, 0.5),
        ("DRAQ5", False, 0.5),
    ]
    assert reader.object_numbers.tolist() == [3]


def test_ome_with_a_stack_is_refused(tmp_path, images):
    write(tmp_path / "a.ome.tif", images, ome=True, metadata={"axes": "ZYX"})
    with pytest.raises(FormatError, match=r"expected OME-XML of 2 channels, .*SizeT of 1, 2, 1"):
        MultipageTiffReader(tmp_path / "a.ome.tif")


def described(tmp_path, text):
    raw = text.encode() + b"\0"
    path = tmp_path / "a_1.ome.tif"
    path.write_bytes(tiff_bytes([np.ones((2, 3), np.uint8)], tags=[(270, 2, len(raw), raw)]))
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<?xml version='1.0'?><OME><Image><Pixels", "expected well-formed OME-XML, found unclosed token"),
        ("<OME></OME>", "found no Pixels element"),
        ("<OME><Pixels SizeC='many'/></OME>", "expected a number as SizeC in the OME-XML, found 'many'"),
        ("<OME><Pixels SizeC='2'/></OME>", "SizeT of 2, 1, 1"),
        (
            "<!DOCTYPE b [<!ENTITY a 'ha'><!ENTITY c '&a;&a;&a;'>]><OME><Pixels>&c;</Pixels></OME>",
            "expected well-formed OME-XML, found DTDForbidden",
        ),
        (
            "<?xml version='1.0'?><!DOCTYPE b SYSTEM 'file:///etc/passwd'><OME><Pixels/></OME>",
            "expected well-formed OME-XML, found DTDForbidden",
        ),
    ],
)
def test_hostile_ome(tmp_path, text, words):
    with pytest.raises(FormatError, match=words) as caught:
        MultipageTiffReader(described(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_other_descriptions_are_kept_unread(tmp_path):
    text = "<!DOCTYPE b [<!ENTITY a 'ha'>]><Export>&a;"
    assert MultipageTiffReader(described(tmp_path, text)).metadata == {"description": text}


def test_names_without_numbers_get_running_ones(tmp_path, images):
    for name in ("b.tif", "a10x.tif", "a9x.tif"):
        write(tmp_path / name, images)
    with MultipageTiffReader(tmp_path) as reader:
        assert reader.object_numbers.tolist() == [0, 1, 2]
        assert reader.metadata["files"] == {"0": "a9x.tif", "1": "a10x.tif", "2": "b.tif"}
        assert "numbered from 0 to 2 in natural order" in reader.notes[0]


def test_one_name_without_number_is_a_fault(tmp_path, images):
    for name in ("a_1.tif", "blank.tif"):
        write(tmp_path / name, images)
    with pytest.raises(FormatError, match=r"blank\.tif: expected an object number at the end of the name"):
        MultipageTiffReader(tmp_path)
    with MultipageTiffReader(tmp_path, salvage=True) as reader:
        assert reader.object_numbers.tolist() == [1]


def test_duplicate_numbers_are_a_fault(tmp_path, images):
    for name in ("a_1.tif", "b_1.tif", "a_2.tif"):
        write(tmp_path / name, images)
    with pytest.raises(FormatError, match=r"object 1, b_1\.tif: expected one file .* found a_1\.tif as well"):
        MultipageTiffReader(tmp_path)
    check_reader(lambda: MultipageTiffReader(tmp_path, salvage=True), object_numbers=[1, 2])


def test_other_channels_later_are_a_fault(tmp_path, images):
    write(tmp_path / "a_1.tif", images, metadata=None)
    write(tmp_path / "a_2.tif", images[:1], metadata=None)
    with (
        MultipageTiffReader(tmp_path) as reader,
        pytest.raises(
            FormatError,
            match=r"object 2, a_2\.tif: expected the channels of the first object \(Ch01, Ch02\), found Ch01",
        ),
    ):
        reader.read_cell(1)


def test_pages_of_different_size_are_a_fault(tmp_path):
    path = tmp_path / "a_1.tif"
    path.write_bytes(tiff_bytes([np.zeros((3, 4), np.uint8), np.zeros((3, 5), np.uint8)]))
    with pytest.raises(FormatError, match="3 x 4 uint8 as on the first page, found 3 x 5 uint8 on page 2"):
        MultipageTiffReader(path)


@pytest.mark.parametrize("salvage", [False, True])
def test_no_intact_object(tmp_path, salvage):
    (tmp_path / "a_1.tif").write_bytes(b"II*\0")
    with pytest.raises(FormatError, match=r"a_1\.tif: expected a TIFF header, found 4 bytes"):
        MultipageTiffReader(tmp_path, salvage=salvage)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
def test_lzw_as_pillow_writes_it(tmp_path, rng, dtype):
    plane = rng.integers(0, 200, (40, 30)).astype(dtype)
    Image.fromarray(plane).save(tmp_path / "a.tif", compression="tiff_lzw")
    found = MultipageTiffReader(tmp_path / "a.tif").read_cell(0).images
    np.testing.assert_array_equal(found[0], plane)


def test_lzw_colours(tmp_path, rng):
    colours = rng.integers(0, 255, (9, 8, 3)).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "a.tif", compression="tiff_lzw")
    found = MultipageTiffReader(tmp_path / "a.tif").read_cell(0).images
    np.testing.assert_array_equal(found, colours.transpose(2, 0, 1))


@pytest.mark.parametrize("compression", ["jpeg", "group4"])
def test_compressions_that_lose_or_are_not_grey(tmp_path, compression):
    image = Image.fromarray(np.zeros((16, 16), np.uint8))
    image = image.convert("1") if compression == "group4" else image
    image.save(tmp_path / "a.tif", compression=compression)
    with pytest.raises(FormatError, match=r"found compression 7|found bits \[1\]"):
        MultipageTiffReader(tmp_path / "a.tif")
