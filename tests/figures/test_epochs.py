"""Curves of a training: every value at its place, the best epoch marked."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.figures.epochs import epoch_curves

HISTORY = {
    "loss": [1.0, 0.8, 0.6],
    "val_loss": [1.1, None, 0.9],
    "accuracy": [0.4, 0.6, 0.8],
    "val_accuracy": [0.3, 0.5, 0.7],
}


def test_curves_hold_the_values_and_mark_the_best_epoch():
    upper, lower = epoch_curves(HISTORY, 3, classes=4).axes
    curves = {line.get_label(): line for line in upper.lines}
    assert list(curves) == ["training", "validation", "epoch 3, in use"]
    np.testing.assert_array_equal(curves["training"].get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(curves["validation"].get_ydata(), [1.1, np.nan, 0.9])
    assert set(curves["epoch 3, in use"].get_xdata()) == {3}
    lines = {line.get_label(): line for line in lower.lines}
    np.testing.assert_array_equal(lines["validation"].get_ydata(), HISTORY["val_accuracy"])
    assert set(lines["guessing"].get_ydata()) == {0.25}
    balanced = epoch_curves({**HISTORY, "val_balanced_accuracy": [0.2, 0.3, 0.4]}, 0).axes[1]
    assert [line.get_label() for line in balanced.lines] == ["training", "validation", "validation, balanced"]


@pytest.mark.parametrize(
    ("change", "best"), [({"loss": [1.0]}, 1), ({}, 4), ({name: [] for name in HISTORY}, 0)]
)
def test_curves_that_do_not_fit_are_refused(change, best):
    with pytest.raises(ValueError, match="expected as many epochs in each curve and the best of them"):
        epoch_curves({**HISTORY, **change}, best)
