from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifcyto.figures.reliability import ReliabilityPanel, reliability_figure
from ifcyto.figures.style import save_figure

NAN = np.nan
PANEL = ReliabilityPanel(
    "class given", [0, 0.25, 0.5, 0.75], [0.25, 0.5, 0.75, 1], [0, 4, 0, 16], [NAN, 0.4, NAN, 0.9],
    [NAN, 0.5, NAN, 1.0], [NAN, 0.15, NAN, 0.81], [NAN, 0.85, NAN, 1.0], 0.1, 0.08,
)  # fmt: skip


def test_bins_with_objects_are_drawn_where_they_lie():
    figure = reliability_figure([PANEL], title="CNN")
    curve, below = figure.axes
    np.testing.assert_array_equal(curve.lines[1].get_xydata(), [[0.4, 0.5], [0.9, 1.0]])
    (bars,) = curve.collections
    assert [part[:, 1].tolist() for part in bars.get_segments()] == [[0.15, 0.85], [0.81, 1.0]]
    assert [bar.get_height() for bar in below.patches] == [0, 4, 0, 16]
    assert [bar.get_x() for bar in below.patches] == [0, 0.25, 0.5, 0.75]
    assert curve.texts[0].get_text() == "error 10.0 %\nchance: up to 8.0 %"
    assert curve.get_title(loc="left") == "class given"
    assert figure.get_suptitle() == "CNN"


def test_many_panels_stand_in_rows(tmp_path):
    figure = reliability_figure([replace(PANEL, name=f"class {i}", chance=None) for i in range(5)])
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in shown if axes.get_title(loc="left")] == [
        f"class {i}" for i in range(5)
    ]
    assert len(shown) == 10
    assert shown[0].texts[0].get_text() == "error 10.0 %"
    save_figure(figure, tmp_path, "five")


def test_values_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="a panel or more"):
        reliability_figure([])
    for wrong in ({"count": [1, 2]}, {"observed": [NAN, 1.5, NAN, 1.0]}):
        with pytest.raises(ValueError, match="class given: expected as many values"):
            reliability_figure([replace(PANEL, **wrong)])
