"""``ifcyto train`` and ``ifcyto classify``: what they print, what they leave, how they end."""

from __future__ import annotations

import csv

import pytest

from ifcyto.cli.main import main
from ifcyto.samples.cells import CHANNELS, Rates, simulate_sample
from ifcyto.writers.cif import write_cif

FEATURES = (
    "Area_M01\nAspect Ratio_M01\nArea_M05\nAspect Ratio_M05\nStd Dev_M05_DRAQ5\nMean Pixel_M02_CD235a\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A simulated sample, its labels, and the names of a few features."""
    place = tmp_path_factory.mktemp("train")
    sample = simulate_sample(120, seed=21, rates=Rates(0.4, 0.4, 0.1))
    write_cif(sample.batch.cells(), place / "cells.cif", channels=CHANNELS)
    kinds = {n: kind for n, kind in enumerate(sample.kinds.tolist()) if kind in {"BNE", "Doublet"}}
    (place / "labels.csv").write_text(
        "object,label\n" + "".join(f"{number},{kind}\n" for number, kind in kinds.items())
    )
    for kind in ("BNE", "Doublet"):
        numbers = [str(number) for number, found in kinds.items() if found == kind]
        (place / f"{kind}.pop").write_text("\n" + "\n".join(numbers) + "\n")
    (place / "names.txt").write_text(FEATURES)
    return place


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize("command", ["train", "classify"])
def test_help_has_an_example(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert f"Example:  ifcyto {command}" in out


def test_a_model_is_trained_and_classifies(capsys, folder, tmp_path):
    options = ("--features", folder / "names.txt", "--n-features", 3)
    cif, model = folder / "cells.cif", tmp_path / "model"
    code, out, _ = run(capsys, "train", cif, "-o", model, "--labels", folder / "labels.csv", *options)
    assert code == 0
    assert out.splitlines()[0].split() == ["class", "truth", "precision", "recall", "F1"]
    assert out.splitlines()[-1] == f"{model}: 3 features, lda"
    assert sorted(path.name for path in model.iterdir()) == [
        "formula.txt", "model.json", "ranking.csv", "training.json",
    ]  # fmt: skip
    code, out, _ = run(
        capsys, "classify", cif, model, "-o", tmp_path / "l.csv", "--objects", folder / "BNE.pop"
    )
    assert code == 0
    assert out.startswith(f"{tmp_path / 'l.csv'}: ")
    with (tmp_path / "l.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = {line for line in (folder / "BNE.pop").read_text().splitlines() if line}
    assert {row["object"] for row in rows} == wanted
    assert sum(row["label"] == "BNE" for row in rows) > 0.8 * len(rows)
    code, _, err = run(capsys, "classify", cif, model, "-o", tmp_path / "l.csv")
    assert code == 2
    assert "exists already" in err
    wrong = {"high": "CLASS=PROBABILITY", "1.5": "from 0 to 1, found 1.5", "Mitosis=0.5": "found 'Mitosis'"}
    for text, message in wrong.items():
        code, _, err = run(capsys, "classify", cif, model, "-o", tmp_path / "u.csv", "--threshold", text)
        assert code == 2
        assert message in err
    assert not (tmp_path / "u.csv").exists()
    populations = ("--truth", f"BNE={folder / 'BNE.pop'}", "--truth", f"Doublet={folder / 'Doublet.pop'}")
    code, _, _ = run(capsys, "train", cif, "-o", tmp_path / "same", *populations, *options)
    assert code == 0
    assert (tmp_path / "same" / "formula.txt").read_text() == (model / "formula.txt").read_text()


def test_a_rest_class_takes_in_what_is_not_named(capsys, folder, tmp_path):
    options = ("--features", folder / "names.txt", "--class", "BNE", "--rest", "Other")
    options = ("--labels", folder / "labels.csv", *options)
    code, out, _ = run(capsys, "train", folder / "cells.cif", "-o", tmp_path / "m", *options)
    assert code == 0
    lines = (folder / "labels.csv").read_text().splitlines()
    doublets = sum(line.endswith("Doublet") for line in lines)
    assert [line.split()[:2] for line in out.splitlines()[1:3]] == [
        ["BNE", str(len(lines) - 1 - doublets)], ["Other", str(doublets)],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "expected labels or populations"),
        (["--labels", "labels.csv", "--algorithm", "svm"], "svm"),
        (["--truth", "BNE"], "expected NAME=VALUE"),
        (["--labels", "missing.csv"], "cannot be read"),
        (["--labels", "labels.csv", "--steps", "2"], "found fewer of Irregular (0)"),
        (["--labels", "labels.csv", "--class", "BNE"], "name these classes as well, or a rest class"),
    ],
)
def test_what_cannot_be_trained_is_exit_two(capsys, folder, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(folder)
    code, out, err = run(capsys, "train", "cells.cif", "-o", tmp_path / "m", *options)
    assert (code, out) == (2, "")
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_is_exit_two(capsys, folder, tmp_path):
    code, _, err = run(capsys, "classify", folder / "cells.cif", tmp_path, "-o", tmp_path / "l.csv")
    assert code == 2
    assert "model.json" in err
    assert list(tmp_path.iterdir()) == []
