"""The elements of Gating-ML 2.0, one by one, as gates of ours."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import GateError
from ifcyto.gates.approximate import APPROXIMATION, ellipse_points, more_points, polygon_of
from ifcyto.gates.boolean import MAX_DEPTH, MAX_LENGTH, WORDS
from ifcyto.gates.gate import Gate
from ifcyto.gates.gatingml_terms import DATATYPES, GATING, OWN, OWN_TEXTS, TRANSFORMS
from ifcyto.gates.gatingml_transforms import Transform
from ifcyto.gates.polygon import MAX_VERTICES
from ifcyto.gates.scales import LINEAR
from ifcyto.gates.shapes import QUADRANTS, Half, Oval, Quadrant, Range, Rectangle
from ifcyto.readers.columns import plain_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from ifcyto.gates.scales import Scale
    from ifcyto.gates.shapes import Shape

__all__ = ["Reading", "attribute", "shown"]

IDENTITY = Transform("flin", t=1.0)
UNCOMPENSATED = "uncompensated"
UPRIGHT = 1e-12
"""Covariance that counts as none, relative to the variances."""


def attribute(element: Element, space: str, name: str) -> str:
    """Attribute of the namespace, or of none; empty where it is missing."""
    return element.get(f"{{{space}}}{name}", element.get(name, "")).strip()


def shown(text: str, limit: int = 60) -> str:
    """Quote a text from a file for a message: one line, ASCII, not too long."""
    return ascii(text if len(text) <= limit else f"{text[:limit]}...")


class Reading:
    """What the elements of one file share: transformations, names, and what to say.

    Parameters
    ----------
    root : Element
    names : sequence of str
        Columns of the table; their names in FCS lead back to them.
    approximate : bool
        See :func:`ifcyto.gates.gatingml_read.read_gatingml`.
    """

    def __init__(self, root: Element, names: Sequence[str], *, approximate: bool) -> None:
        self.approximate = approximate
        self.notes: list[str] = []
        self.named: dict[str, str] = {}
        self.owned: dict[str, Element | None] = {}
        self.helpers: dict[str, Element] = {}
        self.unfolded: dict[str, str] = {}
        self.columns: dict[str, str] = {}
        for name in names:
            self.columns.setdefault(plain_name(name), name)
        self.known = set(names)
        self.transforms = {
            attribute(each, TRANSFORMS, "id"): each
            for each in root.iterfind(f"{{{TRANSFORMS}}}transformation")
        }

    def population(self, identifier: str) -> str:
        """Name of the population of an identifier."""
        if identifier in self.named and identifier not in self.helpers:
            return self.named[identifier]
        msg = f"no gate {shown(identifier)}"
        raise GateError(msg)

    def texts(self, element: Element) -> dict[str, Any]:
        """Colours and comment that we wrote ourselves."""
        own = self.owned.get(attribute(element, GATING, "id"))
        return {} if own is None else {key: attribute(own, OWN, key)[:10_000] for key in OWN_TEXTS}

    def gate(self, element: Element, kind: str) -> Gate:
        """Gate of a rectangle, polygon or ellipsoid element."""
        dimensions = element.findall(f"{{{GATING}}}dimension")
        axes = [self._axis(each) for each in dimensions]
        name = self.named[attribute(element, GATING, "id")]
        features = self._features(element, [feature for feature, _ in axes])
        transforms = [transform for _, transform in axes]
        if kind == "RectangleGate":
            bounds = [
                _interval(attribute(each, GATING, "min"), attribute(each, GATING, "max"), transform)
                for each, transform in zip(
                    element.iterfind(f"{{{GATING}}}dimension"), transforms, strict=True
                )
            ]
            return Gate(name, features, _box(bounds), **self.texts(element))
        if len(axes) != 2:
            msg = f"expected 2 dimensions, found {len(axes)}"
            raise GateError(msg)
        if kind == "PolygonGate":
            return self._polygon(element, name, features, transforms)
        return self._ellipse(element, name, features, transforms)

    def quadrants(self, element: Element) -> list[Gate]:
        """Gates of the quadrants of an element, each of its own."""
        dividers: dict[str, tuple[str, Transform, list[float]]] = {}
        for each in element.iterfind(f"{{{GATING}}}divider"):
            feature, transform = self._axis(each)
            values = sorted(_number(value.text or "") for value in each.iterfind(f"{{{GATING}}}value"))
            dividers[attribute(each, GATING, "id")] = (feature, transform, values)
        gates = []
        for quadrant in element.iterfind(f"{{{GATING}}}Quadrant"):
            places = [
                (attribute(each, GATING, "divider_ref"), _number(attribute(each, GATING, "location")))
                for each in quadrant.iterfind(f"{{{GATING}}}position")
            ]
            strange = [divider for divider, _ in places if divider not in dividers]
            if strange:
                msg = f"no divider {shown(strange[0])}"
                raise GateError(msg)
            features = self._features(quadrant, [dividers[divider][0] for divider, _ in places])
            name = self.named[attribute(quadrant, GATING, "id")]
            shape = _quadrant([(*dividers[divider][1:], place) for divider, place in places])
            gates.append(Gate(name, features, shape, **self.texts(quadrant)))
        return gates

    def definition(self, element: Element, depth: int = 0) -> str:
        """Definition of a boolean element, with those of its helpers in brackets."""
        if depth > MAX_DEPTH:
            msg = f"expected at most {MAX_DEPTH} gates within one another"
            raise GateError(msg)
        for word, joint in (("and", "|And|"), ("or", "|Or|"), ("not", "")):
            inner = element.find(f"{{{GATING}}}{word}")
            if inner is None:
                continue
            parts = [self._operand(each, depth) for each in inner.iterfind(f"{{{GATING}}}gateReference")]
            if not parts or (word == "not" and len(parts) != 1):
                msg = f"expected gates that {word!r} refers to, found {len(parts)}"
                raise GateError(msg)
            text = f"Not|{parts[0]}" if word == "not" else joint.join(parts)
            if len(text) > MAX_LENGTH:
                msg = f"expected a combination of at most {MAX_LENGTH} characters, found {len(text)}"
                raise GateError(msg)
            return text
        msg = "expected and, or or not, found none of them"
        raise GateError(msg)

    def _operand(self, reference: Element, depth: int) -> str:
        identifier = attribute(reference, GATING, "ref")
        if identifier in self.helpers:
            if identifier not in self.unfolded:
                self.unfolded[identifier] = self.definition(self.helpers[identifier], depth + 1)
            text = f"(|{self.unfolded[identifier]}|)"
        else:
            text = self.population(identifier)
            if "|" in text or text in WORDS:
                msg = f"the name {shown(text)} cannot stand in a combination"
                raise GateError(msg)
        inverse = attribute(reference, GATING, "use-as-complement") in {"true", "1"}
        return f"Not|{text}" if inverse else text

    def _axis(self, element: Element) -> tuple[str, Transform]:
        """Parameter and transformation of one dimension."""
        parameter = element.find(f"{{{DATATYPES}}}fcs-dimension")
        if parameter is None or not (name := attribute(parameter, DATATYPES, "name")):
            msg = "expected a parameter of the file, found a computed dimension, which ifcyto does not have"
            raise GateError(msg)
        compensation = attribute(element, GATING, "compensation-ref")
        if compensation not in {"", UNCOMPENSATED}:
            msg = f"parameter {shown(name)} is compensated ({shown(compensation)}), which ifcyto does not do"
            raise GateError(msg)
        reference = attribute(element, GATING, "transformation-ref")
        return name, self._transform(reference) if reference else IDENTITY

    def _transform(self, identifier: str) -> Transform:
        if identifier not in self.transforms:
            msg = f"no transformation {shown(identifier)}"
            raise GateError(msg)
        outer = self.transforms[identifier]
        inner = [each for each in outer if each.tag.startswith(f"{{{TRANSFORMS}}}")] or list(outer)
        kind = inner[0].tag.rpartition("}")[2] if inner else ""
        if kind not in Transform.PARAMETERS:
            msg = f"transformation {shown(identifier)}: {shown(kind)} is not known to ifcyto"
            raise GateError(msg)
        if attribute(inner[0], TRANSFORMS, "boundMin") or attribute(inner[0], TRANSFORMS, "boundMax"):
            msg = f"transformation {shown(identifier)} is cut off at bounds, which ifcyto does not do"
            raise GateError(msg)
        given = {
            letter.lower(): _number(attribute(inner[0], TRANSFORMS, letter))
            for letter in Transform.PARAMETERS[kind]
        }
        return Transform(kind, **given)

    def _features(self, element: Element, found: Sequence[str]) -> tuple[str, ...]:
        """Full names of parameters: as we wrote them, or those of the table."""
        own = self.owned.get(attribute(element, GATING, "id"))
        names = []
        try:
            listed = [] if own is None else json.loads(attribute(own, OWN, "features") or "[]")
        except (ValueError, RecursionError):
            listed = []
        full = {plain_name(name): name for name in listed if isinstance(name, str)}
        for name in found:
            known = name if name in self.known else self.columns.get(name)
            names.append(known or full.get(name, name))
        return tuple(names)

    def _polygon(
        self, element: Element, name: str, features: tuple[str, ...], transforms: Sequence[Transform]
    ) -> Gate:
        vertices = [_point(each) for each in element.iterfind(f"{{{GATING}}}vertex")]
        if not 3 <= len(vertices) <= MAX_VERTICES or any(len(vertex) != 2 for vertex in vertices):
            msg = f"expected a polygon of 3 to {MAX_VERTICES} vertices of 2 numbers, found {len(vertices)}"
            raise GateError(msg)
        points = np.array(vertices)
        scales = [transform.scale for transform in transforms]
        if None not in scales:
            return Gate(
                name,
                features,
                polygon_of(_data(points, transforms)),
                self._scales(scales),
                **self.texts(element),
            )
        return self._approximation(element, name, features, _data(more_points(points), transforms), "polygon")

    def _ellipse(
        self, element: Element, name: str, features: tuple[str, ...], transforms: Sequence[Transform]
    ) -> Gate:
        mean = element.find(f"{{{GATING}}}mean")
        size = element.find(f"{{{GATING}}}distanceSquare")
        rows = [
            _point(row, "entry") for row in element.iterfind(f"{{{GATING}}}covarianceMatrix/{{{GATING}}}row")
        ]
        centre = _point(mean) if mean is not None else []
        square = _number(attribute(size, DATATYPES, "value")) if size is not None else math.nan
        if len(centre) != 2 or [len(row) for row in rows] != [2, 2] or not square > 0:
            msg = "expected an ellipse with a mean, a matrix of 2 x 2 and a distance above 0, found another"
            raise GateError(msg)
        (xx, xy), (yx, yy) = rows
        limit = UPRIGHT * math.sqrt(abs(xx * yy))
        if not (xx > 0 and yy > 0 and abs(xy - yx) <= limit and xx * yy > xy * yx):
            msg = f"expected a matrix of covariance that is symmetric and positive, found {rows}"
            raise GateError(msg)
        scales = [transform.scale for transform in transforms]
        middle, matrix = np.array(centre), np.array(rows) * square
        if abs(xy) <= limit and None not in scales:
            half = np.sqrt(np.diag(matrix))
            (x_low, y_low), (x_high, y_high) = _data(
                np.array([middle - half, middle + half]), transforms
            ).tolist()
            oval = Oval(x_low, x_high, y_low, y_high)
            return Gate(name, features, oval, self._scales(scales), **self.texts(element))
        points = _data(ellipse_points(middle, (matrix + matrix.T) / 2), transforms)
        return self._approximation(
            element, name, features, points, "turned ellipse" if xy else "ellipse", scales
        )

    def _approximation(
        self,
        element: Element,
        name: str,
        features: tuple[str, ...],
        points: NDArray[np.float64],
        what: str,
        scales: Sequence[Scale | None] = (None,),
    ) -> Gate:
        """Polygon instead of what we do not have."""
        if not self.approximate:
            where = " on this transformed axis" if None in scales else ""
            msg = f"a {what}{where} has no equivalent in ifcyto; allow an approximation (--approximate)"
            raise GateError(msg)
        self.notes.append(f"gate {shown(name)}: {APPROXIMATION}")
        texts = self.texts(element)
        texts["comment"] = f"{APPROXIMATION} of a {what}. {texts.get('comment', '')}".strip()
        kept = () if None in scales else self._scales(scales)
        return Gate(name, features, polygon_of(points), kept, **texts)

    @staticmethod
    def _scales(scales: Sequence[Scale | None]) -> tuple[Scale, ...]:
        """Scales of a gate; none when all axes are linear."""
        return () if all(scale == LINEAR for scale in scales) else tuple(filter(None, scales))


def _number(text: str) -> float:
    try:
        value = float(text) if len(text) < 100 else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        msg = f"expected a number, found {shown(text)}"
        raise GateError(msg)
    return value


def _point(element: Element, part: str = "coordinate") -> list[float]:
    return [_number(attribute(each, DATATYPES, "value")) for each in element.iterfind(f"{{{GATING}}}{part}")]


def _data(points: NDArray[np.float64], transforms: Sequence[Transform]) -> NDArray[np.float64]:
    """Points ``(n, 2)`` in data units."""
    return np.column_stack([each.inverse(points[:, i]) for i, each in enumerate(transforms)])


def _interval(low: str, high: str, transform: Transform) -> tuple[float, float]:
    """Bounds in data units: the lower one held, the upper one not; infinite where there is none."""
    ends = [math.nan if not text else _number(text) for text in (low, high)]
    begin, end = transform.inverse(np.array(ends)).tolist()
    return (begin if low else -math.inf), (end if high else math.inf)


def _box(bounds: Sequence[tuple[float, float]]) -> Shape:
    """Shape of half-open intervals, as closed ones: up to the next smaller number."""
    if not 1 <= len(bounds) <= 2:
        msg = f"expected 1 or 2 dimensions, found {len(bounds)}: split the gate into several"
        raise GateError(msg)
    closed = [(low, math.nextafter(high, -math.inf) if high < math.inf else high) for low, high in bounds]
    if len(closed) == 1:
        low, high = bounds[0]
        return Half(high, upper=False) if low == -math.inf and high < math.inf else Range(*closed[0])
    return Rectangle(*closed[0], *closed[1])


def _quadrant(places: Sequence[tuple[Transform, list[float], float]]) -> Shape:
    """Shape of the part between dividers in which a place lies."""
    if len(places) == 2 and all(len(values) == 1 for _, values, _ in places):
        (x, right), (y, upper) = (
            (float(transform.inverse(np.array(values))[0]), place >= values[0])
            for transform, values, place in places
        )
        number = next(number for number, sides in QUADRANTS.items() if sides == (right, upper))
        return Quadrant(x, y, number)
    bounds = []
    for transform, values, place in places:
        ends = [-math.inf, *transform.inverse(np.array(values)).tolist(), math.inf]
        edges = pairwise([-math.inf, *values, math.inf])
        part = next(i for i, (low, high) in enumerate(edges) if low <= place < high)
        bounds.append((ends[part], ends[part + 1]))
    return _box(bounds)
