"""Folders of PNG, JPEG or TIFF images, one object each; a subfolder is a class."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from ifcyto.errors import FormatError
from ifcyto.readers.files import FilesReader, Picture
from ifcyto.readers.folders import IMAGE_SUFFIXES, list_folder, name_some, peek
from ifcyto.readers.multipage_tiff import channels_named, load_multipage
from ifcyto.readers.pixels import MAX_OBJECT_BYTES, read_file
from ifcyto.readers.tiff_pages import is_tiff

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ImageFolderReader"]

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"

_EXPANSION = 1040
"""Pixels' bytes per byte of file that deflate or JPEG can at most give."""

_MODES = {
    "1": ("L", ""),
    "L": ("L", ""),
    "I;16": ("I;16", ""),
    "I;16B": ("I;16B", ""),
    "I": ("I", ""),
    "RGB": ("RGB", ""),
    "LA": ("L", "transparency (the alpha channel) is left out"),
    "P": ("RGB", "palette colours are read as RGB"),
    "RGBA": ("RGB", "transparency (the alpha channel) is left out"),
}
"""Pillow's mode to the mode that is read, and a note."""


class ImageFolderReader(FilesReader):
    """A folder of single-object images, or a single one.

    Images lie in the folder itself or in its subfolders; then the subfolder's name
    is the object's ``label``. Objects are numbered from 0 in natural order of
    subfolder and file name, and ``metadata["files"]`` tells the file of each number.
    A grey image has one channel, a colour image three: R, G and B. The kind of a file
    is told by its first bytes, not by its name.

    When the reader is opened, the folder and its subfolders are listed and the first
    image is read. Each further image is read and checked when it is asked for.

    Examples
    --------
    >>> import pathlib, tempfile, numpy as np
    >>> from PIL import Image
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "BNE").mkdir()
    >>> Image.fromarray(np.zeros((5, 6), np.uint8)).save(folder / "BNE" / "a.png")
    >>> with ImageFolderReader(folder) as reader:
    ...     [(cell.object_number, cell.label, cell.images.shape) for cell in reader]
    [(0, 'BNE', (1, 5, 6))]
    """

    format = "image-folder"
    suffixes = IMAGE_SUFFIXES

    @classmethod
    def sniff(cls, path: Path, head: bytes) -> bool:
        """Take a PNG or JPEG file, or a folder with images in it or in its subfolders."""
        if head:
            return head.startswith((_PNG, _JPEG))
        listing = peek(path)
        return bool(listing.images) or any(peek(path / name).images for name in listing.folders)

    def _list(self) -> tuple[list[str], list[int]]:
        listing = list_folder(self.path)
        files, others = list(listing.images), list(listing.others)
        for folder in listing.folders:
            inside = list_folder(self.path / folder)
            files += [f"{folder}/{name}" for name in inside.images]
            others += [f"{folder}/{name}" for name in inside.others + inside.folders]
        if others:
            self.notes.append(f"{len(others)} other entries are not read: {name_some(others)}")
        self._say_running(files)
        return files, list(range(len(files)))

    def _facts(self, row: int) -> dict[str, Any]:
        folder, slash, _ = self._files[row].rpartition("/")
        return {"label": folder} if slash else {}

    def _load(self, path: Path) -> Picture:
        data = read_file(path)
        if is_tiff(data):
            return load_multipage(path)
        planes, note = _decode(data, path)
        return Picture(planes, channels_named(list("RGB") if len(planes) == 3 else [""]), note=note)


def _decode(data: bytes, path: Path) -> tuple[NDArray[Any], str]:
    """Decode PNG or JPEG to ``(C, H, W)``; also a note on what was changed.

    Pillow's classes of just these two formats are used, so that content of any
    other kind is never tried, and sizes are checked before pixels are allocated.
    """
    if data.startswith(_PNG):
        if data[24:25] == b"\x10" and data[25:26] != b"\0":
            raise FormatError(path, "expected 8-bit colour, found a 16-bit colour PNG: save it as TIFF")
        opener: type[PngImageFile | JpegImageFile] = PngImageFile
    elif data.startswith(_JPEG):
        opener = JpegImageFile
    else:
        found = f"first bytes {data[:8].hex(' ')}" if data else "an empty file (0 bytes)"
        raise FormatError(path, f"expected a PNG, JPEG or TIFF image, found {found}")
    try:
        with opener(io.BytesIO(data)) as image:
            _check_size(image.size, image.mode, len(data), path)
            mode, note = _MODES[image.mode]
            pixels = np.asarray(image if image.mode == mode else image.convert(mode))
    except FormatError:
        raise
    except Exception as error:  # what Pillow raises on damaged files is not a closed list
        words = " ".join(str(error).split()) or type(error).__name__
        raise FormatError(path, f"the image cannot be decoded ({words})") from error
    if pixels.ndim == 3:
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)), note
    return pixels[np.newaxis], note


def _check_size(size: tuple[int, int], mode: str, held: int, path: Path) -> None:
    width, height = size
    if mode not in _MODES:
        msg = f"expected a grey or RGB image, found mode {mode}"
        raise FormatError(path, msg)
    claimed = width * height * (3 if mode in {"RGB", "RGBA", "P"} else 2 if mode.startswith("I") else 1)
    if claimed < 1 or claimed > min(MAX_OBJECT_BYTES, held * _EXPANSION):
        msg = f"expected an image that fits its {held} bytes, found a claim of {height} x {width} pixels"
        raise FormatError(path, msg)
