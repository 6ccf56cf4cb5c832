"""Stages from gates: of a gates file on measured features, of an analysis on its stored ones."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imsave

from ifcyto.errors import FormatError, StudyError
from ifcyto.pipeline import draw as draw_module
from ifcyto.pipeline.acquire import inspect_input
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.measure import measure
from ifcyto.pipeline.parallel import no_progress
from ifcyto.pipeline.run import plan_study, run_study, run_whole_study
from ifcyto.pipeline.stage_gates import check_stage_gates, write_stages
from ifcyto.pipeline.study import load_study

STAGES = ("ProE", "BasoE", "PolyOrthoE")
N = 40
LOW, HIGH = 130, 200
"""Areas between the stages, square micrometres."""


def gates(**changes: object) -> str:
    """Gates file: three classes of size among the round objects, by a feature of the user's own."""
    whole = {
        "format": "ifcyto gates",
        "version": 1,
        "features": {"Cell size": "Area|M01"},
        "gates": [
            {"name": "large", "kind": "half", "features": ["Cell size"], "at": HIGH, "side": "from"},
            {"name": "not small", "kind": "half", "features": ["Cell size"], "at": LOW, "side": "from"},
            {"name": "stained", "kind": "range", "features": ["Intensity_MC_DRAQ5"], "low": 1},
        ],
        "populations": [
            {"name": "Cells", "gate": "stained"},
            {"name": "ProE", "parent": "Cells", "gate": "large"},
            {"name": "Large", "parent": "Cells", "gate": "not small"},
            {"name": "BasoE", "parent": "Cells", "definition": "Large|And|Not|ProE"},
            {"name": "PolyOrthoE", "parent": "Cells", "definition": "Not|Large"},
            {"name": "Other", "gate": "large"},
        ],
    }
    return json.dumps({**whole, **changes})


def daf(areas: np.ndarray, first: int = 0) -> str:
    """A DAF without its CIF: the area of every object, and three stages by it."""
    populations = '<Pop name="All" type="B"/>' + "".join(
        f'<Pop name="{name}" type="G" base="All" region="{name}" fx="Area_M01"/>' for name in STAGES
    )
    bounds = dict(zip(STAGES, ((HIGH, 1e6), (LOW, HIGH - 0.01), (0, LOW - 0.01)), strict=True))
    regions = "".join(
        f'<Region type="line" label="{name}"><axy x="{low}" y="1"/><axy x="{high}" y="1"/></Region>'
        for name, (low, high) in bounds.items()
    )
    objects = "".join(f'<SO id="{first + i}"/>' for i in range(len(areas)))
    values = "|".join(map(repr, areas.tolist()))
    return (
        f'<Assay IDEAS_version="6.0"><SOD file="a.cif" objcount="{len(areas)}"><DefinedFeatures>'
        '<UDF name="Area_M01" type="single" def="Area|M01"/></DefinedFeatures><FeatureValues>'
        f'<UDFValues fid="0" fv="{values}"/></FeatureValues>{objects}</SOD><Regions>{regions}</Regions>'
        f"<Pops>{populations}</Pops></Assay>"
    )


@pytest.fixture(scope="module")
def areas(demo_cif: Path) -> np.ndarray:
    return np.asarray(measure(demo_cif, ["Area_M01"]).X).ravel()


@pytest.fixture
def folder(tmp_path: Path, demo_cif: Path, areas: np.ndarray) -> Path:
    """A study of three samples of the same file, with stages from each kind of source."""
    shutil.copy(demo_cif, tmp_path / "a.cif")
    (tmp_path / "gates.json").write_text(gates())
    (tmp_path / "analysis.daf").write_text(daf(areas))
    rows = [f"{i},{stage}\n" for i, stage in enumerate(by_hand(areas))]
    (tmp_path / "stages.csv").write_text("object,population\n" + "".join(rows))
    sources = ('stages = "stages.csv"', 'daf = "analysis.daf"', 'gates = "gates.json"')
    (tmp_path / "study.toml").write_text(
        "[channels]\nBF = 1\nDRAQ5 = 5\n"
        + "".join(
            f'[[samples]]\nid = "S{i}"\ngroup = "G"\nfile = "a.cif"\n{source}\n'
            for i, source in enumerate(sources)
        )
    )
    return tmp_path


