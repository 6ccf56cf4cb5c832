"""Write gates and populations as Gating-ML 2.0, for other cytometry programs.

Ranges and rectangles of Gating-ML hold their lower bound and not their upper one; ours
hold both, so an upper bound is written as the next larger number. Features go by their
``$PnN`` in the FCS files that :mod:`ifcyto.writers.fcs` writes; full names of features
and populations go into ``custom_info``, which other programs pass over.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np

from ifcyto._output import replacing
from ifcyto.errors import GateError
from ifcyto.gates.approximate import APPROXIMATION, ellipse_points, more_points
from ifcyto.gates.boolean import Combination
from ifcyto.gates.gatingml_terms import DATATYPES, GATING, OWN, OWN_TEXTS, TRANSFORMS, legal_id
from ifcyto.gates.polygon import Polygon
from ifcyto.gates.portable import portable
from ifcyto.gates.shapes import QUADRANTS, Half, Oval, Quadrant, Range, Rectangle
from ifcyto.readers.columns import OBJECT_NUMBER, legal_names, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.gates.gate import Gate
    from ifcyto.gates.tree import GateSet, Population

__all__ = ["gatingml_text", "write_gatingml"]

LOG = "log10"
"""Identifier of the one transformation that we write: flog with T = 10 and M = 1, log10(x)."""


@dataclass(frozen=True, slots=True)
class Node:
    """A boolean expression: ``ref`` with `name`, or ``and``, ``or``, ``not`` of others; ``all``."""

    kind: str
    name: str = ""
    parts: tuple[Node, ...] = ()

    def __and__(self, other: Node) -> Node:
        if "all" in {self.kind, other.kind}:
            return other if self.kind == "all" else self
        return Node("and", parts=(*self._same("and"), *other._same("and")))

    def __or__(self, other: Node) -> Node:
        if "all" in {self.kind, other.kind}:
            return Node("all")
        return Node("or", parts=(*self._same("or"), *other._same("or")))

    def __invert__(self) -> Node:
        return self.parts[0] if self.kind == "not" else Node("not", parts=(self,))

    def _same(self, kind: str) -> tuple[Node, ...]:
        return self.parts if self.kind == kind else (self,)


def write_gatingml(
    path: Path | str,
    gates: GateSet,
    *,
    names: Sequence[str] = (),
    approximate: bool = False,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Write a Gating-ML 2.0 file, which appears when it is complete.

    Parameters
    ----------
    path : path-like
    gates : GateSet
    names : sequence of str
        Columns of the table that goes with it as FCS, in its order; they decide the names
        of parameters where two are the same but for case or for letters not allowed.
    approximate : bool
        Write ovals and polygons on linear-logarithmic axes, which Gating-ML does not have,
        as polygons of many vertices; their comments say so.
    overwrite : bool

    Returns
    -------
    tuple of str
        Notes: populations that were left out since they are lists of objects, and
        approximations.

    Raises
    ------
    GateError
        A gate has no equivalent and `approximate` is False; or there is nothing to write.
    OutputError
        The file exists and `overwrite` is False, or cannot be written.
    """
    text, notes = gatingml_text(gates, names=names, approximate=approximate)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
    return notes


def gatingml_text(
    gates: GateSet, *, names: Sequence[str] = (), approximate: bool = False
) -> tuple[str, tuple[str, ...]]:
    """Text of a Gating-ML file, and notes; see :func:`write_gatingml`.

    Raises
    ------
    GateError
        See :func:`write_gatingml`.
    """
    kept, lost = portable(gates)
    writer = _Writer(kept, names, approximate=approximate)
    text = writer.text()
    notes = writer.notes
    if lost:
        notes = [f"left out, tagged by hand or made of what is: {', '.join(map(repr, lost))}", *notes]
    return text, tuple(notes)


