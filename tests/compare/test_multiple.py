from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ifcyto.compare.multiple import adjusted, benjamini_hochberg, holm
from ifcyto.errors import UsageError

BOTH = pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])


def slow_holm(p):
    """Smallest level at which the step-down procedure rejects each hypothesis."""
    m = len(p)
    order = sorted(range(m), key=lambda i: p[i])
    adjusted = [0.0] * m
    for position, i in enumerate(order):
        needed = [p[order[j]] * (m - j) for j in range(position + 1)]
        adjusted[i] = min(1.0, max(needed))
    return adjusted


@pytest.mark.parametrize(("adjust", "key"), [(holm, "holm"), (benjamini_hochberg, "benjamini_hochberg")])
def test_published_values(adjust, key, truth):
    for row in truth[key]:
        half_unit = 0.5000001 * 10 ** -row["digits"]
        np.testing.assert_allclose(
            adjust(row["p"]), row["adjusted"], rtol=0, atol=half_unit, err_msg=row["source"]
        )


def test_published_rejections(truth):
    row = truth["rejections"]
    assert int((benjamini_hochberg(row["p"]) <= row["level"]).sum()) == row["benjamini_hochberg"]


@pytest.mark.parametrize("digits", [2, 12])
def test_random_values_with_and_without_ties(digits, rng):
    for m in (1, 2, 3, 12, 50):
        p = np.round(rng.random(m) ** 3, digits)
        np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p), rtol=1e-12)
        np.testing.assert_allclose(holm(p), slow_holm(p.tolist()), rtol=1e-12)


@BOTH
def test_missing_tests_do_not_count(adjust):
    known = [0.03, 0.2, 0.01]
    found = adjust([math.nan, 0.03, 0.2, math.nan, 0.01])
    assert np.isnan(found[[0, 3]]).all()
    np.testing.assert_array_equal(found[[1, 2, 4]], adjust(known))


@BOTH
def test_nothing_to_adjust(adjust):
    assert adjust([]).shape == (0,)
    assert np.isnan(adjust([math.nan])).all()


@BOTH
def test_order_and_input_are_kept(adjust, rng):
    p = rng.random(20)
    before = p.copy()
    shuffle = rng.permutation(20)
    np.testing.assert_array_equal(adjust(p)[shuffle], adjust(p[shuffle]))
    np.testing.assert_array_equal(p, before)


@BOTH
@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([0.5, 1.2], r"expected 0 to 1, found 1.2 at position 1"),
        ([-0.1], r"expected 0 to 1, found -0.1 at position 0"),
        ([[0.1, 0.2]], r"expected one dimension, found shape \(1, 2\)"),
    ],
)
def test_refusals(adjust, p, message):
    with pytest.raises(UsageError, match=message):
        adjust(p)


def test_corrections_by_name(rng):
    p = rng.random(9)
    np.testing.assert_array_equal(adjusted(p, "holm"), holm(p))
    np.testing.assert_array_equal(adjusted(p, "bh"), benjamini_hochberg(p))
    np.testing.assert_array_equal(adjusted(p, "none"), p)
    assert adjusted([], "bh").size == 0
    with pytest.raises(UsageError, match="expected correction 'holm', 'bh', 'none', found 'bonferroni'"):
        adjusted(p, "bonferroni")
    with pytest.raises(UsageError, match="expected 0 to 1"):
        adjusted([1.5], "none")
