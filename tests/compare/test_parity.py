"""Parity of two computations against hand-made cases and numpy's correlation."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.compare.parity import parity


def test_the_same_numbers_agree_in_every_way(rng):
    values = rng.normal(size=50)
    result = parity(values, values.copy())
    assert (result.n, result.equal, result.max_error, result.offset, result.slope) == (50, 50, 0, 0, 1)
    assert result.correlation == pytest.approx(1)


def test_a_factor_and_an_offset_show():
    theirs = np.array([1.0, 2.0, 4.0, 8.0])
    assert parity(3 * theirs, theirs).slope == 3
    assert parity(theirs + 0.5, theirs).offset == 0.5
    assert parity(theirs * 1.25, theirs).median_error == 0.25


def test_errors_at_zero_are_measured_by_the_usual_size():
    result = parity(np.array([1.0, 4.0, 4.0]), np.array([0.0, 4.0, 4.0]))
    assert (result.max_error, result.median_error, result.equal) == (0.25, 0, 2)


def test_missing_values_are_counted_by_side():
    nan = np.nan
    result = parity(np.array([nan, 1, 2, nan]), np.array([1, nan, 2, nan]))
    assert (result.n, result.ours_missing, result.theirs_missing) == (1, 1, 1)


def test_nothing_to_compare_is_nan():
    result = parity(np.array([np.nan]), np.array([1.0]))
    assert result.n == 0
    assert np.isnan([result.median_error, result.max_error, result.correlation, result.offset]).all()
    assert np.isnan(parity(np.ones(3), np.arange(3.0)).correlation)


def test_correlation_is_numpys(rng):
    a, b = rng.normal(size=(2, 30))
    assert parity(a, b).correlation == pytest.approx(np.corrcoef(a, b)[0, 1])


def test_other_lengths_are_refused():
    with pytest.raises(ValueError, match="same objects"):
        parity(np.ones(2), np.ones(3))
