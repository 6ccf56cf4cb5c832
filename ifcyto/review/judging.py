"""Truth building by a model: a network that is trained on the tags, or a folder that there is already."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import find_rows
from ifcyto.classify.crossval import balanced_accuracy
from ifcyto.classify.suggest import doubtful, suggest
from ifcyto.pipeline.classify import classify_any, read_any_model
from ifcyto.pipeline.parallel import no_progress
from ifcyto.pipeline.train_cnn import train_cnn
from ifcyto.review.objects import by_sample
from ifcyto.review.rounds import Round, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.classify.cnn.folder import CnnModel
    from ifcyto.classify.cnn.options import CnnOptions
    from ifcyto.classify.model_folder import Model
    from ifcyto.classify.suggest import Order
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.review.truth_data import TruthData

__all__ = ["judge_by", "learn_network", "looked_at"]

NOT_HELD_OUT = "the model may have learned from them"


def learn_network(
    data: TruthData,
    output: Path,
    *,
    options: CnnOptions,
    channels: Sequence[str] | None = None,
    order: Order = "uncertain",
    n: int = 100,
    progress: Progress | None = None,
) -> Round:
    """Train a network on the tags as ``ifcyto train --method cnn`` does, and suggest by it.

    Parameters
    ----------
    data : TruthData
    output : pathlib.Path
        Folder of the model.
    options : CnnOptions
        With folds every tagged object is judged by a network that had not learned from it;
        without, those of the test part.
    channels : sequence of str, optional
        Names of channels to look at; all by default.
    order, n
        As in :func:`ifcyto.classify.suggest.suggest`.
    progress : callable, optional

    Raises
    ------
    UsageError
        Too few tags, or a channel that is not there.
    MissingExtraError
        TensorFlow is not installed; the message gives the install line.
    """
    truth, chosen = data.truth(), data.chosen(channels)
    done = train_cnn(data.inputs(), truth, output, channels=chosen, options=options, progress=progress)
    classes = done.model.classes
    held = np.full((len(data.objects), len(classes)), np.nan)
    places = data.places()
    for item in done.record["objects"]:
        if item["judged"]:
            held[places[item["sample"], item["object"]]] = item["probabilities"]
    probabilities, values = _judged(data, done.model, embedding=order == "diverse", progress=progress)
    of = {"folds": "held out in turn", "test": "held out", "validation": "that chose the epoch"}
    what = of[done.record["judged"]]
    return _round(data, classes, probabilities, held, values, order, n, options.seed, what)


def judge_by(
    data: TruthData,
    model: Path | str,
    *,
    order: Order = "uncertain",
    n: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
) -> Round:
    """Suggest by a model folder of either kind; tags are held against it too.

    Raises
    ------
    UsageError
        The model does not fit the images.
    FormatError
        The model cannot be read.
    MissingExtraError
        It is a network and TensorFlow is not installed.
    """
    given = read_any_model(model)
    probabilities, values = _judged(data, given, embedding=order == "diverse", progress=progress)
    classes = given.classes
    tagged = np.where((data.labels != "")[:, np.newaxis], probabilities, np.nan)
    return _round(data, classes, probabilities, tagged, values, order, n, seed, f"({NOT_HELD_OUT})")


def looked_at(
    data: TruthData, rows: NDArray[np.int64], model: Path | str, *, progress: Progress | None = None
) -> tuple[tuple[str, ...] | None, NDArray[np.float64]]:
    """What a model tells its classes from, of some rows: names of features (a network has none) and values.

    Raises
    ------
    UsageError, FormatError, MissingExtraError
        As :func:`judge_by`.
    """
    given = read_any_model(model)
    _, values = _judged(data, given, rows, embedding=True, progress=progress)
    names = getattr(given, "columns", None)
    if values is None:
        msg = "a model gave no values"
        raise ValueError(msg)
    return None if names is None else tuple(column.name for column in names), values


def _judged(
    data: TruthData,
    model: Model | CnnModel,
    rows: NDArray[np.int64] | None = None,
    *,
    embedding: bool,
    progress: Progress | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Probabilities ``(m, classes)`` of rows, and what the model looked at ``(m, k)``."""
    told = progress or no_progress
    rows = np.arange(len(data.objects)) if rows is None else rows
    found: list[NDArray[np.float64]] = []
    values: list[NDArray[np.float64]] = []
    order: list[NDArray[np.int64]] = []
    for sample, every in by_sample(data.samples):
        mine = np.flatnonzero(np.isin(rows, every))
        if not len(mine):
            continue
        before, numbers = sum(map(len, order)), data.objects[rows[mine]]
        part = classify_any(
            data.stacks[sample], model, objects=numbers.tolist(), images=data.images(model.images),
            embedding=embedding,
            progress=partial(_told, told, before, len(rows)),
        )  # fmt: skip
        places = find_rows(part.objects, numbers, data.stacks[sample], "stack")
        found.append(part.probabilities[places])
        order.append(mine)
        if part.values is not None:
            values.append(np.asarray(part.values[places], np.float64))
    back = np.argsort(np.concatenate(order), kind="stable")
    return np.concatenate(found)[back], np.concatenate(values)[back] if values else None


def _told(told: Progress, before: int, of: int, task: str, done: int, total: int) -> None:
    """One bar for all samples, where a task counts objects."""
    if total <= of:
        told(task, before + done, of)


def _round(
    data: TruthData,
    classes: tuple[str, ...],
    probabilities: NDArray[np.float64],
    held: NDArray[np.float64],
    values: NDArray[np.float64] | None,
    order: Order,
    n: int,
    seed: int,
    what: str,
) -> Round:
    """Suggest, doubt, and say how well tags and classes agree where both are there."""
    labels = data.labels
    known = np.where(np.isin(labels, classes), labels, "")
    chosen = suggest(probabilities, classes, order=order, n=n, tagged=labels != "", values=values, seed=seed)
    rows = np.flatnonzero((known != "") & np.isfinite(held).all(axis=1))
    predicted = np.full(len(labels), "", np.array(classes, np.str_).dtype)
    predicted[rows] = np.array(classes, np.str_)[held[rows].argmax(axis=1)]
    said = "No tag of the model's classes is there to hold against it."
    if len(rows):
        true = np.array([classes.index(str(label)) for label in known[rows]])
        accuracy = balanced_accuracy(true, held[rows].argmax(axis=1))
        said = f"Balanced accuracy {accuracy:.3f} on {len(rows)} tags {what}."
    return Round(Turn(chosen, doubtful(known, held, classes)), classes, labels, predicted, said)
