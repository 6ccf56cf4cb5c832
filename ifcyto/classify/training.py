"""From tagged objects to a classifier with an honest estimate of how good it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from ifcyto.classify.candidates import correlated, known, rank, usable_columns
from ifcyto.classify.crossval import (
    FRACTIONS,
    CrossValidation,
    LearningCurve,
    Objects,
    choose_k,
    cross_validate,
    learn,
    learning_curve,
    split,
)
from ifcyto.classify.fit import METHODS
from ifcyto.classify.scorer import UNKNOWN
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ifcyto.classify.candidates import Ranking
    from ifcyto.classify.scorer import Scorer

__all__ = ["CrossValidation", "LearningCurve", "TrainOptions", "Training", "train"]


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How to train.

    Parameters
    ----------
    method : str
        One of :data:`ifcyto.classify.fit.METHODS`.
    n_features : int or None
        Number of columns; None: chosen by cross-validation for ``lda`` and
        ``logistic``, all that are left for ``forest`` and ``boosting``.
    max_correlation : float
        Of two columns with a stronger correlation the one that ranks lower is dropped.
        ideas_features section 8 proposes 0.9; as shrinkage copes with what is alike, 0.95
        loses nothing, and on real cells (UT7, Jurkat) it did as well or slightly better.
    folds : int
        Of the cross-validation; with groups never more than groups.
    seed : int
    minimum : int
        Advised number of objects of each class, for :func:`ifcyto.classify.truth.make_truth`.
    learning_curve : bool
        Train on parts of the truth as well.
    equal_priors : bool
        Every class counts alike, however many objects were tagged.
    max_missing : float
        A column may be missing (NaN) in this share of the objects of each class; the
        objects are then left out. Columns that are missing more often are dropped.
    allow : tuple of str
        Features to use although they tell when or where an object was recorded.

    Raises
    ------
    UsageError
        A value that cannot be.
    """

    method: str = "lda"
    n_features: int | None = None
    max_correlation: float = 0.95
    folds: int = 5
    seed: int = 0
    minimum: int = 25
    learning_curve: bool = True
    equal_priors: bool = True
    max_missing: float = 0.05
    allow: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rules = (
            (self.method in METHODS, f"a method among {', '.join(METHODS)}", self.method),
            (self.n_features is None or self.n_features >= 1, "one feature or more", self.n_features),
            (0 < self.max_correlation <= 1, "a correlation limit above 0, up to 1", self.max_correlation),
            (self.folds >= 2, "two folds or more", self.folds),
            (self.seed >= 0, "a seed of 0 or more", self.seed),
            (0 <= self.max_missing < 1, "a share of missing values from 0 to below 1", self.max_missing),
        )
        for holds, expected, found in rules:
            if not holds:
                msg = f"training: expected {expected}, found {found!r}"
                raise UsageError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """A classifier and what is known of it.

    Parameters
    ----------
    scorer : Scorer
        Trained on all objects.
    ranking : Ranking
        Of all usable columns.
    chosen : tuple of str
        Columns of the classifier, best first.
    dropped : dict of str to str
        Why other columns were not considered.
    cv : CrossValidation
        By classifiers that were trained without the objects they judge.
    learning_curve : LearningCurve or None
    notes : tuple of str
    steps : tuple of Training
        Of a classifier of two steps, each alone; else empty.
    """

    scorer: Scorer
    ranking: Ranking
    chosen: tuple[str, ...]
    dropped: dict[str, str]
    cv: CrossValidation
    learning_curve: LearningCurve | None
    notes: tuple[str, ...]
    steps: tuple[Training, ...] = ()


