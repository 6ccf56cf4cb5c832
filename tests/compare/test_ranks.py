from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from ifcyto.compare.ranks import EXACT_UP_TO, rank_test
from ifcyto.errors import UsageError


def enumerated(x, y):
    """Go through every choice of len(x) of the pooled values, U by its definition.

    Returns the share of choices at least as far from the mean, and twice the share of the smaller tail.
    """
    pooled = [*x, *y]

    def half_units(chosen):
        rest = [pooled[j] for j in range(len(pooled)) if j not in chosen]
        return sum((pooled[i] > b) * 2 + (pooled[i] == b) for i in chosen for b in rest)

    mean = len(x) * len(y)
    observed = half_units(set(range(len(x))))
    choices = [half_units(set(c)) for c in combinations(range(len(pooled)), len(x))]
    far = sum(abs(v - mean) >= abs(observed - mean) for v in choices)
    tail = min(sum(v >= observed for v in choices), sum(v <= observed for v in choices))
    return Fraction(far, len(choices)), min(Fraction(1), Fraction(2 * tail, len(choices)))


def test_hundreds_of_small_cases_against_full_enumeration(rng):
    rules_differ = 0
    for _ in range(400):
        n_x, n_y = rng.integers(1, 7, 2)
        kinds = int(rng.integers(1, 9))
        x, y = rng.integers(0, kinds, n_x).tolist(), rng.integers(0, kinds, n_y).tolist()
        found, (expected, doubled) = rank_test(x, y), enumerated(x, y)
        assert found.p == pytest.approx(float(expected), rel=1e-13), (x, y)
        assert found.exact
        assert found.ties == (len({*x, *y}) < n_x + n_y)
        rules_differ += expected != doubled
    assert rules_differ > 20, "cases should be among these that tell the two rules of a two-sided p apart"


def test_untied_cases_equal_scipys_exact_method(rng):
    for n_x, n_y in [(1, 1), (1, 7), (3, 4), (14, 11), (11, 26), (40, 40), (100, 100), (100, 300)]:
        x, y = rng.normal(0.3, 1, n_x), rng.normal(0, 1, n_y)
        expected = stats.mannwhitneyu(x, y, method="exact")
        found = rank_test(x, y)
        assert found.u == expected.statistic
        assert found.p == pytest.approx(expected.pvalue, rel=1e-10)
        assert found.exact
        assert not found.ties


def test_published_examples(truth):
    for row in truth["mann_whitney"]:
        found = rank_test(row["x"], row["y"])
        assert found.u == row["u"], row["name"]
        assert round(found.p, row["digits"]) == row["p"], row["name"]
        assert found.exact
        assert found.ties
    two = truth["two_outcomes"]
    x = [1] * two["x_ones"] + [0] * two["x_zeros"]
    y = [1] * two["y_ones"] + [0] * two["y_zeros"]
    assert round(rank_test(x, y).p, two["digits"]) == two["p"]


def test_two_outcomes_equal_a_sum_of_the_hypergeometric(rng):
    for _ in range(20):
        n_x, n_y = rng.integers(1, 90, 2).tolist()
        ones_x, ones_y = int(rng.integers(0, n_x + 1)), int(rng.integers(0, n_y + 1))
        ones = stats.hypergeom(n_x + n_y, ones_x + ones_y, n_x)
        k = np.arange(n_x + 1)
        mean = Fraction(n_x * (ones_x + ones_y), n_x + n_y)
        far = np.array([abs(int(i) - mean) >= abs(ones_x - mean) for i in k])
        found = rank_test([1] * ones_x + [0] * (n_x - ones_x), [1] * ones_y + [0] * (n_y - ones_y))
        assert found.p == pytest.approx(min(1.0, ones.pmf(k)[far].sum()), rel=1e-9)


