"""The last steps of a run: count and compare, write the tables, draw and report."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ifcyto.pipeline.acquire import read_spots
from ifcyto.pipeline.counts import classification_rows
from ifcyto.pipeline.draw import Album, draw_agreement, draw_frequencies, draw_overlap, draw_spots
from ifcyto.pipeline.draw_training import draw_training
from ifcyto.pipeline.fbml import read_record, read_verdicts
from ifcyto.pipeline.judged import judge
from ifcyto.pipeline.results import find
from ifcyto.pipeline.sheets import draw_sheets
from ifcyto.pipeline.steps import STEP_VERSIONS
from ifcyto.pipeline.tables import COLUMNS, table_text, write_text
from ifcyto.provenance import json_text, provenance, version_of
from ifcyto.report.assemble import build_report
from ifcyto.report.render import render_report
from ifcyto.schemas import validate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ifcyto.pipeline.results import Findings
    from ifcyto.pipeline.run_fbml import RunFbml
    from ifcyto.pipeline.run_samples import RunSamples

__all__ = ["RunResults"]


class RunResults:
    """What a run found, and the files that say it.

    Parameters
    ----------
    samples : RunSamples
    fbml : RunFbml
    """

    def __init__(self, samples: RunSamples, fbml: RunFbml) -> None:
        self.samples = samples
        self.fbml = fbml
        self.study = samples.study
        self.root = samples.root

    def steps(self, spots: Sequence[str], fbml: Sequence[str]) -> Path:
        """Write the tables and the report, each where something changed; path of the report.

        Parameters
        ----------
        spots, fbml : sequence of str
            Digests of the Spot Counts and of the verdicts of each sample.
        """
        cache = self.samples.cache
        depends = self._depends("tables", spots=list(spots), fbml=list(fbml))
        tables = cache.step("tables", depends, self._write_tables)
        cache.step("report", self._depends("report", tables=tables), self._write_report)
        return self.root / "report.html"

    def _depends(self, step: str, **others: Any) -> dict[str, Any]:
        """What the tables or the report depend on; the report's own settings only matter to the report."""
        source = self.samples.source
        settings = self.study.settings.model_dump(exclude={"report"} if step == "tables" else None)
        tables = [path for sample in self.study.samples for path in (sample.stages, sample.manual)]
        content = [path and source(path)["sha256"] for path in (*tables, self.study.labels)]
        version = [version_of("ifcyto"), STEP_VERSIONS[step]]
        return {"settings": settings, "content": content, "version": version, **others}

    @cached_property
    def findings(self) -> Findings:
        """Everything counted and compared."""
        study, untrained = self.study, self.fbml.untrained
        judged = [
            judge(
                sample,
                *read_spots(self.samples.spots_file(place)),
                spots=study.settings.candidates.spots,
                truth=self.fbml.truth,
                fbml=None if untrained else read_verdicts(self.fbml.verdicts(place)),
            )
            for place, sample in enumerate(study.samples)
        ]
        notes = [note for found in self.samples.inputs for note in found.notes]
        training = None if untrained else read_record(self.fbml.model_folder)
        return find(study, judged, notes=notes, training=training, untrained=untrained)

    def _write_tables(self) -> list[Path]:
        document = self.findings.document
        validate(document, "results")
        rows = {name: document[name] for name in COLUMNS if name != "classifications"}
        rows["classifications"] = classification_rows(self.findings.samples)
        paths = [write_text(self.root / f"{name}.csv", table_text(name, rows[name])) for name in COLUMNS]
        return [*paths, write_text(self.root / "results.json", _pretty(document))]

    def _write_report(self) -> list[Path]:
        album = Album(self.root / "figures")
        progress = self.samples.progress
        drawings = (draw_frequencies, draw_spots, draw_agreement, draw_overlap)
        for i, draw in enumerate(drawings):
            progress("figures", i, len(drawings) + 1)
            draw(album, self.findings)
        if not self.fbml.untrained:
            draw_training(album, self.findings, self.fbml.truth_scores)
        stacks = [self.samples.stack(place) for place in range(len(self.study.samples))]
        progress("figures", len(drawings), len(drawings) + 1)
        draw_sheets(album, self.study, self.findings, self.samples.inputs, stacks)
        progress("figures", len(drawings) + 1, len(drawings) + 1)
        record = provenance(
            sources=[],
            options=self.study.settings.model_dump(),
            seed=self.study.settings.study.seed,
        )
        record["sources"] = [self.samples.source(self.study.path), *self.samples.sources.values()]
        origin = write_text(self.root / "provenance.json", _pretty(record))
        report = build_report(self.findings.document, album.figures, record)
        page = render_report(report, self.root / "report.html", overwrite=True)
        return [*album.paths, origin, page]


def _pretty(document: Any) -> str:
    """Strict JSON for people: the keys in their order, one level a line."""
    return json.dumps(json.loads(json_text(document)), indent=1) + "\n"
