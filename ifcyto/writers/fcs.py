"""Write feature values as FCS 3.1, one event an object; through flowio.

FCS holds 32-bit floats here: 24 bits of precision, about seven digits. Whole numbers
above 2**24 are rounded, which would mix up objects; their numbers are then split into
two parameters.
"""

from __future__ import annotations

import json
import math
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from flowio import create_fcs

from ifcyto._output import replacing
from ifcyto.errors import UsageError
from ifcyto.readers.columns import OBJECT_NUMBER, legal_names, plain_name
from ifcyto.readers.fcs import CLASS, KEYWORDS, NUMBER_HIGH, NUMBER_LOW, PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.readers.columns import FeatureColumns

__all__ = ["FcsResult", "Spillover", "write_fcs"]

EXACT = 2**24
"""Largest whole number up to which float32 holds all."""
MAX_PARAMETERS = 10_000
AT_ONCE = 4096
SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Spillover:
    """How much of each feature's stain is seen in the others (``$SPILLOVER``).

    Parameters
    ----------
    names : tuple of str
        Features, as in the table.
    matrix : ndarray (n, n) of float64
        Row: stain; column: detector; 1 on the diagonal.

    Raises
    ------
    UsageError
        The matrix has another size, or holds what is no number.
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.names)
        if not n or len(set(self.names)) < n or self.matrix.shape != (n, n):
            msg = f"expected a spillover matrix of {n} x {n} different features, found {self.matrix.shape}"
            raise UsageError(msg)
        if not np.isfinite(self.matrix).all():
            msg = "expected a spillover matrix of numbers, found some that are not finite"
            raise UsageError(msg)


@dataclass(frozen=True, slots=True)
class FcsResult:
    """What was written, and what a user should know: values that were rounded or are missing."""

    path: Path
    n_objects: int
    n_parameters: int
    notes: tuple[str, ...] = ()


def write_fcs(
    table: FeatureColumns,
    path: Path | str,
    *,
    spillover: Spillover | None = None,
    missing: float = math.nan,
    overwrite: bool = False,
) -> FcsResult:
    """Write features, class, probability and ``Object Number`` as parameters of an FCS 3.1 file.

    Parameters
    ----------
    table : FeatureColumns
        ``$PnN`` are its names, made legal and unique; the full ones go into the keyword
        ``IFCYTO_COLUMNS``, from which :func:`ifcyto.readers.fcs.read_fcs` takes them
        back. Markers become ``$PnS``. Classes are numbered from 1, 0 is not judged.
    path : path-like
    spillover : Spillover, optional
        Give it only for values that are not compensated; images of a ``.cif`` are.
    missing : float
        Written where a value is not known; NaN by default. IDEAS writes 0, which
        cannot be told from a measured 0.
    overwrite : bool

    Returns
    -------
    FcsResult

    Raises
    ------
    UsageError
        There is nothing to write, too much, or a feature of `spillover` is not there.
    OutputError
        The file exists and `overwrite` is False, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.readers.columns import FeatureColumns
    >>> from ifcyto.readers.fcs import read_fcs
    >>> path = Path(tempfile.mkdtemp()) / "a.fcs"
    >>> table = FeatureColumns(path, np.array([7]), ("Area_Dilate(M01, 2)",), np.array([[80.5]]))
    >>> write_fcs(table, path).n_parameters
    2
    >>> read_fcs(path).names
    ('Area_Dilate(M01, 2)',)
    """
    path = Path(path)
    notes: list[str] = []
    leading, head = _leading(table, notes)
    n_parameters = len(head) + len(table.names)
    if n_parameters > MAX_PARAMETERS:
        msg = f"{path}: expected at most {MAX_PARAMETERS} parameters, found {n_parameters}"
        raise UsageError(msg)
    reserved = (*head, OBJECT_NUMBER, CLASS, PROBABILITY)
    names = [*head, *legal_names(table.names, taken=reserved)]
    events = array("f")
    tops = np.ones(n_parameters)
    counts = np.zeros(3, np.int64)
    for first in range(0, len(table), AT_ONCE):
        block = np.column_stack([leading[first : first + AT_ONCE], table.values[first : first + AT_ONCE]])
        single = _single(block, missing, counts)
        tops = np.fmax(tops, np.nanmax(single, axis=0, initial=1.0))
        events.frombytes(single.tobytes())
    notes += _said(counts, missing)
    short = dict(zip(table.names, names[len(head) :], strict=True))
    facts = _facts(table, path, tops) | _spilled(path, spillover, short)
    markers = [*head.values(), *(table.markers or [""] * len(table.names))]
    with replacing(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        create_fcs(file, events, names, opt_channel_names=[_marker(m) for m in markers], metadata_dict=facts)
    return FcsResult(path, len(table), n_parameters, tuple(notes))


def _leading(table: FeatureColumns, notes: list[str]) -> tuple[NDArray[np.float64], dict[str, str]]:
    """Parameters before the features: their values, and their names with ``$PnS``."""
    columns: dict[str, tuple[str, NDArray[np.float64]]] = {}
    numbers = table.objects
    if len(numbers) and int(numbers.max()) > EXACT:
        columns[NUMBER_HIGH] = ("Object Number // 2^24", (numbers // EXACT).astype(np.float64))
        columns[NUMBER_LOW] = ("Object Number % 2^24", (numbers % EXACT).astype(np.float64))
        notes.append(
            f"object numbers above {EXACT:,} do not fit into 32-bit floats: they are in two parameters, "
            f"{NUMBER_HIGH} x {EXACT:,} + {NUMBER_LOW}"
        )
    else:
        # Some readers refuse a file without a single $PnS.
        columns[OBJECT_NUMBER] = (OBJECT_NUMBER, numbers.astype(np.float64))
    if any(table.labels):
        classes = _classes(table)
        code = {"": 0, **{name: i for i, name in enumerate(classes, start=1)}}
        legend = "; ".join(f"{i} {name}" for name, i in code.items() if i)
        columns[CLASS] = (legend, np.array([code[label] for label in table.labels], np.float64))
        if table.probabilities is not None:
            columns[PROBABILITY] = ("of the class", table.probabilities)
    values = np.column_stack([values for _, values in columns.values()])
    return values, {name: marker for name, (marker, _) in columns.items()}


def _classes(table: FeatureColumns) -> list[str]:
    return sorted(set(table.labels) - {""})


def _single(block: NDArray[np.float64], missing: float, counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Values in single precision; counted are those that are missing, too large, or rounded whole numbers."""
    with np.errstate(over="ignore", invalid="ignore"):
        single = block.astype(np.float32)
        unknown = ~np.isfinite(block)
        large = ~unknown & ~np.isfinite(single)
        rounded = (np.abs(block) > EXACT) & (block == np.floor(block)) & (single != block) & ~unknown & ~large
    single[unknown | large] = missing
    counts += [np.count_nonzero(unknown), np.count_nonzero(large), np.count_nonzero(rounded)]
    return single


