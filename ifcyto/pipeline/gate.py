"""Populations of a sample: gates on a feature table, or an IDEAS analysis as it is."""

from __future__ import annotations

import csv
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto._output import refuse_existing, replacing
from ifcyto.errors import FormatError, GateError, UsageError
from ifcyto.gates.daf import gating_of, read_daf_gating
from ifcyto.gates.gatingml_read import GatingMl, is_gatingml, read_gatingml
from ifcyto.gates.gatingml_write import write_gatingml
from ifcyto.gates.members import OBJECT_NUMBER, Populations, populate
from ifcyto.gates.portable import portable
from ifcyto.gates.statistics import Statistics, statistics_table
from ifcyto.gates.store import read_gates, write_gates
from ifcyto.pipeline.feature_files import from_table, read_features
from ifcyto.pipeline.sources import refuse_input_as_output
from ifcyto.pipeline.tables import as_text, csv_text, defused, write_text
from ifcyto.readers.daf import DafReader, images_beside
from ifcyto.readers.daf_document import read_daf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anndata import AnnData
    from numpy.typing import NDArray

    from ifcyto.gates.daf import DafGating
    from ifcyto.gates.tree import GateSet
    from ifcyto.readers.daf_records import DafDocument

__all__ = [
    "Gated",
    "gate_daf",
    "gate_table",
    "is_daf",
    "load_gates",
    "load_gating",
    "population_rows",
    "write_gated",
]

HEAD = 4096
"""Bytes that tell a DAF from a gates file."""

GATINGML = ".xml"
"""Ending of Gating-ML files, as ISAC's own examples have it."""

COUNTS = ("population", "parent", "count", "percent_parent", "percent_all")
MEASURES = tuple(field.name for field in fields(Statistics) if field.name != "count")


@dataclass(frozen=True, slots=True, eq=False)
class Gated:
    """The populations of a sample and the values that they were made of.

    Parameters
    ----------
    populations : Populations
    columns : mapping of str to ndarray (N,) of float64
        Values of all features of the sample.
    sources : tuple of pathlib.Path
        Files that were read.
    volume : float
        Of the sample; NaN when not known.
    notes : tuple of str
        What a user should know.
    lost : tuple of str
        Populations that were left out.
    """

    populations: Populations
    columns: Mapping[str, NDArray[np.float64]]
    sources: tuple[Path, ...]
    volume: float = float("nan")
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def is_daf(path: Path | str) -> bool:
    """Say whether a file is a DAF, by its content."""
    try:
        with Path(path).open("rb") as file:
            return DafReader.sniff(Path(path), file.read(HEAD))
    except OSError:
        return False  # whoever reads it says why


def load_gates(path: Path | str) -> GateSet:
    """Read gates from a gates file, a DAF or Gating-ML.

    Raises
    ------
    FormatError
        The file is none of these, or damaged, or its gates are wrong.
    """
    return load_gating(path).gates


def load_gating(
    path: Path | str, *, names: Sequence[str] = (), approximate: bool = False, salvage: bool = False
) -> GatingMl:
    """Read gates from a gates file, a DAF or Gating-ML; its content decides.

    Parameters
    ----------
    path : path-like
    names : sequence of str
        Columns that the gates are for.
    approximate, salvage : bool
        Of Gating-ML; see :func:`ifcyto.gates.gatingml_read.read_gatingml`.

    Returns
    -------
    GatingMl
        The gates, with notes and what was left out.

    Raises
    ------
    FormatError
        The file is none of these, or damaged, or its gates are wrong.
    """
    if is_daf(path):
        return GatingMl(read_daf_gating(path).gates)
    if is_gatingml(path):
        return read_gatingml(path, names=names, approximate=approximate, salvage=salvage)
    return GatingMl(read_gates(path))


