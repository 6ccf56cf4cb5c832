"""The binary block that follows the XML of a DAF since IDEAS 6.2.

Layout, little-endian (established on a real file, decoded to its last byte)::

    0A 00 1E                      after </Assay>
    u32 version (1)   u32 features   u32 objects
    features x { u32 feature index, objects x f64 }
    u32 objects
    objects x { u32 id, u64 image IFD, u64 mask IFD, u64 first IFD, f64 width,
                f64 height, f64 flow speed, u32 camera line, u32 camera timer,
                f64 centre x, f64 centre y,
                4 x { u32 channels, channels x f64 } }   sd, mean, sat. count, sat. percent

Every count is held against the bytes that are left before anything is allocated.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ifcyto.readers.daf_objects import DafObjects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.readers.daf_faults import FaultLog

__all__ = ["BLOCK_MARK", "BLOCK_VERSION", "read_block"]

BLOCK_MARK = b"\x0a\x00\x1e"
BLOCK_VERSION = 1
HEADER = struct.Struct("<3I")
COUNT = struct.Struct("<I")
FIXED_FIELDS = [
    ("id", "<u4"),
    ("image", "<u8"),
    ("mask", "<u8"),
    ("first", "<u8"),
    ("width", "<f8"),
    ("height", "<f8"),
    ("speed", "<f8"),
    ("line", "<u4"),
    ("timer", "<u4"),
    ("x", "<f8"),
    ("y", "<f8"),
]
PER_CHANNEL = ("background_sd", "background_mean", "saturation_count", "saturation_percent")
MAX_CHANNELS = 64  # an instrument has at most 12


def read_block(
    file: BinaryIO, start: int, log: FaultLog
) -> tuple[list[int], NDArray[np.float64], DafObjects | None]:
    """Read the block whose mark stands at `start`.

    Returns
    -------
    indices : list of int
        Feature index of each row of `values`.
    values : ndarray (F, N) of float64
    objects : DafObjects or None
        None when the block ends before them (only when salvaging).
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(start + len(BLOCK_MARK))
    head = file.read(HEADER.size)
    if len(head) < HEADER.size:
        log.stop(
            f"expected a {HEADER.size}-byte header of the binary block, found {len(head)} bytes", offset=start
        )
    version, n_features, n_objects = HEADER.unpack(head)
    if version != BLOCK_VERSION:
        msg = (
            f"expected version {BLOCK_VERSION} of the binary block, found {version}: "
            "the file needs a newer ifcyto, or is damaged"
        )
        log.stop(msg, offset=start + len(BLOCK_MARK))
    indices, values, complete = _read_values(file, end, (n_features, n_objects), log)
    objects = _read_objects(file, end, n_objects, log) if complete else None
    left = end - file.tell()
    if complete and objects is not None and left and not log.faults:
        log.notes.append(f"{left} bytes follow the last object of the binary block; they were not read")
    return indices, values, objects


