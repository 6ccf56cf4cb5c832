"""Limits of agreement against the paper's own data, scipy and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ifcyto.compare.bland_altman import bland_altman
from ifcyto.errors import UsageError

# Peak flow by two meters, first readings of 17 people: Bland & Altman (1986) Lancet 327:307. The paper prints
# a mean difference of -2.1 l/min with 95 % from -22.0 to 17.8, s = 38.8, and limits of -2.1 -+ 2 s.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_published_bias():
    found = bland_altman(LARGE, MINI)
    assert found.n == 17
    assert [round(v, 1) for v in (found.bias, found.sd)] == [-2.1, 38.8]
    assert (found.bias_low, found.bias_high) == pytest.approx((-22.0, 17.8), abs=0.1)
    assert (found.lower, found.upper) == pytest.approx((-2.1 - 1.96 * 38.8, -2.1 + 1.96 * 38.8), abs=0.1)
    # the paper has sqrt(3 / n) s and t = 2.12 for the error of a limit; ours is the finer formula of 1999
    assert found.upper_high - found.upper == pytest.approx(2.12 * math.sqrt(3 / 17) * 38.8, rel=0.02)


def test_interval_of_the_bias_is_that_of_the_paired_t_test(rng):
    a, b = rng.normal(3, 1, (2, 12))
    interval = stats.ttest_rel(a, b).confidence_interval()
    found = bland_altman(a, b)
    assert (found.bias_low, found.bias_high) == pytest.approx((interval.low, interval.high))
    turned = bland_altman(b, a)
    assert (turned.bias, turned.lower, turned.lower_low) == pytest.approx(
        (-found.bias, -found.upper, -found.upper_high)
    )


def test_interval_of_the_limits_covers_as_it_says(rng):
    """Differences N(0.5, 1) of 25 samples: the true upper limit is 0.5 + 1.96; 2,000 draws."""
    true = 0.5 + stats.norm.ppf(0.975)
    found = [bland_altman(d, np.zeros(25)) for d in rng.normal(0.5, 1, (2000, 25))]
    assert 0.93 <= np.mean([one.upper_low <= true <= one.upper_high for one in found]) <= 0.97


def test_equal_methods_and_one_sample():
    same = bland_altman([0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    assert (same.bias, same.sd, same.lower, same.upper_high) == (0.0, 0.0, 0.0, 0.0)
    single = bland_altman([3.0], [2.0])
    assert (single.n, single.bias) == (1, 1.0)
    assert math.isnan(single.sd)
    assert math.isnan(single.upper_high)


@pytest.mark.parametrize(
    ("first", "second", "options", "message"),
    [
        ([1.0], [1.0, 2.0], {}, "two values for every sample, found 1 and 2"),
        ([], [], {}, "expected at least one value in first"),
        ([1.0, math.inf], [1.0, 2.0], {}, "expected finite numbers"),
        ([1.0, math.nan], [1.0, 2.0], {}, "found NaN 1 times"),
        ([1.0], [1.0], {"level": 0}, "expected a level between 0 and 1"),
    ],
)
def test_refusals(first, second, options, message):
    with pytest.raises(UsageError, match=message):
        bland_altman(first, second, **options)
