"""Which objects of a sample to tag next, by a model of either kind or by what the tags teach."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.suggest import suggest
from ifcyto.classify.tagging import tagging_round
from ifcyto.pipeline.classify import classify_any
from ifcyto.pipeline.to_tag import ToTag, Wanted, listed, tags_of
from ifcyto.pipeline.values import measured_or_read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.classify.cnn.folder import CnnModel
    from ifcyto.classify.model_folder import Model
    from ifcyto.classify.training import TrainOptions
    from ifcyto.pipeline.feature_choice import FeatureChoice
    from ifcyto.pipeline.measure import MeasureOptions
    from ifcyto.pipeline.parallel import Progress

__all__ = ["from_judged", "from_model", "from_tags"]

DOUBTFUL = "doubtful tag"
"""Reason of a tagged object that classifiers trained without it take for another class."""


def from_model(
    source: Path | str,
    model: Model | CnnModel | Path | str,
    tags: Mapping[int, str] | None = None,
    wanted: Wanted | None = None,
    *,
    images: Mapping[str, str | int] | None = None,
    pixel_size_um: float | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ToTag:
    """Suggest untagged objects by a trained model; for diverse ones of a network its embedding counts.

    Parameters
    ----------
    source : path-like
        A stack or any readable input; for a classifier on features a feature table too.
    model : Model, CnnModel or path-like
        A model, or the folder of one.
    tags : mapping of int to str, optional
        Class of the objects that are tagged already; they are not suggested.
    wanted : Wanted, optional
    images, pixel_size_um, workers, progress
        As in :func:`ifcyto.pipeline.classify.classify_any`.
    seed : int
        Of the choice of diverse ones.

    Returns
    -------
    ToTag

    Raises
    ------
    UsageError
        The model does not fit the input, the tags are of other objects, or an option cannot be.
    FormatError, StackError
        The input or the model cannot be read.
    MissingExtraError
        The model is a network and TensorFlow is not installed.
    """
    wanted = wanted or Wanted()
    found = classify_any(
        source, model, images=images, pixel_size_um=pixel_size_um, embedding=wanted.order == "diverse",
        workers=workers, progress=progress,
    )  # fmt: skip
    return from_judged(
        found.objects, found.probabilities, found.classes, tags, wanted,
        values=found.values, seed=seed, place=str(source),
    )  # fmt: skip


def from_judged(
    objects: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    classes: Sequence[str],
    tags: Mapping[int, str] | None = None,
    wanted: Wanted | None = None,
    *,
    values: NDArray[np.floating] | None = None,
    seed: int = 0,
    place: str = "suggestions",
) -> ToTag:
    """Suggest untagged objects by probabilities of any kind of classifier.

    Parameters
    ----------
    objects : ndarray (N,) of int64
    probabilities : ndarray (N, C)
    classes : sequence of str (C,)
    tags, wanted, seed
        As in :func:`from_model`.
    values : ndarray (N, F), optional
        Features, or the embedding of a network; for diverse ones.
    place : str
        Where the objects are, for messages.

    Returns
    -------
    ToTag

    Raises
    ------
    UsageError
        The tags are of other objects, or an option cannot be.
    """
    wanted = wanted or Wanted()
    tagged, notes = tags_of(objects, tags, place)
    given = None if values is None else values.astype(np.float64)
    chosen = suggest(
        probabilities, classes,
        order=wanted.order, n=wanted.n, of=wanted.of, tagged=tagged != "", values=given, seed=seed,
    )  # fmt: skip
    return listed(objects, chosen, probabilities, classes, wanted.order, notes)


def from_tags(
    source: Path | str,
    tags: Mapping[int, str],
    wanted: Wanted | None = None,
    *,
    features: FeatureChoice = "fbml",
    measuring: MeasureOptions | None = None,
    options: TrainOptions | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ToTag:
    """Train on the tags that there are, and suggest what to tag and which tags to look at again.

    Parameters
    ----------
    source : path-like
        A stack, any readable input, or a feature table.
    tags : mapping of int to str
    wanted : Wanted, optional
    features, measuring, workers, progress
        As in :func:`ifcyto.pipeline.values.measured_or_read`.
    options : TrainOptions, optional

    Returns
    -------
    ToTag
        Untagged objects, and after them all doubtful tags.

    Raises
    ------
    UsageError
        Too few tags, tags of other objects, or an option that cannot be.
    FormatError, StackError
        The input cannot be read.
    """
    wanted = wanted or Wanted()
    columns = measured_or_read(Path(source), None, features, measuring, workers=workers, progress=progress)
    tagged, notes = tags_of(columns.objects, tags, source)
    turn = tagging_round(
        columns.values, tagged, columns.names, order=wanted.order, n=wanted.n, of=wanted.of, options=options
    )
    accuracy = turn.training.cv.balanced_accuracy
    notes = [
        *notes,
        *turn.training.notes,
        f"{(tagged != '').sum()} tags so far: balanced accuracy {accuracy.mean():.3f} "
        f"(s.d. {accuracy.std(ddof=1):.3f}, {len(accuracy)} folds)",
    ]
    classes = turn.training.scorer.classes
    first = listed(columns.objects, turn.suggestions, turn.probabilities, classes, wanted.order, notes)
    second = listed(columns.objects, turn.doubtful, turn.training_probabilities, classes, DOUBTFUL)
    labels = (*first.labels, *tagged[turn.doubtful.rows].tolist())
    joined = {name: [*first.columns[name], *second.columns[name]] for name in first.columns}
    return ToTag(np.concatenate([first.objects, second.objects]), labels, joined, tuple(notes))
