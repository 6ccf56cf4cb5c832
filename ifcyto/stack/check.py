"""Is this cell stack sound? Lists everything that is not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from ifcyto.cells import MASK_OBJECT, CellBatch
from ifcyto.errors import Fault, StackError
from ifcyto.schemas import schema_faults
from ifcyto.stack import layout
from ifcyto.stack.chunks import ChunkReader, one_line
from ifcyto.stack.objects import duplicates, mask_centres
from ifcyto.stack.open import HDF5_ERRORS, StackFile, open_hdf5, read_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_stack", "describe"]

PIXELS_AT_ONCE = 8_000_000
CENTROID_TOLERANCE = 1e-6
"""Pixels by which a stored centroid may differ from the mask's."""


def describe(path: Path | str) -> dict[str, Any]:
    """Describe a stack's HDF5 form, whatever its state, for the schema ``cell_stack``.

    Returns
    -------
    dict
        ``attributes``: those of the root. ``datasets``: by key, each with ``dtype``
        (numpy's name, or ``text``), ``shape``, ``rank``, ``chunks`` and ``filters``
        (HDF5's numbers: 1 deflate, 2 shuffle).

    Raises
    ------
    StackError
        The file is missing or no readable HDF5 file.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.cells import Cell, Channel
    >>> from ifcyto.stack.write import write_stack
    >>> cells = [Cell(7, np.ones((1, 3, 4), np.int16))]
    >>> path = write_stack(cells, Path(tempfile.mkdtemp()) / "a.h5", channels=[Channel(1, "BF")])
    >>> describe(path)["datasets"]["pixels"]["dtype"], check_stack(path)
    ('int16', [])
    """
    path = Path(path)
    with open_hdf5(path) as file:
        try:
            attributes = read_attributes(file)
            datasets = {key: _describe_dataset(dataset) for key, dataset in _datasets(file)}
        except HDF5_ERRORS as error:
            msg = f"{path}: is damaged: HDF5 says {one_line(error)}"
            raise StackError(msg) from error
    return {"attributes": attributes, "datasets": datasets}


def _datasets(group: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
    """Datasets of the root and of its groups; the layout has no deeper ones."""
    for name, item in group.items():
        if isinstance(item, h5py.Dataset):
            yield name, item
        elif group.name == "/" and isinstance(item, h5py.Group):
            yield from ((f"{name}/{key}", dataset) for key, dataset in _datasets(item))


def _describe_dataset(dataset: h5py.Dataset) -> dict[str, Any]:
    pipeline = dataset.id.get_create_plist()
    text = dataset.dtype.kind == "S"
    return {
        "dtype": "text" if text else dataset.dtype.newbyteorder("=").name,
        "shape": list(dataset.shape),
        "rank": dataset.ndim,
        "chunks": None if dataset.chunks is None else list(dataset.chunks),
        "filters": [int(pipeline.get_filter(i)[0]) for i in range(pipeline.get_nfilters())],
    }


def check_stack(path: Path | str) -> list[Fault]:
    """Look for everything that is wrong in a cell stack; every byte of pixels is read.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of Fault
        Empty when the stack is sound. Later checks are left out when they would
        only repeat an earlier fault: a stack that breaks the schema is not opened,
        masks are not judged while their chunks are damaged.
    """
    path = Path(path)
    try:
        faults = [Fault(text, where="schema") for text in schema_faults(describe(path), "cell_stack")]
        if faults:
            return faults
        file = StackFile(path)
    except StackError as error:
        return [Fault(str(error).removeprefix(f"{path}: "))]
    try:
        return [*_object_faults(file), *_fact_faults(file), *_flat_faults(file)]
    finally:
        file.close()


def _object_faults(file: StackFile) -> Iterator[Fault]:
    for number in duplicates(file.object_numbers).tolist():
        yield Fault("expected each object number once, found it twice or more", number)
    sources = file.provenance.get("sources")
    known = len(sources) if isinstance(sources, list) and sources else None
    wrong = (file.sources < 0) | (file.sources >= known if known else False)
    for row in np.flatnonzero(wrong)[:1].tolist():
        there = f"0 to {known - 1}" if known else "0 or more"
        message = f"expected a source of {there}, found {file.sources[row]}"
        yield Fault(message, int(file.object_numbers[row]), where=f"/{layout.SOURCE.key}")


def _fact_faults(file: StackFile) -> Iterator[Fault]:
    for name in file.fact_names:
        try:
            file.fact(name)
        except StackError as error:
            yield _fault_of(file, error)


def _flat_faults(file: StackFile) -> Iterator[Fault]:
    sound = {}
    for reader in (file.pixels, file.masks):
        if reader is not None:
            faults = list(_chunk_faults(file, reader))
            yield from faults
            sound[reader] = not faults
    if file.masks is not None and sound[file.masks]:
        yield from _mask_faults(file)


def _chunk_faults(file: StackFile, reader: ChunkReader) -> Iterator[Fault]:
    for index in range(reader.n_chunks):
        try:
            reader.chunk(index)
        except StackError as error:
            yield _fault_of(file, error)


def _fault_of(file: StackFile, error: StackError) -> Fault:
    place, _, message = str(error).removeprefix(f"{file.path}: ").partition(": ")
    return Fault(message, where=place) if message else Fault(place)


def _mask_faults(file: StackFile) -> Iterator[Fault]:
    """Masks without any object, and centroids that are not the masks'."""
    rows = np.arange(len(file.object_numbers))
    marked = False
    for part in file.parts(rows, PIXELS_AT_ONCE):
        batch = file.flat_batch(rows[part], masks=True)
        marked = marked or bool((batch.pixels == MASK_OBJECT).any())
        apart = np.abs(_centres(batch) - file.centroids[part]).max(axis=1)
        for i in np.flatnonzero(apart > CENTROID_TOLERANCE).tolist():
            message = f"expected the mask's centroid, found one {apart[i]:.3g} pixels away"
            yield Fault(message, int(batch.object_numbers[i]), where=f"/{layout.CENTROID_ROW.key}")
    if len(rows) and not marked:
        yield Fault(f"expected mask pixels of value {MASK_OBJECT}, found none in any object", where="/masks")


def _centres(batch: CellBatch) -> Any:
    sizes = (batch.object_numbers, batch.heights, batch.widths, batch.n_channels)
    return mask_centres(CellBatch(*sizes, pixels=batch.pixels, masks=batch.pixels))
