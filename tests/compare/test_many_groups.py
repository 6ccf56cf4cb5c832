"""Kruskal-Wallis against scipy, Dunn against published output and a slow twin."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from ifcyto.compare.many_groups import dunn_test, kruskal_test
from ifcyto.errors import UsageError

# pH of four ponds: Zar JH (2010) Biostatistical Analysis, 5th edition, example 10.11. It prints H = 11.943
# after the correction for ties; the z and p of each pair are the output of dunnTest in the R package FSA
# (its help page, methods "holm").
PONDS = {
    "1": [7.68, 7.69, 7.70, 7.70, 7.72, 7.73, 7.73, 7.76],
    "2": [7.71, 7.73, 7.74, 7.74, 7.78, 7.78, 7.80, 7.81],
    "3": [7.74, 7.75, 7.77, 7.78, 7.80, 7.81, 7.84],
    "4": [7.71, 7.71, 7.74, 7.79, 7.81, 7.85, 7.87, 7.91],
}
DUNN = {
    ("1", "2"): (-2.13700630, 0.032597479, 0.13038992),
    ("1", "3"): (-2.94934889, 0.003184443, 0.01592221),
    ("2", "3"): (-0.88480467, 0.376261991, 1.00000000),
    ("1", "4"): (-2.99180882, 0.002773299, 0.01663979),
    ("2", "4"): (-0.85480252, 0.392660483, 0.78532097),
    ("3", "4"): (0.05898698, 0.952962480, 0.95296248),
}


def test_published_kruskal_wallis():
    found = kruskal_test(PONDS)
    assert round(found.h, 3) == 11.944  # Zar rounds the correction first and prints 11.943
    assert (found.df, found.n["3"]) == (3, 7)
    assert found.mean_ranks["1"] == 55 / 8


def test_published_dunn():
    found = {(pair.first, pair.second): pair for pair in dunn_test(PONDS)}
    assert list(found) == list(combinations("1234", 2))
    for key, (z, p, _) in DUNN.items():
        assert found[key].z == pytest.approx(z, abs=5e-9)
        assert found[key].p == pytest.approx(p, abs=5e-10)
    # FSA does not keep Holm's order; the monotone values are those of R's p.adjust
    smallest = sorted(pair.p for pair in found.values())
    assert found["1", "4"].p_adjusted == pytest.approx(6 * smallest[0])
    assert found["1", "3"].p_adjusted == pytest.approx(max(6 * smallest[0], 5 * smallest[1]))
    assert found["3", "4"].p_adjusted == 1.0


@pytest.mark.parametrize("kinds", [3, 12, 10**9])
def test_kruskal_wallis_against_scipy(kinds, rng):
    for _ in range(30):
        sizes = rng.integers(1, 9, int(rng.integers(2, 6)))
        groups = {str(i): rng.integers(0, kinds, n) for i, n in enumerate(sizes)}
        if len(np.unique(np.concatenate(list(groups.values())))) == 1:
            continue
        expected = stats.kruskal(*groups.values())
        found = kruskal_test(groups)
        assert (found.h, found.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9, abs=1e-12)


def slow_z(groups, first, second):
    """Dunn's formula as the paper writes it, with ranks by counting."""
    pooled = [v for group in groups.values() for v in group]
    n = len(pooled)

    def mean_rank(group):
        ranks = [sum(w < v for w in pooled) + (sum(w == v for w in pooled) + 1) / 2 for v in group]
        return sum(ranks) / len(ranks)

    ties = sum(pooled.count(v) ** 3 - pooled.count(v) for v in set(pooled))
    variance = n * (n + 1) / 12 - ties / (12 * (n - 1))
    error = math.sqrt(variance * (1 / len(groups[first]) + 1 / len(groups[second])))
    return (mean_rank(groups[first]) - mean_rank(groups[second])) / error


def test_dunn_against_its_slow_twin(rng):
    for _ in range(20):
        groups = {name: rng.integers(0, 7, n).tolist() for name, n in (("a", 5), ("b", 1), ("c", 8))}
        for pair in dunn_test(groups, correction="bh"):
            assert pair.z == pytest.approx(slow_z(groups, pair.first, pair.second), abs=1e-12)
            assert pair.p == pytest.approx(2 * stats.norm.sf(abs(pair.z)))
            assert pair.p <= pair.p_adjusted * (1 + 1e-12)


def test_two_groups_are_the_normal_mann_whitney_test_without_continuity(rng):
    x, y = rng.integers(0, 9, 12), rng.integers(2, 11, 15)
    expected = stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=False).pvalue
    assert kruskal_test({"x": x, "y": y}).p == pytest.approx(expected)
    assert dunn_test({"x": x, "y": y}, correction="none")[0].p_adjusted == pytest.approx(expected)


def test_all_values_equal():
    groups = {"a": [0.0] * 3, "b": [0.0], "c": [0.0] * 4}
    found = kruskal_test(groups)
    assert (found.h, found.p, found.mean_ranks) == (0.0, 1.0, {"a": 4.5, "b": 4.5, "c": 4.5})
    assert {(pair.z, pair.p, pair.p_adjusted) for pair in dunn_test(groups)} == {(0.0, 1.0, 1.0)}


def test_single_values():
    assert kruskal_test({"a": [1.0], "b": [2.0]}).p == pytest.approx(stats.chi2.sf(1, 1))


@pytest.mark.parametrize("test", [kruskal_test, dunn_test])
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, "expected at least two, found none"),
        ({"NBM": [1.0]}, "expected at least two, found NBM"),
        ({"NBM": [1.0], "MDS": []}, "at least one value in MDS"),
        ({"NBM": [1.0], "MDS": [math.nan]}, "expected numbers in MDS, found NaN"),
    ],
)
def test_refusals(test, groups, message):
    with pytest.raises(UsageError, match=message):
        test(groups)


def test_refused_correction():
    with pytest.raises(UsageError, match="expected correction"):
        dunn_test(PONDS, correction="tukey")
