"""Lists of objects by population: read from labels and ``.pop`` files, written as either.

Known forms (``formats``, "Other inputs"): IDEAS' ``.pop``, one population a file; a CSV
file ``label,object_number`` of another laboratory; our ``object,label`` and
``object,population``.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ifcyto._output import refuse_existing
from ifcyto.errors import FormatError, UsageError
from ifcyto.pipeline.export import ExportResult
from ifcyto.pipeline.feature_files import TEXT_SUFFIXES, is_feature_file, read_features, tagged
from ifcyto.pipeline.gate import gate_daf, is_daf
from ifcyto.pipeline.objects import read_objects
from ifcyto.pipeline.sources import refuse_input_as_output
from ifcyto.pipeline.tables import FORMULA_STARTS, csv_text, defused, write_text
from ifcyto.writers.populations import write_pop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["export_pop", "export_pop_csv", "read_populations"]

NAME_COLUMNS = ("label", "population")
NUMBER_COLUMNS = ("object", "object_number")
UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
"""What a file name may not hold on some system."""
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
LONGEST = 100
"""Characters of a file name that come from a population's name."""

Populations = dict[str, list[int]]


def read_populations(paths: Path | str | Sequence[Path | str]) -> Populations:
    r"""Read populations from one file or several.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        A CSV file with the columns ``object`` or ``object_number`` and ``label`` or
        ``population``; ``.pop`` files; tables of features with classes (``.h5ad``, FCS);
        DAFs, all of whose populations are taken but that of all objects. A ``.pop`` is called
        by its first line, or by its own name where that line is blank.

    Returns
    -------
    dict of str to list of int
        Name to object numbers, in the order of the files; rows without a label are left out.

    Raises
    ------
    FormatError
        A file cannot be read, or a line holds no object number.
    UsageError
        Two files hold populations of one name.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.csv"
    >>> _ = path.write_text("object,label\n7,BNE\n2,Doublet\n9,BNE\n")
    >>> read_populations(path)
    {'BNE': [7, 9], 'Doublet': [2]}
    """
    found: Populations = {}
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        for name, numbers in _read_one(Path(path)).items():
            if name in found:
                msg = f"{path}: expected each population in one file, found {name!r} in two"
                raise UsageError(msg)
            found[name] = numbers
    return found


def export_pop(
    populations: Mapping[str, Sequence[int]],
    folder: Path | str,
    *,
    sources: Sequence[Path] = (),
    overwrite: bool = False,
) -> ExportResult:
    """Write one ``.pop`` a population into a folder, as IDEAS reads them.

    Parameters
    ----------
    populations : mapping of str to sequence of int
        Name to object numbers.
    folder : path-like
        Made if need be.
    sources : sequence of pathlib.Path
        Files that are never replaced.
    overwrite : bool
        Replace files that are there.

    Returns
    -------
    ExportResult
        Objects are counted once in every population. A note tells of a population whose
        name cannot be that of a file.

    Raises
    ------
    UsageError
        There is no population, or an object number is negative.
    OutputError
        A file exists and `overwrite` is False, or cannot be written.
    """
    folder = Path(folder)
    names = _file_names(populations)
    for name in names.values():
        refuse_input_as_output(sources, folder / name)
        refuse_existing(folder / name, overwrite=overwrite)
    for population, name in names.items():
        write_pop(folder / name, populations[population], overwrite=overwrite)
    notes = [f"population {name!r} is in {file}" for name, file in names.items() if file != f"{name}.pop"]
    return ExportResult(folder, _count(populations), tuple(notes))


def export_pop_csv(
    populations: Mapping[str, Sequence[int]],
    path: Path | str,
    *,
    sources: Sequence[Path] = (),
    overwrite: bool = False,
) -> ExportResult:
    """Write all populations as one table ``label,object_number``.

    Parameters
    ----------
    populations, sources, overwrite
        See :func:`export_pop`.
    path : path-like

    Raises
    ------
    UsageError, OutputError
        See :func:`export_pop`.
    """
    path = Path(path)
    _file_names(populations)
    refuse_input_as_output(sources, path)
    refuse_existing(path, overwrite=overwrite)
    rows = ([defused(name), str(n)] for name, numbers in populations.items() for n in sorted(set(numbers)))
    write_text(path, csv_text(("label", "object_number"), rows))
    return ExportResult(path, _count(populations))


def _count(populations: Mapping[str, Sequence[int]]) -> int:
    return sum(len(set(numbers)) for numbers in populations.values())


def _read_one(path: Path) -> Populations:
    """Populations of one file: a DAF, a table with classes, by its header a list, else a ``.pop``."""
    if path.suffix.lower() not in TEXT_SUFFIXES and is_feature_file(path):
        found = tagged(read_features(path))
        if not found:
            raise FormatError(
                path, "expected a table with classes, found none in it; give the labels instead"
            )
        return found
    if is_daf(path):
        members = gate_daf(path).populations
        names = [population.name for population in members.gates.populations if not population.is_all]
        return {name: members.object_numbers(name).tolist() for name in names}
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = [[part.strip() for part in row] for row in csv.reader(file)]
    except (OSError, csv.Error) as error:
        raise FormatError(path, f"cannot be read as a list of objects: {error}") from error
    header = [name.lower().replace(" ", "_") for name in rows[0]] if rows else []
    places = [header.index(name) for name in NAME_COLUMNS if name in header]
    if not places:
        if any(name in header for name in NUMBER_COLUMNS) and len(header) > 1:
            shown = ",".join(header)[:80]
            raise FormatError(path, f"expected a column {' or '.join(NAME_COLUMNS)}, found {shown}")
        first = rows[0][0] if rows and len(rows[0]) == 1 and not rows[0][0].isdigit() else ""
        named = "" if first.lower().replace(" ", "_") in NUMBER_COLUMNS else first
        return {named or path.stem: read_objects(path).tolist()}
    numbers = read_objects(path).tolist()
    named_rows = [row[places[0]] if places[0] < len(row) else "" for row in rows[1:] if any(row)]
    listed: Populations = {}
    for name, number in zip(named_rows, numbers, strict=True):
        if name:
            armed = name[1:] if name.startswith("'") and name[1:].startswith(FORMULA_STARTS) else name
            listed.setdefault(armed, []).append(number)
    return listed


def _file_names(populations: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """Name of a file for each population, all different on every system."""
    if not populations:
        msg = "expected at least one population to export, found none (no object has a label)"
        raise UsageError(msg)
    names: dict[str, str] = {}
    taken: set[str] = set()
    for population in populations:
        plain = UNSAFE.sub("_", population)[:LONGEST].strip(". ") or "population"
        plain = f"_{plain}" if RESERVED.match(plain) else plain
        name, n = plain, 1
        while name.casefold() in taken:
            n += 1
            name = f"{plain} {n}"
        taken.add(name.casefold())
        names[population] = f"{name}.pop"
    return names
