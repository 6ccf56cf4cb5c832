"""Strips, outlines and frames: every pixel is the cell's own, and what lies over it is beside it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ifcyto.review.mosaic import mosaic
from ifcyto.review.overlays import SELECTED, frames, outlines
from ifcyto.review.panels import panels_for, strips

NAMES, BRIGHT = ("BF", "CD235a", "DRAQ5"), (True, False, False)


def test_a_strip_holds_each_channel_alone_and_the_dyes_together(rng):
    images = rng.integers(0, 4000, (5, 3, 8, 6)).astype(np.int16)
    fill = np.array([-1, -2, -3], np.int16)
    panels = panels_for(NAMES, BRIGHT)
    made = strips(images, panels, fill).reshape(5, 3, 8, 4, 6)
    for place, drawn in enumerate([(0,), (1,), (2,), (1, 2)]):
        for channel in range(3):
            part = made[:, channel, :, place]
            assert (
                np.array_equal(part, images[:, channel])
                if channel in drawn
                else (part == fill[channel]).all()
            )


def test_the_overlay_is_the_cell_itself(rng):
    images = rng.integers(0, 4000, (5, 3, 8, 6)).astype(np.int16)
    assert strips(images, panels_for(NAMES, BRIGHT, "overlay"), np.zeros(3)) is images
    assert len(panels_for(["BF", "DNA"], [True, False])) == 2  # one dye repeats nothing


def test_outlines_are_the_border_that_erosion_takes(rng):
    masks = (ndimage.gaussian_filter(rng.normal(size=(3, 40, 50)), (0, 3, 3)) > 0).astype(np.uint8)
    cross = ndimage.generate_binary_structure(2, 1)
    wanted = np.zeros((40, 50), np.uint8)
    for channel, mask in enumerate(masks > 0, start=1):
        wanted[mask & ~ndimage.binary_erosion(mask, cross)] = channel
    assert np.array_equal(outlines(masks), wanted)
    assert wanted.any()


def test_frames_lie_around_cells_and_never_on_them(rng):
    images = rng.integers(0, 9, (5, 1, 8, 6)).astype(np.int16)
    made = mosaic(images, np.zeros(images.shape, np.uint8), columns=3, gap=8, header=3)
    found = frames(made, [1, 0, 2, 0, 0], [False, False, True, True, False])
    assert found.shape == (made.images.shape[1] + 8, made.images.shape[2] + 8)
    for place, values in enumerate([{1}, set(), {2, SELECTED}, {SELECTED}, set()]):
        top, left = made.corner(place)
        box = found[top : top + 16, left : left + 14].copy()
        assert not box[4:12, 4:10].any()
        assert set(np.unique(box).tolist()) - {0} == values
    top, left = made.corner(2)
    assert found[top + 4, left : left + 4].tolist() == [SELECTED, SELECTED, 2, 2]
