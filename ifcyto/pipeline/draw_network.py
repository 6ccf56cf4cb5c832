"""Draw what is to be seen of a network: how its training went, and heat maps of a few cells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ifcyto.errors import UsageError
from ifcyto.figures.epochs import epoch_curves
from ifcyto.figures.heat_maps import HeatTile, heat_map_sheet
from ifcyto.figures.style import save_figure
from ifcyto.pipeline.draw import METHODS
from ifcyto.pipeline.heat_cells import KINDS
from ifcyto.pipeline.judged import POSITIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifcyto.pipeline.draw import Album
    from ifcyto.pipeline.explain import Explained
    from ifcyto.pipeline.heat_cells import ExplainedCell
    from ifcyto.pipeline.results import Findings
    from ifcyto.pipeline.run_explain import ExplainedCells

__all__ = ["MOST_DRAWN", "draw_explained", "draw_heat_maps", "draw_network"]

MOST_DRAWN = 20
"""Objects on a sheet that a user asks for."""

MEANING = {
    "right": f"candidates that the network rightly calls a {POSITIVE}, the likeliest ones",
    "wrong": f"candidates that it wrongly calls a {POSITIVE} or wrongly does not, the most certain ones",
    "certain": f"the likeliest of the candidates that it calls a {POSITIVE}; nobody tagged them",
    "disputed": "the most certain of the candidates on which it and the {other} disagree",
    "unsure": f"candidates whose probability of a {POSITIVE} is nearest to one half",
}


def draw_network(album: Album, found: Findings) -> None:
    """Curves of the training; nothing where no network was trained."""
    record = found.document["network"]
    if record is None or not record["history"]["val_loss"]:
        return
    n, best = len(record["history"]["val_loss"]), record["best_epoch"]
    album.add(
        "network",
        epoch_curves(record["history"], best, classes=len(record["classes"])),
        "network-epochs",
        caption="Loss and accuracy over the epochs. The weights of the marked epoch are in use: that of the "
        "lowest validation loss.",
        alt=f"Line plots of loss and accuracy of training and validation over {n} epochs; the best is epoch "
        f"{best}",
    )


def draw_heat_maps(album: Album, shown: ExplainedCells, channels: Sequence[str]) -> None:
    """Draw one sheet for each kind of cells.

    Parameters
    ----------
    album : Album
    shown : ExplainedCells
    channels : sequence of str
        Labels of the model's channels.
    """
    cells, maps = shown.cells, shown.maps
    other = METHODS["fbml" if any(cell.other for cell in cells) else "spot"]
    for kind, title in KINDS.items():
        rows = [row for row, cell in enumerate(cells) if cell.kind == kind]
        if not rows:
            continue
        tiles = [
            HeatTile(
                maps.images[row],
                maps.grad_cam[row],
                maps.occlusion[row],
                cells[row].object,
                cells[row].sample,
                _words(cells[row]),
            )
            for row in rows
        ]
        album.add(
            "heat-maps",
            heat_map_sheet(
                tiles, channels=channels, title=title, of_class=POSITIVE, pixel_size_um=shown.pixel_size_um
            ),
            *("heat-maps", kind),
            caption=f"{title}: {MEANING[kind].format(other=other)}. Orange-red: what the probability of a "
            f"{POSITIVE} rests on; blue: what speaks against it. Beside each cell: object number, sample, "
            "class by the network, probability of a BNE, and what else is known of it.",
            alt=f"Heat maps of {len(rows)} cells: "
            + ", ".join(f"object {cells[row].object} of {cells[row].sample}" for row in rows),
            preview=True,
        )


def draw_explained(
    found: Explained, path: Path | str, *, source: Path | str, overwrite: bool = False
) -> tuple[Path, Path]:
    """Draw what :func:`ifcyto.pipeline.explain.explain` found as one sheet, as PNG and as PDF beside it.

    Parameters
    ----------
    found : Explained
        Of at most :data:`MOST_DRAWN` objects.
    path : path-like
        ``.png``
    source : path-like
        What was explained; its name stands on the sheet.
    overwrite : bool
        Replace existing files.

    Raises
    ------
    UsageError
        Too many objects, or another kind of file name.
    OutputError
        A file exists and `overwrite` is False, or cannot be written.
    """
    path, n = Path(path), len(found.objects)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.png", path.name) or n > MOST_DRAWN:
        msg = f"{path}: expected a plain name that ends in .png, and at most {MOST_DRAWN} objects, found {n}"
        raise UsageError(msg)
    shown = zip(found.objects.tolist(), found.classes.tolist(), found.probability.tolist(), strict=True)
    tiles = [
        HeatTile(
            found.images[row],
            found.grad_cam[row],
            found.occlusion[row],
            number,
            Path(source).stem,
            (f"class: {name}", f"p({name}) = {share:.3f}"),
        )
        for row, (number, name, share) in enumerate(shown)
    ]
    names = set(found.classes.tolist())
    of_class = names.pop() if len(names) == 1 else "its class"
    figure = heat_map_sheet(
        tiles, channels=found.channels.tolist(), title="What the network looks at", of_class=of_class
    )
    return save_figure(figure, path.parent, path.stem, overwrite=overwrite)


def _words(cell: ExplainedCell) -> tuple[str, ...]:
    known = (f"truth: {cell.truth}",) if cell.truth else ()
    other = (f"FBML: {cell.other}",) if cell.other else ()
    return (f"network: {cell.label}", f"p({POSITIVE}) = {cell.probability:.3f}", *known, *other)
