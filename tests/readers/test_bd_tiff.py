"""BD CellView / FACSDiscover TIFF: float32 pages with names."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.errors import FormatError
from ifcyto.readers.bd_tiff import BdTiffReader
from ifcyto.readers.registry import open_acquisition
from ifcyto.testing import check_reader
from ifcyto.testing.tiff_files import tiff_bytes

NAMES = ["LightLoss (Blue)", "FSC", "SSC (Imaging)"]


@pytest.fixture
def truth(rng):
    return {n: rng.normal(0, 50, (3, 20 + n, 104)).astype(np.float32) for n in (2, 0, 11)}


@pytest.fixture
def folder(tmp_path, truth):
    place = tmp_path / "events"
    place.mkdir()
    for number, planes in truth.items():
        (place / f"event_{number:08d}.tiff").write_bytes(tiff_bytes(planes, page_names=NAMES))
    return place


def test_battery_on_folder_and_file(folder):
    check_reader(
        lambda: BdTiffReader(folder),
        channels=NAMES,
        object_numbers=[0, 2, 11],
        dtype="float32",
        has_masks=False,
    )
    single = folder / "event_00000011.tiff"
    check_reader(lambda: BdTiffReader(single), channels=NAMES, object_numbers=[11])


def test_pixels_and_brightfield(folder, truth):
    with BdTiffReader(folder) as reader:
        assert [channel.brightfield for channel in reader.channels] == [True, False, False]
        for cell in reader:
            np.testing.assert_array_equal(cell.images, truth[cell.object_number])
        assert "9 missing" in reader.notes[0]


def test_other_page_names_are_a_fault(folder, truth):
    (folder / "event_00000002.tiff").write_bytes(tiff_bytes(truth[2], page_names=NAMES[::-1]))
    with (
        BdTiffReader(folder) as reader,
        pytest.raises(
            FormatError,
            match=r"object 2, event_00000002\.tiff: expected the channels of the first object \(LightLoss",
        ),
    ):
        list(reader)


def test_integers_or_missing_names_are_a_fault(folder, truth):
    path = folder / "event_00000002.tiff"
    path.write_bytes(tiff_bytes(truth[2].astype(np.int16), page_names=NAMES))
    with (
        BdTiffReader(folder) as reader,
        pytest.raises(FormatError, match=r"expected float32 pages .* int16 and 3 names"),
    ):
        reader.read_cell(1)
    path.write_bytes(tiff_bytes(truth[2], page_names=["FSC", "", "SSC"]))
    with BdTiffReader(folder) as reader, pytest.raises(FormatError, match="float32 and 2 names"):
        reader.read_cell(1)


def test_salvage_and_a_damaged_first_event(folder):
    first = folder / "event_00000000.tiff"
    first.write_bytes(first.read_bytes()[:100])
    assert isinstance(open_acquisition(folder, salvage=True), BdTiffReader)
    with pytest.raises(FormatError, match=r"object 0, .*event_00000000\.tiff"):
        BdTiffReader(folder)
    check_reader(lambda: BdTiffReader(folder, salvage=True), n_objects=3, n_faults=1)


def test_float_pages_without_names_are_not_bd(tmp_path, truth):
    (tmp_path / "a_1.tif").write_bytes(tiff_bytes(truth[0]))
    assert open_acquisition(tmp_path).format == "multipage-tiff"
    assert open_acquisition(tmp_path / "a_1.tif").format == "multipage-tiff"
