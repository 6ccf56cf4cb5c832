"""Raw access to the records of a CIF or RIF file, one at a time, and the slow way to decode one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ifcyto.errors import FormatError
from ifcyto.readers import kernels as k
from ifcyto.readers.cif_index import read_span
from ifcyto.readers.codecs import decode_image, decode_mask
from ifcyto.readers.tiffdirs import CODEC, TAG, read_directory

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.readers.tiffdirs import Entry

__all__ = ["RecordFile"]


class RecordFile:
    """An open CIF or RIF file that several threads may read from.

    Parameters
    ----------
    file : binary file, open for reading
    path : pathlib.Path
        Named in errors.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.file = file
        self.path = path
        self.size = file.seek(0, 2)
        self._lock = threading.Lock()

    def span(self, begin: int, end: int) -> NDArray[np.uint8]:
        """Bytes `begin` to `end` of the file.

        Raises
        ------
        FormatError
            The file became shorter since it was opened.
        """
        with self._lock:
            buf = read_span(self.file, begin, end - begin)
        if buf.size < end - begin:
            message = (
                f"expected {end} bytes, found {begin + buf.size}: the file became shorter while it was read"
            )
            raise FormatError(self.path, message, offset=begin)
        return buf

    def directory(self, at: int) -> tuple[dict[int, Entry], int]:
        """Fields of the directory at `at` by tag, and the stored offset of the next one."""
        with self._lock:
            return read_directory(self.file, self.path, at, self.size)

    def strip(self, record: NDArray[np.int64], what: str, number: int) -> tuple[dict[int, Entry], bytes]:
        """Fields and undecoded bytes of a record (row of the record table); several strips are joined.

        Raises
        ------
        FormatError
            A strip lies outside the file, or the strips claim more bytes than it has.
        """
        place = int(record[k.REC_OFFSET])
        entries, _ = self.directory(place)
        offsets, counts = (
            entries[TAG[name]].array.tolist() if TAG[name] in entries else []
            for name in ("strip_offsets", "strip_byte_counts")
        )
        spans = [
            (int(k.near(int(at), place, self.size)), int(n)) for at, n in zip(offsets, counts, strict=False)
        ]
        if len(offsets) != len(counts) or any(at + n > self.size for at, n in spans):
            message = f"expected the {what} strips inside the file of {self.size} bytes, found {spans[:3]}"
            raise FormatError(self.path, message, object_number=number, offset=place)
        if sum(n for _, n in spans) > self.size:
            message = f"the {what} strips claim more bytes than the file's {self.size}"
            raise FormatError(self.path, message, object_number=number, offset=place)
        return entries, b"".join(self.span(at, at + n).tobytes() for at, n in spans)

    def plane(
        self, record: NDArray[np.int64], what: str, shape: tuple[int, int, int], number: int
    ) -> NDArray[Any]:
        """Decode one record: images int16 or raw mask values uint8, ``(C, H, W)``.

        Raises
        ------
        FormatError
            The record is damaged.
        """
        _, strip = self.strip(record, what, number)
        try:
            if record[k.REC_CODEC] == CODEC["plain"]:
                return _plain(strip, shape, np.dtype(np.int16 if what == "image" else np.uint8))
            return (decode_image if what == "image" else decode_mask)(strip, shape)
        except ValueError as error:
            place = int(record[k.REC_STRIP])
            raise FormatError(self.path, f"{what}: {error}", object_number=number, offset=place) from error


def _plain(strip: bytes, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    expected = int(np.prod(shape)) * dtype.itemsize
    if len(strip) != expected:
        msg = f"expected {expected} bytes of plain pixels, found {len(strip)}"
        raise ValueError(msg)
    n_channels, height, width = shape
    raster = np.frombuffer(strip, dtype.newbyteorder("<")).astype(dtype)
    return raster.reshape(height, n_channels, width).transpose(1, 0, 2)
