from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.patches import StepPatch

from ifcyto.figures.classifier import MOST_POINTS, score_histogram, score_plane
from ifcyto.figures.style import save_figure

CLASSES = ("BNE", "Doublet", "Irregular")


def steps(axes):
    return [patch for patch in axes.patches if isinstance(patch, StepPatch)]


def clouds(axes):
    return [part for part in axes.collections if isinstance(part, PathCollection)]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def remark(figure):
    return figure.legends[0].get_title().get_text()


def plane(x, y, labels, classes=CLASSES, **others):
    return score_plane(x, y, labels, classes=classes, x_label="x value", y_label="y value", **others)


@pytest.fixture
def scores(rng):
    centres = {"BNE": 20.0, "Doublet": -30.0, "Irregular": -5.0}
    return {name: rng.normal(centre, 6, 40 + 20 * i) for i, (name, centre) in enumerate(centres.items())}


def test_bars_are_percent_of_each_class_in_shared_bins(scores):
    figure = score_histogram(scores, title="BNE against Doublet", axis="log-odds")
    axes = figure.axes[0]
    drawn = [patch.get_data() for patch in steps(axes)]
    for (heights, edges, _), values in zip(drawn, scores.values(), strict=True):
        np.testing.assert_array_equal(edges, drawn[0][1])
        np.testing.assert_allclose(heights, 100 * np.histogram(values, edges)[0] / len(values))
        assert heights.sum() == pytest.approx(100)
    assert 0.0 in drawn[0][1]
    assert axes.lines[0].get_xdata() == [0.0, 0.0]
    assert (axes.get_title(loc="left"), axes.get_xlabel()) == ("BNE against Doublet", "log-odds")
    assert legend(figure) == ["BNE (n = 40)", "Doublet (n = 60)", "Irregular (n = 80)", "decision"]


def test_classes_differ_in_colour_and_in_hatch(scores):
    patches = steps(score_histogram(scores, title="", axis="").axes[0])
    assert len({to_hex(patch.get_edgecolor()) for patch in patches}) == 3
    assert len({patch.get_hatch() for patch in patches}) == 3


def test_outliers_are_counted_in_the_end_bins_and_said(scores):
    scores["BNE"] = np.append(scores["BNE"], [1e6, np.inf, np.nan])
    figure = score_histogram(scores, title="", axis="")
    heights, edges, _ = steps(figure.axes[0])[0].get_data()
    beyond = [np.count_nonzero(v[~np.isnan(v)] > edges[-1]) for v in scores.values()]
    assert edges[-1] < 100
    assert beyond[0] >= 2
    assert heights.sum() == pytest.approx(100)
    assert heights[-1] >= 100 * 2 / 42
    assert legend(figure)[0] == "BNE (n = 42)"
    assert "of 182 values" in remark(figure)
    assert remark(figure).endswith("counted in the end bins")


def test_without_outliers_nothing_is_said(scores):
    assert remark(score_histogram(scores, title="", axis="")) == ""


def test_the_decision_line_is_always_on_the_axis(scores):
    axes = score_histogram(scores, title="", axis="", threshold=200.0).axes[0]
    assert axes.get_xlim()[0] < 200 <= axes.get_xlim()[1]


def test_many_classes_have_a_row_each(tmp_path, rng):
    groups = {f"class {i}": rng.normal(i, 1, 50) for i in range(10)}
    groups["class 3"][0] = -1e9
    figure = score_histogram(groups, title="ten", axis="log-odds")
    assert len(figure.axes) == 10
    assert [axes.get_ylabel() for axes in figure.axes] == [f"{name}\nn = 50" for name in groups]
    assert all(len(steps(axes)) == 1 for axes in figure.axes)
    assert "counted in the end bins" in figure.get_supxlabel()
    assert figure.axes[-1].get_xlabel() == "log-odds"
    assert {axes.get_xlim() for axes in figure.axes} == {figure.axes[0].get_xlim()}
    save_figure(figure, tmp_path, "ten")


@pytest.mark.parametrize("values", [[], [np.nan], [3.0], [0.0, 0.0], [np.inf, -np.inf], [5.0] * 90])
def test_degenerate_classes_can_be_drawn(tmp_path, values):
    figure = score_histogram({"a": values, "b": [1.0]}, title="", axis="")
    known = sum(not np.isnan(value) for value in values)
    assert legend(figure)[0] == f"a (n = {known})"
    assert steps(figure.axes[0])[0].get_data()[0].sum() == pytest.approx(100 if known else 0)
    save_figure(figure, tmp_path, "few")


