from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from ifcyto.classify.scorer import softmax
from ifcyto.classify.temperature import TEMPERATURES, apply_temperature, cross_fitted, fit_temperature
from ifcyto.errors import UsageError


@pytest.fixture
def logits(rng):
    """Logits of 4,000 objects of three classes, and classes that were drawn with them."""
    found = rng.normal(size=(4000, 3)) * 1.5
    codes = (rng.random((4000, 1)) > softmax(found).cumsum(axis=1)).sum(axis=1)
    return found, np.minimum(codes, 2)


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_the_temperature_that_was_put_in_comes_out(logits, factor):
    z, codes = logits
    found = fit_temperature(softmax(factor * z), codes)
    assert found.temperature == pytest.approx(factor, rel=0.06)
    assert found.nll_after <= found.nll_before
    assert not found.at_bound


def test_against_a_search_over_temperatures(logits):
    z, codes = logits
    p = softmax(2 * z)

    def nll(log_t):
        return -np.log(softmax(2 * z / np.exp(log_t))[np.arange(len(codes)), codes]).mean()

    best = minimize_scalar(nll, bounds=(-2, 3), method="bounded", options={"xatol": 1e-9})
    found = fit_temperature(p, codes)
    assert np.log(found.temperature) == pytest.approx(best.x, abs=1e-5)
    assert found.nll_after == pytest.approx(best.fun)
    assert found.nll_before == pytest.approx(nll(0.0))


def test_scaling_keeps_the_class_and_the_sum(logits):
    p = softmax(logits[0])
    for temperature in (0.3, 7.0):
        scaled = apply_temperature(p, temperature)
        np.testing.assert_allclose(scaled.sum(axis=1), 1)
        np.testing.assert_array_equal(scaled.argmax(axis=1), p.argmax(axis=1))
    np.testing.assert_allclose(apply_temperature(p, 1.0), p, atol=1e-12)
    np.testing.assert_allclose(apply_temperature(apply_temperature(p, 3.0), 1 / 3.0), p, atol=1e-10)


def test_certainty_and_what_is_unknown():
    p = np.array([[1.0, 0.0], [np.nan, np.nan], [0.0, 1.0]])
    scaled = apply_temperature(p, 2.0)
    assert np.isnan(scaled[1]).all()
    assert scaled[0, 0] == pytest.approx(1, abs=1e-5)
    right = fit_temperature(p, [0, 1, 1])
    assert right.at_bound
    assert right.temperature == TEMPERATURES[0]
    wrong = fit_temperature(p, [1, 1, 0])
    assert (wrong.at_bound, wrong.temperature) == (True, TEMPERATURES[1])


def test_every_part_is_scaled_by_the_others(logits):
    z, codes = logits
    p = softmax(3 * z[:200])
    found = cross_fitted(p, codes[:200], folds=4, seed=3)
    part = np.random.default_rng(3).permutation(200) % 4
    others = fit_temperature(p[part != 2], codes[:200][part != 2]).temperature
    np.testing.assert_allclose(found[part == 2], apply_temperature(p[part == 2], others))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: fit_temperature([[0.5, 0.5]], [0, 1]), "a row of probabilities"),
        (lambda: fit_temperature([[0.5, 0.5]], [2]), "classes 0 to 1"),
        (lambda: fit_temperature([[np.nan, 0.5]], [0]), "found 0 objects"),
        (lambda: apply_temperature([[0.5, 0.5]], 0.0), "above 0, found 0"),
        (lambda: cross_fitted([[0.5, 0.5]], [0]), "found 5 of 1"),
    ],
)
def test_what_cannot_be(call, expected):
    with pytest.raises(UsageError, match=expected):
        call()
