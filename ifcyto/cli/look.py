"""``ifcyto info`` and ``ifcyto check``: what is in an input, and is it sound."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from ifcyto.cli.show import columns, count, progress_bar

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(info)
    app.command()(check)


def info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any readable input, or a cell stack.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    personal: Annotated[
        bool, typer.Option("--personal", help="Also show fields that may hold names of persons and paths.")
    ] = False,
) -> None:
    """Say what is in a file: objects, channels, sizes, software, populations.

    Example:  ifcyto info MDS01.cif
    """
    from ifcyto.pipeline.inspect import describe

    with progress_bar() as progress:
        description = describe(file, personal=personal, progress=progress)
    if as_json:
        print(json.dumps(description.to_dict(), indent=2, ensure_ascii=False))
        return
    for title, rows in description.tables():
        print(f"{title}:" if title else "", end="\n" if title else "")
        text = columns(rows) if rows else "none"
        print("\n".join(f"  {line}" for line in text.splitlines()) if title else text)


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any readable input, or a cell stack.")],
    workers: Annotated[int | None, typer.Option(help="Threads; all cores by default.")] = None,
) -> None:
    """Read every object and list every fault; exit 1 if there is any.

    Example:  ifcyto check MDS01.cif
    """
    from ifcyto.pipeline.inspect import check as check_file

    with progress_bar() as progress:
        faults = check_file(file, workers=workers, progress=progress)
    for fault in faults:
        print(fault)
    if faults:
        print(f"{file}: {count(len(faults), 'fault')}")
        raise typer.Exit(1)
    print(f"{file}: sound")
