"""Honest estimates: everything that looks at classes is done again inside every fold.

Ranking, the filter of correlated columns, their number k, scaling and weights are
found on the training part of a fold alone; k by a second cross-validation inside it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ifcyto.classify.candidates import fisher_ratio, uncorrelated
from ifcyto.classify.fit import fit
from ifcyto.classify.lda_path import lda_path
from ifcyto.classify.scorer import softmax

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ifcyto.classify.scorer import Scorer
    from ifcyto.classify.training import TrainOptions

__all__ = [
    "GRID",
    "CrossValidation",
    "LearningCurve",
    "Objects",
    "balanced_accuracy",
    "choose_k",
    "column_numbers",
    "cross_validate",
    "learning_curve",
    "ranked_columns",
]

GRID = (5, 10, 15, 20, 30, 40, 60, 80, 100, 120, 150, 200)
"""Numbers of columns that are tried."""

SEARCHED = ("lda", "logistic")
"""Methods whose number of columns is searched; trees choose for themselves and get all."""

FRACTIONS = (0.2, 0.4, 0.6, 0.8)
"""Parts of the training objects in a learning curve, below all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """Objects of known class: values ``(n, F)``, class codes ``(n,)``, groups ``(n,)`` or None."""

    values: NDArray[np.float64]
    codes: NDArray[np.int64]
    names: tuple[str, ...]
    classes: tuple[str, ...]
    groups: NDArray[np.int64] | None = None

    def take(self, rows: NDArray[np.int64]) -> Objects:
        """Some of the objects."""
        groups = None if self.groups is None else self.groups[rows]
        return Objects(self.values[rows], self.codes[rows], self.names, self.classes, groups)


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """What classifiers said of objects that they were not trained on.

    Parameters
    ----------
    matrix : ndarray (C, C) of int64
        Objects by class (rows) and predicted class (columns), all folds together.
    balanced_accuracy : ndarray (folds,)
        Mean recall over the classes, fold by fold.
    probabilities : ndarray (n, C)
        NaN for objects that were left out.
    predictions : ndarray (n,) of str
        ``Unknown`` for objects that were left out.
    folds : ndarray (n,) of int64
        Fold in which an object was judged; -1 for objects that were left out.
    n_features : ndarray (folds,) of int64
        Number of columns that each fold chose.
    """

    matrix: NDArray[np.int64]
    balanced_accuracy: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    predictions: NDArray[np.str_]
    folds: NDArray[np.int64]
    n_features: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """Balanced accuracy against the number of objects that were learned from.

    Parameters
    ----------
    sizes : ndarray (m,) of int64
        Objects in training, mean over the folds.
    mean, sd : ndarray (m,)
        Of the balanced accuracy over the folds; the objects judged are the same at every size.
    """

    sizes: NDArray[np.int64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]


def balanced_accuracy(codes: NDArray[np.int64], found: NDArray[np.int64]) -> float:
    """Mean over the classes that occur of the share of their objects found."""
    counts = np.bincount(codes)
    hits = np.bincount(codes[codes == found], minlength=len(counts))
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def ranked_columns(objects: Objects, options: TrainOptions) -> NDArray[np.int64]:
    """Columns that repeat no better one, best first."""
    order = np.argsort(-fisher_ratio(objects.values, objects.codes), kind="stable")
    return uncorrelated(objects.values, order, options.max_correlation)


def column_numbers(available: int, options: TrainOptions) -> tuple[int, ...]:
    """Numbers of columns to try: one where the method or the caller leaves no choice."""
    if options.n_features is not None:
        return (min(options.n_features, available),)
    if options.method not in SEARCHED:
        return (available,)
    below = tuple(k for k in GRID if k < available)
    return below if available > GRID[-1] else (*below, available)


def choose_k(objects: Objects, options: TrainOptions) -> int:
    """Number of columns with the highest cross-validated balanced accuracy; the smallest of equals."""
    numbers = column_numbers(len(ranked_columns(objects, options)), options)
    if len(numbers) == 1:
        return numbers[0]
    found = np.zeros((len(numbers), len(objects.codes)), np.int64)
    for rows, test in split(objects, options):
        part = objects.take(rows)
        columns = ranked_columns(part, options)
        for place, shares in enumerate(_judge_path(part, columns, objects.values[test], numbers, options)):
            found[place, test] = shares.argmax(axis=1)
    return numbers[int(np.argmax([balanced_accuracy(objects.codes, row) for row in found]))]