def _read_values(
    file: BinaryIO, end: int, shape: tuple[int, int], log: FaultLog
) -> tuple[list[int], NDArray[np.float64], bool]:
    n_features, n_objects = shape
    begin = file.tell()
    stride = COUNT.size + 8 * n_objects
    whole = min(n_features, (end - begin) // stride)
    if whole < n_features:
        msg = (
            f"expected {n_features} features of {n_objects} objects ({n_features * stride} bytes), "
            f"found {end - begin} bytes: the file is cut short or its counts are wrong"
        )
        log.report(msg, offset=begin)
    indices: list[int] = []
    values = np.empty((whole, n_objects), "<f8")
    for row in values:
        indices.append(COUNT.unpack(file.read(COUNT.size))[0])
        row[:] = np.frombuffer(file.read(8 * n_objects), "<f8")
    return indices, values.astype(np.float64, copy=False), whole == n_features


def _read_objects(file: BinaryIO, end: int, expected: int, log: FaultLog) -> DafObjects | None:
    begin = file.tell()
    raw = file.read(COUNT.size)
    if len(raw) < COUNT.size:
        log.report("expected the number of objects, found the end of the file", offset=begin)
        return None
    claimed = COUNT.unpack(raw)[0]
    if claimed != expected:
        log.report(
            f"expected records of {expected} objects, as many as have values, found {claimed}", offset=begin
        )
    if claimed == 0:
        return _convert(np.empty(0, _record_dtype((0, 0, 0, 0))))
    first = file.tell()
    dtype = _record_dtype(_channel_counts(file, end, log))
    whole = min(claimed, (end - first) // dtype.itemsize)
    if whole < claimed:
        msg = (
            f"expected {claimed} object records of {dtype.itemsize} bytes, "
            f"found {end - first} bytes: the file is cut short"
        )
        log.report(msg, offset=first)
    file.seek(first)
    records = np.frombuffer(file.read(whole * dtype.itemsize), dtype)
    good = _uniform(records, first, log)
    return _convert(records[:good])


def _channel_counts(file: BinaryIO, end: int, log: FaultLog) -> tuple[int, ...]:
    """Sizes of the four arrays in the first record; those of the others must agree."""
    file.seek(np.dtype(FIXED_FIELDS).itemsize, os.SEEK_CUR)
    counts = []
    for name in PER_CHANNEL:
        at = file.tell()
        raw = file.read(COUNT.size)
        count = COUNT.unpack(raw)[0] if len(raw) == COUNT.size else 0
        if len(raw) < COUNT.size or count > MAX_CHANNELS or at + COUNT.size + 8 * count > end:
            left = max(end - at, 0)
            msg = f"expected up to {MAX_CHANNELS} values of {name}, found {count} with {left} bytes left"
            log.stop(msg, offset=at)
        counts.append(count)
        file.seek(8 * count, os.SEEK_CUR)
    if len(set(counts) - {0}) > 1:
        log.stop(
            f"expected the same number of channels in all arrays, found {counts}", where="first object record"
        )
    return tuple(counts)


def _record_dtype(counts: tuple[int, ...]) -> np.dtype[Any]:
    fields: list[Any] = list(FIXED_FIELDS)
    for name, count in zip(PER_CHANNEL, counts, strict=True):
        fields += [(f"n_{name}", "<u4"), (name, "<f8", (count,))]
    return np.dtype(fields)


def _uniform(records: NDArray[Any], first: int, log: FaultLog) -> int:
    """Number of leading records whose arrays have the size of the first record's."""
    odd = np.zeros(len(records), bool)
    for name in PER_CHANNEL:
        odd |= records[f"n_{name}"] != records.dtype[name].shape[0]
    if not odd.any():
        return len(records)
    row = int(odd.argmax())
    log.report(
        "expected as many channels as in the first record, found another number: records are out of step",
        object_number=int(records["id"][row]),
        offset=first + row * records.dtype.itemsize,
    )
    return row


def _convert(records: NDArray[Any]) -> DafObjects:
    def whole(name: str) -> NDArray[np.int64]:
        values = records[name]
        if values.dtype.kind == "f":  # NaN and absurd sizes are not known
            with np.errstate(invalid="ignore"):
                values = np.where(np.abs(values) < 2.0**53, values, -1)
        values = values.astype(np.int64)  # an offset of 2**63 and more turns negative
        return np.where(values < 0, -1, values)

    def real(name: str) -> NDArray[np.float64]:
        return np.asarray(records[name], np.float64)

    return DafObjects(
        object_numbers=whole("id"),
        image_offsets=whole("image"),
        mask_offsets=whole("mask"),
        widths=whole("width"),
        heights=whole("height"),
        flow_speed=real("speed"),
        camera_line=whole("line"),
        camera_timer=whole("timer"),
        centre_x=real("x"),
        centre_y=real("y"),
        **{name: real(name) for name in PER_CHANNEL},
    )
