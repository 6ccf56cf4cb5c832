from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from ifcyto.compare.bootstrap import bootstrap_intervals, draws
from ifcyto.compare.discrimination import (
    RankedScores,
    average_precision,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)
from ifcyto.errors import UsageError


@pytest.fixture
def tied(rng):
    """Scores of 300 objects with many ties, and which are of the class."""
    positive = rng.random(300) < 0.2
    return np.round(rng.normal(size=300) + positive, 1), positive


def test_areas_against_scikit_learn_and_all_pairs(tied):
    scores, positive = tied
    assert roc_auc(scores, positive) == pytest.approx(metrics.roc_auc_score(positive, scores))
    assert average_precision(scores, positive) == pytest.approx(
        metrics.average_precision_score(positive, scores)
    )
    pairs = [(a > b) + (a == b) / 2 for a, b in product(scores[positive], scores[~positive])]
    assert roc_auc(scores, positive) == pytest.approx(np.mean(pairs))


def test_curves_against_scikit_learn(tied):
    scores, positive = tied
    fpr, tpr, thresholds = roc_curve(scores, positive)
    for ours, theirs in zip(
        (fpr, tpr, thresholds), metrics.roc_curve(positive, scores, drop_intermediate=False), strict=True
    ):
        np.testing.assert_allclose(ours, theirs)
    recall, precision, limits = precision_recall_curve(scores, positive)
    theirs = metrics.precision_recall_curve(positive, scores)
    np.testing.assert_allclose(precision, theirs[0][-2::-1])
    np.testing.assert_allclose(recall, theirs[1][-2::-1])
    np.testing.assert_allclose(limits, theirs[2][::-1])


def test_weights_are_repeats(tied, rng):
    scores, positive = tied
    weights = rng.integers(0, 4, 300)
    ranked = RankedScores(scores, positive)
    again = np.repeat(positive, weights), np.repeat(scores, weights)
    assert ranked.auc(weights) == pytest.approx(metrics.roc_auc_score(*again))
    assert ranked.average_precision(weights) == pytest.approx(metrics.average_precision_score(*again))


def test_where_nothing_can_be_told():
    for positive in ([True, True], [False, False]):
        assert math.isnan(roc_auc([0.1, 0.2], positive))
    assert average_precision([0.1, 0.2], [True, True]) == 1.0
    assert math.isnan(average_precision([0.1, 0.2], [False, False]))
    assert math.isnan(roc_auc([], []))
    assert np.isnan(roc_curve([0.1, 0.2], [True, True])[0]).all()
    for scores in ([0.1, np.nan], [0.1]):
        with pytest.raises(UsageError, match="one score and one class for every object"):
            roc_auc(scores, [True, False])


def test_each_class_keeps_its_number():
    strata = np.array(["a"] * 7 + ["b"] * 30 + ["c"])
    found = np.array(list(draws(strata, None, 400, seed=1)))
    for name, count in (("a", 7), ("b", 30), ("c", 1)):
        assert (found[:, strata == name].sum(axis=1) == count).all()
    np.testing.assert_allclose(found.mean(axis=0), 1, atol=0.25)
    assert found[:, :37].std() == pytest.approx(1, abs=0.06)  # multinomial: variance 1 - 1 / n


def test_groups_are_drawn_whole():
    groups = np.array(["A"] * 3 + ["B"] * 5 + ["C"])
    for weights in draws(np.zeros(9), groups, 50, seed=0):
        assert len({*weights[:3]}) == len({*weights[3:8]}) == 1
        assert weights[0] + weights[3] + weights[8] == 3
    with pytest.raises(UsageError, match="found 9 of 1"):
        list(draws(np.zeros(9), np.zeros(9), 50, seed=0))
    with pytest.raises(UsageError, match="found 2 of 2"):
        list(draws(np.zeros(9), ["A", "B"], 50, seed=0))


def test_an_interval_against_scipy(rng):
    values = rng.exponential(size=80)
    ours = bootstrap_intervals(lambda w: [w @ values / 80], np.zeros(80), resamples=4000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert ours.low[0] == pytest.approx(theirs.low, abs=0.02)
    assert ours.high[0] == pytest.approx(theirs.high, abs=0.02)


def test_an_area_against_its_known_error(rng):
    """Hanley and McNeil's standard error of an area, by the variance of placements (DeLong)."""
    positive = np.repeat([True, False], [60, 140])
    scores = rng.normal(size=200) + 1.2 * positive
    ranked = RankedScores(scores, positive)
    found = bootstrap_intervals(lambda w: [ranked.auc(w)], positive, resamples=1000)
    above = (scores[positive][:, None] > scores[~positive]).astype(float)
    error = math.sqrt(above.mean(1).var(ddof=1) / 60 + above.mean(0).var(ddof=1) / 140)
    assert (found.high[0] - found.low[0]) / (2 * 1.96 * error) == pytest.approx(1, abs=0.12)
    assert found.low[0] < ranked.auc() < found.high[0]
    again = bootstrap_intervals(lambda w: [ranked.auc(w)], positive, resamples=1000)
    assert (again.low, again.high) == (found.low, found.high)


def test_objects_that_are_alike_give_wider_intervals_by_group(rng):
    groups = np.repeat(np.arange(12), 50)
    values = rng.normal(size=12)[groups] + 0.1 * rng.normal(size=600)
    single, whole = (
        bootstrap_intervals(lambda w: [np.average(values, weights=w)], np.zeros(600), groups=given)
        for given in (None, groups)
    )
    assert (whole.high - whole.low)[0] > 4 * (single.high - single.low)[0]


def test_resamples_without_a_class_are_left_out():
    found = bootstrap_intervals(
        lambda w: [np.nan if w[0] else 1.0, 2.0], np.zeros(2), groups=[0, 1], resamples=200
    )
    assert found.used[1] == 200
    assert found.used[0] < 100
    assert math.isnan(found.low[0])
    assert (found.low[1], found.high[1]) == (2.0, 2.0)


@pytest.mark.parametrize("option", [{"resamples": 3}, {"level": 1.0}])
def test_options_that_cannot_be(option):
    with pytest.raises(UsageError, match="20 resamples or more"):
        bootstrap_intervals(lambda w: [1.0], np.zeros(3), **option)
