"""``ifcyto evaluate`` and ``ifcyto suggest``: what they print, what they leave, how they end."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from ifcyto.cli.main import main
from ifcyto.pipeline.measure import measure_to_file
from ifcyto.samples.cells import CHANNELS, Rates, simulate_sample
from ifcyto.writers.cif import write_cif


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.fixture
def paper(tmp_path):
    """Labels and truth of the paper's 758 candidates, from its confusion matrix."""
    matrix = {"BNE": (115, 1, 31), "Doublet": (0, 349, 1), "Irregular": (11, 0, 250)}
    pairs = [(a, b) for a, row in matrix.items() for b, n in zip(matrix, row, strict=True) for _ in range(n)]
    for name, place in (("truth", 0), ("labels", 1)):
        text = "".join(f"{i},{pair[place]}\n" for i, pair in enumerate(pairs))
        (tmp_path / f"{name}.csv").write_text("object,label\n" + text)
    (tmp_path / "ok.csv").write_text("true,predicted\nBNE,Irregular\n")
    return tmp_path


@pytest.mark.parametrize("command", ["evaluate", "suggest"])
def test_help_has_an_example(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert f"Example:  ifcyto {command}" in out


def test_the_papers_numbers_are_printed(capsys, paper):
    code, out, err = run(
        capsys, "evaluate", paper / "labels.csv", paper / "truth.csv", "-o", paper / "out",
        "--tolerable", paper / "ok.csv", "--resamples", 50, "--no-figures",
    )  # fmt: skip
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert lines[0][:3] == ["class", "truth", "precision"]
    assert lines[1][:5] == ["BNE", "147", "0.913", "0.782", "0.842"]
    assert lines[1][5:] == ["0.982", "0.949", "0.943"]
    assert ["tolerant"] in lines
    assert any(line[:2] == ["balanced", "accuracy"] and line[2] == "0.912" for line in lines)
    assert out.splitlines()[-1] == f"{paper / 'out'}: 758 objects, metrics.json and tables"
    assert "no areas under curves" in err
    assert sorted(path.name for path in (paper / "out").iterdir()) == [
        "calibration.csv", "confusion.csv", "metrics.csv", "metrics.json",
    ]  # fmt: skip
    score = json.loads((paper / "out" / "metrics.json").read_text())["strict"]["classes"][0]
    assert [round(100 * score[name], 1) for name in ("accuracy", "specificity", "recall", "precision")] == [
        94.3, 98.2, 78.2, 91.3,
    ]  # fmt: skip


def test_a_threshold_for_a_precision_is_said(capsys, tmp_path, rng):
    p = np.round(rng.uniform(0.5, 1, 300), 3)
    truth = np.where(rng.random(300) < p, "BNE", "Doublet")
    (tmp_path / "l.csv").write_text(
        "object,label,probability,p BNE,p Doublet\n"
        + "".join(f"{i},BNE,{v},{v},{round(1 - v, 3)}\n" for i, v in enumerate(p.tolist()))
    )
    (tmp_path / "t.csv").write_text(
        "object,label\n" + "".join(f"{i},{name}\n" for i, name in enumerate(truth))
    )
    arguments = ("evaluate", tmp_path / "l.csv", tmp_path / "t.csv", "--resamples", 50)
    code, out, _ = run(capsys, *arguments, "--precision", 0.85, "--class", "BNE")
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("threshold"))
    limit = float(line.rpartition("BNE=")[2].rstrip("'"))
    kept = p >= limit
    assert (truth[kept] == "BNE").mean() >= 0.85
    assert f"{kept.sum()} of 300 objects keep their class" in line
    assert "AUC (95 %)" in out.splitlines()[0]
    code, _, err = run(capsys, *arguments, "--precision", 1.0, "--sure")
    assert code == 2
    assert "no threshold gives a precision of 1 for sure" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sample", "A"], "a sample of the truth"),
        (["--map", "oval=Irregular"], "a class 'oval' to rename"),
        (["--tolerable", "labels.csv"], "the columns true,predicted"),
        (["--precision", "0.9", "--class", "Mitosis"], "10 classified objects of Mitosis"),
    ],
)
def test_what_cannot_be_evaluated_is_exit_two(capsys, paper, monkeypatch, options, message):
    monkeypatch.chdir(paper)
    code, out, err = run(
        capsys, "evaluate", "labels.csv", "truth.csv", "-o", "out", "--resamples", 50, *options
    )
    assert (code, out) == (2, "")
    assert message in err
    assert not (paper / "out").exists()


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """A feature table of a simulated sample, and tags of some of its cells."""
    folder = tmp_path_factory.mktemp("suggest")
    sample = simulate_sample(120, seed=21, rates=Rates(0.4, 0.4, 0.1))
    cif = write_cif(sample.batch.cells(), folder / "cells.cif", channels=CHANNELS)
    table = measure_to_file(cif, folder / "cells.h5ad", ["Area_M01", "Area_M05", "Aspect Ratio_M05"]).output
    kinds = {n: kind for n, kind in enumerate(sample.kinds.tolist()) if kind in {"BNE", "Doublet"}}
    tags = "".join(f"{n},{kind}\n" for n, kind in kinds.items() if n % 2)
    (folder / "tags.csv").write_text("object,label\n" + tags)
    return table, folder / "tags.csv"


def test_the_loop_of_tagging(capsys, cells, tmp_path):
    """Group, tag, ask, train, ask again."""
    table, tags = cells
    code, out, err = run(capsys, "suggest", table, "-o", tmp_path / "g.csv", "--cluster", 0, "--size", 60)
    assert (code, out) == (0, f"{tmp_path / 'g.csv'}: 60 objects to look at\n")
    assert " groups of " in err
    code, out, err = run(capsys, "suggest", table, "-o", tmp_path / "s.csv", "--labels", tags, "--n", 7)
    assert code == 0
    assert "tags so far: balanced accuracy" in err
    with (tmp_path / "s.csv").open(newline="") as file:
        assert [row["reason"] for row in csv.DictReader(file)][:7] == ["uncertain"] * 7
    code, _, _ = run(capsys, "train", table, "-o", tmp_path / "m", "--labels", tags)
    assert code == 0
    options = ("--labels", tags, "--n", 5, "--order", "diverse", "--class", "BNE")
    code, out, _ = run(capsys, "suggest", table, tmp_path / "m", "-o", tmp_path / "d.csv", *options)
    assert (code, out) == (0, f"{tmp_path / 'd.csv'}: 5 objects to look at\n")
    drawn = ("--cluster", 3, "--map", tmp_path / "map.png")
    code, out, _ = run(capsys, "suggest", table, tmp_path / "m", "-o", tmp_path / "m.csv", *drawn)
    assert out.endswith(f"{tmp_path / 'map.png'}: the map\n")
    assert sorted(path.name for path in tmp_path.glob("map.*")) == ["map.pdf", "map.png"]


def test_what_cannot_be_suggested_is_exit_two(capsys, cells, tmp_path):
    table, tags = cells
    for options, message in (
        ([], "expected a model, or --labels that teach one"),
        (["--labels", tags, "--map", tmp_path / "map.png"], "expected --cluster with it"),
        (["--cluster", 3, "--map", tmp_path / "map.svg"], "expected a plain name that ends in .png"),
        (["--labels", tags, "--order", "best"], "best"),
        (["--cluster", 200], "one group or more"),
        ([tmp_path / "m"], "model.json"),
    ):
        code, out, err = run(capsys, "suggest", table, "-o", tmp_path / "s.csv", *options)
        assert (code, out) == (2, "")
        assert message in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "s.csv").exists()