def _said(counts: NDArray[np.int64], missing: float) -> list[str]:
    unknown, large, rounded = counts.tolist()
    written = "NaN" if math.isnan(missing) else f"{missing:g}"
    notes = []
    if unknown:
        notes.append(f"{unknown:,} values that are not known were written as {written}")
    if large:
        notes.append(f"{large:,} values are too large for 32-bit floats and were written as {written}")
    if rounded:
        notes.append(f"{rounded:,} whole numbers above {EXACT:,} were rounded to 24 bits, as FCS holds them")
    return notes


def _facts(table: FeatureColumns, path: Path, tops: NDArray[np.float64]) -> dict[str, str]:
    facts = {
        "fil": plain_name(path.name),
        KEYWORDS["columns"]: _json(table.names),
        **{f"p{n}r": str(math.ceil(top) + 1) for n, top in enumerate(tops.tolist(), start=1)},
    }
    if table.sample:
        facts[KEYWORDS["sample"]] = plain_name(table.sample)
    if table.pixel_size_um is not None:
        facts[KEYWORDS["pixel_size_um"]] = repr(table.pixel_size_um)
    if any(table.labels):
        facts[KEYWORDS["classes"]] = _json(_classes(table))
    return facts


def _spilled(path: Path, spillover: Spillover | None, short: dict[str, str]) -> dict[str, str]:
    if spillover is None:
        return {}
    absent = [name for name in spillover.names if name not in short]
    if absent:
        shown = ", ".join(absent[:SHOWN])
        msg = f"{path}: {len(absent)} features of the spillover matrix are not in the table: {shown}"
        raise UsageError(msg)
    words = [str(len(spillover.names)), *(short[name] for name in spillover.names)]
    words += [repr(value) for value in spillover.matrix.ravel().tolist()]
    return {"spillover": ",".join(words)}


def _json(names: Sequence[str]) -> str:
    """List of texts in ASCII, without the letters that parsers of keywords stumble over."""
    text = json.dumps(list(names))
    return text.replace("/", "\\u002f").replace("$", "\\u0024").replace("|", "\\u007c")


def _marker(text: str) -> str:
    return plain_name(text) if text.strip() else ""
