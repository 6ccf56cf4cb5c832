from __future__ import annotations

import pytest

from ifcyto.compare.overlap import MAX_SETS, overlap, upset
from ifcyto.errors import UsageError


def test_three_sets_by_hand():
    result = overlap({"manual": [1, 2, 3, 4], "fbml": (3, 4, 5, 9), "cnn": {4, 5, 6, 7, 8}})
    assert result.names == ("manual", "fbml", "cnn")
    assert result.counts == {
        (0, 0, 1): 3,
        (0, 1, 0): 1,
        (0, 1, 1): 1,
        (1, 0, 0): 2,
        (1, 0, 1): 0,
        (1, 1, 0): 1,
        (1, 1, 1): 1,
    }
    assert result.members((0, 0, 1)) == {6, 7, 8}
    assert result.members((1, 0, 1)) == frozenset()


@pytest.mark.parametrize("k", [1, 2, 3, 4, 6])
def test_random_sets_by_the_definition(k, rng):
    sets = {f"s{i}": rng.integers(0, 60, 30).tolist() for i in range(k)}
    result = overlap(sets)
    assert len(result.counts) == 2**k - 1
    for region, count in result.counts.items():
        inside = [name for name, bit in zip(result.names, region, strict=True) if bit]
        expected = {
            member for member in range(60) if [name for name in sets if member in sets[name]] == inside
        }
        assert result.members(region) == expected
        assert count == len(expected)
    for i, name in enumerate(result.names):
        assert sum(c for region, c in result.counts.items() if region[i]) == len(set(sets[name]))


def test_pairs_of_sample_and_object_do_not_mix():
    result = overlap({"manual": [("MDS01", 7), ("MDS02", 7)], "cnn": [("MDS02", 7)]})
    assert result.counts == {(0, 1): 0, (1, 0): 1, (1, 1): 1}


def test_empty_sets_and_repeats():
    assert overlap({"a": [], "b": []}).counts == {(0, 1): 0, (1, 0): 0, (1, 1): 0}
    assert overlap({"a": [5, 5, 5]}).counts == {(1,): 1}


@pytest.mark.parametrize("region", [(0, 0), (1,), (1, 2), (1, 0, 0), "10"])
def test_unknown_region(region):
    with pytest.raises(UsageError, match="expected a region of 2 zeros and ones"):
        overlap({"a": [1], "b": [2]}).members(region)


@pytest.mark.parametrize("k", [0, MAX_SETS + 1])
def test_number_of_sets(k):
    with pytest.raises(UsageError, match=f"expected 1 to {MAX_SETS} sets, found {k}"):
        overlap({str(i): [i] for i in range(k)})


@pytest.mark.parametrize("k", [1, 2, 3, 4, 7])
def test_upset_and_regions_sum_to_the_totals_of_the_sets(k, rng):
    sets = {f"s{i}": set(rng.integers(0, 80, 25).tolist()) for i in range(k)}
    found = overlap(sets)
    columns = upset(found)
    assert sum(one.count for one in columns) == len(set().union(*sets.values()))
    for i, name in enumerate(found.names):
        assert sum(one.count for one in columns if name in one.names) == len(sets[name])
        assert sum(count for region, count in found.counts.items() if region[i]) == len(sets[name])
    assert all(one.count and one.degree == sum(one.region) for one in columns)
    assert [one.count for one in columns] == sorted((c for c in found.counts.values() if c), reverse=True)


def test_upset_orders_equal_regions_by_degree_then_name():
    columns = upset(overlap({"a": [1, 3], "b": [2, 3], "c": []}))
    assert [one.names for one in columns] == [("a",), ("b",), ("a", "b")]
    assert upset(overlap({"a": [], "b": []})) == ()
