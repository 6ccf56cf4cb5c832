"""``ifcyto gate`` with Gating-ML and FCS: the same counts whichever way."""

from __future__ import annotations

import pytest

from ifcyto.cli.main import main
from ifcyto.gates.store import read_gates


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.fixture
def gates(tmp_path):
    path = tmp_path / "gates.json"
    path.write_text(
        '{"format": "ifcyto gates", "version": 1, "gates": [{"name": "a", "kind": "oval", "features": '
        '["Area_Dilate(M01, 2)", "Y"], "scales": [2, "linear"], "x_low": -9, "x_high": 9, '
        '"y_low": 0, "y_high": 4}],'
        '"populations": [{"name": "A & a", "gate": "a"}, {"name": "rest", "definition": "Not|A & a"}]}'
    )
    return path


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.csv"
    rows = "".join(f"{n},{n - 20},{n % 5 - 0.4}\n" for n in range(40))
    path.write_text(f'object,"Area_Dilate(M01, 2)",Y\n{rows}')
    return path


def test_gates_go_out_and_come_back(capsys, tmp_path, gates, table):
    code, out, err = run(capsys, "gate", table, gates, "-o", tmp_path / "g.xml")
    assert (code, out) == (2, "")
    assert "no equivalent in Gating-ML; allow an approximation by a polygon (--approximate)" in err
    code, out, err = run(capsys, "gate", table, gates, "-o", tmp_path / "g.xml", "--approximate")
    assert (code, err) == (0, "note: population 'A & a': approximation by a polygon\n")
    assert run(capsys, "export", table, "--fcs", tmp_path / "t.fcs")[0] == 0
    for source in (table, tmp_path / "t.fcs"):
        code, again, _ = run(
            capsys, "gate", source, tmp_path / "g.xml", "-o", tmp_path / f"{source.stem}{source.suffix}.json"
        )
        assert (code, again) == (0, out)
    assert read_gates(tmp_path / "t.fcs.json").columns() == ("Area_Dilate(M01, 2)", "Y")


def test_gates_of_an_analysis_as_gating_ml(capsys, tmp_path, shared_data):
    daf = shared_data / "amnis" / "ut7_ideas62.daf"
    code, out, _ = run(capsys, "gate", "--from", daf, "-o", tmp_path / "g.xml")
    assert code == 0
    assert run(capsys, "export", daf, "--fcs", tmp_path / "t.fcs")[0] == 0
    code, again, err = run(capsys, "gate", tmp_path / "t.fcs", tmp_path / "g.xml")
    assert code == 0, err
    assert sorted(again.splitlines()) == sorted(out.splitlines())


def test_partial_results_of_vendors_on_request(capsys, tmp_path, gates, table):
    run(capsys, "gate", table, gates, "-o", tmp_path / "g.xml", "--approximate")
    text = (tmp_path / "g.xml").read_text()
    broken = text.replace("<gating:BooleanGate", '<gating:RectangleGate gating:id="v"/><gating:BooleanGate')
    (tmp_path / "v.xml").write_text(broken)
    code, out, err = run(capsys, "gate", table, tmp_path / "v.xml")
    assert (code, out) == (2, "")
    assert "gate 'v': expected 1 or 2 dimensions, found 0" in err
    code, out, err = run(capsys, "gate", table, tmp_path / "v.xml", "--salvage")
    assert (code, "rest" in out, "left out: gate 'v'" in err) == (1, True, True)
