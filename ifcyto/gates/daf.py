"""Regions and populations of an IDEAS analysis file (DAF) as gates and populations of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import FormatError, GateError
from ifcyto.gates.gate import Gate
from ifcyto.gates.members import populate
from ifcyto.gates.polygon import Polygon
from ifcyto.gates.scales import LINEAR, Scale
from ifcyto.gates.shapes import Half, Oval, Quadrant, Range, Rectangle
from ifcyto.gates.tree import MAX_POPULATIONS, GateSet, Population, check_number_of, make_gate_set, nearest
from ifcyto.readers.daf_document import read_daf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.gates.members import Populations
    from ifcyto.gates.shapes import Shape
    from ifcyto.readers.daf_records import DafDocument, DafImage, DafPopulation, DafRegion

__all__ = ["DafGating", "gating_of", "read_daf_gating"]


@dataclass(frozen=True, slots=True, eq=False)
class DafGating:
    """What a DAF says of its objects: gates, populations and the values that they are made of.

    Parameters
    ----------
    path : pathlib.Path
    gates : GateSet
        With the definitions of all features and masks of the file.
    objects : ndarray (N,) of int64
        Object numbers.
    columns : dict of str to ndarray (N,) of float64
        Stored values of the features.
    images : tuple of DafImage
        Names, channels and colours.
    volume : float
        Of the sample, from the stored concentrations; NaN when there is none.
    notes : tuple of str
        What a user should know.
    lost : tuple of str
        Populations that were left out.
    """

    path: Path
    gates: GateSet
    objects: NDArray[np.int64]
    columns: dict[str, NDArray[np.float64]]
    images: tuple[DafImage, ...]
    volume: float
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def populations(self, only: Iterable[str] | None = None) -> Populations:
        """Members of the populations, by the stored values.

        Raises
        ------
        FormatError
            A feature has no stored values, or a tagged object does not exist.
        GateError
            There is no such population; the nearest names are given.
        """
        names = self.gates.names if only is None else [self.gates.population(name).name for name in only]
        try:
            return populate(self.gates, self.columns, self.objects, only=names)
        except GateError as error:
            raise FormatError(self.path, str(error)) from error


def read_daf_gating(path: Path | str, *, salvage: bool = False) -> DafGating:
    """Read gates, populations and stored features of a DAF; its CIF is not needed.

    Parameters
    ----------
    path : path-like
    salvage : bool
        Leave out regions and populations that are wrong, and what is made of them, with
        a note, and keep what is intact of a damaged file.

    Raises
    ------
    FormatError
        The file is no DAF or damaged, or a region or a population is wrong.
    """
    return gating_of(read_daf(path, salvage=salvage), salvage=salvage)


def gating_of(document: DafDocument, *, salvage: bool = False) -> DafGating:
    """Take gates, populations and stored features of a DAF that was read; see :func:`read_daf_gating`."""
    notes = [*document.notes, *map(str, document.faults)]
    columns = {name: document.feature(name) for name in document.feature_names}
    lost: list[str] = []
    try:
        gates = _gate_set(document, document.populations)
        if salvage:
            populate(gates, columns, document.objects.object_numbers)
    except GateError as error:
        if not salvage or len(document.populations) > MAX_POPULATIONS:
            raise FormatError(document.path, str(error)) from error
        kept, lost = _sorted_out(document, columns)
        gates = _gate_set(document, kept)
        notes.append(f"left out, wrong or made of what is wrong: {', '.join(map(repr, lost))} ({error})")
    used = {population.region for population in document.populations}
    idle = [repr(region.label) for region in document.regions if region.label not in used]
    if idle:
        notes.append(f"left out, regions that no population uses: {', '.join(idle)}")
    volumes = [row.count / row.concentration for row in document.statistics if row.concentration > 0]
    return DafGating(
        document.path,
        gates,
        document.objects.object_numbers,
        columns,
        document.images,
        float(np.median(volumes)) if volumes else math.nan,
        tuple(notes),
        tuple(lost),
    )


def _gate_set(document: DafDocument, populations: Sequence[DafPopulation]) -> GateSet:
    """All gates of these populations; regions have no features of their own and may be used twice."""
    check_number_of("populations", len(populations))
    regions: dict[str, list[DafRegion]] = {}
    for region in document.regions:
        regions.setdefault(region.label, []).append(region)
    gates: dict[tuple[str, ...], Gate] = {}
    made = []
    for population in populations:
        name = ""
        if population.type == "G":
            key = (population.region, *(feature for feature in (population.fx, population.fy) if feature))
            if key not in gates:
                twice = any(population.region == other[0] for other in gates)
                name = f"{population.region} on {', '.join(key[1:])}" if twice else population.region
                gates[key] = _gate(name, population, regions, key[1:])
            name = gates[key].name
        made.append(_population(population, name))
    return make_gate_set(
        list(gates.values()),
        made,
        features={feature.name: feature.definition for feature in document.features},
        masks={mask.name: mask.definition for mask in document.masks},
    )


def _gate(
    name: str,
    population: DafPopulation,
    regions: Mapping[str, Sequence[DafRegion]],
    features: tuple[str, ...],
) -> Gate:
    """Gate of a drawn population: its region, on its features."""
    start = f"population {population.name!r}: "
    found = regions.get(population.region, [])
    if len(found) != 1:
        what = f"{len(found)} regions" if found else "no region"
        hint = "" if found else nearest(population.region, regions)
        msg = f"{start}{what} {population.region!r}{hint}"
        raise GateError(msg)
    (region,) = found
    try:
        shape = _shape(region)
        ranges = (region.x_log_range, region.y_log_range)[: shape.n_axes]
        scales = tuple(_scale(value, needed=shape.needs_scale) for value in ranges)
        return Gate(name, features, shape, scales, region.colour, region.light_colour)
    except GateError as error:
        msg = f"{start}region {region.label!r}: {error}"
        raise GateError(msg) from None


def _scale(value: float | None, *, needed: bool) -> Scale:
    """Scale of an axis; one that does not matter and makes no sense is taken as linear."""
    if value is None or not (needed or 0 < value < math.inf):
        return LINEAR
    return Scale("linlog", value)


def _shape(region: DafRegion) -> Shape:
    """Geometry of a region; its corners may stand in any order."""
    points = region.points
    if region.type == "poly":
        return Polygon(points)
    if len(points) != 2:
        msg = f"expected 2 points of a {region.type!r}, found {len(points)}"
        raise GateError(msg)
    if not all(math.isfinite(value) for point in points for value in point):
        msg = f"expected two points that are numbers, found {points[0]} and {points[1]}"
        raise GateError(msg)
    (x_low, x_high), (y_low, y_high) = (sorted(values) for values in zip(*points, strict=True))
    if region.sync:
        return _synced(region)
    if region.type == "line":
        return Range(x_low, x_high)
    if region.type == "rect":
        return Rectangle(x_low, x_high, y_low, y_high)
    if region.type == "oval":
        return Oval(x_low, x_high, y_low, y_high)
    msg = f"expected a line, rect, oval or poly, found {region.type[:40]!r}"
    raise GateError(msg)


def _synced(region: DafRegion) -> Shape:
    """One of two halves or four quadrants about the first point (INFERRED, see ``gating.md``)."""
    group, _, part = region.sync.rpartition("|")
    x, y = region.points[0]
    if group.startswith("dual") and region.type == "line" and part in {"1", "2"}:
        return Half(x, upper=part == "2")
    if group.startswith("quad") and region.type == "rect" and part in {"1", "2", "3", "4"}:
        return Quadrant(x, y, int(part))
    msg = f"expected sync dual...|1 or 2 of a line or quad...|1 to 4 of a rect, found {region.sync[:60]!r}"
    raise GateError(msg)


def _population(population: DafPopulation, gate: str) -> Population:
    """Population of ours; `gate` is the name of its gate, if it is drawn."""
    made = _plain(population, gate)
    return replace(made, colour=population.colour, light_colour=population.light_colour)


def _plain(population: DafPopulation, gate: str) -> Population:
    """Population without colours."""
    name, parent = population.name, population.base
    match population.type:
        case "B":
            return Population(name)
        case "G":
            return Population(name, parent, gate=gate)
        case "C" if population.definition:
            return Population(name, parent, definition=population.definition)
        case "T":
            return Population(name, parent, tagged=population.tagged)
    msg = (
        f"population {name!r}: expected type B, G, T, or C with a definition, "
        f"found {population.type[:40]!r} {population.definition[:40]!r}"
    )
    raise GateError(msg)


def _sorted_out(
    document: DafDocument, columns: Mapping[str, NDArray[np.float64]]
) -> tuple[list[DafPopulation], list[str]]:
    """Populations that can be found together, in their order, and the names of the others."""
    kept: dict[int, DafPopulation] = {}
    waiting = dict(enumerate(document.populations))
    before = -1
    while len(kept) > before:
        before = len(kept)
        for place, population in list(waiting.items()):
            try:
                gates = _gate_set(document, [*kept.values(), population])
                populate(gates, columns, document.objects.object_numbers, only=[population.name])
            except GateError:
                continue  # wrong, or made of what comes later
            kept[place] = waiting.pop(place)
    return [kept[place] for place in sorted(kept)], [population.name for population in waiting.values()]
