"""Write a simulated study: files as a laboratory would have them, and the truth apart."""

from __future__ import annotations

import csv
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from ifcyto._output import replacing
from ifcyto.errors import OutputError, UsageError
from ifcyto.simulate.observer import ERROR, LABELS, observe, visible
from ifcyto.simulate.parameters import CHANNELS, DEFAULT, KINDS, Mix
from ifcyto.simulate.sample import Truth, simulate_chunks, simulate_objects
from ifcyto.writers.cif import write_cif

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ifcyto.cells import Cell
    from ifcyto.simulate.groups import Cohort
    from ifcyto.simulate.sample import SimulatedSample

__all__ = ["POOL", "TRAINING", "TRUTH", "SampleJob", "sample_jobs", "write_cohort", "write_sample"]

POOL, TRAINING, TRUTH = "pool", "training_labels.csv", "truth"
"""Name of the training sample, its table of truth, and the folder of what only a simulation knows."""

TRUTH_COLUMNS = ("object", "kind", "stage", "form", "gap_um", "tilt_deg", "saddle")
GATED_OUT = ("Debris", "Clipped")
"""Kinds that gates on area and focus remove before stages are told: they are in no stage."""

POOL_CHUNK = 400  # objects drawn at a time until enough of each class are found
MOST_CHUNKS = 500
FEWEST = 2  # objects of a sample


@dataclass(frozen=True, slots=True)
class SampleJob:
    """One sample to simulate: all that a worker needs."""

    name: str
    group: str
    n_cells: int
    seed: int
    mix: Mix


