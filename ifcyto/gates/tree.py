"""Populations and the tree that they make: parents, combinations, tags; no circles."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ifcyto.errors import GateError
from ifcyto.gates.boolean import Combination
from ifcyto.gates.gate import Gate  # noqa: TC001 - the annotations of a dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["ALL", "MAX_POPULATIONS", "GateSet", "Population", "make_gate_set", "nearest"]

ALL = "All"
"""Name of the population of all objects, unless one has another."""

MAX_POPULATIONS = 1000
"""Populations, and gates, of one set; real ones have some ten."""


@dataclass(frozen=True, slots=True)
class Population:
    """A named set of objects, as defined.

    With neither gate, definition nor tags it is the population of all objects.

    Parameters
    ----------
    name : str
    parent : str
        Population that it is a part of; empty for all objects.
    gate : str
        Name of a gate.
    definition : str
        A combination of populations; see :class:`ifcyto.gates.boolean.Combination`.
    tagged : tuple of int, or None
        Object numbers, tagged by hand.
    colour, light_colour : str
        On a dark and on a light ground, as IDEAS names colours.
    comment : str

    Raises
    ------
    GateError
        It is defined in two ways, or the definition is no combination.
    """

    name: str
    parent: str = ""
    gate: str = ""
    definition: str = ""
    tagged: tuple[int, ...] | None = None
    colour: str = ""
    light_colour: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        given = [self.gate, self.definition, self.tagged is not None]
        if not self.name or sum(map(bool, given)) > 1:
            msg = f"population {self.name!r}: expected a name and one of gate, definition and tagged"
            raise GateError(msg)
        if self.is_all and self.parent:
            msg = f"population {self.name!r}: expected a gate or a definition, found nothing but a parent"
            raise GateError(msg)
        try:
            self.needs  # noqa: B018 - raises for a definition that is none
        except GateError as error:
            msg = f"population {self.name!r}: {error}"
            raise GateError(msg) from None

    @property
    def is_all(self) -> bool:
        """Whether it is the population of all objects."""
        return not (self.gate or self.definition) and self.tagged is None

    @property
    def needs(self) -> tuple[str, ...]:
        """Populations that must be known before it: its parent first."""
        names = Combination(self.definition).names if self.definition else ()
        return (self.parent, *names) if self.parent else names


@dataclass(frozen=True, slots=True)
class GateSet:
    """Gates and the populations that they make; :func:`make_gate_set` makes one.

    Parameters
    ----------
    gates : tuple of Gate
    populations : tuple of Population
        In the order in which they are listed; parents may come later.
    features : mapping of str to str
        Stored definition of features, for those who must compute them.
    masks : mapping of str to str
        Definition of the masks of these.
    comment : str

    Raises
    ------
    GateError
        A name stands twice, or something is not there (the nearest names are given), or
        populations need one another in a circle, which is named.
    """

    gates: tuple[Gate, ...]
    populations: tuple[Population, ...]
    features: Mapping[str, str] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""

    def __post_init__(self) -> None:
        _once("gate", [gate.name for gate in self.gates])
        _once("population", self.names)
        gates = {gate.name for gate in self.gates}
        known = set(self.names)
        for population in self.populations:
            if population.gate and population.gate not in gates:
                msg = f"population {population.name!r}: no gate {population.gate!r}"
                raise GateError(msg + nearest(population.gate, gates))
            for name in population.needs:
                if name not in known:
                    msg = f"population {population.name!r}: no population {name!r}{nearest(name, self.names)}"
                    raise GateError(msg)
        self.needed(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the populations."""
        return tuple(population.name for population in self.populations)

    def gate(self, name: str) -> Gate:
        """Find a gate by its name; it must be there."""
        return next(gate for gate in self.gates if gate.name == name)

    def population(self, name: str) -> Population:
        """Find a population by its name.

        Raises
        ------
        GateError
            There is none; the nearest names are given.
        """
        for population in self.populations:
            if population.name == name:
                return population
        msg = f"no population {name!r}{nearest(name, self.names) or '; there are: ' + _listed(self.names)}"
        raise GateError(msg)

    def needed(self, names: Iterable[str]) -> tuple[Population, ...]:
        """Populations that these are made of, themselves included, each after those that it needs.

        Raises
        ------
        GateError
            One is not there, or they need one another in a circle.
        """
        by_name = {population.name: population for population in self.populations}
        done: dict[str, Population] = {}
        for name in names:
            self.population(name)
            path = {name: iter(by_name[name].needs)} if name not in done else {}
            while path:
                last = next(reversed(path))
                ahead = next((need for need in path[last] if need not in done), None)
                if ahead is None:
                    done[last] = by_name[last]
                    del path[last]
                elif ahead in path:
                    trail = list(path)
                    circle = " -> ".join([*trail[trail.index(ahead) :], ahead])
                    msg = f"populations need one another in a circle: {circle}"
                    raise GateError(msg)
                else:
                    path[ahead] = iter(by_name[ahead].needs)
        return tuple(done.values())

    def columns(self, names: Iterable[str] | None = None) -> tuple[str, ...]:
        """Features that these populations need, each once; all populations by default."""
        gates = {gate.name: gate for gate in self.gates}
        used = (gates[each.gate] for each in self.needed(names or self.names) if each.gate)
        return tuple(dict.fromkeys(name for gate in used for name in gate.features))


