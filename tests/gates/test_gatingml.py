"""Gating-ML 2.0 out and in; the judge of both is flowkit, which knows nothing of us."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest

from ifcyto.errors import GateError
from ifcyto.gates.daf import read_daf_gating
from ifcyto.gates.gate import Gate
from ifcyto.gates.gatingml_read import is_gatingml, parse_gatingml, read_gatingml
from ifcyto.gates.gatingml_terms import legal_id
from ifcyto.gates.gatingml_write import gatingml_text, write_gatingml
from ifcyto.gates.members import populate
from ifcyto.gates.polygon import Polygon
from ifcyto.gates.shapes import Half, Oval, Quadrant, Range
from ifcyto.gates.tree import Population, make_gate_set
from ifcyto.readers.columns import plain_name

from .gatingml_documents import (
    GATES,
    LINLOG,
    LOGICLE,
    QUADRANTS,
    TRANSFORMED,
    A,
    B,
    document,
    ellipse,
    every_kind,
    rectangle,
)


@pytest.fixture(scope="module")
def gates():
    return every_kind()


def events(n=2000):
    """Single precision, as FCS holds them; some lie on borders, one is not known."""
    values = np.random.default_rng(5).normal(size=(n, 2))
    values[:60] = values[:60].round(1)
    values[99, 0] = np.nan
    return values.astype(np.float32).astype(np.float64)


def members(gates, values):
    return populate(gates, {A: values[:, 0], B: values[:, 1]}, np.arange(len(values))).members


def by_flowkit(document, values, names=(A, B)):
    """Members by identifier, found by flowkit; it also holds the document against ISAC's schema."""
    flowkit = pytest.importorskip("flowkit")
    strategy = flowkit.parse_gating_xml(io.BytesIO(document.encode()))
    sample = flowkit.Sample(values, channel_labels=[plain_name(name) for name in names], sample_id="s")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # logarithms of what is not above 0
        results = strategy.gate_sample(sample)
    return lambda identifier: results.get_gate_membership(identifier)


def identifiers(gates):
    taken = {"log10"}
    return {each.name: legal_id(each.name, taken) for each in gates.needed(gates.names) if not each.is_all}


def test_flowkit_finds_the_same_members_of_every_kind_of_gate(gates):
    values = events()
    expected = members(gates, values)
    text, notes = gatingml_text(gates)
    found = by_flowkit(text, values)
    assert notes == ()
    for name, identifier in identifiers(gates).items():
        assert np.array_equal(found(identifier), expected[name]), name
    assert {int(inside.sum()) for inside in expected.values()} > {0, 2000}


def test_our_own_file_comes_back_with_names_and_members(gates):
    values = events()
    back = parse_gatingml(gatingml_text(gates)[0])
    assert (back.notes, back.lost) == ((), ())
    assert set(back.gates.names) == set(gates.names)
    assert back.gates.columns() == gates.columns()
    assert back.gates.gate("below").shape == Half(0.2, upper=False)
    assert back.gates.gate("quadrant").shape == Quadrant(0.0, -0.3, 3)
    assert back.gates.gate("G2/M & x").shape == Range(-1, 1)
    assert back.gates.population("below").colour == "Lime"
    assert back.gates.population("without").comment == "as drawn"
    found = members(back.gates, values)
    for name, inside in members(gates, values).items():
        assert np.array_equal(found[name], inside), name


def test_gates_of_a_real_analysis_go_round(shared_data, tmp_path):
    gating = read_daf_gating(shared_data / "amnis" / "ut7_ideas60.daf")
    path = tmp_path / "gates.xml"
    assert write_gatingml(path, gating.gates, names=tuple(gating.columns)) == ()
    assert is_gatingml(path)
    back = read_gatingml(path, names=tuple(gating.columns)).gates
    found = populate(back, gating.columns, gating.objects)
    expected = gating.populations()
    for name in expected.members:
        assert np.array_equal(found.member(name), expected.member(name)), name
    used = gating.gates.columns()
    table = np.column_stack([gating.columns[name] for name in used])
    judged = by_flowkit(path.read_text(), table, used)
    for name, identifier in identifiers(gating.gates).items():
        assert np.array_equal(judged(identifier), expected.member(name)), name


