"""Studies at the edge: each ends in a sane report or in one clear error, and never in half a result."""

from __future__ import annotations

import csv
import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imsave

from ifcyto.errors import OutputError, StudyError
from ifcyto.pipeline import draw as draw_module
from ifcyto.pipeline import run_results
from ifcyto.pipeline.run import plan_study, run_study, run_whole_study
from ifcyto.pipeline.tables import COLUMNS
from ifcyto.samples.demo import write_demo_study


def _blank_figure(_figure: object, folder: Path, name: str, **_options: object) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    imsave(folder / f"{name}.png", np.zeros((2, 2), np.uint8), check_contrast=False)
    return folder / f"{name}.png", Path(shutil.copyfile(folder / f"{name}.png", folder / f"{name}.pdf"))


@pytest.fixture(autouse=True)
def _quick_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are drawn, but not rendered, which is slow."""
    monkeypatch.setattr(draw_module, "save_figure", _blank_figure)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a study with truth that was run with one worker; tests must not change it."""
    folder = tmp_path_factory.mktemp("study")
    study = write_demo_study(folder, seed=5, samples_per_group=2, cells_per_sample=40, truth_cells=90)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw_module, "save_figure", _blank_figure)
        run_study(study, workers=1)
    return folder


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    """Study file in a copy of the finished folder."""
    return Path(shutil.copytree(finished, tmp_path / "copy")) / "study.toml"


