"""``ifcyto review``: look at cells in napari and tag them."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(review)


def review(
    source: Annotated[
        Path,
        typer.Argument(metavar="STACK|STUDY", help="A cell stack, an image file, or a study that was run."),
    ],
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="File of the tags; made when it is not there.")
    ] = None,
    by: Annotated[
        str, typer.Option(metavar="NAME", help="Who tags; the name of the account by default.")
    ] = "",
    blinded: Annotated[
        bool, typer.Option("--blinded", help="Hide what the methods said, and shuffle the objects.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="Of the shuffled order; the study's own by default.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Results of the study; beside it by default.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="T.h5ad", help="Feature table of a stack, to sort, filter and plot by."),
    ] = None,
    second: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Another reader's tags, to compare with.")
    ] = None,
) -> None:
    """Look at cells in napari, tag them with keys, and compare readers.

    Every tag is on disk at once: labels.csv beside the study, or NAME_labels.csv beside the file.

    Example:  ifcyto review study.toml --by AB --blinded
    """
    from ifcyto._optional import require
    from ifcyto.errors import UsageError

    if not source.exists():
        msg = f"{source}: expected a study, a stack or an image file, found nothing"
        raise UsageError(msg)
    require("napari", extra="review")
    require("qtpy.QtWidgets", extra="review")
    from ifcyto.napari_plugin.launch import launch
    from ifcyto.review.opening import ReviewOptions

    launch(
        source,
        ReviewOptions(labels=labels, by=by, blinded=blinded, seed=seed, results=results, table=table),
        second=second,
    )
