"""Limits and pixel types that the image-file formats share."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MAX_FILE_BYTES", "MAX_OBJECT_BYTES", "WIDER", "number_in_name", "read_file", "widen"]

MAX_OBJECT_BYTES = 2**28
"""Decoded pixels of one object, all channels: 256 MiB. A bound against hostile files."""

MAX_FILE_BYTES = 2**30
"""Size of a file that holds one object: 1 GiB."""

WIDER = {
    "bool": "int16",
    "int8": "int16",
    "uint8": "int16",
    "int16": "int16",
    "uint16": "int32",
    "int32": "int32",
    "float16": "float32",
    "float32": "float32",
}
"""Stored dtype to the signed dtype that holds every value of it."""

_LAST_NUMBER = re.compile(r"(\d{1,18})$", re.ASCII)


def widen(stored: np.dtype[Any], path: Path) -> np.dtype[Any]:
    """Dtype of :data:`WIDER` for pixels stored as `stored`.

    Raises
    ------
    FormatError
        No dtype of ours holds them.
    """
    name = WIDER.get(stored.name)
    if name is None:
        msg = f"expected pixels of {', '.join(WIDER)}, found {stored.name}: convert it to float32 or int32"
        raise FormatError(path, msg)
    return np.dtype(name)


def read_file(path: Path) -> bytes:
    """Read the whole file of one object.

    Raises
    ------
    FormatError
        It cannot be read, or is larger than :data:`MAX_FILE_BYTES`.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= MAX_FILE_BYTES:
                return file.read()
    except OSError as error:
        raise FormatError(path, f"cannot be read: {error.strerror or error}") from error
    raise FormatError(path, f"expected a file of one object, at most {MAX_FILE_BYTES} bytes, found {size}")


def number_in_name(stem: str) -> int | None:
    """Object number at the end of a file's name without suffixes; None when there is none.

    Examples
    --------
    >>> number_in_name("Sample 12_00041"), number_in_name("blank")
    (41, None)
    """
    found = _LAST_NUMBER.search(stem)
    return int(found[1]) if found else None
