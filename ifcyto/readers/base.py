"""The contract of every reader.

A reader opens one acquisition (a file or a folder), says what is in it, and
yields its objects. It is chosen by content (:mod:`ifcyto.readers.registry`).
"""

from __future__ import annotations

import abc
import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ifcyto.cells import CellBatch, find_rows
from ifcyto.errors import Fault, FormatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from ifcyto.cells import Cell, Channel

__all__ = ["Reader"]


class Reader(abc.ABC):
    """Base of all readers.

    Parameters
    ----------
    path : path-like
        File or folder.
    salvage : bool
        False (default): the first fault is raised as :class:`FormatError`.
        True: faults are collected in :attr:`faults`, damaged objects are left
        out, intact ones are kept.

    Attributes
    ----------
    format : str
        Short name of the format (class attribute), such as ``"cif"``.
    path : pathlib.Path
    channels : tuple of Channel
        In the order of the images' first axis.
    object_numbers : ndarray (N,) of int64
        Key of each row, in file order; unique.
    dtype : numpy.dtype
        Of the pixels of every cell of this reader: int16 or wider, or float.
    has_masks : bool
    metadata : dict
        What the vendor wrote, as text by name; may hold personal names and paths.
    notes : list of str
        What a user should know though nothing is wrong: holes in the object
        numbers, names that are missing, ...
    faults : list of Fault
        What was found wrong so far (only with `salvage`).

    Notes
    -----
    A subclass fills the attributes in its ``__init__`` after
    ``super().__init__(path, salvage=salvage)`` and implements :meth:`sniff` and
    :meth:`read_cell`; a fast format overrides :meth:`read_batch` too. Every
    method that takes rows checks them with :meth:`check_row`. A pickled reader
    travels as its path and is opened again where it arrives.
    """

    format: ClassVar[str]
    channels: tuple[Channel, ...]
    object_numbers: NDArray[np.int64]
    dtype: np.dtype[Any]
    has_masks: bool

    def __init__(self, path: Path | str, *, salvage: bool = False) -> None:
        self.path = Path(path)
        self.salvage = salvage
        self.metadata: dict[str, Any] = {}
        self.notes: list[str] = []
        self.faults: list[Fault] = []

    @classmethod
    @abc.abstractmethod
    def sniff(cls, path: Path, head: bytes) -> bool:
        """Say whether this reader takes `path`, by its content.

        `head` holds the first 4096 bytes of a file, and is empty for a folder.
        Must be quick and must not raise on any content.
        """

    @abc.abstractmethod
    def read_cell(self, row: int) -> Cell:
        """Read the object at `row` (0-based position in file order).

        Raises
        ------
        FormatError
            The object is damaged, with `salvage` or without.
        UsageError
            There is no such row; negative rows do not count from the end.
        """

    def read_batch(self, rows: Sequence[int]) -> CellBatch:
        """Read several objects; safe to call from several threads at once.

        With `salvage` damaged objects are left out and added to :attr:`faults`,
        so the batch may be shorter than `rows`.
        """
        cells = []
        for row in rows:
            try:
                cells.append(self.read_cell(row))
            except FormatError as error:
                self.report(error.fault)
        return CellBatch.from_cells(cells, n_channels=len(self.channels), dtype=self.dtype)

    def __len__(self) -> int:
        return len(self.object_numbers)

    def __iter__(self) -> Iterator[Cell]:
        """Yield every object in file order, reading a few ahead."""
        for start in range(0, len(self), 64):
            yield from self.read_batch(range(start, min(start + 64, len(self)))).cells()

    @property
    def pixel_size_um(self) -> float | None:
        """Pixel side in micrometres when all channels agree on it, else None."""
        sizes = {channel.pixel_size_um for channel in self.channels}
        return sizes.pop() if len(sizes) == 1 else None

    def rows_of(self, object_numbers: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of the given object numbers, in the order asked.

        Raises
        ------
        UsageError
            Some numbers are not in the file; the first few are named.
        """
        return find_rows(self.object_numbers, object_numbers, self.path, "file")

    def check_row(self, row: int) -> int:
        """Return `row` as a plain int if the file has it.

        Raises
        ------
        UsageError
            It is negative, or not below ``len(self)``.
        """
        plain = operator.index(row)
        if not 0 <= plain < len(self):
            msg = (
                f"{self.path}: expected a row from 0 to {len(self) - 1}, found {plain}: "
                f"the file holds {len(self)} objects"
            )
            raise UsageError(msg)
        return plain

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (type(self), self.path, self.salvage)

    def report(self, fault: Fault) -> None:
        """Raise `fault`, or keep it when salvaging."""
        if not self.salvage:
            raise FormatError(self.path, fault)
        self.faults.append(fault)

    def close(self) -> None:  # noqa: B027 - readers that hold no file need not override it
        """Release files; the reader is not used afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _reopen(cls: type[Reader], path: Path, salvage: bool) -> Reader:  # noqa: FBT001 - called by pickle
    return cls(path, salvage=salvage)
