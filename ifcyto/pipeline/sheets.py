"""Contact sheets: a seeded choice of candidates, with what the nuclear mask saw."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import CellBatch
from ifcyto.figures.gallery import Tile, contact_sheet
from ifcyto.pipeline.judged import POSITIVE
from ifcyto.planes import Planes
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.frames import frames

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.pipeline.acquire import Input
    from ifcyto.pipeline.draw import Album
    from ifcyto.pipeline.judged import Judged
    from ifcyto.pipeline.results import Findings
    from ifcyto.pipeline.study import Study

__all__ = ["choose", "draw_sheets"]

Pick = tuple[int, int]
"""Place of a sample in the study, row of an object in it."""

KINDS = {
    "candidates": ("candidates", "candidates"),
    "agreeing": ("candidates tagged BNE", "candidates that the observer calls a BNE"),
    "disagreeing": ("candidates not tagged BNE", "candidates that the observer does not call a BNE"),
    "missed": ("tagged BNE, no candidates", "cells that the observer calls a BNE and that are no candidates"),
}
"""Kind of cells to the words of a sheet's title and caption."""


def choose(
    samples: Sequence[Judged], group: str, stages: Sequence[str], *, most: int, seed: int
) -> dict[str, list[Pick]]:
    """Choose cells of one group for its sheets, at random and reproducibly.

    Parameters
    ----------
    samples : sequence of Judged
    group : str
    stages : sequence of str
        Only objects of these stages are shown.
    most : int
        Cells of each kind.
    seed : int

    Returns
    -------
    dict of str to list of (int, int)
        Kind (key of :data:`KINDS`) to sample and row, in the order of the study;
        kinds without cells are left out.
    """
    pools: dict[str, list[Pick]] = {}
    for place, judged in enumerate(samples):
        if judged.sample.group != group or judged.sample.training_only:
            continue
        inside = np.isin(judged.stages, stages)
        kinds = {"candidates": judged.candidate}
        if judged.manual is not None:
            tagged = judged.manual == POSITIVE
            kinds = {
                "agreeing": judged.candidate & tagged,
                "disagreeing": judged.candidate & ~tagged,
                "missed": ~judged.candidate & tagged,
            }
        for kind, mask in kinds.items():
            pools.setdefault(kind, []).extend((place, row) for row in np.flatnonzero(mask & inside).tolist())
    chosen = {}
    for number, kind in enumerate(KINDS):
        pool = pools.get(kind, [])
        rng = np.random.default_rng([seed, number, *group.encode()])
        rows = np.sort(rng.permutation(len(pool))[:most]).tolist()
        if rows:
            chosen[kind] = [pool[row] for row in rows]
    return chosen


def draw_sheets(
    album: Album, study: Study, found: Findings, inputs: Sequence[Input], stacks: Sequence[Path]
) -> None:
    """Draw the contact sheets of every group, one for each kind of cell there is."""
    report = study.settings.report
    for group in found.plan.groups:
        kinds = choose(
            found.samples,
            group,
            found.plan.stages,
            most=report.cells_per_sheet,
            seed=study.settings.study.seed,
        )
        for kind, picks in kinds.items():
            tiles = _tiles(study, found.samples, inputs, stacks, picks)
            sizes = {inputs[place].pixel_size_um for place, _ in picks}
            figure = contact_sheet(
                tiles,
                channels=list(study.settings.channels),
                title=f"{group}: {KINDS[kind][0]}",
                pixel_size_um=sizes.pop() if len(sizes) == 1 else None,
            )
            words = f"{group}: {KINDS[kind][1]} (up to {report.cells_per_sheet}, chosen at random)"
            album.add(
                "candidates",
                figure,
                *("sheet", group, kind),
                caption=f"{words}. Outline: the nuclear mask. Above each cell: sample, object number, "
                "Spot Count and the observer's label.",
                alt=f"Contact sheet of {words}",
            )


def _tiles(
    study: Study,
    samples: Sequence[Judged],
    inputs: Sequence[Input],
    stacks: Sequence[Path],
    picks: Sequence[Pick],
) -> list[Tile]:
    with ExitStack() as files:
        opened = {place: files.enter_context(CellStack.open(stacks[place])) for place, _ in picks}
        side = max(int(max(opened[place].heights[row], opened[place].widths[row])) for place, row in picks)
        side = min(side, study.settings.report.image_size)
        return [_tile(study, samples[place], opened[place], inputs[place], row, side) for place, row in picks]


def _tile(study: Study, judged: Judged, stack: CellStack, found: Input, row: int, side: int) -> Tile:
    images = stack.images([row], size=side)[0]
    spots = int(judged.spot_count[row])
    label = "1 spot" if spots == 1 else f"{spots} spots"
    if judged.manual is not None:
        label += f", {judged.manual[row] or 'no tag'}"
    return Tile(
        images[list(found.channels.values())],
        label,
        int(judged.objects[row]),
        judged.sample.id,
        _outline(study, stack, found, row, side),
    )


def _outline(study: Study, stack: CellStack, found: Input, row: int, side: int) -> NDArray[np.bool_]:
    """Cut the BNE mask of an object as its image is cut."""
    batch = stack.read_batch([row])
    planes = Planes(batch, stack.channels, pixel_size_um=found.pixel_size_um)
    mask = found.book.mask(planes, study.mask).astype(np.uint8)
    single = CellBatch(batch.object_numbers, batch.heights, batch.widths, 1, mask, None)
    out = np.zeros((1, 1, side, side), np.uint8)
    frames(single, mask, stack.centroids[[row]], [0], out[:, :, 0, 0], out)
    outline: NDArray[np.bool_] = out[0, 0] != 0
    return outline
