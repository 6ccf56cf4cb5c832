"""How probable a class must be, so that what is still given is as precise as wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.scorer import UNKNOWN
from ifcyto.compare.frequency import proportion_interval
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ThresholdChoice", "choose_threshold", "threshold_table"]


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """A threshold and what it leaves, on the objects that it was chosen on.

    Parameters
    ----------
    threshold : float
        An object keeps its class with at least this probability; else it is ``Unknown``.
    label : str
        The class it is for; empty: all classes.
    precision, precision_low, precision_high : float
        Share of the kept objects whose class is right, with Wilson's interval.
    coverage, coverage_low, coverage_high : float
        Share of the objects (of `label`: those that were given it) that keep their class.
    recall : float
        Kept and right objects over all objects of the class by truth (all objects where there
        is no `label`); NaN without any.
    kept, judged : int
        Objects that keep their class, and objects that had one.
    """

    threshold: float
    label: str
    precision: float
    precision_low: float
    precision_high: float
    coverage: float
    coverage_low: float
    coverage_high: float
    recall: float
    kept: int
    judged: int


def choose_threshold(
    truth: ArrayLike,
    labels: ArrayLike,
    probability: ArrayLike,
    *,
    precision: float,
    label: str | None = None,
    sure: bool = False,
    minimum: int = 10,
    level: float = 0.95,
) -> ThresholdChoice:
    """Choose the lowest threshold that gives the wanted precision.

    Parameters
    ----------
    truth, labels : array_like (n,) of str
        True class and class given, of objects that the classifier did not learn from.
    probability : array_like (n,)
        Of the class given. NaN only where it is ``Unknown``.
    precision : float
        Wanted share of right ones among those that keep their class, above 0, up to 1.
    label : str, optional
        For one class; by default one threshold for all.
    sure : bool
        The lower bound of the interval must reach `precision`, not just the estimate.
    minimum : int
        At least so many objects must keep their class.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    ThresholdChoice
        With the threshold 0 where everything can be kept.

    Raises
    ------
    UsageError
        No threshold does it (the best that can be had is said), lengths that differ, or
        values that cannot be.

    Notes
    -----
    As the threshold was chosen on these objects, their precision is a little too good for
    others; `sure` guards against most of that. For one class, the cut is the same as to read a
    precision-recall curve from the right.

    Examples
    --------
    >>> labels = np.repeat("BNE", 40)
    >>> truth = np.where(np.arange(40) < 30, "BNE", "Irregular")
    >>> found = choose_threshold(truth, labels, np.linspace(1, 0.61, 40), precision=0.9)
    >>> round(found.threshold, 2), found.kept, round(found.precision, 3), found.coverage
    (0.68, 33, 0.909, 0.825)
    """
    if not 0 < precision <= 1:
        msg = f"threshold: expected a wanted precision above 0, up to 1, found {precision:g}"
        raise UsageError(msg)
    rows = threshold_table(truth, labels, probability, label=label, level=level)
    reach = [row for row in rows if row.kept >= max(minimum, 1)]
    good = [row for row in reach if (row.precision_low if sure else row.precision) >= precision]
    if good:
        return max(good, key=lambda row: row.kept)
    of = f" of {label}" if label else ""
    if not reach:
        kept = rows[-1].kept if rows else 0
        msg = f"threshold: expected {minimum} classified objects{of} or more, found {kept}"
        raise UsageError(msg)
    best = max(reach, key=lambda row: (row.precision_low if sure else row.precision, row.kept))
    msg = (
        f"threshold: no threshold gives a precision{of} of {precision:g}{' for sure' if sure else ''} with "
        f"{minimum} objects or more: {best.threshold:.4g} gives {best.precision:.3f} "
        f"({best.precision_low:.3f} to {best.precision_high:.3f}) of {best.kept} objects: ask for less, or "
        "judge more objects"
    )
    raise UsageError(msg)


def threshold_table(
    truth: ArrayLike,
    labels: ArrayLike,
    probability: ArrayLike,
    *,
    label: str | None = None,
    level: float = 0.95,
) -> list[ThresholdChoice]:
    """What every threshold that makes a difference leaves, from the highest down to 0.

    Parameters
    ----------
    truth, labels, probability, label, level
        As in :func:`choose_threshold`.

    Raises
    ------
    UsageError
        Lengths that differ, or a class without a probability from 0 to 1.
    """
    true, given, p = _checked(truth, labels, probability)
    inside = (given != UNKNOWN) & ((given == label) | (label is None))
    total = int((true == label).sum()) if label is not None else len(true)
    order = np.flatnonzero(inside)[np.argsort(-p[inside], kind="stable")]
    judged = len(order)
    right = np.cumsum(true[order] == given[order])
    ranked = p[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], [True])[:judged])
    rows = []
    for end in ends.tolist():
        kept, hits = end + 1, int(right[end])
        low, high = proportion_interval(hits, kept, level=level)
        few, many = proportion_interval(kept, judged, level=level)
        limit = 0.0 if kept == judged else float(ranked[end])
        recall = hits / total if total else float("nan")
        rows.append(
            ThresholdChoice(
                limit, label or "", hits / kept, low, high, kept / judged, few, many, recall, kept, judged
            )
        )
    return rows


def _checked(
    truth: ArrayLike, labels: ArrayLike, probability: ArrayLike
) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.float64]]:
    true, given, p = np.asarray(truth, np.str_), np.asarray(labels, np.str_), np.asarray(probability, float)
    if true.ndim != 1 or not true.shape == given.shape == p.shape:
        msg = (
            f"threshold: expected truth, class and probability of every object, found {true.shape}, "
            f"{given.shape} and {p.shape} values"
        )
        raise UsageError(msg)
    with np.errstate(invalid="ignore"):
        wrong = (given != UNKNOWN) & ~((p >= 0) & (p <= 1))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        msg = f"threshold: expected a probability from 0 to 1 for {given[row]}, found {p[row]:g} in row {row}"
        raise UsageError(msg)
    return true, given, p