def gate_table(
    table: AnnData | Path | str,
    gates: GateSet | Path | str,
    *,
    volume: float = float("nan"),
    approximate: bool = False,
    salvage: bool = False,
) -> Gated:
    """Find the populations of a feature table.

    Parameters
    ----------
    table : AnnData or path-like
        A feature table (``.h5ad``), an FCS file, or a table of features as text.
    gates : GateSet or path-like
        A gates file, Gating-ML 2.0, or a DAF whose gates are taken.
    volume : float
        Of the sample, for concentrations.
    approximate : bool
        Take shapes of Gating-ML that ifcyto does not have as polygons, with a note.
    salvage : bool
        Leave out populations that cannot be found, with a note.

    Raises
    ------
    FormatError
        A file is damaged, or the gates are wrong.
    GateError
        A feature is not in the table (the nearest names are given), or a tagged
        object is not.

    Examples
    --------
    >>> import numpy as np
    >>> from ifcyto.gates.store import parse_gates
    >>> from ifcyto.pipeline.measure import measure
    >>> from ifcyto.samples.demo import write_demo_cif
    >>> import tempfile
    >>> path = write_demo_cif(Path(tempfile.mkdtemp()) / "a.cif", n_cells=3)
    >>> gates = parse_gates(
    ...     '{"format": "ifcyto gates", "version": 1, "gates": [{"name": "any", "kind": "range", '
    ...     '"features": ["Area_M01"], "low": 1}], "populations": [{"name": "any", "gate": "any"}]}'
    ... )
    >>> [row.count for row in gate_table(measure(path, ["Area_M01"]), gates).populations.counts()]
    [3, 3]
    """
    sources = tuple(Path(path) for path in (table, gates) if isinstance(path, (str, Path)))
    content = read_features(table) if isinstance(table, (str, Path)) else from_table(table, "table")
    columns = dict(zip(content.names, content.values.T, strict=True))
    objects = content.objects
    notes = content.notes
    lost: tuple[str, ...] = ()
    if isinstance(gates, (str, Path)):
        loaded = load_gating(gates, names=content.names, approximate=approximate, salvage=salvage)
        gates, notes, lost = loaded.gates, (*notes, *loaded.notes), loaded.lost
    columns.setdefault(OBJECT_NUMBER, objects.astype(np.float64))
    try:
        found = populate(gates, columns, objects)
    except GateError as error:
        if not salvage:
            raise
        names = [name for name in gates.names if _works(gates, columns, objects, name)]
        left = tuple(name for name in gates.names if name not in names)
        found = populate(gates, columns, objects, only=names)
        notes += (f"left out, wrong or made of what is wrong: {', '.join(map(repr, left))} ({error})",)
        lost += left
    return Gated(found, columns, sources, volume, notes, lost)


def _works(
    gates: GateSet, columns: Mapping[str, NDArray[np.float64]], objects: NDArray[np.int64], name: str
) -> bool:
    """Whether a population can be found."""
    works = False
    with suppress(GateError):
        populate(gates, columns, objects, only=[name])
        works = True
    return works


def gate_daf(path: Path | str, *, volume: float = float("nan"), salvage: bool = False) -> Gated:
    """Find the populations of a DAF by the feature values that it stores.

    Its CIF is not needed; where another file's lies beside it, a note says so.

    Parameters
    ----------
    path : path-like
    volume : float
        Of the sample; by default that of the stored concentrations.
    salvage : bool
        Leave out what is wrong, with a note.

    Raises
    ------
    FormatError
        The file is no DAF or damaged, or a population is wrong.
    """
    if Path(path).is_file() and not is_daf(path):
        raise FormatError(path, "expected an IDEAS analysis file (DAF), found another file")
    document = read_daf(Path(path), salvage=salvage)
    gating: DafGating = gating_of(document, salvage=salvage)
    known = gating.volume if np.isnan(volume) else volume
    notes = (*gating.notes, *_images_note(document))
    return Gated(gating.populations(), gating.columns, (Path(path),), known, notes, gating.lost)


def _images_note(document: DafDocument) -> tuple[str, ...]:
    """Say it when the CIF beside a DAF is not its own; the stored values do not depend on it."""
    images = images_beside(document)
    if images is None:
        return ()
    try:
        DafReader(document.path, document=document).close()
    except FormatError as error:
        return (f"populations are counted by the stored values alone: {error}",)
    return ()


