"""Multi-page TIFF and OME-TIFF files, one object each.

Every page is a channel; a page of several samples gives one channel for each
sample. Names come from the OME-XML description, else from the PageName tag, else
they are ``Ch01``, ``Ch02``, ... Checked on files made by tifffile and by
:func:`ifcyto.writers.tiff.write_ome_tiff`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifcyto.cells import Channel
from ifcyto.errors import FormatError
from ifcyto.readers.files import FilesReader, Picture
from ifcyto.readers.folders import TIFF_SUFFIXES, peek, split_suffix
from ifcyto.readers.ideas_tiff import split_name
from ifcyto.readers.ome import is_ome, parse_ome
from ifcyto.readers.tiff_pages import is_tiff
from ifcyto.readers.tiff_pixels import read_tiff

if TYPE_CHECKING:
    from pathlib import Path

    from ifcyto.readers.tiff_pages import TiffPage

__all__ = ["MultipageTiffReader", "load_multipage"]


class MultipageTiffReader(FilesReader):
    """A folder of TIFF files, one object each, or a single such file.

    The object number is the number at the end of the file's name
    (``cell_0041.ome.tif`` is 41); when no file has one, objects are numbered from
    0 in natural order and a note says so. A file must hold one plane per channel:
    an OME-TIFF with a Z or T axis is refused.

    When the reader is opened, the folder is listed and the first file is read. Each
    further file is read and checked when it is asked for.

    Examples
    --------
    >>> import pathlib, tempfile, tifffile, numpy as np
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> tifffile.imwrite(folder / "cell_7.tif", np.zeros((2, 5, 6), np.uint16), photometric="minisblack")
    >>> with MultipageTiffReader(folder) as reader:
    ...     reader.object_numbers.tolist(), [channel.name for channel in reader.channels]
    ([7], ['Ch01', 'Ch02'])
    """

    format = "multipage-tiff"
    suffixes = TIFF_SUFFIXES

    @classmethod
    def sniff(cls, path: Path, head: bytes) -> bool:
        """Take a TIFF file, or a folder with TIFF files and no other images."""
        if head:
            return is_tiff(head)
        suffixes = {split_suffix(name)[1] for name in peek(path).images}
        return bool(suffixes) and suffixes <= set(TIFF_SUFFIXES)

    def _single(self) -> tuple[list[str], list[int]]:
        exported = split_name(self.path.name)  # one file of an IDEAS export ends in the channel's number
        return ([self.path.name], [exported[1]]) if exported else super()._single()

    def _load(self, path: Path) -> Picture:
        return load_multipage(path)


def load_multipage(path: Path) -> Picture:
    """Read one TIFF file as one object.

    Raises
    ------
    FormatError
        The file is damaged, or its OME-XML is, or speaks of other planes.
    """
    pages, planes = read_tiff(path)
    description = pages[0].text("description")
    names = _sample_names(pages)
    metadata = {"description": description} if description else {}
    if not is_ome(description):
        return Picture(planes, channels_named(names), metadata)
    image = parse_ome(description, path)
    found = (image.size_c, image.size_z, image.size_t)
    if found != (len(planes), 1, 1):
        msg = (
            f"expected OME-XML of {len(planes)} channels, one plane each, "
            f"found SizeC, SizeZ, SizeT of {', '.join(map(str, found))}"
        )
        raise FormatError(path, msg)
    if len(image.names) == len(planes):
        names = [given or name for given, name in zip(image.names, names, strict=True)]
    light = image.brightfield if len(image.brightfield) == len(planes) else None
    return Picture(
        planes, channels_named(names, brightfield=light, pixel_size_um=image.pixel_size_um), metadata
    )


def channels_named(
    names: list[str], *, brightfield: tuple[bool, ...] | None = None, pixel_size_um: float | None = None
) -> tuple[Channel, ...]:
    """Channels 1, 2, ... with these names; an empty name becomes ``Ch01``."""
    return tuple(
        Channel(
            i + 1,
            name or f"Ch{i + 1:02d}",
            brightfield=bool(brightfield and brightfield[i]),
            pixel_size_um=pixel_size_um,
        )
        for i, name in enumerate(names)
    )


def _sample_names(pages: list[TiffPage]) -> list[str]:
    """Names by page and sample; RGB samples of a single page are R, G, B."""
    names = []
    for page in pages:
        samples = page.number("samples", 1)
        if samples == 1:
            names.append(page.text("page_name").strip())
        elif len(pages) == 1 and samples in {3, 4} and page.number("photometric", 1) == 2:
            names.extend("RGBA"[:samples])
        else:
            names.extend([""] * samples)
    return names
