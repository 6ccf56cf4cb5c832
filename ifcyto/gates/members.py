"""Who is in each population, and how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import GateError
from ifcyto.gates.boolean import Combination
from ifcyto.gates.tree import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from ifcyto.gates.tree import GateSet, Population

__all__ = ["OBJECT_NUMBER", "PopulationCount", "Populations", "populate"]

OBJECT_NUMBER = "Object Number"
"""Feature that every object has."""


@dataclass(frozen=True, slots=True)
class PopulationCount:
    """One row of the table of populations.

    Parameters
    ----------
    population, parent : str
        The parent of all objects is empty.
    count : int
    percent_parent, percent_all : float
        NaN where there is nothing to be a part of.
    """

    population: str
    parent: str
    count: int
    percent_parent: float
    percent_all: float


@dataclass(frozen=True, slots=True, eq=False)
class Populations:
    """The objects of a sample, in their populations.

    Parameters
    ----------
    gates : GateSet
    objects : ndarray (N,) of int64
        Object numbers.
    members : dict of str to ndarray (N,) of bool
        In the order of the set.
    """

    gates: GateSet
    objects: NDArray[np.int64]
    members: dict[str, NDArray[np.bool_]]

    def member(self, name: str) -> NDArray[np.bool_]:
        """Which objects ``(N,)`` are in the population.

        Raises
        ------
        GateError
            There is no such population; the nearest names are given.
        """
        if name not in self.members:
            self.gates.population(name)
            msg = f"population {name!r} was left out"
            raise GateError(msg)
        return self.members[name]

    def object_numbers(self, name: str) -> NDArray[np.int64]:
        """Object numbers of a population, in the order of the sample; errors as :meth:`member`."""
        return self.objects[self.member(name)]

    def counts(self) -> tuple[PopulationCount, ...]:
        """Count, percent of the parent and of all objects, one row a population."""
        sizes = {name: int(np.count_nonzero(inside)) for name, inside in self.members.items()}
        n = len(self.objects)
        return tuple(
            PopulationCount(
                name,
                parent := self.gates.population(name).parent,
                size,
                _percent(size, sizes[parent] if parent else n),
                _percent(size, n),
            )
            for name, size in sizes.items()
        )

    def empty(self) -> tuple[str, ...]:
        """Populations without an object."""
        return tuple(name for name, inside in self.members.items() if not inside.any())


def populate(
    gates: GateSet,
    columns: Mapping[str, NDArray[np.float64]],
    objects: NDArray[np.int64],
    *,
    only: Iterable[str] | None = None,
) -> Populations:
    """Find the members of every population.

    Parameters
    ----------
    gates : GateSet
    columns : mapping of str to ndarray (N,) of float64
        Values of at least ``gates.columns(only)``; ``Object Number`` may be missing.
    objects : ndarray (N,) of int64
        Object numbers, each once.
    only : iterable of str, optional
        Populations that matter; those that they are made of are found too.

    Returns
    -------
    Populations

    Raises
    ------
    GateError
        A feature is not there (the nearest names are given) or has another number of
        values; or a tagged object does not exist.

    Examples
    --------
    >>> from ifcyto.gates.gate import Gate
    >>> from ifcyto.gates.shapes import Range
    >>> from ifcyto.gates.tree import Population, make_gate_set
    >>> gates = make_gate_set([Gate("Large", ("Area_M01",), Range(80))], [Population("Large", gate="Large")])
    >>> found = populate(gates, {"Area_M01": np.array([75.0, 90.0])}, np.array([4, 7]))
    >>> found.object_numbers("Large").tolist(), found.counts()[1].percent_all
    ([7], 50.0)
    """
    wanted = gates.names if only is None else tuple(only)
    needed = gates.needed(wanted)
    values = _columns(gates, wanted, columns, objects)
    members: dict[str, NDArray[np.bool_]] = {}
    for population in needed:
        inside = _own(gates, population, values, objects, members)
        members[population.name] = inside & members[population.parent] if population.parent else inside
    return Populations(gates, objects, {name: members[name] for name in gates.names if name in members})


def _columns(
    gates: GateSet,
    wanted: Iterable[str],
    columns: Mapping[str, NDArray[np.float64]],
    objects: NDArray[np.int64],
) -> dict[str, NDArray[np.float64]]:
    """Values of the features that are needed, each with one value an object."""
    found = {}
    for name in gates.columns(wanted):
        if name in columns:
            found[name] = np.asarray(columns[name], np.float64)
        elif name == OBJECT_NUMBER:
            found[name] = objects.astype(np.float64)
        else:
            user = next(gate.name for gate in gates.gates if name in gate.features)
            msg = f"gate {user!r}: no feature {name!r} among the {len(columns)} of the objects"
            raise GateError(msg + nearest(name, columns))
        if found[name].shape != objects.shape:
            msg = (
                f"feature {name!r}: expected {len(objects)} values, one an object, found {found[name].shape}"
            )
            raise GateError(msg)
    return found


def _own(
    gates: GateSet,
    population: Population,
    values: Mapping[str, NDArray[np.float64]],
    objects: NDArray[np.int64],
    members: Mapping[str, NDArray[np.bool_]],
) -> NDArray[np.bool_]:
    """What a population holds before its parent is asked."""
    if population.gate:
        gate = gates.gate(population.gate)
        return gate.member(*(values[name] for name in gate.features))
    if population.definition:
        return Combination(population.definition).member(members)
    if population.tagged is None:
        return np.ones(len(objects), bool)
    tags = np.unique(np.array(population.tagged, np.int64))
    strange = tags[~np.isin(tags, objects)]
    if len(strange):
        first = ", ".join(map(str, strange[:3].tolist())) + (" ..." if len(strange) > 3 else "")
        msg = (
            f"population {population.name!r}: {len(strange)} of {len(tags)} tagged objects do not exist "
            f"among the {len(objects)} objects: {first}"
        )
        raise GateError(msg)
    return np.isin(objects, tags)


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else float("nan")
