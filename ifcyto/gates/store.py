"""Gates files: JSON, read and written against ``data_schemas/gates.schema.json``."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifcyto._output import replacing
from ifcyto.errors import FormatError, GateError
from ifcyto.gates.gate import Gate
from ifcyto.gates.polygon import MAX_VERTICES, Polygon
from ifcyto.gates.scales import LINEAR, Scale
from ifcyto.gates.shapes import Half, Oval, Quadrant, Range, Rectangle
from ifcyto.gates.tree import Population, make_gate_set
from ifcyto.schemas import schema_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ifcyto.gates.shapes import Shape
    from ifcyto.gates.tree import GateSet

__all__ = ["FORMAT", "VERSION", "gates_text", "parse_gates", "read_gates", "write_gates"]

FORMAT = "ifcyto gates"
VERSION = 1
"""Of the layout; a reader refuses files that are newer."""

LARGEST = 4 * 2**20
"""Bytes of a file that is read."""
MAX_VALUES = 200_000
"""Numbers, texts, lists and objects of a file that is read."""

ENTRY = re.compile(r"\$\.(gates|populations)\[(\d+)\]")
BOX = ("x_low", "x_high", "y_low", "y_high")


def read_gates(path: Path | str) -> GateSet:
    """Read a gates file.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    FormatError
        The file is missing, is no gates file, is newer than this version, or its
        gates or populations are wrong; the message names the gate or the key.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise FormatError(path, "expected a gates file, found no such file")
        size = path.stat().st_size
        if size > LARGEST:
            raise FormatError(path, f"expected a gates file of at most {LARGEST} bytes, found {size}")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FormatError(path, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FormatError(path, f"expected a gates file (JSON in UTF-8): {error}") from error
    try:
        return parse_gates(text)
    except GateError as error:
        raise FormatError(path, str(error)) from error


def parse_gates(text: str) -> GateSet:
    """Read the text of a gates file; see :func:`read_gates`.

    Raises
    ------
    GateError
        As :func:`read_gates`, without the name of a file.
    """
    try:
        document = json.loads(text, parse_constant=_no_number, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        msg = f"expected a gates file (JSON): {error}"
        raise GateError(msg) from error
    _check(document)
    try:
        return make_gate_set(
            [_gate(entry) for entry in document["gates"]],
            [Population(**entry) for entry in document["populations"]],
            features=document.get("features"),
            masks=document.get("masks"),
            comment=document.get("comment", ""),
        )
    except OverflowError as error:
        msg = f"expected numbers that can be computed with: {error}"
        raise GateError(msg) from error


def write_gates(path: Path | str, gates: GateSet, *, overwrite: bool = False) -> Path:
    """Write a gates file, which appears when it is complete.

    Parameters
    ----------
    path : path-like
    gates : GateSet
        Without tagged populations.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    GateError
        A population is tagged by hand.
    OutputError
        The file exists and `overwrite` is False, or cannot be written.
    """
    text = gates_text(gates)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
    return Path(path)


def gates_text(gates: GateSet) -> str:
    """Text of a gates file; :func:`parse_gates` gives back an equal set.

    Raises
    ------
    GateError
        A population is tagged by hand: its object numbers belong to one sample; or
        a name or a number breaks the schema.
    """
    tagged = [population.name for population in gates.populations if population.tagged is not None]
    if tagged:
        msg = (
            f"population {tagged[0]!r}: tagged by hand: its object numbers belong to one sample and "
            "not in a gates file; leave it out"
        )
        raise GateError(msg)
    lines = {
        "gates": [_gate_entry(gate) for gate in gates.gates],
        "populations": [_population_entry(population) for population in gates.populations],
    }
    single = {
        name: value
        for name, value in (("comment", gates.comment), ("features", gates.features), ("masks", gates.masks))
        if value
    }
    _check({"format": FORMAT, "version": VERSION, **lines, **single})
    parts = [f'"format": {json.dumps(FORMAT)}', f'"version": {VERSION}']
    parts += [f"{json.dumps(name)}: {json.dumps(value, indent=1)}" for name, value in single.items()]
    for name, entries in lines.items():
        rows = ",\n ".join(json.dumps(entry, allow_nan=False) for entry in entries)
        parts.append(f'"{name}": [\n {rows}\n]' if rows else f'"{name}": []')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _check(document: Any) -> None:
    """Raise :class:`GateError` for a document that is no sound gates file."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        msg = f'expected a gates file ("format": "{FORMAT}"), found another JSON file'
        raise GateError(msg)
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        msg = f"expected a gates file of version {VERSION} or older, found {version}: use a newer ifcyto"
        raise GateError(msg)
    _check_size(document)
    for entry in document["gates"] if isinstance(document.get("gates"), list) else ():
        if isinstance(entry, dict):
            _check_gate(entry)
    faults = schema_faults(document, "gates")
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        msg = f"is no sound gates file: {_named(faults[0], document)}{more}"
        raise GateError(msg)


def _check_gate(entry: Mapping[str, Any]) -> None:
    """Say in plain words what people get wrong; the schema says the rest."""
    unset = [key for key, value in entry.items() if value is None]
    vertices = entry.get("vertices")
    reason = ""
    if unset:
        reason = f"{unset[0]}: expected a number, found null: fill in your own threshold"
    elif entry.get("kind") == "range" and not {"low", "high"} & entry.keys():
        reason = "expected low or high or both, found neither"
    elif entry.get("kind") == "rectangle" and not set(BOX) & entry.keys():
        reason = f"expected at least one of {', '.join(BOX)}, found none"
    elif isinstance(vertices, list) and not 3 <= len(vertices) <= MAX_VERTICES:
        reason = f"expected a polygon of 3 to {MAX_VERTICES} vertices, found {len(vertices)}"
    if reason:
        msg = f"gate {str(entry.get('name'))[:100]!r}: {reason}"
        raise GateError(msg)


def _named(fault: str, document: Mapping[str, Any]) -> str:
    """Put the name of the gate or population into a fault of the schema."""
    place = ENTRY.match(fault)
    entry = document[place[1]][int(place[2])] if place else None
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"{fault} (in {str(name)[:100]!r})" if name else fault


def _check_size(document: Any) -> None:
    """Refuse a document of very many values before anything looks at them one by one."""
    left, n = [document], 0
    while left and n <= MAX_VALUES:
        value = left.pop()
        n += 1
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
    if n > MAX_VALUES:
        msg = f"expected a gates file of at most {MAX_VALUES} values, found more"
        raise GateError(msg)


def _gate(entry: Mapping[str, Any]) -> Gate:
    try:
        return Gate(
            entry["name"],
            tuple(entry["features"]),
            _shape(entry),
            tuple(_scale(value) for value in entry.get("scales", ())),
            *(entry.get(key, "") for key in ("colour", "light_colour", "comment")),
        )
    except GateError as error:
        start = f"gate {entry['name']!r}: "
        msg = f"{start}{str(error).removeprefix(start)}"
        raise GateError(msg) from None


def _shape(entry: Mapping[str, Any]) -> Shape:
    numbers = {key: float(entry[key]) for key in ("low", "high", "at", "x", "y", *BOX) if key in entry}
    match entry["kind"]:
        case "range":
            return Range(**numbers)
        case "half":
            return Half(numbers["at"], entry["side"] == "from")
        case "rectangle":
            return Rectangle(**numbers)
        case "quadrant":
            return Quadrant(numbers["x"], numbers["y"], int(entry["quadrant"]))
        case "oval":
            return Oval(**numbers)
    return Polygon(tuple((float(x), float(y)) for x, y in entry["vertices"]))


def _scale(value: str | float) -> Scale:
    if value == "log":
        return Scale("log")
    return LINEAR if isinstance(value, str) else Scale("linlog", float(value))


def _gate_entry(gate: Gate) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": gate.name, "kind": gate.shape.kind, "features": list(gate.features)}
    if any(scale.kind != "linear" for scale in gate.scales):
        entry["scales"] = [scale.until if scale.kind == "linlog" else scale.kind for scale in gate.scales]
    match gate.shape:
        case Half(at, upper):
            entry |= {"at": float(at), "side": "from" if upper else "below"}
        case Quadrant(x, y, number):
            entry |= {"x": float(x), "y": float(y), "quadrant": number}
        case Polygon(vertices):
            entry["vertices"] = [[float(x), float(y)] for x, y in vertices]
        case shape:
            ends = {key: getattr(shape, key) for key in ("low", "high", *BOX) if hasattr(shape, key)}
            entry |= {key: float(value) for key, value in ends.items() if math.isfinite(value)}
    return entry | _texts(gate)


def _population_entry(population: Population) -> dict[str, Any]:
    keys = ("parent", "gate", "definition")
    found = {key: getattr(population, key) for key in keys if getattr(population, key)}
    return {"name": population.name, **found, **_texts(population)}


def _texts(thing: Gate | Population) -> dict[str, str]:
    texts = {key: getattr(thing, key) for key in ("colour", "light_colour", "comment")}
    return {key: text for key, text in texts.items() if text}


def _no_number(text: str) -> float:
    msg = f"{text} is no number"
    raise ValueError(msg)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"the key {twice[:100]!r} stands twice"
        raise ValueError(msg)
    return found
