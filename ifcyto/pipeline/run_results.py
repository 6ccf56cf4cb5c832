"""The last steps of a run: count and compare, write the tables, draw and report."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ifcyto.pipeline.acquire import read_spots
from ifcyto.pipeline.cnn import read_network_verdicts
from ifcyto.pipeline.counts import classification_rows
from ifcyto.pipeline.draw_methods import area_rows
from ifcyto.pipeline.draw_study import draw_study, write_own_tables
from ifcyto.pipeline.fbml import read_record, read_verdicts
from ifcyto.pipeline.judged import judge
from ifcyto.pipeline.quality import loss_rows, quality_rows
from ifcyto.pipeline.results import find
from ifcyto.pipeline.run_explain import read_explained, run_explain
from ifcyto.pipeline.run_files import make_empty, move_into_place, pretty, read_results, write_together
from ifcyto.pipeline.stage_gates import stage_names
from ifcyto.pipeline.steps import STEP_VERSIONS
from ifcyto.pipeline.tables import COLUMNS, table_text, write_text
from ifcyto.provenance import provenance, sha256_file, version_of
from ifcyto.report.assemble import build_report
from ifcyto.report.render import render_report
from ifcyto.schemas import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ifcyto.pipeline.judged import Judged
    from ifcyto.pipeline.results import Findings
    from ifcyto.pipeline.run_cnn import RunCnn
    from ifcyto.pipeline.run_fbml import RunFbml
    from ifcyto.pipeline.run_samples import RunSamples

__all__ = ["RunResults"]


class RunResults:
    """What a run found, and the files that say it.

    Parameters
    ----------
    samples : RunSamples
    fbml : RunFbml
    cnn : RunCnn
    """

    def __init__(self, samples: RunSamples, fbml: RunFbml, cnn: RunCnn) -> None:
        self.samples = samples
        self.fbml = fbml
        self.cnn = cnn
        self.root = samples.root
        self.explained = ""

    def steps(self, spots: Sequence[str], fbml: Sequence[str], cnn: Sequence[str]) -> None:
        """Write the tables and the report, each where something changed.

        Parameters
        ----------
        spots, fbml, cnn : sequence of str
            Digests of the Spot Counts and of the verdicts of each sample.
        """
        cache = self.samples.cache
        tables, report = (self._depends(step) for step in ("tables", "report"))
        if not self.samples.keep_going and any(row["step"] == "tables" for row in self._failed_before()):
            cache.forget("tables")  # a sample fails there that was left out; now it is to stop the run
        others = {"spots": list(spots), "fbml": list(fbml)}
        if cnn:
            others["cnn"] = list(cnn)
        if self.samples.staged:
            others["stages"] = list(self.samples.staged.values())
        done = cache.step("tables", {**tables, **others}, self._write_tables)
        known = {**others, "content": tables["content"]}
        self.explained = run_explain(self.cnn, known, lambda: self.findings)
        maps = {"explain": self.explained} if self.explained else {}
        cache.step("report", {**report, "tables": done, **maps}, self._write_report)

    def _depends(self, step: str) -> dict[str, Any]:
        """What the tables or the report depend on; the report's own settings only matter to the report."""
        study, source = self.samples.study, self.samples.source
        settings = study.settings.model_dump(exclude={"report"} if step == "tables" else None)
        tables = [path for sample in study.samples for path in (sample.stages, sample.manual)]
        content = [path and source(path)["sha256"] for path in (*tables, study.labels)]
        version = [version_of("ifcyto"), STEP_VERSIONS[step]]
        failed = [asdict(failure) for failure in self.samples.failed]
        return {"settings": settings, "content": content, "version": version, "failed": failed}

    def _failed_before(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = read_results(self.root).get("failed", [])
        return found

    @cached_property
    def findings(self) -> Findings:
        """Everything counted and compared."""
        untrained = self.fbml.untrained
        judged = self.samples.each("tables", self._judge)
        training = None if untrained else read_record(self.fbml.model_folder)
        notes = self.samples.notes()
        network = None if self.cnn.untrained else self.cnn.record()
        found = find(
            self.samples.study,
            judged,
            notes=notes,
            training=training,
            untrained=untrained,
            network=network,
            no_network=self.cnn.untrained,
        )
        failed = [asdict(failure) for failure in self.samples.failed]
        return replace(found, document={**found.document, "failed": failed})

    def _judge(self, place: int) -> Judged:
        study = self.samples.study
        return judge(
            study.samples[place],
            *read_spots(self.samples.spots_file(place)),
            spots=study.settings.candidates.spots,
            truth=self.fbml.truth,
            fbml=None if self.fbml.untrained else read_verdicts(self.fbml.verdicts(place)),
            cnn=None if self.cnn.untrained else read_network_verdicts(self.cnn.verdicts(place)),
            gated=self.samples.stages_file(place),
            expected=stage_names(study),
        )

    def _write_tables(self) -> list[Path]:
        document = self.findings.document
        validate(document, "results")
        texts: dict[str, Iterable[str]] = {
            f"{name}.csv": [table_text(name, document[name])] for name in COLUMNS if name != "classifications"
        }
        texts["classifications.csv"] = _sample_by_sample(self.findings)
        return write_together(self.root, {**texts, "results.json": [pretty(document)]})

    def _write_report(self) -> list[Path]:
        """Draw and render aside, then put everything in its place at once."""
        stage = self.root / "work" / "report.part"
        try:
            make_empty(stage)
            samples, found = self.samples, self.findings
            stacks = [samples.stack(place) for place in range(len(samples.study.samples))]
            inputs = samples.inputs
            scores = None if self.fbml.untrained else self.fbml.truth_scores
            explained = read_explained(self.cnn.explained_folder) if self.explained else None
            album = draw_study(stage / "figures", samples.study, found, inputs, stacks, scores=scores,
                               explained=explained, progress=samples.progress)  # fmt: skip
            quality = quality_rows(found.samples, inputs, stacks)
            report = build_report(
                found.document,
                album.figures,
                self.record,
                quality=quality,
                losses=loss_rows(found),
                areas=area_rows(found),
                machine={} if self.cnn.untrained else self.cnn.machine(),
                cells=[] if explained is None else explained.rows(),
            )
            own = write_own_tables(report, stage)
            page = render_report(report, stage / "report.html")
            return move_into_place([*album.paths, *own, page], stage, self.root)
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    @cached_property
    def record(self) -> dict[str, Any]:
        """Versions, settings, seed, inputs, and how long the steps before the report took."""
        settings = self.samples.study.settings
        record = provenance(sources=[], options=settings.model_dump(), seed=settings.study.seed)
        path = self.samples.study.path
        inputs = [found for name, found in self.samples.sources.items() if name != path]
        record["sources"] = [self.samples.source(path), *inputs]
        return {**record, "run": self._run_summary()}

    def _run_summary(self) -> dict[str, Any]:
        log = self.samples.cache.log
        ids = {sample.id for sample in self.samples.asked.samples}
        return {} if log is None else log.summary(ids)

    def write_provenance(self) -> None:
        """Write ``provenance.json``, unless it tells of this very report."""
        path, page = self.root / "provenance.json", self.root / "report.html"
        digest = sha256_file(page)
        if self.samples.cache.done or _report_of(path) != digest:
            report = {"name": page.name, "sha256": digest}
            write_text(path, pretty({**self.record, "run": self._run_summary(), "report": report}))


def _report_of(path: Path) -> str | None:
    """SHA-256 of the report that a ``provenance.json`` tells of; None when it cannot be read."""
    try:
        found: str | None = json.loads(path.read_text(encoding="utf-8"))["report"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def _sample_by_sample(found: Findings) -> Iterator[str]:
    """The table of all objects in pieces, so that memory never holds its text."""
    yield table_text("classifications", [])
    for judged in found.samples:
        yield table_text("classifications", classification_rows([judged])).partition("\n")[2]
