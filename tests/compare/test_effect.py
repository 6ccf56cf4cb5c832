"""Effect sizes and shifts against enumeration, roots of the quartic, simulation and published output."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from ifcyto.compare.effect import rank_effect, shift
from ifcyto.compare.ranks import rank_test
from ifcyto.errors import UsageError

Z = stats.norm.ppf(0.975)


def quartic_bounds(auc, m, n):
    """Roots of the score equation, cleared of its fractions (2 - t)(1 + t)."""
    size = (m + n) / 2 - 1
    t = np.polynomial.Polynomial([0, 1])
    cleared = (2 - t) * (1 + t) + size * (1 - t) * (1 + t) + size * t * (2 - t)
    whole = (t - auc) ** 2 * (2 - t) * (1 + t) - Z**2 / (m * n) * t * (1 - t) * cleared
    roots = whole.roots()
    real = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
    return real[(real > -1e-9) & (real < 1 + 1e-9)]


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 9), (14, 11), (51, 58), (11, 300)])
@pytest.mark.parametrize("share", [0.03, 0.5, 0.77, 0.893])
def test_interval_of_the_area_solves_the_score_equation(m, n, share):
    u = round(2 * share * m * n) / 2
    found = rank_effect(u, m, n)
    if 0 < u < m * n:
        np.testing.assert_allclose(
            [found.auc_low, found.auc_high], quartic_bounds(u / (m * n), m, n), atol=1e-9
        )
    assert 0 <= found.auc_low <= found.auc <= found.auc_high <= 1


def test_with_one_value_each_it_is_wilsons_interval_of_one():
    """Then the variance is that of a single proportion."""
    found = rank_effect(1.0, 1, 1)
    expected = stats.binomtest(1, 1).proportion_ci(method="wilson")
    assert (found.auc_low, found.auc_high) == pytest.approx((expected.low, expected.high))


def test_standard_error_of_hanley_and_mcneil():
    """Radiology 143:29, Table: area 0.893 from 51 abnormal and 58 normal images, SE 0.032.

    With both group sizes in their own place; the interval's variance has their mean, so that it is near.
    """
    auc = rank_effect(0.893 * 51 * 58, 51, 58)
    se = (auc.auc_high - auc.auc_low) / (2 * Z)
    assert se == pytest.approx(0.032, abs=0.003)


def test_groups_apart_have_a_one_sided_interval():
    up, down = rank_effect(14 * 11, 14, 11), rank_effect(0, 14, 11)
    assert (up.auc, up.auc_high, up.effect, up.effect_high) == (1.0, 1.0, 1.0, 1.0)
    assert 0.7 < up.auc_low < 0.95
    assert (down.auc_low, down.auc_high) == pytest.approx((0.0, 1 - up.auc_low))


def test_effect_is_that_of_the_rank_test_and_mirrors(rng):
    for _ in range(30):
        x, y = rng.integers(0, 9, 8), rng.integers(2, 12, 12)
        test = rank_test(x, y)
        found, other = rank_effect(test.u, 8, 12), rank_effect(96 - test.u, 12, 8)
        assert found.effect == pytest.approx(test.effect)
        assert found.effect_low == pytest.approx(-other.effect_high)
        assert found.effect_high == pytest.approx(2 * found.auc_high - 1)


@pytest.mark.parametrize("auc", [0.5, 0.8, 0.95])
def test_interval_of_the_area_covers_as_it_says(auc, rng):
    """Normal groups of 14 and 11 whose true area is known; 3,000 draws."""
    x = rng.normal(math.sqrt(2) * stats.norm.ppf(auc), 1, (3000, 14))
    y = rng.normal(0, 1, (3000, 11))
    u = (x[:, :, None] > y[:, None, :]).sum((1, 2))
    covered = {value: rank_effect(float(value), 14, 11) for value in np.unique(u)}
    inside = np.mean([covered[v].auc_low <= auc <= covered[v].auc_high for v in u])
    assert 0.93 <= inside <= 0.985


def test_published_shift():
    """Hollander & Wolfe's permeability data, as ``coin`` prints them (vignette and help page of its
    ``wilcox_test``, there with the groups the other way round): -0.305, 95 % from -0.76 to 0.15."""
    term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    early = [1.15, 0.88, 0.90, 0.74, 1.21]
    found = shift(term, early)
    assert (found.shift, found.low, found.high) == pytest.approx((0.305, -0.15, 0.76))
    assert found.exact
    turned = shift(early, term)
    assert (turned.shift, turned.low, turned.high) == pytest.approx((-0.305, -0.76, 0.15))


def enumerated_p(x, y):
    pooled = [*x, *y]
    mean = len(x) * len(y) / 2

    def u(chosen):
        rest = [j for j in range(len(pooled)) if j not in chosen]
        return sum(pooled[i] > pooled[j] for i in chosen for j in rest)

    observed = abs(u(range(len(x))) - mean)
    choices = [abs(u(c) - mean) for c in combinations(range(len(pooled)), len(x))]
    return sum(c >= observed for c in choices) / len(choices)


def test_interval_of_the_shift_holds_what_the_test_does_not_reject(rng):
    """Between any two neighbouring differences the enumerated test says inside or outside."""
    for sizes in ((4, 4), (3, 6), (5, 4)):
        x, y = rng.normal(1, 1, sizes[0]), rng.normal(0, 1, sizes[1])
        found = shift(x, y)
        steps = np.sort(np.subtract.outer(x, y).ravel())
        for d in [steps[0] - 1, *((steps[1:] + steps[:-1]) / 2), steps[-1] + 1]:
            assert (enumerated_p(x - d, y) > 0.05) == (found.low < d < found.high)
        assert found.shift == np.median(steps)


def test_the_shift_leads_to_the_exact_test_on_larger_groups(rng):
    x, y = rng.normal(0.4, 1, 14), rng.normal(0, 1, 11)
    found = shift(x, y)
    for bound, inwards in ((found.low, 1e-9), (found.high, -1e-9)):
        assert stats.mannwhitneyu(x - bound - inwards, y, method="exact").pvalue > 0.05
        assert stats.mannwhitneyu(x - bound + inwards, y, method="exact").pvalue <= 0.05


def test_ties_cover_at_least_as_often(rng):
    """Percentages of few cells: 12 and 9 samples, many equal; the true shift is 2."""
    covered = 0
    for _ in range(600):
        found = shift(rng.binomial(8, 0.3, 12) + 2.0, rng.binomial(8, 0.3, 9))
        covered += found.low <= 2 <= found.high
    assert covered / 600 >= 0.95


@pytest.mark.parametrize("sizes", [(1, 1), (1, 30), (3, 3)])
def test_groups_too_small_have_no_interval(sizes, rng):
    found = shift(rng.normal(size=sizes[0]), rng.normal(size=sizes[1]))
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert not math.isnan(found.shift)


def test_all_values_equal_shift_by_nothing():
    found = shift([0.0] * 6, [0.0] * 5)
    assert (found.shift, found.low, found.high) == (0.0, 0.0, 0.0)
    assert rank_effect(15.0, 6, 5).effect == 0.0


def test_the_approximation_is_near_the_exact_interval(rng):
    x, y = rng.normal(0, 1, 101), rng.normal(0, 1, 101)
    approximate, exact = shift(x, y), shift(x[1:], y)
    assert (approximate.exact, exact.exact) == (False, True)
    assert approximate.low == pytest.approx(exact.low, abs=0.05)
    assert approximate.high == pytest.approx(exact.high, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1.0, 0, 3), {}, "at least one value in each group, found 0 and 3"),
        ((13.0, 3, 4), {}, "expected U of 0 to 12, found 13"),
        ((math.nan, 3, 4), {}, "expected U of 0 to 12"),
        ((1.0, 3, 4), {"level": 1.0}, "expected a level between 0 and 1"),
    ],
)
def test_refused_effects(arguments, options, message):
    with pytest.raises(UsageError, match=message):
        rank_effect(*arguments, **options)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([], [1.0], "expected at least one value in x"),
        ([1.0], [math.inf], "expected finite numbers in y"),
        ([0.0] * 5001, [0.0] * 5000, "expected at most 25000000 pairs of values, found 5001 times 5000"),
    ],
)
def test_refused_shifts(x, y, message):
    with pytest.raises(UsageError, match=message):
        shift(x, y)
