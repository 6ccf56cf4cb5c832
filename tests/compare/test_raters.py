"""Kappas against published tables, scikit-learn, slow twins and simulation; McNemar against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from ifcyto.compare.raters import cohen_kappa, fleiss_kappa, mcnemar_p, pair_agreement
from ifcyto.errors import UsageError

# Fleiss (1971): 30 patients, five diagnoses by six psychiatrists. R's irr (its data set
# diagnoses) prints 0.4302445.
DIAGNOSES = [
    "444444", "222555", "233335", "555555", "222444", "113333", "333355", "113334", "114444", "555555",
    "144444", "124444", "222333", "144444", "224445", "333335", "111455", "111112", "224444", "133555",
    "555555", "244444", "224555", "114444", "144445", "222224", "111155", "224444", "133333", "555555",
]  # fmt: skip

# The example of Wikipedia's page on Fleiss' kappa: ten objects, 14 raters, five classes; 0.210.
WIKIPEDIA = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def diagnoses():
    return [[row.count(c) for c in "12345"] for row in DIAGNOSES]


def test_published_cohen_kappa():
    """SAS FREQ documentation, as recorded in statsmodels' tests: 0.4842, 95 % from 0.2137 to 0.7547."""
    found = cohen_kappa([[0, 4, 1], [0, 8, 0], [0, 1, 5]])
    assert [round(v, 4) for v in (found.kappa, found.low, found.high)] == [0.4842, 0.2137, 0.7547]


def test_published_fleiss_kappas():
    assert fleiss_kappa(diagnoses()).kappa == pytest.approx(0.4302445, abs=5e-8)
    assert fleiss_kappa(WIKIPEDIA).kappa == pytest.approx(0.210, abs=5e-4)


def test_cohen_against_scikit_learn(rng):
    for k in (2, 3, 5):
        one, other = rng.integers(0, k, (2, 300))
        other[:150] = one[:150]
        matrix = metrics.confusion_matrix(one, other, labels=range(k))
        assert cohen_kappa(matrix).kappa == pytest.approx(metrics.cohen_kappa_score(one, other))


def test_interval_of_cohen_covers_as_it_says(rng):
    """Four cells of known probability: the interval holds the true kappa about 95 times in a hundred."""
    share = np.array([[0.2, 0.05], [0.1, 0.65]])
    chance = share.sum(1) @ share.sum(0)
    true = (np.trace(share) - chance) / (1 - chance)
    draws = rng.multinomial(250, share.ravel(), 1000).reshape(-1, 2, 2)
    found = [cohen_kappa(draw) for draw in draws]
    assert 0.93 <= np.mean([one.low <= true <= one.high for one in found]) <= 0.97


def test_jackknife_by_leaving_out_each_object():
    counts = np.array(diagnoses())
    kappas = [fleiss_kappa(np.delete(counts, i, 0)).kappa for i in range(30)]
    error = math.sqrt(29 / 30 * sum((k - np.mean(kappas)) ** 2 for k in kappas))
    found, z = fleiss_kappa(counts), stats.norm.ppf(0.975)
    assert (found.low, found.high) == pytest.approx((found.kappa - z * error, found.kappa + z * error))


def test_patterns_that_occur_often_are_the_same_as_written_out(rng):
    patterns = np.array([[3, 0], [2, 1], [1, 2], [0, 3]])
    times = np.array([40, 0, 7, 11])
    short, long = fleiss_kappa(patterns, times=times), fleiss_kappa(np.repeat(patterns, times, axis=0))
    assert (short.kappa, short.low, short.high) == pytest.approx((long.kappa, long.low, long.high))


def test_interval_of_fleiss_covers_as_it_says(rng):
    """Three raters who err independently: 3,000 draws of 200 objects."""
    error, rate = 0.1, 0.3
    shares = [
        rate * math.comb(3, k) * (1 - error) ** k * error ** (3 - k)
        + (1 - rate) * math.comb(3, k) * error**k * (1 - error) ** (3 - k)
        for k in range(4)
    ]
    patterns = np.array([[k, 3 - k] for k in range(4)])
    own = (patterns * (patterns - 1)).sum(1) / 6
    yes = np.dot(shares, patterns[:, 0]) / 3
    chance = yes**2 + (1 - yes) ** 2
    true = (np.dot(shares, own) - chance) / (1 - chance)
    found = [fleiss_kappa(patterns, times=draw) for draw in rng.multinomial(200, shares, 3000)]
    assert 0.93 <= np.mean([one.low <= true <= one.high for one in found]) <= 0.97


