"""The feature table on disk: an AnnData file (``.h5ad``), written row by row.

``obs`` holds the objects, ``var`` the features, ``X`` the values; the prose page is
``data_schemas/feature_table.md``. The values are appended in batches, so that
memory does not grow with the number of objects.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from anndata.io import read_h5ad, write_elem

from ifcyto._output import replacing
from ifcyto.errors import FormatError
from ifcyto.features.combine import CombinedFeature
from ifcyto.schemas import schema_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.features.define import FeatureDefinition

__all__ = [
    "VERSION",
    "describe_columns",
    "foreign_columns",
    "in_memory",
    "object_rows",
    "open_table_writer",
    "read_table",
    "table_header",
]

VERSION = 1
"""Of the layout; a reader refuses files that are newer."""

KEY = "ifcyto"
VAR_COLUMNS = (
    "feature", "group", "mask", "image", "argument", "unit", "definition", "formula", "source", "confidence",
    "approximation",
)  # fmt: skip
NOT_APPLICABLE = ""


def describe_columns(columns: Sequence[FeatureDefinition | CombinedFeature]) -> pd.DataFrame:
    """Describe each column of a table: the ``var`` of the AnnData.

    Parameters
    ----------
    columns : sequence of FeatureDefinition or CombinedFeature

    Returns
    -------
    pandas.DataFrame
        Index: name. Columns: ``feature, group, mask, image, argument, unit,
        definition, formula, source, confidence, approximation``; several masks
        or images are joined by ``|``.

    Examples
    --------
    >>> from ifcyto.features.define import define
    >>> describe_columns([define("Area", "M01")]).loc["Area_M01", ["unit", "confidence"]].tolist()
    ['um2', 'VERIFIED']
    """
    rows = [_combined(c) if isinstance(c, CombinedFeature) else _single(c) for c in columns]
    index = pd.Index([c.name for c in columns], dtype=object)
    return pd.DataFrame(rows, index=index, columns=list(VAR_COLUMNS))


def _single(column: FeatureDefinition) -> dict[str, Any]:
    spec = column.spec
    scalar = column.scalar
    return {
        "feature": spec.name,
        "group": spec.group,
        "mask": "|".join(column.masks),
        "image": "|".join(column.images),
        "argument": NOT_APPLICABLE if scalar is None else str(scalar),
        "unit": spec.unit,
        "definition": column.stored(),
        "formula": spec.formula,
        "source": spec.source,
        "confidence": str(spec.confidence),
        "approximation": spec.confidence.is_approximation,
    }


def _combined(column: CombinedFeature) -> dict[str, Any]:
    return {
        "feature": "Combined",
        "group": "Combined",
        "mask": NOT_APPLICABLE,
        "image": NOT_APPLICABLE,
        "argument": NOT_APPLICABLE,
        "unit": NOT_APPLICABLE,
        "definition": column.definition,
        "formula": column.definition.replace("|", " "),
        "source": "the user's definition",
        "confidence": "as its columns",
        "approximation": False,
    }


def foreign_columns(names: Sequence[str], images: Sequence[str] = ()) -> pd.DataFrame:
    """Describe columns of which only the names are known, as those of another program.

    Parameters
    ----------
    names : sequence of str
    images : sequence of str
        What each shows, where the file says it.

    Returns
    -------
    pandas.DataFrame
        As :func:`describe_columns`; texts are empty, `source` and `confidence` say why.

    Examples
    --------
    >>> foreign_columns(["FSC-A"]).loc["FSC-A", "source"]
    'a file of another program'
    """
    plain = dict.fromkeys(VAR_COLUMNS, NOT_APPLICABLE) | {"approximation": False}
    plain |= {"source": "a file of another program", "confidence": "not known"}
    shown = images or [NOT_APPLICABLE] * len(names)
    rows = [{**plain, "feature": name, "image": image} for name, image in zip(names, shown, strict=True)]
    return pd.DataFrame(rows, index=pd.Index(list(names), dtype=object), columns=list(VAR_COLUMNS))


def object_rows(
    object_numbers: NDArray[np.int64], *, sample: str, extra: Mapping[str, NDArray[Any]] | None = None
) -> pd.DataFrame:
    """Describe each object of a table: the ``obs`` of the AnnData.

    Parameters
    ----------
    object_numbers : ndarray (n,)
    sample : str
    extra : mapping of str to ndarray (n,), optional
        Further columns.

    Returns
    -------
    pandas.DataFrame
        Index: the object number as text. Columns: ``object`` (int64), ``sample``, then `extra`.
    """
    samples = pd.Categorical.from_codes(np.zeros(len(object_numbers), np.int8), [sample])
    frame = pd.DataFrame({"object": object_numbers, "sample": samples, **(extra or {})})
    frame.index = pd.Index(object_numbers.astype(str).astype(object))
    return frame


def table_header(
    *, masks: Mapping[str, str], pixel_size_um: float, channels: Sequence[str], provenance: Mapping[str, Any]
) -> dict[str, str]:
    """What a table says of itself, for ``uns["ifcyto"]``; every value is text.

    Parameters
    ----------
    masks : mapping of str to str
        Name of each mask that was computed, and its definition.
    pixel_size_um : float
    channels : sequence of str
        Names of the images, in the order of the stack.
    provenance : mapping

    Returns
    -------
    dict of str to str
        JSON where a value is not a plain text.
    """
    header = {
        "format": "ifcyto feature table",
        "version": VERSION,
        "pixel_size_um": pixel_size_um,
        "channels": list(channels),
        "masks": dict(masks),
        "provenance": dict(provenance),
    }
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in header.items()}


def in_memory(
    values: NDArray[np.float64], obs: pd.DataFrame, var: pd.DataFrame, header: Mapping[str, str]
) -> AnnData:
    """Make the table that :func:`open_table_writer` would write, without a file.

    Parameters
    ----------
    values : ndarray (n, features)
    obs, var : pandas.DataFrame
    header : mapping
        See :func:`table_header`.
    """
    return AnnData(values, obs=obs, var=var, uns={KEY: dict(header)})


@contextmanager
def open_table_writer(
    path: Path | str,
    *,
    obs: pd.DataFrame,
    var: pd.DataFrame,
    header: Callable[[], Mapping[str, str]],
    overwrite: bool = False,
) -> Iterator[Callable[[int, NDArray[np.float64]], None]]:
    """Write a feature table whose values come in batches.

    Parameters
    ----------
    path : path-like
        Appears when the block ends well, complete.
    obs, var : pandas.DataFrame
        See :func:`object_rows` and :func:`describe_columns`.
    header : callable
        Gives what :func:`table_header` makes; called when all values are written.
    overwrite : bool
        Replace an existing file.

    Yields
    ------
    callable
        ``append(first_row, values)`` with values ``(rows, features)``.

    Raises
    ------
    OutputError
        The file exists and `overwrite` is False, or cannot be written.
    """
    with replacing(path, overwrite=overwrite) as temporary, h5py.File(temporary, "w") as file:
        write_elem(file, "/", AnnData(obs=obs, var=var))
        if "X" in file:
            del file["X"]
        # Not compressed: gzip takes real features to 0.69 of their size only, and holds up the readers.
        values = file.create_dataset("X", (len(obs), len(var)), np.float64)
        values.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})

        def append(first: int, rows: NDArray[np.float64]) -> None:
            values[first : first + len(rows)] = rows

        yield append
        write_elem(file, f"uns/{KEY}", dict(header()))


def read_table(path: Path | str) -> AnnData:
    """Read a feature table into memory.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    anndata.AnnData

    Raises
    ------
    FormatError
        The file is missing, no HDF5 file, damaged, no feature table of ifcyto, or
        newer than this version.
    """
    path = Path(path)
    try:
        table = read_h5ad(path)
    except Exception as error:  # whatever a damaged file makes h5py or anndata raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(path, f"expected a feature table (.h5ad), cannot be read: {reason}") from error
    header = table.uns.get(KEY)
    if not isinstance(header, dict) or "version" not in header:
        raise FormatError(path, "expected a feature table of ifcyto, found another .h5ad file")
    found = str(header["version"])
    if not found.isdecimal() or int(found) > VERSION:
        raise FormatError(path, f"expected a feature table of version {VERSION} or older, found {found}")
    faults = schema_faults(_document(table), "feature_table")
    if faults:
        raise FormatError(path, f"is no sound feature table: {faults[0]}")
    return table


def _document(table: AnnData) -> dict[str, Any]:
    """Form of a table for its schema."""
    return {
        "header": {name: str(value) for name, value in table.uns[KEY].items()},
        "obs": {name: str(column.dtype) for name, column in table.obs.items()},
        "var": list(table.var.columns),
        "X": {"dtype": str(None if table.X is None else table.X.dtype)},
    }
