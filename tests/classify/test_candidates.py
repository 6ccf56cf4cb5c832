"""Candidate features: what is barred, and ratios against slow twins."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from ifcyto.classify.candidates import (
    LARGEST,
    LEAKING,
    correlated,
    fisher_ratio,
    pair_ratio,
    rank,
    uncorrelated,
    usable_columns,
)
from ifcyto.errors import UsageError


@pytest.fixture
def values(rng):
    """Sixty objects of three classes (10, 20, 30), five columns of growing separation."""
    codes = np.repeat([0, 1, 2], [10, 20, 30])
    return rng.normal(size=(60, 5)) * [1, 2, 3, 1e6, 1e-6] + codes[:, None] * [0, 1, 3, 2e6, 9e-6]


TRUTH = np.repeat(["a", "b", "c"], [10, 20, 30])


def test_columns_that_tell_the_order_of_tagging_are_barred_unless_allowed(values):
    names = ["Object Number", "Raw Centroid X", "Raw Centroid X_M01", "Centroid X_M01", "Timely"]
    kept, dropped = usable_columns(values, names)
    assert [names[place] for place in kept] == ["Centroid X_M01", "Timely"]
    assert set(dropped) == set(names[:3])
    assert "when or where" in dropped["Object Number"]
    kept, dropped = usable_columns(values, names, allow=LEAKING)
    assert (kept.tolist(), dropped) == ([0, 1, 2, 3, 4], {})


def test_constant_and_missing_columns_are_dropped_and_said(values):
    values[:, 0] = 7e9
    values[3:5, 1] = np.nan
    values[3, 2] = np.inf
    values[:, 3] = np.nan
    kept, dropped = usable_columns(values, list("abcde"))
    assert kept.tolist() == [4]
    assert dropped == {
        "a": "constant: 7e+09",
        "b": "missing in 2 of 60 objects",
        "c": "missing in 1 of 60 objects",
        "d": "missing in 60 of 60 objects",
    }


def test_a_column_constant_but_for_rounding_is_constant(values):
    values[:, 0] = 0.1
    values[::2, 0] += 1e-17 + 2e-17
    values[:, 1] = 3e15 + np.arange(60) % 2
    values[:, 2] = 0
    assert usable_columns(values, list("abcde"))[0].tolist() == [3, 4]


def test_the_share_of_missing_values_counts_in_each_class(values):
    values[0, 0] = np.nan  # one of ten
    values[40, 1] = np.nan  # one of thirty
    assert usable_columns(values, list("abcde"), max_missing=0.05)[0].tolist() == [0, 1, 2, 3, 4]
    kept, dropped = usable_columns(values, list("abcde"), labels=TRUTH, max_missing=0.05)
    assert kept.tolist() == [1, 2, 3, 4]
    assert dropped == {"a": "missing in 1 of 60 objects"}


def test_the_ratio_of_fisher_is_that_of_the_sums_of_squares(values):
    total = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    parts = [values[:10], values[10:30], values[30:]]
    within = sum(part.var(axis=0) * len(part) for part in parts)
    assert fisher_ratio(values, TRUTH) == pytest.approx((total - within) / within)
    assert fisher_ratio(values * -3 + 8, TRUTH) == pytest.approx(fisher_ratio(values, TRUTH))


def test_pairs_are_those_of_the_manual(values):
    a, c = values[:10], values[30:]
    expected = np.abs(a.mean(axis=0) - c.mean(axis=0)) / (a.std(axis=0, ddof=1) + c.std(axis=0, ddof=1))
    assert pair_ratio(values, TRUTH, "a", "c") == pytest.approx(expected)
    assert pair_ratio(values, TRUTH, "c", "a") == pytest.approx(expected)
    with pytest.raises(UsageError, match="among a, b, c, found 'd'"):
        pair_ratio(values, TRUTH, "a", "d")


def test_separation_without_spread_is_large_but_finite():
    values = np.array([[0.0, 5.0], [0.0, 5.0], [1.0, 5.0], [1.0, 5.0]])
    labels = np.array(["a", "a", "b", "b"])
    assert fisher_ratio(values, labels).tolist() == [LARGEST, 0]
    assert pair_ratio(values, labels, "a", "b").tolist() == [LARGEST, 0]


def test_the_ranking_has_the_best_column_first_and_its_best_pair(values):
    names = ["one", "two", "three", "four", "five"]
    ranking = rank(values, TRUTH, names)
    assert np.all(np.diff(ranking.ratios) <= 0)
    assert ranking.ratios == pytest.approx(fisher_ratio(values, TRUTH)[ranking.order])
    assert ranking.names == tuple(names[place] for place in ranking.order)
    assert ranking.names[0] == "five"
    pairs = list(combinations("abc", 2))
    table = np.array([pair_ratio(values, TRUTH, *pair) for pair in pairs])[:, ranking.order]
    assert ranking.pair_ratios == pytest.approx(table.max(axis=0))
    assert ranking.pairs == tuple(pairs[place] for place in table.argmax(axis=0))
    assert ranking.pairs[0] == ("a", "c")


def test_equal_columns_keep_their_order(values):
    doubled = values[:, [0, 1, 1, 0]]
    assert rank(doubled, TRUTH, list("abcd")).order.tolist() in ([1, 2, 0, 3], [0, 3, 1, 2])


def test_columns_that_repeat_a_better_one_are_dropped_as_a_slow_twin_says(rng):
    values = rng.normal(size=(80, 4)) @ rng.normal(size=(4, 12)) + 0.4 * rng.normal(size=(80, 12))
    order = rng.permutation(12)
    matrix = np.corrcoef(values.T)
    kept: list[int] = []
    for column in order:
        if all(abs(matrix[column, other]) <= 0.8 for other in kept):
            kept.append(int(column))
    assert 2 < len(kept) < 10
    found, repeats = correlated(values, order, 0.8)
    assert found.tolist() == kept == uncorrelated(values, order, 0.8).tolist()
    assert set(repeats) == set(range(12)) - set(kept)
    for column, (other, strength) in repeats.items():
        assert other in kept
        assert strength == pytest.approx(matrix[column, other])
        assert abs(strength) > 0.8


def test_the_limits_of_correlation():
    values = np.array([[1.0, -2.0, 5.0, 0.3], [2.0, -4.0, 5.0, 0.1], [3.0, -6.0, 5.0, 0.7]])
    order = np.arange(4)
    assert uncorrelated(values, order, 0.9).tolist() == [0, 2, 3]  # a constant column repeats none
    assert uncorrelated(values, order, 1.0).tolist() == [0, 1, 2, 3]
    assert uncorrelated(values, order[:0], 0.9).tolist() == []
