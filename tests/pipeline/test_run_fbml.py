"""The main job with a table of truth: the feature-based classifier beside the plain rule."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imsave

from ifcyto.classify.model_folder import read_model
from ifcyto.pipeline import draw as draw_module
from ifcyto.pipeline.run import run_study
from ifcyto.samples.demo import write_demo_study
from ifcyto.schemas import validate


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _blank_figure(_figure: object, folder: Path, name: str, **_options: object) -> tuple[Path, Path]:
    image = np.zeros((2, 2), np.uint8)
    folder.mkdir(exist_ok=True)
    imsave(folder / f"{name}.png", image, check_contrast=False)
    return folder / f"{name}.png", Path(shutil.copyfile(folder / f"{name}.png", folder / f"{name}.pdf"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a study with truth that was run; tests must not change it."""
    folder = tmp_path_factory.mktemp("study")
    study = write_demo_study(folder, seed=3, samples_per_group=3, cells_per_sample=120, truth_cells=150)
    run_study(study)
    return folder


def test_candidates_are_judged_and_nothing_else(finished: Path) -> None:
    objects = rows(finished / "results" / "classifications.csv")
    for row in objects:
        assert bool(row["fbml"]) == (row["candidate"] == "1")
        assert bool(row["fbml_score"]) == (row["candidate"] == "1")
        if row["fbml"]:
            assert (row["fbml"] == "BNE") == (float(row["fbml_score"]) > 0)
    assert {"", "BNE", "Doublet"} <= {row["fbml"] for row in objects} <= {"", "BNE", "Doublet", "Irregular"}
    assert any(row["sample"] == "pool" and row["fbml"] for row in objects)


def test_it_finds_fewer_false_ones_than_the_plain_rule(finished: Path) -> None:
    scores = {
        row["method"]: row
        for row in rows(finished / "results" / "agreement.csv")
        if (row["class"], row["sample"], row["reference"]) == ("BNE", "", "manual")
    }
    assert int(scores["fbml"]["fp"]) < int(scores["spot"]["fp"])
    assert int(scores["fbml"]["tp"]) <= int(scores["spot"]["tp"])
    assert float(scores["fbml"]["f1"]) > float(scores["spot"]["f1"])


def test_tables_count_what_was_classified(finished: Path) -> None:
    results = finished / "results"
    objects = rows(results / "classifications.csv")
    for row in rows(results / "frequencies.csv"):
        cells = [one for one in objects if (one["sample"], one["stage"]) == (row["sample"], row["stage"])]
        assert int(row["bne"]) == sum(one[row["method"]] == "BNE" for one in cells)
    assert {row["method"] for row in rows(results / "tests.csv")} == {"spot", "fbml", "manual"}
    called = [one for one in objects if one["group"] != "training" and one["fbml"] == "BNE"]
    overlap = rows(results / "overlap.csv")
    assert sum(int(row["count"]) for row in overlap if row["fbml"] == "1") == len(called)
    truth = rows(finished / "training_labels.csv")
    crossed = [row for row in rows(results / "confusion.csv") if row["split"] == "cross-validation"]
    # Objects that lack a feature (no piece passes for a nucleus, say) are left out.
    assert 0.95 * len(truth) <= sum(int(row["count"]) for row in crossed) <= len(truth)


def test_the_document_and_the_report_tell_of_the_training(finished: Path) -> None:
    results = finished / "results"
    document = json.loads((results / "results.json").read_text("utf-8"))
    validate(document, "results")
    assert document["methods"]["fbml"] == {"ran": True, "why": ""}
    assert document["training"]["n_truth"].keys() == {"BNE", "Doublet", "Irregular"}
    model = read_model(results / "models" / "fbml")
    assert list(model.scorer.features) == document["training"]["chosen"]
    page = (results / "report.html").read_text("utf-8")
    for words in ("feature-based", "cross-validation", model.scorer.features[0]):
        assert words in page, words


def test_new_truth_trains_again_and_an_unchanged_study_does_nothing(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw_module, "save_figure", _blank_figure)
    study = Path(shutil.copytree(finished, tmp_path / "copy")) / "study.toml"
    model = study.parent / "results" / "models" / "fbml" / "model.json"
    before = model.stat().st_mtime_ns
    run_study(study)
    assert model.stat().st_mtime_ns == before
    truth = study.parent / "training_labels.csv"
    lines = truth.read_text("utf-8").splitlines()
    truth.write_text("\n".join(lines[:-30]) + "\n", encoding="utf-8")
    run_study(study)
    assert model.stat().st_mtime_ns > before
    crossed = [
        r for r in rows(study.parent / "results" / "confusion.csv") if r["split"] == "cross-validation"
    ]
    assert sum(int(row["count"]) for row in crossed) == len(lines) - 31


def test_two_steps_are_trained_told_and_used(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw_module, "save_figure", _blank_figure)
    study = Path(shutil.copytree(finished, tmp_path / "copy")) / "study.toml"
    study.write_text(study.read_text("utf-8") + "\n[fbml]\nsteps = 2\n", encoding="utf-8")
    run_study(study)
    results = study.parent / "results"
    model = read_model(results / "models" / "fbml")
    assert (model.scorer.method, model.scorer.classes) == ("steps", ("BNE", "Doublet", "Irregular"))
    document = json.loads((results / "results.json").read_text("utf-8"))
    steps = document["training"]["steps"]
    assert [step["classes"] for step in steps] == [["True 2N", "not True 2N"], ["BNE", "Doublet"]]
    truth = [row["label"] for row in rows(study.parent / "training_labels.csv")]
    assert steps[0]["n_truth"]["not True 2N"] == truth.count("Irregular")
    assert sum(steps[1]["n_truth"].values()) == len(truth) - truth.count("Irregular")
    for row in rows(results / "classifications.csv"):
        if row["fbml"]:
            assert (row["fbml"] == "BNE") == (float(row["fbml_score"]) > 0)
    page = (results / "report.html").read_text("utf-8")
    for words in ("It works in two steps: first True 2N or not True 2N", "Step 2: Features that the"):
        assert words in page, words
    names = {path.name for path in (results / "figures").iterdir()}
    assert {"fbml-ranking-1.png", "fbml-ranking-2.png", "fbml-learning-2.png"} <= names


@pytest.mark.parametrize(
    ("keep", "why"),
    [
        (("Doublet", "Irregular"), "holds no BNE and another class, only Doublet, Irregular"),
        (("BNE",), "holds no BNE and another class, only BNE"),
    ],
)
def test_too_little_truth_is_said_and_the_rest_runs(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: tuple[str, ...], why: str
) -> None:
    monkeypatch.setattr(draw_module, "save_figure", _blank_figure)
    study = Path(shutil.copytree(finished, tmp_path / "copy")) / "study.toml"
    truth = study.parent / "training_labels.csv"
    header, *lines = truth.read_text("utf-8").splitlines()
    kept = [line for line in lines if line.split(",")[2] in keep]
    truth.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    run_study(study)
    document = json.loads((study.parent / "results" / "results.json").read_text("utf-8"))
    assert document["methods"]["fbml"] == {"ran": False, "why": f"training_labels.csv {why}"}
    assert document["training"] is None
    assert "fbml" not in {row["method"] for row in document["frequencies"]}
