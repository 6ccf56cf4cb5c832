"""The limit of normal by hand, against scipy, and on simulated controls."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ifcyto.compare.frequency import frequency
from ifcyto.compare.reference_range import reference_limit, verdict
from ifcyto.errors import UsageError


def controls(counts, cells=100_000):
    return [frequency(int(count), cells) for count in counts]


@pytest.mark.parametrize("n", [2, 5, 11, 18, 19, 20, 40, 120])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_rank_limit_lies_between_two_controls_by_rank(n, level, rng):
    counts = rng.integers(0, 90_000, n)
    found = reference_limit(controls(counts), level=level)
    percents, rank = sorted((counts / 1000).tolist()), level * (n + 1)
    if rank >= n:
        expected = percents[-1]
    else:
        below = math.floor(rank)
        expected = percents[below - 1] + (rank - below) * (percents[below] - percents[below - 1])
    assert found.ranked == pytest.approx(expected)
    assert found.n == n
    assert found.share_above == pytest.approx(max(1 - level, 1 / (n + 1)))
    if level == 0.95 and n < 19:
        assert found.ranked == max(percents)


def test_pooled_limit_is_scipys_one_sided_interval():
    found = reference_limit([frequency(1, 300), frequency(0, 250), frequency(2, 100)])
    expected = stats.binomtest(3, 650, alternative="less").proportion_ci(0.95, method="exact").high
    assert found.pooled == pytest.approx(100 * expected, abs=1e-8)
    assert found.limit == found.ranked == 2.0


def test_share_of_normal_samples_above_the_highest_of_eleven(rng):
    """1 in 12, whatever the distribution of the true frequencies."""
    drawn = rng.gamma(2.0, 300.0, (4000, 12)).astype(int)
    above = np.mean([one[0] / 1000 > reference_limit(controls(one[1:])).ranked for one in drawn])
    assert above == pytest.approx(1 / 12, abs=0.015)


def test_controls_without_any_positive_cell_do_not_make_one_cell_abnormal():
    none = reference_limit([frequency(0, 60)] * 3)
    assert none.ranked == 0.0
    assert none.limit == none.pooled == pytest.approx(100 * (1 - 0.05 ** (1 / 180)))
    assert verdict(frequency(1, 60), none) == "unsure"
    assert verdict(frequency(0, 60), none) == "within"
    assert verdict(frequency(12, 60), none) == "above"
    many = reference_limit([frequency(0, 20_000)] * 11)
    assert many.limit < 0.002
    assert verdict(frequency(1, 60), many) == "above"


def test_one_control_is_a_limit_with_its_own_uncertainty():
    found = reference_limit([frequency(3, 60)])
    assert (found.n, found.ranked, found.share_above) == (1, 5.0, 0.5)
    assert found.limit == found.pooled > 12
    assert verdict(frequency(6, 60), found) == "within"


def test_controls_without_cells_are_left_out():
    assert reference_limit([frequency(0, 0), frequency(5, 100)]) == reference_limit([frequency(5, 100)])
    nothing = reference_limit([frequency(0, 0)])
    assert nothing.n == 0
    assert math.isnan(nothing.limit)
    assert verdict(frequency(5, 10), nothing) == ""
    assert verdict(frequency(0, 0), reference_limit([frequency(5, 100)])) == ""


def test_all_cells_positive():
    found = reference_limit([frequency(10, 10)] * 4)
    assert found.limit == 100.0
    assert verdict(frequency(10, 10), found) == "within"


def test_the_interval_of_the_sample_decides_between_above_and_unsure():
    limit = reference_limit(controls([900] * 11))
    for count, cells in ((10, 1000), (20, 1000), (12, 1000), (2, 100)):
        sample = frequency(count, cells)
        expected = "within" if sample.percent <= 0.9 else "above" if sample.ci_low > limit.limit else "unsure"
        assert verdict(sample, limit) == expected
    assert verdict(frequency(20, 1000), limit) == "above"
    assert verdict(frequency(2, 100), limit) == "unsure"


def test_refused_level():
    with pytest.raises(UsageError, match="expected a level between 0 and 1"):
        reference_limit([], level=95)
