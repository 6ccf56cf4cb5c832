"""``ifcyto simulate``: a synthetic study with known truth."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from ifcyto.cli.show import count, progress_bar

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(simulate)


def simulate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the study; must hold none yet.")],
    cohort: Annotated[
        str, typer.Option(metavar="small|paper", help="Two groups of four samples, or 37 marrows in four.")
    ] = "small",
    seed: Annotated[int, typer.Option(help="Another seed gives other cells.")] = 7,
    cells: Annotated[
        int | None,
        typer.Option(help="Median number of objects a sample; 300 (small) or 5,953 (paper) by default."),
    ] = None,
    observer_error: Annotated[
        float, typer.Option(help="Share of wrong tags in the manual tables, 0 to 1.")
    ] = 0.05,
    workers: Annotated[int | None, typer.Option(help="Processes; all cores by default.")] = None,
) -> None:
    """Write simulated samples as .cif with stages, manual tags, a training sample and study.toml.

    What each object truly is stands apart, in truth/SAMPLE.csv. Same seed, same files.

    Example:  ifcyto simulate cohort --cohort paper --cells 2000
    """
    from ifcyto.errors import UsageError
    from ifcyto.simulate.cohort import sample_jobs, write_cohort
    from ifcyto.simulate.groups import COHORTS

    if cohort not in COHORTS:
        msg = f"--cohort: expected {' or '.join(COHORTS)}, found {cohort!r}"
        raise UsageError(msg)
    if workers is not None and workers < 1:
        msg = f"--workers: expected at least 1, found {workers}"
        raise UsageError(msg)
    chosen = COHORTS[cohort]
    with progress_bar() as progress:
        study = write_cohort(
            folder,
            chosen,
            seed=seed,
            cells=cells,
            observer_error=observer_error,
            workers=workers,
            progress=progress,
        )
    jobs = sample_jobs(chosen, seed=seed, cells=cells)
    objects, tagged = sum(job.n_cells for job in jobs), sum(chosen.tagged)
    print(f"{count(len(jobs), 'sample')}, {count(objects, 'object')}, {tagged} tagged for training")
    print(study)
