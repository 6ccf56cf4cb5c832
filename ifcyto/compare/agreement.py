"""Two sets of labels for the same objects: confusion matrix and scores per class.

Every score is computed from the confusion matrix, never carried along beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Agreement", "ClassScore", "agreement", "agreement_from_matrix"]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class was found, that class against all others.

    Parameters
    ----------
    label : str
        The class.
    support : int
        Objects of the class by the reference, ``tp + fn``.
    tp, fp, fn, tn : int
        True and false positives, false and true negatives.
    precision : float
        ``tp / (tp + fp)``, the positive predictive value.
    recall : float
        ``tp / (tp + fn)``, the sensitivity.
    f1 : float
        ``2 tp / (2 tp + fp + fn)``, the harmonic mean of precision and recall.
    specificity : float
        ``tn / (tn + fp)``.
    accuracy : float
        ``(tp + tn) / all``.

    Notes
    -----
    All five are fractions from 0 to 1. A ratio without a denominator (the
    precision of a class that was never given, for instance) is NaN.
    """

    label: str
    support: int
    tp: int
    fp: int
    fn: int
    tn: int
    precision: float
    recall: float
    f1: float
    specificity: float
    accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Confusion of two sets of labels.

    Parameters
    ----------
    classes : tuple of str
        Names of rows and columns.
    matrix : ndarray (k, k) of int64
        Counts; rows are the reference, columns the other. Read-only.
    scores : tuple of ClassScore
        One for each class, in the order of `classes`.
    accuracy : float
        Objects on the diagonal over all objects; NaN without objects.
    """

    classes: tuple[str, ...]
    matrix: NDArray[np.int64]
    scores: tuple[ClassScore, ...]
    accuracy: float

    def score(self, label: str) -> ClassScore:
        """Scores of one class.

        Raises
        ------
        UsageError
            A class that is not among `classes`.
        """
        for score in self.scores:
            if score.label == label:
                return score
        msg = f"agreement: expected a class among {', '.join(self.classes)}, found {label!r}"
        raise UsageError(msg)


def agreement(
    reference: Sequence[str], other: Sequence[str], *, classes: Sequence[str] | None = None
) -> Agreement:
    """Compare two labels per object.

    Parameters
    ----------
    reference, other : sequence of str (n,)
        Labels of the same objects in the same order.
    classes : sequence of str, optional
        Order of the classes; by default all labels that occur, sorted.

    Returns
    -------
    Agreement

    Raises
    ------
    UsageError
        Lengths that differ, a label that is not among `classes`, classes
        that repeat.

    Examples
    --------
    >>> result = agreement(["BNE", "BNE", "Doublet"], ["BNE", "Doublet", "Doublet"])
    >>> result.matrix.tolist()
    [[1, 1], [0, 1]]
    >>> result.score("BNE").recall
    0.5
    """
    if len(reference) != len(other):
        msg = f"agreement: expected one label each for every object, found {len(reference)} and {len(other)}"
        raise UsageError(msg)
    names = sorted({*reference, *other}) if classes is None else list(classes)
    index = {name: i for i, name in enumerate(names)}
    matrix = np.zeros((len(names), len(names)), np.int64)
    for position, (row, column) in enumerate(zip(reference, other, strict=True)):
        for label in (row, column):
            if label not in index:
                msg = (
                    f"agreement: expected a label among {', '.join(names) or 'no classes'}, "
                    f"found {label!r} at position {position}"
                )
                raise UsageError(msg)
        matrix[index[row], index[column]] += 1
    return agreement_from_matrix(matrix, names)


def agreement_from_matrix(matrix: ArrayLike, classes: Sequence[str]) -> Agreement:
    """Scores from a confusion matrix.

    Parameters
    ----------
    matrix : array_like (k, k) of int
        Counts; rows are the reference, columns the other.
    classes : sequence of str (k,)
        Names of rows and columns.

    Returns
    -------
    Agreement

    Raises
    ------
    UsageError
        A matrix of another shape, counts that are no counts, classes that repeat.

    Examples
    --------
    >>> paper = [[115, 1, 31], [0, 349, 1], [11, 0, 250]]
    >>> result = agreement_from_matrix(paper, ["BNE", "doublet", "irregular"])
    >>> bne = result.score("BNE")
    >>> [round(100 * v, 1) for v in (bne.accuracy, bne.specificity, bne.recall, bne.precision)]
    [94.3, 98.2, 78.2, 91.3]
    """
    names = tuple(classes)
    if len(set(names)) != len(names):
        msg = f"agreement: expected every class once, found {', '.join(names)}"
        raise UsageError(msg)
    given = np.asarray(matrix)
    if given.size == 0 and not names:
        given = np.zeros((0, 0), np.int64)
    if given.shape != (len(names), len(names)):
        msg = f"agreement: expected a matrix {len(names)} x {len(names)}, found shape {given.shape}"
        raise UsageError(msg)
    if given.dtype.kind not in "iu" or (given < 0).any():
        msg = "agreement: expected whole counts of at least 0 in the matrix, found others"
        raise UsageError(msg)
    counts = given.astype(np.int64)
    counts.setflags(write=False)
    scores = tuple(_score(name, counts, i) for i, name in enumerate(names))
    return Agreement(names, counts, scores, _ratio(int(np.trace(counts)), int(counts.sum())))


def _score(label: str, matrix: NDArray[np.int64], i: int) -> ClassScore:
    total = int(matrix.sum())
    tp = int(matrix[i, i])
    fn = int(matrix[i].sum()) - tp
    fp = int(matrix[:, i].sum()) - tp
    tn = total - tp - fn - fp
    return ClassScore(
        label=label,
        support=tp + fn,
        tp=tp,
        fp=fp,
        fn=fn,
        tn=tn,
        precision=_ratio(tp, tp + fp),
        recall=_ratio(tp, tp + fn),
        f1=_ratio(2 * tp, 2 * tp + fp + fn),
        specificity=_ratio(tn, tn + fp),
        accuracy=_ratio(tp + tn, total),
    )


def _ratio(part: int, whole: int) -> float:
    """Undefined ratios are NaN, here and nowhere else."""
    return part / whole if whole else math.nan
