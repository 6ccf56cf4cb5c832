"""The main job end to end on a simulated study whose truth is known."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imsave

from ifcyto.errors import FormatError, OutputError, StudyError
from ifcyto.pipeline import draw as draw_module
from ifcyto.pipeline import run as run_module
from ifcyto.pipeline import run_results as results_module
from ifcyto.pipeline.run import run_study
from ifcyto.pipeline.steps import StepCache
from ifcyto.pipeline.tables import COLUMNS
from ifcyto.samples.demo import write_demo_study
from ifcyto.schemas import validate

TABLES = [f"{name}.csv" for name in COLUMNS]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a study that was run with one worker; tests must not change it."""
    folder = tmp_path_factory.mktemp("study")
    run_study(
        write_demo_study(folder, seed=3, samples_per_group=3, cells_per_sample=60, truth_cells=0), workers=1
    )
    return folder


def _blank_figure(_figure: object, folder: Path, name: str, **_options: object) -> tuple[Path, Path]:
    image = np.zeros((2, 2), np.uint8)
    folder.mkdir(exist_ok=True)
    imsave(folder / f"{name}.png", image, check_contrast=False)
    return folder / f"{name}.png", Path(shutil.copyfile(folder / f"{name}.png", folder / f"{name}.pdf"))


@pytest.fixture
def study(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Study file in a copy of the finished folder; figures are drawn, but not rendered, which is slow."""
    monkeypatch.setattr(draw_module, "save_figure", _blank_figure)
    return Path(shutil.copytree(finished, tmp_path / "copy")) / "study.toml"


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Steps done since the test began."""
    names: list[str] = []

    class Spy(StepCache):
        def __init__(self, *args, **options) -> None:
            super().__init__(*args, **options)
            self.done = names

    monkeypatch.setattr(run_module, "StepCache", Spy)
    return names


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_everything_is_there_and_nothing_else(finished: Path) -> None:
    results = finished / "results"
    assert sorted(path.name for path in results.iterdir()) == sorted(
        [*TABLES, "results.json", "provenance.json", "report.html", "figures", "tables", "work"]
    )
    assert not [path for path in results.rglob("*") if path.name.endswith((".part", ".tmp"))]
    assert {path.suffix for path in (results / "figures").iterdir()} == {".png", ".pdf"}


def test_counts_agree_with_the_truth_of_the_simulation(finished: Path) -> None:
    results = finished / "results"
    objects = rows(results / "classifications.csv")
    assert len(objects) == 6 * 60
    by_sample = {}
    for row in objects:
        by_sample.setdefault(row["sample"], []).append(row)
    for sample, found in by_sample.items():
        manual = {row["object"]: row["label"] for row in rows(finished / f"{sample}_manual.csv")}
        stages = {row["object"]: row["population"] for row in rows(finished / f"{sample}_stages.csv")}
        assert {row["object"]: row["manual"] for row in found if row["manual"]} == manual
        assert {row["object"]: row["stage"] for row in found if row["stage"]} == stages
        assert all(
            (row["spot"] == "BNE") == (row["candidate"] == "1") == (row["spot_count"] == "2") for row in found
        )
    for row in rows(results / "frequencies.csv"):
        cells = [one for one in by_sample[row["sample"]] if one["stage"] == row["stage"]]
        assert int(row["cells"]) == len(cells)
        assert int(row["bne"]) == sum(one[row["method"]] == "BNE" for one in cells)
    overall = rows(results / "agreement.csv")[0]
    assert (overall["reference"], overall["class"], overall["sample"]) == ("manual", "BNE", "")
    assert int(overall["support"]) == sum(row["manual"] == "BNE" for row in objects)
    doublets = [row["candidate"] == "1" for row in objects if row["manual"] == "Doublet"]
    assert sum(doublets) > 0.8 * len(doublets) > 0  # most have their nuclei well apart


def test_document_follows_its_schema_and_names_no_folder(finished: Path) -> None:
    results = finished / "results"
    document = json.loads((results / "results.json").read_text("utf-8"))
    validate(document, "results")
    assert document["methods"]["cnn"] == {"ran": False, "why": "not asked for in [compare]"}
    record = json.loads((results / "provenance.json").read_text("utf-8"))
    assert [source["name"] for source in record["sources"]][:2] == ["study.toml", "NBM01.cif"]
    assert len({source["name"] for source in record["sources"]}) == 1 + 6 * 3
    for name in (*TABLES, "results.json", "provenance.json", "report.html"):
        assert str(finished) not in (results / name).read_text("utf-8"), name


def test_report_says_what_matters(finished: Path) -> None:
    page = (finished / "results" / "report.html").read_text("utf-8")
    for words in (
        "BNE in MDS (simulated)",
        "not asked for in [compare]",
        "Mann-Whitney",
        "Methods text",
        "Wilson",
    ):
        assert words in page
    assert "http://" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize("workers", [1, 2])
def test_tables_are_the_same_bytes_with_any_number_of_workers(
    finished: Path, tmp_path: Path, workers: int
) -> None:
    out = tmp_path / "out"
    run_study(finished / "study.toml", out, workers=workers)
    for name in (*TABLES, "results.json"):
        assert (out / name).read_bytes() == (finished / "results" / name).read_bytes(), name
    for path in (out / "figures").iterdir():
        assert path.read_bytes() == (finished / "results" / "figures" / path.name).read_bytes(), path.name


def test_a_second_run_does_nothing(study: Path, done: list[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in study.parent.rglob("*") if path.is_file()}
    assert run_study(study) == study.parent / "results" / "report.html"
    assert done == []
    assert {path: path.stat().st_mtime_ns for path in study.parent.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("old", "new", "redone"),
    [
        ("[channels]", "[report]\ncells_per_sheet = 2\n[channels]", ["report"]),
        ("seed = 3", "seed = 4", ["tables", "report"]),
        ("[channels]", "[compare]\ncorrection = \"none\"\n[channels]", ["tables", "report"]),
        ("[channels]", "[candidates]\nfraction = 0.35\n[channels]", ["spots", "tables", "report"]),
    ],
)  # fmt: skip
def test_a_changed_setting_redoes_what_depends_on_it(
    study: Path, done: list[str], old: str, new: str, redone: list[str]
) -> None:
    edit(study, old, new)
    run_study(study)
    assert list(dict.fromkeys(name.split()[0] for name in done)) == redone


def test_a_mask_of_ones_own_is_counted_and_named_in_the_report(study: Path) -> None:
    edit(study, "[channels]", '[candidates]\nmask = "Threshold(MC, DRAQ5, 60) Or None"\n[channels]')
    run_study(study)
    before = {row["spot_count"] for row in rows(study.parent / "results" / "classifications.csv")}
    assert {"1", "2"} <= before
    assert "Threshold(MC, DRAQ5, 60) Or None" in (study.parent / "results" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("Treshold(MC, DRAQ5, 60)", "did you mean 'Threshold'"),
        ("Threshold(MC, CD71, 60)", "CD71"),
        ("Threshold(M09, DRAQ5, 60)", "M09"),
    ],
)
def test_a_mask_that_cannot_be_computed_names_the_key_and_the_sample(
    study: Path, mask: str, message: str
) -> None:
    edit(study, "[channels]", f'[candidates]\nmask = "{mask}"\n[channels]')
    with pytest.raises(StudyError, match=r"candidates\.mask: sample NBM01, NBM01\.cif") as error:
        run_study(study)
    assert message in str(error.value)


def test_a_changed_input_redoes_its_sample_only(study: Path, done: list[str]) -> None:
    shutil.copyfile(study.parent / "NBM01.cif", study.parent / "NBM02.cif")
    run_study(study)
    assert done == ["convert NBM02", "spots NBM02", "tables", "report"]


def test_changed_tags_redo_the_counting_only(study: Path, done: list[str]) -> None:
    path = study.parent / "MDS01_manual.csv"
    path.write_text("object,label\n1,BNE\n", encoding="utf-8")
    run_study(study)
    assert done == ["tables", "report"]


def test_a_run_that_dies_is_taken_up_where_it_stopped(
    study: Path, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(study.parent / "results")

    def die(*_args, **_options) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(results_module, "draw_study", die)
        with pytest.raises(KeyboardInterrupt):
            run_study(study)
    assert not (study.parent / "results" / "report.html").exists()
    assert done[-1] == "tables"
    done.clear()
    assert run_study(study).exists()
    assert done == ["report"]


KILLED = """
import os, signal, sys
from ifcyto.pipeline.run import run_study

def progress(step, done, total):
    if step == sys.argv[2] and done:
        os.kill(os.getpid(), signal.SIGKILL)

run_study(sys.argv[1], workers=1, progress=progress)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("step", ["spots NBM02", "figures"])
def test_kill_leaves_nothing_half_written(finished: Path, study: Path, step: str) -> None:
    results = study.parent / "results"
    shutil.rmtree(results)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(study), step], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not (results / "report.html").exists()
    for path in results.glob("*.csv"):
        assert path.read_bytes() == (finished / "results" / path.name).read_bytes()
    run_study(study)
    for name in TABLES:
        assert (results / name).read_bytes() == (finished / "results" / name).read_bytes()


def test_overwrite_does_everything_again(study: Path, done: list[str]) -> None:
    run_study(study, overwrite=True)
    assert len(done) == 2 * 6 + 2


def test_a_folder_with_other_things_is_refused(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("x")
    with pytest.raises(OutputError, match="holds other files than results of ifcyto"):
        run_study(study, out)
    with pytest.raises(OutputError, match="cannot be made"):
        run_study(study, out / "thesis.txt")
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_a_channel_that_is_not_there_names_sample_and_file(study: Path) -> None:
    edit(study, "DRAQ5 = 5", "DRAQ5 = 11")
    with pytest.raises(StudyError, match=r"channels\.DRAQ5: sample NBM01, NBM01\.cif: .*11"):
        run_study(study)


def test_a_damaged_input_is_one_error_and_leaves_no_stack(study: Path) -> None:
    shutil.rmtree(study.parent / "results")
    path = study.parent / "MDS02.cif"
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(FormatError, match=r"MDS02\.cif") as error:
        run_study(study)
    assert "\n" not in str(error.value)
    assert not (study.parent / "results" / "work" / "stacks" / "MDS02.h5").exists()
    assert not (study.parent / "results" / "report.html").exists()


def test_without_stages_tags_and_groups_it_still_runs(study: Path) -> None:
    study.write_text(
        '[channels]\nDRAQ5 = 5\n[[samples]]\nid = "one"\ngroup = "g"\nfile = "NBM01.cif"\n'
        "[report]\ncells_per_sheet = 0\n"
    )
    report = run_study(study, study.parent / "bare", workers=1)
    assert [row["stage"] for row in rows(report.parent / "frequencies.csv")] == ["All"]
    for name in ("tests", "overlap", "spot_overlap", "agreement", "confusion"):
        assert (report.parent / f"{name}.csv").read_text() == ",".join(COLUMNS[name]) + "\n"
    assert "names no control group" in report.read_text("utf-8")


def test_empty_stages_are_said_loudly(study: Path) -> None:
    for sample in ("NBM01", "NBM02", "NBM03"):
        path = study.parent / f"{sample}_stages.csv"
        kept = [line for line in path.read_text().splitlines() if not line.endswith(",ProE")]
        path.write_text("\n".join(kept) + "\n")
    report = run_study(study)
    page = report.read_text("utf-8")
    assert "sample NBM01: no cells in stage ProE; left out of its tests" in page
    assert "no test of MDS against NBM, as no sample of NBM has a frequency there" in page
    assert "objects belong to no stage" in page
    empty = [
        r for r in rows(report.parent / "frequencies.csv") if r["sample"] == "NBM01" and r["stage"] == "ProE"
    ]
    assert {(row["cells"], row["percent"], row["ci_low"]) for row in empty} == {("0", "", "")}


def test_a_stack_is_taken_as_it_is(study: Path, done: list[str]) -> None:
    stack = study.parent / "NBM01.h5"
    shutil.copyfile(study.parent / "results" / "work" / "stacks" / "NBM01.h5", stack)
    edit(study, 'file = "NBM01.cif"', 'file = "NBM01.h5"')
    before = (study.parent / "results" / "classifications.csv").read_bytes()
    run_study(study)
    assert done == ["spots NBM01", "tables", "report"]
    assert (study.parent / "results" / "classifications.csv").read_bytes() == before


def test_progress_counts_to_the_end(study: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    run_study(study, overwrite=True, progress=lambda *call: calls.append(call))
    last = {step: (done, total) for step, done, total in calls}
    assert {"samples: open", "samples: spots", "spots NBM01", "figures"} <= set(last)
    assert all(done == total for step, (done, total) in last.items() if total)


def test_training_samples_are_classified_and_never_counted(study: Path) -> None:
    edit(study, 'id = "MDS03"\ngroup = "MDS"', 'id = "MDS03"\ntraining_only = true\ngroup = "training"')
    results = run_study(study).parent
    assert "MDS03" in {row["sample"] for row in rows(results / "classifications.csv")}
    assert "MDS03" not in {row["sample"] for row in rows(results / "frequencies.csv")}
    assert {row["n_case"] for row in rows(results / "tests.csv")} == {"2"}
    assert "training" not in {row["group"] for row in rows(results / "overlap.csv")}


def test_truth_table_is_a_second_reference(study: Path) -> None:
    tags = rows(study.parent / "MDS01_manual.csv")
    lines = ["sample,object,label", *(f"MDS01,{row['object']},{row['label']}" for row in tags)]
    (study.parent / "truth.csv").write_text("\n".join(lines) + "\n")
    edit(study, "seed = 3", 'seed = 3\nlabels = "truth.csv"')
    results = run_study(study).parent
    found = [
        row for row in rows(results / "agreement.csv") if row["reference"] == "labels" and not row["sample"]
    ]
    assert sum(int(row["support"]) for row in found) == len(tags)


def test_a_file_without_pixel_size_asks_for_it(tmp_path: Path, rng) -> None:
    np.save(tmp_path / "cells.npy", rng.integers(0, 50, (5, 1, 32, 32)).astype(np.int16))
    path = tmp_path / "study.toml"
    text = '[channels]\nDNA = 1\n[[samples]]\nid = "a"\ngroup = "g"\nfile = "cells.npy"\n'
    path.write_text(text)
    with pytest.raises(
        StudyError, match=r"sample a: cells\.npy does not say the size of a pixel; add pixel_size_um"
    ):
        run_study(path)
    path.write_text(text + "[candidates]\npixel_size_um = 0.5\n")
    results = run_study(path).parent
    assert [row["cells"] for row in rows(results / "frequencies.csv")] == ["5"]
