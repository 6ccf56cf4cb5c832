"""The main job: from a study file to tables, figures and a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ifcyto.errors import OutputError
from ifcyto.pipeline.parallel import n_workers, no_progress
from ifcyto.pipeline.run_fbml import RunFbml
from ifcyto.pipeline.run_results import RunResults
from ifcyto.pipeline.run_samples import RunSamples
from ifcyto.pipeline.steps import STEP_VERSIONS, StepCache
from ifcyto.pipeline.study import load_study

if TYPE_CHECKING:
    from ifcyto.pipeline.parallel import Progress

__all__ = ["STEP_VERSIONS", "run_study"]


def run_study(
    study_path: Path | str,
    out: Path | str | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
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

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.samples.demo import write_demo_study
    >>> study = write_demo_study(tempfile.mkdtemp(), samples_per_group=2, cells_per_sample=20)
    >>> report = run_study(study, workers=1)
    >>> sorted(path.name for path in report.parent.glob("*.csv"))[:3]
    ['agreement.csv', 'classifications.csv', 'confusion.csv']
    """
    study = load_study(study_path)
    root = Path(out) if out is not None else study.path.parent / "results"
    _prepare(root, overwrite=overwrite)
    cache = StepCache(root, again=overwrite)
    samples = RunSamples(study, root, cache, workers=n_workers(workers), progress=progress or no_progress)
    fbml = RunFbml(samples)
    spots = [samples.count_spots(place) for place in range(len(study.samples))]
    return RunResults(samples, fbml).steps(spots, fbml.steps(spots))


def _prepare(root: Path, *, overwrite: bool) -> None:
    """Make the folder; refuse one that is not ours."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        strange = any(root.iterdir()) and not (root / "work" / "steps").is_dir()
    except OSError as error:
        msg = f"{root}: the folder of the results cannot be made: {error.strerror or error}"
        raise OutputError(msg) from error
    if strange and not overwrite:
        msg = f"{root}: holds other files than results of ifcyto; choose another folder or overwrite it"
        raise OutputError(msg)
    try:
        (root / "work" / "steps").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{root}: cannot be written to: {error.strerror or error}"
        raise OutputError(msg) from error
