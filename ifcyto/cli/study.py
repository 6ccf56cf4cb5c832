"""``ifcyto run`` and ``ifcyto demo``: a whole study, from files to the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ifcyto.cli.show import progress_bar

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(run)
    app.command()(demo)


def run(
    study: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the results; beside the study by default.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Threads; all cores by default.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Do every step again.")] = False,
) -> None:
    """Run a study: convert, find candidates, count, compare, report.

    Example:  ifcyto run study.toml --out results
    """
    from ifcyto.pipeline.run import run_study

    with progress_bar() as progress:
        report = run_study(study, out, workers=workers, progress=progress, overwrite=overwrite)
    print(report)


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the study; must hold none yet.")] = Path(
        "ifcyto-demo"
    ),
    seed: Annotated[int, typer.Option(help="Another seed gives other cells.")] = 7,
) -> None:
    """Write a small synthetic study, run it and print the path of its report.

    Example:  ifcyto demo --out demo
    """
    from ifcyto.pipeline.run import run_study
    from ifcyto.samples.demo import write_demo_study

    with progress_bar() as progress:
        report = run_study(write_demo_study(out, seed=seed), progress=progress)
    print(report)
