"""Methods side by side: what is drawn is what was given, in its place."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection

from ifcyto.figures.bland_altman import Differences, bland_altman_panels
from ifcyto.figures.curves import ScoreCurve, precision_recall_figure, roc_figure
from ifcyto.figures.forest import MOST_ROWS, Interval, forest_figure
from ifcyto.figures.paired import Paired, paired_panels
from ifcyto.figures.style import save_figure

GROUPS = ["NBM", "NBM", "MDS", "MDS", "MDS"]
METHODS = ["plain rule", "feature-based", "manual tags"]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def words(axes):
    return [text.get_text() for text in axes.texts]


def boxes(figure):
    """Boxes of legend and axis labels as drawn, in pixels, and of the whole figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    labels = [axes.xaxis.label.get_window_extent(renderer) for axes in figure.axes]
    return figure.legends[0].get_window_extent(renderer), labels, figure.bbox


def test_every_sample_is_one_line_through_its_values(rng):
    values = rng.gamma(2, 1, (5, 3))
    values[1, 1] = np.nan
    figure = paired_panels({"ProE": Paired(GROUPS, values)}, METHODS, title="t", ylabel="BNE (%)")
    axes = figure.axes[0]
    drawn = [line.get_xydata().reshape(-1, 4, 2) for line in axes.lines]  # one line a group, with gaps
    np.testing.assert_array_equal(np.concatenate(drawn)[:, :3, 1], values)
    np.testing.assert_array_equal(np.concatenate(drawn)[:, :3, 0], [[0, 1, 2]] * 5)
    assert np.isnan(np.concatenate(drawn)[:, 3]).all()
    medians = [part.get_segments()[0][0][1] for part in axes.collections if isinstance(part, LineCollection)]
    np.testing.assert_allclose(medians, np.nanmedian(values, axis=0))
    assert legend(figure) == ["NBM", "MDS"]
    assert [text.get_text() for text in axes.get_xticklabels()] == METHODS


def test_stages_are_panels_and_a_stage_without_values_is_one_too(tmp_path):
    nothing = Paired(["NBM"], [[np.nan, np.nan, np.nan]])
    panels = {"ProE": Paired(["MDS"], [[1, 2, 3]]), "BasoE": nothing, "none": Paired([], np.empty((0, 3)))}
    figure = paired_panels(panels, METHODS, title="t", ylabel="y")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["ProE", "BasoE", "none"]
    assert legend(figure) == ["MDS", "NBM"]
    save_figure(figure, tmp_path, "paired")


def test_bias_and_limits_are_lines_with_their_numbers(rng):
    means, differences = rng.random(5), rng.normal(size=5)
    found = Differences(GROUPS, means, differences, 0.126, -1.5, 1.75, (-0.3, 0.5))
    figure = bland_altman_panels({"ProE": found}, title="t", xlabel="mean", ylabel="difference")
    axes = figure.axes[0]
    assert words(axes) == ["upper limit 1.75", "bias 0.13", "lower limit −1.50"]  # noqa: RUF001
    assert sorted(line.get_ydata()[0] for line in axes.lines) == [-1.5, 0, 0.126, 1.75]
    drawn = [np.asarray(p.get_offsets()) for p in axes.collections if isinstance(p, PathCollection)]
    np.testing.assert_allclose(np.concatenate(drawn), np.column_stack([means, differences]))
    assert legend(figure) == ["NBM (n = 2)", "MDS (n = 3)"]


def test_without_limits_there_are_the_points_alone():
    nan = float("nan")
    found = Differences(["NBM"], [1.0], [0.5], 0.5, nan, nan, (nan, nan))
    axes = bland_altman_panels({"ProE": found}, title="t", xlabel="x", ylabel="y").axes[0]
    assert words(axes) == ["bias 0.50"]


@pytest.mark.parametrize("stages", [["ProE"], ["ProE", "BasoE", "PolyOrthoE"]])
def test_the_legend_stays_on_the_paper_and_off_the_labels(rng, stages):
    groups = ["NBM"] * 3 + ["MDS"] * 3 + ["ICUS/CCUS"] * 3 + ["non-MDS anaemia"] * 3
    found = Differences(groups, rng.random(12), rng.normal(size=12), 0, -2, 2)
    label = "mean of the two methods (% of the stage's cells)"
    figure = bland_altman_panels(dict.fromkeys(stages, found), title="t", xlabel=label, ylabel="y")
    box, labels, paper = boxes(figure)
    assert paper.x0 <= box.x0 < box.x1 <= paper.x1
    assert all(label.y0 >= box.y1 - 1 for label in labels)


