"""``ifcyto run`` and ``ifcyto demo``: a whole study, from files to the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ifcyto.cli.run_text import print_outcome, print_plan
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
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="List every step with what would be done and why; write nothing."),
    ] = False,
    force: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STEP",
            help="Do again: convert, spots, train, fbml, tables, report, or one step "
            "such as 'spots MDS01'; several times.",
        ),
    ] = None,
    keep_going: Annotated[
        bool,
        typer.Option("--keep-going", help="Leave out samples that fail, say so loudly, and exit with 1."),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Do every step again.")] = False,
) -> None:
    """Run a study: convert, find candidates, count, compare, report.

    What is unchanged since an earlier run is not done again.

    Example:  ifcyto run study.toml --out results
    """
    from ifcyto.pipeline.run import plan_study, run_whole_study

    if dry_run:
        with progress_bar() as progress:
            planned = plan_study(
                study,
                out,
                progress=progress,
                overwrite=overwrite,
                force=force or (),
                keep_going=keep_going,
            )
        print_plan(planned)
        if any(step.action == "blocked" and step.fault for step in planned):
            raise typer.Exit(1)
        return
    with progress_bar() as progress:
        outcome = run_whole_study(
            study,
            out,
            workers=workers,
            progress=progress,
            overwrite=overwrite,
            force=force or (),
            keep_going=keep_going,
        )
    print_outcome(outcome)
    if outcome.failed:
        raise typer.Exit(1)


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the study; must hold none yet.")] = Path(
        "ifcyto-demo"
    ),
    seed: Annotated[int, typer.Option(help="Another seed gives other cells.")] = 7,
) -> None:
    """Write a small synthetic study, run it and print the path of its report.

    Example:  ifcyto demo --out demo
    """
    from ifcyto.pipeline.run import run_whole_study
    from ifcyto.samples.demo import write_demo_study

    with progress_bar() as progress:
        outcome = run_whole_study(write_demo_study(out, seed=seed), progress=progress)
    print_outcome(outcome)
