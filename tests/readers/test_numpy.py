"""NumPy files, sound and hostile."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy_format

from ifcyto.errors import FormatError, UsageError
from ifcyto.readers.arrays import ArrayReader
from ifcyto.testing import check_reader


@pytest.fixture
def images(rng):
    return rng.integers(-90, 4096, (5, 3, 8, 6)).astype(np.int16)


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("bool", "int16"), ("uint8", "int16"), ("int16", "int16"), (">u2", "int32"), ("int32", "int32"),
        ("float16", "float32"), ("float32", "float32"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_battery(tmp_path, images, stored, read, order):
    array = np.asarray(np.abs(images) % 100, stored, order=order)
    np.save(tmp_path / "a.npy", array)
    check_reader(
        lambda: ArrayReader(tmp_path / "a.npy"),
        channels=["Ch01", "Ch02", "Ch03"],
        object_numbers=range(5),
        dtype=read,
        has_masks=False,
    )
    with ArrayReader(tmp_path / "a.npy") as reader:
        np.testing.assert_array_equal(np.stack([cell.images for cell in reader]), array)
        assert "numbered from 0 to 4 in file order" in reader.notes[0]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_battery(tmp_path, images, save):
    masks = (images > 0).astype(np.uint8) * 3
    path = tmp_path / "a.npz"
    save(
        path, images=images, masks=masks, object_numbers=[9, 4, 5, 6, 2],
        channels=["BF", "CD235a", "DRAQ5"], labels=["BNE", "", "Doublet", "BNE", "x"], other=[1],
    )  # fmt: skip
    check_reader(
        lambda: ArrayReader(path),
        channels=["BF", "CD235a", "DRAQ5"],
        object_numbers=[9, 4, 5, 6, 2],
        has_masks=True,
    )
    with ArrayReader(path) as reader:
        for row, cell in enumerate(reader):
            np.testing.assert_array_equal(cell.images, images[row])
            np.testing.assert_array_equal(cell.masks, masks[row])
        assert reader.read_cell(0).label == "BNE"
        assert reader.notes == [
            "object numbers run from 2 to 9 with 3 missing: 3, 7, 8",
            "arrays of other names are not used: other",
        ]


def test_cells_own_their_pixels(tmp_path, images):
    np.save(tmp_path / "a.npy", images)
    with ArrayReader(tmp_path / "a.npy") as reader:
        cell = reader.read_cell(0)
    cell.images[:] = 0
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), images)
    with pytest.raises(UsageError, match="the reader is closed"):
        reader.read_cell(0)


ONE = np.zeros((2, 1, 3, 4), np.int16)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({}, "expected an array called images, found none"),
        ({"pictures": ONE}, "expected an array called images, found pictures"),
        ({"images": ONE[0]}, r"images: expected images \(N, C, H, W\) .*, found \(1, 3, 4\)"),
        ({"images": ONE[:0]}, r"found \(0, 1, 3, 4\)"),
        ({"images": np.zeros((2, 30, 30, 3), np.uint8)}, r"transpose them if that is \(N, H, W, C\)"),
        ({"images": ONE.astype(np.float64)}, "found float64: convert it to float32 or int32"),
        ({"images": ONE.astype(np.int64)}, "found int64: convert"),
        ({"images": ONE.astype(complex)}, "found complex128: convert"),
        ({"images": ONE.astype(str)}, "found str"),
        ({"images": ONE.astype(object)}, "expected an array of numbers or texts, found object"),
        ({"images": ONE.view([("a", "<i2")])}, r"expected an array of numbers or texts, found \[\('a'"),
        (
            {"images": ONE, "masks": ONE[:1].astype(np.uint8)},
            r"masks: expected masks \(2, 1, 3, 4\) of uint8 or bool",
        ),
        ({"images": ONE, "masks": ONE}, "found .* of int16"),
        ({"images": ONE, "object_numbers": [1]}, r"object_numbers: expected 2 whole numbers, found \(1,\)"),
        ({"images": ONE, "object_numbers": [1.0, 2.0]}, "whole numbers, found .* of float64"),
        ({"images": ONE, "object_numbers": [7, 7]}, "expected each object number once, found 7 2 times"),
        ({"images": ONE, "channels": ["a", "b"]}, r"channels: expected 1 texts, found \(2,\)"),
        ({"images": ONE, "labels": [1, 2]}, "labels: expected 2 texts, found .* of int64"),
    ],
)
def test_wrong_arrays(tmp_path, arrays, words):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FormatError, match=words):
        ArrayReader(tmp_path / "a.npz")


def header(text, version=b"\x01\x00"):
    text = text.encode().ljust(118) + b"\n"
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text


def described(shape, descr="<i2"):
    return header(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")


BAD_NPY = {
    "cut": (
        described("(2, 1, 3, 4)") + bytes(47),
        r"expected 48 bytes for an array \(2, 1, 3, 4\) of int16, found 47",
    ),
    "4 GB claim": (described("(65536, 1, 256, 128)") + bytes(48), "expected 4294967296 bytes .* found 48"),
    "absurd claim": (described(f"({2**62}, {2**62}, 1, 1)") + bytes(48), "found 48 bytes"),
    "negative": (described("(-2, 1, 3, 4)") + bytes(48), "header of a NumPy array|found 48 bytes"),
    "objects": (
        described("(2, 1, 3, 4)", "|O") + bytes(999),
        "expected an array of numbers or texts, found object",
    ),
    "no header": (b"\x93NUMPY\x01\x00", "expected the header of a NumPy array, found damage"),
    "future version": (header("{}", b"\x09\x00"), "expected the header of a NumPy array, found damage"),
    "nonsense header": (header("import os"), "expected the header of a NumPy array, found damage"),
    "4 GB header": (
        b"\x93NUMPY\x02\x00" + b"\xff" * 50,
        "header of a NumPy array, found damage .a length of 4294967295",
    ),
    "no shape": (header("{'descr': '<i2'}"), "expected the header of a NumPy array, found damage"),
}


@pytest.mark.parametrize("case", BAD_NPY)
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_hostile_npy(tmp_path, case, kind):
    data, words = BAD_NPY[case]
    path = tmp_path / f"a.{kind}"
    if kind == "npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images.npy", data)
    else:
        path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(FormatError, match=words) as caught:
        ArrayReader(path)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()
    assert "\n" not in str(caught.value)


def test_pickled_objects_are_never_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, ONE], object), allow_pickle=True)
    with pytest.raises(FormatError, match="found object"):
        ArrayReader(tmp_path / "a.npy")


def test_zip_bomb_by_claim(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", described("(2, 1, 3, 4)") + bytes(48))
    data = bytearray(path.read_bytes())
    central = data.rindex(b"PK\x01\x02")
    data[central + 24 : central + 28] = (2**31).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(FormatError, match=r"images: expected at most \d+ bytes, found a claim of 2147483648"):
        ArrayReader(path)


def test_doubled_and_strange_members(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("images.npy", described("(2, 1, 3, 4)") + bytes(48))
    with pytest.raises(FormatError, match="expected no compression or deflate, found method 12"):
        ArrayReader(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", described("(2, 1, 3, 4)") + bytes(48))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("images.npy", b"")
    with pytest.raises(FormatError, match="expected each array once, found two of one name"):
        ArrayReader(path)


def test_version_3_header(tmp_path):
    buffer = io.BytesIO()
    npy_format.write_array(buffer, ONE, version=(3, 0))
    (tmp_path / "a.npy").write_bytes(buffer.getvalue())
    assert len(ArrayReader(tmp_path / "a.npy")) == 2


def test_texts_that_are_none(tmp_path):
    texts = np.frombuffer(b"\xff\xff\xff\xff", "<U1")
    np.savez(tmp_path / "a.npz", images=ONE, channels=texts)
    with pytest.raises(FormatError, match="channels: expected texts, found bytes that are none"):
        ArrayReader(tmp_path / "a.npz")