class _Writer:
    def __init__(self, gates: GateSet, names: Sequence[str], *, approximate: bool) -> None:
        self.gates = gates
        self.approximate = approximate
        self.notes: list[str] = []
        self.taken: set[str] = {LOG}
        self.ids: dict[str, str] = {}
        listed = [name for name in names if name != OBJECT_NUMBER]
        legal = legal_names(listed, taken=[OBJECT_NUMBER, "Class", "Probability"])
        self.columns = dict(zip(listed, legal, strict=True))
        self.root = ET.Element(f"{{{GATING}}}Gating-ML")

    def text(self) -> str:
        for prefix, space in (
            ("gating", GATING), ("data-type", DATATYPES), ("transforms", TRANSFORMS), ("ifcyto", OWN)
        ):  # fmt: skip
            ET.register_namespace(prefix, space)
        self._add_log()
        populations = [each for each in self.gates.needed(self.gates.names) if not each.is_all]
        if not populations:
            msg = "expected gates to write, found none: lists of objects have no place in Gating-ML"
            raise GateError(msg)
        for population in populations:
            self.ids[population.name] = legal_id(population.name, self.taken)
        for population in populations:
            if population.gate:
                self._drawn(population, self.gates.gate(population.gate))
            else:
                self._combined(population)
        ET.indent(self.root, " ")
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(self.root, "unicode") + "\n"

    def _add_log(self) -> None:
        needed = any(
            scale.kind == "log" and gate.shape.needs_scale for gate in self.gates.gates for scale in gate.axes
        )
        if needed:
            made = ET.SubElement(self.root, f"{{{TRANSFORMS}}}transformation", {f"{{{TRANSFORMS}}}id": LOG})
            ten_and_one = {f"{{{TRANSFORMS}}}T": "10", f"{{{TRANSFORMS}}}M": "1"}
            ET.SubElement(made, f"{{{TRANSFORMS}}}flog", ten_and_one)

    def _element(
        self, kind: str, name: str, parent: str, custom: Mapping[str, str], *, identifier: str = ""
    ) -> ET.Element:
        attributes = {f"{{{GATING}}}id": identifier or self.ids[name]}
        if parent in self.ids:
            attributes[f"{{{GATING}}}parent_id"] = self.ids[parent]
        element = ET.SubElement(self.root, f"{{{GATING}}}{kind}", attributes)
        info = ET.SubElement(element, f"{{{DATATYPES}}}custom_info")
        own = {key: value for key, value in custom.items() if value}
        ET.SubElement(info, f"{{{OWN}}}gate", {f"{{{OWN}}}{key}": value for key, value in own.items()})
        return element

    def _drawn(self, population: Population, gate: Gate) -> None:
        custom = {"name": population.name, "features": json.dumps(list(gate.features))}
        custom |= {key: getattr(population, key) or getattr(gate, key) for key in OWN_TEXTS}
        try:
            self._shape(population, gate, custom)
        except GateError as error:
            msg = f"population {population.name!r}: {error}"
            raise GateError(msg) from None

    def _shape(self, population: Population, gate: Gate, custom: dict[str, str]) -> None:
        name, parent = population.name, population.parent
        match gate.shape:
            case Range() | Half() | Rectangle():
                element = self._element("RectangleGate", name, parent, custom)
                for feature, low, high in zip(gate.features, *_bounds(gate), strict=True):
                    ends = {"min": low, "max": high}
                    given = {f"{{{GATING}}}{k}": repr(v) for k, v in ends.items() if math.isfinite(v)}
                    self._dimension(element, feature, given)
            case Quadrant(x, y, number):
                self._quadrant(population, gate, custom, (x, y), QUADRANTS[number])
            case Polygon() | Oval():
                self._curved(population, gate, custom)
            case other:
                msg = f"{other.kind} gates have no equivalent in Gating-ML"
                raise GateError(msg)

    def _dimension(
        self, element: ET.Element, feature: str, attributes: Mapping[str, str], kind: str = "dimension"
    ) -> ET.Element:
        made = ET.SubElement(
            element, f"{{{GATING}}}{kind}", {f"{{{GATING}}}compensation-ref": "uncompensated", **attributes}
        )
        name = self.columns.get(feature) or plain_name(feature)
        ET.SubElement(made, f"{{{DATATYPES}}}fcs-dimension", {f"{{{DATATYPES}}}name": name})
        return made

    def _quadrant(
        self,
        population: Population,
        gate: Gate,
        custom: Mapping[str, str],
        cross: tuple[float, float],
        sides: tuple[bool, bool],
    ) -> None:
        """One gate with two dividers, of whose quadrants the one is named that is wanted."""
        outer = legal_id(f"{self.ids[population.name]}_cross", self.taken)
        element = self._element("QuadrantGate", "", population.parent, custom, identifier=outer)
        dividers = []
        for feature, at in zip(gate.features, cross, strict=True):
            dividers.append(legal_id(f"{outer}_divider", self.taken))
            made = self._dimension(element, feature, {f"{{{GATING}}}id": dividers[-1]}, "divider")
            ET.SubElement(made, f"{{{GATING}}}value").text = repr(float(at))
        inner = ET.SubElement(
            element, f"{{{GATING}}}Quadrant", {f"{{{GATING}}}id": self.ids[population.name]}
        )
        for divider, at, upper in zip(dividers, cross, sides, strict=True):
            place = at + max(1.0, abs(at)) * (1 if upper else -1)
            attributes = {f"{{{GATING}}}divider_ref": divider, f"{{{GATING}}}location": repr(place)}
            ET.SubElement(inner, f"{{{GATING}}}position", attributes)

    def _curved(self, population: Population, gate: Gate, custom: dict[str, str]) -> None:
        """Ovals and polygons, whose form depends on the axes."""
        name, parent = population.name, population.parent
        kinds = [scale.kind for scale in gate.axes]
        if "linlog" in kinds:
            vertices = self._unfolded(population, gate)
            custom["comment"] = f"{APPROXIMATION}. {custom['comment']}".strip()
            self._polygon(name, parent, gate.features, vertices, custom, ["linear"] * 2)
        elif isinstance(gate.shape, Polygon):
            vertices = np.array(gate.shape.vertices, np.float64)
            self._polygon(name, parent, gate.features, _scaled(vertices, kinds), custom, kinds)
        else:
            ends = _scaled(np.array(gate.shape.corners(), np.float64), kinds)
            element = self._element("EllipsoidGate", name, parent, custom)
            for feature, kind in zip(gate.features, kinds, strict=True):
                self._dimension(element, feature, _reference(kind))
            self._point(element, "mean", ends.mean(axis=0).tolist())
            matrix = ET.SubElement(element, f"{{{GATING}}}covarianceMatrix")
            for row in np.diag(np.square((ends[1] - ends[0]) / 2)).tolist():
                self._point(matrix, "row", row, "entry")
            ET.SubElement(element, f"{{{GATING}}}distanceSquare", {f"{{{DATATYPES}}}value": "1"})

    def _polygon(
        self,
        name: str,
        parent: str,
        features: Sequence[str],
        vertices: NDArray[np.float64],
        custom: Mapping[str, str],
        kinds: Sequence[str],
    ) -> None:
        element = self._element("PolygonGate", name, parent, custom)
        for feature, kind in zip(features, kinds, strict=True):
            self._dimension(element, feature, _reference(kind))
        for vertex in vertices.tolist():
            self._point(element, "vertex", vertex)

    def _point(
        self, element: ET.Element, kind: str, values: Sequence[float], part: str = "coordinate"
    ) -> None:
        made = ET.SubElement(element, f"{{{GATING}}}{kind}")
        for value in values:
            ET.SubElement(made, f"{{{GATING}}}{part}", {f"{{{DATATYPES}}}value": repr(value)})

    def _unfolded(self, population: Population, gate: Gate) -> NDArray[np.float64]:
        """Vertices in data units of a shape drawn on linear-logarithmic axes."""
        if not self.approximate:
            msg = (
                f"a {gate.shape.kind} on linear-logarithmic axes has no equivalent in Gating-ML; "
                "allow an approximation by a polygon (--approximate)"
            )
            raise GateError(msg)
        self.notes.append(f"population {population.name!r}: {APPROXIMATION}")
        corners = np.array(gate.shape.corners(), np.float64)
        placed = np.column_stack([scale.place(corners[:, i]) for i, scale in enumerate(gate.axes)])
        if isinstance(gate.shape, Oval):
            half = (placed[1] - placed[0]) / 2
            points = ellipse_points(placed.mean(axis=0), np.diag(np.square(half)))
        else:
            points = more_points(placed)
        return np.column_stack([scale.data(points[:, i]) for i, scale in enumerate(gate.axes)])

    def _combined(self, population: Population) -> None:
        members: Any = {each.name: Node("ref", each.name) for each in self.gates.populations}
        members |= {each.name: Node("all") for each in self.gates.populations if each.is_all}
        node: Any = Combination(population.definition).member(members)
        custom = {"name": population.name, **{key: getattr(population, key) for key in OWN_TEXTS}}
        self._boolean(node, self.ids[population.name], population.parent, custom)

    def _boolean(self, node: Node, identifier: str, parent: str, custom: Mapping[str, str]) -> None:
        kind, parts = node.kind, node.parts
        if kind == "ref":
            kind, parts = "and", (node, node)  # the standard wants two
        elif kind == "all" or (kind == "not" and parts[0].kind == "all"):
            drawn = [each.name for each in self.gates.populations if each.gate]
            if not drawn:
                msg = "a combination of nothing but all objects has no equivalent in Gating-ML"
                raise GateError(msg)
            some = Node("ref", drawn[0])
            kind, parts = ("or" if kind == "all" else "and"), (some, ~some)
        references = [self._reference_to(part) for part in parts]
        element = self._element("BooleanGate", "", parent, custom, identifier=identifier)
        inner = ET.SubElement(element, f"{{{GATING}}}{kind}")
        for reference, complement in references:
            attributes = {f"{{{GATING}}}ref": reference}
            if complement:
                attributes[f"{{{GATING}}}use-as-complement"] = "true"
            ET.SubElement(inner, f"{{{GATING}}}gateReference", attributes)

    def _reference_to(self, node: Node) -> tuple[str, bool]:
        """Gate for a part of an expression, and whether its complement is meant."""
        if node.kind == "not" and node.parts[0].kind != "all":
            reference, complement = self._reference_to(node.parts[0])
            return reference, not complement
        if node.kind == "ref":
            return self.ids[node.name], False
        helper = legal_id("part", self.taken)
        self._boolean(node, helper, "", {"helper": "true"})
        return helper, False


def _bounds(gate: Gate) -> Iterator[tuple[float, ...]]:
    """Lower bounds, held, and upper bounds, not held, one each an axis."""
    match gate.shape:
        case Range(low, high):
            yield from ((low,), (_beyond(high),))
        case Half(at, upper):
            yield from ((at if upper else -math.inf,), (math.inf if upper else at,))
        case Rectangle(x_low, x_high, y_low, y_high):
            yield from ((x_low, y_low), (_beyond(x_high), _beyond(y_high)))


def _beyond(value: float) -> float:
    return math.nextafter(value, math.inf)


def _scaled(points: NDArray[np.float64], kinds: Sequence[str]) -> NDArray[np.float64]:
    """Points ``(n, 2)`` as they are written: on logarithmic axes log10 of them."""
    return np.column_stack(
        [np.log10(points[:, i]) if kind == "log" else points[:, i] for i, kind in enumerate(kinds)]
    )


def _reference(kind: str) -> dict[str, str]:
    return {f"{{{GATING}}}transformation-ref": LOG} if kind == "log" else {}
