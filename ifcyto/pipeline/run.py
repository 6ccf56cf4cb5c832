"""The main job: from a study file to tables, figures and a report."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifcyto.errors import OutputError
from ifcyto.pipeline.acquire import inspect_input, make_stack, read_spots, write_spots
from ifcyto.pipeline.counts import classification_rows
from ifcyto.pipeline.draw import Album, draw_agreement, draw_frequencies, draw_overlap, draw_spots
from ifcyto.pipeline.judged import judge
from ifcyto.pipeline.labels import read_truth
from ifcyto.pipeline.parallel import n_workers, no_progress
from ifcyto.pipeline.results import find
from ifcyto.pipeline.sheets import draw_sheets
from ifcyto.pipeline.steps import StepCache
from ifcyto.pipeline.study import load_study
from ifcyto.pipeline.tables import COLUMNS, table_text, write_text
from ifcyto.provenance import describe_source, json_text, provenance, version_of
from ifcyto.report.assemble import build_report
from ifcyto.report.render import render_report
from ifcyto.schemas import validate

if TYPE_CHECKING:
    from ifcyto.pipeline.acquire import Input
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.results import Findings
    from ifcyto.pipeline.study import Sample, Study

__all__ = ["run_study"]

STEP_VERSIONS = {"convert": 1, "spots": 2, "tables": 1, "report": 1}
"""Raised when a step would give another result for the same inputs."""


def run_study(
    study_path: Path | str,
    out: Path | str | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Path:
    """Run a study: convert, count spots, compare, draw, report.

    Steps whose inputs, settings and version are unchanged since an earlier run
    into the same folder are not done again.

    Parameters
    ----------
    study_path : path-like
        ``study.toml``.
    out : path-like, optional
        Folder of the results; ``results`` beside the study by default.
    workers : int, optional
        Threads; all cores by default. The results do not depend on it.
    progress : callable, optional
        Called as ``progress(step, done, total)``.
    overwrite : bool
        Do every step again; also needed to write into a folder that holds other
        things.

    Returns
    -------
    pathlib.Path
        ``report.html``.

    Raises
    ------
    StudyError
        The study file or a table is wrong.
    FormatError, StackError
        An input is damaged.
    OutputError
        The folder holds something else, or the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.samples.demo import write_demo_study
    >>> study = write_demo_study(tempfile.mkdtemp(), samples_per_group=2, cells_per_sample=20)
    >>> report = run_study(study, workers=1)
    >>> sorted(path.name for path in report.parent.glob("*.csv"))[:3]
    ['agreement.csv', 'classifications.csv', 'confusion.csv']
    """
    study = load_study(study_path)
    root = Path(out) if out is not None else study.path.parent / "results"
    _prepare(root, overwrite=overwrite)
    run = _Run(study, root, n_workers(workers), progress or no_progress, again=overwrite)
    return run.finish()


def _prepare(root: Path, *, overwrite: bool) -> None:
    """Make the folder; refuse one that is not ours."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        strange = any(root.iterdir()) and not (root / "work" / "steps").is_dir()
    except OSError as error:
        msg = f"{root}: the folder of the results cannot be made: {error.strerror or error}"
        raise OutputError(msg) from error
    if strange and not overwrite:
        msg = f"{root}: holds other files than results of ifcyto; choose another folder or overwrite it"
        raise OutputError(msg)
    try:
        (root / "work" / "steps").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{root}: cannot be written to: {error.strerror or error}"
        raise OutputError(msg) from error


