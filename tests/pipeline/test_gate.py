"""Gates on measured tables, populations of analyses, and what is written of them."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from ifcyto.errors import FormatError, GateError, OutputError, UsageError
from ifcyto.features.table import read_table
from ifcyto.gates.store import parse_gates, read_gates
from ifcyto.pipeline.gate import gate_daf, gate_table, load_gates, population_rows, write_gated
from ifcyto.pipeline.measure import measure_to_file
from ifcyto.samples.demo import write_demo_cif

GATES = """{"format": "ifcyto gates", "version": 1, "gates": [
 {"name": "large", "kind": "range", "features": ["Area_M01"], "low": 180},
 {"name": "first", "kind": "range", "features": ["Object Number"], "high": 9},
 {"name": "elsewhere", "kind": "range", "features": ["Area_M05"], "low": 1}
], "populations": [
 {"name": "Large", "gate": "large"},
 {"name": "=First", "parent": "Large", "gate": "first"},
 {"name": "Small", "definition": "Not|Large"}%s
]}"""
MORE = """,
 {"name": "Lost", "parent": "Large", "gate": "elsewhere"}, {"name": "Too", "definition": "Lost|Or|Small"}"""


@pytest.fixture(scope="module")
def table(tmp_path_factory, demo_cif):
    path = tmp_path_factory.mktemp("gate") / "t.h5ad"
    measure_to_file(demo_cif, path, ["Area_M01", "Aspect Ratio_M01"])
    return path


@pytest.fixture
def gates(tmp_path):
    path = tmp_path / "gates.json"
    path.write_text(GATES % "")
    return path


def test_the_populations_of_a_table_by_hand(table, gates):
    found = gate_table(table, gates)
    content = read_table(table)
    area = np.asarray(content[:, "Area_M01"].X).ravel()
    numbers = content.obs["object"].to_numpy()
    assert found.populations.object_numbers("Large").tolist() == numbers[area >= 180].tolist()
    assert (
        found.populations.object_numbers("=First").tolist()
        == numbers[(area >= 180) & (numbers <= 9)].tolist()
    )
    header, rows = population_rows(found)
    assert header == ("population", "parent", "count", "percent_parent", "percent_all")
    large = int((area >= 180).sum())
    assert 0 < large < 40
    assert rows[1] == ("Large", "All", large, 100 * large / 40, 100 * large / 40)
    assert rows[3][2] == 40 - large
    assert gate_table(content, read_gates(gates)).populations.counts() == found.populations.counts()


def test_files_that_are_written(tmp_path, table, gates):
    found = gate_table(table, gates, volume=0.5)
    names = {key: tmp_path / f"{key}.csv" for key in ("table", "members")}
    write_gated(found, **names, gates=tmp_path / "copy.json", statistics=["Area_M01"])
    assert read_gates(tmp_path / "copy.json") == read_gates(gates)
    with names["table"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:5] == ["population", "parent", "count", "percent_parent", "percent_all"]
    assert [row["population"] for row in rows] == ["All", "Large", "'=First", "Small"]
    assert rows[0]["concentration"] == "80.0"
    assert float(rows[1]["min"]) >= 180 > float(rows[3]["max"])
    with names["members"].open(newline="") as file:
        members = list(csv.DictReader(file))
    assert len(members) == sum(int(row["count"]) for row in rows)
    assert members[0] == {"object": "0", "population": "All"}
    assert b"\r" not in names["members"].read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        write_gated(found, table=names["table"])


def test_some_populations_only(tmp_path, table, gates):
    found = gate_table(table, gates)
    header, rows = population_rows(found, only=["=First"], statistics=["Area_M01", "Aspect Ratio_M01"])
    assert [(row[0], row[1], row[5]) for row in rows] == [
        ("=First", "Large", "Area_M01"),
        ("=First", "Large", "Aspect Ratio_M01"),
    ]
    assert (header[5], header[6], len(header)) == ("feature", "nans", len(rows[0]))
    write_gated(found, members=tmp_path / "m.csv", only=["Small"])
    assert {line.split(",")[1] for line in (tmp_path / "m.csv").read_text().splitlines()[1:]} == {"Small"}


def test_outputs_that_cannot_be(tmp_path, table, gates):
    found = gate_table(table, gates)
    for wrong in (table, gates):
        with pytest.raises(UsageError, match="expected an output apart from the inputs"):
            write_gated(found, table=wrong, overwrite=True)
    with pytest.raises(UsageError, match="expected another file for each output, found the same"):
        write_gated(found, table=tmp_path / "a.csv", members=tmp_path / "a.csv")
    with pytest.raises(GateError, match="no population 'Smal'; did you mean 'Small'"):
        write_gated(found, table=tmp_path / "a.csv", only=["Smal"])
    with pytest.raises(GateError, match="no feature 'Area' among 3"):
        write_gated(found, table=tmp_path / "a.csv", statistics=["Area"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gates.json"]


def test_partial_results_come_on_request_only(table):
    gates = parse_gates(GATES % MORE)
    with pytest.raises(GateError, match=r"gate 'elsewhere': no feature 'Area_M05'.*did you mean 'Area_M01'"):
        gate_table(table, gates)
    found = gate_table(table, gates, salvage=True)
    assert list(found.populations.members) == ["All", "Large", "=First", "Small"]
    assert found.lost == ("Lost", "Too")
    assert found.notes[0].startswith(
        "left out, wrong or made of what is wrong: 'Lost', 'Too' (gate 'elsewhere'"
    )
    with pytest.raises(GateError, match="population 'Too' was left out"):
        population_rows(found, only=["Too"])


def test_an_analysis_without_its_images(shared_data, tmp_path):
    path = shared_data / "amnis" / "ut7_ideas60.daf"
    found = gate_daf(path)
    assert found.populations.object_numbers("subG1 & Events").tolist() == list(range(400, 410))
    assert found.volume == pytest.approx(0.43261095312499953, rel=1e-15)
    assert write_gated(found, gates=tmp_path / "gates.json") == ()
    assert read_gates(tmp_path / "gates.json").names == found.populations.gates.names
    assert load_gates(path).names == found.populations.gates.names


def test_images_of_another_file_beside_an_analysis_are_said(shared_data, tmp_path):
    path = Path(shutil.copyfile(shared_data / "amnis" / "ut7_ideas60.daf", tmp_path / "a.daf"))
    alone = gate_daf(path)
    write_demo_cif(tmp_path / "a.cif", n_cells=5)
    found = gate_daf(path)
    assert found.populations.counts() == alone.populations.counts()
    (said,) = set(found.notes) - set(alone.notes)
    assert "by the stored values alone" in said
    assert "a.cif to hold the 420 objects of this DAF, found 5 objects" in said


def test_gates_of_an_analysis_are_refused_where_their_features_are_not(shared_data, table):
    with pytest.raises(GateError, match="gate 'Focused': no feature 'Gradient RMS_M04_BF' among the 3"):
        gate_table(table, shared_data / "amnis" / "ut7_ideas60.daf")


def test_what_is_no_analysis(table, tmp_path):
    with pytest.raises(FormatError, match=r"expected an IDEAS analysis file \(DAF\), found another file"):
        gate_daf(table)
    with pytest.raises(FormatError, match="cannot be read"):
        gate_daf(tmp_path / "none.daf")
    with pytest.raises(FormatError, match=r"expected a gates file"):
        gate_table(table, tmp_path / "none.json")
