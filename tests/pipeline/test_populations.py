from __future__ import annotations

import pytest

from ifcyto.errors import FormatError, OutputError, UsageError
from ifcyto.pipeline.labels import read_labels
from ifcyto.pipeline.objects import read_objects
from ifcyto.pipeline.populations import export_pop, export_pop_csv, read_populations

SETS = {"BNE": [3, 9], "Doublet": [4], "Irregular": []}


@pytest.mark.parametrize(
    "text",
    [
        "object,label\n9,BNE\n4,Doublet\n3,BNE\n5,\n",
        "label,object_number\nBNE,9\nDoublet,4\nBNE,3\n",
        "object,population\n9,BNE\n4,Doublet\n3,BNE\n",
        "\ufeffObject,Label,by\r\n9,BNE,me\r\n\r\n4,Doublet,me\r\n3,BNE,me\r\n",
    ],
)
def test_every_form_of_labels_gives_the_same_populations(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode())
    assert read_populations(path) == {"BNE": [9, 3], "Doublet": [4]}


def test_one_pop_file_a_class_and_back(tmp_path):
    result = export_pop(SETS, tmp_path / "pops")
    assert (result.n_objects, result.notes) == (3, ())
    files = sorted(result.path.iterdir())
    assert [path.name for path in files] == ["BNE.pop", "Doublet.pop", "Irregular.pop"]
    assert read_objects(files[0]).tolist() == [3, 9]
    assert read_populations(files) == SETS


def test_the_other_form_is_read_back_and_by_whoever_reads_labels(tmp_path):
    path = export_pop_csv(SETS, tmp_path / "all.csv").path
    assert path.read_text() == "label,object_number\nBNE,3\nBNE,9\nDoublet,4\n"
    assert read_populations(path) == {"BNE": [3, 9], "Doublet": [4]}
    path.write_text(path.read_text().replace("object_number", "object"))
    assert read_labels(path) == {3: "BNE", 9: "BNE", 4: "Doublet"}


def test_names_that_are_no_file_names(tmp_path):
    sets = {"G2/M": [1], "g2:m": [2], "con": [3], "..": [4], "=1+1": [5]}
    result = export_pop(sets, tmp_path / "pops")
    names = sorted(path.name for path in result.path.iterdir())
    assert names == ["=1+1.pop", "G2_M.pop", "_con.pop", "g2_m 2.pop", "population.pop"]
    assert "population 'G2/M' is in G2_M.pop" in result.notes
    path = export_pop_csv(sets, tmp_path / "all.csv").path
    assert "'=1+1,5" in path.read_text()
    assert read_populations(path) == sets


def test_a_pop_is_called_by_its_first_line_or_its_own_name(tmp_path):
    (tmp_path / "a.pop").write_text("Large cells\n1\n2\n")
    (tmp_path / "b.pop").write_text("\n7\n")
    (tmp_path / "c.pop").write_text("4\n")
    (tmp_path / "d.pop").write_text("object\n5\n")
    found = read_populations([tmp_path / f"{name}.pop" for name in "abcd"])
    assert found == {"Large cells": [1, 2], "b": [7], "c": [4], "d": [5]}


def test_what_cannot_be_is_refused_and_nothing_written(tmp_path):
    with pytest.raises(UsageError, match="at least one population"):
        export_pop({}, tmp_path / "pops")
    (tmp_path / "a.csv").write_text("object,name\n1,BNE\n")
    with pytest.raises(FormatError, match="expected a column label or population, found object,name"):
        read_populations(tmp_path / "a.csv")
    with pytest.raises(FormatError, match="cannot be read"):
        read_populations(tmp_path / "none.pop")
    (tmp_path / "b.csv").write_text("object,label\nx,BNE\n")
    with pytest.raises(FormatError, match="line 2: expected an object number"):
        read_populations(tmp_path / "b.csv")
    for name in "cd":
        (tmp_path / f"{name}.pop").write_text("BNE\n1\n")
    with pytest.raises(UsageError, match="found 'BNE' in two"):
        read_populations([tmp_path / "c.pop", tmp_path / "d.pop"])
    (tmp_path / "BNE.pop").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        export_pop(SETS, tmp_path)
    with pytest.raises(UsageError, match="apart from the inputs"):
        export_pop_csv(SETS, tmp_path / "b.csv", sources=[tmp_path / "b.csv"], overwrite=True)
    assert not (tmp_path / "Doublet.pop").exists()


def test_populations_of_a_daf(shared_data, tmp_path):
    found = read_populations(shared_data / "amnis" / "ut7_ideas60.daf")
    assert len(found) == 29
    assert (len(found["Mphase"]), len(found["pH3+ & G1 & Events"])) == (210, 0)
    back = export_pop(found, tmp_path / "pops")
    assert len(list(back.path.iterdir())) == 29
    assert read_objects(back.path / "Mphase.pop").tolist() == sorted(found["Mphase"])
