"""Classifiers on the first k columns, all at once, against one training for each k."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.classify.fit import fit
from ifcyto.classify.lda_path import lda_path

CLASSES = ["a", "b", "c"]


def data(rng, counts=(9, 30, 14), width=25):
    """Correlated columns of unequal units; more columns than a class has objects."""
    codes = np.repeat(np.arange(len(counts)), counts)
    mixing = rng.normal(size=(width, width)) * np.logspace(-3, 6, width)
    return (rng.normal(size=(len(codes), width)) + 0.5 * codes[:, None]) @ mixing + 1e3, codes


def check(values, codes, others, numbers, **options):
    """Compare the scores for each k with those of a classifier trained by scikit-learn."""
    for k, scores in zip(numbers, lda_path(values, codes, others, numbers, **options), strict=True):
        names = [str(place) for place in range(k)]
        scorer = fit(values[:, :k], np.array(CLASSES)[codes], names, CLASSES, **options)
        assert scores == pytest.approx(scorer.scores(others[:, :k]), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("equal_priors", [True, False])
def test_scores_are_those_of_scikit_learn(rng, equal_priors):
    values, codes = data(rng)
    check(values, codes, values[::3] + rng.normal(size=25), (2, 5, 13, 25), equal_priors=equal_priors)


def test_columns_that_are_constant_or_alike_do_no_harm(rng):
    values, codes = data(rng)
    values[:, 1] = 5.0
    values[:, 3] = values[:, 2]
    values[codes == 1, 4] = 0.0
    values[:, 6] = codes  # separates without any spread
    check(values, codes, values, (2, 4, 7, 25))


def test_a_class_of_two_objects_is_enough(rng):
    values, codes = data(rng, counts=(2, 30, 14))
    values[1] = values[0]
    check(values, codes, values[5:], (5, 25))


def test_without_any_spread_there_is_no_decision():
    """Nothing to weigh the distance of the classes against: as by scikit-learn, all scores are equal."""
    codes = np.repeat([0, 1, 2], 4)
    values = np.column_stack([codes, 2 * (codes == 1)]).astype(float)
    check(values, codes, values, (2,))
    assert np.ptp(lda_path(values, codes, values, [2])[0], axis=1) == pytest.approx(0)
