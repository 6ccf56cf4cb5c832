"""Sheets of heat maps: what is drawn where, in which colours, and what the legend says."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from ifcyto.figures.heat_maps import AGAINST, FOR, HeatTile, heat_map_sheet, overlay
from ifcyto.figures.style import PAGE_MM, PALETTE

# Machado, Oliveira, Fernandes 2009 (doi 10.1109/TVCG.2009.113), severity 1.0, for linear RGB.
BLIND = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def tile(rng, number=7, channels=2, words=("network: BNE", "p(BNE) = 0.980")) -> HeatTile:
    images = rng.integers(0, 1000, (channels, 8, 8))
    return HeatTile(images, rng.random((8, 8)), rng.random((8, 8)) - 0.5, number, "MDS01", words)


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_an_overlay_is_grey_where_nothing_speaks_and_coloured_where_something_does():
    grey = np.array([[0.2, 0.5, 0.8]])
    rgb = overlay(grey, np.array([[0.0, 2.0, -1.0]]))
    np.testing.assert_allclose(rgb[0, 0], 0.2)
    np.testing.assert_allclose(rgb[0, 1], 0.15 * 0.5 + 0.85 * np.array(to_rgb(FOR)))
    np.testing.assert_allclose(rgb[0, 2], 0.15 * 0.8 + 0.85 * np.array(to_rgb(AGAINST)))
    assert {FOR, AGAINST} < set(PALETTE)


@pytest.mark.parametrize("kind", BLIND)
def test_colours_are_told_apart_by_every_kind_of_colour_vision(kind):
    """On every grey the two colours differ from it, and from each other, by far more than is just seen."""
    grey = np.linspace(0, 1, 9)[None]

    def seen(heat: float):
        rgb = overlay(grey, np.full(grey.shape, heat))[0]
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return lab(np.clip(linear @ np.array(BLIND[kind]).T, 0, 1))

    def lab(linear):
        xyz = (
            linear
            @ np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]).T
        )
        f = np.cbrt(xyz / [0.9505, 1.0, 1.089])  # of all but the darkest colours
        return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], -1)

    plain, red, blue = seen(0.0), seen(1.0), seen(-1.0)
    for first, second in ((plain, red), (plain, blue), (red, blue)):
        assert np.linalg.norm(first - second, axis=1).min() > 20  # about 2.3 is just seen


def test_a_sheet_has_a_row_for_each_cell_and_says_what_it_is(rng):
    tiles = [tile(rng, number) for number in (7, 1234)]
    figure = heat_map_sheet(tiles, channels=["BF", "DRAQ5"], title="Wrong", of_class="BNE", pixel_size_um=0.5)
    axes = figure.axes[0]
    panels = [image for image in axes.images if image.get_array().shape[:2] == (8, 8)]
    assert len(panels) == 2 * (2 * 2 + 1)
    assert len(axes.images) == len(panels) + 2  # the colour bars
    said = texts(figure)
    for word in (
        "Wrong",
        "class BNE; images 4 \N{MICRO SIGN}m wide",
        "#7",
        "#1234",
        "MDS01",
        "p(BNE) = 0.980",
        "Grad-CAM over it",
    ):
        assert word in said
    assert any("makes BNE less (orange-red) or more (blue) probable" in text for text in said)
    strongest = max(np.abs(one.occlusion).max() for one in tiles)
    assert f"+{strongest:.2g}" in said
    assert figure.get_size_inches()[0] * 25.4 <= PAGE_MM + 0.01


def test_maps_are_at_their_place_and_scale(rng):
    first = tile(rng)
    zero = np.zeros((8, 8))
    flat = HeatTile(first.images, zero, zero, 8, "MDS01")
    figure = heat_map_sheet([first, flat], channels=["BF", "DRAQ5"], title="t", of_class="BNE")
    panels = [image.get_array() for image in figure.axes[0].images if image.get_array().shape[:2] == (8, 8)]
    one, two = panels[:5], panels[5:]
    for place in (1, 3, 4):  # over each channel, and the occlusion: grey where there is nothing
        assert (np.ptp(two[place], axis=2) == 0).all()
        assert np.ptp(one[place], axis=2).max() > 100
    row, column = np.unravel_index(first.grad_cam.argmax(), (8, 8))
    share = (np.array(one[1][row, column]) - 0.85 * 255 * np.array(to_rgb(FOR))) / 255
    np.testing.assert_allclose(share, share[0], atol=0.005)  # what is left of the image is grey


def test_many_channels_fit_a_page_and_wrong_sizes_are_refused(rng):
    names = [f"a channel with a long name {i}" for i in range(8)]
    figure = heat_map_sheet([tile(rng, channels=8)], channels=names, title="t", of_class="BNE")
    assert figure.get_size_inches()[0] * 25.4 <= PAGE_MM + 0.01
    with pytest.raises(ValueError, match="object 7 of MDS01: expected arrays"):
        heat_map_sheet([tile(rng, channels=3)], channels=["BF"], title="t", of_class="BNE")
    with pytest.raises(ValueError, match="expected cells and channels"):
        heat_map_sheet([], channels=["BF"], title="t", of_class="BNE")
