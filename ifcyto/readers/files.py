"""Base of the formats that keep each object in a file of its own."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import Cell
from ifcyto.errors import Fault, FormatError
from ifcyto.readers.base import Reader
from ifcyto.readers.folders import describe_holes, list_folder, name_some, split_suffix
from ifcyto.readers.pixels import number_in_name, widen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.cells import Channel

__all__ = ["FilesReader", "Picture"]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What one file holds.

    Parameters
    ----------
    planes : ndarray (C, H, W)
        In the dtype of the file.
    channels : tuple of Channel
    metadata : dict
        What else the file says, as text.
    note : str
        What a user should know of files like this one; mostly empty.
    """

    planes: NDArray[Any]
    channels: tuple[Channel, ...]
    metadata: dict[str, Any] = field(default_factory=dict)
    note: str = ""


class FilesReader(Reader):
    """Objects in files of their own, in a folder or a single file.

    The folder is listed once when the reader is opened, and only the first
    readable object is decoded then: it says which channels and which pixel type
    all others must have. Every other file is opened when it is asked for. No file
    stays open.

    A subclass implements :meth:`_load`, and :meth:`_list` when it does not take
    the object number from the end of the file's name.
    """

    has_masks = False
    suffixes: tuple[str, ...]

    def __init__(self, path: Path | str, *, salvage: bool = False) -> None:
        super().__init__(path, salvage=salvage)
        self._in_folder = self.path.is_dir()
        files, numbers = self._list() if self._in_folder else self._single()
        self._files, self.object_numbers = self._unique(files, numbers)
        holes = describe_holes(self.object_numbers)
        if holes:
            self.notes.append(holes)
        first = self._first_picture()
        self.channels = first.channels
        self.dtype = widen(first.planes.dtype, self.path)
        self.metadata = first.metadata | self.metadata
        if first.note:
            self.notes.append(first.note)

    @abc.abstractmethod
    def _load(self, path: Path) -> Picture:
        """Read one file, or raise FormatError naming it."""

    def _facts(self, row: int) -> dict[str, Any]:
        """Facts of the object at `row` that do not come from its file's content."""
        return {}

    def _single(self) -> tuple[list[str], list[int]]:
        number = number_in_name(split_suffix(self.path.name)[0])
        return [self.path.name], [0 if number is None else number]

    def _list(self) -> tuple[list[str], list[int]]:
        """Names of the files, and their object numbers, from the end of the name.

        When no file has a number there, objects are numbered from 0 in natural order.
        """
        listing = list_folder(self.path)
        images = [name for name in listing.images if split_suffix(name)[1] in self.suffixes]
        others = listing.others + listing.folders
        others += [name for name in listing.images if split_suffix(name)[1] not in self.suffixes]
        if others:
            self.notes.append(f"{len(others)} other entries of the folder are not read: {name_some(others)}")
        numbers = [number_in_name(split_suffix(name)[0]) for name in images]
        if all(number is None for number in numbers):
            self._say_running(images)
            return images, list(range(len(images)))
        files, known = [], []
        for name, number in zip(images, numbers, strict=True):
            if number is None:
                self.report(Fault("expected an object number at the end of the name, found none", where=name))
            else:
                files.append(name)
                known.append(number)
        return files, known

    def _say_running(self, files: Sequence[str]) -> None:
        self.notes.append(
            f"the files carry no object numbers: they are numbered from 0 to {len(files) - 1} in natural "
            "order of their names; metadata['files'] says which is which"
        )
        self.metadata["files"] = {str(i): name for i, name in enumerate(files)}

    def _unique(self, files: list[str], numbers: list[int]) -> tuple[list[str], NDArray[np.int64]]:
        """Order by object number; duplicates are faults, and the first of them is kept."""
        seen: dict[int, str] = {}
        for name, number in zip(files, numbers, strict=True):
            if number in seen:
                message = f"expected one file for each object number, found {seen[number]} as well"
                self.report(Fault(message, object_number=number, where=name))
            else:
                seen[number] = name
        order = sorted(seen)
        return [seen[number] for number in order], np.array(order, np.int64)

    def _first_picture(self) -> Picture:
        """Picture that speaks for all; with `salvage` the first intact one."""
        first = "no image files"
        for row in range(len(self._files)):
            try:
                return self._load_row(row)
            except FormatError as error:
                if not self.salvage:
                    raise
                first = str(error.fault) if row == 0 else first
        raise FormatError(self.path, f"expected at least one intact object, found none; first fault: {first}")

    def _load_row(self, row: int) -> Picture:
        """Load the file of `row`; faults name the object and its file."""
        path = self.path / self._files[row] if self._in_folder else self.path
        try:
            picture = self._load(path)
            widen(picture.planes.dtype, path)
        except FormatError as error:
            raise self._fault(row, error.fault.message, error.fault.offset) from error
        return picture

    def _fault(self, row: int, message: str, offset: int | None = None) -> FormatError:
        where = self._files[row] if self._in_folder else None
        number = int(self.object_numbers[row])
        return FormatError(self.path, message, object_number=number, offset=offset, where=where)

    def read_cell(self, row: int) -> Cell:
        """Read the object at `row`, opening its file.

        Raises
        ------
        FormatError
            The file is damaged, or its channels or pixel type are not those of the
            first object.
        UsageError
            There is no such row.
        """
        row = self.check_row(row)
        picture = self._load_row(row)
        if _identity(picture.channels) != _identity(self.channels):
            message = (
                f"expected the channels of the first object ({_labels(self.channels)}), "
                f"found {_labels(picture.channels)}"
            )
            raise self._fault(row, message)
        stored = picture.planes.dtype
        if not np.can_cast(stored, self.dtype, "safe"):
            message = f"expected pixels that fit {self.dtype} as in the first object, found {stored.name}"
            raise self._fault(row, message)
        images = np.array(picture.planes, self.dtype, order="C")
        return Cell(int(self.object_numbers[row]), images, None, self._facts(row))


def _identity(channels: tuple[Channel, ...]) -> list[tuple[int, str, float | None]]:
    return [(channel.number, channel.name, channel.pixel_size_um) for channel in channels]


def _labels(channels: tuple[Channel, ...]) -> str:
    """Names, and the pixel sizes where they are known."""
    shown = [
        channel.name if channel.pixel_size_um is None else f"{channel.name} at {channel.pixel_size_um:g} um"
        for channel in channels[:12]
    ]
    return ", ".join(shown) + (" ..." if len(channels) > 12 else "")
