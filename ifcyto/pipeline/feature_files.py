"""Feature values from any file that holds them: our table, FCS, IDEAS' text, CSV, DAF."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import StudyError, UsageError
from ifcyto.features.table import foreign_columns, in_memory, object_rows, read_table, table_header
from ifcyto.pipeline.labels import read_labels
from ifcyto.pipeline.sources import is_stack
from ifcyto.readers.columns import FeatureColumns, is_object_number
from ifcyto.readers.daf import DafReader
from ifcyto.readers.daf_document import read_daf
from ifcyto.readers.feature_text import read_feature_text

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

__all__ = [
    "TEXT_SUFFIXES",
    "as_table",
    "from_table",
    "is_feature_file",
    "read_features",
    "tagged",
    "with_labels",
]

HEAD = 4096
FCS_MAGIC = b"FCS"
TEXT_SUFFIXES = frozenset({".txt", ".tsv", ".csv"})


def is_feature_file(path: Path | str) -> bool:
    """Say whether a file holds feature values and no images: ``.h5ad``, FCS, ``.txt``, ``.tsv``, ``.csv``."""
    path = Path(path)
    if path.suffix.lower() in TEXT_SUFFIXES:
        return path.is_file()
    return (path.suffix.lower() == ".h5ad" and is_stack(path)) or _head(path)[:3] == FCS_MAGIC


def read_features(path: Path | str) -> FeatureColumns:
    """Read the feature values of one sample from any known kind of file; its content decides.

    Parameters
    ----------
    path : path-like
        A feature table (``.h5ad``), an FCS file, a table that IDEAS exported (tab-separated
        text), a CSV file with a column of object numbers, or a DAF, of which the stored
        features are taken.

    Raises
    ------
    FormatError
        The file is none of these, or is damaged.
    UsageError
        A table holds several samples.
    """
    path = Path(path)
    if is_stack(path):
        return from_table(read_table(path), path)
    head = _head(path)
    if head[:3] == FCS_MAGIC:
        from ifcyto.readers.fcs import read_fcs

        return read_fcs(path)
    return _from_daf(path) if DafReader.sniff(path, head) else read_feature_text(path)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""  # whoever reads it says why


def _from_daf(path: Path) -> FeatureColumns:
    document = read_daf(path)
    keep = [i for i, name in enumerate(document.feature_names) if not is_object_number(name)]
    return FeatureColumns(
        path,
        document.objects.object_numbers,
        tuple(document.feature_names[i] for i in keep),
        document.feature_values[:, keep],
        sample=path.stem,
        notes=document.notes,
    )


def from_table(table: AnnData, path: Path | str) -> FeatureColumns:
    """Take the values, classes and markers of an AnnData table; `path` is for messages.

    Raises
    ------
    UsageError
        It holds several samples, whose object numbers mean different objects.
    """
    path = Path(path)
    samples = [str(name) for name in dict.fromkeys(table.obs["sample"].tolist())]
    if len(samples) > 1:
        shown = ", ".join(samples[:3])
        msg = (
            f"{path}: expected the objects of one sample, found {len(samples)} ({shown}): take one at a time"
        )
        raise UsageError(msg)
    keep = [i for i, name in enumerate(table.var_names) if not is_object_number(name)]
    values = np.asarray(table.X, np.float64)[:, keep]
    obs, images = table.obs, table.var["image"].astype(str).tolist()
    return FeatureColumns(
        path,
        obs["object"].to_numpy(np.int64),
        tuple(str(table.var_names[i]) for i in keep),
        values,
        labels=_texts(obs["label"].tolist()) if "label" in obs else (),
        probabilities=obs["probability"].to_numpy(np.float64) if "probability" in obs else None,
        markers=tuple(images[i].replace("|", "+") for i in keep) if any(images) else (),
        sample=samples[0] if samples else path.stem,
        pixel_size_um=_size(table),
    )


def _texts(values: list[Any]) -> tuple[str, ...]:
    return tuple("" if value is None or value != value else str(value) for value in values)


def _size(table: AnnData) -> float | None:
    try:
        size = float(table.uns["ifcyto"]["pixel_size_um"])
    except (KeyError, ValueError):
        return None
    return size if size == size else None


def as_table(columns: FeatureColumns, provenance: dict[str, Any]) -> AnnData:
    """Make a feature table of values from elsewhere; their definitions are not known.

    Parameters
    ----------
    columns : FeatureColumns
    provenance : dict
        See :func:`ifcyto.provenance.provenance`.

    Returns
    -------
    anndata.AnnData
        See ``data_schemas/feature_table.md``; the pixel size is NaN where not known.
    """
    extra: dict[str, NDArray[Any]] = {}
    if columns.labels:
        extra["label"] = np.array(columns.labels, dtype=object)
    if columns.probabilities is not None:
        extra["probability"] = columns.probabilities
    size = float("nan") if columns.pixel_size_um is None else columns.pixel_size_um
    header = table_header(masks={}, pixel_size_um=size, channels=[], provenance=provenance)
    obs = object_rows(columns.objects, sample=columns.sample, extra=extra)
    return in_memory(columns.values, obs, foreign_columns(columns.names, columns.markers), header)


def with_labels(columns: FeatureColumns, path: Path | str) -> FeatureColumns:
    """Add the classes, and probabilities if there are any, of a table of labels; joined by object number.

    Parameters
    ----------
    columns : FeatureColumns
    path : path-like
        CSV file ``object,label[,probability]``; objects without a row get no class.

    Raises
    ------
    StudyError
        The file is no table of labels.
    UsageError
        It holds objects that are not there.
    """
    path = Path(path)
    labels = read_labels(path, known=None)
    strange = sorted(labels.keys() - set(columns.objects.tolist()))
    if strange:
        shown = ", ".join(map(str, strange[:3]))
        msg = f"{path}: {len(strange)} of {len(labels)} objects are not in {columns.path}: {shown}"
        raise UsageError(msg)
    numbers = columns.objects.tolist()
    found = _probabilities(path)
    return replace(
        columns,
        labels=tuple(labels.get(number, "") for number in numbers),
        probabilities=np.array([found.get(n, np.nan) for n in numbers]) if found else None,
    )


def tagged(columns: FeatureColumns) -> dict[str, list[int]]:
    """Object numbers of each class, in the order of the names; objects without a class are in none."""
    found: dict[str, list[int]] = {}
    for number, label in zip(columns.objects.tolist(), columns.labels, strict=False):
        if label:
            found.setdefault(label, []).append(number)
    return dict(sorted(found.items()))


def _probabilities(path: Path) -> dict[int, float]:
    """Object number to probability, where a table of labels has them; the table was checked before."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = [name.strip() for name in next(reader)]
        if "probability" not in header:
            return {}
        place, key = header.index("probability"), header.index("object")
        found = {}
        for row in filter(any, reader):
            try:
                found[int(row[key])] = float(row[place] or "nan")
            except ValueError:
                msg = f"{path}: line {reader.line_num}: expected a probability, found {row[place][:40]!r}"
                raise StudyError(msg) from None
    return found
