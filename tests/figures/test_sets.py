"""Four sets and more: every region and every set has its number, in its own place."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from ifcyto.figures.sets import sets_figure
from ifcyto.figures.style import PALETTE, save_figure, text_colour
from ifcyto.figures.upset import upset_figure
from ifcyto.figures.venn_four import region_centres, venn4_figure

NAMES = ["manual", "plain rule", "feature-based", "network"]
REGIONS = [key for key in product((0, 1), repeat=4) if any(key)]


def test_each_of_fifteen_numbers_stands_inside_exactly_its_ellipses():
    counts = {key: 100 + i for i, key in enumerate(REGIONS)}
    axes = venn4_figure(counts, NAMES, "ProE").axes[0]
    places = {text.get_text(): text.get_position() for text in axes.texts}
    for key, count in counts.items():
        x, y = places[str(count)]
        # A slow twin of the code: the patches themselves are asked.
        inside = [
            patch.get_path().contains_point(patch.get_patch_transform().inverted().transform((x, y)))
            for patch in axes.patches
        ]
        assert tuple(map(int, inside)) == key
    for i, name in enumerate(NAMES):
        assert f"{name}\n({sum(c for key, c in counts.items() if key[i]):,})" in places


def test_no_number_of_four_sets_runs_into_another():
    spots = np.array(list(region_centres().values()))
    apart = np.hypot(*(spots[:, None] - spots[None]).T)
    np.fill_diagonal(apart, 1)
    assert apart.min() > 0.05  # 3.6 mm on paper; a number of 6.5 points is 2.3 mm high


def test_four_sets_say_that_areas_mean_nothing_and_what_is_outside():
    figure = venn4_figure({(0, 0, 0, 0): 1234}, NAMES, "")
    assert figure.get_supxlabel() == "in no set: 1,234; areas not to scale"
    assert venn4_figure({}, NAMES, "").get_supxlabel() == "areas not to scale"


def test_upset_bars_are_the_regions_from_the_largest_and_dots_say_which():
    counts = {(1, 0, 1, 0, 0): 3, (1, 1, 1, 1, 1): 40, (0, 1, 0, 0, 0): 7, (0, 0, 1, 0, 0): 0}
    figure = upset_figure(counts, ["a", "b", "c", "d", "e"], "t")
    bars, dots, sizes = figure.axes
    assert [patch.get_height() for patch in bars.patches] == [40, 7, 3]
    assert [text.get_text() for text in bars.texts] == ["40", "7", "3"]
    columns = [part.get_facecolors()[:, :3] for part in dots.collections if len(part.get_facecolors()) == 5]
    dark = [[to_rgb(c) == to_rgb("#222222") for c in column] for column in columns]
    assert [tuple(map(int, column)) for column in dark] == [(1, 1, 1, 1, 1), (0, 1, 0, 0, 0), (1, 0, 1, 0, 0)]
    assert [patch.get_width() for patch in sizes.patches] == [43, 47, 43, 40, 40]
    assert [label.get_text() for label in sizes.get_yticklabels()] == ["a", "b", "c", "d", "e"]
    assert figure.get_supxlabel() == ""


def test_upset_says_what_it_leaves_out(tmp_path):
    counts = {key: 1 + i for i, key in enumerate(product((0, 1), repeat=6)) if any(key)}
    figure = upset_figure({**counts, (0,) * 6: 99}, [f"method {i}" for i in range(6)], "t", most=20)
    left = sorted(counts.values())[: 63 - 20]
    assert figure.get_supxlabel() == (
        f"in no set: 99; 43 smaller regions with {sum(left):,} objects not shown"
    )
    png, _ = save_figure(figure, tmp_path, "upset")
    assert png.stat().st_size > 5000


@pytest.mark.parametrize("k", [2, 3, 4, 5, 8])
def test_nothing_at_all_can_be_drawn(tmp_path, k):
    save_figure(sets_figure({}, [f"s{i}" for i in range(k)], "empty"), tmp_path, "empty")


@pytest.mark.parametrize(
    ("draw", "counts", "names", "message"),
    [
        (venn4_figure, {}, NAMES[:3], "found 3"),
        (venn4_figure, {(1, 0, 1): 3}, NAMES, r"\(1, 0, 1\): 3"),
        (venn4_figure, {(1, 0, 1, 1): -3}, NAMES, "-3"),
        (upset_figure, {}, ["one"], "found 1"),
        (upset_figure, {(2, 0): 1}, ["a", "b"], r"\(2, 0\): 1"),
        (sets_figure, {}, ["one"], "two or three"),
    ],
)
def test_nonsense_is_refused(draw, counts, names, message):
    with pytest.raises(ValueError, match=message):
        draw(counts, names, "")


@pytest.mark.parametrize("i", range(len(PALETTE)))
def test_names_in_colour_can_be_read_on_white(i):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(text_colour(i))]
    luminance = float(np.dot([0.2126, 0.7152, 0.0722], linear))
    assert 1.05 / (luminance + 0.05) >= 4.5  # WCAG 2.1
