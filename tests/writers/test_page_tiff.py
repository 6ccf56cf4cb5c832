"""Pages as TIFF: every pixel as it was, every cell where it stood."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from ifcyto.errors import FormatError, OutputError, UsageError
from ifcyto.writers.page_tiff import PlacedCell, read_page_tiff, write_page_tiff

CELLS = (PlacedCell("A", 7, "BNE", 0, 0, 5, 4), PlacedCell("A", 12, "", 0, 6, 5, 4))


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32", "float32"])
def test_pixels_and_places_come_back(tmp_path, rng, dtype):
    planes = rng.integers(-100 if dtype != "uint16" else 0, 4000, (3, 5, 10)).astype(dtype)
    path = write_page_tiff(tmp_path / "p.tif", planes, channels=["BF", "CD235a", "DNA β"], cells=CELLS)
    found, channels, cells = read_page_tiff(path)
    assert found.dtype == planes.dtype
    assert found.tobytes() == planes.tobytes()
    assert (channels, cells) == (("BF", "CD235a", "DNA β"), CELLS)
    with tifffile.TiffFile(path) as file:
        assert [page.compression.name for page in file.pages] == ["NONE"] * 3


def test_other_software_reads_the_first_channel(tmp_path, rng):
    planes = rng.integers(0, 4000, (2, 5, 10)).astype(np.uint16)
    path = write_page_tiff(tmp_path / "p.tif", planes, channels=["BF", "DNA"], cells=CELLS)
    with Image.open(path) as picture:
        assert np.array_equal(np.asarray(picture), planes[0])


def test_what_cannot_be_is_told(tmp_path):
    planes = np.zeros((2, 5, 10), np.uint16)
    with pytest.raises(UsageError, match="and a name of each"):
        write_page_tiff(tmp_path / "p.tif", planes, channels=["BF"], cells=())
    (tmp_path / "p.tif").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_page_tiff(tmp_path / "p.tif", planes, channels=["BF", "DNA"], cells=())
    with pytest.raises(FormatError, match="expected a page of cells"):
        read_page_tiff(tmp_path / "p.tif")
    tifffile.imwrite(tmp_path / "other.tif", planes)
    with pytest.raises(FormatError, match="expected a page of cells"):
        read_page_tiff(tmp_path / "other.tif")
