"""Open NumPy files whose headers are checked against what the file holds.

The header is read by NumPy's own functions (:mod:`numpy.lib.format`); pickled
objects are never loaded.
"""

from __future__ import annotations

import io
import zipfile
from math import prod
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy_format

from ifcyto.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["map_npy", "read_npz"]

_EXPANSION = 1040
"""Bytes that one deflated byte can at most become."""

_MAX_HEADER_BYTES = 2**16

_VERSIONS = {
    (1, 0): (2, npy_format.read_array_header_1_0),
    (2, 0): (4, npy_format.read_array_header_2_0),
    (3, 0): (4, npy_format.read_array_header_2_0),  # differs by non-Latin field names only
}
"""Version to the bytes of the header's length, and the function that reads the header."""

_MAX_ARRAY_BYTES = 2**36
"""Of one compressed array: 64 GiB."""


def map_npy(path: Path) -> NDArray[Any]:
    """Memory-map the array of an ``.npy`` file, read-only.

    Raises
    ------
    FormatError
        Broken header, Python objects, or fewer bytes than the header claims.
    """
    with path.open("rb") as file:
        dtype, shape, fortran, size = _header(file, path, path.stat().st_size, where=None)
        start = file.tell()
    if size == 0:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Read every array of an ``.npz`` file into memory.

    Raises
    ------
    FormatError
        Not a sound zip file, an array that claims more than the file can hold,
        a broken header, or Python objects.
    """
    arrays = {}
    held = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            if len({info.filename for info in members}) < len(members):
                raise FormatError(path, "expected each array once, found two of one name")
            for info in members:
                key = info.filename[: -len(".npy")]
                arrays[key] = _member(archive, info, path, held, key)
    except FormatError:
        raise
    except Exception as error:  # what zipfile raises on damaged files is not a closed list
        words = " ".join(str(error).split()) or type(error).__name__
        raise FormatError(path, f"expected a sound .npz file, found damage ({words})") from error
    return arrays


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, held: int, key: str) -> NDArray[Any]:
    stored = info.compress_type == zipfile.ZIP_STORED
    if not stored and info.compress_type != zipfile.ZIP_DEFLATED:
        raise FormatError(
            path, f"expected no compression or deflate, found method {info.compress_type}", where=key
        )
    most = min(info.compress_size, held) * (1 if stored else _EXPANSION)
    if info.file_size > min(most, _MAX_ARRAY_BYTES):
        msg = f"expected at most {most} bytes, found a claim of {info.file_size}"
        raise FormatError(path, msg, where=key)
    with archive.open(info) as member:
        data = member.read(info.file_size)
    file = io.BytesIO(data)
    dtype, shape, fortran, _ = _header(file, path, len(data), where=key)
    flat = np.frombuffer(data, dtype, prod(shape), file.tell())
    return flat.reshape(shape, order="F" if fortran else "C")


def _header(
    file: IO[bytes], path: Path, held: int, *, where: str | None
) -> tuple[np.dtype[Any], tuple[int, ...], bool, int]:
    """Dtype, shape, Fortran order and bytes of the array that begins in `file`."""
    try:
        version = npy_format.read_magic(file)
        width, read = _VERSIONS[version]
        length = int.from_bytes(file.read(width), "little")
        file.seek(-width, io.SEEK_CUR)
        if length > _MAX_HEADER_BYTES:
            msg = f"a length of {length} bytes"
            raise ValueError(msg)
        shape, fortran, dtype = read(file)
    except Exception as error:  # what the parser of the header raises is not a closed list
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise FormatError(
            path, f"expected the header of a NumPy array, found damage ({words})", where=where
        ) from error
    if dtype.hasobject or dtype.names is not None or dtype.subdtype is not None:
        raise FormatError(
            path, f"expected an array of numbers or texts, found {str(dtype)[:80]}", where=where
        )
    size = prod(shape) * dtype.itemsize
    if min(shape, default=1) < 0 or size > held - file.tell():
        msg = f"expected {size} bytes for an array {shape} of {dtype}, found {held - file.tell()} bytes"
        raise FormatError(path, msg, where=where)
    return dtype, shape, fortran, size
