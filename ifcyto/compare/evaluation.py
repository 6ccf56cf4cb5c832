"""Everything that truth says of the labels and probabilities of a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.scorer import UNKNOWN
from ifcyto.compare.agreement import agreement
from ifcyto.compare.bootstrap import bootstrap_intervals
from ifcyto.compare.calibration import checked_probabilities
from ifcyto.compare.confidence import Calibration, judge_probabilities
from ifcyto.compare.discrimination import RankedScores
from ifcyto.compare.summary import Summary, summarise, tolerant_matrix
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from ifcyto.compare.calibration import Binning

__all__ = ["EvaluateOptions", "Evaluation", "Value", "evaluate_labels"]

OVERALL = ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1")
OF_A_CLASS = ("precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """How to evaluate.

    Parameters
    ----------
    tolerable : tuple of (true, predicted)
        Mix-ups that count as right in the tolerant evaluation.
    resamples : int
        Of the bootstrap.
    seed : int
    bins : int
        Of the reliability curve.
    binning : {"width", "mass"}
    level : float
        Confidence level.
    """

    tolerable: tuple[tuple[str, str], ...] = ()
    resamples: int = 1000
    seed: int = 0
    bins: int = 10
    binning: Binning = "width"
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class Value:
    """A number and its bootstrap interval; NaN where it cannot be told."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Labels held against truth.

    Parameters
    ----------
    classes : tuple of str
        Rows and columns of the matrix; ``Unknown`` last where it occurs.
    strict : Summary
    tolerant : Summary or None
    objects, judged : int
        Objects with truth, and those of them that are not ``Unknown``.
    judged_accuracy : float
        Share of right ones among these.
    intervals : dict of str to Value
        ``accuracy``, ``balanced_accuracy``, ``macro_f1``, ``weighted_f1``.
    of_class : dict of str to dict of str to Value
        For each class ``precision``, ``recall``, ``f1``, and ``roc_auc`` and
        ``average_precision`` where the probabilities of all classes are known.
    calibration : Calibration or None
    grouped : bool
        The intervals are by sample.
    notes : tuple of str
    """

    classes: tuple[str, ...]
    strict: Summary
    tolerant: Summary | None
    objects: int
    judged: int
    judged_accuracy: float
    intervals: dict[str, Value]
    of_class: dict[str, dict[str, Value]]
    calibration: Calibration | None
    grouped: bool
    notes: tuple[str, ...]


def evaluate_labels(
    truth: ArrayLike,
    labels: ArrayLike,
    classes: Sequence[str],
    *,
    probabilities: ArrayLike | None = None,
    probability: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    options: EvaluateOptions | None = None,
) -> Evaluation:
    """Hold labels and probabilities against truth.

    Parameters
    ----------
    truth, labels : array_like (n,) of str
        Of the same objects in the same order; labels may be ``Unknown``, truth may not.
    classes : sequence of str (C,)
        Their order.
    probabilities : array_like (n, C), optional
        Of every class; rows of NaN where a classifier could not judge.
    probability : array_like (n,), optional
        Of the label given, where that is all there is.
    groups : array_like (n,), optional
        Samples; the intervals are then by sample.
    options : EvaluateOptions, optional

    Returns
    -------
    Evaluation
        The same for the same arguments.

    Raises
    ------
    UsageError
        No object, lengths that differ, a label that is no class, or probabilities that are none.

    Examples
    --------
    >>> truth, labels = ["BNE"] * 8 + ["Doublet"] * 8, ["BNE"] * 6 + ["Doublet"] * 10
    >>> found = evaluate_labels(truth, labels, ["BNE", "Doublet"])
    >>> found.strict.balanced_accuracy, round(found.intervals["balanced_accuracy"].low, 2)
    (0.875, 0.69)
    """
    options = options or EvaluateOptions()
    true, given = np.asarray(truth, np.str_), np.asarray(labels, np.str_)
    if not len(true) or UNKNOWN in true:
        found = "none" if not len(true) else f"the class {UNKNOWN!r}"
        msg = f"evaluation: expected objects whose class is known, found {found}"
        raise UsageError(msg)
    names = (*classes, UNKNOWN) if UNKNOWN in given else tuple(classes)
    matrix = agreement(true.tolist(), given.tolist(), classes=names).matrix
    codes = np.array([names.index(name) for name in true.tolist()], np.int64)
    found_codes = np.array([names.index(name) for name in given.tolist()], np.int64)
    known, shares = _known(probabilities, codes, len(classes))
    strict = summarise(matrix, names)
    tolerant = (
        summarise(tolerant_matrix(matrix, names, options.tolerable), names) if options.tolerable else None
    )
    ranked = (
        [RankedScores(shares[:, k], codes[known] == k) for k in range(len(classes))] if len(known) else []
    )
    intervals, of_class = _values(codes, found_codes, names, len(classes), ranked, known, groups, options)
    judged = given != UNKNOWN
    return Evaluation(
        names, strict, tolerant, len(true), int(judged.sum()),
        float((true == given)[judged].mean()) if judged.any() else float("nan"),
        intervals, of_class, _calibration(shares, codes[known], true, given, probability, classes, options),
        groups is not None, tuple(_notes(true, given, classes, probabilities, known)),
    )  # fmt: skip


def _known(
    probabilities: ArrayLike | None, codes: NDArray[np.int64], n_classes: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows whose probabilities are known, and these."""
    if probabilities is None:
        return np.zeros(0, np.int64), np.zeros((0, n_classes))
    p = np.asarray(probabilities, np.float64)
    if p.shape != (len(codes), n_classes):
        msg = f"evaluation: expected probabilities {(len(codes), n_classes)}, found {p.shape}"
        raise UsageError(msg)
    known = np.flatnonzero(~np.isnan(p).all(axis=1))
    shares, _ = checked_probabilities(p[known], codes[known])
    return known, shares


