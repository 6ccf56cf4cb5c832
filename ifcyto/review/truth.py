"""Truth building by features: measure the objects, train on the tags, suggest, save the classifier."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import find_rows
from ifcyto.classify.scorer import UNKNOWN
from ifcyto.classify.tagging import tagging_round
from ifcyto.classify.training import TrainOptions
from ifcyto.errors import UsageError
from ifcyto.pipeline.measure import measure
from ifcyto.pipeline.measure_job import MeasureOptions
from ifcyto.pipeline.parallel import no_progress
from ifcyto.pipeline.train import train
from ifcyto.review.objects import by_sample
from ifcyto.review.rounds import Round, Turn
from ifcyto.review.truth_data import truth_data

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.classify.suggest import Order
    from ifcyto.pipeline.feature_choice import FeatureChoice
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.train import TrainResult
    from ifcyto.review.opening import Review
    from ifcyto.review.truth_data import TruthData

__all__ = ["PROBABILITY", "SUGGESTED", "learn", "measured", "save_model", "suggested"]

SUGGESTED, PROBABILITY = "suggested", "suggested probability"
"""Names of the columns that suggesting adds to the objects."""


def measured(
    review: Review, features: FeatureChoice = "fbml", *, progress: Progress | None = None
) -> dict[str, NDArray[np.float64]]:
    """Measure all objects of a review.

    Returns
    -------
    dict of str to ndarray (n,) of float64
        Columns that all samples have.

    Raises
    ------
    UsageError, StackError
        As :func:`ifcyto.pipeline.measure.measure`.
    """
    objects = review.session.objects
    found: dict[str, NDArray[np.float64]] = {}
    options = _measuring(review)
    for sample, mine in by_sample(objects.samples):
        numbers = objects.objects[mine]
        table = measure(
            review.pages.stacks[sample],
            features,
            options=options,
            objects=numbers.tolist(),
            progress=progress,
        )
        places = find_rows(table.obs["object"].to_numpy(), numbers, review.pages.stacks[sample], "stack")
        values = np.asarray(table.X, np.float64)[places]
        names = [str(name) for name in table.var_names]
        if not found:
            found = {name: np.full(len(objects), np.nan) for name in names}
        for place, name in enumerate(names):
            if name in found:
                found[name][mine] = values[:, place]
    return found


def learn(
    data: TruthData,
    names: Sequence[str],
    values: NDArray[np.float64],
    *,
    order: Order = "uncertain",
    n: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
) -> Round:
    """Train on the tags of a review, and suggest what to tag next. ``Unknown`` is a tag that teaches nothing.

    Parameters
    ----------
    data : TruthData
    names : sequence of str (F,)
    values : ndarray (n, F)
        Features of all objects.
    order, n
        As in :func:`ifcyto.classify.suggest.suggest`.
    seed : int
    progress : callable, optional

    Raises
    ------
    UsageError
        No columns, or too few tags; see :func:`ifcyto.classify.tagging.tagging_round`.
    """
    data.truth()
    if not len(names):
        msg = "training: expected columns of numbers, found none: measure the objects first"
        raise UsageError(msg)
    options = TrainOptions(learning_curve=False, seed=seed)
    unjudged = data.labels == UNKNOWN
    tags = np.where(unjudged, "", data.labels)
    taught = tagging_round(
        values, tags, names, order=order, n=n + int(unjudged.sum()), options=options,
        progress=partial(progress or no_progress, "train"),
    )  # fmt: skip
    cv = taught.training.cv
    predicted = np.full(len(tags), "", cv.predictions.dtype)
    predicted[np.flatnonzero(tags != "")] = cv.predictions
    chosen = taught.suggestions.take(np.flatnonzero(~unjudged[taught.suggestions.rows])[:n])
    classes = tuple(taught.training.scorer.classes)
    accuracy = float(np.mean(cv.balanced_accuracy))
    said = f"Cross-validated balanced accuracy {accuracy:.3f} on {int(cv.matrix.sum())} tags."
    return Round(Turn(chosen, taught.doubtful), classes, data.labels, predicted, said)


def suggested(found: Round) -> tuple[dict[str, NDArray[np.str_]], dict[str, NDArray[np.float64]]]:
    """Columns of words and of numbers that say what suggested objects probably are."""
    chosen, n = found.tagging.suggestions, len(found.labels)
    words, chance = np.full(n, "", f"<U{max(map(len, found.classes))}"), np.full(n, np.nan)
    words[chosen.rows], chance[chosen.rows] = chosen.labels, chosen.probability
    return {SUGGESTED: words}, {PROBABILITY: chance}


def save_model(
    review: Review,
    output: Path | str,
    features: FeatureChoice = "fbml",
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> TrainResult:
    """Train the feature-based classifier on the tags and write its folder, as ``ifcyto train`` does.

    Raises
    ------
    UsageError
        Too few tags.
    OutputError
        The folder exists and `overwrite` is False, or the disk refuses.
    """
    data = truth_data(review)
    truth = data.truth()
    named = {sample for sample, _ in truth}
    samples = {name: path for name, path in data.inputs().items() if name in named}
    return train(
        samples, truth, output,
        features=features, measuring=_measuring(review), overwrite=overwrite, progress=progress,
    )  # fmt: skip


def _measuring(review: Review) -> MeasureOptions:
    """Roles of the channels, where a study says them."""
    pages = review.pages
    roles = {} if pages.names is None else dict(zip(pages.names, pages.channels, strict=True))
    return MeasureOptions(roles=roles)
