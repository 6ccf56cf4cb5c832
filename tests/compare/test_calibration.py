from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import calibration, metrics

from ifcyto.compare.calibration import (
    brier_score,
    checked_probabilities,
    error_if_calibrated,
    negative_log_likelihood,
    reliability,
)
from ifcyto.compare.frequency import proportion_interval
from ifcyto.errors import UsageError


@pytest.fixture
def said(rng):
    """Probabilities of 800 objects for three classes, and classes that were drawn with them."""
    p = rng.dirichlet([0.5, 0.5, 0.5], 800)
    codes = (rng.random((800, 1)) > p.cumsum(axis=1)).sum(axis=1)
    return p, codes


def test_by_hand():
    found = reliability([0.0, 0.1, 0.15, 0.2, 0.95, 1.0], [0, 1, 0, 0, 1, 1], bins=10)
    assert found.count.tolist() == [2, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert found.said[[0, 1, 9]] == pytest.approx([0.05, 0.175, 0.975])
    assert found.observed[[0, 1, 9]].tolist() == [0.5, 0.0, 1.0]
    assert found.ece == pytest.approx((2 * 0.45 + 2 * 0.175 + 2 * 0.025) / 6)
    assert found.mce == pytest.approx(0.45)
    assert np.isnan(found.said[2])
    assert (found.ci_low[0], found.ci_high[0]) == proportion_interval(1, 2)


@pytest.mark.parametrize(("binning", "strategy"), [("width", "uniform"), ("mass", "quantile")])
def test_a_curve_against_scikit_learn(said, binning, strategy):
    p, codes = said
    found = reliability(p[:, 1], codes == 1, bins=8, binning=binning)
    observed, mean = calibration.calibration_curve(codes == 1, p[:, 1], n_bins=8, strategy=strategy)
    full = found.count > 0
    # Quantiles of scikit-learn lie between objects, ours on them: a bin may differ by one object.
    off = 1e-12 if binning == "width" else 0.02
    np.testing.assert_allclose(found.said[full], mean, atol=off)
    np.testing.assert_allclose(found.observed[full], observed, atol=off)
    assert found.count.sum() == 800
    if binning == "mass":
        assert np.ptp(found.count) <= 1


def test_scores_against_scikit_learn(said):
    p, codes = said
    assert negative_log_likelihood(p, codes) == pytest.approx(metrics.log_loss(codes, p))
    two = np.column_stack([p[:, 0], 1 - p[:, 0]])
    one = metrics.brier_score_loss(codes == 0, p[:, 0])
    assert brier_score(two, (codes != 0).astype(int)) == pytest.approx(2 * one)
    slow = np.mean([sum((p[i, k] - (codes[i] == k)) ** 2 for k in range(3)) for i in range(800)])
    assert brier_score(p, codes) == pytest.approx(slow)


def test_true_probabilities_have_the_error_of_chance_and_false_ones_more(said):
    p, codes = said
    best = p.argmax(axis=1)
    sure = p.max(axis=1)
    found = reliability(sure, best == codes)
    mean, high = error_if_calibrated(sure)
    assert mean / 3 < found.ece < high
    assert reliability(np.sqrt(sure), best == codes).ece > error_if_calibrated(np.sqrt(sure))[1]
    assert error_if_calibrated(sure) == (mean, high)


def test_equal_probabilities_share_a_bin():
    found = reliability([0.5] * 10, [True] * 5 + [False] * 5, bins=4, binning="mass")
    assert found.count.tolist() == [10, 0]
    assert found.ece == 0


def test_no_objects():
    assert math.isnan(reliability([], []).ece)
    assert math.isnan(error_if_calibrated([])[0])
    assert math.isnan(brier_score(np.empty((0, 2)), []))


@pytest.mark.parametrize(
    ("p", "codes", "expected"),
    [
        ([[0.5, 0.4]], [0], r"a sum of 1, found 0.5, 0.4 in row 0 \(1 such\)"),
        ([[0.5, 0.5], [1.5, -0.5]], [0, 0], "values from 0 to 1, found 1.5, -0.5 in row 1"),
        ([[0.5, np.nan]], [0], "values from 0 to 1, found 0.5, nan"),
        ([[0.5, 0.5]], [2], "classes 0 to 1"),
        ([[0.5, 0.5]], [0, 1], "a row for every object"),
    ],
)
def test_probabilities_that_are_none(p, codes, expected):
    with pytest.raises(UsageError, match=expected):
        checked_probabilities(p, codes)


def test_values_that_cannot_be():
    for p, right in (([1.2], [True]), ([0.2], [True, False]), ([np.nan], [True])):
        with pytest.raises(UsageError, match="a probability from 0 to 1"):
            reliability(p, right)
    with pytest.raises(UsageError, match="one bin or more"):
        reliability([0.5], [True], bins=0)