def population_rows(
    gated: Gated, *, only: Sequence[str] = (), statistics: Sequence[str] = ()
) -> tuple[tuple[str, ...], list[tuple[str | int | float, ...]]]:
    """Table of populations: one row each, or one row a population and feature.

    Parameters
    ----------
    gated : Gated
    only : sequence of str
        Populations to list; all by default.
    statistics : sequence of str
        Features to describe.

    Returns
    -------
    header : tuple of str
        ``population, parent, count, percent_parent, percent_all``; with `statistics`, then
        ``feature`` and the fields of :class:`ifcyto.gates.statistics.Statistics`.
    rows : list of tuple

    Raises
    ------
    GateError
        A population or a feature is not there; the nearest names are given.
    """
    populations = gated.populations
    wanted = [name for name in populations.members if not only or name in only]
    for name in only:
        populations.member(name)
    counts = {row.population: row for row in populations.counts()}
    plain = {name: tuple(getattr(counts[name], field) for field in COUNTS) for name in wanted}
    if not statistics:
        return COUNTS, list(plain.values())
    chosen = replace(populations, members={name: populations.members[name] for name in wanted})
    table = statistics_table(chosen, gated.columns, statistics, volume=gated.volume)
    rows = [
        (*plain[name], feature, *(getattr(found, field) for field in MEASURES))
        for name, feature, found in table
    ]
    return (*COUNTS, "feature", *MEASURES), rows


def write_gated(
    gated: Gated,
    *,
    table: Path | str | None = None,
    members: Path | str | None = None,
    gates: Path | str | None = None,
    only: Sequence[str] = (),
    statistics: Sequence[str] = (),
    approximate: bool = False,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Write what is asked for of the populations of a sample.

    Parameters
    ----------
    gated : Gated
    table : path-like, optional
        CSV file of :func:`population_rows`.
    members : path-like, optional
        CSV file ``object,population``, one row an object and population.
    gates : path-like, optional
        Gates file, for other samples; Gating-ML 2.0 when it ends in ``.xml``.
    only, statistics
        As in :func:`population_rows`; `only` does not matter to `gates`.
    approximate : bool
        Write shapes that Gating-ML does not have as polygons, with a note.
    overwrite : bool
        Replace existing files.

    Returns
    -------
    tuple of str
        Notes on what a gates file cannot hold.

    Raises
    ------
    GateError
        As :func:`population_rows`.
    UsageError
        An output is an input, or two are the same.
    OutputError
        A file exists and `overwrite` is False, or cannot be written.
    """
    outputs = [Path(path) for path in (table, members, gates) if path is not None]
    for path in outputs:
        refuse_input_as_output(gated.sources, path)
        refuse_existing(path, overwrite=overwrite)
    if len({path.resolve() for path in outputs}) < len(outputs):
        msg = f"{outputs[0]}: expected another file for each output, found the same"
        raise UsageError(msg)
    header, rows = population_rows(gated, only=only, statistics=statistics)
    notes: tuple[str, ...] = ()
    if gates is not None and Path(gates).suffix.lower() == GATINGML:
        notes = write_gatingml(
            gates,
            gated.populations.gates,
            names=tuple(gated.columns),
            approximate=approximate,
            overwrite=overwrite,
        )
    elif gates is not None:
        kept, lost = portable(gated.populations.gates)
        write_gates(gates, kept, overwrite=overwrite)
        if lost:
            names = ", ".join(map(repr, lost))
            notes = (f"not in {gates}, being tagged by hand or made of what is: {names}",)
    if table is not None:
        write_text(Path(table), csv_text(header, [[as_text(value) for value in row] for row in rows]))
    if members is not None:
        _write_members(gated.populations, Path(members), only, overwrite=overwrite)
    return notes


def _write_members(populations: Populations, path: Path, only: Sequence[str], *, overwrite: bool) -> None:
    with (
        replacing(path, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("object", "population"))
        for name in populations.members:
            if not only or name in only:
                shown = defused(name)
                writer.writerows((number, shown) for number in populations.object_numbers(name).tolist())
