"""``ifcyto run`` in a terminal and in a script."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imsave

from ifcyto.cli.main import main
from ifcyto.cli.run_text import MOST_NOTES, MOST_ROWS, print_outcome, print_table
from ifcyto.pipeline import draw as draw_module
from ifcyto.pipeline.run import RunOutcome
from ifcyto.samples.demo import write_demo_study


def _blank_figure(_figure: object, folder: Path, name: str, **_options: object) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    imsave(folder / f"{name}.png", np.zeros((2, 2), np.uint8), check_contrast=False)
    return folder / f"{name}.png", Path(shutil.copyfile(folder / f"{name}.png", folder / f"{name}.pdf"))


@pytest.fixture
def study(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(draw_module, "save_figure", _blank_figure)
    return write_demo_study(tmp_path, seed=3, samples_per_group=2, cells_per_sample=15, truth_cells=0)


def run(capsys, *arguments):
    code = main(["run", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def test_summary_says_what_was_found_and_ends_with_the_report(capsys, study):
    code, out, err = run(capsys, study)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[-1] == str(study.parent / "results" / "report.html")
    assert "samples     4 (NBM 2, MDS 2)" in lines
    assert "cells       60 in 3 stages, of 60 objects" in lines
    assert any(line.startswith("stage") and "median BNE %" in line for line in lines)
    assert any(line.split()[:3] == ["convert", "4", "0"] for line in lines)
    assert max(map(len, lines[:-1])) <= 80
    assert not [line for line in lines if "\x1b" in line or "─" in line]


def test_on_a_terminal_the_tables_are_ruled_and_fit_80_columns(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    print_table(("a", "b"), [("[red]x", "word " * 30)], right=(0,))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert any("[red]x" in line for line in lines)
    assert any("─" in line for line in lines)
    assert len(lines) > 3
    assert max(map(len, lines)) <= 80


def test_dry_run_lists_steps_and_writes_nothing(capsys, study):
    code, out, _ = run(capsys, study, "--dry-run")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["step", "what", "why"]
    assert lines[1].split() == ["convert", "NBM01", "do", "new"]
    assert lines[-1] == "11 steps: 10 do, 0 unchanged, 1 blocked; nothing was written"
    assert not (study.parent / "results").exists()


def test_keep_going_exits_with_1_and_names_the_sample_on_stderr(capsys, study):
    (study.parent / "MDS01.cif").write_bytes(b"nothing")
    code, out, err = run(capsys, study)
    assert (code, out) == (2, "")
    assert "MDS01.cif" in err
    assert run(capsys, study, "--dry-run")[0] == 1
    code, out, err = run(capsys, study, "--keep-going")
    assert code == 1
    assert err.startswith("failed: sample MDS01 (MDS), open: MDS01.cif")
    assert "FAILED      MDS01" in out.splitlines()
    assert out.splitlines()[-1].endswith("report.html")


def test_force_does_a_step_again_and_refuses_a_wrong_name(capsys, study):
    code, out, err = run(capsys, study, "--force", "spot")
    assert (code, out) == (2, "")
    assert "found 'spot'; did you mean 'spots'?" in err
    run(capsys, study)
    out = run(capsys, study, "--force", "tables", "--force", "spots MDS01")[1]
    counts = {line.split()[0]: line.split()[1:3] for line in out.splitlines() if len(line.split()) == 5}
    assert counts["spots"] == ["1", "3"]
    assert counts["tables"] == ["1", "0"]


def test_a_vast_study_is_cut_short(capsys):
    stages, groups = [f"stage {i} with a long name" for i in range(40)], ["a", "b"]
    results = {
        "title": "t",
        "samples": [],
        "groups": groups,
        "stages": stages,
        "rule": {"spots": 2},
        "methods": {"spot": {"ran": True}},
        "frequencies": [],
        "tests": [],
        "notes": [*(chr(97 + i) + " word" * 40 for i in range(26)), *(f"sample S{i}: odd" for i in range(9))],
    }
    print_outcome(RunOutcome(Path("report.html"), results, (), (), 1.0))
    lines = capsys.readouterr().out.splitlines()
    assert f"... {80 - MOST_ROWS} more rows: see frequencies.csv and tests.csv" in lines
    assert f"... {27 - MOST_NOTES} more kinds of notes in the report" in lines
    assert max(map(len, lines)) <= 80
