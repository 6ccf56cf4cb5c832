"""Masks of a page are those that features are measured on, cut as the images are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.errors import UsageError
from ifcyto.masks.evaluate import MaskBook
from ifcyto.pipeline.measure import measure
from ifcyto.planes import Planes
from ifcyto.review.page_masks import PageMasks
from ifcyto.review.pages import PageReader
from ifcyto.stack.cell_stack import CellStack

NUCLEI = "Nuclei(MC, DRAQ5, 0.5, 5, 0.3, 0.7, 4, 0.3)"


@pytest.mark.parametrize("size", [24, 61, 160])
def test_a_stored_mask_lies_where_the_stack_cuts_it(opened, cells, size):
    review = opened()
    rows = np.array([7, 0, 19, 3])
    with CellStack.open(cells) as stack:
        wanted = stack.masks(rows, channels=[5], size=size)[:, 0] == 1
    found = review.masks.read(review.session.objects, rows, size, "M05")
    assert np.array_equal(found.labels > 0, wanted)
    assert wanted.any()


@pytest.mark.parametrize(
    "text", [NUCLEI, "Spot(M05, DRAQ5, Bright, 2, 1)", "MC And Not Erode(M05, 2)", "None"]
)
def test_pieces_are_the_spots_of_the_feature_table(opened, cells, text):
    review = opened()
    rows = np.arange(20)
    found = review.masks.read(review.session.objects, rows, 200, text)
    counts = np.asarray(measure(cells, [f"Spot Count_{text}"]).X)[:, 0]
    assert found.counts.tolist() == counts.tolist()
    for labels, count in zip(found.labels, found.counts, strict=True):
        again, n = ndimage.label(labels > 0)  # nothing is cut off at 200 px
        assert n == count
        assert np.array_equal(again, labels)


def test_a_piece_that_the_frame_cuts_off_is_counted(opened):
    review = opened()
    found = review.masks.read(review.session.objects, np.arange(20), 24, "NMC")
    whole = review.masks.read(review.session.objects, np.arange(20), 200, "NMC")
    assert found.counts.tolist() == whole.counts.tolist()
    assert found.labels.shape == (20, 24, 24)


def test_nothing_but_the_cells_of_the_page_is_computed(opened, cells, monkeypatch):
    review = opened()
    seen = []
    read = CellStack.read_batch
    monkeypatch.setattr(
        CellStack, "read_batch", lambda self, rows: seen.append(list(rows)) or read(self, rows)
    )
    objects = review.session.objects
    review.masks.read(objects, np.array([4, 2]), 40, "Erode(M05, 1)")
    review.masks.read(objects, np.array([4, 2]), 64, "Erode(M05, 1)")  # another size: nothing is computed
    assert seen == [[4, 2]]
    for first in range(19):
        review.masks.read(objects, np.array([first, first + 1]), 40, f"Erode(M05, {1 + first % 3})")
    for _ in range(40):
        review.masks.read(objects, np.array([_ % 20]), 40, "M01")
    assert len(review.masks._known) <= 24


@pytest.mark.parametrize("size", [30, 200])
def test_images_and_masks_of_a_page_are_one_reading(opened, monkeypatch, size):
    review = opened()
    objects, rows = review.session.objects, np.array([4, 19, 2])
    images, inside = review.pages.read(objects, rows, size)
    wanted = review.masks.read(objects, rows, size, "Erode(M05, 1)")
    review = opened()
    seen = []
    read = CellStack.read_batch

    def counted(self, places):
        seen.append(list(places))
        return read(self, places)

    monkeypatch.setattr(CellStack, "read_batch", counted)
    held, masks = review.pages.read(objects, rows, size, hold=True)
    found = review.masks.read(objects, rows, size, "Erode(M05, 1)")
    assert seen == [[4, 19, 2]]
    assert np.array_equal(held, images)
    assert held.dtype == images.dtype
    assert np.array_equal(masks, inside)
    assert np.array_equal(found.labels, wanted.labels)


def test_a_study_calls_images_by_its_roles(cells):
    pages = PageReader({"S": cells}, [5, 1], ["Kern", "Licht"])
    masks = PageMasks(pages)
    with CellStack.open(cells) as stack:
        planes = Planes(stack.read_batch([3]), stack.channels, pixel_size_um=0.5)
        wanted = MaskBook(stack.channels).mask(planes, "Threshold(M05, DRAQ5, 60)").sum()

    class Objects:
        samples, objects = np.array(["S"]), np.array([3])

    found = masks.read(Objects, np.array([0]), 200, "Threshold(M05, Kern, 60)")
    assert (found.labels > 0).sum() == wanted
    pages.close()


def test_what_is_no_mask_is_told_with_its_place(opened, tmp_path):
    review = opened()
    with pytest.raises(UsageError, match=r"no mask function 'Fil'.*\n  Fil\(M01\)\n  \^"):
        review.masks.expression("Fil(M01)")
    with pytest.raises(UsageError, match="M09"):
        review.masks.expression("M09")
    empty = PageMasks(PageReader({"S": tmp_path / "gone.h5"}, [1]))
    with pytest.raises(UsageError, match="the study was not run"):
        empty.expression("M01")


def test_a_stack_without_a_pixel_size_needs_one(cells, tmp_path):
    from dataclasses import replace

    from ifcyto.stack.write import write_stack

    with CellStack.open(cells) as stack:
        plain = [replace(channel, pixel_size_um=None) for channel in stack.channels]
        write_stack([stack.cell(0)], tmp_path / "p.h5", channels=plain)

    class Objects:
        samples, objects = np.array([""]), np.array([0])

    pages = PageReader({"": tmp_path / "p.h5"}, [1, 5])
    with pytest.raises(UsageError, match="a mask needs the side of a pixel"):
        PageMasks(pages).read(Objects, np.array([0]), 40, "M01")
    assert PageMasks(pages, pixel_size_um=0.5).read(Objects, np.array([0]), 40, "M01").labels.any()
    pages.close()
