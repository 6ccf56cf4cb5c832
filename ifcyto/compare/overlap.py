"""Which objects are in which sets: the counts behind a Venn diagram, no drawing."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping

__all__ = ["MAX_SETS", "Intersection", "Overlap", "Region", "overlap", "upset"]

Region = tuple[int, ...]
"""One 0 or 1 for each name: in the set or not."""

MAX_SETS = 12
"""Most sets that :func:`overlap` takes; their regions number 2^12 - 1."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Exact regions of several sets.

    Parameters
    ----------
    names : tuple of str
        The sets, in the order given.
    counts : dict of tuple of int to int
        Members in exactly that region, for every region but the one outside
        all sets, zeros included: ``(1, 0, 1)`` counts what is in the first and
        third set and not in the second. From ``(0, .., 0, 1)`` upwards.
    """

    names: tuple[str, ...]
    counts: dict[Region, int]
    _members: dict[Region, frozenset[Hashable]] = field(repr=False)

    def members(self, region: Region) -> frozenset[Hashable]:
        """Members in exactly that region.

        Raises
        ------
        UsageError
            A region that is not in `counts`.
        """
        if region not in self._members:
            msg = (
                f"overlap: expected a region of {len(self.names)} zeros and ones with at least one 1, "
                f"found {region!r}"
            )
            raise UsageError(msg)
        return self._members[region]


@dataclass(frozen=True, slots=True)
class Intersection:
    """One column of an UpSet plot: what is in exactly these sets.

    Parameters
    ----------
    region : tuple of int
        One 0 or 1 for each name of the overlap.
    names : tuple of str
        The sets it is in.
    count : int
        Members in these sets and in no other.
    """

    region: Region
    names: tuple[str, ...]
    count: int

    @property
    def degree(self) -> int:
        """Number of sets."""
        return len(self.names)


def overlap(sets: Mapping[str, Collection[Hashable]]) -> Overlap:
    """Split the union of named sets into its regions.

    Parameters
    ----------
    sets : mapping of str to collection
        Members by name of set, object numbers for instance; to pool samples
        give pairs of sample and object number. A member given twice counts once.

    Returns
    -------
    Overlap
        With all ``2^k - 1`` regions of k sets.

    Raises
    ------
    UsageError
        No set, or more than :data:`MAX_SETS`.

    Examples
    --------
    >>> result = overlap({"manual": [1, 2, 3], "cnn": [2, 3, 4, 5]})
    >>> result.counts
    {(0, 1): 2, (1, 0): 1, (1, 1): 2}
    >>> sorted(result.members((0, 1)))
    [4, 5]
    """
    if not 1 <= len(sets) <= MAX_SETS:
        msg = f"overlap: expected 1 to {MAX_SETS} sets, found {len(sets)}"
        raise UsageError(msg)
    unique = [frozenset(members) for members in sets.values()]
    found: dict[Region, set[Hashable]] = {
        region: set() for region in product((0, 1), repeat=len(unique)) if any(region)
    }
    for member in frozenset().union(*unique):
        found[tuple(int(member in one) for one in unique)].add(member)
    regions = {region: frozenset(members) for region, members in found.items()}
    counts = {region: len(members) for region, members in regions.items()}
    return Overlap(tuple(sets), counts, regions)


def upset(found: Overlap) -> tuple[Intersection, ...]:
    """Order the regions for an UpSet plot, which shows more sets than a Venn diagram can.

    Parameters
    ----------
    found : Overlap

    Returns
    -------
    tuple of Intersection
        Regions with members only, the largest first; of equal ones that of
        fewer sets first, then in the order of the names. Their counts sum to
        the size of the union.

    References
    ----------
    Lex A, Gehlenborg N, Strobelt H, Vuillemot R, Pfister H (2014) IEEE Trans
    Vis Comput Graph 20:1983-1992.

    Examples
    --------
    >>> for one in upset(overlap({"manual": [1, 2, 3], "cnn": [2, 3, 4, 5, 6]})):
    ...     print(one.count, one.degree, one.names)
    3 1 ('cnn',)
    2 2 ('manual', 'cnn')
    1 1 ('manual',)
    """
    held = (
        Intersection(region, tuple(name for name, bit in zip(found.names, region, strict=True) if bit), count)
        for region, count in found.counts.items()
        if count
    )
    return tuple(sorted(held, key=lambda one: (-one.count, one.degree, [-bit for bit in one.region])))
