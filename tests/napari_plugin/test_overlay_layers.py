"""Outlines, spots and heat maps as layers: each lies on the cell it belongs to, page after page."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("napari", reason="the review extra is not installed")
ViewerModel = pytest.importorskip("napari.components").ViewerModel

from ifcyto.napari_plugin.desk import Desk  # noqa: E402
from ifcyto.pipeline.explain import write_explained  # noqa: E402
from ifcyto.review.heat_file import read_heat_maps  # noqa: E402
from ifcyto.review.overlays import borders  # noqa: E402
from ifcyto.stack.cell_stack import CellStack  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

OWN = ["BF", "CD235a", "DRAQ5", "masks", "tags", "object numbers"]


@pytest.fixture
def desk(opened):
    made = Desk(ViewerModel())
    assert made.take(opened())
    made.lay_out(size=64)
    return made


@pytest.fixture
def known(desk, stack, tmp_path):
    """Heat maps of a known shape, the stored masks, of the first cells, laid over."""
    path = Path(__file__).parents[1] / "review" / "conftest.py"
    spec = importlib.util.spec_from_file_location("review_conftest", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    file = write_explained(module.explained(stack, [1, 2, 14], 40), tmp_path / "w.npz", source=stack)
    review = desk.review
    maps = read_heat_maps(file, review.session.objects, review.pages)
    assert desk.lay_over(lambda gallery: gallery.over.heat.take(maps))
    return maps


def panel(desk, layer, place, number):
    top, left = desk.gallery.made.corner(place)
    return desk.viewer.layers[layer].data[top : top + 64, left + 64 * number : left + 64 * (number + 1)]


def names(desk):
    return [layer.name for layer in desk.viewer.layers]


def test_outlines_lie_on_their_cells_in_every_panel_and_stay(desk, stack):
    assert names(desk) == OWN
    assert desk.lay_over(lambda gallery: gallery.over.masks.add("M05"))
    assert desk.lay_over(lambda gallery: gallery.over.masks.add("M01"))
    assert names(desk) == [*OWN, "outlines"]
    for page in (0, 1, 2, 0):
        desk.go_to(page)
        with CellStack.open(stack) as file:
            masks = file.masks(desk.gallery.rows, channels=[5, 1], size=64) == 1
        for place, (nucleus, _) in enumerate(borders(masks)):
            first = panel(desk, "outlines", place, 0)
            assert np.array_equal((first == 1) | (first == 2) & nucleus, nucleus)
            for number in (1, 2, 3):
                assert np.array_equal(panel(desk, "outlines", place, number), first)
    assert desk.viewer.layers.selection.active.name == "BF"
    desk.show_typed()
    assert not desk.viewer.layers["outlines"].visible
    desk.turn(1)
    assert not desk.viewer.layers["outlines"].visible
    desk.show_typed()
    assert desk.viewer.layers["outlines"].visible
    desk.viewer.layers.remove("outlines")
    desk.draw()
    assert "outlines" in names(desk)
    desk.lay_out(mode="overlay", size=50)
    assert desk.viewer.layers["outlines"].data.shape == desk.gallery.made.images.shape[1:]
    desk.close()
    assert names(desk) == []


def test_spots_have_numbers_and_captions(desk):
    assert desk.gallery.captions()[0] == "#0"
    desk.number_spots()
    desk.click(1)
    desk.tag("BNE")
    found = desk.gallery.over.drawn
    said = desk.gallery.captions()
    assert said[1] == "#1  [1 BNE]  1 spot"
    assert [text.rsplit("  ", 1)[1].split()[0] for text in said] == [str(n) for n in found.counts.tolist()]
    assert desk.viewer.layers["object numbers"].features["caption"].tolist()[:12] == said
    layer = desk.viewer.layers["spot numbers"]
    assert layer.features["number"].tolist() == [str(n) for n in found.numbers.tolist()]
    size = desk.review.pixel_size_um
    cells = [desk.gallery.row_at(tuple(point * size)) for point in layer.data]
    assert cells == desk.gallery.rows[found.cells].tolist()
    lines = desk.viewer.layers["outlines"].data
    assert lines.max() >= 100
    desk.number_spots()
    assert desk.gallery.captions()[0] == "#0"
    assert not desk.viewer.layers["spot numbers"].visible


def test_a_heat_map_lies_on_its_cell(desk, known, stack):
    assert names(desk) == [*OWN[:3], "heat map", *OWN[3:]]
    for page in (0, 1):
        desk.go_to(page)
        with CellStack.open(stack) as file:
            masks = (file.masks(desk.gallery.rows, size=64)[:, [1, 2]] > 0).any(axis=1)
        masks[:, :12] = masks[:, 52:] = False  # the network saw 40 px of 64
        masks[:, :, :12] = masks[:, :, 52:] = False
        for place, row in enumerate(desk.gallery.rows.tolist()):
            for number in range(4):
                opaque = panel(desk, "heat map", place, number)[..., 3] > 0
                wanted = masks[place] if row in (1, 2, 14) else np.zeros((64, 64), bool)
                assert np.array_equal(opaque, wanted)
    assert desk.gallery.captions()[2] == "#14  BNE 0.99"
    desk.show_heat()
    assert not desk.viewer.layers["heat map"].visible
    assert desk.gallery.captions()[2] == "#14"
    desk.show_heat()
    desk.lay_over(lambda gallery: gallery.over.heat.take(None))
    assert not desk.viewer.layers["heat map"].visible
    desk.show_heat()
    assert "load a file of ifcyto explain" in desk.message


def test_a_mask_that_cannot_be_computed_is_told_and_the_cells_are_shown(desk, monkeypatch):
    assert not desk.lay_over(lambda gallery: gallery.over.masks.add("Erode(M05"))
    assert desk.message.endswith("^")
    assert desk.gallery.over.masks.items == ()
    desk.lay_over(lambda gallery: gallery.over.masks.add("Erode(M05, 1)"))
    monkeypatch.setattr(desk.review.masks, "size_of", 3)
    desk.turn(1)
    assert "expected one channel for 3" in desk.message
    assert len(desk.gallery.rows) == 12
    assert len(np.unique(desk.gallery.layers()[0].data)) > 10
    assert not desk.viewer.layers["outlines"].visible
    assert desk.viewer.layers["object numbers"].features["caption"][0] == "#12"


def test_a_blinded_reader_sees_outlines_and_no_verdict(opened):
    made = Desk(ViewerModel())
    made.take(opened(blinded=True))
    made.number_spots()
    assert "a blinded reader does not see" in made.message
    made.show_heat()
    assert "a blinded reader does not see" in made.message
    assert made.lay_over(lambda gallery: gallery.over.masks.add("M05"))
    assert made.viewer.layers["outlines"].data.any()
    assert not any("spot" in text for text in made.gallery.captions())
    made.show_typed()
    made.lay_over(lambda gallery: gallery.over.masks.remove(0))
    made.show_typed()
    assert "No outline was asked for" in made.message