def train(
    values: NDArray[np.float64],
    labels: NDArray[np.str_],
    names: Sequence[str],
    *,
    options: TrainOptions | None = None,
    groups: NDArray[np.generic] | None = None,
    classes: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Training:
    """Rank columns, choose how many to use, train, and estimate how well it works.

    Parameters
    ----------
    values : ndarray (n, F)
        Features of the truth, in their own units.
    labels : ndarray (n,) of str
    names : sequence of str (F,)
    options : TrainOptions, optional
    groups : ndarray (n,), optional
        Such as samples or donors; where there are several, a fold holds whole groups.
    classes : sequence of str, optional
        Order of the classes; by default sorted.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    Training
        The same for the same arguments.

    Raises
    ------
    UsageError
        Fewer than two classes, a class with fewer than two objects, or no column that is usable.
    ValueError
        Lengths that do not fit together.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> labels = np.repeat(["BNE", "Doublet"], 30)
    >>> values = rng.normal(size=(60, 3)) + 4 * (labels == "BNE")[:, None] * [1, 0, 0]
    >>> training = train(values, labels, ["Area_M05", "Time", "Area_M01"])
    >>> training.ranking.names, training.cv.matrix.tolist()
    (('Area_M05', 'Area_M01'), [[29, 1], [0, 30]])
    """
    options = options or TrainOptions()
    labels = np.asarray(labels, np.str_)
    if values.ndim != 2 or values.shape != (len(labels), len(names)):
        msg = f"expected values ({len(labels)}, {len(names)}), found {values.shape}"
        raise ValueError(msg)
    order = tuple(np.unique(labels).tolist() if classes is None else classes)
    kept, dropped = usable_columns(
        values, names, allow=options.allow, labels=labels, max_missing=options.max_missing
    )
    if not len(kept):
        reasons = "; ".join(f"{name}: {why}" for name, why in list(dropped.items())[:5])
        msg = f"expected a usable column, found none of {len(names)} ({reasons}): measure other features"
        raise UsageError(msg)
    rows = np.flatnonzero(known(values[:, kept]).all(axis=1))
    notes = _said(dropped, labels, rows)
    objects = Objects(
        np.ascontiguousarray(values[np.ix_(rows, kept)], np.float64),
        _codes(labels[rows], order),
        tuple(names[place] for place in kept),
        order,
        None if groups is None else np.unique(np.asarray(groups)[rows], return_inverse=True)[1],
    )
    step = _steps(objects, options, progress)
    ranking = rank(objects.values, labels[rows], objects.names)
    columns, repeats = correlated(objects.values, ranking.order, options.max_correlation)
    with threadpool_limits(1, "blas"):  # small matrices: several threads wait for each other
        cv, unlearned = cross_validate(objects, options, step)
        curve = learning_curve(objects, cv, options, step) if options.learning_curve else None
        scorer = learn(objects, columns[: choose_k(objects, options)], options)
    step()
    notes += _fold_notes(objects, options, unlearned)
    for column, (other, strength) in repeats.items():
        dropped[objects.names[column]] = (
            f"correlation {strength:.3f} with {objects.names[other]}, which ranks higher"
        )
    cv = _spread(cv, rows, len(labels))
    return Training(scorer, ranking, scorer.features, dropped, cv, curve, tuple(notes))


def _codes(labels: NDArray[np.str_], classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Place of each label among the classes."""
    found = dict(zip(*np.unique(labels, return_counts=True), strict=True))
    strange = sorted({str(name) for name in found} - set(classes))
    few = [f"{name} ({found.get(name, 0)})" for name in classes if found.get(name, 0) < 2]
    if len(set(classes)) < max(2, len(classes)) or strange or few:
        if strange:
            problem = f"labels among {', '.join(classes)}, found {', '.join(map(repr, strange[:5]))}"
        elif len(classes) < 2 or len(set(classes)) < len(classes):
            problem = f"two or more different classes, found {', '.join(classes) or 'none'}"
        else:
            problem = f"two or more usable objects of each class, found fewer of {', '.join(few)}"
        msg = f"training: expected {problem}"
        raise UsageError(msg)
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places[name] for name in labels.tolist()], np.int64)


def _said(dropped: dict[str, str], labels: NDArray[np.str_], rows: NDArray[np.int64]) -> list[str]:
    """Notes on columns and objects that were left out."""
    notes = []
    lost = [name for name, why in dropped.items() if why.startswith(("missing", "constant"))]
    if lost:
        shown = ", ".join(f"{name} ({dropped[name]})" for name in lost[:5])
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        notes.append(f"{len(lost)} constant or missing columns were dropped: {shown}{more}")
    out = np.setdiff1d(np.arange(len(labels)), rows)
    if len(out):
        counts = zip(*np.unique(labels[out], return_counts=True), strict=True)
        shown = ", ".join(f"{count} {name}" for name, count in counts)
        notes.append(
            f"{len(out)} of {len(labels)} objects were left out, as a feature of theirs cannot be "
            f"computed: {shown}"
        )
    return notes


def _fold_notes(objects: Objects, options: TrainOptions, unlearned: int) -> list[str]:
    notes = []
    folds = len(split(objects, options))
    if objects.groups is not None and len(np.unique(objects.groups)) > 1:
        notes.append(f"{folds} folds that keep {len(np.unique(objects.groups))} groups whole")
    elif folds < options.folds:
        notes.append(f"{folds} folds, as there are too few objects for {options.folds}")
    if unlearned:
        notes.append(
            f"in {unlearned} of {folds} folds a class had fewer than two objects to learn from; its "
            "objects count as not found there"
        )
    return notes


def _steps(
    objects: Objects, options: TrainOptions, progress: Callable[[int, int], None] | None
) -> Callable[[], None]:
    """Make a function to call after each step."""
    folds = len(split(objects, options))
    total = folds * (1 + len(FRACTIONS) * options.learning_curve) + 1
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return step


def _spread(cv: CrossValidation, rows: NDArray[np.int64], n: int) -> CrossValidation:
    """Give objects that were left out their place again."""
    probabilities = np.full((n, cv.probabilities.shape[1]), np.nan)
    probabilities[rows] = cv.probabilities
    folds = np.full(n, -1)
    folds[rows] = cv.folds
    predictions = np.full(n, UNKNOWN, dtype=np.result_type(cv.predictions, np.array([UNKNOWN])))
    predictions[rows] = cv.predictions
    return replace(cv, probabilities=probabilities, folds=folds, predictions=predictions)
