"""Gates and populations of DAFs: real ones against what IDEAS stored, made ones for what those lack."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

from ifcyto.errors import FormatError, GateError
from ifcyto.gates.daf import gating_of, read_daf_gating
from ifcyto.gates.portable import portable
from ifcyto.gates.statistics import Statistics, describe
from ifcyto.gates.store import gates_text, parse_gates
from ifcyto.gates.tree import MAX_POPULATIONS
from ifcyto.readers.daf_document import parse_daf, read_daf

EXACT = ("count", "nans", "min", "max", "median", "mad")
CLOSE = dict.fromkeys(("mean", "variance", "stddev", "cv", "concentration"), 1e-15) | {"geomean": 2e-14}
REAL = ("ut7_ideas60.daf", "ut7_ideas62.daf")
# In `gating.md`: "G2 ... gives 113 = 323 - 210, nothing stored to compare with".
NOT_STORED = {"G2": 113}


@pytest.mark.parametrize("name", REAL)
def test_all_populations_of_a_real_file_are_those_of_ideas(shared_data, name):
    path = shared_data / "amnis" / name
    document = read_daf(path)
    found = read_daf_gating(path).populations()
    counts = {row.population: row.count for row in found.counts()}
    stored = {row.population: int(row.count) for row in document.statistics}
    assert len(counts) == 30
    assert counts == {**counts, **stored, **NOT_STORED}
    assert stored.keys() | NOT_STORED.keys() == counts.keys()
    assert [each.name for each in found.gates.populations] == [each.name for each in document.populations]


@pytest.mark.parametrize("name", REAL)
def test_all_statistics_of_a_real_file_are_those_of_ideas(shared_data, name):
    """Tolerances are those of ``gating.md``: to the bit, or a few units in the last place."""
    path = shared_data / "amnis" / name
    gating = read_daf_gating(path)
    found = gating.populations()
    rows = read_daf(path).statistics
    assert len(rows) == 48
    off = []
    for row in rows:
        ours = describe(gating.columns[row.feature][found.member(row.population)], volume=gating.volume)
        for field in Statistics.__slots__:
            stored, value = getattr(row, field), getattr(ours, field)
            if field in EXACT:
                assert value == stored or (np.isnan(value) and np.isnan(stored)), (row, field)
            elif field in CLOSE:
                assert value == pytest.approx(stored, rel=CLOSE[field], nan_ok=True), (row, field)
            elif row.count:
                off.append(abs(value - stored) / ((row.max - row.min) or 1))
            else:
                assert np.isnan(value)
    assert len(off) == 47
    assert np.median(off) < 1.2e-5
    assert max(off) < 0.0042


def test_both_encodings_give_the_same_gates(shared_data):
    old, new = (read_daf_gating(shared_data / "amnis" / name) for name in REAL)
    assert old.gates == new.gates
    assert old.images == new.images
    assert {image.name: image.colour for image in new.images}["DAPI"]
    assert new.gates.population("Mphase").colour == "White"
    gate = new.gates.gate("pH3+")
    assert (gate.colour, gate.axes[0].kind, gate.axes[0].until) == ("Red", "linlog", 1000)
    assert len(new.gates.gates) == 24


def test_gates_of_a_real_file_come_back_from_json_with_the_same_members(shared_data):
    gating = read_daf_gating(shared_data / "amnis" / REAL[1])
    gates, lost = portable(gating.gates)
    assert lost == ()
    back = parse_gates(gates_text(gates))
    assert back == gates
    assert back.masks["Morphology(M01, DAPI)"] == "Morphology|M01|DAPI"
    assert set(back.features) == set(back.columns())


X = (1, 2, 3, 4, 5, 6)
Y = (6, 5, 4, 3, 2, 1)
REGIONS = {
    "line": '<Region type="line" label="line" color="Red"><axy x="4" y="9"/><axy x="2" y="9"/></Region>',
    "oval": '<Region type="oval" label="oval"><axy x="1" y="2"/><axy x="5" y="6"/></Region>',
    "poly": '<Region type="poly" label="poly"><axy x="0" y="0"/><axy x="7" y="0"/>'
    '<axy x="0" y="7"/></Region>',
    "d2": '<Region type="line" label="d2" sync="dual7|2"><axy x="4" y="1"/><axy x="9" y="1"/></Region>',
    "d1": '<Region type="line" label="d1" sync="dual7|1"><axy x="4" y="1"/><axy x="0" y="1"/></Region>',
    **{
        f"q{i}": f'<Region type="rect" label="q{i}" sync="quad7|{i}"><axy x="3" y="3"/>'
        '<axy x="9" y="9"/></Region>'
        for i in (1, 2, 3, 4)
    },
}
POPULATIONS = {
    "All": '<Pop name="All" type="B" base=""/>',
    "Both": '<Pop name="Both" type="C" base="All" definition="line|And|oval"/>',  # before its parts
    **{
        name: f'<Pop name="{name}" type="G" base="All" region="{name}" fx="X" fy="{y}"/>'
        for name in REGIONS
        for y in ["" if name in {"line", "d1", "d2"} else "Y"]
    },
    "again": '<Pop name="again" type="G" base="line" region="line" fx="Y"/>',
    "tags": '<Pop name="tags" type="T" base="All"><ob O="15"/><ob O="10"/></Pop>',
    "made": '<Pop name="made" type="C" base="All" definition="tags|Or|d1"/>',
}


def daf(
    regions: dict[str, str] | None = None,
    populations: dict[str, str] | None = None,
    count: int = 6,
) -> bytes:
    """A small DAF; objects 10 to 15 with the features X and Y."""
    fields = "".join(f'<UDF name="{n}" type="single" def="{n}|M01"/>' for n in "XY")
    values = "".join(f'<UDFValues fid="{i}" fv="{"|".join(map(str, v))}"/>' for i, v in enumerate((X, Y)))
    objects = "".join(f'<SO id="{10 + i}"/>' for i in range(6))
    drawn = "".join((REGIONS | (regions or {})).values())
    listed = "".join((POPULATIONS | (populations or {})).values())
    return (
        f'<Assay IDEAS_version="6.0"><SOD file="a.cif" objcount="{count}"><DefinedFeatures>{fields}'
        f"</DefinedFeatures><FeatureValues>{values}</FeatureValues>{objects}</SOD>"
        f"<Regions>{drawn}</Regions><Pops>{listed}</Pops></Assay>"
    ).encode()


def gating(data: bytes, *, salvage: bool = False):
    return gating_of(parse_daf(data, Path("a.daf"), salvage=salvage), salvage=salvage)


def test_every_kind_of_region_and_population():
    found = gating(daf()).populations()
    numbers = {name: found.object_numbers(name).tolist() for name in found.members}
    assert numbers == {
        "All": [10, 11, 12, 13, 14, 15],
        "Both": [11, 12, 13],
        "line": [11, 12, 13],
        "oval": [11, 12, 13],  # the corner (5, 2) of its box is outside
        "poly": [10, 11, 12, 13, 14, 15],  # all of them on its slanted edge
        "d2": [13, 14, 15],
        "d1": [10, 11, 12],
        "q1": [10, 11],
        "q2": [12, 13],
        "q3": [14, 15],
        "q4": [],
        "again": [12, 13],
        "tags": [10, 15],
        "made": [10, 11, 12, 15],
    }
    assert [gate.name for gate in found.gates.gates if gate.name.startswith("line")] == ["line", "line on Y"]
    assert found.gates.gate("line").colour == "Red"
    assert portable(found.gates)[1] == ("tags", "made")


def pop(name: str, old: str, new: str) -> dict[str, str]:
    """One population, changed."""
    return {name: POPULATIONS[name].replace(old, new)}


def region(name: str, old: str, new: str) -> dict[str, str]:
    """One region, changed."""
    return {name: REGIONS[name].replace(old, new, 1)}


LINES = {"line", "again", "Both"}
AXES = "expected features for the axes of a half"
FAULTS = [
    (
        {"poly": '<Region type="poly" label="poly"><axy x="0" y="0"/><axy x="7" y="0"/></Region>'},
        {},
        "population 'poly': region 'poly': expected a polygon of at least 3 different vertices, found 2",
        {"poly"},
    ),
    (
        region("poly", 'x="7"', 'x="NaN"'),
        {},
        "population 'poly': region 'poly': vertex 2 x: expected a number",
        {"poly"},
    ),
    (
        region("line", 'x="4"', 'x=""'),
        {},
        "population 'line': region 'line': expected two points that are numbers",
        LINES,
    ),
    ({"line": ""}, {}, "population 'line': no region 'line'", LINES),
    ({"more": REGIONS["line"]}, {}, "population 'line': 2 regions 'line'", LINES),
    (
        region("oval", "oval", "blob"),
        {},
        "region 'oval': expected a line, rect, oval or poly, found 'blob'",
        {"oval", "Both"},
    ),
    (
        region("q1", "7|1", "7|5"),
        {},
        r"region 'q1': expected sync dual\.\.\.\|1 or 2 of a line or quad\.\.\.\|1 to 4",
        {"q1"},
    ),
    (
        region("oval", "label", 'xlogrange="0" label'),
        {},
        "region 'oval': expected a linear-logarithmic scale with a positive linear range, found 0",
        {"oval", "Both"},
    ),
    ({}, pop("line", '"All"', '"Al"'), "no population 'Al'; did you mean 'All'", LINES),
    ({}, pop("made", "d1", "made"), "in a circle: made -> made", {"made"}),
    ({}, pop("made", "|Or|", "|"), "population 'made': expected And, Or or the end", {"made"}),
    ({}, pop("made", '"C"', '"Z"'), "expected type B, G, T, or C with a definition", {"made"}),
    ({}, pop("d1", '"X"', '"x"'), "gate 'd1': no feature 'x' among the 2.*mean 'X'", {"d1", "made"}),
    ({}, pop("d1", 'fy=""', 'fy="Y"'), AXES, {"d1", "made"}),
    (
        {},
        {"tags": '<Pop name="tags" type="T" base="All"><ob O="16"/></Pop>'},
        "population 'tags': 1 of 1 tagged objects do not exist among the 6 objects: 16",
        {"tags", "made"},
    ),
    ({}, {"x": POPULATIONS["d2"]}, "expected the name of each population once, found 'd2' 2 times", {"d2"}),
]  # fmt: skip


@pytest.mark.parametrize(("regions", "populations", "message", "lost"), FAULTS)
def test_what_is_wrong_is_said_and_can_be_left_out(regions, populations, message, lost):
    data = daf(regions, populations)
    with pytest.raises(FormatError, match=message) as caught:
        gating(data).populations()
    assert str(caught.value).startswith("a.daf: ")
    kept = gating(data, salvage=True)
    left = set(kept.populations().members)
    assert left >= set(POPULATIONS) - lost
    assert not left & (lost - {"d2"})
    (note,) = [note for note in kept.notes if note.startswith("left out, wrong")]
    assert all(repr(name) in note for name in lost)
    assert re.search(message, note)


def test_scales_that_do_not_matter_are_not_held_against_a_region():
    data = daf(region("line", "label", 'xlogrange="0" label'))
    assert gating(data).populations().object_numbers("line").tolist() == [11, 12, 13]


def test_another_number_of_objects_than_the_file_says_is_refused():
    with pytest.raises(FormatError, match="expected 7 objects, found records of 6"):
        gating(daf(count=7))


def test_a_missing_population_is_answered_with_the_nearest():
    with pytest.raises(GateError, match=r"no population 'Tags'; did you mean 'tags'\?"):
        gating(daf()).populations(["Tags"])


def test_regions_that_nobody_uses_are_named():
    assert "regions that no population uses: 'd2'" in str(gating(daf(populations={"d2": ""})).notes)


def test_very_many_populations_are_refused_at_once():
    many = {
        f"p{i}": f'<Pop name="p{i}" type="C" base="All" definition="All"/>' for i in range(MAX_POPULATIONS)
    }
    for salvage in (False, True):
        with pytest.raises(FormatError, match="expected at most 1000 populations, found 1014"):
            gating(daf(populations=many), salvage=salvage)


def test_no_mutant_of_the_populations_crashes_the_reader():
    whole = daf()
    start, chance = whole.index(b"<Regions>"), random.Random(3)
    words = [
        *(b'"%s"' % word for word in (b"NaN", b"1e999", b"-1", b"All", b"made", b"G", b"T", b"(|Not", b""))
    ]
    outcomes = {"read": 0, "refused": 0, "salvaged": 0}
    for i in range(300):
        at = chance.randrange(start, len(whole) - 20)
        if i % 3:  # another value of an attribute, so that the XML stays sound
            at = whole.index(b'="', at) + 1 if b'="' in whole[at:] else whole.rindex(b'="') + 1
            mutant = whole[:at] + chance.choice(words) + whole[whole.index(b'"', at + 1) + 1 :]
        else:
            mutant = whole[:at] + whole[at + chance.randrange(1, 60) :]
        for salvage in (False, True):
            try:
                gating(mutant, salvage=salvage).populations()
                outcomes["salvaged" if salvage else "read"] += 1
            except FormatError:
                outcomes["refused"] += not salvage
    assert outcomes["refused"] > 50
    assert outcomes["read"] > 10
    assert outcomes["salvaged"] > outcomes["read"] + 40
