from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

from ifcyto.figures.style import PAGE_MM, save_figure
from ifcyto.figures.training import learning_curve, ranking_bars

NAMES = ["Area_M05", "Aspect Ratio_M05", "Intensity_M05_DRAQ5", "Area_M01"]


def rows(figure):
    return [text.get_text() for text in figure.axes[0].get_yticklabels()]


def bars(figure):
    """Place, length and colour of each bar, from the top."""
    found = [
        (round(bar.get_y() + bar.get_height() / 2), bar.get_width(), to_hex(bar.get_facecolor()))
        for group in figure.axes[0].containers
        for bar in group
    ]
    return sorted(found)


def band(axes):
    (part,) = [part for part in axes.collections if isinstance(part, PolyCollection)]
    return part.get_paths()[0].vertices


def test_bars_are_sorted_and_the_chosen_ones_dark():
    figure = ranking_bars(NAMES, [1.0, 4.0, 2.0, np.nan], ["Aspect Ratio_M05", "Area_M05"])
    assert rows(figure) == ["Aspect Ratio_M05", "Intensity_M05_DRAQ5", "Area_M05"]
    assert [length for _, length, _ in bars(figure)] == [4.0, 2.0, 1.0]
    dark, light, again = (tint for _, _, tint in bars(figure))
    assert dark == again != light
    assert [text.get_text() for text in figure.axes[0].texts] == ["4", "2", "1"]
    low, high = figure.axes[0].get_ylim()
    assert low > high
    assert figure.legends[0].get_title().get_text() == "3 best of 4 features"


def test_no_more_than_asked_are_shown_and_the_rest_is_said():
    names = [f"f{i}" for i in range(30)]
    figure = ranking_bars(names, np.arange(30.0), names[:15])
    assert rows(figure) == names[:9:-1]
    assert figure.legends[0].get_title().get_text() == (
        "20 best of 30 features; 10 of 15 chosen ones rank lower"
    )
    assert rows(ranking_bars(names, np.arange(30.0), (), most=3)) == ["f29", "f28", "f27"]


def test_infinite_ratios_and_long_names_can_be_drawn(tmp_path):
    long = "Bright Detail Similarity R3_" + "x" * 90
    figure = ranking_bars(["a", long], [1.0, np.inf], [long])
    assert bars(figure)[0][1] == 1.0
    assert figure.axes[0].texts[0].get_text() == "infinite"
    assert len(rows(figure)[0]) == 60
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(PAGE_MM)
    save_figure(figure, tmp_path, "long")
    save_figure(ranking_bars(["a"], [0.0], []), tmp_path, "zero")


def test_disagreeing_rankings_are_refused():
    for ratios in ([1.0], [1, 2, 3, -1.0], [np.nan] * 4):
        with pytest.raises(ValueError, match="expected 4 ratios from 0"):
            ranking_bars(NAMES, ratios, [])
    with pytest.raises(ValueError, match=r"found \['Area_M99'\]"):
        ranking_bars(NAMES, range(4), ["Area_M99"])
    with pytest.raises(ValueError, match="1 bar or more"):
        ranking_bars(NAMES, range(4), [], most=0)


def test_curve_and_band_show_mean_and_deviation():
    sizes, means, sds = [30, 60, 120, 240], [0.6, 0.7, 0.85, 0.97], [0.1, 0.05, 0.04, 0.05]
    axes = learning_curve(sizes, means, sds, classes=3).axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), np.column_stack([sizes, means]))
    assert band(axes)[:, 1].min() == pytest.approx(0.5)
    assert band(axes)[:, 1].max() == 1.0  # no accuracy is above 1
    assert axes.lines[1].get_ydata() == [1 / 3, 1 / 3]
    assert axes.get_ylim()[0] < 1 / 3
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["30", "60", "120", "240"]


def test_far_guessing_does_not_flatten_the_curve():
    figure = learning_curve([10, 20], [0.8, 0.9], [0.01, 0.01], classes=10)
    assert figure.axes[0].get_ylim()[0] > 0.7
    assert "guessing: 0.10, below the axis" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_tick_numbers_keep_apart_and_the_last_is_there():
    sizes = np.arange(100, 1001, 10)
    axes = learning_curve(sizes, np.full(91, 0.5), np.zeros(91)).axes[0]
    ticks = axes.get_xticks()
    assert ticks[-1] == 1000
    assert 4 <= len(ticks) <= 8
    assert set(ticks) <= set(sizes)
    assert np.diff(np.log(ticks)).min() > np.log(1.12)


@pytest.mark.parametrize(
    ("sizes", "means", "sds"),
    [
        ([300], [0.9], [np.nan]),
        ([300], [0.9], [0.05]),
        ([30, 60, 90], [0.5, np.nan, 0.6], [0, np.nan, np.nan]),
        ([1, 2], [0.0, 1.0], [0.3, 0.3]),
    ],
)
def test_short_curves_can_be_drawn(tmp_path, sizes, means, sds):
    figure = learning_curve(sizes, means, sds, classes=2)
    drawn = figure.axes[0].lines[0].get_xydata()
    assert np.isfinite(drawn).all()
    assert len(drawn) == np.isfinite(means).sum()
    save_figure(figure, tmp_path, "short")


def test_disagreeing_curves_are_refused():
    with pytest.raises(ValueError, match="as many sizes"):
        learning_curve([1, 2], [0.5], [0.1])
    with pytest.raises(ValueError, match="as many sizes"):
        learning_curve([1], [np.nan], [0.1])
    with pytest.raises(ValueError, match="ascending from 1"):
        learning_curve([20, 10], [0.5, 0.6], [0, 0])
    with pytest.raises(ValueError, match="ascending from 1"):
        learning_curve([0, 10], [0.5, 0.6], [0, 0])
    with pytest.raises(ValueError, match="two classes"):
        learning_curve([5, 10], [0.5, 0.6], [0, 0], classes=1)
