from __future__ import annotations

import numpy as np
import pytest

from ifcyto.classify.threshold import apply_threshold
from ifcyto.compare.frequency import proportion_interval
from ifcyto.compare.thresholds import choose_threshold, threshold_table
from ifcyto.errors import UsageError


@pytest.fixture
def judged(rng):
    """Truth, class and probability of 400 objects, right as often as they say; a few Unknown."""
    names = np.array(["BNE", "Doublet", "Irregular"])
    p = np.round(rng.uniform(0.4, 1, 400), 2)
    labels = names[rng.integers(0, 3, 400)]
    truth = np.where(rng.random(400) < p, labels, names[rng.integers(0, 3, 400)])
    labels[:10], p[:10] = "Unknown", np.nan
    return truth, labels, p


@pytest.mark.parametrize("sure", [False, True])
@pytest.mark.parametrize("label", [None, "BNE"])
def test_the_lowest_of_all_thresholds_that_do(judged, label, sure):
    truth, labels, p = judged
    wanted = 0.78 if sure else 0.88
    found = choose_threshold(truth, labels, p, precision=wanted, label=label, sure=sure)
    inside = (labels != "Unknown") if label is None else labels == label
    good = []
    for limit in np.unique(p[inside]):
        kept = inside & (p >= limit)
        hits = int((truth[kept] == labels[kept]).sum())
        value = proportion_interval(hits, int(kept.sum()))[0] if sure else hits / kept.sum()
        if kept.sum() >= 10 and value >= wanted:
            good.append(limit)
    assert found.threshold == min(good)
    kept = inside & (p >= found.threshold)
    assert (found.kept, found.judged) == (kept.sum(), inside.sum())
    assert found.precision == (truth[kept] == labels[kept]).mean()
    assert (found.precision_low, found.precision_high) == proportion_interval(
        int((truth[kept] == labels[kept]).sum()), int(kept.sum())
    )
    assert found.coverage == kept.sum() / inside.sum()
    total = 400 if label is None else (truth == label).sum()
    assert found.recall == (truth[kept] == labels[kept]).sum() / total
    after = apply_threshold(labels, p, found.threshold if label is None else {label: found.threshold})
    given = after != "Unknown" if label is None else after == label
    assert (truth[given] == after[given]).mean() == found.precision


def test_all_is_kept_where_all_may_be(judged):
    found = choose_threshold(*judged, precision=0.5)
    assert (found.threshold, found.coverage) == (0.0, 1.0)


def test_the_table_falls(judged):
    rows = threshold_table(*judged)
    assert [row.threshold for row in rows] == sorted((row.threshold for row in rows), reverse=True)
    assert rows[-1].kept == 390
    assert threshold_table([], [], []) == []


def test_what_cannot_be_had_says_the_best():
    truth, labels = ["a"] * 15 + ["b"] * 15, ["a"] * 30
    p = np.linspace(1, 0.5, 30)
    with pytest.raises(UsageError, match=r"of 0.99 for sure with 10 objects or more: .* gives 1.000"):
        choose_threshold(truth, labels, p, precision=0.99, sure=True)
    with pytest.raises(UsageError, match=r"precision of a of 0.9 with 20 .* gives 0.750 .* of 20 objects"):
        choose_threshold(truth, labels, p, precision=0.9, label="a", minimum=20)
    with pytest.raises(UsageError, match="10 classified objects of b or more, found 0"):
        choose_threshold(truth, labels, p, precision=0.9, label="b")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"precision": 0.0}, "above 0, up to 1"),
        ({"probability": [0.5]}, "class and probability of every object"),
        ({"probability": [0.5, np.nan]}, "from 0 to 1 for b, found nan in row 1"),
    ],
)
def test_values_that_cannot_be(change, expected):
    given = {"truth": ["a", "b"], "labels": ["a", "b"], "probability": [0.5, 0.6], "precision": 0.9} | change
    with pytest.raises(UsageError, match=expected):
        choose_threshold(**given)


def test_applying():
    labels, p = ["a", "b", "a", "Unknown"], [0.8, 0.79, np.nan, np.nan]
    assert apply_threshold(labels, p, 0.8).tolist() == ["a", "Unknown", "Unknown", "Unknown"]
    assert apply_threshold(labels, p, {"b": 0.9}).tolist() == ["a", "Unknown", "Unknown", "Unknown"]
    assert apply_threshold([], [], 0.5).tolist() == []
    for wrong in (1.5, {"a": -0.1}, float("nan")):
        with pytest.raises(UsageError, match="from 0 to 1"):
            apply_threshold(labels, p, wrong)
    with pytest.raises(UsageError, match="a probability for every class"):
        apply_threshold(labels, p[:2], 0.5)
