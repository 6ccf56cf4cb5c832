"""TIFF files of BD CellView and FACSDiscover: one multi-page float32 file per event.

Each page is a channel, named in its PageName tag, such as ``LightLoss (Blue)``.
Checked on files made after the description in the format notes of this project,
not yet on files of an instrument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import Channel
from ifcyto.errors import FormatError
from ifcyto.readers.files import FilesReader, Picture
from ifcyto.readers.folders import TIFF_SUFFIXES, peek, split_suffix
from ifcyto.readers.pixels import read_file
from ifcyto.readers.tiff_pages import is_tiff, read_pages
from ifcyto.readers.tiff_pixels import page_dtype, read_tiff

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BdTiffReader"]

_BRIGHTFIELD = "lightloss"
"""Light-loss channels measure what the object takes from the laser: the brightfield image."""


class BdTiffReader(FilesReader):
    """A folder of BD CellView or FACSDiscover files, or a single one.

    The object number is the number at the end of the file's name; when no file has
    one, events are numbered from 0 in natural order and a note says so. Pixels are
    float32. Channels whose name begins with ``LightLoss`` are brightfield.

    When the reader is opened, the folder is listed and the first file is read. Each
    further file is read and checked, page names included, when it is asked for.

    Examples
    --------
    >>> import pathlib, tempfile, tifffile, numpy as np
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> page_name = (285, "s", 0, "LightLoss (Blue)", True)
    >>> tifffile.imwrite(folder / "event_3.tiff", np.zeros((9, 104), np.float32), extratags=[page_name])
    >>> with BdTiffReader(folder) as reader:
    ...     reader.object_numbers.tolist(), reader.channels[0].brightfield
    ([3], True)
    """

    format = "bd-tiff"
    suffixes = TIFF_SUFFIXES

    @classmethod
    def sniff(cls, path: Path, head: bytes) -> bool:
        """Take TIFF files whose first page is float32 and has a page name."""
        if head:
            return is_tiff(head) and _looks_bd(path)
        names = [name for name in peek(path).images if split_suffix(name)[1] in TIFF_SUFFIXES]
        return any(_looks_bd(path / name) for name in names[:3])

    def _load(self, path: Path) -> Picture:
        pages, planes = read_tiff(path)
        names = [page.text("page_name").strip() for page in pages]
        if planes.dtype != np.float32 or len(planes) != len(pages) or not all(names):
            msg = (
                f"expected float32 pages with a name each, found {len(planes)} planes of {planes.dtype.name} "
                f"and {sum(map(bool, names))} names"
            )
            raise FormatError(path, msg)
        channels = tuple(
            Channel(i, name, brightfield=name.lower().replace(" ", "").startswith(_BRIGHTFIELD))
            for i, name in enumerate(names, 1)
        )
        description = pages[0].text("description")
        return Picture(planes, channels, {"description": description} if description else {})


def _looks_bd(path: Path) -> bool:
    try:
        page = read_pages(read_file(path), path)[0]
        return page_dtype(page, path) == np.float32 and bool(page.text("page_name").strip())
    except FormatError:
        return False