def test_curves_carry_their_area_and_the_decision_in_use(tmp_path):
    curve = ScoreCurve("network", [0, 0.1, 1], [0, 0.8, 1], 0.8912, (0.81, 0.95), (0.1, 0.8))
    figure = roc_figure([curve, ScoreCurve("rule", [0, 1], [0, 1], 0.5)], title="t", remark="3 BNEs")
    axes = figure.axes[0]
    assert legend(figure) == ["network: area 0.891 (0.810 to 0.950)", "rule: area 0.500"]
    assert figure.legends[0].get_title().get_text() == "3 BNEs; circle: decision in use"
    assert axes.lines[0].get_xydata().tolist() == [[0, 0], [0.1, 0.8], [1, 1]]
    assert axes.lines[1].get_xydata().tolist() == [[0.1, 0.8]]
    save_figure(figure, tmp_path, "roc")


def test_precision_is_drawn_in_steps_beside_that_of_guessing():
    curve = ScoreCurve("network", [0, 0.5, 1], [1, 0.9, 0.3], 0.6)
    figure = precision_recall_figure([curve], prevalence=0.3, title="t")
    axes = figure.axes[0]
    assert legend(figure) == ["network: average precision 0.600"]
    assert axes.lines[0].get_drawstyle() == "steps-pre"
    assert axes.lines[-1].get_ydata()[0] == 0.3
    assert figure.legends[0].get_title().get_text() == ""


def interval(i, group="MDS", **more):
    return Interval(f"S{i:02d}", group, float(i), i - 0.5, i + 1.0, **more)


def test_each_sample_has_a_line_of_its_interval_beside_the_band():
    rows = [interval(1, "NBM"), interval(5, flagged=True), Interval("S09", "MDS", *[float("nan")] * 3)]
    figure = forest_figure(rows, title="t", xlabel="BNE (%)", control=(0.5, 2.0), control_name="NBM")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["S01", "S05 *", "S09"]
    lines = [part.get_segments() for part in axes.collections if isinstance(part, LineCollection)]
    assert np.asarray(lines[0][0]).tolist() == [[0.5, 0], [2.0, 0]]
    assert np.asarray(lines[1][0]).tolist() == [[4.5, 1], [6.0, 1]]
    assert axes.patches[0].get_extents().transformed(axes.transData.inverted()).x1 == pytest.approx(2.0)
    assert words(axes) == ["no cells"]
    assert legend(figure) == ["NBM", "NBM", "MDS"]
    assert "outside the control range" in figure.legends[0].get_title().get_text()


def test_a_group_has_one_colour_on_every_page():
    pages = [
        forest_figure([interval(1, group)], title="", xlabel="", groups=["NBM", "MDS", "ICUS"]).axes[0]
        for group in ("MDS", "ICUS", "MDS")
    ]
    dots = [tuple(page.collections[-1].get_facecolors()[0]) for page in pages]
    assert dots[0] == dots[2] != dots[1]


def test_a_full_page_fits_on_paper(tmp_path):
    figure = forest_figure([interval(i) for i in range(MOST_ROWS)], title="t", xlabel="x")
    assert figure.get_size_inches()[1] * 25.4 < 255
    save_figure(figure, tmp_path, "forest")


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: paired_panels({}, METHODS, title="", ylabel=""), "found 0"),
        (lambda: paired_panels({"a": Paired(["g"], [[1]])}, ["one"], title="", ylabel=""), "'one'"),
        (lambda: paired_panels({"a": Paired(["g"], [[1, 2]])}, METHODS, title="", ylabel=""), r"\(1, 2\)"),
        (lambda: bland_altman_panels({}, title="", xlabel="", ylabel=""), "found none"),
        (lambda: bland_altman_panels({"a": Differences(["g"], [1], [1, 2], 0, 0, 0)}, title="", xlabel="",
                                     ylabel=""), r"\(1,\) and \(2,\)"),
        (lambda: roc_figure([], title=""), "found none"),
        (lambda: roc_figure([ScoreCurve("c", [0, 2], [0, 1], 0.5)], title=""), "c: expected pairs"),
        (lambda: precision_recall_figure([ScoreCurve("c", [0, np.nan], [0, 1], 0.5)], title=""), "c: "),
        (lambda: forest_figure([], title="", xlabel=""), "found 0"),
        (lambda: forest_figure([interval(1)] * 61, title="", xlabel=""), "found 61"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