def test_gates_that_flowkit_writes_are_read(rng):
    flowkit = pytest.importorskip("flowkit")
    from flowkit import gates as theirs
    from flowkit import transforms

    values = events()
    strategy = flowkit.GatingStrategy()
    made = {
        "lin": transforms.LinearTransform(10, 2), "log": transforms.LogTransform(100, 4),
        "asinh": transforms.AsinhTransform(100, 3, 1),
        "logicle": transforms.LogicleTransform(1000, 0.5, 4.5, 0),
        "hyper": transforms.HyperlogTransform(1000, 1, 4.5, 0.5),
    }  # fmt: skip
    for name, transform in made.items():
        strategy.add_transform(name, transform)

    def axis(name, transform=None, **bounds):
        return flowkit.Dimension(name, "uncompensated", transform, **bounds)

    strategy.add_gate(theirs.EllipsoidGate("ellipse", [axis("x", "lin"), axis("y", "lin")],
                                           [0.2, 0.2], [[0.01, 0], [0, 0.02]], 0.9), ("root",))  # fmt: skip
    polygon = [[0.3, 0.4], [0.6, 0.4], [0.5, 0.9]]
    strategy.add_gate(theirs.PolygonGate("polygon", [axis("x", "log"), axis("y")], polygon), ("root",))
    for name, (low, high) in {"lin": (0.1, 0.3), "log": (0.4, 0.6), "asinh": (0.1, 0.3),
                              "logicle": (0.05, 0.13), "hyper": (0.2, 0.31)}.items():  # fmt: skip
        dims = [axis("x", name, range_min=low, range_max=high), axis("y", name, range_min=low)]
        strategy.add_gate(
            theirs.RectangleGate(f"rect_{name}", dims[:1] if name == "lin" else dims), ("root",)
        )
    refs = [{"ref": "polygon", "path": ("root",), "complement": False},
            {"ref": "ellipse", "path": ("root",), "complement": True}]  # fmt: skip
    strategy.add_gate(theirs.BooleanGate("and", "and", refs), ("root",))
    file = io.BytesIO()
    flowkit.export_gatingml(strategy, file)
    text = file.getvalue().decode()
    judged = by_flowkit(text, values, ("x", "y"))
    gates = parse_gatingml(text).gates
    found = populate(gates, {"x": values[:, 0], "y": values[:, 1]}, np.arange(len(values)))
    for name in set(gates.names) - {"All"}:
        assert np.array_equal(found.member(name), judged(name)), name
        assert 0 < found.member(name).sum() < len(values), name


def test_quadrants_with_several_dividers_follow_the_standard():
    values = events()
    gates = parse_gatingml(document(QUADRANTS, rectangle("child", 'g:max="0"', 'g:parent_id="q1"'))).gates
    x, y = values.T
    found = populate(gates, {"x": x, "y": y}, np.arange(len(values)))
    expected = (x >= -1) & (x < 2) & (y < 0)
    assert np.array_equal(found.member("q1"), expected)
    assert np.array_equal(found.member("q2"), x >= 2)
    assert np.array_equal(found.member("child"), expected & (x < 0))
    judged = by_flowkit(document(QUADRANTS), values, ("x", "y"))
    assert np.array_equal(judged("q1"), expected)


@pytest.mark.parametrize(
    "text",
    [ellipse(), ellipse(((1, 0.2), (0.2, 1)), TRANSFORMED), ellipse(((0.01, 0), (0, 0.04)), TRANSFORMED)],
)
def test_what_has_no_equivalent_is_approximated_on_request_only(text):
    text = document(LOGICLE, text)
    with pytest.raises(
        GateError, match=r"gate 'e': a .*ellipse.* has no equivalent in ifcyto; allow an approx"
    ):
        parse_gatingml(text)
    found = parse_gatingml(text, approximate=True)
    assert found.notes == ("gate 'e': approximation by a polygon",)
    assert found.gates.gate("e").comment.startswith("approximation by a polygon")
    values = events() * 2
    columns = {"x": values[:, 0], "y": values[:, 1]}
    inside = populate(found.gates, columns, np.arange(len(values))).member("e")
    judged = by_flowkit(text, values, ("x", "y"))("e")
    assert judged.sum() > 100
    assert (inside != judged).mean() < 0.002


def test_shapes_on_linear_logarithmic_axes_are_written_on_request_only():
    drawn = [
        Gate("p", (A, B), Polygon(((-2, -2), (2, -1), (0.1, 2))), (LINLOG, LINLOG)),
        Gate("o", (A, B), Oval(-2, 1, -0.2, 1.5), (LINLOG, LINLOG)),
    ]
    gates = make_gate_set(drawn, [Population(gate.name, gate=gate.name) for gate in drawn])
    with pytest.raises(
        GateError, match="population 'p': a polygon on linear-logarithmic axes has no equivalent"
    ):
        gatingml_text(gates)
    text, notes = gatingml_text(gates, approximate=True)
    assert notes == tuple(f"population {name!r}: approximation by a polygon" for name in "po")
    values = events()
    judged = by_flowkit(text, values)
    for name, inside in members(gates, values).items():
        if name != "All":
            assert (judged(name) != inside).mean() < 0.002
            assert 0.1 < inside.mean() < 0.9
    assert parse_gatingml(text).gates.gate("o").comment == "approximation by a polygon."


def test_tags_are_left_out_with_a_note():
    tagged = [Population("hand", tagged=(1, 2)), Population("not", definition="Not|hand")]
    gates = make_gate_set([GATES[0]], [Population("x", gate=GATES[0].name), *tagged])
    text, notes = gatingml_text(gates)
    assert notes == ("left out, tagged by hand or made of what is: 'hand', 'not'",)
    assert parse_gatingml(text).gates.names == ("All", "x")
    with pytest.raises(GateError, match="expected gates to write, found none"):
        gatingml_text(make_gate_set([], tagged))


def test_parameters_lead_back_to_columns_of_a_table():
    text = document(rectangle()).replace('"x"', '"Area_Dilate(M01; 2)"')
    assert parse_gatingml(text).gates.columns() == ("Area_Dilate(M01; 2)",)
    assert parse_gatingml(text, names=["y", A]).gates.columns() == (A,)
