from __future__ import annotations

import numpy as np
import pytest

from ifcyto.figures.scale import axis_range, beyond_text, bin_edges


def test_all_values_are_kept_where_none_is_far(rng):
    values = rng.uniform(-3, 4, 1000)
    assert axis_range([values], 0.0) == (values.min(), values.max())


def test_the_outermost_half_percent_is_left_out(rng):
    values = np.concatenate([rng.uniform(-3, 4, 1994), [1e5, 2e5, 3e5, -1e5, -2e5, -3e5]])
    low, high = axis_range([values], 0.0)
    assert -3 <= low < -2.9
    assert 3.9 < high <= 4
    assert np.count_nonzero((values < low) | (values > high)) == 2 * 5


def test_a_rare_class_is_no_outlier(rng):
    rare = rng.normal(500, 1, 20)
    high = axis_range([rng.normal(0, 1, 100_000), rare], 0.0)[1]
    assert np.count_nonzero(rare > high) <= 1


def test_few_values_are_never_trimmed_beyond_a_class():
    assert axis_range([np.array([-1.0, 0, 1e3])], 0.0) == (-1.0, 1e3)


@pytest.mark.parametrize("groups", [[], [np.array([])], [np.array([7.0, 7.0])], [np.array([np.inf])]])
def test_there_is_always_a_range(groups):
    low, high = axis_range(groups, 7.0)
    assert (low, high) == (6.0, 8.0)
    assert bin_edges(groups, 7.0)[0] < 7.0 < bin_edges(groups, 7.0)[-1]


def test_the_margin_is_a_share_of_the_range():
    assert axis_range([np.array([0.0, 10.0])], 0.0, margin=0.1) == (-1.0, 11.0)


@pytest.mark.parametrize("line", [0.0, 0.1, -37.3, 1e4])
@pytest.mark.parametrize("count", [1, 3, 50, 20_000])
def test_bins_have_one_width_hold_the_range_and_meet_the_line(rng, count, line):
    values = rng.normal(3, 2, count)
    edges = bin_edges([values], line)
    low, high = axis_range([values], line)
    assert edges[0] <= low
    assert edges[-1] >= high
    assert line in edges
    assert 16 <= len(edges) - 1 <= 62
    np.testing.assert_allclose(np.diff(edges), np.diff(edges)[0], rtol=1e-6)


def test_what_is_beyond_is_said_in_numbers():
    assert beyond_text(np.zeros(5, bool), "values", "x") == ""
    assert beyond_text(np.array([], bool), "values", "x") == ""
    rare = np.zeros(2000, bool)
    rare[0] = True
    assert beyond_text(rare, "objects", "there") == "1 of 2,000 objects (< 0.1 %) beyond the axis: there"
