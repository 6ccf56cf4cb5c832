"""Sections say what the results hold, loudly where something is missing."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from ifcyto.report.assemble import build_report
from ifcyto.report.methods import methods_text
from ifcyto.report.model import FigureRef, Section
from ifcyto.schemas import validate

SAMPLE = {
    "file": "a.cif", "training_only": False, "objects": 12, "counted": 10, "candidates": 2, "tagged": 3,
    "spot_counts": {"1": 8, "2": 2},
}  # fmt: skip
FREQUENCY = {
    "stage": "ProE", "method": "spot", "cells": 10, "bne": 2, "percent": 20.0, "ci_low": 5.7, "ci_high": 51.0,
}  # fmt: skip
RESULTS: dict[str, Any] = {
    "format": "ifcyto results", "version": 1, "title": "T", "seed": 7, "control": "NBM", "cases": ["MDS"],
    "groups": ["NBM", "MDS"], "stages": ["ProE", "BasoE"], "interval": "wilson", "correction": "holm",
    "rule": {"channel": "DRAQ5", "spots": 2, "mask": None, "expression": "Nuclei(MC, DRAQ5, 0.5)",
             "smoothing_um": 0.5, "noise_sd": 5.0, "fraction": 0.3,
             "saddle_ratio": 0.7, "min_area_um2": 4.0, "min_share": 0.3, "pixel_size_um": None},
    "training": None,
    "methods": {"spot": {"ran": True, "why": ""}, "manual": {"ran": True, "why": ""},
                "fbml": {"ran": False, "why": "not in this version of ifcyto"},
                "cnn": {"ran": False, "why": "not in this version of ifcyto"}},
    "samples": [{"id": "N1", "group": "NBM", **SAMPLE}, {"id": "M1", "group": "MDS", **SAMPLE}],
    "frequencies": [
        {"sample": "N1", "group": "NBM", **FREQUENCY},
        {"sample": "M1", "group": "MDS", **FREQUENCY},
        {"sample": "M1", "group": "MDS", **FREQUENCY, "stage": "BasoE", "cells": 0, "bne": 0, "percent": None,
         "ci_low": None, "ci_high": None},
    ],
    "tests": [{"stage": "ProE", "method": "spot", "case": "MDS", "control": "NBM", "n_case": 1,
               "n_control": 1,
               "median_case": 20.0, "median_control": 20.0, "u": 0.5, "p": 1.0, "p_adjusted": 1.0,
               "effect": 0.0, "exact": True}],
    "overlap": [],
    "spot_overlap": [{"group": "MDS", "stage": "ProE", "manual": 1, "spot": 1, "count": 2}],
    "agreement": [{"method": "spot", "reference": "manual", "class": "BNE", "support": 4, "tp": 3, "fp": 1,
                   "fn": 1, "precision": 0.75, "recall": 0.75, "f1": 0.75, "sample": ""}],
    "confusion": [],
    "notes": ["sample M1: no cells in stage BasoE; left out of its tests"],
}  # fmt: skip
PROVENANCE = {
    "ifcyto": "0.1.0", "python": "3.11", "platform": "Linux x86_64", "dependencies": {"numpy": "2.0"},
    "time": "2026-01-01T00:00:00+00:00", "sources": [{"name": "a.cif", "sha256": "00ff"}],
}  # fmt: skip


def section(results: dict[str, Any], anchor: str, **figures: list[FigureRef]) -> Section:
    report = build_report(results, figures, PROVENANCE)
    return next(one for one in report.sections if one.anchor == anchor)


@pytest.fixture
def results() -> dict[str, Any]:
    """A fresh copy that follows the schema."""
    validate(RESULTS, "results")
    return copy.deepcopy(RESULTS)


def test_report_has_every_part(results: dict[str, Any]) -> None:
    report = build_report(results, {}, PROVENANCE)
    assert [one.anchor for one in report.sections] == [
        "question", "samples", "spot-count", "methods", "frequencies", "tests", "agreement", "overlap",
        "limits", "miflowcyt"
    ]  # fmt: skip
    assert report.warnings == tuple(results["notes"])
    assert [(number.label, number.value) for number in report.key_numbers] == [
        ("samples", 2), ("cells counted", 20), ("candidates", 4), ("F1", "0.750"), ("precision", "0.750"),
        ("recall", "0.750"),
    ]  # fmt: skip
    assert report.key_numbers[4].note == "3 of 4"
    assert "exact Mann-Whitney p = 1 (adjusted 1)" in str(report.summary[1])
    assert report.provenance.inputs == (("a.cif", "00ff"),)
    assert dict(report.provenance.settings)["seed"] == "7"


def test_empty_stage_is_a_warning_of_its_section(results: dict[str, Any]) -> None:
    assert section(results, "frequencies").warnings == ("Stage BasoE holds no cell in any sample.",)


def test_without_control_it_says_that_nothing_is_tested(results: dict[str, Any]) -> None:
    results |= {"control": None, "cases": [], "tests": []}
    assert section(results, "tests").text == ("The study names no control group, so nothing is tested.",)
    assert len(methods_text(results, PROVENANCE)) == 3
    assert "more frequent, or less" not in str(section(results, "question").text)


def test_no_possible_test_is_another_thing(results: dict[str, Any]) -> None:
    results["tests"] = []
    assert "No group had a frequency" in section(results, "tests").text[0]
    assert "No test was possible" in str(build_report(results, {}, PROVENANCE).summary[1])


def test_approximate_p_values_are_said(results: dict[str, Any]) -> None:
    assert "All p values are exact." in section(results, "tests").notes
    results["tests"][0]["exact"] = False
    assert "normal approximations" in section(results, "tests").notes[0]
    assert "normal approximation" in methods_text(results, PROVENANCE)[2]


def test_without_a_reference_the_rule_cannot_be_judged(results: dict[str, Any]) -> None:
    results |= {"agreement": [], "spot_overlap": []}
    report = build_report(results, {}, PROVENANCE)
    assert "no method can be judged" in section(results, "agreement").text[0]
    assert "overlap" not in {one.anchor for one in report.sections}
    assert [number.label for number in report.key_numbers] == ["samples", "cells counted", "candidates"]


def test_pictures_of_cells_stand_with_the_errors(results: dict[str, Any]) -> None:
    figure = FigureRef(Path("a.png"), "caption", "words")
    found = section(results, "errors", errors=[figure])
    assert found.figures == (figure,)
    assert "seeded random choice" in str(found.text)
    assert "errors" not in {one.anchor for one in build_report(results, {}, PROVENANCE).sections}


def test_methods_name_what_did_not_run_and_every_setting(results: dict[str, Any]) -> None:
    ran, settings = section(results, "methods").tables
    assert ran.rows[3] == ("convolutional network", False, "not in this version of ifcyto")
    assert {row[0] for row in settings.rows} == set(results["rule"])


def test_methods_text_holds_the_parameters_of_the_run(results: dict[str, Any]) -> None:
    results["rule"] |= {"saddle_ratio": 0.61, "min_share": 0.25, "spots": 3}
    results["interval"] = "clopper-pearson"
    mask, counting, tests, _ = methods_text(results, PROVENANCE)
    for words in ("fell to 0.61 of", "25 % of the largest", "Spot Count 3", "DRAQ5 image", "ifcyto 0.1.0"):
        assert words in mask
    assert "Clopper-Pearson" in counting
    assert "samples of MDS were compared with those of NBM" in tests
    assert "exact and adjusted by Holm's method" in tests


def test_methods_text_names_the_users_own_mask(results: dict[str, Any]) -> None:
    results["rule"] |= {"mask": "Fill(M05)", "expression": "Fill(M05)"}
    mask = methods_text(results, PROVENANCE)[0]
    assert "mask Fill(M05), a definition in the grammar of IDEAS" in mask
    assert "saddle" not in mask


def test_spot_counts_make_one_column_each(results: dict[str, Any]) -> None:
    results["samples"][0]["spot_counts"] = {"0": 1, "1": 5, "3": 4}
    (table,) = section(results, "spot-count").tables
    assert [column.title for column in table.columns[4:]] == ["0 spots", "1 spot", "2 spots", "3 spots"]
    assert table.rows[0][4:] == (1, 5, 0, 4)
