"""Thousands of damaged files on demand, hundreds in each run: only FormatError may come out.

``IFCYTO_FUZZ=20000`` in the environment asks for that many cases per format.
"""

from __future__ import annotations

import io
import os
import tracemalloc

import numpy as np
import pytest
import tifffile
from PIL import Image

from ifcyto.errors import FormatError
from ifcyto.readers.arrays import ArrayReader
from ifcyto.readers.bd_tiff import BdTiffReader
from ifcyto.readers.ideas_tiff import IdeasTiffReader
from ifcyto.readers.image_folder import ImageFolderReader
from ifcyto.readers.multipage_tiff import MultipageTiffReader
from ifcyto.testing.tiff_files import mutations, tiff_bytes

CASES = int(os.environ.get("IFCYTO_FUZZ", "120"))
PEAK = 8 * 2**20
"""Bytes; far above what these small files need, far below what they can claim."""


def saved(save, *args, **options):
    buffer = io.BytesIO()
    save(buffer, *args, **options)
    return buffer.getvalue()


def seeds():
    rng = np.random.default_rng(5)
    deep = rng.integers(0, 4096, (2, 12, 9)).astype(np.uint16)
    colour = Image.fromarray(rng.integers(0, 255, (12, 9, 3)).astype(np.uint8))
    stack = rng.integers(0, 4096, (3, 2, 6, 5)).astype(np.int16)
    number = (33003, 4, 1, (1).to_bytes(4, "little"))
    metadata = {"axes": "CYX", "Channel": {"Name": ["BF", "DNA"]}, "PhysicalSizeX": 0.5}
    grey = {"photometric": "minisblack"}
    names = ["LightLoss (Blue)", "FSC"]
    return {
        "ideas": (IdeasTiffReader, "a_1_Ch1.ome.tif", tiff_bytes(deep[:1], tags=[number])),
        "bd": (BdTiffReader, "a_1.tif", tiff_bytes(deep.astype(np.float32), page_names=names)),
        "ome": (
            MultipageTiffReader,
            "a_1.tif",
            saved(tifffile.imwrite, deep, ome=True, metadata=metadata, **grey),
        ),
        "zlib": (MultipageTiffReader, "a_1.tif", saved(tifffile.imwrite, deep, compression="zlib", **grey)),
        "tiles": (MultipageTiffReader, "a_1.tif", saved(tifffile.imwrite, deep, tile=(16, 16), **grey)),
        "bigtiff": (MultipageTiffReader, "a_1.tif", saved(tifffile.imwrite, deep, bigtiff=True, **grey)),
        "lzw": (MultipageTiffReader, "a_1.tif", saved(colour.save, "TIFF", compression="tiff_lzw")),
        "packbits": (MultipageTiffReader, "a_1.tif", saved(colour.save, "TIFF", compression="packbits")),
        "png": (ImageFolderReader, "a.png", saved(colour.save, "PNG")),
        "jpeg": (ImageFolderReader, "a.jpg", saved(colour.save, "JPEG")),
        "npy": (ArrayReader, "a.npy", saved(np.save, stack)),
        "npz": (ArrayReader, "a.npz", saved(np.savez_compressed, images=stack, channels=["BF", "DNA"])),
    }


@pytest.mark.parametrize("kind", seeds())
def test_damaged_files(tmp_path, kind):
    cls, name, data = seeds()[kind]
    path = tmp_path / name
    target = path if cls is ArrayReader else tmp_path
    path.write_bytes(data)
    attempt(cls, target, path)  # imports what is needed, so that only reading is measured below
    refused = 0
    tracemalloc.start()
    try:
        for broken in mutations(data, CASES, seed=len(data)):
            path.write_bytes(broken)
            refused += attempt(cls, target, path)
        assert tracemalloc.get_traced_memory()[1] < PEAK
    finally:
        tracemalloc.stop()
    assert 0 < refused < CASES  # else the damage is none, or is not reached


def attempt(cls, target, path):
    """Sniff, open and read; 1 when the file was refused, in one line."""
    head = path.read_bytes()[:4096]
    for reader in (IdeasTiffReader, BdTiffReader, MultipageTiffReader, ImageFolderReader, ArrayReader):
        reader.sniff(path, head)
    try:
        with cls(target) as reader:
            for cell in reader:
                assert cell.images.dtype == reader.dtype
    except FormatError as error:
        assert "\n" not in str(error)  # noqa: PT017 - every one of many is looked at
        return 1
    return 0


@pytest.mark.parametrize("kind", [kind for kind, seed in seeds().items() if seed[0] is not ArrayReader])
def test_damaged_files_are_salvaged_around(tmp_path, kind):
    """A damaged neighbour never costs an intact object."""
    cls, name, data = seeds()[kind]
    (tmp_path / name).write_bytes(data)
    other = name.replace("a_1", "a_2") if "a_1" in name else "b" + name
    with cls(tmp_path) as reader:
        truth = reader.read_cell(0).images
    for broken in mutations(data, max(CASES // 8, 5), seed=1):
        (tmp_path / other).write_bytes(broken)
        with cls(tmp_path, salvage=True) as reader:
            cells = list(reader)
            assert len(cells) + len(reader.faults) == 2
            np.testing.assert_array_equal(cells[0].images, truth)
