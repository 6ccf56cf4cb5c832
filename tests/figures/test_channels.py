from __future__ import annotations

import numpy as np
import pytest

from ifcyto.figures.channels import (
    ChannelLook,
    channel_look,
    colourise,
    composite,
    display_range,
    scaled,
)

BF = ChannelLook("BF", None)
RED = ChannelLook("red", "#FF0000")
GREEN = ChannelLook("green", "#00FF00")


@pytest.mark.parametrize(
    ("name", "shade"),
    [
        ("BF", None),
        ("Ch01 Brightfield", None),
        ("CD235a", "#FFB000"),
        ("DRAQ5", "#FF4DFF"),
        ("Ch02 DNA", "#FF4DFF"),
        ("PI", "#FF4DFF"),
        ("SSC", "#56B4E9"),
    ],
)
def test_channels_are_known_by_name(name, shade):
    assert channel_look(name) == ChannelLook(name, shade)


def test_other_channels_have_colours_of_their_own():
    shades = {channel_look(f"Ch{i:02d}", i).colour for i in range(6)}
    assert len(shades) == 6
    assert None not in shades
    assert "pipette" not in shades
    assert channel_look("pipette").colour != channel_look("PI").colour


def test_range_takes_all_tiles_and_ignores_hot_pixels(rng):
    planes = [rng.normal(100, 5, (40, 40)), rng.normal(300, 5, (40, 40))]
    pixels = np.concatenate([plane.ravel() for plane in planes])
    planes[0][0, 0] = 1e6
    low, high = display_range(planes, brightfield=False)
    assert (low, high) == pytest.approx((np.quantile(pixels, 0.2), np.quantile(pixels, 0.998)), abs=2)
    assert high < 400


@pytest.mark.parametrize("value", [0, -5, np.nan])
def test_constant_images_have_a_range(value):
    low, high = display_range([np.full((3, 3), value, float)], brightfield=True)
    assert high == low + 1


def test_scaled_clips_and_survives_nan():
    values = scaled(np.array([[-10, 0, 5, 10, 99, np.nan]]), (0, 10))
    assert values.tolist() == [[0, 0, 0.5, 1, 1, 0]]


def test_colours_run_from_black_to_the_dye():
    rgb = colourise(np.array([[0.0, 1.0]]), RED)
    assert rgb.tolist() == [[[0, 0, 0], [1, 0, 0]]]
    assert colourise(np.array([[0.5]]), BF).tolist() == [[[0.5, 0.5, 0.5]]]


def test_composite_of_two_dyes_leaves_brightfield_out_and_never_clips():
    one = np.array([[1.0, 0.0, 1.0]])
    two = np.array([[0.0, 0.5, 1.0]])
    rgb = composite([np.ones((1, 3)), one, two], [BF, RED, GREEN])
    assert rgb.tolist() == [[[1, 0, 0], [0, 0.5, 0], [1, 1, 0]]]


def test_composite_of_one_dye_lies_over_dimmed_brightfield():
    rgb = composite([np.array([[1.0, 1.0]]), np.array([[0.0, 1.0]])], [BF, RED])
    assert rgb.tolist() == [[[0.5, 0.5, 0.5], [1, 0.5, 0.5]]]
