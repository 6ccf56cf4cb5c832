"""Everything that a report shows: all figures, the tables it alone holds, and the page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ifcyto.pipeline.draw import Album, draw_agreement, draw_frequencies, draw_overlap, draw_spots
from ifcyto.pipeline.draw_methods import draw_methods, draw_single_samples
from ifcyto.pipeline.draw_network import draw_heat_maps, draw_network
from ifcyto.pipeline.draw_training import draw_training
from ifcyto.pipeline.sheets import draw_sheets
from ifcyto.pipeline.tables import as_text, csv_text, write_text
from ifcyto.report.files import own_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ifcyto.pipeline.acquire import Input
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.results import Findings
    from ifcyto.pipeline.run_explain import ExplainedCells
    from ifcyto.pipeline.study import Study
    from ifcyto.report.model import Report

__all__ = ["draw_study", "write_own_tables"]


def draw_study(
    folder: Path,
    study: Study,
    found: Findings,
    inputs: Sequence[Input],
    stacks: Sequence[Path],
    *,
    scores: Path | None = None,
    explained: ExplainedCells | None = None,
    progress: Progress,
) -> Album:
    """Draw every figure of a study.

    Parameters
    ----------
    folder : pathlib.Path
        Where the figures go.
    study : Study
    found : Findings
    inputs : sequence of Input
    stacks : sequence of pathlib.Path
        Of every sample, in the order of `found`.
    scores : pathlib.Path, optional
        Classifier values of the truth; None where nothing was trained.
    explained : ExplainedCells, optional
        Cells that the network's scores were explained of.
    progress : callable
    """
    album = Album(folder)
    drawings: list[Any] = [
        draw_frequencies,
        draw_single_samples,
        draw_spots,
        draw_methods,
        draw_agreement,
        draw_overlap,
        partial(_draw_training, scores=scores),
        draw_network,
        partial(_draw_heat_maps, explained=explained),
        partial(_draw_cells, study=study, inputs=inputs, stacks=stacks),
    ]
    for i, draw in enumerate(drawings):
        progress("figures", i, len(drawings))
        draw(album, found)
    progress("figures", len(drawings), len(drawings))
    return album


def _draw_training(album: Album, found: Findings, *, scores: Path | None) -> None:
    if scores is not None:
        draw_training(album, found, scores)


def _draw_heat_maps(album: Album, found: Findings, *, explained: ExplainedCells | None) -> None:
    if explained is not None:
        draw_heat_maps(album, explained, found.document["network"]["channels"])


def _draw_cells(
    album: Album, found: Findings, *, study: Study, inputs: Sequence[Input], stacks: Sequence[Path]
) -> None:
    draw_sheets(album, study, found, inputs, stacks)


def write_own_tables(report: Report, folder: Path) -> list[Path]:
    """Write the tables of which the report is the only source, below `folder`, and return their paths.

    Numbers have their full precision there; the page rounds them.
    """
    paths = []
    for table in own_tables(report):
        header = [
            f"{column.title} ({column.unit})" if column.unit else column.title for column in table.columns
        ]
        rows = [[as_text(value) for value in row] for row in table.rows]
        target = folder / table.file
        target.parent.mkdir(parents=True, exist_ok=True)
        paths.append(write_text(target, csv_text([as_text(name) for name in header], rows)))
    return paths
