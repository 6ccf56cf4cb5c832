"""Which objects of a sample to tag next: groups of like ones, or suggestions of a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto._output import refuse_existing, replacing
from ifcyto.classify.groups import SEGMENT, group_alike, segment
from ifcyto.classify.suggest import ORDERS, suggest
from ifcyto.classify.tagging import tagging_round
from ifcyto.classify.training import TrainOptions
from ifcyto.errors import UsageError
from ifcyto.pipeline.classify import PROBABILITY, classify
from ifcyto.pipeline.feature_files import from_table, is_feature_file, read_features
from ifcyto.pipeline.measure import MeasureOptions, measure
from ifcyto.pipeline.sources import open_source, refuse_input_as_output
from ifcyto.pipeline.tables import as_text, csv_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.classify.model_folder import Model
    from ifcyto.classify.suggest import Order, Suggestions
    from ifcyto.pipeline.feature_choice import FeatureChoice
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.readers.columns import FeatureColumns

__all__ = ["ToTag", "from_groups", "from_judged", "from_model", "from_tags", "write_to_tag"]

DOUBTFUL = "doubtful tag"
"""Reason of a tagged object that classifiers trained without it take for another class."""

SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class ToTag:
    """Objects for a person to look at, the first one first.

    Parameters
    ----------
    objects : ndarray (m,) of int64
    labels : tuple of str (m,)
        The tag that an object has already; empty for most.
    columns : dict of str to list
        What is said of each object: ``suggested`` and ``probability``, or ``group``.
    notes : tuple of str
    """

    objects: NDArray[np.int64]
    labels: tuple[str, ...]
    columns: dict[str, list[str | float | int]]
    notes: tuple[str, ...]


def from_model(
    source: Path | str,
    model: Model | Path | str,
    tags: Mapping[int, str] | None = None,
    *,
    order: Order = "uncertain",
    n: int | None = 100,
    of: str | None = None,
    images: Mapping[str, str | int] | None = None,
    pixel_size_um: float | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ToTag:
    """Suggest untagged objects by a trained model.

    Parameters
    ----------
    source : path-like
        A stack, any readable input, or a feature table.
    model : Model or path-like
    tags : mapping of int to str, optional
        Class of the objects that are tagged already; they are not suggested.
    order, n, of, seed
        As in :func:`ifcyto.classify.suggest.suggest`.
    images, pixel_size_um, workers, progress
        As in :func:`ifcyto.pipeline.classify.classify`.

    Returns
    -------
    ToTag

    Raises
    ------
    UsageError
        The model does not fit the input, the tags are of other objects, or an option cannot be.
    FormatError, StackError
        The input or the model cannot be read.
    """
    _check_order(order, n)
    found = classify(
        source, model, images=images, pixel_size_um=pixel_size_um, workers=workers, progress=progress
    )
    return from_judged(
        found.objects, found.probabilities, found.model.scorer.classes, tags,
        order=order, n=n, of=of, values=found.values, seed=seed, place=str(source),
    )  # fmt: skip


def from_judged(
    objects: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    classes: Sequence[str],
    tags: Mapping[int, str] | None = None,
    *,
    order: Order = "uncertain",
    n: int | None = 100,
    of: str | None = None,
    values: NDArray[np.float64] | None = None,
    seed: int = 0,
    place: str = "suggestions",
) -> ToTag:
    """Suggest untagged objects by probabilities of any kind of classifier.

    Parameters
    ----------
    objects : ndarray (N,) of int64
    probabilities : ndarray (N, C)
    classes : sequence of str (C,)
    tags, order, n, of, seed
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
    tagged, notes = _tagged(objects, tags or {}, Path(place))
    chosen = suggest(
        probabilities, classes, order=order, n=n, of=of, tagged=tagged != "", values=values, seed=seed
    )
    return _listed(objects, chosen, probabilities, classes, order, notes)


