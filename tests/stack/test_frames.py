"""Frames of one size, against a slow plain twin."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ifcyto.cells import Cell, CellBatch, Channel
from ifcyto.errors import UsageError
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.frames import backgrounds, channel_rows, frame_size
from ifcyto.stack.objects import mask_centres


def slow_centre(cell: Cell) -> tuple[float, float]:
    _, height, width = cell.images.shape
    places = [
        (row, column)
        for row in range(height)
        for column in range(width)
        if cell.masks is not None and 1 in cell.masks[:, row, column]
    ]
    if not places:
        return (height - 1) / 2, (width - 1) / 2
    return sum(p[0] for p in places) / len(places), sum(p[1] for p in places) / len(places)


def slow_frame(
    image: np.ndarray, centre: tuple[float, float], size: tuple[int, int], fill: object
) -> np.ndarray:
    out = np.full(size, fill, image.dtype)
    for row in range(size[0]):
        for column in range(size[1]):
            i = math.floor(centre[0] + 0.5) - size[0] // 2 + row
            j = math.floor(centre[1] + 0.5) - size[1] // 2 + column
            if 0 <= i < image.shape[0] and 0 <= j < image.shape[1]:
                out[row, column] = image[i, j]
    return out


def slow_border_median(image: np.ndarray) -> float:
    height, width = image.shape
    edge = [
        image[i, j]
        for i in range(height)
        for j in range(width)
        if i in {0, height - 1} or j in {0, width - 1}
    ]
    return float(np.median(np.array(edge, float)))


@pytest.mark.parametrize("size", [64, 16, 1, (7, 30)])
@pytest.mark.parametrize("dtype", ["int16", "float32", "uint8"])
def test_images_and_masks_equal_the_slow_twin(rng, write, helpers, size, dtype) -> None:
    cells = [helpers.cell(rng, i, 3, dtype) for i in range(25)]
    shape = size if isinstance(size, tuple) else (size, size)
    rows = [3, 24, 0, 3]
    with CellStack.open(write(cells)) as stack:
        images, masks = stack.images(rows, [3, "c1"], size), stack.masks(rows, [3, "c1"], size)
        assert images.dtype == dtype
        assert images.shape == masks.shape == (4, 2, *shape)
        for k, row in enumerate(rows):
            centre = slow_centre(cells[row])
            np.testing.assert_allclose(stack.centroids[row], centre, rtol=1e-12)
            for c, channel in enumerate((2, 0)):
                mean = cells[row].facts["background_mean"][channel]
                fill = (
                    mean
                    if dtype == "float32"
                    else np.clip(np.rint(mean), 0 if dtype == "uint8" else None, None)
                )
                expected = slow_frame(cells[row].images[channel], centre, shape, fill)
                np.testing.assert_array_equal(images[k, c], expected)
                np.testing.assert_array_equal(
                    masks[k, c], slow_frame(cells[row].masks[channel], centre, shape, 0)
                )


def test_without_stored_background_the_border_median_fills(rng, write, helpers) -> None:
    cells = [helpers.cell(rng, i) for i in range(12)]
    bare = [Cell(c.object_number, c.images, None) for c in cells]
    with CellStack.open(write(bare)) as stack:
        images = stack.images(size=90)
        for row, cell in enumerate(bare):
            for channel in range(3):
                fill = np.rint(slow_border_median(cell.images[channel]))
                expected = slow_frame(cell.images[channel], slow_centre(cell), (90, 90), fill)
                np.testing.assert_array_equal(images[row, channel], expected)
        with pytest.raises(UsageError, match="expected masks, found none"):
            stack.masks()


def test_a_channel_without_background_uses_its_own_border(rng, helpers) -> None:
    cell = helpers.cell(rng, 1)
    cell.facts["background_mean"][1] = np.nan
    filled = backgrounds(helpers.batch([cell]))
    assert filled[0, 0] == round(cell.facts["background_mean"][0])
    assert filled[0, 1] == np.rint(slow_border_median(cell.images[1]))


def test_a_background_outside_the_dtype_becomes_its_limit(helpers) -> None:
    means = {"background_mean": np.array([1e9, -5.0, 1e300])}
    for dtype, low, high in (("uint8", 0, 255), ("int64", -5, 2**63 - 1), ("uint64", 0, None)):
        batch = helpers.batch([Cell(1, np.zeros((3, 2, 2), dtype), None, means)], dtype)
        filled = backgrounds(batch)[0].tolist()
        assert filled[1] == low
        assert filled[2] == (high or 2**64 - 1)


def test_only_mask_value_one_counts_for_the_centroid() -> None:
    masks = np.zeros((2, 5, 6), np.uint8)
    masks[0, 1, 4] = masks[1, 1, 4] = masks[1, 3, 2] = 1
    masks[0, 0, 0] = 3
    batch = CellBatch.from_cells(
        [Cell(1, masks.astype(np.int16), masks)], n_channels=2, dtype=np.dtype("int16")
    )
    assert mask_centres(batch).tolist() == [[2.0, 3.0]]


def test_rows_may_be_numbers_slices_booleans_or_all(cells, write) -> None:
    with CellStack.open(write(cells)) as stack:
        whole = stack.images(size=8)
        assert len(whole) == 40
        flags = np.zeros(40, bool)
        flags[[1, 30]] = True
        for rows, expected in ((slice(3, 9, 2), [3, 5, 7]), (flags, [1, 30]), ((4, 4), [4, 4]), ([], [])):
            np.testing.assert_array_equal(stack.images(rows, size=8), whole[expected])
        for rows, message in (
            ([40], "expected rows from 0 to 39, found 40"),
            ([-1], "expected rows from 0 to 39, found -1"),
            ([0.5], r"expected rows as whole numbers, a slice or 40 booleans, found \[0.5\]"),
            (flags[:5], "expected rows as whole numbers"),
            (3, "expected rows as whole numbers"),
        ):
            with pytest.raises(UsageError, match=message):
                stack.images(rows)


def test_images_in_small_parts_equal_images_at_once(cells, write, monkeypatch) -> None:
    with CellStack.open(write(cells)) as stack:
        whole = stack.images(size=24)
        monkeypatch.setattr("ifcyto.stack.cell_stack.PIXELS_AT_ONCE", 500)
        np.testing.assert_array_equal(stack.images(size=24), whole)


def test_channels_answer_to_role_name_short_name_number_and_themselves() -> None:
    channels = [Channel(1, "BF"), Channel(5, "DAPI", role="DRAQ5"), Channel(6, "DRAQ5")]
    assert channel_rows(channels) == [0, 1, 2]
    assert channel_rows(channels, "DRAQ5") == [1]
    assert channel_rows(channels, ["DAPI", "Ch06", 1, np.int64(5), channels[2]]) == [1, 2, 0, 1, 2]
    assert channel_rows(channels, Channel(5, "DAPI")) == [1]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("CD71", "'CD71', found no channel"), (7, "7, found no channel"), ("", "'', found no channel"),
     (True, "True, found no channel"), (1.0, "1.0, found no channel"), ("twin", "'twin', found 2 channels")],
)  # fmt: skip
def test_an_unknown_channel_lists_what_there_is(wanted, found) -> None:
    channels = [Channel(1, "BF"), Channel(2, "twin"), Channel(3, "twin", role="DNA")]
    message = rf"expected one channel for {found}; there are: Ch01 BF, Ch02 twin, Ch03 twin \(role DNA\)"
    with pytest.raises(UsageError, match=message):
        channel_rows(channels, wanted)


@pytest.mark.parametrize("size", [0, -3, 1.5, "64", (3,), (3, 4, 5), (0, 4), None])
def test_a_size_that_is_none_is_refused(size) -> None:
    with pytest.raises(UsageError, match="expected a size of 1 pixel or more"):
        frame_size(size)


def test_kernels_agree_with_their_plain_python_selves(rng, helpers) -> None:
    from ifcyto.stack import kernels

    cells = [helpers.cell(rng, i) for i in range(6)]
    batch = helpers.batch(cells)
    sizes = (batch.offsets, batch.heights.astype(np.int64), batch.widths.astype(np.int64))
    for kernel, flat, shape in (
        (kernels.mask_centroids, batch.masks, (6, 2)),
        (kernels.border_medians, batch.pixels, (6, 3)),
    ):
        fast, slow = np.empty(shape), np.empty(shape)
        kernel(flat, *sizes, 3, fast)
        getattr(kernel, "py_func", kernel)(flat, *sizes, 3, slow)
        np.testing.assert_allclose(fast, slow, rtol=1e-12)
    corners, picked = rng.integers(-20, 20, (6, 2)), np.array([2, 0])
    fast, slow = np.zeros((6, 2, 9, 12), np.int16), np.zeros((6, 2, 9, 12), np.int16)
    kernels.cut_frames(batch.pixels, *sizes, corners, picked, fast)
    getattr(kernels.cut_frames, "py_func", kernels.cut_frames)(batch.pixels, *sizes, corners, picked, slow)
    np.testing.assert_array_equal(fast, slow)
