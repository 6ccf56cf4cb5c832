"""Gates that are drawn hold all objects that lie in them, also those that are not drawn."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.path import Path as Border

from ifcyto.errors import GateError, UsageError
from ifcyto.gates.members import populate
from ifcyto.gates.store import read_gates
from ifcyto.review.objects import ReviewObjects
from ifcyto.review.plots import bars_gate, bars_of, gate_of, inside, limits_of, save_gate, thinned, ticks


@pytest.fixture
def objects(rng):
    n = 50_000
    columns = {"Area": rng.normal(100, 20, n), "Ratio": rng.uniform(0, 1, n)}
    columns["Area"][7] = np.nan
    return ReviewObjects(np.full(n, ""), np.arange(n), {}, columns)


def test_a_lasso_holds_all_objects_in_it_not_only_those_drawn(objects, tmp_path):
    points = [(80.0, 0.2), (130.0, 0.3), (120.0, 0.9), (70.0, 0.7)]
    gate = gate_of("G", ("Area", "Ratio"), points, lasso=True)
    rows = inside(objects, gate)
    both = np.column_stack(list(objects.numbers.values()))
    assert np.array_equal(rows, np.flatnonzero(Border(points).contains_points(both)))
    drawn = thinned(both)
    assert (len(drawn), len(rows) > 10_000) == (20_000, True)
    assert 7 not in drawn
    assert not np.isin(rows, drawn).all()
    saved = read_gates(save_gate(tmp_path / "g.json", gate))
    again = populate(saved, objects.numbers, objects.objects)
    assert np.array_equal(again.object_numbers("G"), rows)


def test_rectangles_and_ranges_include_their_borders(objects):
    gate = gate_of("G", ("Area", "Ratio"), [(120.0, 0.8), (80.0, 0.1)], lasso=False)
    x, y = objects.numbers["Area"], objects.numbers["Ratio"]
    wanted = (x >= 80) & (x <= 120) & (y >= 0.1) & (y <= 0.8)
    assert np.array_equal(inside(objects, gate), np.flatnonzero(wanted))
    gate = gate_of("G", ("Area",), [(120.0, 0.0), (80.0, 5.0)], lasso=True)
    assert np.array_equal(inside(objects, gate), np.flatnonzero((x >= 80) & (x <= 120)))


def test_what_cannot_be_a_gate_is_told(objects):
    with pytest.raises(UsageError, match="drag over the points"):
        gate_of("G", ("Area",), [], lasso=False)
    with pytest.raises(GateError):
        gate_of("G", ("Area", "Ratio"), [(1.0, 1.0), (1.0, 1.0), (1.0, 1.0)], lasso=True)
    with pytest.raises(UsageError, match="found 'Size'"):
        inside(objects, gate_of("G", ("Size",), [(0.0, 0.0), (1.0, 1.0)], lasso=False))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3e6, 8e6), (1e-9, 3e-9), (99.5, 100.5)])
def test_ticks_are_few_and_lie_on_the_axis(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 6
    assert all(low - 1e-12 <= tick <= high + 1e-12 for tick in found)
    assert limits_of(np.array([low, high]))[0] < low


@pytest.mark.parametrize("whole", [False, True])
def test_the_cells_of_a_bar_are_those_that_it_counts(rng, whole):
    """With whole numbers many values lie on the edges of bars."""
    values = rng.integers(0, 60, 5000).astype(float) if whole else rng.normal(100, 20, 5000)
    values[3:9] = np.nan
    found = ReviewObjects(np.full(5000, ""), np.arange(5000), {}, {"Area": values})
    limits = (0.0, 60.0) if whole else None
    bars = bars_of(values, limits=limits)
    finite = values[np.isfinite(values)]
    assert bars.counts.sum() == len(finite) == 4994
    assert bars.counts.tolist() == np.histogram(finite, 60, limits or limits_of(values))[0].tolist()
    seen = []
    for bar in range(60):
        rows = inside(found, bars_gate("G", "Area", bars, bar, bar))
        assert len(rows) == bars.counts[bar]
        assert all(bars.at(value) == bar for value in values[rows].tolist())
        seen += rows.tolist()
    assert sorted(seen) == np.flatnonzero(np.isfinite(values)).tolist()
    several = inside(found, bars_gate("G", "Area", bars, 41, 12))
    assert len(several) == bars.counts[12:42].sum()
    assert len(inside(found, bars_gate("G", "Area", bars, 0, 59))) == 4994


def test_a_histogram_of_nothing_has_empty_bars():
    bars = bars_of(np.array([np.nan, np.nan]))
    assert bars.counts.sum() == 0
    assert (bars.at(0.5), bars.at(-0.5)) == (30, None)
