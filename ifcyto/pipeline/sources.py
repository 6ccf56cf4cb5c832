"""Inputs of a conversion or an export, opened and brought to one form."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError
from ifcyto.pipeline.objects import choose_channels, select_channels
from ifcyto.pipeline.parallel import in_order
from ifcyto.readers.base import Reader
from ifcyto.readers.registry import open_acquisition
from ifcyto.stack.cell_stack import CellStack

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from ifcyto.cells import CellBatch, Channel
    from ifcyto.errors import Fault
    from ifcyto.pipeline.parallel import Progress

__all__ = [
    "BATCH_ROWS",
    "Source",
    "as_paths",
    "common_form",
    "in_file_order",
    "is_stack",
    "open_source",
    "read_batches",
    "refuse_input_as_output",
]

BATCH_ROWS = 256
"""Objects read in one piece of work."""

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One opened input and what is wanted of it.

    Parameters
    ----------
    reader : Reader or CellStack
    rows : ndarray of int64, or None
        Rows wanted, rising; None for all.
    keep : list of int
        Positions of the channels wanted.
    """

    reader: Reader | CellStack
    rows: NDArray[np.int64] | None
    keep: list[int]

    def __len__(self) -> int:
        return len(self.reader) if self.rows is None else len(self.rows)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Channels wanted."""
        return tuple(self.reader.channels[i] for i in self.keep)

    @property
    def faults(self) -> list[Fault]:
        """What a salvaging reader found wrong so far, in file order."""
        return in_file_order(self.reader.faults) if isinstance(self.reader, Reader) else []

    @property
    def notes(self) -> list[str]:
        """What the reader has to say though nothing is wrong."""
        return self.reader.notes if isinstance(self.reader, Reader) else []

    @property
    def object_numbers(self) -> NDArray[np.int64]:
        """Object numbers wanted, in file order."""
        return self.reader.object_numbers if self.rows is None else self.reader.object_numbers[self.rows]


def as_paths(inputs: Path | str | Sequence[Path | str]) -> list[Path]:
    """One path or many, as a list.

    Raises
    ------
    UsageError
        There is none.
    """
    paths = [Path(inputs)] if isinstance(inputs, (str, Path)) else [Path(path) for path in inputs]
    if not paths:
        msg = "expected at least one input, found none"
        raise UsageError(msg)
    return paths


def refuse_input_as_output(paths: Sequence[Path], output: Path) -> None:
    """Raise when `output` is one of the inputs, or would lie inside one that is a folder.

    Raises
    ------
    UsageError
        It is: the originals stay as they are.
    """
    target = output.resolve()
    for path in paths:
        source = path.resolve()
        if target == source or (source in target.parents and source.is_dir()):
            msg = f"{output}: expected an output apart from the inputs, found it in {path}"
            raise UsageError(msg)


def is_stack(path: Path) -> bool:
    """Say whether `path` is an HDF5 file, by its first bytes."""
    try:
        with path.open("rb") as file:
            return file.read(len(HDF5_MAGIC)) == HDF5_MAGIC
    except OSError:
        return False  # a folder, or unreadable: the reader says what is wrong


def open_source(
    path: Path,
    objects: NDArray[np.int64] | None,
    channels: Sequence[str | int] | None,
    *,
    salvage: bool = False,
    stacks: bool = False,
) -> Source:
    """Open an input and find the rows and channels wanted.

    Parameters
    ----------
    path : pathlib.Path
    objects : ndarray of int64, or None
        Object numbers wanted, in any order; None for all.
    channels : sequence of str or int, or None
        Channels wanted; None for all.
    salvage : bool
        Keep the intact objects of a damaged input.
    stacks : bool
        Take cell stacks as well.

    Raises
    ------
    UsageError
        The input is a cell stack and `stacks` is False, or it lacks an object or
        a channel.
    FormatError, StackError
        The input cannot be read.
    """
    reader: Reader | CellStack
    if not is_stack(path):
        reader = open_acquisition(path, salvage=salvage)
    elif stacks:
        reader = CellStack.open(path)
    else:
        msg = f"{path}: is an HDF5 file: a cell stack needs no conversion, expected images of an instrument"
        raise UsageError(msg)
    try:
        rows = None if objects is None else np.unique(reader.rows_of(objects))
        return Source(reader, rows, choose_channels(reader.channels, channels))
    except BaseException:
        reader.close()
        raise


def common_form(sources: Sequence[Source]) -> tuple[tuple[Channel, ...], np.dtype[Any], bool]:
    """Channels, pixel dtype and presence of masks that all sources share.

    Raises
    ------
    UsageError
        Numbers or names of the channels differ, or only some have masks.
    """
    first = sources[0]
    known = [(channel.number, channel.name) for channel in first.channels]
    for source in sources[1:]:
        if [(channel.number, channel.name) for channel in source.channels] != known:
            msg = (
                f"{source.reader.path}: expected the channels of {first.reader.path.name} "
                f"({_labels(first)}), found {_labels(source)}: merge files of the same channels"
            )
            raise UsageError(msg)
        if source.reader.has_masks != first.reader.has_masks:
            without = first if source.reader.has_masks else source
            msg = f"{without.reader.path}: has no masks, others have: merge files that all have them or none"
            raise UsageError(msg)
    dtype = np.result_type(*[source.reader.dtype for source in sources])
    return first.channels, dtype, first.reader.has_masks


def _labels(source: Source) -> str:
    return ", ".join(channel.label for channel in source.channels)


def read_batches(
    source: Source, *, workers: int, progress: Progress, task: str
) -> Generator[tuple[NDArray[np.int64], CellBatch]]:
    """Read the wanted objects in threads, in file order, in bounded memory.

    Whoever stops early closes it, which ends the threads.

    Yields
    ------
    (ndarray (n,) of int64, CellBatch)
        Some objects, with the rank of each among all that are wanted. Ranks
        have holes where `salvage` left out damaged objects.
    """
    n_objects = len(source)

    def read(start: int) -> tuple[NDArray[np.int64], CellBatch]:
        stop = min(start + BATCH_ROWS, n_objects)
        rows = range(start, stop) if source.rows is None else source.rows[start:stop]
        batch = source.reader.read_batch(rows)  # type: ignore[arg-type]
        ranks = np.arange(start, stop)
        if len(batch) < len(ranks):
            ranks = ranks[np.isin(source.reader.object_numbers[rows], batch.object_numbers)]
        return ranks, select_channels(batch, source.keep)

    progress(task, 0, n_objects)
    starts = range(0, n_objects, BATCH_ROWS)
    with closing(in_order(read, starts, workers=workers)) as results:
        for start, result in zip(starts, results, strict=True):
            yield result
            progress(task, min(start + BATCH_ROWS, n_objects), n_objects)


def magnification(metadata: Mapping[str, Any]) -> float | None:
    """Magnification in the vendor's metadata, None where it does not say.

    Examples
    --------
    >>> magnification({"Imaging/Magnification": "40"})
    40.0
    """
    try:
        return float(metadata["Imaging/Magnification"])
    except (KeyError, TypeError, ValueError):
        return None


def in_file_order(faults: Sequence[Fault]) -> list[Fault]:
    """Faults by offset and object, whichever thread met them first."""
    return sorted(faults, key=lambda f: (f.offset is None, f.offset or 0, f.object_number or 0, f.message))
