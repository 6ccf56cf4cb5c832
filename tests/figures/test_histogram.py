from __future__ import annotations

from itertools import pairwise

import pytest

from ifcyto.figures.histogram import spot_count_histogram
from ifcyto.figures.style import save_figure


def test_bars_are_percent_of_the_group_and_four_takes_all_above(tmp_path):
    figure = spot_count_histogram({"MDS": {0: 10, 1: 160, 2: 20, 4: 4, 5: 3, 9: 3}, "NBM": {1: 5}})
    axes = figure.axes[0]
    mds, nbm = ([bar.get_height() for bar in bars] for bars in axes.containers)
    assert mds == pytest.approx([5, 80, 10, 0, 5])
    assert nbm == pytest.approx([0, 100, 0, 0, 0])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "1", "2", "3", "4+"]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["MDS (n = 200 cells)", "NBM (n = 5 cells)"]
    assert [text.get_text() for text in axes.texts][:5] == ["5.00", "80.0", "10.0", "0", "5.00"]
    save_figure(figure, tmp_path, "spots")


def test_rare_spots_are_never_written_as_none():
    axes = spot_count_histogram({"a": {1: 1_000_000, 3: 1}}).axes[0]
    assert [text.get_text() for text in axes.texts] == ["0", "100.0", "0", "<0.01", "0"]


def test_a_group_without_cells_has_empty_bars(tmp_path):
    figure = spot_count_histogram({"none": {}, "b": {1: 1}, "c": {2: 1}})
    assert [bar.get_height() for bar in figure.axes[0].containers[0]] == [0] * 5
    save_figure(figure, tmp_path, "none")


def test_bars_of_one_count_do_not_overlap():
    containers = spot_count_histogram({name: {1: 1} for name in "abcd"}).axes[0].containers
    edges = sorted((bars[2].get_x(), bars[2].get_x() + bars[2].get_width()) for bars in containers)
    assert all(left[1] <= right[0] for left, right in pairwise(edges))


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="at least one group"):
        spot_count_histogram({})
    with pytest.raises(ValueError, match="'MDS'"):
        spot_count_histogram({"MDS": {-1: 3}})
