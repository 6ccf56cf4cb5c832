"""Truth building: features of the objects, groups of alike ones, suggestions, the confusion of a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.groups import group_alike, segment
from ifcyto.classify.tagging import TaggingRound, tagging_round
from ifcyto.classify.training import TrainOptions
from ifcyto.errors import UsageError
from ifcyto.pipeline.measure import measure
from ifcyto.pipeline.measure_job import MeasureOptions
from ifcyto.pipeline.train import train

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.classify.suggest import Order
    from ifcyto.pipeline.feature_choice import FeatureChoice
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.train import TrainResult
    from ifcyto.review.opening import Review

__all__ = ["GROUP", "PROBABILITY", "SUGGESTED", "Round", "clusters", "learn", "measured", "save_model"]

GROUP, SUGGESTED, PROBABILITY = "cluster", "suggested", "suggested probability"
"""Names of the columns that truth building adds to the objects."""


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """What the tags so far teach.

    Parameters
    ----------
    tagging : TaggingRound
    labels : ndarray (n,) of str
        Tags of all objects of the review; empty without one.
    predicted : ndarray (n,) of str
        Class by cross-validation of tagged objects; empty for others.
    """

    tagging: TaggingRound
    labels: NDArray[np.str_]
    predicted: NDArray[np.str_]

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the classifier."""
        return tuple(self.tagging.training.scorer.classes)

    def rows_of(self, true: str, predicted: str) -> NDArray[np.int64]:
        """Rows of a cell of the confusion matrix."""
        return np.flatnonzero((self.labels == true) & (self.predicted == predicted))


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
    for sample in dict.fromkeys(objects.samples.tolist()):
        mine = np.flatnonzero(objects.samples == sample)
        numbers = objects.objects[mine]
        table = measure(
            review.pages.stacks[sample],
            features,
            options=options,
            objects=numbers.tolist(),
            progress=progress,
        )
        theirs = table.obs["object"].to_numpy()
        order = np.argsort(theirs)
        values = np.asarray(table.X, np.float64)[order[np.searchsorted(theirs[order], numbers)]]
        names = [str(name) for name in table.var_names]
        if not found:
            found = {name: np.full(len(objects), np.nan) for name in names}
        for place, name in enumerate(names):
            if name in found:
                found[name][mine] = values[:, place]
    return found


def clusters(
    names: Sequence[str], values: NDArray[np.float64], *, groups: int | None = None, seed: int = 0
) -> NDArray[np.str_]:
    """Name of the group of alike objects that each object is in.

    Parameters
    ----------
    names : sequence of str (F,)
    values : ndarray (n, F)
    groups : int, optional
        As in :func:`ifcyto.classify.groups.group_alike`.
    seed : int
        Of the part that is grouped, where there are more objects than can be looked at.

    Returns
    -------
    ndarray (n,) of str
        ``01``, the largest group, and so on; empty for objects that were not grouped.
    """
    rows = segment(len(values), seed=seed)
    found = group_alike(values[rows], names, groups=groups)
    words = np.full(len(values), "", "<U4")
    words[rows[found.rows]] = [f"{number:02d}" for number in found.group.tolist()]
    return words


def learn(
    review: Review,
    names: Sequence[str],
    values: NDArray[np.float64],
    *,
    order: Order = "uncertain",
    n: int = 100,
    seed: int = 0,
) -> Round:
    """Train on the tags of a review, and suggest what to tag next.

    Raises
    ------
    UsageError
        No columns, or too few tags; see :func:`ifcyto.classify.tagging.tagging_round`.
    """
    session = review.session
    labels = np.array([session.label(row) or "" for row in range(len(session.objects))], np.str_)
    if not len(names):
        msg = "training: expected columns of numbers, found none: measure the objects first"
        raise UsageError(msg)
    given = sorted(set(labels.tolist()) - {""})
    if len(given) < 2:
        found = ", ".join(given) or "none"
        msg = f"training: expected tags of two classes or more, found {found}: tag some cells"
        raise UsageError(msg)
    options = TrainOptions(learning_curve=False, seed=seed)
    taught = tagging_round(values, labels, names, order=order, n=n, options=options)
    predicted = np.full(len(labels), "", taught.training.cv.predictions.dtype)
    predicted[np.flatnonzero(labels != "")] = taught.training.cv.predictions
    return Round(taught, labels, predicted)


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
    keys = {review.session.objects.key(row) for row in range(len(review.session.objects))}
    tags = {key: tag.label for key, tag in review.session.tags.tags.items() if key in keys}
    used = {sample: review.pages.stacks[sample] for sample, _ in tags}
    samples = {sample or "sample": path for sample, path in used.items()}
    truth = {(sample or "sample", number): label for (sample, number), label in tags.items()}
    return train(
        samples, truth, output,
        features=features, measuring=_measuring(review), overwrite=overwrite, progress=progress,
    )  # fmt: skip


def _measuring(review: Review) -> MeasureOptions:
    """Roles of the channels, where a study says them."""
    pages = review.pages
    roles = {} if pages.names is None else dict(zip(pages.names, pages.channels, strict=True))
    return MeasureOptions(roles=roles)
