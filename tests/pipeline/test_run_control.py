"""What a user can ask of a run: say it first, do a step again, go on without a sample; and the log of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imsave

from ifcyto.errors import FormatError, OutputError, StudyError, UsageError
from ifcyto.pipeline import acquire, run_results
from ifcyto.pipeline import draw as draw_module
from ifcyto.pipeline.run import plan_study, run_study, run_whole_study
from ifcyto.pipeline.run_log import RunLog, machine_class, read_log
from ifcyto.pipeline.run_summary import group_frequencies, step_times
from ifcyto.pipeline.steps import STEP_VERSIONS
from ifcyto.readers.cif import CifReader
from ifcyto.samples.demo import write_demo_study
from ifcyto.schemas import validate

IDS = ("NBM01", "NBM02", "MDS01", "MDS02", "pool")


def _blank_figure(_figure: object, folder: Path, name: str, **_options: object) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    imsave(folder / f"{name}.png", np.zeros((2, 2), np.uint8), check_contrast=False)
    return folder / f"{name}.png", Path(shutil.copyfile(folder / f"{name}.png", folder / f"{name}.pdf"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a study with truth that was run; tests must not change it."""
    folder = tmp_path_factory.mktemp("study")
    study = write_demo_study(folder, seed=3, samples_per_group=2, cells_per_sample=40, truth_cells=90)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw_module, "save_figure", _blank_figure)
        run_study(study)
    return folder


