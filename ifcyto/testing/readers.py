"""The battery that every reader passes.

Failures are :class:`AssertionError` with a message that says what was expected and
found. The checks are called one by one from :func:`check_reader`, in the order of
its docstring; each takes the reader and an :class:`Expected`.
"""

from __future__ import annotations

import json
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import FACTS, Cell, CellBatch, Channel
from ifcyto.errors import Fault, UsageError
from ifcyto.readers.base import Reader
from ifcyto.readers.registry import READERS, open_acquisition
from ifcyto.testing.cells import expect, same_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Expected", "check_reader", "open_files"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the caller of the battery knows of the file; None where nothing."""

    n_objects: int | None
    channels: Sequence[str] | None
    object_numbers: Sequence[int] | None
    dtype: str | None
    has_masks: bool | None
    n_faults: int


def check_reader(
    open_fn: Callable[[], Reader],
    *,
    n_objects: int | None = None,
    channels: Sequence[str] | None = None,
    object_numbers: Sequence[int] | None = None,
    dtype: str | None = None,
    has_masks: bool | None = None,
    n_faults: int = 0,
    registered: bool = True,
) -> None:
    """Check that a reader keeps the contract of :class:`ifcyto.readers.base.Reader`.

    1. attributes and their types; unique object numbers; channels; metadata that
       can be written as JSON;
    2. what the caller expects of the file;
    3. every cell: number, shape, dtype, masks, facts;
    4. iteration, ``read_cell`` and ``read_batch`` agree, in any order and from two
       threads at once;
    5. rows that are not there raise :class:`~ifcyto.errors.UsageError`;
    6. a pickled reader reads the same;
    7. after ``close`` no file is left open (checked where ``/proc/self/fd`` exists);
    8. ``open_acquisition`` picks the same class.

    Parameters
    ----------
    open_fn : callable
        Opens a new reader of the same input at each call.
    n_objects, channels, object_numbers, dtype, has_masks : optional
        What is known of the input; `channels` are names.
    n_faults : int
        With a salvaging reader: objects that are listed but cannot be read.
    registered : bool
        False for a reader that is not in the registry (skips check 8).

    Raises
    ------
    AssertionError
        A check failed; the message says which.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np
    >>> from ifcyto.readers.arrays import ArrayReader
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "cells.npy"
    >>> np.save(path, np.zeros((3, 2, 4, 5), np.uint16))
    >>> check_reader(lambda: ArrayReader(path), n_objects=3, dtype="int32")
    """
    expected = Expected(n_objects, channels, object_numbers, dtype, has_masks, n_faults)
    before = open_files()
    with open_fn() as reader:
        _check_attributes(reader)
        _check_expected(reader, expected)
        cells = _check_iteration(reader, expected)
        for cell in cells:
            _check_cell(reader, cell)
        _check_ways(reader, cells)
        _check_rows(reader)
        _check_pickle(reader, cells)
        if registered:
            _check_registry(reader)
    left = open_files() - before
    expect(not left, f"close leaves no file open, found {', '.join(sorted(left))}")


