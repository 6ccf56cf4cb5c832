"""Groups of alike objects of a review, and their map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.groups import group_alike
from ifcyto.classify.maps import flat_map
from ifcyto.pipeline.parallel import no_progress
from ifcyto.review.errands import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.pipeline.parallel import Progress

__all__ = ["GROUP", "MAP", "Grouping", "grouped"]

GROUP, MAP = "cluster", ("map x", "map y")
"""Names of the columns that grouping adds to the objects."""


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Objects in groups.

    Parameters
    ----------
    rows : ndarray (m,) of int64
        Of the review.
    group : ndarray (m,) of int64
        From 1, the largest first.
    places : ndarray (m, 2)
        On a map where like objects lie near each other.
    """

    rows: NDArray[np.int64]
    group: NDArray[np.int64]
    places: NDArray[np.float64]

    def words(self, n: int) -> dict[str, NDArray[np.str_]]:
        """Name of the group, ``01`` and so on, of each of `n` objects; empty for those without one."""
        words = np.full(n, "", "<U4")
        words[self.rows] = [f"{number:02d}" for number in self.group.tolist()]
        return {GROUP: words}

    def numbers(self, n: int) -> dict[str, NDArray[np.float64]]:
        """Place on the map of each of `n` objects; NaN for those without a group."""
        places = np.full((n, 2), np.nan)
        places[self.rows] = self.places
        return {name: places[:, axis] for axis, name in enumerate(MAP)}

    def to_answer(self) -> Answer:
        """As what another process can give back."""
        return Answer({}, {"rows": self.rows, "group": self.group, "places": self.places})

    @classmethod
    def from_answer(cls, answer: Answer) -> Grouping:
        """Undo :meth:`to_answer`."""
        return cls(*(answer.arrays[name] for name in ("rows", "group", "places")))


def grouped(
    rows: NDArray[np.int64],
    names: Sequence[str] | None,
    values: NDArray[np.float64],
    *,
    groups: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Grouping:
    """Group objects by their values.

    Parameters
    ----------
    rows : ndarray (m,) of int64
        Of the review; a :func:`ifcyto.classify.groups.segment` of them.
    names : sequence of str (F,) or None
        Of features; an embedding has none.
    values : ndarray (m, F)
        Of `rows`.
    groups : int, optional
        As in :func:`ifcyto.classify.groups.group_alike`.
    seed : int
        Of the map.
    progress : callable, optional

    Raises
    ------
    UsageError
        Too few objects or no usable column.
    """
    told = progress or no_progress
    found = group_alike(values, names, groups=groups, progress=lambda done, total: told("group", done, total))
    told("map", 0, 0)
    return Grouping(rows[found.rows], found.group, flat_map(found.points, seed=seed))
