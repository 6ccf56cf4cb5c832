"""``ifcyto convert``: from any readable input to cell stacks."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from ifcyto.cli.show import count, progress_bar

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(convert)


def convert(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Files or folders to read.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="A stack (.h5), or a folder for one each.")
    ],
    objects: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE.pop", help="Keep these objects only; once for each input."),
    ] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="BF,DRAQ5", help="Keep these channels only, by name or number.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Threads; all cores by default.")] = None,
    salvage: Annotated[
        bool,
        typer.Option("--salvage", help="Keep the intact objects of a damaged file; exit 1 if any is lost."),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing output.")] = False,
) -> None:
    """Convert image files to cell stacks, without loss.

    Several inputs with one OUT.h5 are merged into one stack.

    Example:  ifcyto convert MDS01.cif MDS02.cif -o stacks/
    """
    from ifcyto.pipeline.convert import convert as convert_files

    with progress_bar() as progress:
        result = convert_files(
            inputs,
            output,
            objects=objects or None,
            channels=channels.split(",") if channels else None,
            workers=workers,
            salvage=salvage,
            overwrite=overwrite,
            progress=progress,
        )
    for path, n_objects in zip(result.outputs, result.n_objects, strict=True):
        print(f"{path}: {count(n_objects, 'object')}")
    for note in result.notes:
        print(f"note: {note}", file=sys.stderr)
    for path, fault in result.faults:
        print(f"fault: {path}: {fault}", file=sys.stderr)
    if result.faults:
        print(f"{count(len(result.faults), 'fault')}; the intact objects were kept", file=sys.stderr)
        raise typer.Exit(1)
