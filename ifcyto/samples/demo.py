"""A small synthetic study as files on disk: what a core would have, with known truth."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import OutputError
from ifcyto.samples.cells import CHANNELS, Rates, SimulatedSample, simulate_sample
from ifcyto.writers.cif import write_cif

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["GROUP_RATES", "write_demo_cif", "write_demo_study"]

GROUP_RATES = {"NBM": Rates(bne=0.008), "MDS": Rates(bne=0.045)}
"""Mean share of each kind by group; each sample's share of BNEs varies about it."""

POOL, TRUTH = "pool", "training_labels.csv"
"""Name of the training sample, and of its table of truth."""

SPREAD = 0.35  # standard deviation of the natural logarithm of a sample's BNE share


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
    return _write_sample(Path(path), simulate_sample(n_cells, seed=seed), overwrite=overwrite)


def write_demo_study(
    folder: Path | str,
    *,
    seed: int = 7,
    samples_per_group: int = 4,
    cells_per_sample: int = 300,
    truth_cells: int = 240,
) -> Path:
    """Write a synthetic study: two groups that differ in their share of binucleated cells.

    Every sample gets a ``.cif``, a table of stages (``object,population``) and a
    table of the truth (``object,label``) that stands where a blinded observer's
    tags would; single cells carry no label. One more sample, for training only,
    holds tagged cells of each kind in a table of truth.

    Parameters
    ----------
    folder : path-like
        Made if needed; must hold no ``study.toml``.
    seed : int
        The same seed gives the same files.
    samples_per_group, cells_per_sample : int
    truth_cells : int
        Cells of the training sample; 0 for a study without one.

    Returns
    -------
    pathlib.Path
        ``study.toml`` in `folder`.

    Raises
    ------
    OutputError
        The folder holds a study already, or cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> study = write_demo_study(tempfile.mkdtemp(), samples_per_group=1, cells_per_sample=3)
    >>> sorted(path.name for path in study.parent.glob("MDS*"))
    ['MDS01.cif', 'MDS01_manual.csv', 'MDS01_stages.csv']
    """
    folder = Path(folder)
    study = folder / "study.toml"
    if study.exists():
        msg = f"{study}: a study is there already; choose another folder or remove it"
        raise OutputError(msg)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder}: cannot be made: {error.strerror or error}"
        raise OutputError(msg) from error
    seeds = iter(np.random.SeedSequence(seed).spawn(len(GROUP_RATES) * samples_per_group))
    samples = [
        (f"{group}{number:02d}", group, int(next(seeds).generate_state(1)[0]))
        for group in GROUP_RATES
        for number in range(1, samples_per_group + 1)
    ]
    for name, group, sample_seed in samples:
        _write_tables(folder, name, group, sample_seed, cells_per_sample)
    if truth_cells:
        _write_truth(folder, seed, truth_cells)
    text = _study_toml(seed, [(name, group) for name, group, _ in samples], truth=bool(truth_cells))
    study.write_text(text, encoding="utf-8")
    return study


def _write_sample(path: Path, sample: SimulatedSample, *, overwrite: bool) -> Path:
    return write_cif(sample.batch.cells(), path, channels=CHANNELS, overwrite=overwrite)


def _write_tables(folder: Path, name: str, group: str, seed: int, n_cells: int) -> None:
    mean = GROUP_RATES[group]
    share = mean.bne * float(np.random.default_rng(seed).lognormal(0.0, SPREAD))
    sample = simulate_sample(n_cells, seed=seed, rates=Rates(share, mean.doublet, mean.irregular))
    _write_sample(folder / f"{name}.cif", sample, overwrite=False)
    numbers = sample.batch.object_numbers.tolist()
    stages = zip(numbers, sample.stages.tolist(), strict=True)
    _write_csv(folder / f"{name}_stages.csv", ("object", "population"), stages)
    truth = zip(numbers, sample.kinds.tolist(), strict=True)
    tagged = ((number, kind) for number, kind in truth if kind != "Single")
    _write_csv(folder / f"{name}_manual.csv", ("object", "label"), tagged)


def _write_truth(folder: Path, seed: int, n_cells: int) -> None:
    """Write a sample of candidates of every kind and the table that says which is which."""
    sample = simulate_sample(n_cells, seed=seed, rates=Rates(0.34, 0.33, 0.32))
    _write_sample(folder / f"{POOL}.cif", sample, overwrite=False)
    rows = zip(sample.batch.object_numbers.tolist(), sample.kinds.tolist(), strict=True)
    tagged = ((POOL, number, kind) for number, kind in rows if kind != "Single")
    _write_csv(folder / TRUTH, ("sample", "object", "label"), tagged)


def _write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _study_toml(seed: int, samples: list[tuple[str, str]], *, truth: bool) -> str:
    parts = [
        "# A synthetic study: simulated cells, no patients.\n"
        '[study]\ntitle = "BNE in MDS (simulated)"\n'
        f'control = "NBM"\ncase = ["MDS"]\nseed = {seed}\n' + (f'labels = "{TRUTH}"\n' if truth else ""),
        "[channels]\n" + "".join(f"{channel.name} = {channel.number}\n" for channel in CHANNELS),
    ]
    parts += [
        f'[[samples]]\nid = "{name}"\ngroup = "{group}"\nfile = "{name}.cif"\n'
        f'stages = "{name}_stages.csv"\nmanual = "{name}_manual.csv"\n'
        for name, group in samples
    ]
    if truth:
        parts.append(
            f'[[samples]]\nid = "{POOL}"\ngroup = "training"\nfile = "{POOL}.cif"\ntraining_only = true\n'
        )
    return "\n".join(parts)
