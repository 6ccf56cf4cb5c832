"""``ifcyto gate``: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import pytest

from ifcyto.cli.gate import split_names
from ifcyto.cli.main import main
from ifcyto.pipeline.measure import measure_to_file
from ifcyto.samples.demo import write_demo_cif

GATES = """{"format": "ifcyto gates", "version": 1, "gates": [
 {"name": "n", "kind": "range", "features": ["%s"], "high": 3}
], "populations": [
 {"name": "First", "gate": "n"}, {"name": "None", "definition": "First|And|Not|First"}
]}"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gate")
    cif = write_demo_cif(folder / "demo.cif", n_cells=8, seed=3)
    measure_to_file(cif, folder / "t.h5ad", ["Area_M01"])
    return folder / "t.h5ad"


@pytest.fixture
def gates(tmp_path):
    path = tmp_path / "gates.json"
    path.write_text(GATES % "Object Number")
    return path


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_help_has_an_example(capsys):
    code, out, _ = run(capsys, "gate", "--help")
    assert code == 0
    assert "Example:  ifcyto gate MDS01.h5ad gates.json" in out


def test_counts_are_printed_and_empty_populations_are_said_loudly(capsys, tmp_path, table, gates):
    code, out, err = run(capsys, "gate", table, gates, "--csv", tmp_path / "t.csv")
    assert code == 0
    assert out.splitlines() == [
        "population  parent  count  percent_parent  percent_all",
        "All                 8      100             100",
        "First       All     4      50              50",
        "None        All     0      0               0",
        "8 objects, 3 rows",
    ]
    assert err == "note: population 'None' is EMPTY\n"
    assert (tmp_path / "t.csv").read_text().splitlines()[2] == "First,All,4,50.0,50.0"


def test_all_that_can_be_asked_for(capsys, tmp_path, table, gates):
    outputs = ("--members", tmp_path / "m.csv", "-o", tmp_path / "g.json")
    asked = ("--population", "First", "--statistics", "Area_M01, Object Number", "--volume", "2")
    code, out, err = run(capsys, "gate", table, gates, *outputs, *asked)
    assert (code, err) == (0, "")
    header, area, number, _ = (line.split() for line in out.splitlines())
    assert header[5:] == [
        *("feature", "nans", "min", "max", "mean", "median", "geomean", "stddev", "variance", "cv", "mad"),
        *("mode", "concentration"),
    ]
    assert (area[5], area[-1]) == ("Area_M01", "2")
    assert number[5:12] == ["Object", "Number", "0", "0", "3", "1.5", "1.5"]
    assert (tmp_path / "m.csv").read_text() == "object,population\n0,First\n1,First\n2,First\n3,First\n"
    assert (tmp_path / "g.json").is_file()


def test_what_is_lost_ends_with_1_and_only_on_request(capsys, tmp_path, table):
    path = tmp_path / "gates.json"
    path.write_text(GATES % "Area_M02")
    code, out, err = run(capsys, "gate", table, path)
    assert (code, out) == (2, "")
    assert (
        err == "error: gate 'n': no feature 'Area_M02' among the 2 of the objects; did you mean 'Area_M01'?\n"
    )
    code, out, err = run(capsys, "gate", table, path, "--salvage")
    assert code == 1
    assert out.splitlines()[1:] == ["All                 8      100             100", "8 objects, 1 row"]
    assert err.startswith(
        "note: left out, wrong or made of what is wrong: 'First', 'None' (gate 'n': no feature"
    )


def test_an_analysis_alone(capsys, shared_data):
    path = shared_data / "amnis" / "ut7_ideas62.daf"
    code, out, err = run(capsys, "gate", "--from", path)
    assert code == 0
    assert out.splitlines()[-1] == "420 objects, 30 rows"
    assert "Mphase                All            210    50              50" in out
    assert "example.cif to hold the 420 objects of this DAF, found 111 objects" in err
    assert err.endswith("note: population 'pH3+ & G1 & Events' is EMPTY\n")
    assert run(capsys, "gate", path) == (code, out, err)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "expected T.h5ad GATES, or --from FILE.daf; found neither"),
        (["t.h5ad"], "found a table and no gates"),
        (["t.h5ad", "g.json", "--from", "a.daf"], "found gates twice"),
        (["--from", "none.daf"], "error: none.daf: cannot be read: No such file or directory"),
    ],
)
def test_wrong_calls(capsys, words, message):
    code, out, err = run(capsys, "gate", *words)
    assert (code, out) == (2, "")
    assert message in err


def test_commas_in_brackets_belong_to_a_name():
    assert split_names("a(b, c(d,e)),f") == ["a(b, c(d,e))", "f"]
    assert split_names("a), b,") == ["a)", "b"]
