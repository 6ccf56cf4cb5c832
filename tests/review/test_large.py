"""The large picture of one cell: pixels repeated, outlines on the borders of masks, numbers on spots."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.figures.channels import ChannelLook
from ifcyto.review.heat_file import read_heat_maps
from ifcyto.review.heat_maps import HeatView
from ifcyto.review.large import Stroke, large_cell, picture
from ifcyto.review.overlay_list import SPOT_COLOURS, OverlayList

LOOKS = [ChannelLook("BF", None), ChannelLook("DNA", "#FF00FF")]


def test_pixels_are_repeated_and_outlines_lie_inside_their_masks():
    images = np.arange(2 * 40 * 40).reshape(2, 40, 40) % 100
    plain = picture(images, LOOKS, [(0, 99), (0, 99)])
    assert plain.shape == (2 * 160 + 4, 2 * 160 + 4, 3)
    assert np.array_equal(plain[:160, :160], plain[:160:4, :160:4].repeat(4, 0).repeat(4, 1))
    mask = np.zeros((40, 40), bool)
    mask[10:20, 5:30] = True
    over = picture(images, LOOKS, [(0, 99), (0, 99)], strokes=[Stroke(mask, "#00FF00", panels=(1,))])
    assert np.array_equal(over[:160, :160], plain[:160, :160])
    changed = (over != plain).any(axis=2)[:160, 164:]
    large = mask.repeat(4, 0).repeat(4, 1)
    assert (changed <= large).all()
    inner = np.zeros_like(large)
    inner[42:78, 22:118] = True  # two pixels of the screen from the border
    assert np.array_equal(changed | inner, large)
    dashed = picture(images, LOOKS, [(0, 99)] * 2, strokes=[Stroke(mask, "#00FF00", "dashed", (1,))])
    assert 0.4 < (dashed != plain).any(axis=2).sum() / changed.sum() < 0.8


def test_heat_lies_over_its_panel():
    images = np.zeros((2, 16, 16))
    heat = np.zeros((3, 16, 16, 4), np.uint8)
    heat[1, 3, 5] = (200, 100, 50, 255)
    found = picture(images, LOOKS, [(0, 1), (0, 1)], 16, heat=heat)
    assert found[3, 20 + 5].tolist() == [200, 100, 50]
    assert (found.sum(axis=2) == 350).sum() == 1


def test_a_cell_is_shown_with_all_that_lies_over_it(opened, heat_file):
    review = opened()
    masks = OverlayList(review.masks, rule=review.rule)
    masks.number_spots()
    objects = review.session.objects
    counts = review.masks.read(objects, np.arange(20), 64, review.rule).counts
    row = int(np.flatnonzero(counts == 2)[0])
    limits = dict.fromkeys(review.channels, (0.0, 300.0))
    plain = large_cell(review, row, 64, limits)
    found = large_cell(review, row, 64, limits, overlays=masks)
    assert (plain.spots, found.spots) == (None, 2)
    assert [number.text for number in found.numbers] == ["1", "2"] * 4
    labels = review.masks.read(objects, np.array([row]), 64, review.rule).labels[0]
    for number in found.numbers[:2]:
        assert labels[int(number.y / 3), int(number.x / 3)] == int(number.text)
        assert number.colour == SPOT_COLOURS[int(number.text) - 1]
    outlined = large_cell(review, row, 64, limits, outlined=True)
    assert len({found.pixels.tobytes(), plain.pixels.tobytes(), outlined.pixels.tobytes()}) == 3


@pytest.mark.parametrize("kind", ["Grad-CAM", "occlusion, each channel in its panel"])
def test_a_heat_map_lies_over_the_large_cell(opened, heat_file, kind):
    review = opened()
    view = HeatView(blinded=False)
    view.take(read_heat_maps(heat_file, review.session.objects, review.pages))
    view.kind = kind
    limits = dict.fromkeys(review.channels, (0.0, 300.0))
    plain, over, none = (
        large_cell(review, row, 64, limits, heat=heat).pixels
        for row, heat in ((3, None), (3, view), (4, view))
    )
    changed = (plain != over).any(axis=2)
    panels = [changed[:192, :192], changed[:192, 196:], changed[196:, :192], changed[196:, 196:]]
    assert [bool(panel.any()) for panel in panels] == (
        [True] * 4 if kind == "Grad-CAM" else [False, True, True, False]
    )
    assert np.array_equal(none, large_cell(review, 4, 64, limits).pixels)