def open_files() -> set[str]:
    """Files that this process has open, as ``descriptor -> target``; empty where the system does not tell."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return set()
    found = set()
    for entry in os.listdir(folder):  # noqa: PTH208 - the listing's own descriptor must be gone by now
        try:
            target = str((folder / entry).readlink())
        except OSError:
            continue
        if target.startswith("/") and not target.startswith(("/dev/", "/proc/")):
            found.add(f"{entry} -> {target}")
    return found


def _check_attributes(reader: Reader) -> None:
    expect(isinstance(reader, Reader), f"a Reader, found {type(reader).__name__}")
    kinds: dict[str, type | tuple[type, ...]] = {
        "format": str, "path": Path, "channels": tuple, "object_numbers": np.ndarray, "dtype": np.dtype,
        "has_masks": bool, "metadata": dict, "notes": list, "faults": list,
    }  # fmt: skip
    for name, kind in kinds.items():
        value = getattr(reader, name, None)
        expect(
            isinstance(value, kind),
            f"{name} of {getattr(kind, '__name__', kind)}, found {type(value).__name__}",
        )
    numbers = reader.object_numbers
    expect(
        numbers.dtype == np.int64 and numbers.ndim == 1,
        f"object_numbers (N,) of int64, found {numbers.dtype}",
    )
    expect(len(np.unique(numbers)) == len(numbers), "unique object_numbers, found duplicates")
    expect(reader.channels, "at least one channel, found none")
    expect(all(isinstance(c, Channel) for c in reader.channels), "channels of Channel, found another type")
    numbered = [channel.number for channel in reader.channels]
    expect(len(set(numbered)) == len(numbered), f"unique channel numbers, found {numbered}")
    expect(all(c.number >= 1 and c.name for c in reader.channels), "channels numbered from 1 and named")
    wide = reader.dtype.kind == "f" or (reader.dtype.kind == "i" and reader.dtype.itemsize >= 2)
    expect(wide and reader.dtype.isnative, f"pixels of int16 or wider, or float, found {reader.dtype}")
    expect(all(isinstance(note, str) and "\n" not in note for note in reader.notes), "notes of one line each")
    try:
        json.dumps(reader.metadata)
    except (TypeError, ValueError) as error:
        msg = f"expected metadata that can be written as JSON, found {error}"
        raise AssertionError(msg) from error


def _check_expected(reader: Reader, expected: Expected) -> None:
    if expected.n_objects is not None:
        expect(len(reader) == expected.n_objects, f"{expected.n_objects} objects, found {len(reader)}")
    if expected.channels is not None:
        names = [channel.name for channel in reader.channels]
        expect(names == list(expected.channels), f"channels {list(expected.channels)}, found {names}")
    if expected.object_numbers is not None:
        numbers = reader.object_numbers.tolist()
        expect(
            numbers == list(expected.object_numbers),
            f"numbers {list(expected.object_numbers)}, found {numbers}",
        )
    if expected.dtype is not None:
        expect(reader.dtype == np.dtype(expected.dtype), f"dtype {expected.dtype}, found {reader.dtype}")
    if expected.has_masks is not None:
        expect(
            reader.has_masks == expected.has_masks,
            f"has_masks {expected.has_masks}, found {reader.has_masks}",
        )


def _check_iteration(reader: Reader, expected: Expected) -> list[Cell]:
    cells = list(reader)
    whole = len(reader) - expected.n_faults
    expect(len(cells) == whole, f"{whole} cells by iteration, found {len(cells)}")
    expect(all(isinstance(fault, Fault) for fault in reader.faults), "faults of Fault, found another type")
    numbers = [cell.object_number for cell in cells]
    known = [number for number in reader.object_numbers.tolist() if number in set(numbers)]
    expect(numbers == known, f"cells in the order of object_numbers, found {numbers[:8]}")
    return cells


def _check_cell(reader: Reader, cell: Cell) -> None:
    at = f"object {cell.object_number}"
    expect(isinstance(cell, Cell), f"{at}: a Cell, found {type(cell).__name__}")
    expect(
        type(cell.object_number) is int,
        f"{at}: object_number of int, found {type(cell.object_number).__name__}",
    )
    images, count = cell.images, len(reader.channels)
    expect(
        images.dtype == reader.dtype,
        f"{at}: pixels of the reader's dtype {reader.dtype}, found {images.dtype}",
    )
    shaped = images.ndim == 3 and images.shape[0] == count and min(images.shape) > 0
    expect(shaped, f"{at}: images ({count}, H, W), found {images.shape}")
    if reader.has_masks:
        expect(cell.masks is not None, f"{at}: masks as has_masks says, found none")
    else:
        expect(cell.masks is None, f"{at}: no masks as has_masks says, found some")
    if cell.masks is not None:
        fits = cell.masks.dtype == np.uint8 and cell.masks.shape == images.shape
        expect(fits, f"{at}: masks {images.shape} of uint8, found {cell.masks.shape} of {cell.masks.dtype}")
    for name, value in cell.facts.items():
        expect(name in FACTS, f"{at}: facts of FACTS, found {name!r}")
        spec = FACTS[name]
        shape = (count,) if spec.per_channel else ()
        expect(np.shape(value) == shape, f"{at}: {name} of shape {shape}, found {np.shape(value)}")
        kind = "U" if spec.dtype == "str" else np.dtype(spec.dtype).kind
        found = np.asarray(value).dtype.kind
        expect(found == kind or (kind, found) == ("f", "i"), f"{at}: {name} of {spec.dtype}, found {value!r}")


def _check_ways(reader: Reader, cells: list[Cell]) -> None:
    rows = reader.rows_of([cell.object_number for cell in cells]).tolist()
    shuffled = np.random.default_rng(0).permutation(len(rows)).tolist()
    mixed = [rows[i] for i in shuffled]
    wanted = [cells[i] for i in shuffled]
    alone = [reader.read_cell(row) for row in mixed]
    for cell in alone:
        _check_cell(reader, cell)
    _agree("read_cell", alone, wanted)
    batch = reader.read_batch(mixed)
    expect(isinstance(batch, CellBatch), f"read_batch to give a CellBatch, found {type(batch).__name__}")
    _agree("read_batch", batch.cells(), wanted)
    expect(len(reader.read_batch([])) == 0, "an empty batch for no rows")
    with ThreadPoolExecutor(2) as pool:
        batches = pool.map(reader.read_batch, (rows, mixed, rows, mixed))
        for both, right in zip(batches, (cells, wanted, cells, wanted), strict=True):
            _agree("read_batch from two threads", both.cells(), right)


def _agree(way: str, found: list[Cell], wanted: list[Cell]) -> None:
    """Compare; facts that a batch fills with "missing" count as absent."""
    try:
        same_cells([_known(cell) for cell in found], [_known(cell) for cell in wanted])
    except AssertionError as error:
        msg = f"{way} differs from iteration: {error}"
        raise AssertionError(msg) from error


def _known(cell: Cell) -> Cell:
    facts = {
        name: value
        for name, value in cell.facts.items()
        if name not in FACTS
        or not np.array_equal(value, FACTS[name].missing, equal_nan=FACTS[name].dtype == "float64")
    }
    return Cell(cell.object_number, cell.images, cell.masks, facts)


def _check_rows(reader: Reader) -> None:
    for row in (-1, len(reader), len(reader) + 10**6):
        for way in (reader.read_cell, lambda row: reader.read_batch([row])):
            try:
                way(row)
            except UsageError as error:
                named = str(row) in str(error) and str(len(reader)) in str(error) and "\n" not in str(error)
                expect(
                    named, f"an error that names row {row} and the count {len(reader)}, found {str(error)!r}"
                )
            else:
                msg = f"expected UsageError for row {row} of {len(reader)}, found a result"
                raise AssertionError(msg)


def _check_pickle(reader: Reader, cells: list[Cell]) -> None:
    try:
        copy = pickle.loads(pickle.dumps(reader))
    except Exception as error:
        msg = f"expected a reader that can be pickled, found {error}"
        raise AssertionError(msg) from error
    with copy:
        _agree("a pickled reader", list(copy), cells)


def _check_registry(reader: Reader) -> None:
    expect(reader.format in READERS, f"format {reader.format!r} in the registry")
    with open_acquisition(reader.path, salvage=reader.salvage) as other:
        found = type(other).__name__
        expect(
            type(other) is type(reader), f"open_acquisition to pick {type(reader).__name__}, found {found}"
        )
