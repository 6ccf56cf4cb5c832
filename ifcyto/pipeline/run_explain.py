"""The step of a run that explains what its network says of a few candidates."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._output import replacing
from ifcyto.pipeline.cnn import network_channels
from ifcyto.pipeline.explain import CellMaps, explain_cells
from ifcyto.pipeline.heat_cells import ExplainedCell, choose_cells
from ifcyto.pipeline.judged import POSITIVE
from ifcyto.pipeline.steps import STEP_VERSIONS
from ifcyto.pipeline.tables import write_text
from ifcyto.provenance import version_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ifcyto.pipeline.results import Findings
    from ifcyto.pipeline.run_cnn import RunCnn

__all__ = ["ExplainedCells", "read_explained", "run_explain"]


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedCells:
    """Cells that were explained.

    Parameters
    ----------
    cells : list of ExplainedCell
        At least one.
    maps : CellMaps
        In the same order.
    pixel_size_um : float or None
    """

    cells: list[ExplainedCell]
    maps: CellMaps
    pixel_size_um: float | None

    def rows(self) -> list[dict[str, Any]]:
        """Every cell with the highest value of its occlusion map, ``drop``."""
        drops = self.maps.occlusion.max(axis=(1, 2)).tolist()
        return [{**asdict(cell), "drop": drop} for cell, drop in zip(self.cells, drops, strict=True)]


def run_explain(cnn: RunCnn, depends: Mapping[str, Any], findings: Any) -> str:
    """Explain a few candidates, unless it was done of the same verdicts.

    Parameters
    ----------
    cnn : RunCnn
    depends : mapping
        Digests of the verdicts, and of what is known of the objects.
    findings : callable
        Gives the :class:`ifcyto.pipeline.results.Findings`; called only where there is something to do.

    Returns
    -------
    str
        Digest of the maps; empty when there is no network or no map is wanted.
    """
    settings = cnn.study.settings
    most = settings.report.heat_maps
    if cnn.untrained or not most:
        return ""
    key = {
        **depends,
        "settings": {"heat_maps": most, "stages": settings.compare.stages},
        "channels": settings.channels,
        "version": [version_of("ifcyto"), STEP_VERSIONS["explain"]],
    }
    return cnn.samples.cache.step("explain", key, lambda: _write(cnn, findings()))


def _write(cnn: RunCnn, found: Findings) -> list[Path]:
    samples, folder = cnn.samples, cnn.explained_folder
    most = cnn.study.settings.report.heat_maps
    cells = choose_cells(found.samples, found.plan.stages, cnn.learned, most=most)
    document = {"pixel_size_um": cnn.model.pixel_size_um, "cells": [asdict(cell) for cell in cells]}
    names = write_text(folder / "cells.json", json.dumps(document, indent=1) + "\n")
    if not cells:
        return [names]
    stacks = [(cnn.stacks[cell.sample], cell.object) for cell in cells]
    samples.progress("explain", 0, len(cells))
    maps = explain_cells(cnn.model, stacks, POSITIVE, images=network_channels(cnn.study))
    samples.progress("explain", len(cells), len(cells))
    arrays = {name: getattr(maps, name) for name in CellMaps.__slots__}
    with replacing(folder / "maps.npz", overwrite=True) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return [names, folder / "maps.npz"]


def read_explained(folder: Path) -> ExplainedCells | None:
    """Read what :func:`run_explain` wrote; None where there was no cell to explain."""
    document = json.loads((folder / "cells.json").read_text(encoding="utf-8"))
    if not document["cells"]:
        return None
    with np.load(folder / "maps.npz", allow_pickle=False) as file:
        maps = CellMaps(**{name: file[name] for name in CellMaps.__slots__})
    cells = [ExplainedCell(**cell) for cell in document["cells"]]
    return ExplainedCells(cells, maps, document["pixel_size_um"])
