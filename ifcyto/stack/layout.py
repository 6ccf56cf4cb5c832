"""Every name, attribute, type and version of the cell stack's HDF5 file.

No other module spells an HDF5 key. The prose page is ``data_schemas/cell_stack.md``::

    /                      format, format_version, n_channels, created_by, complete
    ├── pixels      (P,)   all images, one object after the other
    ├── masks       (P,)   uint8, same cutting; absent without masks
    ├── objects/           one row an object
    │   ├── object_number         (N,)    int64
    │   ├── height, width         (N,)    int32
    │   ├── offset                (N+1,)  int64
    │   ├── source                (N,)    int32
    │   ├── source_object_number  (N,)    int64
    │   ├── centroid_row, centroid_column  (N,)  float64
    │   └── facts of ifcyto.cells.FACTS   (N,) or (N, C)
    ├── channels/          one row a channel: number, name, ...
    ├── metadata           JSON
    └── provenance         JSON
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ifcyto.cells import FACTS

__all__ = [
    "CHANNEL_COLUMNS",
    "CHUNK_PIXELS",
    "CHUNK_ROWS",
    "COLUMNS",
    "FORMAT",
    "LIBVER",
    "MAX_CHUNK_BYTES",
    "VERSION",
    "Column",
    "fact_key",
]

FORMAT = "ifcyto cell stack"
VERSION = (1, 0)
"""Major and minor version: a reader refuses a newer major, and reads any minor."""

LIBVER = ("v110", "v110")
"""HDF5 1.10 form: its metadata carry checksums, so a damaged file is noticed."""

ATTR_FORMAT = "format"
ATTR_VERSION = "format_version"
ATTR_CHANNELS = "n_channels"
ATTR_CREATED_BY = "created_by"
ATTR_COMPLETE = "complete"
ATTR_HOW_TO_READ = "how_to_read"
HOW_TO_READ = (
    "0-based object i, axes (channel, row, column), C order: "
    "pixels[offset[i]:offset[i+1]] reshaped to (n_channels, height[i], width[i]); "
    "offset, height, width are in /objects"
)

PIXELS = "pixels"
MASKS = "masks"
METADATA = "metadata"
PROVENANCE = "provenance"
OBJECTS = "objects"
CHANNELS = "channels"

CHUNK_PIXELS = 131_072
"""Pixels in one chunk of `pixels`; see ``benchmarks/bench_stack.py``."""

CHUNK_MASKS = 262_144
"""Pixels in one chunk of `masks`: the bytes of a chunk of int16 pixels."""

MAX_CHANNELS = 1024
"""Most channels a stack may have."""

CHUNK_ROWS = 16_384
"""Rows in one chunk of a per-object column."""

MAX_CHUNK_BYTES = 16 * 2**20
"""Largest chunk a reader accepts, uncompressed: it bounds the reader's memory."""

PIXEL_DTYPES = tuple(np.dtype(name) for name in ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
"""Types that pixels may have; little-endian in the file."""


@dataclass(frozen=True, slots=True)
class Column:
    """One per-object column: its HDF5 key, dtype name and whether it is ``(N, C)``."""

    key: str
    dtype: str
    per_channel: bool = False


OBJECT_NUMBER = Column(f"{OBJECTS}/object_number", "int64")
HEIGHT = Column(f"{OBJECTS}/height", "int32")
WIDTH = Column(f"{OBJECTS}/width", "int32")
OFFSET = Column(f"{OBJECTS}/offset", "int64")
SOURCE = Column(f"{OBJECTS}/source", "int32")
SOURCE_OBJECT_NUMBER = Column(f"{OBJECTS}/source_object_number", "int64")
CENTROID_ROW = Column(f"{OBJECTS}/centroid_row", "float64")
CENTROID_COLUMN = Column(f"{OBJECTS}/centroid_column", "float64")

COLUMNS = (
    OBJECT_NUMBER,
    HEIGHT,
    WIDTH,
    OFFSET,
    SOURCE,
    SOURCE_OBJECT_NUMBER,
    CENTROID_ROW,
    CENTROID_COLUMN,
)
"""Columns that every stack has; `offset` has one row more than the others."""


def fact_key(name: str) -> str:
    """HDF5 key of the fact `name` of :data:`ifcyto.cells.FACTS`."""
    return f"{OBJECTS}/{name}"


FACT_COLUMNS = {
    spec.name: Column(fact_key(spec.name), spec.dtype, spec.per_channel) for spec in FACTS.values()
}
"""Columns that a stack has when its source gave the fact."""

CHANNEL_COLUMNS = {
    "number": "int32",
    "name": "str",
    "brightfield": "uint8",
    "detector": "str",
    "role": "str",
    "pixel_size_um": "float64",
}
"""Fields of :class:`ifcyto.cells.Channel` and how they are stored in `channels/`."""


def channel_key(name: str) -> str:
    """HDF5 key of the field `name` of the channel table."""
    return f"{CHANNELS}/{name}"
