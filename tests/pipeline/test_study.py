"""The study file: what is accepted, and the words and lines of every refusal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ifcyto.errors import StudyError
from ifcyto.masks.nuclear import NuclearRule
from ifcyto.pipeline.study import load_study
from ifcyto.pipeline.study_model import CandidatesTable, StudyFile
from ifcyto.pipeline.toml_lines import key_lines, line_of
from ifcyto.schemas import load_schema, schema_path, validate

if TYPE_CHECKING:
    from pathlib import Path

STUDY = """\
[study]
title = "BNE"
control = "NBM"

[channels]
BF = 1
DRAQ5 = "Ch05"

[[samples]]
id = "N1"
group = "NBM"
file = "a.cif"

[[samples]]
id = "M1"
group = "MDS"
file = "a.cif"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.cif").write_bytes(b"II*\0")
    return tmp_path


def load(folder: Path, text: str):
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return load_study(folder / "study.toml")


def test_defaults(folder: Path) -> None:
    study = load(folder, STUDY)
    assert (study.control, study.cases, study.groups) == ("NBM", ("MDS",), ("NBM", "MDS"))
    assert study.dna_role == "DRAQ5"
    assert study.settings.study.seed == 0
    assert study.rule == NuclearRule()
    assert [sample.file for sample in study.samples] == [folder / "a.cif"] * 2


def test_the_control_comes_first_and_training_groups_are_not_counted(folder: Path) -> None:
    text = STUDY.replace('control = "NBM"', 'control = "MDS"') + (
        '[[samples]]\nid = "pool"\ngroup = "training"\nfile = "a.cif"\ntraining_only = true\n'
    )
    study = load(folder, text)
    assert (study.groups, study.cases) == (("MDS", "NBM"), ("NBM",))
    assert [sample.id for sample in study.counted] == ["N1", "M1"]


def test_settings_reach_the_rule(folder: Path) -> None:
    study = load(folder, STUDY + "[candidates]\nsaddle_ratio = 0.5\nmin_share = 0\n")
    assert study.rule == NuclearRule(saddle_ratio=0.5, min_share=0.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title", "titel", r"study\.toml: line 2: study\.titel: unknown key; did you mean 'title'\?$"),
        ("[study]", "[studdy]", r"line 1: studdy: unknown key; did you mean 'study'\?"),
        ('group = "MDS"\n', "", r"line 14: samples\[2\]\.group: expected this key, found none$"),
        ('"BNE"', "7", r"line 2: study\.title: expected a valid string, found 7$"),
        ("BF = 1", "BF = 0", r"line 6: channels\.BF: expected a channel's number \(from 1\) or its name"),
        ("BF = 1", "BF = 1.5", r"line 6: channels\.BF: expected a channel's number .* found 1\.5"),
        ('"Ch05"', "1", r"line 7: channels\.DRAQ5: channel 1 is BF already; one role a channel"),
        ("DRAQ5", "Dye", r"line 5: channels: expected one DNA channel \(DRAQ5, .*found none; name it"),
        ("BF = 1", "DNA = 1", r"line 5: channels: expected one DNA channel .*found DNA, DRAQ5; name it"),
        ('id = "M1"', 'id = "n1"', r"line 15: samples\[2\]\.id: 'n1' is the id of sample 1 too"),
        (
            'id = "M1"',
            'id = "../x"',
            r"line 15: samples\[2\]\.id: expected a name that can be part of a file name",
        ),
        (
            'control = "NBM"',
            'control = "nbm"',
            r"line 3: study\.control: no counted sample is of group 'nbm'; "
            r"did you mean 'NBM'\?; found NBM, MDS$",
        ),
        ('control = "NBM"', 'case = ["MDS"]', r"line 3: study\.case: expected a control group beside it"),
        ('control = "NBM"', 'control = "NBM"\ncase = ["NBM"]', r"line 4: study\.case: 'NBM' is the control"),
        (
            'file = "a.cif"\n\n',
            'file = "b.cif"\n\n',
            r"line 12: samples\[1\]\.file: there is no file 'b\.cif'",
        ),
        (
            'file = "a.cif"\n\n',
            'file = "a.cif"\nstages = "s.csv"\n\n',
            r"line 13: samples\[1\]\.stages: there is",
        ),
        (
            "[channels]",
            '[fbml]\nalgorithm = "svm"\n[channels]',
            r"line 6: fbml\.algorithm: expected 'lda', 'logistic', 'forest' or 'boosting', found 'svm'",
        ),
        ("[channels]", "[cnn]\nsize = 4\n[channels]", r"line 6: cnn\.size: "),
        ("[channels]", '[cnn]\narchitecture = "alexnet"\n[channels]', r"line 6: cnn\.architecture: "),
        (
            'group = "NBM"',
            'group = "NBM"\ngates = "g"',
            r"line 12: samples\[1\]\.gates: there is no file 'g' beside the study file",
        ),
        (
            'group = "NBM"',
            'group = "NBM"\ndaf = "a.daf"\ngates = "g"',
            r"line 13: samples\[1\]\.gates: expected one of stages, daf and gates, found daf too",
        ),
        (
            'group = "NBM"',
            'group = "NBM"\ndaf = "."',
            r"line 12: samples\[1\]\.daf: expected a DAF, found the folder '\.'",
        ),
        (
            "[channels]",
            '[candidates]\nchannel = "draq5"\n[channels]',
            r"line 6: candidates\.channel: expected a "
            r"role of \[channels\].*did you mean 'DRAQ5'",
        ),
        (
            "[channels]",
            "[candidates]\nsaddle_ratio = nan\n[channels]",
            r"line 6: candidates\.saddle_ratio: expected",
        ),
        (
            "[channels]",
            '[compare]\nmethods = ["spott"]\n[channels]',
            r"line 6: compare\.methods\[1\]: expected "
            r"'spot', 'manual', 'fbml' or 'cnn', found 'spott'",
        ),
        ("[study]", "[study", r"study\.toml: expected a study file in TOML: .*line 1"),
    ],
)
def test_faults_name_key_and_line(folder: Path, old: str, new: str, message: str) -> None:
    assert old in STUDY
    with pytest.raises(StudyError, match=message) as error:
        load(folder, STUDY.replace(old, new, 1))
    assert "\n" not in str(error.value)


