"""How probable a class of a network must be: as a user says, or as a wanted precision needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.classify.scorer import UNKNOWN
from ifcyto.classify.threshold import apply_threshold
from ifcyto.compare.frequency import proportion_interval
from ifcyto.compare.thresholds import choose_threshold
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ClassThresholds", "choose_class_thresholds", "given_thresholds", "judge_thresholds", "told_short"]


@dataclass(frozen=True, slots=True)
class ClassThresholds:
    """Least probability of each class, and where it is from.

    Parameters
    ----------
    limits : dict of str to float
        Of the classes that have one.
    rows : tuple of dict
        JSON values, one for each class: its threshold, by whom, and what it leaves on the held-out objects.
    notes : tuple of str
        Why a class has none that was to have one.
    """

    limits: dict[str, float]
    rows: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()


def given_thresholds(asked: float | Mapping[str, float] | None, classes: Sequence[str]) -> dict[str, float]:
    """Thresholds that a user gives, one for each class named or one for all.

    Raises
    ------
    UsageError
        One is of no class, or not from 0 to 1.

    Examples
    --------
    >>> given_thresholds(0.8, ["BNE", "Doublet"]), given_thresholds({"BNE": 0.9}, ["BNE", "Doublet"])
    ({'BNE': 0.8, 'Doublet': 0.8}, {'BNE': 0.9})
    """
    if asked is None:
        return {}
    limits = dict(asked) if isinstance(asked, Mapping) else dict.fromkeys(classes, float(asked))
    strange = sorted(set(limits) - set(classes))
    if strange:
        msg = f"threshold: expected classes among {', '.join(classes)}, found {strange[0]!r}"
        raise UsageError(msg)
    apply_threshold((), (), limits)
    return limits


def choose_class_thresholds(
    codes: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    classes: Sequence[str],
    *,
    precision: float,
    given: Mapping[str, float] | None = None,
) -> ClassThresholds:
    """Choose for each class the least probability with which the wanted precision is reached.

    Parameters
    ----------
    codes : ndarray (n,) of int64
        True classes of objects that the network did not learn from.
    probabilities : ndarray (n, C)
        Calibrated.
    classes : sequence of str
    precision : float
        Wanted share of right ones among the objects that keep the class.
    given : mapping of str to float, optional
        Thresholds that are fixed.

    Returns
    -------
    ClassThresholds
        A class that reaches the precision with all its objects has no threshold and needs none. One
        that cannot reach it, or not with ten objects, has none either, and a note.

    Examples
    --------
    >>> shares = np.linspace(0.99, 0.6, 40)
    >>> codes = np.repeat([0, 1], [30, 10])
    >>> found = choose_class_thresholds(codes, np.stack([shares, 1 - shares], 1), ["a", "b"], precision=0.9)
    >>> round(found.limits["a"], 2), found.rows[0]["kept"], found.notes
    (0.67, 33, ('b has no threshold: expected 10 classified objects of b or more, found 0',))
    """
    known = np.isfinite(probabilities).all(axis=1)
    shares = probabilities[known]
    best = shares.argmax(axis=1)
    names = np.array(classes, np.str_)
    truth, labels = names[codes[known]], names[best]
    highest = np.minimum(shares[np.arange(len(best)), best], 1)
    limits, rows, notes = dict(given or {}), [], []
    for name in classes:
        if name in limits:
            continue
        try:
            choice = choose_threshold(truth, labels, highest, precision=precision, label=name)
        except UsageError as error:
            notes.append(f"{name} has no threshold: {str(error).removeprefix('threshold: ')}")
            continue
        if choice.threshold > 0:
            limits[name] = choice.threshold
        rows.append(
            {
                "class": name,
                "threshold": choice.threshold,
                "precision": choice.precision,
                "precision_low": choice.precision_low,
                "precision_high": choice.precision_high,
                "coverage": choice.coverage,
                "kept": choice.kept,
                "judged": choice.judged,
            }
        )
    return ClassThresholds(
        {name: limits[name] for name in classes if name in limits}, tuple(rows), tuple(notes)
    )


def judge_thresholds(
    codes: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    classes: Sequence[str],
    limits: Mapping[str, float],
) -> dict[str, Any]:
    """Say what thresholds leave of other objects than they were chosen on.

    Returns
    -------
    dict
        JSON values: ``objects``, how many are ``unknown``, and for each class how many objects were
        given it, how many keep it, and the precision of these with Wilson's interval; null where none
        keeps it.

    Examples
    --------
    >>> shares = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2]])
    >>> found = judge_thresholds(np.array([0, 1, 0]), shares, ["a", "b"], {"a": 0.7})
    >>> found["unknown"], found["classes"][0]["kept"], found["classes"][0]["precision"]
    (1, 2, 1.0)
    """
    names = np.array(classes, np.str_)
    best = np.nan_to_num(probabilities).argmax(axis=1)
    given = names[best]
    labels = apply_threshold(given, probabilities[np.arange(len(best)), best], limits)
    rows = []
    for code, name in enumerate(classes):
        kept = labels == name
        n, right = int(kept.sum()), int((codes[kept] == code).sum())
        low, high = proportion_interval(right, n) if n else (None, None)
        rows.append(
            {
                "class": name,
                "judged": int((given == name).sum()),
                "kept": n,
                "precision": right / n if n else None,
                "precision_low": low,
                "precision_high": high,
            }
        )
    return {"objects": len(codes), "unknown": int((labels == UNKNOWN).sum()), "classes": rows}


def told_short(judged: Mapping[str, Any], chosen: Sequence[str], precision: float) -> tuple[str, ...]:
    """Say which classes miss the wanted precision by more than chance on objects of no choice.

    Parameters
    ----------
    judged : mapping
        Of :func:`judge_thresholds`.
    chosen : sequence of str
        Classes whose threshold was to give the precision.
    precision : float

    Examples
    --------
    >>> row = {"class": "a", "kept": 50, "precision": 0.7, "precision_low": 0.562, "precision_high": 0.809}
    >>> told_short({"classes": [row]}, ["a"], 0.9)
    ('a: 0.700 (0.562 to 0.809) of the 50 test objects that keep the class are right, 0.9 was wanted',)
    """
    return tuple(
        f"{row['class']}: {row['precision']:.3f} ({row['precision_low']:.3f} to {row['precision_high']:.3f}) "
        f"of the {row['kept']} test objects that keep the class are right, {precision:g} was wanted"
        for row in judged["classes"]
        if row["class"] in chosen and row["kept"] and row["precision_high"] < precision
    )
