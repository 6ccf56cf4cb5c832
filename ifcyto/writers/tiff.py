"""Write cells as TIFF files: one for each object and channel, or one OME-TIFF for each object.

Pixels are written as they are, bit for bit, in the dtype of the cell. Masks are not
written: TIFF exports have no place for them. A new folder appears under its name
only when it is complete.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from ifcyto._output import refuse_existing, replacing
from ifcyto.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ifcyto.cells import Cell, Channel

__all__ = ["write_object_tiffs", "write_ome_tiff"]

_OBJECT_NUMBER, _ACQUISITION_NUMBER = 33003, 33024
"""Private tags in which IDEAS writes the object number."""

_LONG = 4

_DTYPES = {"int16", "int32", "float32", "uint8", "uint16"}
"""Pixels that our readers take back as they were (the unsigned ones widened)."""


def write_object_tiffs(
    cells: Iterable[Cell],
    folder: Path | str,
    *,
    channels: Sequence[Channel],
    prefix: str = "object",
    overwrite: bool = False,
) -> Path:
    """Write one TIFF per object and channel, named as IDEAS names its export.

    Files are called ``<prefix>_<object>_Ch<n>.ome.tif`` with the channel's number; the
    object number stands in tags 33003 and 33024 too. As in that export, channel names are
    not kept: :class:`ifcyto.readers.ideas_tiff.IdeasTiffReader` gives ``Ch01``, ...

    Parameters
    ----------
    cells : iterable of Cell
        Taken one by one; images ``(C, H, W)`` of int16, int32, float32, uint8 or uint16.
    folder : path-like
        Made if need be; its parent must exist.
    channels : sequence of Channel
        One for each image plane; their numbers must differ.
    prefix : str
        First part of every file's name.
    overwrite : bool
        Write into a folder that holds something already, replacing files of the
        same names and leaving others.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    OutputError
        The folder holds something and `overwrite` is False, or the disk refuses.
    UsageError
        A cell does not have `channels`, an object number comes twice, or `prefix`
        is no part of a file's name.

    Examples
    --------
    >>> from ifcyto.cells import Cell, Channel
    >>> cell = Cell(41, np.zeros((1, 5, 6), np.int16))
    >>> folder = write_object_tiffs(
    ...     [cell], Path(tempfile.mkdtemp()) / "out", channels=[Channel(5, "DRAQ5")], prefix="MDS01"
    ... )
    >>> [path.name for path in folder.iterdir()]
    ['MDS01_41_Ch5.ome.tif']
    """
    _check_names(prefix, channels)
    if len({channel.number for channel in channels}) < len(channels):
        msg = f"expected channels of different numbers, found {[channel.number for channel in channels]}"
        raise UsageError(msg)
    with _new_folder(Path(folder), overwrite=overwrite) as place:
        for cell in _checked(cells, channels):
            number = cell.object_number
            tags = [(tag, _LONG, 1, number, True) for tag in (_OBJECT_NUMBER, _ACQUISITION_NUMBER)]
            for channel, plane in zip(channels, cell.images, strict=True):
                path = place / f"{prefix}_{number}_Ch{channel.number}.ome.tif"
                _write(path, plane, extratags=tags, ome=False, metadata=None)
    return Path(folder)


def write_ome_tiff(
    cells: Iterable[Cell],
    path: Path | str,
    *,
    channels: Sequence[Channel],
    prefix: str = "object",
    overwrite: bool = False,
) -> Path:
    """Write one OME-TIFF per object, all channels in it, with names and pixel size.

    Files are called ``<prefix>_<object>.ome.tif``. They are read back by
    :class:`ifcyto.readers.multipage_tiff.MultipageTiffReader`, and by other software that
    knows OME-TIFF. Channels are numbered from 1 in their order, as OME has no numbers.

    Parameters
    ----------
    cells : iterable of Cell
        As for :func:`write_object_tiffs`.
    path : path-like
        A folder; or, when it ends in ``.tif`` or ``.tiff``, the file of a single cell.
    channels : sequence of Channel
        Name, brightfield and pixel size (where all agree) are written.
    prefix : str
        First part of the names of the files in a folder.
    overwrite : bool
        As for :func:`write_object_tiffs`.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    OutputError
        The output exists and `overwrite` is False, or the disk refuses.
    UsageError
        A cell does not have `channels`, an object number comes twice, not exactly one
        cell for a single file, or `prefix` is no part of a file's name.

    Examples
    --------
    >>> from ifcyto.cells import Cell, Channel
    >>> cell = Cell(41, np.zeros((1, 5, 6), np.int16))
    >>> path = write_ome_tiff([cell], Path(tempfile.mkdtemp()) / "a.ome.tif", channels=[Channel(1, "BF")])
    >>> path.exists()
    True
    """
    _check_names(prefix, channels)
    path = Path(path)
    if path.suffix.lower() not in {".tif", ".tiff"}:
        with _new_folder(path, overwrite=overwrite) as place:
            for cell in _checked(cells, channels):
                _write_ome(place / f"{prefix}_{cell.object_number}.ome.tif", cell, channels)
        return path
    with replacing(path, overwrite=overwrite) as temporary:
        whole = list(_checked(cells, channels))
        if len(whole) != 1:
            msg = f"{path}: expected one cell for a single file, found {len(whole)}; name a folder for more"
            raise UsageError(msg)
        _write_ome(temporary, whole[0], channels)
    return path


def _write_ome(path: Path, cell: Cell, channels: Sequence[Channel]) -> None:
    digest = hashlib.sha256(
        str((cell.object_number, [c.name for c in channels])).encode() + cell.images.tobytes()
    )
    metadata: dict[str, Any] = {
        "axes": "CYX",
        "Creator": "ifcyto",
        "UUID": str(uuid.UUID(bytes=digest.digest()[:16], version=5)),  # the same cell, the same bytes
        "Name": f"object {cell.object_number}",
        "Channel": {"Name": [channel.name for channel in channels]},
    }
    if any(channel.brightfield for channel in channels):
        light = ["Transmitted" if channel.brightfield else "Other" for channel in channels]
        metadata["Channel"]["IlluminationType"] = light
    sizes = {channel.pixel_size_um for channel in channels}
    size = sizes.pop() if len(sizes) == 1 else None
    if size is not None:
        for axis in "XY":
            metadata[f"PhysicalSize{axis}"] = size
            metadata[f"PhysicalSize{axis}Unit"] = "\u00b5m"
    _write(path, cell.images, ome=True, metadata=metadata)


def _write(path: Path, pixels: np.ndarray[Any, Any], **options: Any) -> None:
    tifffile.imwrite(path, np.ascontiguousarray(pixels), photometric="minisblack", software=False, **options)


def _check_names(prefix: str, channels: Sequence[Channel]) -> None:
    if not channels:
        msg = "expected at least one channel, found none"
        raise UsageError(msg)
    if (
        not prefix
        or prefix.startswith(".")
        or prefix != Path(prefix).name
        or "\0" in prefix
        or "\\" in prefix
    ):
        msg = f"expected a prefix that can begin a file's name, found {prefix!r}"
        raise UsageError(msg)


def _checked(cells: Iterable[Cell], channels: Sequence[Channel]) -> Iterator[Cell]:
    """Yield the cells, each with the right number of planes and a new object number."""
    seen: set[int] = set()
    for cell in cells:
        number = cell.object_number
        if cell.images.ndim != 3 or cell.images.shape[0] != len(channels) or 0 in cell.images.shape:
            msg = f"object {number}: expected images ({len(channels)}, H, W), found {cell.images.shape}"
            raise UsageError(msg)
        if cell.images.dtype.name not in _DTYPES:
            msg = (
                f"object {number}: expected pixels of {', '.join(sorted(_DTYPES))}, found {cell.images.dtype}"
            )
            raise UsageError(msg)
        if number in seen or not 0 <= number < 2**32:
            msg = f"object {number}: expected each object number once, and from 0 to {2**32 - 1}"
            raise UsageError(msg)
        seen.add(number)
        yield cell


@contextmanager
def _new_folder(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a hidden folder to write in; its files get their places when all are written."""
    exists = folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))
    if exists:
        refuse_existing(folder, overwrite=overwrite and folder.is_dir())
    try:
        place = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
        try:
            inside = place / folder.name
            inside.mkdir()
            yield inside
            if exists:
                for file in inside.iterdir():
                    file.replace(folder / file.name)
            else:
                inside.replace(folder)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    except OSError as error:
        msg = f"{folder}: cannot be written: {error.strerror or error}"
        raise OutputError(msg) from error