class _Run:
    """One run of a study: the inputs, the step records and what was found so far."""

    def __init__(self, study: Study, root: Path, workers: int, progress: Progress, *, again: bool) -> None:
        self.study = study
        self.root = root
        self.workers = workers
        self.progress = progress
        self.cache = StepCache(root, again=again)
        self.inputs: list[Input] = []
        self.sources: dict[Path, dict[str, Any]] = {}
        for i, sample in enumerate(study.samples):
            progress("open files", i, len(study.samples))
            self.inputs.append(inspect_input(study, sample))
        progress("open files", len(study.samples), len(study.samples))

    def finish(self) -> Path:
        """Do every step that is needed and return the report."""
        spots = [self._spots(place) for place in range(len(self.study.samples))]
        tables = self.cache.step("tables", self._depends("tables", spots=spots), self._write_tables)
        self.cache.step("report", self._depends("report", tables=tables), self._write_report)
        return self.root / "report.html"

    def stack(self, place: int) -> Path:
        """The cell stack of a sample: its own file where that is one."""
        sample = self.study.samples[place]
        own = self.root / "work" / "stacks" / f"{sample.id}.h5"
        return sample.file if self.inputs[place].is_stack else own

    def _spots(self, place: int) -> str:
        sample, found = self.study.samples[place], self.inputs[place]
        content: Any = [self._source(path)["sha256"] for path in found.files]
        version = version_of("ifcyto")
        if not found.is_stack:
            key = {"content": content, "version": [version, STEP_VERSIONS["convert"]]}
            content = self.cache.step(f"stack {sample.id}", key, lambda: [self._convert(sample)])
        key = {
            "stack": content,
            "mask": self.study.mask,
            "channels": found.channels,
            "pixel": found.pixel_size_um,
            "version": [version, STEP_VERSIONS["spots"]],
        }
        return self.cache.step(f"spots {sample.id}", key, lambda: [self._count(place)])

    def _convert(self, sample: Sample) -> Path:
        target = self.root / "work" / "stacks" / f"{sample.id}.h5"
        return make_stack(sample.file, target, workers=self.workers, progress=self.progress)

    def _count(self, place: int) -> Path:
        return write_spots(
            self.stack(place),
            self._spots_file(place),
            self.inputs[place],
            mask=self.study.mask,
            workers=self.workers,
            progress=self.progress,
        )

    def _spots_file(self, place: int) -> Path:
        return self.root / "work" / "spots" / f"{self.study.samples[place].id}.csv"

    def _source(self, path: Path) -> dict[str, Any]:
        """Name, size and SHA-256 of an input, computed once."""
        if path not in self.sources:
            self.sources[path] = describe_source(path)
        return self.sources[path]

    def _depends(self, step: str, **others: Any) -> dict[str, Any]:
        """What the tables or the report depend on; the report's own settings only matter to the report."""
        settings = self.study.settings.model_dump(exclude={"report"} if step == "tables" else None)
        tables = [path for sample in self.study.samples for path in (sample.stages, sample.manual)]
        content = [path and self._source(path)["sha256"] for path in (*tables, self.study.labels)]
        version = [version_of("ifcyto"), STEP_VERSIONS[step]]
        return {"settings": settings, "content": content, "version": version, **others}

    @cached_property
    def findings(self) -> Findings:
        """Everything counted and compared."""
        study = self.study
        known = {sample.id for sample in study.samples}
        truth = {} if study.labels is None else read_truth(study.labels, samples=known)
        spots = study.settings.candidates.spots
        samples = [
            judge(sample, *read_spots(self._spots_file(place)), spots=spots, truth=truth)
            for place, sample in enumerate(study.samples)
        ]
        return find(study, samples, notes=[note for found in self.inputs for note in found.notes])

    def _write_tables(self) -> list[Path]:
        document = self.findings.document
        validate(document, "results")
        rows = {name: document[name] for name in COLUMNS if name != "classifications"}
        rows["classifications"] = classification_rows(self.findings.samples)
        paths = [write_text(self.root / f"{name}.csv", table_text(name, rows[name])) for name in COLUMNS]
        return [*paths, write_text(self.root / "results.json", _pretty(document))]

    def _write_report(self) -> list[Path]:
        album = Album(self.root / "figures")
        drawings = (draw_frequencies, draw_spots, draw_agreement, draw_overlap)
        for i, draw in enumerate(drawings):
            self.progress("figures", i, len(drawings) + 1)
            draw(album, self.findings)
        stacks = [self.stack(place) for place in range(len(self.study.samples))]
        self.progress("figures", len(drawings), len(drawings) + 1)
        draw_sheets(album, self.study, self.findings, self.inputs, stacks)
        self.progress("figures", len(drawings) + 1, len(drawings) + 1)
        record = provenance(
            sources=[],
            options=self.study.settings.model_dump(),
            seed=self.study.settings.study.seed,
        )
        record["sources"] = [self._source(self.study.path), *self.sources.values()]
        origin = write_text(self.root / "provenance.json", _pretty(record))
        report = build_report(self.findings.document, album.figures, record)
        page = render_report(report, self.root / "report.html", overwrite=True)
        return [*album.paths, origin, page]


def _pretty(document: Any) -> str:
    """Strict JSON for people: the keys in their order, one level a line."""
    return json.dumps(json.loads(json_text(document)), indent=1) + "\n"
