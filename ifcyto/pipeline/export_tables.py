"""Feature values to files that other programs read: FCS, IDEAS' text, our own table."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto._output import refuse_existing
from ifcyto.errors import FormatError
from ifcyto.features.table import open_table_writer
from ifcyto.pipeline.export import ExportResult
from ifcyto.pipeline.feature_files import as_table, read_features, with_labels
from ifcyto.pipeline.sources import refuse_input_as_output
from ifcyto.provenance import provenance
from ifcyto.writers.feature_text import write_feature_text

if TYPE_CHECKING:
    from ifcyto.readers.columns import FeatureColumns
    from ifcyto.writers.fcs import Spillover

__all__ = ["export_fcs", "export_feature_text", "export_h5ad", "read_spillover"]


def export_fcs(
    source: Path | str,
    output: Path | str,
    *,
    labels: Path | str | None = None,
    spillover: Path | str | None = None,
    missing: float = math.nan,
    overwrite: bool = False,
) -> ExportResult:
    r"""Write features, classes and object numbers as FCS 3.1; see :func:`ifcyto.writers.fcs.write_fcs`.

    Parameters
    ----------
    source : path-like
        See :func:`ifcyto.pipeline.feature_files.read_features`.
    output : path-like
    labels : path-like, optional
        CSV file ``object,label[,probability]``; by default the classes in `source`.
    spillover : path-like, optional
        CSV file of a spillover matrix; see :func:`read_spillover`.
    missing : float
        Written for values that are not known.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FormatError, StudyError
        An input is damaged.
    UsageError
        Inputs do not belong together, or the output is an input.
    OutputError
        The output exists and `overwrite` is False, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.txt").write_text("Object Number\tArea_M01\n7\t80.5\n")
    >>> export_fcs(folder / "a.txt", folder / "a.fcs").n_objects
    1
    """
    from ifcyto.writers.fcs import write_fcs

    table = _opened(source, output, [labels, spillover], overwrite=overwrite)
    if labels is not None:
        table = with_labels(table, labels)
    matrix = None if spillover is None else read_spillover(spillover)
    result = write_fcs(table, output, spillover=matrix, missing=missing, overwrite=overwrite)
    return ExportResult(result.path, result.n_objects, (*table.notes, *result.notes))


def export_feature_text(source: Path | str, output: Path | str, *, overwrite: bool = False) -> ExportResult:
    """Write features as IDEAS exports them: tab-separated text, object number first.

    Parameters
    ----------
    source, output, overwrite
        See :func:`export_fcs`.

    Raises
    ------
    FormatError, UsageError, OutputError
        See :func:`export_fcs`.
    """
    table = _opened(source, output, [], overwrite=overwrite)
    notes = list(table.notes)
    if any(table.labels):
        notes.append("classes are not in the text, which has no place for them: export them as .pop")
    return ExportResult(write_feature_text(table, output, overwrite=overwrite), len(table), tuple(notes))


def export_h5ad(
    source: Path | str,
    output: Path | str,
    *,
    labels: Path | str | None = None,
    overwrite: bool = False,
) -> ExportResult:
    """Write the features of another program as a feature table that anndata and scanpy open.

    Parameters
    ----------
    source, output, labels, overwrite
        See :func:`export_fcs`.

    Raises
    ------
    FormatError, StudyError, UsageError, OutputError
        See :func:`export_fcs`.
    """
    table = _opened(source, output, [labels], overwrite=overwrite)
    if labels is not None:
        table = with_labels(table, labels)
    read = [Path(path) for path in (source, labels) if path is not None]
    made = as_table(table, provenance(sources=read, options={"step": "export"}))
    with open_table_writer(
        output, obs=made.obs, var=made.var, header=lambda: made.uns["ifcyto"], overwrite=overwrite
    ) as append:
        append(0, np.asarray(made.X))
    return ExportResult(Path(output), len(table), table.notes)


def _opened(
    source: Path | str, output: Path | str, others: list[Path | str | None], *, overwrite: bool
) -> FeatureColumns:
    """Refuse outputs that cannot be, then read the features."""
    paths = [Path(path) for path in (source, *others) if path is not None]
    refuse_input_as_output(paths, Path(output))
    refuse_existing(output, overwrite=overwrite)
    return read_features(source)


def read_spillover(path: Path | str) -> Spillover:
    r"""Read a spillover matrix: a line of features, then one line of numbers a feature.

    Lines may begin with the name of their feature. Row: stain; column: detector.

    Raises
    ------
    FormatError
        The file cannot be read or holds no such matrix.
    UsageError
        Features repeat or numbers are not finite.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "spill.csv"
    >>> _ = path.write_text("Intensity_MC_FITC,Intensity_MC_PE\n1,0.2\n0.01,1\n")
    >>> read_spillover(path).matrix.tolist()
    [[1.0, 0.2], [0.01, 1.0]]
    """
    from ifcyto.writers.fcs import Spillover

    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[word.strip() for word in row] for row in csv.reader(file) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FormatError(path, f"cannot be read as a spillover matrix: {error}") from error
    names = [name for name in rows[0] if name] if rows else []
    body = [row[len(row) - len(names) :] for row in rows[1:]]
    try:
        matrix = np.array([[float(word) for word in row] for row in body])
    except ValueError as error:
        raise FormatError(path, f"expected a spillover matrix of numbers: {error}") from error
    if not names or matrix.shape != (len(names), len(names)):
        msg = f"expected {len(names)} lines of {len(names)} numbers after the names, found {matrix.shape}"
        raise FormatError(path, msg)
    return Spillover(tuple(names), matrix)
