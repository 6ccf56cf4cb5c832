"""Every example runs, and shows what it says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{path.parent.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_jurkat_shows_how_well_the_plain_rule_does(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score = load(EXAMPLES / "jurkat" / "run.py").main(shared_data / "jurkat", tmp_path)
    assert (score["support"], score["tp"], score["fp"]) == (29, 28, 1)
    assert score["f1"] == pytest.approx(2 * 28 / (29 + 29))
    said = capsys.readouterr().out
    assert "cells with two nuclei: 29 of 2741" in said
    assert "precision 0.966, recall 0.966, F1 0.966" in said
    assert (tmp_path / "results" / "report.html").is_file()


def test_quickstart_goes_from_a_file_to_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = load(EXAMPLES / "quickstart.py").main(tmp_path / "study")
    assert report.is_file()
    said = capsys.readouterr().out
    assert "MDS01.cif: 150 objects, channels Ch01 BF Ch02 CD235a Ch05 DRAQ5" in said
    assert "ten cells: (10, 2, 64, 64) int16" in said
    assert said.count(" cells (") == 2 * 2 * 3


def test_the_papers_workflow_finds_more_in_mds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = load(EXAMPLES / "paper_cohort" / "run.py").main(tmp_path / "cohort", cells=60)
    assert scores["fbml"][0] > scores["spot"][0]
    assert scores["spot"][1] == 1.0
    said = capsys.readouterr().out
    assert "1. samples: 37 and one to train on" in said
    assert sum(line.split()[:2] == ["MDS", stage] for line in said.splitlines() for stage in
               ("ProE", "BasoE", "PolyOrthoE")) == 3  # fmt: skip


@pytest.mark.parametrize("name", ["ut7_ideas60.daf", "ut7_ideas62.daf"])
def test_groups_go_into_a_real_analysis_and_come_back(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    daf = shared_data / "amnis" / name
    counts = load(EXAMPLES / "ideas_roundtrip" / "run.py").main(daf, tmp_path)
    assert sum(count for count, *_ in counts.values()) == 420
    assert all(len(set(three)) == 1 and three[0] > 0 for three in counts.values())
    said = capsys.readouterr().out
    assert "populations that were there before: 30 of 30 with the same count" in said
    assert "the rule of the checksum in a DAF is not known" in said


def test_every_example_has_a_test_here() -> None:
    source = Path(__file__).read_text("utf-8")
    for path in EXAMPLES.rglob("*.py"):
        folder = "" if path.parent == EXAMPLES else f'"{path.parent.name}" / '
        assert f'EXAMPLES / {folder}"{path.name}"' in source
