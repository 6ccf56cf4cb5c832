"""Read gates and populations from Gating-ML 2.0.

Every gate of the file becomes a gate and a population of its name. Ranges, rectangles
and quadrants on any transformed axis come over exactly: all transformations rise, so
that their bounds are brought to data units. Ellipses and polygons do so on linear and
logarithmic axes; elsewhere they have no equivalent, or an approximation on request.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ifcyto.errors import FormatError, GateError
from ifcyto.gates.gatingml_parts import Reading, attribute, shown
from ifcyto.gates.gatingml_terms import DATATYPES, GATING, OWN
from ifcyto.gates.tree import MAX_POPULATIONS, GateSet, Population, make_gate_set

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from ifcyto.gates.gate import Gate

__all__ = ["GatingMl", "is_gatingml", "parse_gatingml", "read_gatingml"]

LARGEST = 16 * 2**20
"""Bytes of a file that is read."""
MAX_HELPERS = 10_000
GATES = ("RectangleGate", "PolygonGate", "EllipsoidGate", "QuadrantGate", "BooleanGate")


@dataclass(frozen=True, slots=True)
class GatingMl:
    """What a Gating-ML file says.

    Parameters
    ----------
    gates : GateSet
    notes : tuple of str
        Approximations, and what was left out.
    lost : tuple of str
        Identifiers of gates that were left out.
    """

    gates: GateSet
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def is_gatingml(path: Path | str) -> bool:
    """Say whether a file is Gating-ML, by its first bytes."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False  # whoever reads it says why
    return b"Gating-ML" in head and head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")