def test_histogram_without_class_or_line_is_refused():
    with pytest.raises(ValueError, match=r"found \[\], 0"):
        score_histogram({}, title="", axis="")
    with pytest.raises(ValueError, match="nan"):
        score_histogram({"a": [1.0]}, title="", axis="", threshold=float("nan"))


def test_points_of_each_class_are_where_they_belong(rng):
    x, y = rng.normal(0, 5, (2, 90))
    labels = np.repeat(CLASSES, 30)
    figure = plane(x, y, labels)
    parts = clouds(figure.axes[0])
    for part, name in zip(parts, CLASSES, strict=True):
        np.testing.assert_array_equal(part.get_offsets(), np.column_stack([x, y])[labels == name])
    assert legend(figure) == [f"{name} (n = 30)" for name in CLASSES]
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("x value", "y value")
    assert sorted(line.get_xdata() for line in figure.axes[0].lines) == [[0, 0], [0, 1]]


def test_ten_classes_have_ten_looks(rng):
    names = [f"c{i}" for i in range(10)]
    parts = clouds(plane(*rng.normal(0, 5, (2, 10)), names, classes=names).axes[0])
    looks = {(to_hex(part.get_facecolor()[0]), part.get_paths()[0].vertices.tobytes()) for part in parts}
    assert len(looks) == 10
    assert len({look[1] for look in looks}) == 10


def test_large_clouds_are_thinned_the_same_way_each_time(rng):
    cloud = rng.normal(0, 5, (2, MOST_POINTS + 5000))
    figures = [plane([1.0], [2.0], ["BNE"], unjudged=tuple(cloud)) for _ in range(2)]
    first, second = (clouds(figure.axes[0])[0] for figure in figures)
    assert len(first.get_offsets()) == MOST_POINTS
    np.testing.assert_array_equal(first.get_offsets(), second.get_offsets())
    assert first.get_rasterized()
    assert first.get_zorder() < clouds(figures[0].axes[0])[1].get_zorder()
    assert legend(figures[0])[0] == "not judged (n = 25,000, 20,000 drawn)"


def test_a_large_truth_is_thinned_and_rare_classes_stay(rng):
    labels = np.array(["Doublet"] * 39_997 + ["BNE"] * 3)
    figure = plane(*rng.normal(0, 1, (2, 40_000)), labels)
    sizes = [len(part.get_offsets()) for part in clouds(figure.axes[0])]
    assert sizes == [3, MOST_POINTS // 3, 0]
    assert legend(figure)[:2] == ["BNE (n = 3)", "Doublet (n = 39,997, 6,666 drawn)"]


def test_points_beyond_the_axes_lie_on_the_border_and_are_said(rng):
    x, y = rng.normal(0, 5, (2, 100))
    x[0], y[1], x[2] = 1e7, -np.inf, np.nan
    figure = plane(x, y, ["BNE"] * 100)
    points = np.asarray(clouds(figure.axes[0])[0].get_offsets())
    assert len(points) == 99
    assert points[0, 0] == figure.axes[0].get_xlim()[1] < 100
    assert points[1, 1] == figure.axes[0].get_ylim()[0] > -100
    assert "of 99 objects" in remark(figure)


def test_small_classes_lie_on_top():
    parts = clouds(plane(np.zeros(13), np.zeros(13), ["BNE"] * 2 + ["Doublet"] * 11).axes[0])
    assert parts[0].get_zorder() > parts[1].get_zorder()


def test_planes_without_a_point_can_be_drawn(tmp_path):
    figure = plane([], [], [], unjudged=([], []))
    assert legend(figure) == [f"{name} (n = 0)" for name in CLASSES]
    save_figure(figure, tmp_path, "none")


def test_disagreeing_planes_are_refused():
    with pytest.raises(ValueError, match=r"found \['Other'\]"):
        plane([1.0], [1.0], ["Other"])
    with pytest.raises(ValueError, match="as many x as y"):
        plane([1.0, 2.0], [1.0], ["BNE"])
    with pytest.raises(ValueError, match="expected 2 labels"):
        plane([1.0, 2.0], [1.0, np.nan], ["BNE"])
    with pytest.raises(ValueError, match="as many x as y"):
        plane([1.0], [1.0], ["BNE"], unjudged=([1.0], []))
    with pytest.raises(ValueError, match="no class"):
        plane([], [], [], classes=())
