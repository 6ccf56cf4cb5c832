"""``ifcyto export``: images back to files that other programs read."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated, Any

import typer

from ifcyto.cli.show import count, progress_bar
from ifcyto.errors import UsageError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(export)


def export(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Readable inputs or cell stacks.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="A .cif file, or a folder of TIFF files.")
    ],
    cif: Annotated[bool, typer.Option("--cif", help="One compensated image file (subset or merge).")] = False,
    ome_tiff: Annotated[bool, typer.Option("--ome-tiff", help="One OME-TIFF an object.")] = False,
    tiff: Annotated[bool, typer.Option("--tiff", help="One TIFF an object and channel.")] = False,
    objects: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE.pop", help="Export these objects only; once for each input."),
    ] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="BF,DRAQ5", help="Export these channels only, by name or number.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing output.")] = False,
    keep_personal: Annotated[
        bool, typer.Option("--keep-personal", help="Keep operator names and paths in a .cif.")
    ] = False,
) -> None:
    """Write a subset or a merge as .cif, or the images as TIFF files.

    Example:  ifcyto export MDS01.cif --objects bne.pop --cif -o MDS01_bne.cif
    """
    from ifcyto.pipeline import export as exports

    if (kinds := cif + ome_tiff + tiff) != 1:
        msg = f"expected one of --cif, --ome-tiff and --tiff, found {'several' if kinds else 'none'}"
        raise UsageError(msg)
    options: dict[str, Any] = {
        "objects": objects or None,
        "channels": channels.split(",") if channels else None,
        "overwrite": overwrite,
    }
    with progress_bar() as progress:
        if cif:
            result = exports.export_cif(
                inputs, output, keep_personal=keep_personal, progress=progress, **options
            )
        elif ome_tiff:
            result = exports.export_ome_tiff(inputs, output, progress=progress, **options)
        else:
            result = exports.export_object_tiffs(inputs, output, progress=progress, **options)
    print(f"{result.path}: {count(result.n_objects, 'object')}")
    for note in result.notes:
        print(f"note: {note}", file=sys.stderr)
