"""NumPy files: ``.npy`` with images, ``.npz`` with images and what belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import Cell
from ifcyto.errors import FormatError, UsageError
from ifcyto.readers.base import Reader
from ifcyto.readers.folders import describe_holes, name_some
from ifcyto.readers.multipage_tiff import channels_named
from ifcyto.readers.npy import map_npy, read_npz
from ifcyto.readers.pixels import widen

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ArrayReader"]

_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"

_KEYS = ("images", "masks", "object_numbers", "channels", "labels")


class ArrayReader(Reader):
    """Arrays of images ``(N, C, H, W)`` in a NumPy file.

    An ``.npy`` file holds the images alone and is memory-mapped; objects are numbered from
    0. An ``.npz`` file, which is held in memory, has the array ``images`` and may have
    ``masks`` (the same shape, uint8 or bool), ``object_numbers`` ``(N,)``, ``channels``
    (names, ``(C,)``) and ``labels`` (texts, ``(N,)``). Pickled objects are refused.

    When the reader is opened all shapes and types are checked against the file's
    size; for ``.npz`` all values are read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "cells.npz"
    >>> np.savez(path, images=np.zeros((2, 1, 4, 5), np.int16), object_numbers=[3, 8], channels=["BF"])
    >>> with ArrayReader(path) as reader:
    ...     [cell.object_number for cell in reader], reader.channels[0].label
    ([3, 8], 'Ch01 BF')
    """

    format = "numpy"

    def __init__(self, path: Path | str, *, salvage: bool = False) -> None:
        super().__init__(path, salvage=salvage)
        arrays = self._open()
        self._images: NDArray[Any] | None = self._check_images(arrays)
        shape = self._images.shape
        self.dtype = widen(self._images.dtype, self.path)
        self.channels = channels_named(self._texts(arrays, "channels", shape[1]) or [""] * shape[1])
        self._masks = self._check_masks(arrays, shape)
        self.has_masks = self._masks is not None
        self._labels = self._texts(arrays, "labels", shape[0])
        self.object_numbers = self._check_numbers(arrays, shape[0])
        unknown = sorted(set(arrays) - set(_KEYS))
        if unknown:
            self.notes.append(f"arrays of other names are not used: {name_some(unknown)}")

    @classmethod
    def sniff(cls, path: Path, head: bytes) -> bool:
        """Take NumPy files, and zip files that begin with a NumPy array."""
        return head.startswith(_NPY) or (head.startswith(_ZIP) and b".npy" in head[30:300])

    def _open(self) -> dict[str, NDArray[Any]]:
        try:
            with self.path.open("rb") as file:
                magic = file.read(6)
        except OSError as error:
            raise FormatError(self.path, f"cannot be opened: {error.strerror or error}") from error
        return {"images": map_npy(self.path)} if magic == _NPY else read_npz(self.path)

    def _check_images(self, arrays: dict[str, NDArray[Any]]) -> NDArray[Any]:
        if "images" not in arrays:
            found = name_some(sorted(arrays)) or "none"
            raise FormatError(self.path, f"expected an array called images, found {found}")
        images = arrays["images"]
        if images.ndim != 4 or 0 in images.shape:
            msg = f"expected images (N, C, H, W) with at least one object and pixel, found {images.shape}"
            raise FormatError(self.path, msg, where="images")
        if images.shape[3] <= 12 < images.shape[1]:
            msg = (
                f"expected images (N, C, H, W), found {images.shape}: transpose them if that is (N, H, W, C)"
            )
            raise FormatError(self.path, msg, where="images")
        return images

    def _check_masks(
        self, arrays: dict[str, NDArray[Any]], shape: tuple[int, ...]
    ) -> NDArray[np.uint8] | None:
        masks = arrays.get("masks")
        if masks is None:
            return None
        if masks.shape != shape or masks.dtype not in (np.dtype(np.uint8), np.dtype(bool)):
            msg = f"expected masks {shape} of uint8 or bool, found {masks.shape} of {masks.dtype}"
            raise FormatError(self.path, msg, where="masks")
        return masks.astype(np.uint8, copy=False)

    def _texts(self, arrays: dict[str, NDArray[Any]], key: str, count: int) -> list[str] | None:
        texts = arrays.get(key)
        if texts is None:
            return None
        if texts.shape != (count,) or texts.dtype.kind != "U":
            msg = f"expected {count} texts, found {texts.shape} of {texts.dtype}"
            raise FormatError(self.path, msg, where=key)
        try:
            return [str(text) for text in texts]
        except (ValueError, SystemError) as error:  # as NumPy refuses code points beyond Unicode
            raise FormatError(self.path, "expected texts, found bytes that are none", where=key) from error

    def _check_numbers(self, arrays: dict[str, NDArray[Any]], count: int) -> NDArray[np.int64]:
        numbers = arrays.get("object_numbers")
        if numbers is None:
            self.notes.append(
                f"the file carries no object numbers: they are numbered from 0 to {count - 1} in file order"
            )
            return np.arange(count, dtype=np.int64)
        if (
            numbers.shape != (count,)
            or not np.can_cast(numbers.dtype, np.int64, "safe")
            or numbers.dtype == bool
        ):
            msg = f"expected {count} whole numbers, found {numbers.shape} of {numbers.dtype}"
            raise FormatError(self.path, msg, where="object_numbers")
        numbers = numbers.astype(np.int64)
        unique, counts = np.unique(numbers, return_counts=True)
        if len(unique) < count:
            twice = unique[counts > 1]
            msg = f"expected each object number once, found {twice[0]} {counts.max()} times"
            raise FormatError(self.path, msg, where="object_numbers")
        holes = describe_holes(numbers)
        if holes:
            self.notes.append(holes)
        return numbers

    def read_cell(self, row: int) -> Cell:
        """Copy the object at `row` out of the array.

        Raises
        ------
        UsageError
            There is no such row, or the reader is closed.
        """
        row = self.check_row(row)
        if self._images is None:
            msg = f"{self.path}: the reader is closed"
            raise UsageError(msg)
        images = np.array(self._images[row], self.dtype, order="C")
        masks = None if self._masks is None else self._masks[row].copy()
        facts = {} if self._labels is None else {"label": self._labels[row]}
        return Cell(int(self.object_numbers[row]), images, masks, facts)

    def close(self) -> None:
        """Let go of the memory map."""
        self._images = None
