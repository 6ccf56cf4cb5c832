from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from ifcyto.classify.groups import NUMBERS, group_alike, reduced, segment
from ifcyto.errors import UsageError


@pytest.fixture
def kinds(rng):
    """Two hundred objects of four kinds that lie apart, in columns of very different units."""
    kind = rng.permutation(np.repeat(np.arange(4), [90, 60, 40, 10]))
    centres = 9 * np.eye(4, 6)
    return (centres[kind] + rng.normal(size=(200, 6))) * [1, 1e3, 1e-4, 1, 7, 1] + 5, kind


def test_a_segment_is_a_random_part():
    rows = segment(5000, seed=3)
    assert len(rows) == len(set(rows.tolist())) == 1500
    assert (np.diff(rows) > 0).all()
    assert abs(rows.mean() - 2500) < 120
    assert np.array_equal(rows, segment(5000, seed=3))
    assert not np.array_equal(rows, segment(5000, seed=4))
    assert segment(7).tolist() == list(range(7))
    with pytest.raises(UsageError, match="one object or more, found 0"):
        segment(7, 0)


def test_kinds_that_lie_apart_are_found(kinds):
    values, kind = kinds
    found = group_alike(values, groups=4)
    assert adjusted_rand_score(kind[found.rows], found.group) == 1
    assert np.bincount(found.group)[1:].tolist() == [90, 60, 40, 10]
    assert 0.4 < found.silhouette < 1
    for number in range(1, 5):
        assert (np.diff(found.distance[found.group == number]) >= 0).all()


def test_against_scipys_tree(rng):
    values = rng.normal(size=(80, 5))
    found = group_alike(values, groups=7)
    theirs = fcluster(linkage(reduced(values), "ward"), 7, "maxclust")
    assert adjusted_rand_score(theirs[found.rows], found.group) == 1


def test_the_number_is_chosen_within_bounds(kinds):
    values, kind = kinds
    found = group_alike(values)
    number = found.group.max()
    assert NUMBERS[0] <= number <= NUMBERS[1]
    most = [np.bincount(kind[found.rows[found.group == g]]).max() for g in range(1, number + 1)]
    assert sum(most) == 200
    assert group_alike(values[:5]).group.max() <= 4


def test_units_order_and_outliers_do_not_matter(kinds):
    values, kind = kinds
    odd = values.copy()
    odd[0, 2] = 1e9
    found = group_alike(odd * 3 + 1, groups=4)
    assert adjusted_rand_score(kind[found.rows], found.group) > 0.95


def test_what_leaks_or_is_missing_is_left_out(kinds):
    values, kind = kinds
    values = np.column_stack([values, np.arange(200.0) * 100, np.where(np.arange(200) % 2, np.nan, 1.0)])
    values[7, 0] = np.nan
    names = [f"f{i}" for i in range(6)] + ["Object Number", "Contrast_M01"]
    found = group_alike(values, names, groups=4)
    assert 7 not in found.rows
    assert adjusted_rand_score(kind[found.rows], found.group) == 1
    assert found.notes == ("1 of 200 objects were left out, as a feature of theirs cannot be computed",)


def test_one_group_and_what_cannot_be(rng):
    values = rng.normal(size=(10, 2))
    one = group_alike(values, groups=1)
    assert set(one.group) == {1}
    assert math.isnan(one.silhouette)
    for given, groups in ((values, 11), (values[:2], None), (values * 0, None), (values, 0), (values, -2)):
        with pytest.raises(UsageError, match="one group or more and a usable column"):
            group_alike(given, groups=groups)
    with pytest.raises(UsageError, match="draw a segment"):
        group_alike(np.zeros((20_001, 1)) + np.arange(20_001)[:, None])