def test_a_fault_in_the_last_sample_is_found_there(folder: Path) -> None:
    with pytest.raises(StudyError, match=r"line 18: samples\[2\]\.training_only: expected a valid boolean"):
        load(folder, STUDY + 'training_only = "yes"\n')


def test_several_faults_are_counted(folder: Path) -> None:
    with pytest.raises(StudyError, match=r"line 2: study\.titel: .*\(and 1 more\)$"):
        load(folder, STUDY.replace("title", "titel") + "stagse = 1\n")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[study]\ntitle = 'x'"])
def test_no_study_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "study.toml").write_bytes(content)
    with pytest.raises(StudyError, match=r"study\.toml"):
        load_study(tmp_path / "study.toml")
    with pytest.raises(StudyError, match="cannot be read"):
        load_study(tmp_path / "absent.toml")


def test_lines_of_nested_and_multiline_toml() -> None:
    text = (
        'a = """\n[not]\n b = 1\n"""\n[x]\nlist = [\n  1,\n  "]", # ]\n]\n"odd key" = 2\nc.d = 3\n'
        "[[y]]\n[y.sub]\nk = 1\n[[y]]\n[y.sub]\nk = 2\n"
    )
    lines = key_lines(text)
    assert lines["a",] == 1
    assert lines["x", "list"] == 6
    assert lines["x", "odd key"] == 10
    assert lines["x", "c", "d"] == 11
    assert lines["y", 1, "sub", "k"] == 17
    assert ("not",) not in lines
    assert ("b",) not in lines
    assert line_of(lines, ("x", "list", 3)) == 6
    assert line_of(lines, ("z",)) is None


def test_schema_file_is_the_models_own() -> None:
    schema = json.loads(schema_path("study").read_text("utf-8"))
    assert schema.pop("$schema") == "https://json-schema.org/draft/2020-12/schema"
    assert schema == StudyFile.model_json_schema()
    load_schema("study")
    validate({"channels": {"BF": 1}, "samples": [{"id": "a", "group": "b", "file": "c"}]}, "study")


def test_every_key_is_in_the_prose_page_with_its_default() -> None:
    page = schema_path("study").with_name("study.md").read_text("utf-8")
    for name, field in StudyFile.model_fields.items():
        table = field.annotation
        if name == "samples":
            table = table.__args__[0]
        for key in getattr(table, "model_fields", {}):
            assert f"| `{name}.{key}` |" in page, f"{name}.{key}"
    for key, field in CandidatesTable.model_fields.items():
        if isinstance(field.default, (int, float)):
            assert f"| `candidates.{key}` | {field.default:g} |" in page


def test_the_bne_mask_is_the_rule_written_out_or_the_users_own(folder: Path) -> None:
    assert load(folder, STUDY).mask == "Nuclei(MC, DRAQ5, 0.5, 5, 0.3, 0.7, 4, 0.3)"
    own = STUDY + '[candidates]\nmask = "Threshold(MC, DRAQ5, 50)"\n'
    assert load(folder, own).mask == "Threshold(MC, DRAQ5, 50)"
