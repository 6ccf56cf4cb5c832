"""The small tables of a study, and how they meet the objects of a sample."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ifcyto.errors import StudyError
from ifcyto.pipeline.judged import judge
from ifcyto.pipeline.labels import read_labels, read_stages, read_truth
from ifcyto.pipeline.study import Sample
from ifcyto.pipeline.study_model import LABELS
from ifcyto.schemas import load_schema, schema_path, validate


def table(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_columns_may_stand_in_any_order_with_others_between(tmp_path: Path) -> None:
    path = table(
        tmp_path, "\ufeffby,label,when,object\r\nAB,BNE,2024,7\r\n\r\nAB, Doublet ,2024,3\r\nAB,,2024,9\r\n"
    )
    assert read_labels(path) == {7: "BNE", 3: "Doublet"}


def test_stages_take_any_name(tmp_path: Path) -> None:
    assert read_stages(table(tmp_path, 'object,population\n2,"ProE, early"\n1,x\n')) == {
        2: "ProE, early",
        1: "x",
    }


def test_truth_is_by_sample(tmp_path: Path) -> None:
    path = table(tmp_path, "sample,object,label\na,1,BNE\nb,1,Irregular\n")
    assert read_truth(path, samples={"a", "b"}) == {("a", 1): "BNE", ("b", 1): "Irregular"}
    with pytest.raises(StudyError, match=r"t\.csv: line 3: the study has no sample 'b'"):
        read_truth(path, samples={"a"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: expected the columns object,label, found an empty file"),
        ("object,lable\n", r"line 1: expected the columns object,label, found object,lable"),
        ("object,label,label\n", r"line 1: expected the columns object,label, found object,label,label"),
        ("object,label\n1,BNE\n1,BNE\n", r"line 3: object 1 occurs twice"),
        (
            "object,label\n1,BEN\n",
            r"line 2: expected a label out of BNE, .* found 'BEN'; did you mean 'BNE'\?",
        ),
        ("object,label\n-1,BNE\n", r"line 2: expected an object number, found '-1'"),
        ("object,label\n1.0,BNE\n", r"line 2: expected an object number, found '1\.0'"),
        ("object,label\n99999999999999999999,BNE\n", r"line 2: expected an object number"),
        ("object,label\n,BNE\n", r"line 2: expected a value for object, found none"),
        ("object,label\n1\n", r"line 2: expected 2 values, found 1"),
        (b"object,label\n1,\xff\n", r"expected a CSV file in UTF-8"),
        ('object,label\n1,"BNE', r"expected a CSV file"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(StudyError, match=message) as error:
        read_labels(table(tmp_path, text))
    assert "t.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be read"):
        read_labels(tmp_path / "absent.csv")


def test_tables_join_by_object_number_never_by_row(tmp_path: Path) -> None:
    stages = tmp_path / "stages.csv"
    stages.write_text("object,population\n30,B\n10,A\n")
    manual = tmp_path / "manual.csv"
    manual.write_text("object,label\n30,BNE\n99,Doublet\n")
    sample = Sample("s", "g", Path("s.cif"), stages, manual)
    objects = np.array([10, 20, 30])
    judged = judge(
        sample, objects, np.array([1, 2, 2]), spots=2, truth={("s", 20): "Irregular", ("x", 10): "BNE"}
    )
    assert judged.stages.tolist() == ["A", "", "B"]
    assert judged.manual.tolist() == ["", "", "BNE"]
    assert judged.truth.tolist() == ["", "Irregular", ""]
    assert judged.candidate.tolist() == [False, True, True]
    assert judged.notes == (
        "sample s: 1 of 3 objects belong to no stage (stages.csv) and are not counted",
        "sample s: 1 objects of manual.csv are not in s.cif: 99",
    )


def test_a_table_of_another_file_is_refused(tmp_path: Path) -> None:
    sample = Sample("s", "g", Path("s.cif"), manual=table(tmp_path, "object,label\n5,BNE\n6,BNE\n"))
    with pytest.raises(StudyError, match=r"sample s: none of the 2 objects of t\.csv \(5, 6\) is in s\.cif"):
        judge(sample, np.array([1]), np.array([1]), spots=2)


def test_schema_and_prose_know_the_labels() -> None:
    schema = load_schema("labels")
    assert schema["items"]["properties"]["label"]["enum"] == [*LABELS, ""]
    validate([{"object": 1, "label": "BNE", "probability": 0.5}], "labels")
    page = schema_path("labels").with_name("labels.md").read_text("utf-8")
    assert all(f"`{label}`" in page for label in LABELS)
    assert json.dumps(schema)
