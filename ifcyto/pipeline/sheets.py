"""Galleries: a seeded choice of cells for each region of the methods' Venn diagram.

A region says who called a cell a BNE, and with an observer also who was right: false
positives and false negatives of every method are regions, or several of them.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import CellBatch
from ifcyto.figures.gallery import Tile, contact_sheet
from ifcyto.pipeline.draw import METHODS
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

__all__ = ["Choice", "Region", "choose", "draw_sheets"]

Pick = tuple[int, int]
"""Place of a sample in the study, row of an object in it."""

MOST_SHEETS = 60
"""Sheets of one study; the later regions of many groups are left out, and the last caption says so."""

JUDGES = ("manual", "spot", "fbml", "cnn")
"""Those that call a cell a BNE or not; the observer first."""


@dataclass(frozen=True, slots=True)
class Region:
    """Cells that exactly these methods call a BNE.

    Parameters
    ----------
    yes, no : tuple of str
        Methods that do and that do not.
    """

    yes: tuple[str, ...]
    no: tuple[str, ...]

    @property
    def title(self) -> str:
        """Who called the cells a BNE and who did not.

        Examples
        --------
        >>> Region(("manual", "spot"), ("fbml",)).title
        'BNE by manual tags, plain rule; not by feature-based classifier'
        """
        said = f"BNE by {', '.join(METHODS[name] for name in self.yes)}"
        return said + (f"; not by {', '.join(METHODS[name] for name in self.no)}" if self.no else "")

    @property
    def meaning(self) -> str:
        """Whose error the cells are, if the observer is right; empty without an observer.

        Examples
        --------
        >>> Region(("spot",), ("manual", "fbml")).meaning
        'false positives of the plain rule'
        >>> Region(("manual", "spot"), ()).meaning
        'found by all'
        """
        if "manual" not in (*self.yes, *self.no):
            return ""
        wrong, kind = (self.no, "negatives") if "manual" in self.yes else (self.yes, "positives")
        names = [METHODS[name] for name in wrong if name != "manual"]
        return f"false {kind} of the {' and the '.join(names)}" if names else "found by all"


@dataclass(frozen=True, slots=True)
class Choice:
    """Cells of one region, chosen at random.

    Parameters
    ----------
    picks : tuple of (int, int)
        Sample and row, in the order of the study.
    total : int
        How many cells the region has.
    """

    picks: tuple[Pick, ...]
    total: int


def choose(
    samples: Sequence[Judged], group: str, stages: Sequence[str], *, most: int, seed: int
) -> dict[Region, Choice]:
    """Choose cells of one group for its sheets, at random and reproducibly.

    Where an observer looked at some samples of the group, the others are left out.

    Parameters
    ----------
    samples : sequence of Judged
    group : str
    stages : sequence of str
        Only objects of these stages are shown.
    most : int
        Cells of each region.
    seed : int

    Returns
    -------
    dict of Region to Choice
        Regions without cells are left out; those of the observer come first.
    """
    mine = [
        (place, judged)
        for place, judged in enumerate(samples)
        if judged.sample.group == group and not judged.sample.training_only
    ]
    looked = [one for one in mine if one[1].manual is not None]
    mine = looked or mine
    judges = tuple(name for name in JUDGES if mine and all(one.positive(name) is not None for _, one in mine))
    pools: dict[Region, list[Pick]] = {}
    for place, judged in mine:
        inside = np.isin(judged.stages, stages)
        said = {name: judged.positive(name) for name in judges}
        for bits in product((True, False), repeat=len(judges)):
            if not any(bits):
                continue
            mask = inside.copy()
            for name, bit in zip(judges, bits, strict=True):
                called = said[name]
                if called is not None:
                    mask &= called if bit else ~called
            region = Region(
                tuple(name for name, bit in zip(judges, bits, strict=True) if bit),
                tuple(name for name, bit in zip(judges, bits, strict=True) if not bit),
            )
            pools.setdefault(region, []).extend((place, row) for row in np.flatnonzero(mask).tolist())
    chosen = {}
    for number, (region, pool) in enumerate(pools.items()):
        rng = np.random.default_rng([seed, number, *group.encode()])
        rows = np.sort(rng.permutation(len(pool))[:most]).tolist()
        if rows:
            chosen[region] = Choice(tuple(pool[row] for row in rows), len(pool))
    return chosen


def draw_sheets(
    album: Album, study: Study, found: Findings, inputs: Sequence[Input], stacks: Sequence[Path]
) -> None:
    """Draw the galleries of every group, page by page, for each region that has cells."""
    report = study.settings.report
    per_page, pages = report.cells_per_sheet, report.sheets_per_kind
    if not per_page:
        return
    sheets = [
        (group, region, choice, page)
        for group in found.plan.groups
        for region, choice in choose(
            found.samples,
            group,
            found.plan.stages,
            most=per_page * pages,
            seed=study.settings.study.seed,
        ).items()
        for page in range(-(-len(choice.picks) // per_page))
    ]
    for place, (group, region, choice, page) in enumerate(sheets[:MOST_SHEETS]):
        picks = choice.picks[page * per_page : (page + 1) * per_page]
        sizes = {inputs[sample].pixel_size_um for sample, _ in picks}
        shown = (
            "all of them"
            if len(picks) == choice.total
            else f"{len(picks)} of {choice.total:,}, chosen at random"
        )
        last = place == MOST_SHEETS - 1 and len(sheets) > MOST_SHEETS
        album.add(
            "errors",
            contact_sheet(
                _tiles(study, found.samples, inputs, stacks, picks),
                channels=list(study.settings.channels),
                title=f"{group}: {region.title}",
                pixel_size_um=sizes.pop() if len(sizes) == 1 else None,
            ),
            *("cells", group, *region.yes, *(("not", *region.no) if region.no else ())),
            *((f"page-{page + 1}",) if page else ()),
            caption=f"{group}: cells called a {region.title}"
            + (f" ({region.meaning})" if region.meaning else "")
            + f"; {shown}. Outline: the nuclear mask. Above each cell: object number, sample, Spot Count and "
            "what each method calls it."
            + (f" {len(sheets) - MOST_SHEETS} more sheets are left out." if last else ""),
            alt=f"Pictures of {len(picks)} cells of {group}: {region.title}",
            preview=True,
        )


def _tiles(
    study: Study,
    samples: Sequence[Judged],
    inputs: Sequence[Input],
    stacks: Sequence[Path],
    picks: Sequence[Pick],
) -> list[Tile]:
    with ExitStack() as files:
        opened = {
            place: files.enter_context(CellStack.open(stacks[place])) for place in {p for p, _ in picks}
        }
        side = max(int(max(opened[place].heights[row], opened[place].widths[row])) for place, row in picks)
        side = min(side, study.settings.report.image_size)
        return [_tile(study, samples[place], opened[place], inputs[place], row, side) for place, row in picks]


def _tile(study: Study, judged: Judged, stack: CellStack, found: Input, row: int, side: int) -> Tile:
    images = stack.images([row], size=side)[0]
    spots = int(judged.spot_count[row])
    words = ["1 spot" if spots == 1 else f"{spots} spots"]
    if judged.manual is not None:
        words.append(f"tag {judged.manual[row] or 'none'}")
    for method, short in (("fbml", "FBML"), ("cnn", "CNN")):
        called = getattr(judged, method, None)
        if called is not None and called[row]:
            words.append(f"{short} {called[row]}")
    return Tile(
        images[list(found.channels.values())],
        ", ".join(words),
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