def by_hand(areas: np.ndarray) -> list[str]:
    return [STAGES[0] if a >= HIGH else STAGES[1] if a >= LOW else STAGES[2] for a in areas]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are drawn, but not rendered, which is slow."""

    def blank(_figure: object, folder: Path, name: str, **_options: object) -> tuple[Path, Path]:
        folder.mkdir(parents=True, exist_ok=True)
        imsave(folder / f"{name}.png", np.zeros((2, 2), np.uint8), check_contrast=False)
        return folder / f"{name}.png", Path(shutil.copyfile(folder / f"{name}.png", folder / f"{name}.pdf"))

    monkeypatch.setattr(draw_module, "save_figure", blank)


def test_three_sources_give_the_same_stages(folder: Path, areas: np.ndarray, undrawn: None) -> None:
    run_study(folder / "study.toml", workers=1)
    with (folder / "results" / "classifications.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = by_hand(areas)
    assert all(expected.count(stage) > 3 for stage in STAGES)
    for sample in ("S0", "S1", "S2"):
        assert [row["stage"] for row in rows if row["sample"] == sample] == expected
    results = json.loads((folder / "results" / "results.json").read_text())
    assert results["stages"] == list(STAGES)
    assert not any("EMPTY" in note or "no table of stages" in note for note in results["notes"])
    assert sorted(path.name for path in (folder / "results" / "work" / "stages").iterdir()) == [
        "S1.csv",
        "S2.csv",
    ]
    assert {"gates.json", "analysis.daf"} <= {
        source["name"]
        for source in json.loads((folder / "results" / "provenance.json").read_text())["sources"]
    }
    # Other gates: only their sample's stages, and what is counted of them, are done again.
    edit(folder / "gates.json", '"at": 200', '"at": 1e6')
    again = run_whole_study(folder / "study.toml", workers=1)
    done = [f"{row.step} {row.sample}".strip() for row in again.log if row.state == "done"]
    assert done == ["stages S2", "tables", "report"]
    assert "sample S2: the population 'ProE' of gates.json is EMPTY" in again.results["notes"]


def test_a_plan_names_the_step_of_those_who_have_it(folder: Path) -> None:
    steps = [step.name for step in plan_study(folder / "study.toml")]
    assert steps[:8] == [
        *("convert S0", "convert S1", "convert S2", "stages S1", "stages S2"),
        *("spots S0", "spots S1", "spots S2"),
    ]


def stages_of(folder: Path, sample: int) -> dict[int, str]:
    """Stages that are written for one sample of the study."""
    study = load_study(folder / "study.toml")
    found = inspect_input(study, study.samples[sample])
    stack = folder / f"{sample}.h5"
    if not stack.exists():
        convert(folder / "a.cif", stack)
    path = write_stages(
        study,
        study.samples[sample],
        found,
        stack,
        folder / "out.csv",
        workers=1,
        progress=no_progress,
    )
    rows = path.read_text().splitlines()[1:]
    return {int(number): name for number, name in (row.split(",") for row in rows)}


def check(folder: Path, sample: int) -> None:
    study = load_study(folder / "study.toml")
    check_stage_gates(study, study.samples[sample], inspect_input(study, study.samples[sample]))


def test_other_stages_are_named_by_the_study(folder: Path, areas: np.ndarray) -> None:
    with (folder / "study.toml").open("a") as file:
        file.write('[compare]\nstages = ["Other"]\n')
    assert stages_of(folder, 2) == dict.fromkeys(np.flatnonzero(areas >= HIGH).tolist(), "Other")


def test_a_daf_is_a_template_too(folder: Path, areas: np.ndarray) -> None:
    edit(folder / "study.toml", "gates.json", "analysis.daf")
    (folder / "analysis.daf").write_text(daf(np.zeros(3)))  # values of other objects do not matter
    assert list(stages_of(folder, 2).values()) == by_hand(areas)


@pytest.mark.parametrize(
    ("sample", "old", "new", "message"),
    [
        (
            2,
            '"name": "BasoE"',
            '"name": "Baso"',
            r"study\.toml: sample S2: gates\.json: no population 'BasoE'; did you mean 'Baso'\?; "
            r"stages = \[\.\.\.\] under \[compare\] names the populations",
        ),
        (1, 'Pop name="ProE"', 'Pop name="Pro"', r"sample S1: analysis\.daf: no population 'ProE'"),
        (2, "DRAQ5", "DRAQ7", r"sample S2: gates\.json: Intensity_MC_DRAQ7: expected after 'Intensity'"),
        (2, '"Area|M01"', '"Arae|M01"', r"sample S2: gates\.json: .*Arae.*did you mean"),
        (2, '"Cell size": "Area|M01"', "", r"sample S2: gates\.json: .*Cell size"),
    ],
)
def test_what_cannot_be_found_is_said_before_the_run(
    folder: Path, sample: int, old: str, new: str, message: str
) -> None:
    edit(folder / ("gates.json" if sample == 2 else "analysis.daf"), old, new)
    with pytest.raises(StudyError, match=message):
        check(folder, sample)


def test_files_that_are_wrong_are_named(folder: Path) -> None:
    edit(folder / "gates.json", '"at": 200', '"at": null')
    with pytest.raises(FormatError, match=r"gates\.json: gate 'large': at: expected a number, found null"):
        check(folder, 2)
    edit(folder / "analysis.daf", "<SO ", "<SX ")
    with pytest.raises(FormatError, match=r"analysis\.daf: .*expected 40 objects, found records of 39"):
        check(folder, 1)


def test_an_object_has_one_stage(folder: Path) -> None:
    edit(folder / "gates.json", "Large|And|Not|ProE", "Large")
    with pytest.raises(
        StudyError,
        match=r"sample S2: gates\.json: \d+ objects of 'BasoE' are in another stage too \(\d+, .*the "
        r"first in 'ProE'\).* 'BasoE\|And\|Not\|ProE'",
    ):
        stages_of(folder, 2)


@pytest.mark.parametrize(
    ("n", "first", "found"),
    [(N - 1, 0, r"39 objects, object 39 not"), (N + 1, 0, "41 objects:"), (N, 1, "40 .* 0")],
)
def test_a_daf_of_other_objects_is_refused(folder: Path, n: int, first: int, found: str) -> None:
    (folder / "analysis.daf").write_text(daf(np.full(n, 200.0), first))
    with pytest.raises(
        StudyError, match=rf"sample S1: expected the 40 objects of a\.cif in analysis\.daf, found {found}"
    ):
        stages_of(folder, 1)


def test_a_stack_may_hold_a_selection_of_the_objects_of_a_daf(folder: Path, areas: np.ndarray) -> None:
    convert(folder / "a.cif", folder / "some.h5", objects=[3, 7, 21])
    shutil.copy(folder / "some.h5", folder / "1.h5")
    edit(folder / "study.toml", 'file = "a.cif"\ndaf', 'file = "some.h5"\ndaf')
    assert stages_of(folder, 1) == {number: by_hand(areas)[number] for number in (3, 7, 21)}