def make_gate_set(
    gates: Sequence[Gate],
    populations: Sequence[Population],
    *,
    features: Mapping[str, str] | None = None,
    masks: Mapping[str, str] | None = None,
    comment: str = "",
) -> GateSet:
    """Make a set; populations without a parent get that of all objects, which is added if need be.

    Parameters
    ----------
    gates, populations, features, masks, comment
        See :class:`GateSet`.

    Raises
    ------
    GateError
        See :class:`GateSet`; or there are more than :data:`MAX_POPULATIONS`.

    Examples
    --------
    >>> from ifcyto.gates.shapes import Range
    >>> made = make_gate_set(
    ...     [Gate("Focused", ("Gradient RMS_M01_BF",), Range(50))],
    ...     [Population("Focused", gate="Focused"), Population("Blurred", definition="Not|Focused")],
    ... )
    >>> [(population.name, population.parent) for population in made.populations]
    [('All', ''), ('Focused', 'All'), ('Blurred', 'All')]
    """
    check_number_of("gates", len(gates))
    check_number_of("populations", len(populations))
    listed = list(populations)
    if not any(population.is_all for population in listed):
        listed.insert(0, Population(ALL))
    base = next(population.name for population in listed if population.is_all)
    listed = [each if each.is_all or each.parent else replace(each, parent=base) for each in listed]
    return GateSet(tuple(gates), tuple(listed), dict(features or {}), dict(masks or {}), comment)


def check_number_of(what: str, n: int) -> None:
    """Raise :class:`GateError` when there are more of them than :data:`MAX_POPULATIONS`."""
    if n > MAX_POPULATIONS:
        msg = f"expected at most {MAX_POPULATIONS} {what}, found {n}"
        raise GateError(msg)


def nearest(name: str, names: Iterable[str]) -> str:
    """``; did you mean 'Focused'?`` for a misspelt name, or nothing.

    Examples
    --------
    >>> nearest("focussed", ["Focused", "Cells"])
    "; did you mean 'Focused'?"
    """
    by_lower = {known.lower(): known for known in names}
    near = [by_lower[word] for word in get_close_matches(name.lower(), by_lower, n=3)]
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _once(what: str, names: Sequence[str]) -> None:
    for name, times in Counter(names).most_common(1):
        if times > 1:
            msg = f"expected the name of each {what} once, found {name!r} {times} times"
            raise GateError(msg)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")
