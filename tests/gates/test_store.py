"""Gates files: what is written comes back; what is wrong is said; nothing crashes on mutants."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifcyto.errors import FormatError, GateError, OutputError
from ifcyto.gates.gate import Gate
from ifcyto.gates.polygon import Polygon
from ifcyto.gates.scales import LINEAR, Scale
from ifcyto.gates.shapes import Half, Oval, Quadrant, Range, Rectangle
from ifcyto.gates.store import gates_text, parse_gates, read_gates, write_gates
from ifcyto.gates.tree import Population, make_gate_set

XY = ("Area_M01", "Aspect Ratio_Morphology(M01, DAPI)")


def full_set():
    """One gate of every kind."""
    gates = [
        Gate("a range", ("Area_M01",), Range(0.1, 1e6), (Scale("linlog", 1000.0),), "Cyan", "Teal", "why"),
        Gate("open", ("Area_M01",), Range(low=-3)),
        Gate("half", ("Area_M01",), Half(1 / 3, True)),
        Gate("rest", ("Area_M01",), Half(1 / 3, False), (Scale("log"),)),
        Gate("rectangle", XY, Rectangle(0, 1, y_high=5)),
        Gate("quadrant", XY, Quadrant(2, -3, 4)),
        Gate("oval", XY, Oval(1, 2, 3, 4), (Scale("log"), LINEAR)),
        Gate("poly|gon", XY, Polygon(((0, 0), (1e-9, 0.1 + 0.2), (7, 3)))),
    ]
    populations = [Population(f"in {gate.name}", gate=gate.name) for gate in gates]
    populations.append(Population("ä", "in half", definition="Not|(|in open|Or|in oval|)", colour="Red"))
    return make_gate_set(
        gates, populations, features={"Area_M01": "Area|M01"}, masks={"X": "Not|MC"}, comment="c"
    )


def test_a_set_comes_back_as_it_was(tmp_path):
    gates = full_set()
    path = write_gates(tmp_path / "gates.json", gates)
    assert read_gates(path) == gates
    assert gates_text(read_gates(path)) == path.read_text("utf-8")
    with pytest.raises(OutputError, match="exists already"):
        write_gates(path, gates)


number = st.floats(-1e100, 1e100)
ends = st.tuples(number, number).map(sorted).filter(lambda pair: pair[0] < pair[1])


@settings(max_examples=50, deadline=None)
@given(
    st.one_of(
        ends.map(lambda pair: Range(*pair)),
        st.tuples(ends, ends).map(lambda pairs: Oval(*pairs[0], *pairs[1])),
        st.tuples(ends, ends).map(lambda pairs: Rectangle(*pairs[0], *pairs[1])),
        st.lists(st.tuples(number, number), min_size=3, max_size=6, unique=True).map(
            lambda corners: Polygon(tuple(corners))
        ),
    ),
    st.text(min_size=1, max_size=20),
)
def test_any_gate_comes_back_to_the_last_bit(shape, name):
    gates = make_gate_set([Gate(name, XY[: shape.n_axes], shape)], [Population(name + "!", gate=name)])
    assert parse_gates(gates_text(gates)) == gates


def test_all_objects_and_their_children_need_not_be_spelled_out():
    text = {"format": "ifcyto gates", "version": 1, "gates": []}
    text["populations"] = [{"name": "Everything"}, {"name": "None", "definition": "Not|Everything"}]
    gates = parse_gates(json.dumps(text))
    assert [(each.name, each.parent) for each in gates.populations] == [
        ("Everything", ""),
        ("None", "Everything"),
    ]


def document(**changes):
    entry = {"name": "Focused", "kind": "range", "features": ["Gradient RMS_M01_BF"], "low": 50}
    whole = {"format": "ifcyto gates", "version": 1, "gates": [entry], "populations": []}
    return {**whole, **changes}


def with_gate(**changes):
    entry = {**document()["gates"][0], **changes}
    return document(gates=[{key: value for key, value in entry.items() if value != "drop"}])


TRIANGLE = {"kind": "polygon", "features": ["x", "y"], "low": "drop"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"expected a gates file \(JSON\): Expecting property name"),
        ("[" * 100_000, r"expected a gates file \(JSON\): maximum recursion|expected a gates file \(JSON\)"),
        ("[]", r'expected a gates file \("format": "ifcyto gates"\), found another JSON file'),
        ('{"format": "ifcyto model"}', "found another JSON file"),
        ('{"format": "ifcyto gates", "format": "x"}', "the key 'format' stands twice"),
        (document(version=2), "expected a gates file of version 1 or older, found 2: use a newer ifcyto"),
        (document(version="1"), r"\$\.version: 1 was expected"),
        (document(more=1), r"'more' was unexpected"),
        (
            with_gate(low=None),
            "gate 'Focused': low: expected a number, found null: fill in your own threshold",
        ),
        (with_gate(low="drop"), "gate 'Focused': expected low or high or both, found neither"),
        (with_gate(low="50"), r"\$\.gates\[0\]\.low: '50' is not of type 'number' \(in 'Focused'\)"),
        (with_gate(lo=1), r"'lo' was unexpected\) \(in 'Focused'\)"),
        (with_gate(kind="ring"), r"\$\.gates\[0\]\.kind: 'ring' is not one of \['range'"),
        (with_gate(features=["x", "y"]), r"\$\.gates\[0\]\.features: \['x', 'y'\] is too long"),
        (with_gate(high=3), "gate 'Focused': range: expected the low end below the high end, found 50 and 3"),
        (with_gate(low=1e200), r"\$\.gates\[0\]\.low: 1e\+200 is greater than the maximum of 1e\+100"),
        (with_gate(scales=[0]), r"\$\.gates\[0\]\.scales\[0\]: 0 is not valid"),
        (
            with_gate(**TRIANGLE, vertices=[[0, 0], [1, 1]]),
            "expected a polygon of 3 to 1000 vertices, found 2",
        ),
        (with_gate(**TRIANGLE, vertices=[[0, 0]] * 1001), "a polygon of 3 to 1000 vertices, found 1001"),
        (with_gate(**TRIANGLE, vertices=[[0, 0]] * 3), "at least 3 different vertices, found 1"),
        (json.dumps(with_gate(**TRIANGLE, vertices=[[0, 0], [1, float("nan")], [2, 0]])), "NaN is no number"),
        (
            json.dumps(with_gate(low=7)).replace("7", "1" + "0" * 400),
            r"\$\.gates\[0\]\.low: 10000",
        ),
        (
            document(populations=[{"name": "A", "gate": "focused"}]),
            "no gate 'focused'; did you mean 'Focused'",
        ),
        (document(populations=[{"name": "A", "definition": "Not|A"}]), "in a circle: A -> A"),
        (document(populations=[{"name": "A", "tagged": [1]}]), r"'tagged' was unexpected\) \(in 'A'\)"),
        (document(gates=[[0] * 250_000]), "expected a gates file of at most 200000 values, found more"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, content, message):
    path = tmp_path / "gates.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    with pytest.raises(FormatError, match=message) as caught:
        read_gates(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < 1000


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FormatError, match="expected a gates file, found no such file"):
        read_gates(tmp_path / "none.json")
    (tmp_path / "big.json").write_bytes(b" " * (4 * 2**20 + 1))
    with pytest.raises(FormatError, match="expected a gates file of at most 4194304 bytes, found 4194305"):
        read_gates(tmp_path / "big.json")
    (tmp_path / "latin.json").write_bytes(b'{"format": "\xe4"}')
    with pytest.raises(FormatError, match=r"expected a gates file \(JSON in UTF-8\)"):
        read_gates(tmp_path / "latin.json")


def test_tags_have_no_place_in_a_gates_file(tmp_path):
    gates = make_gate_set([], [Population("Tagged", tagged=(1, 2))])
    with pytest.raises(GateError, match="population 'Tagged': tagged by hand: its object numbers belong to"):
        write_gates(tmp_path / "gates.json", gates)
    assert not list(tmp_path.iterdir())


def mutants(text: str, n: int):
    """Texts with bytes changed, cut out or doubled, and documents with values replaced."""
    chance = random.Random(5)
    values = [None, -1, 0, 1e308, 10**400, "", "All", "in oval", "|", [], {}, [[]], True, "And"]
    for i in range(n):
        if i % 2:
            at, size = chance.randrange(len(text)), chance.randrange(1, 30)
            middle = "".join(chance.choice('{}[]",:0e-9|\x00aé') for _ in range(chance.randrange(4)))
            yield text[:at] + middle + text[at + size * (i % 4 == 1) :]
            continue
        whole = json.loads(text)
        place = whole
        while isinstance(place, (dict, list)) and place:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = chance.choice(list(keys))
            if not isinstance(place[key], (dict, list)) or not place[key] or chance.random() < 0.3:
                place[key] = chance.choice(values)
                break
            place = place[key]
        yield json.dumps(whole)


def test_no_mutant_crashes_the_reader():
    text = gates_text(full_set())
    outcomes = {"read": 0, "refused": 0}
    for mutant in mutants(text, 400):
        try:
            gates = parse_gates(mutant)
        except GateError:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
            assert parse_gates(gates_text(gates)) == gates
    assert outcomes["refused"] > 150
    assert outcomes["read"] > 5
