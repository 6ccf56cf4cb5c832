"""IDEAS TIFF export: names, tags, holes, duplicates, malformed entries."""

from __future__ import annotations

import logging
import struct

import numpy as np
import pytest

from ifcyto.errors import FormatError
from ifcyto.readers.ideas_tiff import IdeasTiffReader, split_name
from ifcyto.readers.registry import open_acquisition
from ifcyto.testing import check_reader
from ifcyto.testing.tiff_files import tiff_bytes

XML = b"<?xml version='1.0'?><Export operator='N. N.' folder='D:\\x'>" + b"</Export>\0"


def long_tag(number, value):
    return (number, 4, 1, struct.pack("<I", value))


def export(folder, plane, number, channel, *, prefix="MDS 1", tagged=None, extra=()):
    """Write one file as IDEAS is described to write it, with the malformed entries."""
    tagged = number if tagged is None else tagged
    tags = [
        (254, 1, 2, b"\0\0"),  # two BYTEs where TIFF wants one LONG
        (270, 2, len(XML), XML),
        (282, 5, 1, b""),  # a rational without its eight bytes
        (305, 2, 2**31, struct.pack("<I", 2**31)),  # a text that claims 2 GiB
        long_tag(33003, tagged),
        long_tag(33024, tagged),
        *extra,
    ]
    path = folder / f"{prefix}_{number}_Ch{channel}.ome.tif"
    path.write_bytes(tiff_bytes([plane], tags=tags))
    return path


@pytest.fixture
def truth(rng):
    """Pixels by object number: objects of different sizes, 12 bits in 16."""
    shapes = {12: (9, 7), 3: (5, 6), 100: (8, 8), 4: (3, 11)}
    return {n: rng.integers(0, 4096, (3, *shape)).astype(np.uint16) for n, shape in shapes.items()}


@pytest.fixture
def folder(tmp_path, truth):
    place = tmp_path / "export"
    place.mkdir()
    for number, planes in truth.items():
        for channel, plane in zip((1, 6, 11), planes, strict=True):
            export(place, plane, number, channel)
    return place


def test_battery(folder):
    check_reader(
        lambda: IdeasTiffReader(folder),
        channels=["Ch01", "Ch06", "Ch11"],
        object_numbers=[3, 4, 12, 100],
        dtype="int32",
        has_masks=False,
    )


def test_pixels_numbers_and_notes(folder, truth):
    with IdeasTiffReader(folder) as reader:
        for cell in reader:
            np.testing.assert_array_equal(cell.images, truth[cell.object_number])
            assert cell.acquisition_number == cell.object_number
        assert [channel.number for channel in reader.channels] == [1, 6, 11]
        assert reader.notes == ["object numbers run from 3 to 100 with 94 missing: 5, 6, 7, 8, 9 ..."]
        assert "operator='N. N.'" in reader.metadata["description"]


def test_malformed_tags_are_survived_in_silence(folder, caplog):
    with caplog.at_level(logging.DEBUG), IdeasTiffReader(folder) as reader:
        list(reader)
    assert caplog.records == []


def test_eight_bit_and_big_endian(tmp_path):
    plane = np.arange(12, dtype=np.uint8).reshape(3, 4)
    (tmp_path / "a_0_Ch1.tif").write_bytes(tiff_bytes([plane], order=">"))
    (tmp_path / "a_0_Ch2.TIFF").write_bytes(tiff_bytes([plane + 1], order=">"))
    with IdeasTiffReader(tmp_path) as reader:
        assert reader.dtype == np.int16
        np.testing.assert_array_equal(reader.read_cell(0).images, np.stack([plane, plane + 1]))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a_b_00041_Ch12.ome.tif", ("a_b", 41, 12)),
        ("7_Ch1.tiff", ("", 7, 1)),
        ("a_7_ch1.OME.TIF", ("a", 7, 1)),
        ("a_Ch1.tif", None),
        ("a_7_Ch1.png", None),
        ("a_7_BF.tif", None),
        (f"a_{'9' * 30}_Ch1.tif", None),
    ],
)
def test_split_name(name, parts):
    assert split_name(name) == parts


def test_missing_channel_names_object_and_channel(folder):
    (folder / "MDS 1_12_Ch6.ome.tif").unlink()
    with pytest.raises(FormatError, match=r"object 12, MDS 1_12_Ch1\.ome\.tif: .* found none for Ch6$"):
        IdeasTiffReader(folder)
    with IdeasTiffReader(folder, salvage=True) as reader:
        assert reader.object_numbers.tolist() == [3, 4, 100]
        assert [fault.object_number for fault in reader.faults] == [12]