def from_tags(
    source: Path | str,
    tags: Mapping[int, str],
    *,
    order: Order = "uncertain",
    n: int | None = 100,
    of: str | None = None,
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
    order, n, of
        As in :func:`ifcyto.classify.suggest.suggest`.
    features : str, path or sequence of str
        As in :func:`ifcyto.pipeline.measure.measure`; of a feature table all columns.
    measuring : MeasureOptions, optional
    options : TrainOptions, optional
    workers : int, optional
    progress : callable, optional

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
    _check_order(order, n)
    columns = _values(Path(source), None, features, measuring, workers, progress)
    tagged, notes = _tagged(columns.objects, tags, Path(source))
    options = options or TrainOptions(learning_curve=False)
    turn = tagging_round(columns.values, tagged, columns.names, order=order, n=n, of=of, options=options)
    accuracy = turn.training.cv.balanced_accuracy
    notes = [
        *notes,
        *turn.training.notes,
        f"{(tagged != '').sum()} tags so far: balanced accuracy {accuracy.mean():.3f} "
        f"(s.d. {accuracy.std(ddof=1):.3f}, {len(accuracy)} folds)",
    ]
    classes = turn.training.scorer.classes
    first = _listed(columns.objects, turn.suggestions, turn.probabilities, classes, order, notes)
    second = _listed(columns.objects, turn.doubtful, turn.training_probabilities, classes, DOUBTFUL, ())
    labels = (*first.labels, *tagged[turn.doubtful.rows].tolist())
    joined = {name: [*first.columns[name], *second.columns[name]] for name in first.columns}
    return ToTag(np.concatenate([first.objects, second.objects]), labels, joined, tuple(notes))


def from_groups(
    source: Path | str,
    tags: Mapping[int, str] | None = None,
    *,
    groups: int | None = None,
    size: int = SEGMENT,
    features: FeatureChoice = "fbml",
    measuring: MeasureOptions | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ToTag:
    """Draw a random part of the untagged objects and group it by likeness; only this part is measured.

    Parameters
    ----------
    source : path-like
        A stack, any readable input, or a feature table.
    tags : mapping of int to str, optional
        Objects that are tagged already; they are left out.
    groups : int, optional
        How many; chosen when not given.
    size : int
        Objects to draw.
    features, measuring, workers, progress
        As in :func:`from_tags`.
    seed : int

    Returns
    -------
    ToTag
        Group by group, the largest first; in a group the most typical object first.

    Raises
    ------
    UsageError
        Too few objects, tags of other objects, or an option that cannot be.
    FormatError, StackError
        The input cannot be read.
    """
    path = Path(source)
    table = read_features(path) if is_feature_file(path) else None
    numbers = _numbers(path) if table is None else table.objects
    tagged, notes = _tagged(numbers, tags or {}, path)
    free = numbers[tagged == ""]
    drawn = free[segment(len(free), size, seed=seed)]
    if not len(drawn):
        msg = f"{path}: expected untagged objects, found none of {len(numbers)}"
        raise UsageError(msg)
    columns = table or _values(path, drawn, features, measuring, workers, progress)
    rows = np.flatnonzero(np.isin(columns.objects, drawn))
    found = group_alike(columns.values[rows], columns.names, groups=groups)
    counts = np.bincount(found.group)[1:]
    notes = [
        *notes,
        *found.notes,
        f"{len(counts)} groups of {counts.min()} to {counts.max()} objects, mean silhouette "
        f"{found.silhouette:.2f}",
    ]
    objects = columns.objects[rows[found.rows]]
    return ToTag(
        objects,
        ("",) * len(objects),
        {"group": found.group.tolist(), "distance": found.distance.tolist()},
        tuple(notes),
    )


def write_to_tag(
    found: ToTag, path: Path | str, *, sources: Sequence[Path | str] = (), overwrite: bool = False
) -> Path:
    """Write ``object,label`` and what is said of each object.

    The column ``label`` is for the person: filled in, the file is a table of labels.

    Parameters
    ----------
    found : ToTag
    path : path-like
    sources : sequence of path-like
        Inputs; they are never replaced.
    overwrite : bool

    Raises
    ------
    OutputError
        The file exists and `overwrite` is False, or cannot be written.
    """
    refuse_input_as_output([Path(source) for source in sources], Path(path))
    refuse_existing(path, overwrite=overwrite)
    rows = zip(found.objects.tolist(), found.labels, *found.columns.values(), strict=True)
    text = csv_text(("object", "label", *found.columns), ([as_text(value) for value in row] for row in rows))
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
    return Path(path)


def _check_order(order: str, n: int | None) -> None:
    """Refuse before hours of work, not after."""
    if order not in ORDERS or (n is not None and n < 1):
        msg = f"expected an order among {', '.join(ORDERS)} and one object or more, found {order!r} and {n}"
        raise UsageError(msg)


def _values(
    path: Path,
    objects: NDArray[np.int64] | None,
    features: FeatureChoice,
    measuring: MeasureOptions | None,
    workers: int | None,
    progress: Progress | None,
) -> FeatureColumns:
    if is_feature_file(path):
        return read_features(path)
    wanted = None if objects is None else objects.tolist()
    table = measure(path, features, options=measuring, objects=wanted, workers=workers, progress=progress)
    return from_table(table, path)


def _numbers(path: Path) -> NDArray[np.int64]:
    source = open_source(path, None, None, stacks=True)
    try:
        return source.object_numbers
    finally:
        source.reader.close()


def _tagged(
    objects: NDArray[np.int64], tags: Mapping[int, str], path: Path
) -> tuple[NDArray[np.str_], list[str]]:
    """Tag of each object, empty where there is none; refuses tags that are of other objects."""
    found = np.array([tags.get(number, "") for number in objects.tolist()], np.str_)
    absent = sorted(set(tags) - set(objects.tolist()))
    if tags and len(absent) == len(tags):
        msg = f"{path}: expected tags of its objects, found none among {len(tags)}: do they belong together?"
        raise UsageError(msg)
    shown = ", ".join(map(str, absent[:SHOWN]))
    return found, [f"{len(absent)} of {len(tags)} tagged objects are not there: {shown}"] if absent else []


def _listed(
    objects: NDArray[np.int64],
    chosen: Suggestions,
    probabilities: NDArray[np.float64],
    classes: Sequence[str],
    reason: str,
    notes: Sequence[str],
) -> ToTag:
    columns: dict[str, list[str | float | int]] = {
        "suggested": chosen.labels.tolist(),
        "probability": chosen.probability.tolist(),
        "margin": chosen.margin.tolist(),
        "entropy": chosen.entropy.tolist(),
        "reason": [reason] * len(chosen.rows),
    }
    for place, name in enumerate(classes):
        columns[PROBABILITY + name] = probabilities[chosen.rows, place].tolist()
    return ToTag(objects[chosen.rows], ("",) * len(chosen.rows), columns, tuple(notes))
