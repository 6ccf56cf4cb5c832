from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection, PolyCollection

from ifcyto.figures.style import save_figure
from ifcyto.figures.violins import frequency_panels, frequency_violins


def parts(axes, kind):
    # PolyCollection and its like have subclasses: take the kind asked for.
    return [artist for artist in axes.collections if isinstance(artist, kind)]


def heights(axes):
    """Heights of the horizontal lines: medians and quartiles."""
    return sorted(
        float(segment[0][1]) for lines in parts(axes, LineCollection) for segment in lines.get_segments()
    )


def points(axes):
    return [np.asarray(part.get_offsets()) for part in parts(axes, PathCollection)]


def tick_labels(axes):
    return [text.get_text() for text in axes.get_xticklabels()]


def test_points_median_and_quartiles_are_the_values_given(rng):
    mds, nbm = rng.gamma(3, 0.5, 14), rng.gamma(2, 0.2, 11)
    figure = frequency_violins({"MDS": mds, "NBM": nbm}, title="ProE", ylabel="BNE (%)")
    axes = figure.axes[0]
    assert (axes.get_title(loc="left"), axes.get_ylabel()) == ("ProE", "BNE (%)")
    assert tick_labels(axes) == ["MDS\nn = 14", "NBM\nn = 11"]
    for i, (drawn, values) in enumerate(zip(points(axes), (mds, nbm), strict=True)):
        np.testing.assert_array_equal(drawn[:, 1], values)
        assert np.all(np.abs(drawn[:, 0] - i) < 0.2)
        assert len(np.unique(drawn[:, 0])) == len(values)
    expected = np.concatenate([np.percentile(v, [25, 50, 75]) for v in (mds, nbm)])
    np.testing.assert_allclose(heights(axes), np.sort(expected))
    assert len(parts(axes, PolyCollection)) == 2


@pytest.mark.parametrize(
    ("values", "violins", "lines"),
    [
        ([], 0, []),
        ([1.0], 0, []),
        ([1.0, 2.0], 0, [1.5]),
        ([1.0, 2.0, 4.0], 1, [1.5, 2.0, 3.0]),
        ([0.0] * 6, 0, [0, 0, 0]),
        ([float("nan"), float("inf"), 3.0], 0, []),
    ],
)
def test_small_groups_show_no_more_than_they_hold(tmp_path, values, violins, lines):
    figure = frequency_violins({"one": values}, title="t", ylabel="y")
    axes = figure.axes[0]
    finite = [v for v in values if np.isfinite(v)]
    assert len(parts(axes, PolyCollection)) == violins
    assert heights(axes) == lines
    assert points(axes)[0][:, 1].tolist() == finite
    assert tick_labels(axes) == [f"one\nn = {len(finite)}"]
    low, high = axes.get_ylim()
    assert low < 0 < high
    assert all(low < v < high for v in finite)
    save_figure(figure, tmp_path, "small")


def test_a_single_point_stands_in_the_middle():
    axes = frequency_violins({"a": [2.0], "b": [3.0]}, title="", ylabel="").axes[0]
    assert [drawn[0, 0] for drawn in points(axes)] == [0.0, 1.0]


def test_brackets_carry_p_and_lie_above_the_data_without_crossing():
    groups = {"MDS": [1.0, 2, 3], "ICUS": [1.0, 2, 9], "NBM": [0.1, 0.2, 0.3]}
    tests = [("MDS", "NBM", 4.5e-7), ("NBM", "ICUS", 0.0223), ("MDS", "ICUS", float("nan"))]
    axes = frequency_violins(groups, title="", ylabel="", tests=tests).axes[0]
    assert [text.get_text() for text in axes.texts] == ["no test", "p = 0.0223", "p < 0.0001"] or [
        text.get_text() for text in axes.texts
    ] == ["p = 0.0223", "no test", "p < 0.0001"]
    tops = [line.get_ydata().max() for line in axes.lines]
    assert len(set(tops)) == 3
    assert min(line.get_ydata().min() for line in axes.lines) > 9
    assert max(tops) < axes.get_ylim()[1]
    assert axes.lines[-1].get_xdata().tolist() == [0, 0, 2, 2]


def test_a_test_of_an_unknown_group_is_refused():
    with pytest.raises(ValueError, match="'NBM'"):
        frequency_violins({"MDS": [1.0]}, title="", ylabel="", tests=[("MDS", "NBM", 0.5)])
    with pytest.raises(ValueError, match="at least one group"):
        frequency_violins({}, title="", ylabel="")


def test_the_same_values_are_drawn_at_the_same_places():
    first, second = (
        points(frequency_violins({"a": [1, 1, 1, 2]}, title="", ylabel="").axes[0])[0] for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_panels_have_one_stage_each_and_their_own_tests():
    panels = {"ProE": {"MDS": [1.0, 2, 3], "NBM": [0.5]}, "BasoE": {"MDS": [40.0, 20, 30], "NBM": [5.0]}}
    figure = frequency_panels(panels, title="all", ylabel="BNE (%)", tests={"BasoE": [("MDS", "NBM", 0.5)]})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["ProE", "BasoE"]
    assert [len(axes.texts) for axes in figure.axes] == [0, 1]
    assert figure.axes[0].get_ylim()[1] < 10 < figure.axes[1].get_ylim()[1]
    with pytest.raises(ValueError, match="PolyE"):
        frequency_panels(panels, title="", ylabel="", tests={"PolyE": []})


def test_long_group_names_do_not_run_into_each_other():
    names = [f"a rather long name {i}" for i in range(4)]
    axes = frequency_violins({name: [1.0, 2, 3] for name in names}, title="", ylabel="").axes[0]
    assert {text.get_rotation() for text in axes.get_xticklabels()} == {30.0}
    axes = frequency_violins({"MDS": [1.0, 2, 3]}, title="", ylabel="").axes[0]
    assert {text.get_rotation() for text in axes.get_xticklabels()} == {0.0}
