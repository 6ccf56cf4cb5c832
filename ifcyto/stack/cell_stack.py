"""Open a cell stack and take cells out of it; pixels stay on disk until asked for."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import FACTS, Cell, CellBatch, find_rows
from ifcyto.errors import UsageError
from ifcyto.stack.frames import backgrounds, channel_rows, frame_size, frames
from ifcyto.stack.open import StackFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

    from ifcyto.cells import Channel

__all__ = ["CellStack"]

PIXELS_AT_ONCE = 4_000_000
"""Pixels that :meth:`CellStack.images` holds beside its result, at least one cell."""


class CellStack:
    """A cell stack on disk; make it with :meth:`open`.

    Safe to read from several threads. Pickling keeps the path: the copy opens
    the file again.

    Attributes
    ----------
    path : pathlib.Path
    channels : tuple of Channel
        In the order of the images' first axis.
    object_numbers : ndarray (N,) of int64
    heights, widths : ndarray (N,) of int32
        Of one channel's image, in pixels.
    centroids : ndarray (N, 2) of float64
        Row and column of the mask's centroid, in pixels from 0; the centre of
        the image where there is no mask.
    sources : ndarray (N,) of int32
        Index of the input of each object, in ``provenance["sources"]``.
    source_object_numbers : ndarray (N,) of int64
        The object's number in that input.
    has_masks : bool
    dtype : numpy.dtype
        Of the pixels.
    metadata, provenance : dict

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.cells import Channel
    >>> from ifcyto.stack.write import write_stack
    >>> cells = [Cell(7, np.ones((2, 3, 4), np.int16)), Cell(9, np.ones((2, 5, 5), np.int16))]
    >>> channels = [Channel(1, "BF"), Channel(5, "DRAQ5")]
    >>> path = write_stack(cells, Path(tempfile.mkdtemp()) / "a.h5", channels=channels)
    >>> with CellStack.open(path) as stack:
    ...     stack.cell(1).object_number, stack.images([0, 1], channels=["DRAQ5"], size=64).shape
    (9, (2, 1, 64, 64))
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._file = file = StackFile(self.path)
        self.channels: tuple[Channel, ...] = file.channels
        self.object_numbers: NDArray[np.int64] = file.object_numbers
        self.heights: NDArray[np.int32] = file.heights
        self.widths: NDArray[np.int32] = file.widths
        self.centroids: NDArray[np.float64] = file.centroids
        self.sources: NDArray[np.int32] = file.sources
        self.source_object_numbers: NDArray[np.int64] = file.source_object_numbers
        self.has_masks: bool = file.masks is not None
        self.dtype: np.dtype[Any] = file.pixels.dtype.newbyteorder("=")
        self.metadata: dict[str, Any] = file.metadata
        self.provenance: dict[str, Any] = file.provenance
        self._order: NDArray[np.int64] | None = None

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open the stack at `path`.

        Raises
        ------
        StackError
            The file is missing, no cell stack, unfinished, damaged, or newer
            than this package.
        """
        return cls(path)

    def close(self) -> None:
        """Release the file; the stack is not read afterwards."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[type[CellStack], tuple[Path]]:
        return type(self), (self.path.resolve(),)

    def __len__(self) -> int:
        return len(self.object_numbers)

    def __repr__(self) -> str:
        labels = ", ".join(channel.label for channel in self.channels)
        return f"<CellStack {self.path.name}: {len(self)} objects, {labels}, {self.dtype}>"

    @property
    def facts(self) -> tuple[str, ...]:
        """Names of the facts that the stack holds, in the order of :data:`ifcyto.cells.FACTS`."""
        return tuple(self._file.fact_names)

    def fact(self, name: str) -> NDArray[Any] | None:
        """Read one column of facts: ``(N,)``, or ``(N, C)`` where it is per channel.

        Parameters
        ----------
        name : str
            One of :data:`ifcyto.cells.FACTS`.

        Returns
        -------
        ndarray or None
            None where the source did not give this fact. Texts come as objects.

        Raises
        ------
        UsageError
            There is no fact of this name.
        """
        if name not in FACTS:
            msg = f"expected a fact of {', '.join(FACTS)}; found {name!r}"
            raise UsageError(msg)
        return self._file.fact(name) if name in self._file.fact_names else None

    def cell(self, row: int) -> Cell:
        """Read the object at `row` (0-based), exactly as it was written.

        Raises
        ------
        UsageError
            The stack has no such row.
        StackError
            The file is damaged there.
        """
        return self.read_batch([operator.index(row)]).cells()[0]

    def rows_of(self, object_numbers: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of the given object numbers, in the order asked.

        Raises
        ------
        UsageError
            Some numbers are not in the stack; the first few are named.
        """
        if self._order is None:
            self._order = np.argsort(self.object_numbers, kind="stable")
        return find_rows(self.object_numbers, object_numbers, self.path, "stack", self._order)

    def row_numbers(self, rows: Any = None) -> NDArray[np.int64]:
        """Rows as an array, from None (all), a slice, numbers from 0, or ``(N,)`` booleans.

        Raises
        ------
        UsageError
            A row outside the stack, or something that is no row.
        """
        if rows is None or isinstance(rows, slice):
            return np.arange(len(self))[slice(None) if rows is None else rows]
        array = np.asarray(rows)
        if array.dtype == bool and array.shape == (len(self),):
            return np.flatnonzero(array)
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            msg = f"expected rows as whole numbers, a slice or {len(self)} booleans, found {rows!r:.80}"
            raise UsageError(msg)
        outside = array[(array < 0) | (array >= len(self))]
        if len(outside):
            msg = f"{self.path}: expected rows from 0 to {len(self) - 1}, found {outside[0]}"
            raise UsageError(msg)
        return array.astype(np.int64)

    def read_batch(self, rows: Any = None) -> CellBatch:
        """Read whole objects in flat arrays, in the order asked; see :meth:`row_numbers`."""
        numbers = self.row_numbers(rows)
        file = self._file
        facts = {name: self._file.fact(name)[numbers] for name in file.fact_names}
        return CellBatch(
            object_numbers=self.object_numbers[numbers],
            heights=self.heights[numbers],
            widths=self.widths[numbers],
            n_channels=len(self.channels),
            pixels=file.read_flat(file.pixels, numbers),
            masks=None if file.masks is None else file.read_flat(file.masks, numbers),
            facts=facts,
        )

    def batches(self, size: int = 256, rows: Any = None) -> Iterator[CellBatch]:
        """Go through the stack, or through `rows`, in batches of at most `size` objects.

        Raises
        ------
        UsageError
            `size` is not a positive number, or rows are outside the stack.
        """
        if size < 1:
            msg = f"expected batches of 1 object or more, found {size}"
            raise UsageError(msg)
        numbers = self.row_numbers(rows)
        return (self.read_batch(numbers[start : start + size]) for start in range(0, len(numbers), size))

    def images(
        self, rows: Any = None, channels: Any = None, size: int | tuple[int, int] = 64
    ) -> NDArray[Any]:
        """Images of one size, padded or cropped about the mask's centroid.

        Parameters
        ----------
        rows : see :meth:`row_numbers`
        channels : str, int, Channel, or a sequence of these; None for all
            By role, name, short name or number;
            see :func:`ifcyto.stack.frames.channel_rows`.
        size : int or (int, int)
            Height and width in pixels.

        Returns
        -------
        ndarray (n, C, H, W)
            In the stack's dtype. The pixel nearest to the centroid lies at
            ``(H // 2, W // 2)``. Outside the image stands the cell's background:
            :func:`ifcyto.stack.frames.backgrounds`.

        Raises
        ------
        UsageError
            A row or channel that is not there, or a size below 1.
        StackError
            The file is damaged.
        """
        return self._frames(rows, channels, size, masks=False)

    def masks(
        self, rows: Any = None, channels: Any = None, size: int | tuple[int, int] = 64
    ) -> NDArray[np.uint8]:
        """Masks of one size, cut as :meth:`images` cuts, with 0 outside.

        Raises
        ------
        UsageError
            As :meth:`images`; or the stack has no masks.
        """
        if not self.has_masks:
            msg = f"{self.path}: expected masks, found none: the source had no masks"
            raise UsageError(msg)
        return self._frames(rows, channels, size, masks=True)

    def _frames(self, rows: Any, channels: Any, size: Any, *, masks: bool) -> NDArray[Any]:
        numbers, picked = self.row_numbers(rows), channel_rows(self.channels, channels)
        shape = (len(numbers), len(picked), *frame_size(size))
        out = np.empty(shape, np.uint8 if masks else self.dtype)
        for part in self._file.parts(numbers, PIXELS_AT_ONCE):
            batch = self._file.flat_batch(numbers[part], masks=masks)
            fill = np.zeros((len(batch), len(self.channels)), np.uint8) if masks else backgrounds(batch)
            frames(batch, batch.pixels, self.centroids[numbers[part]], picked, fill, out[part])
        return out
