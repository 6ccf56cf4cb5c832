"""Compiled loops over TIFF directories: walk a chain, read its numbers.

Private. The functions around them own checks and messages; a kernel returns a
status code and never raises.
"""

from __future__ import annotations

import numpy as np

from ifcyto._kernel import kernel

# Columns of the record table that `scan_chain` fills; -1 stands for "no such tag".
REC_OFFSET, REC_END, REC_NEXT, REC_TYPE, REC_ID, REC_WIDTH, REC_HEIGHT = 0, 1, 2, 3, 4, 5, 6
REC_BITS, REC_CODEC, REC_STRIPS, REC_STRIP, REC_COUNTS, REC_BYTES = 7, 8, 9, 10, 11, 12
REC_COLUMNS = 13

SCAN_MORE = 0  # the next directory starts or ends outside the window
SCAN_FULL = 1  # the record table is full
SCAN_END = 2  # the chain ends properly
SCAN_BAD_COUNT = 3  # a directory has no entries or an absurd number of them
SCAN_BAD_NEXT = 4  # the chain goes backward or leaves the file
SCAN_BAD_TYPE = 5  # neither an image nor a mask record
SCAN_CUT = 6  # the file ends inside the directory

MAX_ENTRIES = 4096
WRAP = 1 << 32  # classic TIFF offsets are 32 bits wide


@kernel
def read_u16(buf, at):  # type: ignore[no-untyped-def]
    """Read a little-endian 16-bit number."""
    return np.int64(buf[at]) | (np.int64(buf[at + 1]) << 8)


@kernel
def read_u32(buf, at):  # type: ignore[no-untyped-def]
    """Read a little-endian 32-bit number."""
    return (
        np.int64(buf[at])
        | (np.int64(buf[at + 1]) << 8)
        | (np.int64(buf[at + 2]) << 16)
        | (np.int64(buf[at + 3]) << 24)
    )


@kernel
def read_f64(buf, at):  # type: ignore[no-untyped-def]
    """Read a little-endian double."""
    return buf[at : at + 8].copy().view(np.float64)[0]


@kernel
def near(stored, place, size):  # type: ignore[no-untyped-def]
    """Undo the 32-bit wrap: the offset in the file that is nearest to `place`."""
    if size <= WRAP:
        return stored
    turns = (place - stored + WRAP // 2) // WRAP
    best = stored + max(turns, 0) * WRAP
    return best if best < size else best - WRAP


@kernel
def scan_chain(buf, base, at, size, records):  # type: ignore[no-untyped-def]
    """Walk the directories from file offset `at` while they lie in `buf`.

    `buf` holds the file from offset `base`; `size` is the file's size. Fills
    `records` (rows of REC_COLUMNS) and returns (rows filled, status, offset of
    the directory at which the walk stopped).
    """
    n = 0
    while True:
        if n == records.shape[0]:
            return n, SCAN_FULL, at
        place = at - base
        if at + 6 > size:
            return n, SCAN_CUT, at
        if place + 2 > buf.size:
            return n, SCAN_MORE, at
        entries = read_u16(buf, place)
        if entries == 0 or entries > MAX_ENTRIES:
            return n, SCAN_BAD_COUNT, at
        end = place + 2 + 12 * entries + 4
        if base + end > size:
            return n, SCAN_CUT, at
        if end > buf.size:
            return n, SCAN_MORE, at
        row = records[n]
        row[:] = -1
        row[REC_OFFSET] = at
        row[REC_END] = base + end
        for e in range(entries):
            entry = place + 2 + 12 * e
            tag = read_u16(buf, entry)
            kind = read_u16(buf, entry + 2)
            count = read_u32(buf, entry + 4)
            if kind == 3 and count == 1:
                value = read_u16(buf, entry + 8)
            elif kind == 1 and count == 1:
                value = np.int64(buf[entry + 8])
            else:
                value = read_u32(buf, entry + 8)
            if tag == 256:
                row[REC_WIDTH] = value
            elif tag == 257:
                row[REC_HEIGHT] = value
            elif tag == 258:
                row[REC_BITS] = value
            elif tag == 259:
                row[REC_CODEC] = value
            elif tag == 273:
                row[REC_STRIPS] = count
                row[REC_STRIP] = near(value, at, size)
            elif tag == 279:
                row[REC_COUNTS] = count
                row[REC_BYTES] = value if count == 1 else near(value, at, size)
            elif tag == 33002:
                row[REC_TYPE] = value
            elif tag == 33003:
                row[REC_ID] = value
        if row[REC_TYPE] == -1:
            if row[REC_CODEC] == 30817:
                row[REC_TYPE] = 2
            elif row[REC_CODEC] == 30818:
                row[REC_TYPE] = 3
        if row[REC_TYPE] != 2 and row[REC_TYPE] != 3:
            return n, SCAN_BAD_TYPE, at
        following = read_u32(buf, end - 4)
        if following == 0:
            row[REC_NEXT] = 0
            return n + 1, SCAN_END, at
        while following <= at:
            following += WRAP
        if following + 6 > size:
            row[REC_NEXT] = -1
            return n + 1, SCAN_BAD_NEXT, at
        row[REC_NEXT] = following
        n += 1
        at = following


@kernel
def read_facts(buf, base, at, size, slots, first, widths, out):  # type: ignore[no-untyped-def]
    """Read the numeric tags of one directory into the row `out` (float64).

    `slots[tag - 33000]` is the slot of a wanted tag or -1; slot `s` fills
    ``out[first[s] : first[s] + widths[s]]``. Returns False when a value lies
    outside `buf` or has another count than its width.
    """
    place = at - base
    entries = read_u16(buf, place)
    for e in range(entries):
        entry = place + 2 + 12 * e
        tag = read_u16(buf, entry)
        if tag < 33000 or tag - 33000 >= slots.size or slots[tag - 33000] < 0:
            continue
        slot = slots[tag - 33000]
        kind = read_u16(buf, entry + 2)
        count = read_u32(buf, entry + 4)
        if count != widths[slot]:
            return False
        if kind == 3 and count == 1:
            out[first[slot]] = read_u16(buf, entry + 8)
        elif kind == 4 and count == 1:
            out[first[slot]] = read_u32(buf, entry + 8)
        elif kind == 12:
            values = near(read_u32(buf, entry + 8), at, size) - base
            if values < 0 or values + 8 * count > buf.size:
                return False
            for i in range(count):
                out[first[slot] + i] = read_f64(buf, values + 8 * i)
        else:
            return False
    return True


@kernel
def read_many_facts(buf, base, offsets, size, slots, first, widths, out):  # type: ignore[no-untyped-def]
    """Run `read_facts` on many directories; returns which of them were read whole."""
    told = np.empty(offsets.size, np.bool_)
    for i in range(offsets.size):
        told[i] = read_facts(buf, base, offsets[i], size, slots, first, widths, out[i])
    return told
