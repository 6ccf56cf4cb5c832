"""Cells needed and resolvable frequencies against the closed form, a walk through all numbers, and scipy."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from ifcyto.compare.frequency import frequency
from ifcyto.compare.precision import cells_needed, resolution
from ifcyto.errors import UsageError


def closed_form(p, h):
    """Half of Wilson's interval equals h: a quadratic equation in n + z^2."""
    z, pq = stats.norm.ppf(0.975), p * (1 - p)
    return (z**2 * pq + math.sqrt(z**4 * pq**2 + h**2 * z**4 * (1 - 4 * pq))) / (2 * h**2) - z**2


@pytest.mark.parametrize("percent", [0.0, 0.02, 0.5, 1.0, 9.3, 50.0, 99.5, 100.0])
@pytest.mark.parametrize("half_width", [0.01, 0.25, 3.0])
def test_wilson_equals_its_closed_form(percent, half_width):
    expected = max(1, math.ceil(closed_form(percent / 100, half_width / 100) - 1e-6))
    assert cells_needed(percent, half_width=half_width) == expected


def test_exact_interval_is_the_first_that_is_narrow_enough():
    """With whole numbers of positives only, walked through one by one with scipy."""
    for wanted in (5.0, 8.0):
        widths = {}
        for cells in range(20, 500, 20):  # 5 % of them are whole
            found = stats.binomtest(cells // 20, cells).proportion_ci(method="exact")
            widths[cells] = 50 * (found.high - found.low)
        first = min(cells for cells, width in widths.items() if width <= wanted)
        needed = cells_needed(5.0, half_width=wanted, method="clopper-pearson")
        assert first - 20 < needed <= first


@pytest.mark.parametrize("method", ["wilson", "clopper-pearson"])
def test_more_cells_are_always_narrower(method):
    for percent in (0.0, 0.3, 20.0):
        needed = [cells_needed(percent, half_width=h, method=method) for h in (4.0, 2.0, 1.0, 0.5)]
        assert needed == sorted(needed)
        found = frequency(round(percent * 10 * needed[-1] / 1000), needed[-1], method=method)
        assert (found.ci_high - found.ci_low) / 2 == pytest.approx(0.5, rel=0.1)


def test_relative_wishes_are_parts_of_the_frequency():
    assert cells_needed(2.0, relative=0.25) == cells_needed(2.0, half_width=0.5)
    assert cells_needed(2.0, relative=0.25, level=0.99) > cells_needed(2.0, relative=0.25)


@pytest.mark.parametrize("cells", [1, 2, 489, 5953, 68503])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_detectable_frequency_is_found_with_that_probability(cells, level):
    found = resolution(cells, level=level)
    assert 1 - stats.binom(cells, found.detectable / 100).pmf(0) == pytest.approx(level, rel=1e-9)
    upper = stats.binomtest(0, cells, alternative="less").proportion_ci(level, method="exact").high
    assert found.detectable == pytest.approx(100 * upper, abs=1e-8)  # as near as scipy iterates
    assert found.step == 100 / cells


def test_the_smallest_sample_of_the_published_cohort():
    """489 cells: one of them is 0.2 %."""
    assert f"{resolution(489).step:.1f}" == "0.2"


def test_no_cells_resolve_nothing():
    found = resolution(0)
    assert found.cells == 0
    assert math.isnan(found.step)
    assert math.isnan(found.detectable)


@pytest.mark.parametrize(
    ("percent", "options", "message"),
    [
        (-1.0, {"half_width": 1.0}, "expected a frequency of 0 to 100 %"),
        (math.nan, {"half_width": 1.0}, "expected a frequency of 0 to 100 %"),
        (1.0, {}, "found both or none"),
        (1.0, {"half_width": 1.0, "relative": 0.1}, "found both or none"),
        (1.0, {"half_width": 0.0}, "expected a half width above 0"),
        (0.0, {"relative": 0.5}, "expected a half width above 0"),
        (1.0, {"half_width": math.nan}, "expected a half width above 0"),
        (1.0, {"half_width": 1e-9}, "needs more than 1e.12 cells"),
        (1.0, {"half_width": 1.0, "level": 1.0}, "expected a level between 0 and 1"),
        (1.0, {"half_width": 1.0, "method": "wald"}, "expected method 'wilson' or 'clopper-pearson'"),
    ],
)
def test_refused_wishes(percent, options, message):
    with pytest.raises(UsageError, match=message):
        cells_needed(percent, **options)


def test_refused_resolutions():
    with pytest.raises(UsageError, match="at least 0 cells, found -1"):
        resolution(-1)
    with pytest.raises(UsageError, match="expected a level between 0 and 1"):
        resolution(5, level=95)
