"""A small synthetic study as files on disk: what a core would have, with known truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ifcyto.simulate.cohort import write_cohort
from ifcyto.simulate.groups import SMALL
from ifcyto.simulate.parameters import CHANNELS
from ifcyto.simulate.sample import simulate_chunks
from ifcyto.writers.cif import write_cif

__all__ = ["GROUP_RATES", "write_demo_cif", "write_demo_study"]

GROUP_RATES = {group.name: group.mix for group in SMALL.groups}
"""Mean share of each kind by group; each sample's share of BNEs varies about it."""


def write_demo_cif(path: Path | str, *, n_cells: int = 100, seed: int = 7, overwrite: bool = False) -> Path:
    """Write simulated cells as a compensated image file (.cif).

    Parameters
    ----------
    path : path-like
    n_cells : int
    seed : int
        The same seed gives the same cells.
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    OutputError
        The file exists and `overwrite` is False.

    Examples
    --------
    >>> import tempfile
    >>> write_demo_cif(Path(tempfile.mkdtemp()) / "demo.cif", n_cells=2).name
    'demo.cif'
    """
    cells = (cell for chunk in simulate_chunks(n_cells, seed=seed) for cell in chunk.batch.cells())
    return write_cif(cells, Path(path), channels=CHANNELS, overwrite=overwrite)


def write_demo_study(
    folder: Path | str,
    *,
    seed: int = 7,
    samples_per_group: int = 4,
    cells_per_sample: int = 300,
    truth_cells: int = 240,
) -> Path:
    """Write a synthetic study: two groups that differ in their share of binucleated cells.

    Every sample gets a ``.cif``, a table of stages (``object,population``), a table of
    tags (``object,label``) of an observer who makes no mistake, and in ``truth`` what
    each object is. One more sample, for training only, holds tagged cells of each kind.
    See :func:`ifcyto.simulate.cohort.write_cohort`.

    Parameters
    ----------
    folder : path-like
        Made if needed; must hold no ``study.toml``.
    seed : int
        The same seed gives the same files.
    samples_per_group, cells_per_sample : int
    truth_cells : int
        Cells of the training sample, in three equal parts; 0 for a study without one.

    Returns
    -------
    pathlib.Path
        ``study.toml`` in `folder`.

    Raises
    ------
    OutputError
        The folder holds a study already, or cannot be made.
    UsageError
        A sample of fewer than two cells is asked for.

    Examples
    --------
    >>> import tempfile
    >>> study = write_demo_study(tempfile.mkdtemp(), samples_per_group=1, cells_per_sample=3)
    >>> sorted(path.name for path in study.parent.glob("MDS*"))
    ['MDS01.cif', 'MDS01_manual.csv', 'MDS01_stages.csv']
    """
    part = -(-truth_cells // 3)
    tagged = (part, part, max(truth_cells - 2 * part, 0))
    cohort = replace(SMALL.with_samples(samples_per_group), tagged=tagged)
    return write_cohort(folder, cohort, seed=seed, cells=cells_per_sample, observer_error=0.0)
