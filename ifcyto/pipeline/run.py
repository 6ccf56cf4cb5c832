"""The main job: from a study file to tables, figures and a report."""

from __future__ import annotations

import json
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifcyto.classify.model_folder import read_model
from ifcyto.errors import OutputError, StudyError
from ifcyto.pipeline.acquire import inspect_input, make_stack, read_spots, write_spots
from ifcyto.pipeline.counts import classification_rows
from ifcyto.pipeline.draw import Album, draw_agreement, draw_frequencies, draw_overlap, draw_spots
from ifcyto.pipeline.draw_training import draw_training
from ifcyto.pipeline.fbml import (
    classify_candidates,
    read_record,
    read_verdicts,
    train_fbml,
    why_not,
    write_truth_scores,
)
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

STEP_VERSIONS = {"convert": 1, "spots": 2, "fbml": 1, "tables": 2, "report": 2}
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
        fbml = self._fbml(spots)
        depends = self._depends("tables", spots=spots, fbml=fbml)
        tables = self.cache.step("tables", depends, self._write_tables)
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

    @cached_property
    def truth(self) -> dict[tuple[str, int], str]:
        """Table of truth of the study; empty without one."""
        known = {sample.id for sample in self.study.samples}
        return {} if self.study.labels is None else read_truth(self.study.labels, samples=known)

    @cached_property
    def untrained(self) -> str:
        """Why the feature-based classifier does not run; empty when it does."""
        asked = "fbml" in self.study.settings.compare.methods
        return why_not(self.study, self.truth) if asked else "not asked for in [compare]"

    @property
    def model_folder(self) -> Path:
        """Where the feature-based classifier is kept."""
        return self.root / "models" / "fbml"

    def _fbml(self, spots: list[str]) -> list[str]:
        """Train the classifier and classify the candidates; digests of what each sample depends on."""
        if self.untrained:
            return []
        study = self.study
        version = [version_of("ifcyto"), STEP_VERSIONS["fbml"]]
        key = {
            "truth": None if study.labels is None else self._source(study.labels)["sha256"],
            "spots": spots,
            "settings": study.settings.fbml.model_dump(),
            "channels": study.settings.channels,
            "mask": study.mask,
            "seed": study.settings.study.seed,
            "version": version,
        }
        model = self.cache.step("train fbml", key, self._train)
        return [
            self.cache.step(
                f"fbml {sample.id}",
                {"model": model, "spots": spots[place], "version": version},
                partial(self._classify, place),
            )
            for place, sample in enumerate(study.samples)
        ]

    def _train(self) -> list[Path]:
        stacks = {sample.id: self.stack(place) for place, sample in enumerate(self.study.samples)}
        sizes = {
            sample.id: self.inputs[place].pixel_size_um for place, sample in enumerate(self.study.samples)
        }
        used = sorted({sizes[sample] for sample, _ in self.truth})
        if len(used) > 1:
            msg = f"{self.study.path}: the samples of the table of truth have pixels of {used} um"
            raise StudyError(msg)
        result = train_fbml(
            self.study,
            self.truth,
            stacks,
            self.model_folder,
            pixel_size_um=used[0],
            workers=self.workers,
            progress=self.progress,
        )
        scores = write_truth_scores(result, self.root / "work" / "fbml" / "truth_scores.csv")
        return [*sorted(self.model_folder.iterdir()), scores]

    def _classify(self, place: int) -> list[Path]:
        numbers, counts = read_spots(self._spots_file(place))
        path = classify_candidates(
            read_model(self.model_folder),
            self.stack(place),
            self._verdicts(place),
            self.inputs[place],
            numbers[counts == self.study.settings.candidates.spots],
            roles=self.study.settings.channels,
            workers=self.workers,
            progress=self.progress,
        )
        return [path]

    def _verdicts(self, place: int) -> Path:
        return self.root / "work" / "fbml" / f"{self.study.samples[place].id}.csv"

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
        samples = [
            judge(
                sample,
                *read_spots(self._spots_file(place)),
                spots=study.settings.candidates.spots,
                truth=self.truth,
                fbml=None if self.untrained else read_verdicts(self._verdicts(place)),
            )
            for place, sample in enumerate(study.samples)
        ]
        notes = [note for found in self.inputs for note in found.notes]
        training = None if self.untrained else read_record(self.model_folder)
        return find(study, samples, notes=notes, training=training, untrained=self.untrained)

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
        if not self.untrained:
            draw_training(album, self.findings, self.root / "work" / "fbml" / "truth_scores.csv")
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