def split(objects: Objects, options: TrainOptions) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows to train on and rows to judge, fold by fold; groups are kept whole."""
    codes = objects.codes
    folds = min(options.folds, int(np.bincount(codes).max()))
    n_groups = 1 if objects.groups is None else len(np.unique(objects.groups))
    grouped = n_groups > 1
    kind = StratifiedGroupKFold if grouped else StratifiedKFold
    splitter = kind(min(folds, n_groups) if grouped else folds, shuffle=True, random_state=options.seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        pairs = list(splitter.split(codes, codes, objects.groups if grouped else None))
    return [(rows, test) for rows, test in pairs if len(rows) and len(test)]


def cross_validate(
    objects: Objects, options: TrainOptions, step: Callable[[], None]
) -> tuple[CrossValidation, int]:
    """Judge every object by a classifier that did not see it.

    Returns
    -------
    cv : CrossValidation
    unlearned : int
        Folds in which a class had fewer than two objects to learn from.
    """
    n, n_classes = len(objects.codes), len(objects.classes)
    shares = np.zeros((n, n_classes))
    folds = np.full(n, -1)
    accuracy, numbers, unlearned = [], [], 0
    for fold, (rows, test) in enumerate(split(objects, options)):
        part = objects.take(rows)
        numbers.append(choose_k(part, options))
        columns = ranked_columns(part, options)[: numbers[-1]]
        shares[test] = _judge(part, columns, objects.values[test], options)
        folds[test] = fold
        accuracy.append(balanced_accuracy(objects.codes[test], shares[test].argmax(axis=1)))
        unlearned += int((np.bincount(part.codes, minlength=n_classes) < 2).any())
        step()
    found = shares.argmax(axis=1)
    matrix = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(matrix, (objects.codes, found), 1)
    names = np.array(objects.classes)[found]
    return CrossValidation(matrix, np.array(accuracy), shares, names, folds, np.array(numbers)), unlearned


def learning_curve(
    objects: Objects, cv: CrossValidation, options: TrainOptions, step: Callable[[], None]
) -> LearningCurve:
    """Judge every fold again by classifiers that learned from a part of its training objects.

    The parts hold the same share of every class (two objects at least) and each one holds
    the smaller ones. A part ranks and filters its own columns; their number is the fold's.
    """
    sizes, accuracy = [], []
    for fold, k in enumerate(cv.n_features):
        test = np.flatnonzero(cv.folds == fold)
        rows = np.flatnonzero(cv.folds != fold)
        rng = np.random.default_rng([options.seed, fold])
        place, total = _places(objects.codes[rows], rng)
        parts = [rows[place < np.maximum(2, np.ceil(share * total))] for share in FRACTIONS]
        row = []
        for part in map(objects.take, parts):
            shares = _judge(part, ranked_columns(part, options)[:k], objects.values[test], options)
            row.append(balanced_accuracy(objects.codes[test], shares.argmax(axis=1)))
            step()
        accuracy.append([*row, cv.balanced_accuracy[fold]])
        sizes.append([*map(len, parts), len(rows)])
    table = np.array(accuracy)
    mean_sizes = np.rint(np.mean(sizes, axis=0)).astype(np.int64)
    # Of a small truth several parts are the same: the last of equals is kept.
    new = np.append(np.diff(mean_sizes) > 0, [True])
    return LearningCurve(mean_sizes[new], table.mean(axis=0)[new], table.std(axis=0, ddof=1)[new])


def _places(
    codes: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Random place of each object among those of its class, and how many these are."""
    mixed = rng.permutation(len(codes))
    order = mixed[np.argsort(codes[mixed], kind="stable")]
    counts = np.bincount(codes)
    starts = np.cumsum(counts) - counts
    place = np.empty(len(codes), np.int64)
    place[order] = np.arange(len(codes)) - starts[codes[order]]
    return place, counts[codes]


def learn(objects: Objects, columns: NDArray[np.int64], options: TrainOptions) -> Scorer:
    """Train on some columns."""
    return fit(
        objects.values[:, columns],
        np.array(objects.classes)[objects.codes],
        [objects.names[column] for column in columns],
        objects.classes,
        method=options.method,
        equal_priors=options.equal_priors,
        seed=options.seed,
    )


def _judge(
    objects: Objects, columns: NDArray[np.int64], values: NDArray[np.float64], options: TrainOptions
) -> NDArray[np.float64]:
    """Probabilities ``(m, C)`` of other objects; 0 for classes with fewer than two objects to learn from."""
    part, learned = _learnable(objects)
    if len(learned) < 2:
        return _commonest(objects, len(values))
    shares = np.zeros((len(values), len(objects.classes)))
    shares[:, learned] = learn(part, columns, options).probabilities(values[:, columns])
    return shares


def _judge_path(
    objects: Objects,
    columns: NDArray[np.int64],
    values: NDArray[np.float64],
    numbers: tuple[int, ...],
    options: TrainOptions,
) -> list[NDArray[np.float64]]:
    """Do what :func:`_judge` does with the first of `columns`, for several numbers of them."""
    part, learned = _learnable(objects)
    if options.method != "lda" or len(learned) < 2:
        return [_judge(objects, columns[:k], values, options) for k in numbers]
    known = part.values[:, columns]
    widths = [min(k, len(columns)) for k in numbers]
    path = lda_path(known, part.codes, values[:, columns], widths, equal_priors=options.equal_priors)
    result = [np.zeros((len(values), len(objects.classes))) for _ in numbers]
    for shares, scores in zip(result, path, strict=True):
        shares[:, learned] = softmax(scores)
    return result


def _learnable(objects: Objects) -> tuple[Objects, NDArray[np.int64]]:
    """Objects of the classes that have two or more, and codes of these classes."""
    learned = np.flatnonzero(np.bincount(objects.codes, minlength=len(objects.classes)) >= 2)
    if len(learned) == len(objects.classes):
        return objects, learned
    rows = np.flatnonzero(np.isin(objects.codes, learned))
    codes = np.searchsorted(learned, objects.codes[rows])
    classes = tuple(objects.classes[code] for code in learned)
    return Objects(objects.values[rows], codes, objects.names, classes), learned


def _commonest(objects: Objects, n: int) -> NDArray[np.float64]:
    """Certainty ``(n, C)`` of the class that has most objects."""
    shares = np.zeros((n, len(objects.classes)))
    shares[:, int(np.bincount(objects.codes).argmax())] = 1.0
    return shares