def _values(
    codes: NDArray[np.int64],
    given: NDArray[np.int64],
    names: Sequence[str],
    n_classes: int,
    ranked: Sequence[RankedScores],
    known: NDArray[np.int64],
    groups: ArrayLike | None,
    options: EvaluateOptions,
) -> tuple[dict[str, Value], dict[str, dict[str, Value]]]:
    statistic = _statistic(codes, given, len(names), n_classes, ranked, known)
    points = statistic(np.ones(len(codes), np.int64))
    drawn = bootstrap_intervals(
        statistic, codes, groups=groups, resamples=options.resamples, seed=options.seed, level=options.level
    )
    low, high = (np.where(np.isnan(points), np.nan, bounds) for bounds in (drawn.low, drawn.high))
    values = [Value(*three) for three in zip(points.tolist(), low.tolist(), high.tolist(), strict=True)]
    kinds = (*OF_A_CLASS, *(("roc_auc", "average_precision") if ranked else ()))
    overall = dict(zip(OVERALL, values[: len(OVERALL)], strict=True))
    rest = iter(values[len(OVERALL) :])
    by_kind = {kind: [next(rest) for _ in range(n_classes)] for kind in kinds}
    return overall, {
        name: {kind: by_kind[kind][i] for kind in kinds} for i, name in enumerate(names[:n_classes])
    }


def _statistic(
    codes: NDArray[np.int64],
    given: NDArray[np.int64],
    n_names: int,
    n_classes: int,
    ranked: Sequence[RankedScores],
    known: NDArray[np.int64],
) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
    """All scores of weighted objects, in the order that :func:`_values` gives them names."""
    cells = codes * n_names + given

    def statistic(weights: NDArray[np.int64]) -> NDArray[np.float64]:
        matrix = np.bincount(cells, weights, minlength=n_names**2).reshape(n_names, n_names)
        right, rows, columns = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision, recall, f1 = right / columns, right / rows, 2 * right / (rows + columns)
        there = rows > 0
        overall = [
            right.sum() / matrix.sum(), recall[there].mean(),
            f1[there].mean(), np.average(f1[there], weights=rows[there]),
        ]  # fmt: skip
        part = weights[known]
        areas = [[one.auc(part) for one in ranked], [one.average_precision(part) for one in ranked]]
        each = [scores[:n_classes] for scores in (precision, recall, f1)]
        return np.concatenate([overall, *each, *areas])

    return statistic


def _calibration(
    shares: NDArray[np.float64],
    codes: NDArray[np.int64],
    truth: NDArray[np.str_],
    given: NDArray[np.str_],
    probability: ArrayLike | None,
    classes: Sequence[str],
    options: EvaluateOptions,
) -> Calibration | None:
    how = partial(
        judge_probabilities, classes=classes, bins=options.bins, binning=options.binning, seed=options.seed
    )
    if len(codes):
        return how(shares.max(axis=1), shares.argmax(axis=1) == codes, shares=shares, codes=codes)
    if probability is None:
        return None
    p = np.asarray(probability, np.float64)
    told = (given != UNKNOWN) & ~np.isnan(p)
    return how(p[told], (truth == given)[told]) if told.any() else None


def _notes(
    true: NDArray[np.str_],
    given: NDArray[np.str_],
    classes: Sequence[str],
    probabilities: ArrayLike | None,
    known: NDArray[np.int64],
) -> list[str]:
    notes = []
    there = [name for name in classes if (true == name).any()]
    if len(there) == 1:
        notes.append(
            f"all {len(true)} objects are {there[0]} by truth: specificity and areas under ROC curves "
            "cannot be told"
        )
    else:
        absent = [name for name in classes if name not in there]
        if absent:
            notes.append(f"no object is {' or '.join(absent)} by truth: nothing is said of finding them")
    few = [f"{name} ({(true == name).sum()})" for name in there if (true == name).sum() < 10]
    if few:
        notes.append(f"few objects by truth: {', '.join(few)}; their scores and intervals are rough")
    unknown = int((given == UNKNOWN).sum())
    if unknown:
        notes.append(f"{unknown} of {len(given)} objects are {UNKNOWN}; they count as not found")
    if probabilities is not None and len(known) < len(true):
        notes.append(
            f"{len(true) - len(known)} of {len(true)} objects have no probabilities and are left out of "
            "curves, areas and calibration"
        )
    return notes
