"""Choose a reader by what is in the file, never by its extension alone."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ifcyto.errors import FormatError

if TYPE_CHECKING:
    from ifcyto.readers.base import Reader

__all__ = ["HEAD_BYTES", "READERS", "open_acquisition", "reader_class"]

HEAD_BYTES = 4096

READERS = {
    "cif": "ifcyto.readers.cif:CifReader",
    "daf": "ifcyto.readers.daf:DafReader",
    "bd-tiff": "ifcyto.readers.bd_tiff:BdTiffReader",
    "ideas-tiff": "ifcyto.readers.ideas_tiff:IdeasTiffReader",
    "multipage-tiff": "ifcyto.readers.multipage_tiff:MultipageTiffReader",
    "image-folder": "ifcyto.readers.image_folder:ImageFolderReader",
    "numpy": "ifcyto.readers.arrays:ArrayReader",
}
"""Format name to ``module:class``, in the order in which they are asked."""


def load_reader(name: str) -> type[Reader]:
    """Import the reader class of format `name`."""
    module, _, attribute = READERS[name].partition(":")
    reader: type[Reader] = getattr(import_module(module), attribute)
    return reader


def reader_class(path: Path | str) -> type[Reader]:
    """Find the reader class that takes `path`.

    Raises
    ------
    FormatError
        The path is missing, empty or unreadable, or no reader knows its content.
    """
    path = Path(path)
    try:
        if path.is_dir():
            head = b""
            if not any(path.iterdir()):
                raise FormatError(path, "expected images in this folder, found nothing")
        else:
            if path.exists() and not path.is_file():
                raise FormatError(path, "expected a file or a folder, found a device or a pipe")
            with path.open("rb") as file:
                head = file.read(HEAD_BYTES)
            if not head:
                raise FormatError(path, "expected an image file, found an empty one (0 bytes)")
    except OSError as error:
        raise FormatError(path, f"cannot be opened: {error.strerror or error}") from error
    for name in READERS:
        cls = load_reader(name)
        if cls.sniff(path, head):
            return cls
    found = f"first bytes {head[:8].hex(' ')}" if head else "no images of a known kind in the folder"
    raise FormatError(path, f"expected one of {', '.join(READERS)}; found {found}")


def open_acquisition(path: Path | str, *, salvage: bool = False) -> Reader:
    """Open any readable input: CIF, RIF, DAF, TIFF exports, image folders, arrays.

    Parameters
    ----------
    path : path-like
        File or folder.
    salvage : bool
        Keep the intact objects of a damaged input and collect its faults,
        instead of stopping at the first fault.

    Returns
    -------
    Reader
        Iterates over cells; ``len(reader)``, ``reader.channels``, ``reader.metadata``.

    Raises
    ------
    FormatError
        The input is missing, of no known kind, or damaged.

    Examples
    --------
    >>> import ifcyto
    >>> from ifcyto.samples.demo import write_demo_cif
    >>> import tempfile, pathlib
    >>> path = write_demo_cif(pathlib.Path(tempfile.mkdtemp()) / "a.cif", n_cells=3, seed=1)
    >>> with ifcyto.open_acquisition(path) as reader:
    ...     [cell.object_number for cell in reader]
    [0, 1, 2]
    """
    return reader_class(path)(Path(path), salvage=salvage)
