from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from ifcyto.compare import rank_inversion
from ifcyto.compare.rank_inversion import inverted
from ifcyto.compare.rank_sums import counted, two_sided_p, untied


def tied_counts(values):
    return np.unique(values, return_counts=True)[1]


def whole_counts(tied, m):
    """Slow twin in whole numbers: choices of m by their doubled rank sum, item by item."""
    ranks = np.repeat(2 * np.cumsum(tied) - tied + 1, tied).tolist()
    ways = [{} for _ in range(m + 1)]
    ways[0][0] = 1
    for rank in ranks:
        for k in range(m, 0, -1):
            for s, count in ways[k - 1].items():
                ways[k][s + rank] = ways[k].get(s + rank, 0) + count
    return {s - m * (m + 1): count for s, count in ways[m].items()}


CASES = [(14, 11, 7), (5, 40, 12), (1, 6, 3), (20, 20, 4), (9, 31, 1000), (12, 12, 2)]


@pytest.mark.parametrize(("m", "n", "kinds"), CASES)
def test_counting_keeps_relative_precision(m, n, kinds, rng):
    m, n = min(m, n), max(m, n)
    tied = tied_counts(rng.integers(0, kinds, m + n))
    found, expected = counted(tied, m, n), whole_counts(tied, m)
    total = math.comb(m + n, m)
    assert sum(expected.values()) == total
    for v, probability in enumerate(found):
        assert probability == pytest.approx(float(Fraction(expected.get(v, 0), total)), rel=1e-12, abs=0)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 9), (7, 9), (11, 14), (30, 60)])
def test_untied_counts(m, n):
    expected = whole_counts(np.ones(m + n, int), m)
    total = math.comb(m + n, m)
    found = untied(m, n)
    assert found.size == m * n // 2 + 1
    for u, probability in enumerate(found):
        assert probability == pytest.approx(float(Fraction(expected[2 * u], total)), rel=1e-10, abs=0)


@pytest.mark.parametrize("growth", [0.0, 1e3], ids=["points", "power sums"])
@pytest.mark.parametrize(("m", "n", "kinds"), [*CASES, (100, 250, 60), (60, 300, 3), (3, 900, 50)])
def test_inversion_equals_counting(m, n, kinds, growth, rng, monkeypatch):
    monkeypatch.setattr(rank_inversion, "_GROWTH", growth)
    m, n = min(m, n), max(m, n)
    tied = tied_counts(rng.integers(0, kinds, m + n))
    found, expected = inverted(tied, m, n), counted(tied, m, n)
    np.testing.assert_allclose(np.cumsum(found), np.cumsum(expected), rtol=0, atol=1e-12)


def test_inversion_equals_untied_counts_of_large_groups():
    found = inverted(np.ones(10_100, int), 100, 10_000)
    np.testing.assert_allclose(
        np.cumsum(found[: 10**6 + 1 : 2]), np.cumsum(untied(100, 10_000)), rtol=0, atol=1e-11
    )


def test_lower_tail_of_a_published_example(truth):
    row = truth["lower_tail"]
    x, y = row["x"], row["y"]
    v = sum(2 * (a > b) + (a == b) for a in x for b in y)
    below = counted(tied_counts([*x, *y]), len(x), len(y))[: v + 1].sum()
    assert round(float(below), row["digits"]) == row["p_less"]


def test_what_is_out_of_reach_is_none():
    assert two_sided_p(0, np.ones(10_101, int), 100, 10_001) is None
    tied = np.concatenate([[2], np.ones(10_098, int)])
    assert two_sided_p(0, tied, 100, 10_000) is None
    near = two_sided_p(10**6 + 100_000, tied, 100, 10_000)
    assert near is not None
    assert near == pytest.approx(two_sided_p(10**6 + 100_000, np.ones(10_100, int), 100, 10_000), rel=1e-4)
