"""Truth: the objects that people tagged, one class each, pooled over samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ifcyto.classify.scorer import UNKNOWN
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Entries", "Truth", "make_truth"]

Entries: TypeAlias = "Mapping[tuple[str, int], str] | Iterable[tuple[str, int, str]]"
"""Class of each (sample, object); or (sample, object, class) one by one, where an object may come twice."""

SHOWN = 5
"""So many objects are named in a message."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Objects of known class, sorted by sample and object number.

    Parameters
    ----------
    samples : ndarray (n,) of str
    objects : ndarray (n,) of int64
        Object numbers, counted from 0 in each sample.
    labels : ndarray (n,) of str
        Class of each object.
    classes : tuple of str
        Two or more, in the order that was asked for, else sorted.
    """

    samples: NDArray[np.str_]
    objects: NDArray[np.int64]
    labels: NDArray[np.str_]
    classes: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Objects of each class, in the order of the classes."""
        return {name: int((self.labels == name).sum()) for name in self.classes}


def make_truth(
    entries: Entries, classes: Sequence[str] | None = None, *, minimum: int = 25, rest: str | None = None
) -> tuple[Truth, tuple[str, ...]]:
    """Put tagged objects in order and refuse what nothing can be learned from.

    Parameters
    ----------
    entries : mapping of (sample, object) to class, or iterable of (sample, object, class)
        The iterable shows an object that was tagged twice; the same class twice counts once.
    classes : sequence of str, optional
        The classes and their order; by default all that occur, sorted. `rest` comes
        last where it is not among them.
    minimum : int
        A class with fewer objects is noted (IDEAS' manual: at least 25 images).
    rest : str, optional
        Boolean rest class: objects that are of none of `classes` become this class,
        as ``Irregular = not BNE and not Doublet``. Without it a class that is not
        among `classes` is an error.

    Returns
    -------
    truth : Truth
    notes : tuple of str
        One for each class below `minimum`, and one for objects that came twice.

    Raises
    ------
    UsageError
        Fewer than two classes, a class with fewer than two objects, an object tagged
        twice with different classes (the first are listed), or a label, class or
        object number that cannot be.

    Examples
    --------
    >>> tags = {("MDS01", 4): "BNE", ("MDS01", 7): "BNE", ("MDS01", 2): "budding", ("MDS01", 3): "oval"}
    >>> truth, notes = make_truth(tags, ["BNE"], rest="Irregular", minimum=2)
    >>> truth.counts(), truth.objects.tolist(), notes
    ({'BNE': 2, 'Irregular': 2}, [2, 3, 4, 7], ())
    """
    tags, repeated = _collect(entries)
    order = _classes(tags, classes, rest)
    if rest is not None:
        tags = {key: label if label in order else rest for key, label in tags.items()}
    counts = Counter(tags.values())
    _refuse_few(counts, order)
    keys = sorted(tags)
    truth = Truth(
        np.array([sample for sample, _ in keys], np.str_),
        np.array([number for _, number in keys], np.int64),
        np.array([tags[key] for key in keys], np.str_),
        order,
    )
    notes = [
        f"class {name}: {counts[name]} objects, {minimum} or more are advised"
        for name in order
        if counts[name] < minimum
    ]
    if repeated:
        notes.append(f"{repeated} objects were tagged twice with the same class and count once")
    return truth, tuple(notes)


def _collect(entries: Entries) -> tuple[dict[tuple[str, int], str], int]:
    """Class of each object, and how many came again with the same class."""
    rows = ((*key, label) for key, label in entries.items()) if isinstance(entries, Mapping) else entries
    found: dict[tuple[str, int], list[str]] = {}
    for sample, number, label in rows:
        key = (str(sample), _object_number(sample, number))
        found.setdefault(key, []).append(_class_name(label, key))
    conflicts = [(key, names) for key, names in found.items() if len(set(names)) > 1]
    if conflicts:
        shown = "; ".join(
            f"{sample} object {number} ({', '.join(dict.fromkeys(names))})"
            for (sample, number), names in conflicts[:SHOWN]
        )
        more = f" and {len(conflicts) - SHOWN} more" if len(conflicts) > SHOWN else ""
        msg = (
            f"expected one class an object, found {len(conflicts)} tagged twice with different classes: "
            f"{shown}{more}: keep one tag of each"
        )
        raise UsageError(msg)
    tags = {key: names[0] for key, names in found.items()}
    return tags, sum(len(names) > 1 for names in found.values())


def _object_number(sample: str, number: int) -> int:
    try:
        found = index(number)
    except TypeError:
        found = -1
    if found < 0 or isinstance(number, (bool, np.bool_)):
        msg = f"truth of sample {sample}: expected an object number, counted from 0, found {number!r}"
        raise UsageError(msg)
    return found


def _class_name(label: str, key: tuple[str, int]) -> str:
    name = str(label).strip()
    if not name or name == UNKNOWN:
        msg = (
            f"truth of {key[0]} object {key[1]}: expected the name of a class, found {str(label)!r}: "
            f"leave untagged objects out; {UNKNOWN!r} is what a classifier calls objects it cannot judge"
        )
        raise UsageError(msg)
    return name


def _classes(
    tags: Mapping[tuple[str, int], str], asked: Sequence[str] | None, rest: str | None
) -> tuple[str, ...]:
    """Classes in their order; refuses names that repeat and labels that are none of them."""
    found = Counter(tags.values())
    order = tuple(sorted(found) if asked is None else asked)
    if rest is not None and rest not in order:
        order = (*order, rest)
    if len(set(order)) < len(order) or UNKNOWN in order or not all(order):
        msg = f"expected different classes, none of them {UNKNOWN!r}, found {', '.join(map(repr, order))}"
        raise UsageError(msg)
    strange = sorted(found.keys() - set(order))
    if strange and rest is None:
        shown = ", ".join(f"{name!r} ({found[name]} objects)" for name in strange[:SHOWN])
        msg = (
            f"expected tags among {', '.join(order)}, found {shown}: name these classes as well, or a rest "
            "class that takes them in"
        )
        raise UsageError(msg)
    return order


def _refuse_few(counts: Mapping[str, int], order: tuple[str, ...]) -> None:
    if len(order) < 2:
        found = f"{order[0]!r} alone" if order else "no tagged object"
        msg = (
            f"expected truth of two or more classes, found {found}: tag objects of another class, or use rest"
        )
        raise UsageError(msg)
    few = [f"{name} ({counts.get(name, 0)})" for name in order if counts.get(name, 0) < 2]
    if few:
        msg = f"expected two or more objects of each class, found fewer of {', '.join(few)}: tag more of them"
        raise UsageError(msg)