@pytest.mark.parametrize(("n_x", "n_y"), [(14, 11), (100, 100), (100, 300), (1, 40)])
def test_complete_separation(n_x, n_y):
    x, y = np.arange(n_x) + 1000.0, np.arange(n_y) * 1.0
    smallest = float(Fraction(2, math.comb(n_x + n_y, n_x)))
    up, down = rank_test(x, y), rank_test(y, x)
    assert up.p == pytest.approx(smallest, rel=1e-12)
    assert down.p == up.p
    assert (up.u, up.effect) == (n_x * n_y, 1.0)
    assert (down.u, down.effect) == (0.0, -1.0)


def test_complete_separation_with_ties_keeps_the_thin_tail():
    x, y = [5.0] * 2 + list(range(10, 22)), [0.0] * 6 + [1, 2, 3, 4, 4.5]
    found = rank_test(x, y)
    assert found.ties
    assert found.p == pytest.approx(2 / math.comb(25, 11), rel=1e-12)
    assert f"{found.p:.1e}" == "4.5e-07"


def test_beyond_exact_equals_scipys_approximation(rng):
    for kinds in (10**9, 30, 3):
        x, y = rng.integers(0, kinds, 101), rng.integers(0, kinds, 140)
        expected = stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=True)
        found = rank_test(x, y)
        assert not found.exact
        assert found.u == expected.statistic
        assert found.p == pytest.approx(expected.pvalue, rel=1e-12)


def test_the_size_of_the_smaller_group_decides(rng):
    large = rng.normal(size=EXACT_UP_TO + 1)
    assert rank_test(large[1:], large + 0.1).exact
    assert rank_test(large + 0.1, large[1:]).exact
    assert not rank_test(large, large + 0.1).exact


def test_large_tied_groups_are_exact_and_near_the_approximation(rng):
    x, y = rng.integers(0, 3000, 100), rng.integers(0, 2800, 10_000)
    found = rank_test(x, y)
    assert found.exact
    assert found.ties
    assert found.p == pytest.approx(stats.mannwhitneyu(x, y, method="asymptotic").pvalue, rel=0.02)


def test_what_cannot_be_worked_out_says_so(rng):
    x, y = rng.integers(0, 3000, 100) + 10_000, rng.integers(0, 2800, 10_000)
    thin = rank_test(x, y)
    assert not thin.exact
    assert thin.p == pytest.approx(stats.mannwhitneyu(x, y, method="asymptotic").pvalue, rel=1e-9)
    assert not rank_test(x, rng.normal(size=10_001)).exact


def test_swapping_the_groups_mirrors_the_result(rng):
    for _ in range(20):
        x, y = rng.integers(0, 12, 9), rng.integers(0, 9, 14)
        one, two = rank_test(x, y), rank_test(y, x)
        assert one.p == two.p
        assert one.u + two.u == 9 * 14
        assert one.effect == pytest.approx(-two.effect)
        assert (one.median_x, one.n_x) == (two.median_y, two.n_y)


@pytest.mark.parametrize("sizes", [(5, 7), (101, 150)])
def test_all_values_equal(sizes):
    found = rank_test([0.0] * sizes[0], [0.0] * sizes[1])
    assert (found.p, found.effect, found.ties) == (1.0, 0.0, True)


def test_numbers_of_the_result():
    found = rank_test([1.0, 2.0, 10.0], [2.0, 3.0])
    assert (found.u, found.n_x, found.n_y) == (2.5, 3, 2)
    assert (found.median_x, found.median_y) == (2.0, 2.5)
    assert found.effect == pytest.approx(2 * 2.5 / 6 - 1)
    assert found == rank_test(np.array([1, 2, 10]), np.array([2, 3], np.float32))


def test_infinite_values_are_ranked():
    assert rank_test([math.inf, 5.0], [-math.inf, 1.0]).effect == 1.0


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([], [1.0], "expected at least one value in x"),
        ([1.0], [], "expected at least one value in y"),
        ([[1.0]], [1.0], r"in one dimension, found shape \(1, 1\)"),
        ([1.0], [math.nan, 2.0, math.nan], "expected numbers in y, found NaN 2 times"),
        (["high"], [1.0], "expected numbers in x, found could not convert"),
        ([1.0, None], [1.0], "expected numbers in x"),
    ],
)
def test_refusals(x, y, message):
    with pytest.raises(UsageError, match=message):
        rank_test(x, y)
