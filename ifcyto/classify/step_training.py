"""Train two classifiers that work one after the other, with one honest estimate of both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.crossval import CrossValidation, balanced_accuracy
from ifcyto.classify.scorer import UNKNOWN
from ifcyto.classify.steps import NOT_TRUE_2N, TRUE_2N, TwoStepScorer
from ifcyto.classify.training import Training, TrainOptions, train
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["train_two_step"]


def train_two_step(
    values: NDArray[np.float64],
    labels: NDArray[np.str_],
    names: Sequence[str],
    *,
    rest: str = "Irregular",
    second_sees_rest: bool = False,
    options: TrainOptions | None = None,
    groups: NDArray[np.generic] | None = None,
    classes: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Training:
    """Train both steps on one truth: all classes but `rest` pass the first one.

    Parameters
    ----------
    values : ndarray (n, F)
    labels : ndarray (n,) of str
    names : sequence of str (F,)
    rest : str
        Class that does not pass; two others at least are needed.
    second_sees_rest : bool
        The second step is trained on all objects and may call `rest` what passed; else on
        the other classes alone.
    options : TrainOptions, optional
        For both steps.
    groups : ndarray (n,), optional
    classes : sequence of str, optional
        Order of the classes; by default sorted. `rest` comes last.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    Training
        Its `steps` are the trainings of each step alone. Its `cv` tells what steps that were
        trained without an object said of it, by the folds of the first step; ranking,
        dropped columns and learning curves are those of the steps.

    Raises
    ------
    UsageError
        Fewer than two classes beside `rest`, or what
        :func:`ifcyto.classify.training.train` refuses.
    """
    labels = np.asarray(labels, np.str_)
    order = [name for name in (np.unique(labels).tolist() if classes is None else classes) if name != rest]
    passing = labels != rest
    if len(order) < 2 or passing.all():
        msg = (
            f"two steps: expected two classes or more beside the rest class {rest!r}, and some of that, "
            f"found {', '.join(np.unique(labels)) or 'none'}"
        )
        raise UsageError(msg)
    first = train(
        values, np.where(passing, TRUE_2N, NOT_TRUE_2N), names,
        options=options, groups=groups, classes=(TRUE_2N, NOT_TRUE_2N), progress=_part(progress, 0),
    )  # fmt: skip
    rows = np.flatnonzero(passing | second_sees_rest)
    second = train(
        values[rows], labels[rows], names,
        options=options, groups=None if groups is None else groups[rows],
        classes=(*order, rest) if second_sees_rest else order, progress=_part(progress, 1),
    )  # fmt: skip
    scorer = TwoStepScorer.of(first.scorer, second.scorer, rest)
    cv = _cross_validation(scorer, first, second, values, labels, names, rows)
    notes = [f"step {place}: {note}" for place, step in ((1, first), (2, second)) for note in step.notes]
    return Training(
        scorer, second.ranking, scorer.features, {**second.dropped, **first.dropped}, cv, None,
        tuple(notes), (first, second),
    )  # fmt: skip


def _part(progress: Callable[[int, int], None] | None, place: int) -> Callable[[int, int], None] | None:
    """Half of the way for each step."""
    if progress is None:
        return None
    return lambda done, total: progress(done + place * total, 2 * total)


def _cross_validation(
    scorer: TwoStepScorer,
    first: Training,
    second: Training,
    values: NDArray[np.float64],
    labels: NDArray[np.str_],
    names: Sequence[str],
    rows: NDArray[np.int64],
) -> CrossValidation:
    """What steps said that did not see the object; the second never saw what is not in `rows`."""
    columns = [list(names).index(name) for name in second.scorer.features]
    kinds = second.scorer.probabilities(values[:, columns])
    kinds[rows] = second.cv.probabilities
    gate = first.cv.probabilities[:, 0]
    known = np.isfinite(gate) & np.isfinite(kinds).all(axis=1)
    best = np.where(known[:, np.newaxis], kinds, 0.0).argmax(axis=1)
    passes = gate >= scorer.threshold
    places = np.where(passes, best, scorer.classes.index(scorer.rest))
    names_of = np.array([*scorer.classes, UNKNOWN])
    codes = np.array([scorer.classes.index(name) for name in labels.tolist()], np.int64)
    matrix = np.zeros((len(scorer.classes),) * 2, np.int64)
    np.add.at(matrix, (codes[known], places[known]), 1)
    folds = np.where(known, first.cv.folds, -1)
    accuracy = [
        balanced_accuracy(codes[folds == fold], places[folds == fold]) for fold in np.unique(folds[known])
    ]
    return replace(
        first.cv,
        matrix=matrix,
        balanced_accuracy=np.array(accuracy),
        probabilities=scorer.combine(np.where(known, gate, np.nan), kinds),
        predictions=names_of[np.where(known, places, len(scorer.classes))],
        folds=folds,
    )