def test_mcnemar_against_scipy(rng):
    for one, other in [(0, 0), (0, 1), (5, 5), (1, 7), *rng.integers(0, 300, (20, 2)).tolist()]:
        expected = stats.binomtest(one, one + other).pvalue if one + other else 1.0
        assert mcnemar_p(one, other) == pytest.approx(expected, rel=1e-9)


def test_pairs_by_hand():
    first = np.array([1, 1, 1, 0, 0, 0, 0, 0], bool)
    second = np.array([1, 1, 0, 1, 1, 0, 0, 0], bool)
    found = pair_agreement(first, second)
    assert (found.objects, found.both, found.first_only, found.second_only, found.neither) == (8, 2, 1, 2, 3)
    assert found.jaccard == metrics.jaccard_score(first, second) == 2 / 5
    interval = stats.binomtest(2, 5).proportion_ci(method="wilson")
    assert (found.jaccard_low, found.jaccard_high) == pytest.approx((interval.low, interval.high))
    assert found.kappa.kappa == pytest.approx(metrics.cohen_kappa_score(first, second))
    assert found.mcnemar_p == 1.0


def test_full_agreement_and_none():
    yes = np.array([True, False, True, False])
    same = pair_agreement(yes, yes)
    assert (same.kappa.kappa, same.kappa.high, same.jaccard, same.mcnemar_p) == (1.0, 1.0, 1.0, 1.0)
    opposite = pair_agreement(yes, ~yes)
    assert opposite.kappa.kappa == -1.0
    assert opposite.jaccard == 0.0


def test_where_nobody_ever_says_yes_there_is_no_kappa():
    found = pair_agreement(np.zeros(60, bool), np.zeros(60, bool))
    assert (found.neither, found.mcnemar_p) == (60, 1.0)
    assert math.isnan(found.kappa.kappa)
    assert math.isnan(found.jaccard)
    assert math.isnan(fleiss_kappa([[3, 0]] * 5).kappa)
    one_sided = pair_agreement(np.array([True, False]), np.zeros(2, bool))
    assert (one_sided.kappa.kappa, one_sided.jaccard) == (0.0, 0.0)


def test_no_objects():
    found = pair_agreement([], [])
    assert (found.objects, found.mcnemar_p) == (0, 1.0)
    assert math.isnan(found.kappa.low)
    assert math.isnan(fleiss_kappa(np.zeros((0, 2), int)).kappa)
    assert math.isnan(cohen_kappa(np.zeros((2, 2), int)).kappa)


def test_one_object_has_no_interval():
    assert math.isnan(fleiss_kappa([[1, 1]]).low)
    assert math.isnan(cohen_kappa([[0, 1], [0, 0]]).low)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pair_agreement([True], []), r"same length, found shapes \(1,\), \(0,\)"),
        (lambda: pair_agreement([1, 0], [1, 1]), "expected True and False"),
        (lambda: mcnemar_p(-1, 2), "at least 0, found -1 and 2"),
        (lambda: cohen_kappa([[1, 2]]), r"as many rows as columns, found shape \(1, 2\)"),
        (lambda: cohen_kappa([[1.5, 2], [0, 1]]), "expected a table of whole counts"),
        (lambda: cohen_kappa([[1, 2], [0, 1]], level=2), "expected a level between 0 and 1"),
        (lambda: fleiss_kappa([[3, 0], [1, 1]]), r"same two or more raters for every object, found \[2, 3\]"),
        (lambda: fleiss_kappa([[1, 0]]), "two or more raters"),
        (lambda: fleiss_kappa([[2, 0]], times=[1, 2]), "how often each of the 1 rows occurs"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(UsageError, match=message):
        call()
