"""Heat maps lie where their cells are, whatever the size of the crops and of the frames."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import numpy as np
import pytest

from ifcyto.errors import UsageError
from ifcyto.pipeline.explain import write_explained
from ifcyto.review.heat_file import read_heat_maps
from ifcyto.review.heat_maps import BY_CHANNEL, HeatView, heat_strips, legend, placed, tinted
from ifcyto.review.objects import ReviewObjects
from ifcyto.review.pages import PageReader
from ifcyto.review.panels import panels_for
from ifcyto.stack.cell_stack import CellStack

from .conftest import explained


@pytest.mark.parametrize("crop", [20, 33, 64])
@pytest.mark.parametrize("size", [32, 33, 63, 64, 101])
def test_a_map_of_a_known_shape_lies_on_that_shape(opened, cells, tmp_path, crop, size):
    """The map is the cell's stored mask, cut as the network's images are: it covers the mask in the frame."""
    review = opened()
    path = write_explained(explained(cells, [2, 7, 11], crop), tmp_path / "a.npz", source=cells)
    objects = review.session.objects
    maps = read_heat_maps(path, objects, review.pages)
    rows = np.array([11, 0, 2])
    found = maps.read(objects, rows, size, "Grad-CAM")[:, 0]
    with CellStack.open(cells) as stack:
        masks = (stack.masks(rows, size=size)[:, [1, 2]] > 0).any(axis=1)
    assert np.isnan(found[1]).all()  # no map of object 0
    for place in (0, 2):
        known = np.isfinite(found[place])
        assert known.sum() == min(crop, size) ** 2
        assert np.array_equal(found[place][known] > 0, masks[place][known])
        assert (found[place][known] > 0).any()


def test_maps_are_placed_to_the_pixel():
    crop = np.zeros((8, 8), np.float32)
    crop[4, 4] = 9  # the centroid's pixel
    for size in (5, 6, 8, 9, 31):
        found = placed(crop, size)
        assert np.argwhere(found == 9).tolist() == [[size // 2, size // 2]]


def test_maps_of_channels_lie_in_their_panels(opened, heat_file):
    review = opened()
    objects = review.session.objects
    view = HeatView(blinded=False)
    view.take(read_heat_maps(heat_file, objects, review.pages))
    assert view.channels() == (1, 2)
    assert view.maps.kinds()[2:4] == ("occlusion of Ch02 CD235a", "occlusion of Ch05 DRAQ5")
    view.kind = BY_CHANNEL
    panels = panels_for(review.channels, review.brightfield)
    strip = heat_strips(view.colours(objects, np.array([3, 4]), 40), view.channels(), panels)
    assert strip.shape == (2, 40, 160, 4)
    assert not strip[0, :, :40].any()  # brightfield: the model did not look at it
    masks = review.pages.read(objects, np.array([3]), 40)[1][0]
    for channel in (1, 2):
        part = strip[0, :, 40 * channel : 40 * channel + 40, 3]
        inside = placed(masks[channel, 4:37, 4:37].astype(np.float32), 40) > 0
        assert np.array_equal(part > 0, inside)
    assert not strip[0, :, 120:, 3].any()
    assert not strip[1, ..., 3].any()  # no map
    view.kind = "Grad-CAM"
    strip = heat_strips(view.colours(objects, np.array([3]), 40), view.channels(), panels)
    assert all(np.array_equal(strip[0, :, :40], strip[0, :, 40 * n : 40 * n + 40]) for n in (1, 2, 3))


def test_colours_tell_more_from_less_and_for_from_against():
    ramp = tinted(np.linspace(0, 1, 50, dtype=np.float32)[np.newaxis], 1.0)[0].astype(int)
    light = ramp[:, :3] @ [299, 587, 114]
    assert (np.diff(light) > 0).all()  # brighter all the way, in grey too
    assert (np.diff(ramp[:, 3]) >= 0).all()
    sides = tinted(np.array([np.full(30, -1.0), np.full(30, 1.0)], np.float32), 1.0)
    assert (sides[0, :, 3] == 0).sum() == 10  # striped
    assert (sides[1, :, 3] > 0).all()
    both = legend(2.0, signed=True)
    assert not np.array_equal(both[:, 0], both[:, -1])
    assert np.ptp(legend(2.0, signed=False)[0, -1]) > 0


def test_a_view_says_scale_unit_and_class(opened, heat_file):
    review = opened()
    objects = review.session.objects
    view = HeatView(blinded=False)
    assert view.colours(objects, np.arange(3), 40) is None
    with pytest.raises(UsageError, match="load a file of ifcyto explain"):
        view.turn()
    view.take(read_heat_maps(heat_file, objects, review.pages))
    assert view.scale() == (0.0, 1.0, "logit")
    view.kind = "occlusion"
    assert view.scale() == (-0.5, 0.5, "of the probability lost where hidden")
    assert view.maps.rows(objects) == list(range(0, 20, 3))
    assert view.maps.said(objects, 0) == "BNE 0.50"
    assert view.maps.said(objects, 1) == ""
    view.turn()
    assert view.drawn is None
    assert view.colours(objects, np.arange(3), 40) is None


def test_a_blinded_reader_gets_no_heat_map(opened, heat_file):
    review = opened(blinded=True)
    maps = read_heat_maps(heat_file, review.session.objects, review.pages)
    view = HeatView(blinded=True)
    for action in (lambda: view.take(maps), view.turn, view.permit):
        with pytest.raises(UsageError, match="a blinded reader does not see"):
            action()
    view.maps = maps
    assert view.drawn is None
    assert view.colours(review.session.objects, np.arange(3), 40) is None


def test_the_sample_is_found_by_the_pixels(cells, heat_file, tmp_path):
    with CellStack.open(cells) as stack:
        from ifcyto.stack.write import write_stack

        turned = [replace(cell, images=cell.images[:, ::-1]) for cell in map(stack.cell, range(20))]
        write_stack(turned, tmp_path / "other.h5", channels=stack.channels)
    objects = ReviewObjects(np.array(["A"] * 20 + ["B"] * 20), np.tile(np.arange(20), 2))
    pages = PageReader({"A": tmp_path / "other.h5", "B": cells}, [5])
    maps = read_heat_maps(heat_file, objects, pages)
    assert set(maps.keys) == {("B", number) for number in range(0, 20, 3)}
    assert maps.channels == (-1, 0)  # CD235a is not shown in this review
    pages.close()
    alone = PageReader({"A": tmp_path / "other.h5"}, [5])
    with pytest.raises(UsageError, match="found 7 objects whose images are others"):
        read_heat_maps(heat_file, objects, alone)
    alone.close()


def test_files_that_are_none_are_told(opened, heat_file, tmp_path):
    review = opened()
    given = (review.session.objects, review.pages)
    with pytest.raises(UsageError, match="found nothing"):
        read_heat_maps(tmp_path / "gone.npz", *given)
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(UsageError, match=r"expected a file of ifcyto explain \(.npz\)"):
        read_heat_maps(tmp_path / "text.npz", *given)
    np.savez(tmp_path / "other.npz", objects=np.arange(3))
    with pytest.raises(UsageError, match="found no classes, probability"):
        read_heat_maps(tmp_path / "other.npz", *given)
    with np.load(heat_file) as file:
        arrays = dict(file)
    np.savez(tmp_path / "short.npz", **{**arrays, "grad_cam": arrays["grad_cam"][:, 1:]})
    with pytest.raises(UsageError, match="found grad_cam"):
        read_heat_maps(tmp_path / "short.npz", *given)
    np.savez(tmp_path / "pickle.npz", **{**arrays, "grad_cam": np.array([{}], object)})
    with pytest.raises(UsageError, match="expected a file of ifcyto explain"):
        read_heat_maps(tmp_path / "pickle.npz", *given)
    damaged = tmp_path / "cut.npz"
    damaged.write_bytes(heat_file.read_bytes()[:-400])
    with pytest.raises(UsageError):
        read_heat_maps(damaged, *given)
    assert zipfile.is_zipfile(heat_file)
