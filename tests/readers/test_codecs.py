"""The two codecs against a slow twin, real strips, and streams that are wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ifcyto.readers.cif import CifReader
from ifcyto.readers.codecs import decode_image, decode_mask, encode_image, encode_mask

SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, max_side=9)


def slow_image(strip: bytes, shape: tuple[int, int, int]) -> np.ndarray:
    """Written from the description of the format alone: nibbles, then left + up - upleft."""
    n_channels, height, width = shape
    values, value, shift = [], 0, 0
    for byte in strip:
        for nibble in (byte & 15, byte >> 4):
            value += (nibble & 7) << shift
            shift += 3
            if nibble < 8:
                values.append(value - (1 << shift) if nibble & 4 else value)
                value = shift = 0
    raster = np.array(values[: n_channels * height * width]).reshape(height, n_channels * width)
    raster = raster.cumsum(axis=0).cumsum(axis=1)
    return raster.reshape(height, n_channels, width).transpose(1, 0, 2)


@given(hnp.arrays(np.int16, SHAPES, elements=st.integers(-32768, 32767)))
@settings(max_examples=200, deadline=None)
def test_images_round_trip_and_equal_the_slow_twin(image):
    strip = encode_image(image)
    np.testing.assert_array_equal(decode_image(strip, image.shape), image)
    np.testing.assert_array_equal(slow_image(strip, image.shape), image)


@given(hnp.arrays(np.uint8, SHAPES, elements=st.integers(0, 3)))
@settings(max_examples=200, deadline=None)
def test_masks_round_trip(mask):
    np.testing.assert_array_equal(decode_mask(encode_mask(mask), mask.shape), mask)


def test_a_run_may_cross_rows_and_channels():
    mask = np.ones((3, 40, 50), np.uint8)
    strip = encode_mask(mask)
    assert len(strip) == 2 * -(-mask.size // 256)
    np.testing.assert_array_equal(decode_mask(strip, mask.shape), mask)


def test_encoding_a_decoded_real_strip_gives_its_bytes(shared_data):
    with CifReader(shared_data / "amnis" / "example.cif") as reader:
        for row, cell in enumerate(reader):
            (_, image), (_, mask) = reader.raw_records(row)
            assert encode_image(cell.images) == image
            assert encode_mask(cell.masks) == mask
        assert row == 110
        assert min(cell.images.min() for cell in reader) < 1000


@pytest.mark.parametrize(
    ("strip", "words"),
    [
        (b"\x00", "ends before the last pixel"),
        (b"\x00\x00\x88", "ends before the last pixel"),
        (b"\x00\x00\x00\x00", "goes on after the last pixel"),
        (b"\x00\x00\x10", "goes on after the last pixel"),
        (b"\x00\x88\x88\x88\x88\x88\x88", "does not fit into 16 signed bits"),
        (b"\x00\x00\x88\x88\x88\x88\x88", "does not fit into 16 signed bits"),
        (b"\xff\xff\xff\xff\x3f\x00\x00", "does not fit into 16 signed bits"),
    ],
)
def test_wrong_image_strips(strip, words):
    with pytest.raises(ValueError, match=words):
        decode_image(strip, (1, 1, 5))


@pytest.mark.parametrize(
    ("strip", "words"),
    [
        (b"\x01\x00", "ends before the last pixel"),
        (b"", "ends before the last pixel"),
        (b"\x01\x05", "run goes past the last pixel"),
        (b"\x01\x04\x00\x00", "run goes past the last pixel"),
        (b"\x01\x04\x00", "goes on after the last pixel"),
    ],
)
def test_wrong_mask_strips(strip, words):
    with pytest.raises(ValueError, match=words):
        decode_mask(strip, (1, 1, 5))


def test_no_byte_string_is_decoded_wrongly(rng):
    """Random bytes either decode to what the slow twin says, or are refused."""
    decoded = 0
    for _ in range(3000):
        strip = rng.integers(0, 256, int(rng.integers(1, 12)), dtype=np.uint8).tobytes()
        n = int(rng.integers(1, 20))
        try:
            image = decode_image(strip, (1, 1, n))
        except ValueError:
            continue
        decoded += 1
        np.testing.assert_array_equal(image, slow_image(strip, (1, 1, n)))
    assert decoded > 50


def test_the_kernels_say_the_same_without_the_compiler(tmp_path):
    """Run in plain Python once, so that an out-of-bounds access would be seen."""
    code = (
        "import numpy as np\n"
        "from ifcyto.readers.codecs import *\n"
        "rng = np.random.default_rng(5)\n"
        "for _ in range(20):\n"
        "    shape = tuple(rng.integers(1, 6, 3))\n"
        "    image = rng.normal(0, 3000, shape).astype(np.int16)\n"
        "    mask = rng.integers(0, 2, shape).astype(np.uint8)\n"
        "    assert (decode_image(encode_image(image), shape) == image).all()\n"
        "    assert (decode_mask(encode_mask(mask), shape) == mask).all()\n"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
