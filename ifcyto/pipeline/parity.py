"""Compare what ifcyto computes with what IDEAS stored in a DAF, feature by feature."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto._output import replacing
from ifcyto.compare.parity import Parity, parity
from ifcyto.errors import UsageError
from ifcyto.pipeline.feature_choice import HEAD
from ifcyto.pipeline.measure import MeasureOptions, measure
from ifcyto.pipeline.sources import refuse_input_as_output
from ifcyto.pipeline.tables import csv_text
from ifcyto.readers.daf import DafReader

if TYPE_CHECKING:
    from ifcyto.pipeline.parallel import Progress

__all__ = ["HEADER", "ParityRow", "ParityTable", "check_parity", "write_parity"]

HEADER = (
    "feature", "confidence", "n", "equal", "median_relative_error", "max_relative_error", "correlation",
    "offset", "slope", "ours_missing", "theirs_missing", "definition",
)  # fmt: skip
"""Columns of the table."""


@dataclass(frozen=True, slots=True)
class ParityRow:
    """Agreement of one feature.

    Parameters
    ----------
    feature : str
        Name in the DAF.
    confidence : str
        Of our definition.
    definition : str
        IDEAS' stored form.
    result : Parity
    """

    feature: str
    confidence: str
    definition: str
    result: Parity

    def texts(self) -> tuple[str, ...]:
        """Texts in the order of :data:`HEADER`; numbers to six significant digits."""
        r = self.result
        numbers = (r.median_error, r.max_error, r.correlation, r.offset, r.slope)
        shown = tuple("NaN" if np.isnan(value) else f"{value:.6g}" for value in numbers)
        counts = (str(r.ours_missing), str(r.theirs_missing))
        return (self.feature, self.confidence, str(r.n), str(r.equal), *shown, *counts, self.definition)


@dataclass(frozen=True, slots=True)
class ParityTable:
    """Agreement of every feature of a DAF.

    Parameters
    ----------
    rows : tuple of ParityRow
        In the order of the DAF.
    n_objects : int
    notes : tuple of str
    inputs : tuple of pathlib.Path
        The DAF and its CIF.
    """

    rows: tuple[ParityRow, ...]
    n_objects: int
    notes: tuple[str, ...] = ()
    inputs: tuple[Path, ...] = ()


def check_parity(
    daf: Path | str, *, workers: int | None = None, progress: Progress | None = None
) -> ParityTable:
    """Compute the features of a DAF from the pixels of its CIF, and compare them with the stored values.

    Parameters
    ----------
    daf : path-like
        Its CIF lies beside it.
    workers : int, optional
        Threads; all cores by default.
    progress : callable, optional

    Returns
    -------
    ParityTable

    Raises
    ------
    UsageError
        The file is no DAF, or stores no values of features that ifcyto has.
    FormatError
        The DAF or its CIF is damaged, or the CIF is missing or another file.
    """
    try:
        with Path(daf).open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        msg = f"{daf}: cannot be read: {error.strerror or error}"
        raise UsageError(msg) from error
    if not DafReader.sniff(Path(daf), head):
        msg = f"{daf}: expected an IDEAS analysis file (.daf), found something else"
        raise UsageError(msg)
    with DafReader(daf) as reader:
        document = reader.document
        options = MeasureOptions(skip_unknown=True)
        table = measure(reader, Path(daf), options=options, workers=workers, progress=progress)
        order = np.argsort(document.objects.object_numbers, kind="stable")
        rows = order[np.searchsorted(document.objects.object_numbers[order], reader.object_numbers)]
        notes = list(reader.notes)
    described = zip(table.var_names, table.var["confidence"], table.var["definition"], strict=True)
    found = [
        ParityRow(
            name,
            str(confidence),
            str(definition),
            parity(np.asarray(table[:, name].X).ravel(), document.feature(name)[rows]),
        )
        for name, confidence, definition in described
        if name in document.feature_names
    ]
    if not found:
        msg = f"{daf}: expected stored values of features that ifcyto has, found none"
        raise UsageError(msg)
    unknown = sorted(set(document.feature_names) - set(table.var_names))
    if unknown:
        notes.append(f"not in ifcyto: {', '.join(unknown)}")
    inputs = (Path(daf), reader.cif_path)
    return ParityTable(tuple(found), len(reader.object_numbers), tuple(notes), inputs)


def write_parity(table: ParityTable, path: Path | str, *, overwrite: bool = False) -> Path:
    """Write the table as CSV with the columns :data:`HEADER`.

    Raises
    ------
    UsageError
        The file is the DAF or its CIF.
    OutputError
        The file exists and `overwrite` is False, or cannot be written.
    """
    refuse_input_as_output(table.inputs, Path(path))
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(csv_text(HEADER, [row.texts() for row in table.rows]), encoding="utf-8")
    return Path(path)
