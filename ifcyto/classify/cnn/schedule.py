"""Learning rate and end of a training, as functions of what has happened so far. Needs no keras."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.classify.cnn.options import CnnOptions

__all__ = ["COLUMNS", "best_epoch", "learning_rate", "stop_reason"]

COLUMNS = ("rate", "loss", "accuracy", "val_loss", "val_accuracy", "val_balanced_accuracy", "seconds")
"""What is kept of each epoch."""

WARM_UP = 3
"""Epochs in which the rate of ``cosine`` rises."""

LOWEST = 0.01
"""The rate never falls below this part of its highest value."""

MET = 3
"""Accuracies have met when training is not below validation in so many epochs running."""


def best_epoch(losses: Sequence[float]) -> int:
    """Epoch (from 0) of the lowest validation loss, the first of equals; -1 before there is one.

    Examples
    --------
    >>> best_epoch([0.5, 0.25, float("nan"), 0.25])
    1
    """
    finite = [loss if math.isfinite(loss) else math.inf for loss in losses]
    return finite.index(min(finite)) if finite and min(finite) < math.inf else -1


def learning_rate(epoch: int, losses: Sequence[float], options: CnnOptions, highest: float) -> float:
    """Learning rate of an epoch.

    Parameters
    ----------
    epoch : int
        From 0.
    losses : sequence of float
        Validation loss of the epochs before it.
    options : CnnOptions
    highest : float

    Examples
    --------
    >>> from ifcyto.classify.cnn.options import CnnOptions
    >>> [round(learning_rate(e, [], CnnOptions(epochs=13), 0.9), 4) for e in (0, 2, 3, 8, 13)]
    [0.3, 0.9, 0.9, 0.4545, 0.009]
    """
    if options.schedule == "cosine":
        warm = min(WARM_UP, options.epochs // 4)
        if epoch < warm:
            return highest * (epoch + 1) / warm
        done = (epoch - warm) / max(1, options.epochs - warm)
        return highest * (LOWEST + (1 - LOWEST) * (1 + math.cos(math.pi * done)) / 2)
    if options.schedule == "plateau":
        wait, best, since, factor = max(1, options.patience // 3), math.inf, 0, 1.0
        for loss in losses:
            since = 0 if loss < best else since + 1
            best = min(best, loss) if math.isfinite(loss) else best
            if since == wait:
                since, factor = 0, factor / 2
        return highest * max(factor, LOWEST)
    return highest


def stop_reason(history: Mapping[str, Sequence[float]], options: CnnOptions) -> str:
    """Why training ends after the epochs of `history`; empty when it goes on.

    Parameters
    ----------
    history : mapping of str to sequence of float
        ``val_loss``, ``accuracy`` and ``val_accuracy``, one value an epoch.
    options : CnnOptions
    """
    losses = history["val_loss"]
    done = len(losses)
    if done >= options.epochs:
        return f"all {options.epochs} epochs are done"
    if options.stop == "never" or not done:
        return ""
    if not math.isfinite(history["loss"][-1]):
        return f"the loss of epoch {done} is no number: try a lower rate"
    if done - 1 - best_epoch(losses) >= options.patience:
        return f"validation has not improved for {options.patience} epochs"
    if options.stop == "meet" and done >= MET:
        pairs = zip(history["accuracy"][-MET:], history["val_accuracy"][-MET:], strict=True)
        if all(trained >= judged for trained, judged in pairs):
            return f"training and validation accuracy have met for {MET} epochs"
    return ""
