"""The main job: from a study file to tables, figures and a report."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifcyto.pipeline.cnn import check_network
from ifcyto.pipeline.parallel import n_workers, no_progress
from ifcyto.pipeline.run_cnn import RunCnn
from ifcyto.pipeline.run_fbml import RunFbml
from ifcyto.pipeline.run_files import check_folder, make_folder, read_results
from ifcyto.pipeline.run_log import RunLog
from ifcyto.pipeline.run_plan import PlanCache, check_force, with_failures
from ifcyto.pipeline.run_results import RunResults
from ifcyto.pipeline.run_samples import Failure, RunSamples
from ifcyto.pipeline.steps import STEP_VERSIONS, StepCache
from ifcyto.pipeline.study import load_study

if TYPE_CHECKING:
    from collections.abc import Collection

    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.run_log import LogRow
    from ifcyto.pipeline.run_plan import PlannedStep
    from ifcyto.pipeline.study import Study

__all__ = ["STEP_VERSIONS", "RunOutcome", "plan_study", "run_study", "run_whole_study"]


@dataclass(frozen=True, slots=True, eq=False)
class RunOutcome:
    """What a run did.

    Parameters
    ----------
    report : pathlib.Path
    results : dict
        Content of ``results.json``.
    failed : tuple of Failure
        Samples that were left out.
    log : tuple of LogRow
        The steps of this run.
    seconds : float
        Of the whole run.
    """

    report: Path
    results: dict[str, Any]
    failed: tuple[Failure, ...]
    log: tuple[LogRow, ...]
    seconds: float


def run_study(
    study_path: Path | str,
    out: Path | str | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    force: Collection[str] = (),
    keep_going: bool = False,
) -> Path:
    """Run a study: convert, count spots, compare, draw, report.

    Steps whose inputs, settings and version are unchanged since an earlier run
    into the same folder are not done again.

    Parameters
    ----------
    study_path : path-like
        ``study.toml``.
    out : path-like, optional
        Folder of the results; ``results`` beside the study by default.
    workers : int, optional
        Threads; all cores by default. The results do not depend on it.
    progress : callable, optional
        Called as ``progress(step, done, total)``.
    overwrite : bool
        Do every step again; also needed to write into a folder that holds other
        things.
    force : collection of str
        Steps (``"spots MDS01"``) or kinds of steps (``"spots"``) to do again.
    keep_going : bool
        Leave out samples that fail and say so in the results, instead of stopping
        at the first.

    Returns
    -------
    pathlib.Path
        ``report.html``.

    Raises
    ------
    StudyError
        The study file or a table is wrong.
    FormatError, StackError
        An input is damaged.
    OutputError
        The folder holds something else, or the disk refuses.
    UsageError
        There is no step of a name in `force`.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.samples.demo import write_demo_study
    >>> study = write_demo_study(tempfile.mkdtemp(), samples_per_group=2, cells_per_sample=20)
    >>> report = run_study(study, workers=1)
    >>> sorted(path.name for path in report.parent.glob("*.csv"))[:3]
    ['agreement.csv', 'bland_altman.csv', 'classifications.csv']
    """
    return run_whole_study(
        study_path,
        out,
        workers=workers,
        progress=progress,
        overwrite=overwrite,
        force=force,
        keep_going=keep_going,
    ).report


def run_whole_study(
    study_path: Path | str,
    out: Path | str | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    force: Collection[str] = (),
    keep_going: bool = False,
) -> RunOutcome:
    """Run a study as :func:`run_study` does, and say what was done and found."""
    began = time.perf_counter()
    study = load_study(study_path)
    force = check_force(force, study)
    root = _root(study, out)
    check_folder(root, overwrite=overwrite)
    check_network(study)
    make_folder(root)
    log = RunLog(root / "work" / "log.jsonl")
    samples = RunSamples(
        study,
        root,
        StepCache(root, again=overwrite, force=force, log=log),
        workers=n_workers(workers),
        progress=progress or no_progress,
        keep_going=keep_going,
    )
    _steps(samples).write_provenance()
    results = read_results(root)
    failed = tuple(Failure(**row) for row in results["failed"])
    return RunOutcome(root / "report.html", results, failed, tuple(log.rows), time.perf_counter() - began)


def plan_study(
    study_path: Path | str,
    out: Path | str | None = None,
    *,
    progress: Progress | None = None,
    overwrite: bool = False,
    force: Collection[str] = (),
    keep_going: bool = False,
) -> tuple[PlannedStep, ...]:
    """Say what :func:`run_study` would do with every step, and why.

    Inputs are opened and their digests computed; no image is decoded and nothing
    is written.

    Returns
    -------
    tuple of PlannedStep
        In the order of the run; samples that cannot be opened come first.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.samples.demo import write_demo_study
    >>> study = write_demo_study(tempfile.mkdtemp(), samples_per_group=1, cells_per_sample=3, truth_cells=0)
    >>> for step in plan_study(study):
    ...     print(step.name, step.action, step.why, sep=": ")
    convert NBM01: do: new
    convert MDS01: do: new
    spots NBM01: do: new
    spots MDS01: do: new
    train fbml: blocked: the study names no table of truth (labels under [study])
    tables: do: new
    report: do: new
    """
    study = load_study(study_path)
    force = check_force(force, study)
    root = _root(study, out)
    check_folder(root, overwrite=overwrite)
    cache = PlanCache(root, again=overwrite, force=force)
    samples = RunSamples(study, root, cache, workers=1, progress=progress or no_progress, keep_going=True)
    _steps(samples)
    return with_failures(cache.planned, samples.failed, keep_going=keep_going)


def _root(study: Study, out: Path | str | None) -> Path:
    return Path(out) if out is not None else study.path.parent / "results"


def _steps(samples: RunSamples) -> RunResults:
    """Every step in its order: of each sample, of the classifier, of the results."""
    spots = samples.steps()
    fbml = RunFbml(samples)
    verdicts = fbml.steps(spots)
    cnn = RunCnn(samples)
    judged = cnn.steps(spots)
    results = RunResults(samples, fbml, cnn)
    results.steps(spots, verdicts, judged)
    return results
