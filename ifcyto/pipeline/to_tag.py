"""Objects for a person to look at next: what is asked for, what is said of each, and the file of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto._output import refuse_existing, replacing
from ifcyto.classify.suggest import ORDERS
from ifcyto.errors import UsageError
from ifcyto.pipeline.classify import PROBABILITY
from ifcyto.pipeline.sources import refuse_input_as_output
from ifcyto.pipeline.tables import as_text, csv_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.classify.suggest import Order, Suggestions

__all__ = ["ToTag", "Wanted", "listed", "tags_of", "write_to_tag"]

SHOWN = 5
"""So many objects are named in a message."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which objects to suggest.

    Parameters
    ----------
    order : {"uncertain", "certain", "diverse"}
        Which come first; see :func:`ifcyto.classify.suggest.suggest`.
    n : int or None
        How many at most; None: all, not with ``diverse``.
    of : str or None
        Only objects whose likeliest class is this.

    Raises
    ------
    UsageError
        An order that is not known, or fewer than one object: said before hours of work, not after.
    """

    order: Order = "uncertain"
    n: int | None = 100
    of: str | None = None

    def __post_init__(self) -> None:
        if self.order not in ORDERS or (self.n is not None and self.n < 1):
            msg = (
                f"expected an order among {', '.join(ORDERS)} and one object or more, found {self.order!r} "
                f"and {self.n}"
            )
            raise UsageError(msg)


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


def tags_of(
    objects: NDArray[np.int64], tags: Mapping[int, str] | None, place: Path | str
) -> tuple[NDArray[np.str_], list[str]]:
    """Tag ``(n,)`` of each object, empty where there is none, and a note of those that are not there.

    Raises
    ------
    UsageError
        All tags are of other objects.

    Examples
    --------
    >>> tags_of(np.array([3, 5]), {5: "BNE", 9: "BNE"}, "cells.h5")
    (array(['', 'BNE'], dtype='<U3'), ['1 of 2 tagged objects are not there: 9'])
    """
    tags = tags or {}
    found = np.array([tags.get(number, "") for number in objects.tolist()], np.str_)
    absent = sorted(set(tags) - set(objects.tolist()))
    if tags and len(absent) == len(tags):
        msg = f"{place}: expected tags of its objects, found none among {len(tags)}: do they belong together?"
        raise UsageError(msg)
    shown = ", ".join(map(str, absent[:SHOWN]))
    return found, [f"{len(absent)} of {len(tags)} tagged objects are not there: {shown}"] if absent else []


def listed(
    objects: NDArray[np.int64],
    chosen: Suggestions,
    probabilities: NDArray[np.float64],
    classes: Sequence[str],
    reason: str,
    notes: Sequence[str] = (),
) -> ToTag:
    """Say of each chosen object what it probably is, how certain that is, and why it was chosen.

    Parameters
    ----------
    objects : ndarray (n,) of int64
    chosen : Suggestions
    probabilities : ndarray (n, C)
    classes : sequence of str (C,)
    reason : str
    notes : sequence of str
    """
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
