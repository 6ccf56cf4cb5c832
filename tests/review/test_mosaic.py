"""The picture of a page holds every pixel, and a point of it finds its cell."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from ifcyto.errors import StackError, UsageError
from ifcyto.pipeline.convert import convert
from ifcyto.review.mosaic import columns_for, mosaic
from ifcyto.review.objects import ReviewObjects
from ifcyto.review.pages import PageReader
from ifcyto.samples.demo import write_demo_cif
from ifcyto.stack.cell_stack import CellStack


@pytest.mark.parametrize(
    ("n", "columns", "header"), [(1, None, 0), (7, 3, 4), (12, None, 0), (12, 12, 1), (5, 1, 2)]
)
def test_every_cell_stands_where_its_corner_says(rng, n, columns, header):
    images = rng.integers(-50, 4000, (n, 3, 9, 11)).astype(np.int16)
    masks = (images > 2000).astype(np.uint8) * 7
    made = mosaic(images, masks, columns=columns, gap=2, header=header)
    seen = np.zeros(made.images.shape[1:], bool)
    for place in range(n):
        top, left = made.corner(place)
        part = (slice(top, top + 9), slice(left, left + 11))
        assert np.array_equal(made.images[(slice(None), *part)], images[place])
        assert np.array_equal(made.masks[(slice(None), *part)], masks[place] > 0)
        assert not seen[part].any()
        seen[part] = True
    for y, x in np.ndindex(seen.shape):
        place = made.place_at(y, x)
        assert (place is not None) == bool(seen[y, x])
        if place is not None:
            top, left = made.corner(place)
            assert 0 <= y - top < 9
            assert 0 <= x - left < 11
    assert (images.min(axis=(0, 2, 3)) == made.images[:, ~seen].T).all()
    assert made.place_at(-1, 0) is made.place_at(0, -1) is made.place_at(10_000, 0) is None


def test_no_cell_is_an_empty_picture():
    made = mosaic(np.zeros((0, 2, 8, 8), np.int16), np.zeros((0, 2, 8, 8), np.uint8))
    assert made.images.shape == (2, 8, 8)
    assert made.place_at(0, 0) is None
    assert columns_for(100, (64, 128)) < columns_for(100, (64, 64))


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stacks")
    for seed, name in enumerate("AB"):
        cif = write_demo_cif(folder / f"{name}.cif", n_cells=12, seed=seed)
        convert(cif, folder / f"{name}.h5")
    return {name: folder / f"{name}.h5" for name in "AB"}


def test_pages_mix_samples_in_the_order_asked(stacks):
    found = ReviewObjects(np.array(["A", "B", "A", "B"]), np.array([3, 3, 11, 0]))
    reader = PageReader(stacks, ["BF", "DRAQ5"])
    rows = np.array([2, 1, 0])
    images, masks = reader.read(found, rows, 40)
    for place, row in enumerate(rows):
        sample, number = found.key(row)
        with CellStack.open(stacks[sample]) as stack:
            where = stack.rows_of([number])
            assert np.array_equal(images[place], stack.images(where, ["BF", "DRAQ5"], 40)[0])
            assert np.array_equal(masks[place], stack.masks(where, ["BF", "DRAQ5"], 40)[0])
    assert reader.read(found, rows[:0], 40)[0].shape == (0, 2, 40, 40)
    with CellStack.open(stacks["A"]) as stack:
        sides = np.maximum(stack.heights, stack.widths)
    assert (sides <= reader.usual_size()).mean() >= 0.9
    assert reader.usual_size() % 4 == 0
    assert PageReader({"A": stacks["A"].with_name("gone.h5")}, ["BF"]).usual_size() == 48
    reader.close()


def test_stacks_that_are_gone_are_told(stacks, tmp_path):
    gone = tmp_path / "A.h5"
    shutil.copyfile(stacks["A"], gone)
    reader = PageReader({"A": gone}, ["BF"])
    gone.unlink()
    found = ReviewObjects(np.array(["A", "C"]), np.array([3, 3]))
    with pytest.raises(StackError, match="the stack of sample 'A' is not there"):
        reader.read(found, np.array([0]), 40)
    with pytest.raises(UsageError, match="expected a sample among A, found 'C'"):
        reader.read(found, np.array([1]), 40)
