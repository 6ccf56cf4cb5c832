"""Where objects are lost and how good the samples are: sums that come out even."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from ifcyto.report.files import FOLDER, named, own_tables
from ifcyto.report.miflowcyt import UNKNOWN, miflowcyt_table
from ifcyto.report.model import KeyNumber, Report, Section, Table
from ifcyto.report.overview import limits_section, losses_section, question_section, samples_section

RESULTS: dict[str, Any] = {
    "title": "T", "control": "NBM", "cases": ["MDS", "ICUS"], "groups": ["NBM", "MDS"],
    "stages": ["ProE", "BasoE"], "tests": [{"n_case": 4, "n_control": 11}], "rule": {"mask": None},
    "samples": [
        {"id": "N1", "group": "NBM", "training_only": False, "objects": 30, "counted": 20, "tagged": 3},
        {"id": "pool", "group": "training", "training_only": True, "objects": 9, "counted": 0,
         "tagged": None},
    ],
}  # fmt: skip


def loss(sample: str, stage: str, cells: int, candidates: int, **more: Any) -> dict[str, Any]:
    none = {f"{m}_{c}": None for m, c in product(("fbml", "cnn", "manual"),
                                                 ("BNE", "Doublet", "Irregular", "Unknown"))}  # fmt: skip
    group = "training" if sample == "pool" else "NBM"
    return {
        "sample": sample, "group": group, "training_only": sample == "pool", "stage": stage,
        "counted": bool(stage), "cells": cells, "candidates": candidates, **none, **more,
    }  # fmt: skip


LOSSES = [
    loss("N1", "ProE", 12, 5, fbml_BNE=2, fbml_Doublet=2, fbml_Irregular=1, fbml_Unknown=0),
    loss("N1", "BasoE", 8, 3, fbml_BNE=1, fbml_Doublet=1, fbml_Irregular=1, fbml_Unknown=0),
    loss("N1", "", 10, 4, fbml_BNE=3, fbml_Doublet=1, fbml_Irregular=0, fbml_Unknown=0),
    loss("pool", "", 9, 9, fbml_BNE=9, fbml_Doublet=0, fbml_Irregular=0, fbml_Unknown=0),
]


def test_losses_are_counted_step_by_step() -> None:
    found = losses_section(RESULTS, LOSSES)
    assert found is not None
    per_sample, per_stage = found.tables
    assert [column.title for column in per_sample.columns] == [
        "sample", "group", "objects", "in no stage", "counted", "candidates", "feature-based: BNE",
        "feature-based: Doublet", "feature-based: Irregular",
    ]  # fmt: skip
    assert per_sample.rows[0] == ("N1", "NBM", 30, 10, 20, 8, 3, 3, 2)
    assert per_sample.rows[1] == ("pool", "training", 9, 9, 0, 0, None, None, None)
    assert per_stage.rows[:2] == (("NBM", "ProE", 1, 12, 5, 2, 2, 1), ("NBM", "BasoE", 1, 8, 3, 1, 1, 1))
    assert "Of 30 objects in the counted samples 20 (66.67 %)" in str(found.text)
    assert "8 of these (40.00 %)" in str(found.text)
    for row in per_sample.rows:  # what comes in goes out
        assert row[2] == row[3] + row[4]


def test_without_losses_there_is_no_section() -> None:
    assert losses_section(RESULTS, []) is None


def channel(sample: str, name: str, saturated: int | None) -> dict[str, Any]:
    return {
        "sample": sample, "group": "NBM", "objects": 200, "masks": True, "height_px": 45.0, "width_px": 44.0,
        "pixel_um": 0.5, "speed_mm_s": None, "channel": name, "saturated": saturated, "background": 30.0,
        "background_sd": 2.0,
    }  # fmt: skip


@pytest.mark.parametrize(("saturated", "warned"), [(10, 0), (11, 1), (None, 0)])
def test_much_saturation_is_a_warning(saturated: int | None, warned: int) -> None:
    found = samples_section(RESULTS, [channel("N1", "BF", 0), channel("N1", "DNA", saturated)])
    assert len(found.warnings) == warned
    share = None if saturated is None else saturated / 2
    assert found.tables[1].rows == (("N1", True, 45.0, 44.0, 0.5, None, 0.0, share),)
    if warned:
        assert "1 of 1 samples, most in N1 (DNA, 5.50 %)" in found.warnings[0]


def test_question_and_limits_follow_the_study() -> None:
    assert "in MDS and ICUS than in NBM?" in str(question_section(RESULTS).text)
    alone = {**RESULTS, "control": None, "stages": [], "tests": []}
    assert "How frequent" in str(question_section(alone).text)
    assert "Not a medical device" in str(limits_section(RESULTS).text)
    assert "The smallest group in a test has 4 samples" in str(limits_section(RESULTS).text)
    assert "smallest group" not in str(limits_section(alone).text)


def test_miflowcyt_says_what_is_not_known() -> None:
    provenance = {"time": "2026", "sources": [{}, {}], "ifcyto": "1"}
    rows = {row[1]: str(row[2]) for row in miflowcyt_table(RESULTS, provenance, []).rows}
    assert rows["Channels and reagents"] == UNKNOWN
    assert rows["List-mode data"].startswith("2 files")
    rows = {row[1]: str(row[2]) for row in
            miflowcyt_table(RESULTS, provenance, [channel("N1", "BF", 0)]).rows}  # fmt: skip
    assert rows["Channels and reagents"] == "BF"
    assert "saturation" in rows["Quality control"]


def test_every_table_of_a_report_names_a_file_and_own_ones_are_written() -> None:
    tables = (Table("a", (), ()), Table("b", (), (), "tests.csv"), Table("c", (), ()))
    report = named(Report("t", sections=(Section("s", "S", tables=tables),)))
    assert [t.file for t in report.sections[0].tables] == [
        f"{FOLDER}/s-1.csv", "tests.csv", f"{FOLDER}/s-3.csv"
    ]  # fmt: skip
    assert [t.caption for t in own_tables(report)] == ["a", "c"]
    key = own_tables(named(Report("t", key_numbers=(KeyNumber("F1", "0.885", note="n"),))))
    assert [(t.file, t.rows) for t in key] == [("tables/key-numbers.csv", (("F1", "0.885", "", "n"),))]
