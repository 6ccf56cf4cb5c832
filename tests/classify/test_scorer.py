"""The contract of classifiers, on linear ones that fit on a page."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ifcyto.classify.scorer import UNKNOWN, LinearScorer, softmax
from ifcyto.errors import UsageError

SCORER = LinearScorer(
    ("a", "b"), ("X", "Y", "Z"), np.array([[1.0, 0], [0, 1], [-1, -1]]), np.array([0, 0.5, 0])
)
VALUES = np.array([[3.0, 1.0], [0.0, 0.0], [-2.0, -9.0], [np.nan, 1.0]])


def test_the_highest_score_wins_and_what_is_missing_is_unknown():
    assert SCORER.scores(VALUES)[:3].tolist() == [[3, 1.5, -4], [0, 0.5, 0], [-2, -8.5, 11]]
    assert SCORER.predict(VALUES).tolist() == ["X", "Y", "Z", UNKNOWN]
    assert SCORER.predict(np.zeros((0, 2))).tolist() == []


def test_probabilities_are_those_of_the_odds():
    shares = SCORER.probabilities(VALUES)
    assert shares[:3].sum(axis=1) == pytest.approx(1)
    assert np.isnan(shares[3]).all()
    odds = np.log(shares[0, 0] / shares[0, 1])
    assert odds == pytest.approx(SCORER.pair(VALUES, "X", "Y")[0]) == pytest.approx(1.5)


def test_large_scores_do_not_overflow():
    assert softmax(np.array([[1e308, -1e308, 0.0]])).tolist() == [[1, 0, 0]]


def test_it_comes_back_from_json():
    data = json.loads(json.dumps(SCORER.to_dict()))
    again = LinearScorer.from_dict(SCORER.features, SCORER.classes, data)
    assert np.array_equal(again.scores(VALUES), SCORER.scores(VALUES), equal_nan=True)
    with pytest.raises(ValueError, match="reshape"):
        LinearScorer.from_dict(("a",), SCORER.classes, data)


def test_unknown_classes_are_refused():
    with pytest.raises(UsageError, match="among X, Y, Z, found 'W'"):
        SCORER.pair(VALUES, "X", "W")
    with pytest.raises(ValueError, match="expected weights"):
        LinearScorer(("a",), ("X", "Y"), np.zeros((2, 2)), np.zeros(2))