@pytest.fixture
def plain(study: Path) -> Path:
    """The same without a classifier, not run yet."""
    shutil.rmtree(study.parent / "results")
    edit(study, 'labels = "training_labels.csv"\n', "")
    return study


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def contents(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    """Files by name."""
    found = (path for path in folder.rglob(pattern) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def unfinished(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if ".part" in path.name or path.name.endswith(".tmp")]


@pytest.mark.parametrize("workers", [3])
def test_every_table_of_a_seeded_run_is_the_same_bytes_with_any_number_of_workers(
    finished: Path, tmp_path: Path, workers: int
) -> None:
    """Training, scores, verdicts and spot counts included."""
    run_study(finished / "study.toml", tmp_path / "out", workers=workers)
    ours, theirs = contents(tmp_path / "out", "*.csv"), contents(finished / "results", "*.csv")
    assert {f"{name}.csv" for name in COLUMNS} < set(theirs)
    assert "work/fbml/truth_scores.csv" in theirs
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    for name in ("results.json", "models/fbml/formula.txt"):
        assert (tmp_path / "out" / name).read_bytes() == (finished / "results" / name).read_bytes()


@pytest.mark.parametrize("control", [True, False])
def test_one_group(plain: Path, control: bool) -> None:
    edit(plain, 'group = "MDS"', 'group = "NBM"')
    edit(plain, 'case = ["MDS"]\n', "")
    if not control:
        edit(plain, 'control = "NBM"\n', "")
    outcome = run_whole_study(plain)
    assert outcome.results["tests"] == []
    assert outcome.results["groups"] == ["NBM"]
    said = "no counted sample is of another group than the control NBM: nothing is tested"
    assert (said in outcome.results["notes"]) is control
    page = outcome.report.read_text("utf-8")
    assert said in page if control else "names no control group" in page


def test_a_missing_table_of_tags_is_named_with_its_line(plain: Path) -> None:
    (plain.parent / "MDS01_manual.csv").unlink()
    for function in (run_study, plan_study):
        with pytest.raises(StudyError, match=r"line \d+: samples\[3\]\.manual: there is no file 'MDS01_man"):
            function(plain)
    assert not (plain.parent / "results").exists()


def test_a_sample_without_tags_beside_others_that_have_them(plain: Path) -> None:
    edit(plain, 'manual = "MDS01_manual.csv"\n', "")
    results = run_study(plain).parent
    manual = {row["sample"] for row in rows(results / "frequencies.csv") if row["method"] == "manual"}
    assert manual == {"NBM01", "NBM02", "MDS02"}


def test_a_stage_without_cells_in_one_group(plain: Path) -> None:
    for name in ("NBM01", "NBM02"):
        path = plain.parent / f"{name}_stages.csv"
        path.write_text("\n".join(line for line in path.read_text().splitlines() if ",ProE" not in line))
    document = run_whole_study(plain).results
    assert "sample NBM01: no cells in stage ProE; left out of its tests" in document["notes"]
    assert "ProE" not in {test["stage"] for test in document["tests"]}
    assert {test["stage"] for test in document["tests"]} == {"BasoE", "PolyOrthoE"}


def test_no_object_of_any_stage(plain: Path) -> None:
    for path in plain.parent.glob("*_stages.csv"):
        path.write_text("object,population\n")
    outcome = run_whole_study(plain)
    assert outcome.results["stages"] == []
    assert "no counted object belongs to any stage: there are no frequencies" in outcome.results["notes"]
    assert outcome.report.exists()


def test_zero_bnes_everywhere(plain: Path) -> None:
    """No object has nine nuclei and nobody tagged one: all zero, every p is 1."""
    edit(plain, "[channels]", "[candidates]\nspots = 9\n[channels]")
    for path in plain.parent.glob("*_manual.csv"):
        path.write_text("object,label\n")
    results = run_study(plain).parent
    found = [row for row in rows(results / "frequencies.csv") if row["cells"] != "0"]
    assert {(row["bne"], row["percent"]) for row in found} == {("0", "0.0")}
    assert all(float(row["ci_high"]) > 0 for row in found)
    assert {row["p"] for row in rows(results / "tests.csv")} == {"1.0"}
    assert {row["count"] for row in rows(results / "overlap.csv")} == {"0"}


def test_two_samples_with_one_id(plain: Path) -> None:
    edit(plain, 'id = "MDS02"', 'id = "mds01"')
    with pytest.raises(StudyError, match=r"samples\[4\]\.id: 'mds01' is the id of sample 3 too; ids are uni"):
        run_study(plain)


def test_one_file_under_two_ids_is_said(plain: Path) -> None:
    shutil.copyfile(plain.parent / "MDS01.cif", plain.parent / "MDS02.cif")
    said = "samples MDS01, MDS02 are the same file (by SHA-256): its cells are in the results 2 times"
    outcome = run_whole_study(plain)
    assert said in outcome.results["notes"]
    assert said in outcome.report.read_text("utf-8")


def test_sixty_samples(tmp_path: Path) -> None:
    study = write_demo_study(tmp_path, seed=1, samples_per_group=30, cells_per_sample=3, truth_cells=0)
    outcome = run_whole_study(study, workers=2)
    assert len(outcome.results["samples"]) == 60
    assert len(rows(outcome.report.parent / "classifications.csv")) == 180
    assert outcome.report.stat().st_size < 2e6
    assert {row.state for row in run_whole_study(study).log} == {"unchanged"}


def test_results_of_a_newer_version_are_left_alone_unless_they_may_go(study: Path) -> None:
    path = study.parent / "results" / "results.json"
    edit(path, '"version": 1,', '"version": 2,')
    before = contents(study.parent)
    for function in (run_study, plan_study):
        with pytest.raises(OutputError, match=r"newer ifcyto \(format version 2, this one writes 1\)"):
            function(study)
    assert contents(study.parent) == before
    run_study(study, overwrite=True)
    assert json.loads(path.read_text("utf-8"))["version"] == 1


def test_without_its_work_folder_a_folder_of_results_is_still_ours(study: Path) -> None:
    results = study.parent / "results"
    before = contents(results, "*.csv")
    shutil.rmtree(results / "work")
    run_study(study)
    assert contents(results, "*.csv") == before


@pytest.mark.parametrize("place", ["tables", "figures", "page"])
def test_a_full_disk_leaves_earlier_results_as_they_were(
    study: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    results = study.parent / "results"
    before = {name: content for name, content in contents(results).items() if not name.startswith("work/")}
    edit(study, "[channels]", '[compare]\ncorrection = "none"\n[channels]')
    edit(study, 'title = "BNE in MDS (simulated)"', 'title = "Another"')

    def full(*_args: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def full_output(*_args: object, **_options: object) -> None:
        raise OutputError("No space left on device")

    with monkeypatch.context() as patch:
        match place:
            case "tables":  # while the largest table is written, after others
                patch.setattr(run_results, "classification_rows", full)
            case "figures":
                patch.setattr(draw_module, "save_figure", full_output)
            case "page":
                patch.setattr(run_results, "render_report", full_output)
        with pytest.raises(OutputError, match="No space left on device"):
            run_study(study, keep_going=True)
    after = {name: content for name, content in contents(results).items() if not name.startswith("work/")}
    tables = {name for name in before if name.count("/") == 0 and name.endswith((".csv", "results.json"))}
    changed = {name for name in before if after.get(name) != before[name]}
    assert changed <= (set() if place == "tables" else tables)
    assert after.keys() == before.keys()
    assert unfinished(results) == []
    assert "Another" in run_study(study).read_text("utf-8")


@pytest.mark.parametrize(
    ("step", "kept"),
    [
        ("samples: open", None),
        ("converting NBM02.cif", "convert NBM01"),
        ("samples: fbml", "fbml NBM01"),
        ("figures", "tables"),
    ],
)
def test_ctrl_c_leaves_no_half_files_and_the_next_run_goes_on(
    finished: Path, study: Path, step: str, kept: str | None
) -> None:
    results = study.parent / "results"
    shutil.rmtree(results)
    seen = []

    def stop(task: str, done: int, total: int) -> None:
        seen.append(task)
        if task == step and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(study, progress=stop)
    assert seen[-1] == step
    assert unfinished(results) == []
    assert not (results / "report.html").exists()
    outcome = run_whole_study(study)
    unchanged = {f"{row.step} {row.sample}".strip() for row in outcome.log if row.state == "unchanged"}
    assert kept in unchanged if kept else not unchanged
    assert contents(results, "*.csv") == contents(finished / "results", "*.csv")
