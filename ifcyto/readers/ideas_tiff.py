"""TIFF export of IDEAS: one file for each object and channel.

Files are called ``<prefix>_<object>_Ch<n>.ome.tif``; the object number stands in
the name and in two private tags. Checked on files made after the description in
the format notes of this project, malformed tags included, not yet on files
that IDEAS has written.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import Cell, Channel
from ifcyto.errors import Fault, FormatError
from ifcyto.readers.base import Reader
from ifcyto.readers.folders import describe_holes, list_folder, name_some, peek
from ifcyto.readers.pixels import widen
from ifcyto.readers.tiff_pixels import read_tiff

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.readers.tiff_pages import TiffPage

__all__ = ["IdeasTiffReader", "split_name"]

_NAME = re.compile(
    r"(?:(?P<prefix>.*)_)?(?P<object>\d{1,18})_Ch(?P<channel>\d{1,3})\.(?:ome\.)?tiff?", re.I | re.A
)


def split_name(name: str) -> tuple[str, int, int] | None:
    """Prefix, object number and channel number of an exported file; None for another name.

    Examples
    --------
    >>> split_name("MDS 1_00041_Ch5.ome.tif")
    ('MDS 1', 41, 5)
    """
    found = _NAME.fullmatch(name)
    return (found["prefix"] or "", int(found["object"]), int(found["channel"])) if found else None


class IdeasTiffReader(Reader):
    """A folder of TIFF files exported by IDEAS.

    When the reader is opened the folder is listed once, the names are checked (one
    prefix, no duplicates, the same channels for every object) and the files of the
    first object are read: they say the pixel type. All other files are opened when
    their object is asked for, and then the number in the tags is checked against
    the name. No file stays open, so 600,000 files are as well as six.

    Channels are named ``Ch01``, ... as the export gives no names. 16-bit pixels become
    int32. The description of the first file, which may hold the operator's name and a
    folder, stands in ``metadata["description"]`` only.

    Examples
    --------
    >>> import pathlib, tempfile, tifffile, numpy as np
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for channel in (1, 5):
    ...     tifffile.imwrite(folder / f"a_12_Ch{channel}.ome.tif", np.ones((4, 6), np.uint16), ome=False)
    >>> with IdeasTiffReader(folder) as reader:
    ...     [channel.name for channel in reader.channels], reader.read_cell(0).object_number
    (['Ch01', 'Ch05'], 12)
    """

    format = "ideas-tiff"
    has_masks = False

    def __init__(self, path: Path | str, *, salvage: bool = False) -> None:
        super().__init__(path, salvage=salvage)
        files = self._list()
        numbers = sorted({channel for _, channel in files})
        self.channels = tuple(Channel(number, f"Ch{number:02d}") for number in numbers)
        self._files = self._complete(files, numbers)
        self.object_numbers = np.array(sorted(self._files), np.int64)
        holes = describe_holes(self.object_numbers)
        if holes:
            self.notes.append(holes)
        self.dtype = self._first_dtype()

    @classmethod
    def sniff(cls, path: Path, head: bytes) -> bool:
        """Take a folder in which a file is named as IDEAS names them."""
        return not head and any(split_name(name) for name in peek(path).images)

    def _list(self) -> dict[tuple[int, int], str]:
        """File names by object and channel number, of the prefix that most files have."""
        listing = list_folder(self.path, natural=False)
        others = listing.others + listing.folders
        if others:
            self.notes.append(f"{len(others)} other entries of the folder are not read: {name_some(others)}")
        parts = {name: split_name(name) for name in listing.images}
        prefixes = Counter(part[0] for part in parts.values() if part)
        if not prefixes:
            raise FormatError(self.path, "expected files named <prefix>_<object>_Ch<n>.ome.tif, found none")
        prefix = prefixes.most_common(1)[0][0]
        files: dict[tuple[int, int], str] = {}
        for name, part in parts.items():
            if part is None:
                self.report(Fault("expected the name <prefix>_<object>_Ch<n>.ome.tif", where=name))
            elif part[0] != prefix:
                message = (
                    f"expected one export in the folder, with prefix {prefix!r}; move other exports elsewhere"
                )
                self.report(Fault(message, part[1], where=name))
            elif part[1:] in files:
                message = f"expected one file for channel {part[2]}, found {files[part[1:]]} as well"
                self.report(Fault(message, part[1], where=name))
            else:
                files[part[1:]] = name
        return files

    def _complete(self, files: dict[tuple[int, int], str], channels: list[int]) -> dict[int, tuple[str, ...]]:
        """File names by object, in the order of `channels`; objects that lack one are faults."""
        objects: dict[int, list[str]] = {}
        for number, channel in sorted(files):
            objects.setdefault(number, []).append(files[number, channel])
        complete = {}
        for number, names in objects.items():
            if len(names) == len(channels):
                complete[number] = tuple(names)
                continue
            missing = [f"Ch{channel}" for channel in channels if (number, channel) not in files]
            message = (
                f"expected a file for each of {len(channels)} channels, found none for {', '.join(missing)}"
            )
            self.report(Fault(message, number, where=names[0]))
        return complete

    def _first_dtype(self) -> np.dtype[Any]:
        """Pixel type of the first object; with `salvage` of the first intact one."""
        for row in range(len(self)):
            try:
                pages, planes = self._planes(row)
                dtype = widen(planes[0].dtype, self.path)
            except FormatError:
                if not self.salvage:
                    raise
                continue
            description = pages[0].text("description")
            if description:
                self.metadata["description"] = description
            return dtype
        raise FormatError(self.path, "expected at least one intact object with all channels, found none")

    def _planes(self, row: int) -> tuple[list[TiffPage], list[NDArray[Any]]]:
        number = int(self.object_numbers[row])
        pages: list[TiffPage] = []
        planes: list[NDArray[Any]] = []
        for name in self._files[number]:
            try:
                file_pages, images = read_tiff(self.path / name)
                page, plane = file_pages[0], images[0]
                _check_plane(page, images, planes, number, self.path / name)
                widen(plane.dtype, self.path)
            except FormatError as error:
                fault = Fault(error.fault.message, number, error.fault.offset, name)
                raise FormatError(self.path, fault) from error
            pages.append(page)
            planes.append(plane)
        return pages, planes

    def read_cell(self, row: int) -> Cell:
        """Read the object at `row`, opening one file for each channel.

        Raises
        ------
        FormatError
            A file is damaged, its tags give another object number than its name,
            or the channels differ in size or pixel type.
        UsageError
            There is no such row.
        """
        row = self.check_row(row)
        pages, planes = self._planes(row)
        number = int(self.object_numbers[row])
        if not np.can_cast(planes[0].dtype, self.dtype, "safe"):
            message = (
                f"expected pixels that fit {self.dtype} as in the first object, found {planes[0].dtype.name}"
            )
            raise FormatError(self.path, message, object_number=number, where=self._files[number][0])
        acquired = pages[0].numbers("acquisition_number")
        facts = {"acquisition_number": int(acquired[0])} if acquired else {}
        return Cell(number, np.stack(planes).astype(self.dtype), None, facts)


def _check_plane(
    page: TiffPage, images: NDArray[Any], earlier: list[NDArray[Any]], number: int, path: Path
) -> None:
    """Check one channel's file against its name and against the channels before it."""
    if len(images) != 1:
        raise FormatError(path, f"expected one grey image, found {len(images)} planes")
    for name in ("object_number", "acquisition_number"):
        told = page.numbers(name)
        if told and told[0] != number:
            message = f"expected the object number of the file's name in the tags, found {told[0]} ({name})"
            raise FormatError(path, message, offset=page.offset)
    if earlier and (images[0].shape, images[0].dtype) != (earlier[0].shape, earlier[0].dtype):
        first, this = (f"{a.shape[0]} x {a.shape[1]} {a.dtype.name}" for a in (earlier[0], images[0]))
        raise FormatError(path, f"expected {first} as in the object's first channel, found {this}")
