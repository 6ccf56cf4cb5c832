"""TIFF writers, judged by tifffile and by our readers."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from ifcyto.cells import Cell, Channel
from ifcyto.errors import OutputError, UsageError
from ifcyto.readers.ideas_tiff import IdeasTiffReader
from ifcyto.readers.multipage_tiff import MultipageTiffReader
from ifcyto.testing import check_reader, same_cells
from ifcyto.writers.tiff import write_object_tiffs, write_ome_tiff

CHANNELS = (
    Channel(1, "BF & more", brightfield=True, pixel_size_um=0.5),
    Channel(2, "CD235a", pixel_size_um=0.5),
    Channel(5, "DRAQ5", pixel_size_um=0.5),
)


@pytest.fixture(params=["int16", "int32", "float32"])
def cells(rng, request):
    """Cells of different sizes, with negative pixels."""
    return [
        Cell(number, rng.integers(-94, 4096, (3, 5 + number % 4, 7)).astype(request.param))
        for number in (0, 3, 70_000)
    ]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_object_tiffs_come_back(tmp_path, cells):
    folder = write_object_tiffs(cells, tmp_path / "out", channels=CHANNELS, prefix="MDS 01")
    assert names(folder)[:3] == [f"MDS 01_0_Ch{n}.ome.tif" for n in (1, 2, 5)]
    assert len(names(folder)) == 9
    check_reader(
        lambda: IdeasTiffReader(folder), channels=["Ch01", "Ch02", "Ch05"], object_numbers=[0, 3, 70_000]
    )
    with IdeasTiffReader(folder) as reader:
        same_cells(reader, cells, facts=False)
    with tifffile.TiffFile(folder / "MDS 01_70000_Ch5.ome.tif") as file:
        assert (file.pages[0].tags[33003].value, file.pages[0].tags[33024].value) == (70_000, 70_000)
        np.testing.assert_array_equal(file.pages[0].asarray(), cells[2].images[2])


def test_ome_tiff_comes_back(tmp_path, cells):
    folder = write_ome_tiff(cells, tmp_path / "out", channels=CHANNELS, prefix="x")
    assert names(folder) == ["x_0.ome.tif", "x_3.ome.tif", "x_70000.ome.tif"]
    check_reader(lambda: MultipageTiffReader(folder), object_numbers=[0, 3, 70_000])
    with MultipageTiffReader(folder) as reader:
        same_cells(reader, cells)
        found = [(c.name, c.brightfield, c.pixel_size_um) for c in reader.channels]
        assert found == [(c.name, c.brightfield, c.pixel_size_um) for c in CHANNELS]
    with tifffile.TiffFile(folder / "x_3.ome.tif") as file:
        assert file.is_ome
        assert file.series[0].axes == "CYX"
        np.testing.assert_array_equal(file.series[0].asarray(), cells[1].images)


def test_one_channel_and_one_pixel(tmp_path):
    cell = Cell(4, np.full((1, 1, 1), -3, np.int16))
    path = write_ome_tiff([cell], tmp_path / "cell_4.ome.tif", channels=CHANNELS[:1])
    with MultipageTiffReader(path) as reader:
        same_cells(reader, [cell])
        assert reader.channels[0].name == "BF & more"


def test_the_same_cell_gives_the_same_bytes(tmp_path, cells):
    first, second = (write_ome_tiff(cells, tmp_path / name, channels=CHANNELS) for name in "ab")
    assert [p.read_bytes() for p in sorted(first.iterdir())] == [
        p.read_bytes() for p in sorted(second.iterdir())
    ]


@pytest.mark.parametrize("write", [write_object_tiffs, write_ome_tiff])
def test_existing_output_is_kept(tmp_path, cells, write):
    folder = write(cells[:1], tmp_path / "out", channels=CHANNELS)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(OutputError, match="out: exists already: choose another name or allow overwriting"):
        write(cells, folder, channels=CHANNELS)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    write(cells[1:], folder, channels=CHANNELS, overwrite=True)
    assert len(names(folder)) == 3 * len(before)
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("write", [write_object_tiffs, write_ome_tiff])
def test_an_empty_folder_is_filled(tmp_path, cells, write):
    (tmp_path / "out").mkdir()
    assert len(names(write(cells, tmp_path / "out", channels=CHANNELS))) >= 3


def test_existing_file_is_kept(tmp_path, cells):
    path = tmp_path / "a.tif"
    path.write_text("precious")
    with pytest.raises(OutputError, match=r"a\.tif: exists already"):
        write_ome_tiff(cells[:1], path, channels=CHANNELS)
    with pytest.raises(OutputError, match=r"a\.tif: exists already"):
        write_object_tiffs(cells, path, channels=CHANNELS, overwrite=True)
    assert path.read_text() == "precious"
    write_ome_tiff(cells[:1], path, channels=CHANNELS, overwrite=True)
    assert tifffile.imread(path).shape == cells[0].images.shape
    assert names(tmp_path) == ["a.tif"]


def broken(cells):
    yield cells[0]
    msg = "the source broke"
    raise RuntimeError(msg)


@pytest.mark.parametrize("write", [write_object_tiffs, write_ome_tiff])
def test_nothing_is_left_of_a_failure(tmp_path, cells, write):
    with pytest.raises(RuntimeError, match="the source broke"):
        write(broken(cells), tmp_path / "out", channels=CHANNELS)
    assert names(tmp_path) == []


@pytest.mark.parametrize("write", [write_object_tiffs, write_ome_tiff])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: [c[0], c[0]], "object 0: expected each object number once"),
        (lambda c: [Cell(-1, c[0].images)], "object -1: expected each object number once, and from 0"),
        (lambda c: [Cell(1, c[0].images[:2])], r"object 1: expected images \(3, H, W\), found \(2, 5, 7\)"),
        (lambda c: [Cell(1, c[0].images.astype(float))], "object 1: expected pixels of .*, found float64"),
    ],
)
def test_wrong_cells(tmp_path, cells, write, change, words):
    with pytest.raises(UsageError, match=words):
        write(change(cells), tmp_path / "out", channels=CHANNELS)
    assert names(tmp_path) == []


@pytest.mark.parametrize("write", [write_object_tiffs, write_ome_tiff])
@pytest.mark.parametrize("prefix", ["", "a/b", "../up", "a\\b", ".."])
def test_wrong_prefix(tmp_path, cells, write, prefix):
    with pytest.raises(UsageError, match="expected a prefix that can begin a file's name"):
        write(cells, tmp_path / "out", channels=CHANNELS, prefix=prefix)


def test_wrong_channels(tmp_path, cells):
    with pytest.raises(UsageError, match=r"expected channels of different numbers, found \[1, 1, 2\]"):
        write_object_tiffs(cells, tmp_path / "out", channels=[CHANNELS[0], *CHANNELS[:2]])
    with pytest.raises(UsageError, match="expected at least one channel, found none"):
        write_ome_tiff(cells, tmp_path / "out", channels=[])


def test_one_file_takes_one_cell(tmp_path, cells):
    with pytest.raises(
        UsageError, match=r"expected one cell for a single file, found 3; name a folder for more"
    ):
        write_ome_tiff(cells, tmp_path / "a.tif", channels=CHANNELS)
    assert names(tmp_path) == []


@pytest.mark.parametrize("write", [write_object_tiffs, write_ome_tiff])
def test_the_disk_refuses(tmp_path, cells, write, monkeypatch):
    with pytest.raises(OutputError, match="out: cannot be written: No such file or directory"):
        write(cells, tmp_path / "none" / "out", channels=CHANNELS)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile, "imwrite", full)
    with pytest.raises(OutputError, match="out: cannot be written: No space left on device"):
        write(cells, tmp_path / "out", channels=CHANNELS)
    with pytest.raises(OutputError, match=r"a\.tif: cannot be written: No space left on device"):
        write_ome_tiff(cells[:1], tmp_path / "a.tif", channels=CHANNELS)
    assert names(tmp_path) == []