def read_gatingml(
    path: Path | str, *, names: Sequence[str] = (), approximate: bool = False, salvage: bool = False
) -> GatingMl:
    """Read a Gating-ML 2.0 file.

    Parameters
    ----------
    path : path-like
    names : sequence of str
        Columns of the table that the gates are for; parameters named as FCS must name
        them (without commas) get their full names.
    approximate : bool
        Take ellipses that are turned, and ellipses and polygons on axes that ifcyto does not
        have, as polygons of many vertices; their comments say so.
    salvage : bool
        Leave out gates that are wrong or not known, and those that need them, with a note.

    Raises
    ------
    FormatError
        The file is missing, is no Gating-ML 2.0, holds a document type or entities; or a
        gate is wrong, of unknown kind, on an unknown transformation or compensated.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise FormatError(
                path, f"expected a Gating-ML file of at most {LARGEST} bytes, found a larger one"
            )
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(path, f"cannot be read: {error.strerror or error}") from error
    try:
        return parse_gatingml(data, names=names, approximate=approximate, salvage=salvage)
    except GateError as error:
        raise FormatError(path, str(error)) from error


def parse_gatingml(
    data: bytes | str, *, names: Sequence[str] = (), approximate: bool = False, salvage: bool = False
) -> GatingMl:
    """Read the text of a Gating-ML file; see :func:`read_gatingml`.

    Raises
    ------
    GateError
        As :func:`read_gatingml`, without the name of a file.
    """
    root = _root(data)
    elements = [child for child in root if _local(child) in GATES and child.tag.startswith(f"{{{GATING}}}")]
    if len(elements) > MAX_HELPERS:
        msg = f"expected at most {MAX_HELPERS} gates, found {len(elements)}"
        raise GateError(msg)
    reading = Reading(root, names, approximate=approximate)
    made: dict[str, tuple[Gate | None, Population]] = {}
    lost: dict[str, str] = {}
    _named(reading, elements)
    for element in elements:
        identifier = attribute(element, GATING, "id")
        try:
            if identifier in reading.helpers:
                continue  # its definition stands where it is needed
            made |= {item[1].name: item for item in _populations(reading, element)}
        except GateError as error:
            reason = f"gate {shown(identifier)}: {error}"
            if not salvage:
                raise GateError(reason) from None
            lost[identifier] = reason
    return _sorted_out(reading, made, lost, salvage=salvage)


def _root(data: bytes | str) -> Element:
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        msg = "expected plain XML, found a document type declaration or an entity: refused as unsafe"
        raise GateError(msg) from error
    except (ParseError, ValueError, LookupError) as error:
        msg = f"expected Gating-ML (XML): {error}"
        raise GateError(msg) from error
    if root.tag != f"{{{GATING}}}Gating-ML":
        msg = f"expected Gating-ML 2.0, found {shown(root.tag)}: export it as Gating-ML 2.0 first"
        raise GateError(msg)
    return root


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _named(reading: Reading, elements: Sequence[Element]) -> None:
    """Name of the population of each identifier, and the helpers that have none."""
    taken: set[str] = set()
    for element in elements:
        own = element.find(f"{{{DATATYPES}}}custom_info/{{{OWN}}}gate")
        wanted = attribute(own, OWN, "name") if own is not None else ""
        identifier = attribute(element, GATING, "id")
        if own is not None and attribute(own, OWN, "helper") == "true" and _local(element) == "BooleanGate":
            reading.helpers[identifier] = element
        quadrants = element.findall(f"{{{GATING}}}Quadrant")
        for one in [element] if _local(element) != "QuadrantGate" else quadrants:
            known = attribute(one, GATING, "id")
            if not known or known in reading.named:
                msg = f"expected an identifier for each gate, found {shown(known)} {'twice' if known else ''}"
                raise GateError(msg.rstrip())
            name = wanted if wanted and len(quadrants) < 2 and wanted not in taken else known
            if name in taken:
                name = known
            taken.add(name)
            reading.named[known] = name
            reading.owned[known] = own


def _populations(reading: Reading, element: Element) -> list[tuple[Gate | None, Population]]:
    """Gates and populations of one element; a quadrant gate has several."""
    parent = attribute(element, GATING, "parent_id")
    above = reading.population(parent) if parent else ""
    kind = _local(element)
    if kind == "BooleanGate":
        name = reading.named[attribute(element, GATING, "id")]
        texts = reading.texts(element)
        return [(None, Population(name, above, definition=reading.definition(element), **texts))]
    gates = reading.quadrants(element) if kind == "QuadrantGate" else [reading.gate(element, kind)]
    return [
        (gate, Population(gate.name, above, gate=gate.name, colour=gate.colour,
                          light_colour=gate.light_colour, comment=gate.comment))
        for gate in gates
    ]  # fmt: skip


def _sorted_out(
    reading: Reading,
    made: dict[str, tuple[Gate | None, Population]],
    lost: dict[str, str],
    *,
    salvage: bool,
) -> GatingMl:
    """The set of all gates; when salvaging, of those that need nothing that is lost."""
    notes = list(reading.notes)
    before = math.inf
    while salvage and len(made) < before:
        before = len(made)
        for name, (_, population) in list(made.items()):
            if any(need not in made for need in population.needs) or _circular(name, made):
                lost[name] = f"gate {shown(name)}: needs what was left out"
                del made[name]
    if not made:
        reason = next(iter(lost.values()), "the file holds none")
        msg = f"expected gates that can be used, found none: {reason}"
        raise GateError(msg)
    if len(made) > MAX_POPULATIONS:
        msg = f"expected at most {MAX_POPULATIONS} populations, found {len(made)}"
        raise GateError(msg)
    notes += [f"left out: {reason}" for reason in lost.values()]
    gates = [gate for gate, _ in made.values() if gate is not None]
    return GatingMl(
        make_gate_set(gates, [population for _, population in made.values()]), tuple(notes), tuple(lost)
    )


def _circular(name: str, made: dict[str, tuple[Gate | None, Population]]) -> bool:
    """Whether a population needs itself."""
    waiting, seen = list(made[name][1].needs), set()
    while waiting:
        need = waiting.pop()
        if need == name:
            return True
        if need in made and need not in seen:
            seen.add(need)
            waiting += made[need][1].needs
    return False