def write_cohort(
    folder: Path | str,
    cohort: Cohort,
    *,
    seed: int = 7,
    cells: int | None = None,
    observer_error: float = ERROR,
    workers: int | None = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Simulate a cohort and write it as a study.

    Each sample gets ``NAME.cif``, ``NAME_stages.csv`` (``object,population``; debris and
    clipped cells are in no stage), ``NAME_manual.csv`` (``object,label``, the observer's)
    and ``truth/NAME.csv``. The training sample holds tagged objects only, as a merged
    file of hand-tagged populations does.

    Parameters
    ----------
    folder : path-like
        Made if needed; must hold no ``study.toml``.
    cohort : Cohort
    seed : int
        The same seed gives the same files, whatever the number of workers.
    cells : int, optional
        Median number of objects of a sample; that of the cohort by default.
    observer_error : float
        Share of wrong manual tags.
    workers : int, optional
        Processes; None for all cores.
    progress : callable, optional
        Called as ``progress(task, done, total)`` in objects.

    Returns
    -------
    pathlib.Path
        ``study.toml`` in `folder`.

    Raises
    ------
    OutputError
        The folder holds a study already, or cannot be made.
    UsageError
        A number is out of range.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.simulate.groups import SMALL
    >>> study = write_cohort(tempfile.mkdtemp(), replace(SMALL.with_samples(1), tagged=(1, 1, 1)), cells=3)
    >>> sorted(path.name for path in study.parent.glob("*.cif"))
    ['MDS01.cif', 'NBM01.cif', 'pool.cif']
    """
    folder = Path(folder)
    jobs = sample_jobs(cohort, seed=seed, cells=cells)
    observe(_no_truth(), error=observer_error, rng=np.random.default_rng(0))  # refuse it before any work
    study = _new_folder(folder)
    total, done = sum(job.n_cells for job in jobs) + sum(cohort.tagged), 0

    def tell(number: int) -> None:
        nonlocal done
        done += number
        if progress is not None:
            progress("simulate", done, total)

    if any(cohort.tagged):
        _write_pool(folder, cohort, seed)
        tell(sum(cohort.tagged))
    n_workers = min(workers or os.cpu_count() or 1, len(jobs))
    if n_workers <= 1:
        for job in jobs:
            write_sample(folder, job, observer_error)
            tell(job.n_cells)
    else:
        # The largest first, so that no worker waits for one that began late.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(n_workers, mp_context=context) as pool:
            ordered = sorted(jobs, key=lambda job: -job.n_cells)
            tasks = {pool.submit(write_sample, folder, job, observer_error): job for job in ordered}
            for task in as_completed(tasks):
                task.result()
                tell(tasks[task].n_cells)
    with replacing(study, overwrite=False) as temporary:
        temporary.write_text(_study_toml(cohort, seed, jobs), encoding="utf-8")
    return study


def sample_jobs(cohort: Cohort, *, seed: int, cells: int | None = None) -> list[SampleJob]:
    """Samples of a cohort with their sizes, seeds and make-up.

    Sizes are quantiles of a log-normal distribution, one for each sample, in random
    order: every seed gives the cohort the same sizes.

    Raises
    ------
    UsageError
        `cells` is below 2 or `seed` below 0.
    """
    median = cohort.cells if cells is None else cells
    if median < FEWEST or seed < 0:
        msg = f"expected at least {FEWEST} cells a sample and a seed of at least 0, found {median} and {seed}"
        raise UsageError(msg)
    own, *seeds = np.random.SeedSequence(seed).spawn(1 + sum(group.samples for group in cohort.groups))
    rng = np.random.default_rng(own)
    quantiles = ndtri((np.arange(len(seeds)) + 0.5) / max(len(seeds), 1))
    sizes = median * np.clip(np.exp(cohort.spread * rng.permutation(quantiles)), *cohort.limits)
    jobs: list[SampleJob] = []
    for group in cohort.groups:
        for number in range(1, group.samples + 1):
            place = len(jobs)
            factor = float(rng.lognormal(0.0, group.spread))
            early, middle, late = (min(share * factor, 0.5) for share in group.mix.bne)
            jobs.append(
                SampleJob(
                    f"{group.prefix}{number:02d}",
                    group.name,
                    max(round(sizes[place]), FEWEST),
                    int(seeds[place].generate_state(1)[0]),
                    replace(group.mix, bne=(early, middle, late)),
                )
            )
    return jobs


def write_sample(folder: Path, job: SampleJob, observer_error: float) -> None:
    """Simulate one sample, chunk by chunk, and write its four files.

    Parameters
    ----------
    folder : pathlib.Path
        With a folder ``truth`` in it.
    job : SampleJob
    observer_error : float
    """
    truths: list[Truth] = []
    chunks = simulate_chunks(job.n_cells, seed=job.seed, mix=job.mix)
    write_cif(_cells(chunks, truths), folder / f"{job.name}.cif", channels=CHANNELS)
    columns = (np.concatenate([getattr(one, name) for one in truths]) for name in Truth.__dataclass_fields__)
    truth = Truth(*columns)
    rng = np.random.default_rng([job.seed, 1])
    tags = observe(truth, error=observer_error, rng=rng).tolist()
    staged = ~np.isin(truth.kinds, GATED_OUT)
    stages = ((i, truth.stages[i]) for i in np.flatnonzero(staged).tolist())
    _write_csv(folder / f"{job.name}_stages.csv", ("object", "population"), stages)
    manual = ((i, tag) for i, tag in enumerate(tags) if tag)
    _write_csv(folder / f"{job.name}_manual.csv", ("object", "label"), manual)
    _write_csv(folder / TRUTH / f"{job.name}.csv", TRUTH_COLUMNS, _truth_rows(truth))


def _cells(chunks: Iterable[SimulatedSample], truths: list[Truth]) -> Iterator[Cell]:
    for chunk in chunks:
        truths.append(chunk.truth)
        yield from chunk.batch.cells()


def _truth_rows(truth: Truth) -> Iterator[tuple[str | int, ...]]:
    names = zip(truth.kinds.tolist(), truth.stages.tolist(), truth.forms.tolist(), strict=True)
    numbers = zip(truth.gap_um.tolist(), truth.tilt_deg.tolist(), truth.saddle.tolist(), strict=True)
    for i, (words, (gap, tilt, saddle)) in enumerate(zip(names, numbers, strict=True)):
        yield i, *words, "" if np.isnan(gap) else f"{gap:.3f}", f"{tilt:.1f}", f"{saddle:.4f}"


def _write_pool(folder: Path, cohort: Cohort, seed: int) -> None:
    """Draw objects until enough of each class show two bodies; keep those."""
    cells: list[Cell] = []
    kept: list[SimulatedSample] = []
    need = dict(zip(LABELS, cohort.tagged, strict=True))
    rng = np.random.default_rng([seed, 2])
    for _ in range(MOST_CHUNKS):
        if not any(need.values()):
            break
        wanted = np.array([need[name] for name in LABELS], np.float64)
        kinds = rng.choice([KINDS.index(name) for name in LABELS], POOL_CHUNK, p=wanted / wanted.sum())
        stages = rng.choice(len(DEFAULT.stages), POOL_CHUNK, p=cohort.training.stages)
        drawn = simulate_objects(kinds, stages, seed=int(rng.integers(1 << 32)), size=cohort.training.size)
        shown, good = visible(drawn.truth), np.zeros(POOL_CHUNK, bool)
        for name in LABELS:
            rows = np.flatnonzero(shown & (drawn.truth.kinds == name))[: need[name]]
            good[rows] = True
            need[name] -= len(rows)
        cells += drawn.batch.keep(good).cells()
        columns = (getattr(drawn.truth, name)[good] for name in Truth.__dataclass_fields__)
        kept.append(replace(drawn, truth=Truth(*columns)))
    if any(need.values()):
        lacking = ", ".join(f"{number} {name}" for name, number in need.items() if number)
        msg = f"{folder}: expected objects of every class that show two bodies, lacking {lacking}"
        raise UsageError(msg)
    columns = (
        np.concatenate([getattr(one.truth, name) for one in kept]) for name in Truth.__dataclass_fields__
    )
    truth = Truth(*columns)
    numbered = (replace(cell, object_number=i) for i, cell in enumerate(cells))
    write_cif(numbered, folder / f"{POOL}.cif", channels=CHANNELS)
    tagged = ((POOL, i, kind) for i, kind in enumerate(truth.kinds.tolist()))
    _write_csv(folder / TRAINING, ("sample", "object", "label"), tagged)
    _write_csv(folder / TRUTH / f"{POOL}.csv", TRUTH_COLUMNS, _truth_rows(truth))


def _no_truth() -> Truth:
    none = np.array([], np.str_)
    return Truth(none, none, none, np.zeros(0), np.zeros(0), np.zeros(0))


def _new_folder(folder: Path) -> Path:
    study = folder / "study.toml"
    if study.exists():
        msg = f"{study}: a study is there already; choose another folder or remove it"
        raise OutputError(msg)
    try:
        (folder / TRUTH).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder}: cannot be made: {error.strerror or error}"
        raise OutputError(msg) from error
    return study


def _write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> None:
    with (
        replacing(path, overwrite=False) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _study_toml(cohort: Cohort, seed: int, jobs: list[SampleJob]) -> str:
    truth = any(cohort.tagged)
    case = ", ".join(f'"{name}"' for name in cohort.case)
    parts = [
        "# A synthetic study: simulated cells, no patients.\n"
        f'[study]\ntitle = "{cohort.title}"\n'
        f'control = "{cohort.control}"\ncase = [{case}]\nseed = {seed}\n'
        + (f'labels = "{TRAINING}"\n' if truth else ""),
        "[channels]\n" + "".join(f"{channel.name} = {channel.number}\n" for channel in CHANNELS),
    ]
    parts += [
        f'[[samples]]\nid = "{job.name}"\ngroup = "{job.group}"\nfile = "{job.name}.cif"\n'
        f'stages = "{job.name}_stages.csv"\nmanual = "{job.name}_manual.csv"\n'
        for job in jobs
    ]
    if truth:
        parts.append(
            f'[[samples]]\nid = "{POOL}"\ngroup = "training"\nfile = "{POOL}.cif"\ntraining_only = true\n'
        )
    return "\n".join(parts)
