"""What a figure shows over its cells is what the gallery shows over them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from ifcyto.review.export import write_figure
from ifcyto.review.heat_file import read_heat_maps
from ifcyto.review.heat_maps import HeatView
from ifcyto.review.laid_over import laid_over
from ifcyto.review.overlay_list import SPOT_COLOURS, OverlayList
from ifcyto.review.overlays import MASK_COLOURS

ROWS, SIZE = [3, 0, 7], 48
CROSS = ndimage.generate_binary_structure(2, 1)


def rgba(colour):
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)] + [255]


def edge(mask):
    return mask & ~ndimage.binary_erosion(mask, CROSS)


@pytest.fixture
def review(opened):
    return opened()


@pytest.fixture
def stored(review):
    """Stored masks of the cells (n, C, S, S)."""
    return review.pages.read(review.session.objects, np.array(ROWS), SIZE, masks=True)[1] > 0


def test_nothing_shown_is_nothing_drawn(review):
    masks, heat = OverlayList(review.masks, rule=review.rule), HeatView(blinded=False)
    assert laid_over(review, ROWS, SIZE, masks=masks, heat=heat) is None
    masks.add("M02")
    masks.turn()
    assert laid_over(review, ROWS, SIZE, masks=masks, heat=heat) is None


def test_stored_masks_lie_over_their_channels(review, stored):
    found = laid_over(review, ROWS, SIZE, stored=True)
    assert found.colours.shape == (3, 4, SIZE, SIZE, 4)
    for cell in range(3):
        for channel in range(3):
            inside = edge(stored[cell, channel])
            drawn = found.colours[cell, channel]
            assert np.array_equal(drawn[..., 3] > 0, inside)
            assert (drawn[inside] == rgba(MASK_COLOURS[channel])).all()
        dyes = edge(stored[cell, 1]) | edge(stored[cell, 2])  # brightfield's lies over brightfield alone
        assert np.array_equal(found.colours[cell, 3, ..., 3] > 0, dyes)
    assert (found.legend, found.words) == ("stored masks", ("", "", ""))


def test_outlines_lie_over_every_panel_and_spots_are_counted(review, stored):
    masks = OverlayList(review.masks, rule=review.rule)
    field = masks.add("M02", name="field")
    masks.add("M05", name="nuclei", spots=True)
    found = laid_over(review, ROWS, SIZE, masks=masks)
    assert found.legend == "field (solid)  |  nuclei (numbered)"
    for cell in range(3):
        pieces, count = ndimage.label(stored[cell, 2])
        assert found.words[cell] == ("1 spot" if count == 1 else f"{count} spots")
        assert sorted(number for _, _, number in found.numbers[cell]) == list(range(1, count + 1))
        for y, x, number in found.numbers[cell]:
            assert np.allclose(ndimage.center_of_mass(pieces == number), (y, x))
        field_alone = edge(stored[cell, 1]) & ~edge(stored[cell, 2])
        for panel in found.colours[cell]:
            assert (panel[field_alone] == rgba(field.colour)).all()
            assert (panel[edge(pieces == 1)] == rgba(SPOT_COLOURS[0])).all()
            assert np.array_equal(panel[..., 3] > 0, edge(stored[cell, 1]) | edge(stored[cell, 2]))


def test_a_heat_map_lies_where_the_network_looked(review, heat_file):
    heat = HeatView(blinded=False)
    heat.take(read_heat_maps(heat_file, review.session.objects, review.pages))
    every = laid_over(review, ROWS, SIZE, heat=heat)
    assert all(np.array_equal(every.colours[:, 0], every.colours[:, panel]) for panel in range(4))
    assert [bool(cell[..., 3].any()) for cell in every.colours] == [True, True, False]  # object 7 has no map
    assert every.words == ("Doublet 0.58", "BNE 0.50", "")
    assert every.legend == "heat map: Grad-CAM, full colour 1 logit"
    heat.kind = next(kind for kind in heat.maps.kinds() if "channel" in kind)
    single = laid_over(review, ROWS, SIZE, heat=heat)
    assert [bool(panel[..., 3].any()) for panel in single.colours[0]] == [False, True, True, False]


def test_the_figure_has_the_colours(review, tmp_path):
    masks = OverlayList(review.masks, rule=review.rule)
    masks.add("M02", name="field")
    masks.change(0, colour="#00FF01")
    plain, _ = write_figure(tmp_path / "plain.png", review, ROWS, size=SIZE)
    over = laid_over(review, ROWS, SIZE, masks=masks)
    drawn, _ = write_figure(tmp_path / "drawn.png", review, ROWS, size=SIZE, over=over)

    def green(path):
        with Image.open(path) as picture:
            return int((np.asarray(picture.convert("RGB")) == (0, 255, 1)).all(axis=-1).sum())

    assert green(plain) == 0
    assert green(drawn) > 4 * (over.colours[..., 3] > 0).sum()  # a pixel of a cell is several of the figure