@pytest.fixture
def study(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Study file in a copy of the finished folder; figures are drawn, but not rendered, which is slow."""
    monkeypatch.setattr(draw_module, "save_figure", _blank_figure)
    return Path(shutil.copytree(finished, tmp_path / "copy")) / "study.toml"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def damage_image(path: Path, row: int) -> None:
    """Overwrite an image, which shows only when it is decoded."""
    from ifcyto.readers import kernels

    with CifReader(path) as reader:
        start, size = (
            int(reader._index.column("image", c)[row]) for c in (kernels.REC_STRIP, kernels.REC_BYTES)
        )
    data = bytearray(path.read_bytes())
    data[start : start + size] = b"\xff" * size
    path.write_bytes(data)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def done(outcome) -> list[str]:
    return [f"{row.step} {row.sample}".strip() for row in outcome.log if row.state == "done"]


# --- dry run


def test_a_dry_run_of_a_new_study_lists_every_step_and_touches_nothing(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(study.parent / "results")

    def never(*_args: object, **_options: object) -> None:
        pytest.fail("an image was read")

    monkeypatch.setattr(CifReader, "_read_rows", never)
    monkeypatch.setattr(acquire, "convert", never)
    before = contents(study.parent)
    planned = plan_study(study)
    assert [step.name for step in planned] == [
        *(f"{kind} {name}" for kind in ("convert", "spots") for name in IDS),
        "train fbml",
        *(f"fbml {name}" for name in IDS),
        "tables",
        "report",
    ]
    assert {(step.action, step.why) for step in planned} == {("do", "new")}
    assert contents(study.parent) == before
    assert not (study.parent / "results").exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("compare", {"tables": "settings changed (compare)",
                     "report": "settings changed (compare), inputs changed (tables)"}),
        ("report", {"report": "settings changed (report)"}),
        ("tags", {"tables": "inputs changed", "report": "inputs changed (tables)"}),
        ("missing", {"tables": "outputs missing", "report": "inputs may change (tables)"}),
        ("changed", {"report": "outputs changed"}),
        ("version", {"tables": "version changed", "report": "inputs changed (tables)"}),
        ("image", {"convert MDS02": "inputs changed", "spots MDS02": "inputs changed (convert MDS02)",
                   "fbml MDS02": "inputs changed (spots MDS02)",
                   "tables": "inputs changed (spots MDS02, fbml MDS02)",
                   "report": "inputs changed (tables)"}),
    ],
)  # fmt: skip
def test_the_plan_says_why_and_the_run_does_just_that(
    study: Path, monkeypatch: pytest.MonkeyPatch, change: str, expected: dict[str, str]
) -> None:
    folder = study.parent
    match change:
        case "compare":
            edit(study, "[channels]", '[compare]\ncorrection = "none"\n[channels]')
        case "report":
            edit(study, "[channels]", "[report]\ncells_per_sheet = 2\n[channels]")
        case "tags":
            (folder / "MDS01_manual.csv").write_text("object,label\n1,BNE\n", encoding="utf-8")
        case "missing":
            (folder / "results" / "frequencies.csv").unlink()
        case "changed":
            edit(folder / "results" / "report.html", "BNE", "bne")
        case "version":
            monkeypatch.setitem(STEP_VERSIONS, "tables", 99)
        case "image":
            shutil.copyfile(folder / "MDS01.cif", folder / "MDS02.cif")
    planned = plan_study(study)
    assert {step.name: step.why for step in planned if step.action == "do"} == expected
    sure = [name for name, why in expected.items() if "may" not in why]
    assert done(run_whole_study(study)) == sure
    assert {step.action for step in plan_study(study)} == {"unchanged"}


def test_what_cannot_run_is_blocked_and_says_why(study: Path) -> None:
    edit(study, 'labels = "training_labels.csv"\n', "")
    planned = {step.name: step for step in plan_study(study)}
    assert planned["train fbml"].action == "blocked"
    assert "names no table of truth" in planned["train fbml"].why
    assert "fbml MDS01" not in planned


def test_a_file_that_cannot_be_opened_blocks_the_plan_unless_it_keeps_going(study: Path) -> None:
    path = study.parent / "MDS02.cif"
    path.write_bytes(path.read_bytes()[:-5000])
    first, *others = plan_study(study, overwrite=True)
    assert (first.name, first.action, first.fault) == ("open MDS02", "blocked", True)
    assert "MDS02.cif" in first.why
    assert {(step.action, step.why) for step in others} == {
        ("blocked", "the run stops at sample MDS02; --keep-going leaves it out")
    }
    going = plan_study(study, keep_going=True)
    assert [step.name for step in going if step.action == "blocked"] == ["open MDS02"]
    assert [step.name for step in going if step.action == "do"] == ["tables", "report"]


# --- force


@pytest.mark.parametrize(
    ("force", "expected"),
    [
        (["report"], ["report"]),
        (["tables"], ["tables"]),
        (["spots MDS01"], ["spots MDS01"]),
        (["spots"], [f"spots {name}" for name in IDS]),
        (["fbml MDS01", "fbml NBM01"], ["fbml NBM01", "fbml MDS01"]),
    ],
)
def test_a_forced_step_is_done_again_and_nothing_that_comes_out_the_same(
    study: Path, force: list[str], expected: list[str]
) -> None:
    before = contents(study.parent / "results")
    planned = {step.name for step in plan_study(study, force=force) if step.why == "forced"}
    assert done(run_whole_study(study, force=force)) == expected
    assert planned == set(expected)
    after = contents(study.parent / "results")
    changed = {name for name in before if before[name] != after[name]}
    timed = {
        "provenance.json",
        "report.html",
        "tables/miflowcyt-1.csv",
    }  # they say when the analysis was done
    assert changed <= {*timed, "work/log.jsonl", "work/steps/report.json"}


def test_forced_training_judges_anew_what_it_must(study: Path) -> None:
    found = done(run_whole_study(study, force=["fbml"]))
    assert found[0] == "train fbml"
    assert {f"fbml {name}" for name in IDS} <= set(found)
    assert "spots MDS01" not in found


@pytest.mark.parametrize("word", ["spot", "spots MDS99", "", "Report"])
def test_a_step_that_is_not_there_is_named_with_those_that_are(study: Path, word: str) -> None:
    message = r"convert, stages, spots, train, fbml, cnn, tables, explain, report.*'spots NBM01'.*found"
    for function in (run_study, plan_study):
        with pytest.raises(UsageError, match=message) as error:
            function(study, force=[word])
        assert repr(word) in str(error.value)


# --- log


def test_the_log_names_every_step_and_a_run_that_does_nothing_adds_nothing(study: Path) -> None:
    path = study.parent / "results" / "work" / "log.jsonl"
    rows = read_log(path)
    kinds = [*["convert"] * 5, *["spots"] * 5, "train fbml", *["fbml"] * 5, "tables", "report"]
    assert [row.step for row in rows] == kinds
    assert [row.sample for row in rows][:11] == [*IDS, *IDS, ""]
    assert {row.state for row in rows} == {"done"}
    assert all(row.seconds >= 0 and row.started >= row.run for row in rows)
    text = path.read_bytes()
    assert {row.state for row in run_whole_study(study).log} == {"unchanged"}
    assert path.read_bytes() == text
    run_study(study, force=["tables"])
    added = read_log(path)[len(rows) :]
    assert [row.state for row in added] == ["unchanged"] * 16 + ["done"]  # the report comes out as it was


def test_provenance_sums_the_log_up_over_all_runs_and_names_this_report(study: Path) -> None:
    run_study(study, force=["report"])
    record = json.loads((study.parent / "results" / "provenance.json").read_text("utf-8"))
    log = read_log(study.parent / "results" / "work" / "log.jsonl")
    rows = {(row.step, row.sample): row for row in log if row.state == "done"}
    seconds = record["run"]["seconds"]
    assert list(seconds) == ["convert", "spots", "train fbml", "fbml", "tables", "report"]
    for step, value in seconds.items():
        assert value == pytest.approx(sum(row.seconds for key, row in rows.items() if key[0] == step))
    assert record["run"]["machine"] == machine_class()
    peaks = [row.peak_memory_mb for row in rows.values()]
    assert record["run"]["peak_memory_mb"] == (None if None in peaks else max(peaks))
    assert record["report"]["sha256"] == run_results.sha256_file(study.parent / "results" / "report.html")
    assert len(record["sources"]) == len({source["name"] for source in record["sources"]})


def test_a_lost_or_old_provenance_is_written_again(study: Path) -> None:
    path = study.parent / "results" / "provenance.json"
    path.unlink()
    assert {step.state for step in run_whole_study(study).log} == {"unchanged"}
    assert json.loads(path.read_text("utf-8"))["run"]["seconds"]["spots"] >= 0


def test_a_failing_step_is_in_the_log_and_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "log.jsonl")
    log.unchanged("convert a b")
    with pytest.raises(KeyboardInterrupt), log.doing("spots a b"):
        raise KeyboardInterrupt
    with log.path.open("a") as file:
        file.write('{"run": "2026')
    assert [(row.step, row.sample, row.state) for row in read_log(log.path)] == [
        ("convert", "a b", "unchanged"),
        ("spots", "a b", "failed"),
    ]
    assert log.summary({"a b"})["seconds"] == {}
    assert [(row.done, row.unchanged) for row in step_times(log.rows)] == [(0, 1), (0, 0)]


# --- keep going


def test_without_being_asked_a_damaged_image_stops_the_run(study: Path) -> None:
    damage_image(study.parent / "MDS02.cif", 7)
    with pytest.raises(FormatError, match=r"MDS02\.cif.*object 7"):
        run_study(study)


def fail_open(folder: Path) -> None:
    path = folder / "MDS02.cif"
    path.write_bytes(path.read_bytes()[:-5000])


def fail_convert(folder: Path) -> None:
    damage_image(folder / "MDS02.cif", 7)


def fail_channel(folder: Path) -> None:
    edit(folder / "study.toml", 'file = "MDS02.cif"', 'file = "MDS02.npy"')
    np.save(folder / "MDS02.npy", np.zeros((3, 1, 16, 16), np.int16))


def fail_label(folder: Path) -> None:
    (folder / "MDS02_manual.csv").write_text("object,label\n1,bnee\n")


def fail_match(folder: Path) -> None:
    (folder / "MDS02_stages.csv").write_text("object,population\n100000,ProE\n")


@pytest.mark.parametrize(
    ("harm", "step", "why"),
    [
        (fail_open, "open", "MDS02.cif"),
        (fail_convert, "convert", "object 7"),
        (fail_channel, "open", "MDS02.npy"),
        (fail_label, "open", "line 2: expected a label"),
        (fail_match, "tables", "check that the two belong together"),
    ],
)
def test_a_failing_sample_is_left_out_when_asked_and_named_loudly(
    study: Path, harm, step: str, why: str
) -> None:
    folder, results = study.parent, study.parent / "results"
    whole = contents(results)
    original = contents(folder)
    harm(folder)
    outcome = run_whole_study(study, keep_going=True)
    assert [(one.sample, one.group, one.step) for one in outcome.failed] == [("MDS02", "MDS", step)]
    assert why in outcome.failed[0].why
    document = json.loads((results / "results.json").read_text("utf-8"))
    validate(document, "results")
    assert document["failed"][0]["sample"] == "MDS02"
    assert document["notes"][0].startswith("sample MDS02 (MDS) FAILED")
    assert "MDS02" not in {row["id"] for row in document["samples"]}
    assert "FAILED" in outcome.report.read_text("utf-8")
    for name in ("results.json", "report.html", "provenance.json"):
        assert str(folder) not in (results / name).read_text("utf-8")
    for name in ("classifications.csv", "frequencies.csv"):
        kept = [line for line in whole[name].decode().splitlines() if not line.startswith("MDS02,")]
        assert (results / name).read_text("utf-8").splitlines() == kept
    again = run_whole_study(study, keep_going=True)
    assert (again.failed, done(again)) == (outcome.failed, [])
    with pytest.raises((FormatError, StudyError)):
        run_study(study)
    for name, content in original.items():
        if not name.startswith("results"):
            (folder / name).write_bytes(content)
    assert run_whole_study(study).failed == ()
    tables = [name for name in whole if name.endswith(".csv")]
    assert [name for name in tables if (results / name).read_bytes() != whole[name]] == []


def test_a_control_group_that_fails_whole_is_said(study: Path) -> None:
    for name in ("NBM01", "NBM02"):
        (study.parent / f"{name}.cif").write_bytes(b"nothing")
    document = run_whole_study(study, keep_going=True).results
    assert document["notes"][2] == "every sample of the group NBM, the control FAILED: nothing can be tested"
    assert document["tests"] == []
    assert document["groups"] == ["MDS"]


def test_when_every_sample_fails_there_is_no_report(study: Path) -> None:
    for name in IDS[:4]:
        (study.parent / f"{name}.cif").write_bytes(b"nothing")
    with pytest.raises(StudyError, match=r"no counted sample is left; NBM01: NBM01\.cif"):
        run_study(study, keep_going=True)


def test_a_training_sample_that_fails_leaves_the_rest_and_says_so(study: Path) -> None:
    (study.parent / "pool.cif").write_bytes(b"nothing")
    document = run_whole_study(study, keep_going=True).results
    assert not document["methods"]["fbml"]["ran"]
    assert "sample pool (training) FAILED" in document["notes"][0]


def test_a_full_disk_is_no_fault_of_a_sample(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_options: object) -> None:
        raise OutputError("No space left on device")

    monkeypatch.setattr(acquire, "convert", full)
    with pytest.raises(OutputError, match="No space left"):
        run_study(study, force=["convert MDS01"], keep_going=True)


def test_the_summary_holds_medians_and_the_tests(study: Path) -> None:
    document = run_whole_study(study).results
    rows = group_frequencies(document)
    assert len(rows) == len(document["stages"]) * 3 * 2
    for test in document["tests"]:
        case, control = (
            next(
                row
                for row in rows
                if (row.stage, row.method, row.group) == (test["stage"], test["method"], group)
            )
            for group in (test["case"], test["control"])
        )
        assert (case.p, case.p_adjusted, control.p) == (test["p"], test["p_adjusted"], None)
        assert case.median == pytest.approx(test["median_case"], rel=1e-6)
        assert control.median == pytest.approx(test["median_control"], rel=1e-6)
        assert (case.samples, control.samples) == (test["n_case"], test["n_control"])