def test_tags_that_disagree_with_the_name(folder, truth):
    for name, extra in (("object_number", 33003), ("acquisition_number", 33024)):
        export(folder, truth[12][1], 12, 6, extra=[long_tag(extra, 13)])
        with (
            IdeasTiffReader(folder) as reader,
            pytest.raises(FormatError, match=rf"object 12, .*MDS 1_12_Ch6.*found 13 \({name}\)"),
        ):
            reader.read_cell(2)


def test_duplicates_are_faults(folder, truth):
    (folder / "MDS 1_0012_Ch6.ome.tif").write_bytes((folder / "MDS 1_12_Ch6.ome.tif").read_bytes())
    with pytest.raises(FormatError, match=r"object 12, .*: expected one file for channel 6, found MDS 1_"):
        IdeasTiffReader(folder)
    with IdeasTiffReader(folder, salvage=True) as reader:
        assert len(reader) == 4
        assert len(reader.faults) == 1


def test_two_exports_in_one_folder(folder, truth):
    export(folder, truth[3][0], 77, 1, prefix="other")
    with pytest.raises(FormatError, match=r"other_77_Ch1\.ome\.tif: expected one export .*'MDS 1'"):
        IdeasTiffReader(folder)


def test_mixed_content(folder, truth):
    (folder / "Thumbs.db").write_bytes(b"x")
    (folder / ".hidden").write_bytes(b"x")
    (folder / "sub").mkdir()
    with IdeasTiffReader(folder) as reader:
        assert "2 other entries of the folder are not read: Thumbs.db, sub" in reader.notes
    (folder / "overview.tif").write_bytes(tiff_bytes([truth[3][0]]))
    with pytest.raises(
        FormatError, match=r"overview\.tif: expected the name <prefix>_<object>_Ch<n>\.ome\.tif"
    ):
        IdeasTiffReader(folder)


def test_channels_of_one_object_must_agree(folder, truth):
    export(folder, truth[3][0][:2], 12, 6)
    with (
        IdeasTiffReader(folder) as reader,
        pytest.raises(
            FormatError, match="expected 9 x 7 uint16 as in the object's first channel, found 2 x 6 uint16"
        ),
    ):
        reader.read_cell(2)


def test_wider_pixels_later_are_a_fault(tmp_path):
    (tmp_path / "a_0_Ch1.tif").write_bytes(tiff_bytes([np.zeros((2, 3), np.uint8)]))
    (tmp_path / "a_1_Ch1.tif").write_bytes(tiff_bytes([np.zeros((2, 3), np.uint16)]))
    with IdeasTiffReader(tmp_path) as reader, pytest.raises(FormatError, match=r"fit int16 .* found uint16"):
        reader.read_cell(1)


def test_several_pages_are_a_fault(folder, truth):
    (folder / "MDS 1_3_Ch1.ome.tif").write_bytes(tiff_bytes(list(truth[3])))
    with pytest.raises(FormatError, match=r"object 3, .*expected one grey image, found 3 planes"):
        IdeasTiffReader(folder)


def test_salvage_keeps_intact_objects(folder, truth):
    broken = folder / "MDS 1_4_Ch11.ome.tif"
    broken.write_bytes(broken.read_bytes()[:-9])
    check_reader(lambda: IdeasTiffReader(folder, salvage=True), n_objects=4, n_faults=1)
    with IdeasTiffReader(folder, salvage=True) as reader:
        assert [cell.object_number for cell in reader] == [3, 12, 100]
        (fault,) = reader.faults
        assert (fault.object_number, fault.where) == (4, "MDS 1_4_Ch11.ome.tif")
        assert "expected strip 1 of 66 bytes, found 57 bytes" in fault.message
    with IdeasTiffReader(folder) as reader, pytest.raises(FormatError, match="MDS 1_4_Ch11"):
        list(reader)


def test_nothing_intact(tmp_path):
    (tmp_path / "a_0_Ch1.tif").write_bytes(b"")
    with pytest.raises(FormatError, match=r"a_0_Ch1\.tif: expected a TIFF file, found an empty file"):
        IdeasTiffReader(tmp_path)
    with pytest.raises(
        FormatError, match="expected at least one intact object with all channels, found none"
    ):
        IdeasTiffReader(tmp_path, salvage=True)


def test_only_the_first_object_is_opened(folder, monkeypatch):
    opened = []
    real = IdeasTiffReader._planes
    monkeypatch.setattr(IdeasTiffReader, "_planes", lambda self, row: opened.append(row) or real(self, row))
    with IdeasTiffReader(folder):
        assert opened == [0]


def test_one_file_alone_keeps_its_object_number(folder, truth):
    with open_acquisition(folder / "MDS 1_12_Ch6.ome.tif") as reader:
        assert reader.format == "multipage-tiff"
        assert reader.object_numbers.tolist() == [12]
        np.testing.assert_array_equal(reader.read_cell(0).images[0], truth[12][1])
