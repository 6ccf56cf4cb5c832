"""Compiled loops of the readers: TIFF directory chains and the two CIF codecs.

Private. The functions around them own checks and messages; a kernel returns a
status code and never raises. The strips of a batch lie in one byte buffer.
"""

from __future__ import annotations

import numpy as np

from ifcyto._kernel import kernel

OK = 0
EARLY_END = 1  # the strip ends before the last pixel
LEFT_OVER = 2  # the strip goes on after the last pixel
OVERFLOW = 3  # a value does not fit into 16 bits, or a varint does not end
BAD_RUN = 4  # a mask run goes past the last pixel

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
def read_differences(strip, diffs):  # type: ignore[no-untyped-def]
    """Unpack nibble varints into `diffs`; see ``formats`` "Codec 30817".

    Places are unsigned: signed ones cost a test for negative places at each access.
    """
    one, two = np.uint64(1), np.uint64(2)
    n, stop = np.uint64(diffs.size), np.uint64(strip.size)
    k = i = np.uint64(0)
    while k + one < n and i < stop:
        b = np.int32(strip[i])
        i += one
        more = b & 0x88
        if more == 0:  # two whole values: 3 bits each, the highest of them the sign
            diffs[k] = ((b & 7) ^ 4) - 4
            diffs[k + one] = (((b >> 4) & 7) ^ 4) - 4
            k += two
            continue
        if more == 0x08:  # one value in two nibbles
            diffs[k] = (((b & 7) | ((b >> 1) & 0x38)) ^ 32) - 32
            k += one
            continue
        if more == 0x80:  # a whole value, then the start of a longer one
            diffs[k] = ((b & 7) ^ 4) - 4
            k += one
            value = (b >> 4) & 7
            shift = 3
        else:
            value = (b & 7) | ((b >> 1) & 0x38)
            shift = 6
        while True:
            if i == stop:
                return EARLY_END
            b = np.int32(strip[i])
            i += one
            value |= (b & 7) << shift
            shift += 3
            if b & 8 == 0:
                diffs[k] = value - ((b & 4) << (shift - 2))
                k += one
                if k == n:
                    return OK if i == stop and b >> 4 == 0 else LEFT_OVER
                if b & 0x80 == 0:
                    diffs[k] = (((b >> 4) & 7) ^ 4) - 4
                    k += one
                    break
                value = (b >> 4) & 7
                shift = 3
                continue
            value |= ((b >> 4) & 7) << shift
            shift += 3
            if b & 0x80 == 0:
                diffs[k] = value - (((b >> 4) & 4) << (shift - 2))
                k += one
                break
            if shift > 24:
                return OVERFLOW
    if k == n:
        return OK if i == stop else LEFT_OVER
    return read_last_difference(strip[i:], diffs[k:])


@kernel
def read_last_difference(strip, diffs):  # type: ignore[no-untyped-def]
    """Unpack the last value, which begins with a byte, and see that nothing follows it."""
    if strip.size == 0 or diffs.size > 1:
        return EARLY_END
    value = shift = np.int64(0)
    for nibble_at in range(2 * strip.size):
        nibble = (np.int32(strip[nibble_at >> 1]) >> (4 * (nibble_at & 1))) & 15
        value |= (nibble & 7) << shift
        shift += 3
        if nibble & 8 == 0:
            diffs[0] = value - ((nibble & 4) << (shift - 2))
            whole = (nibble_at >> 1) + 1 == strip.size
            padded = nibble_at & 1 == 1 or strip[nibble_at >> 1] >> 4 == 0
            return OK if whole and padded else LEFT_OVER
        if shift > 24:
            return OVERFLOW
    return EARLY_END


@kernel
def sum_differences(diffs, images):  # type: ignore[no-untyped-def]
    """Undo the prediction row by row: `diffs` side by side (H, C, W) into `images` (C, H, W).

    The sums stay in 32 bits: the first pixel that leaves 16 bits is noticed, and
    until then no sum can leave 32.
    """
    n_channels, height, width = images.shape
    raster = diffs.reshape(height, n_channels, width)
    overflow = np.int32(0)
    for row in range(height):
        total = np.int32(0)
        for channel in range(n_channels):
            line, difference = images[channel, row], raster[row, channel]
            if row == 0:
                for column in range(width):
                    total = np.int32(total + difference[column])
                    overflow |= np.int32(np.int32(total + 32768) >> 16)
                    line[column] = total
            else:
                above = images[channel, row - 1]
                for column in range(width):
                    total = np.int32(total + difference[column])
                    value = np.int32(total + above[column])
                    overflow |= np.int32(np.int32(value + 32768) >> 16)
                    line[column] = value
    return OK if overflow == 0 else OVERFLOW


@kernel
def read_runs(strip, masks):  # type: ignore[no-untyped-def]
    """Expand byte pairs (value, run - 1) side by side into `masks` (C, H, W); "Codec 30818"."""
    n_channels, height, width = masks.shape
    row = channel = column = 0
    for pair in range(strip.size >> 1):
        value = strip[2 * pair]
        run = np.int64(strip[2 * pair + 1]) + 1
        while run > 0:
            if row == height:
                return BAD_RUN
            part = min(run, width - column)
            masks[channel, row, column : column + part] = value
            run -= part
            column += part
            if column == width:
                column = 0
                channel += 1
                if channel == n_channels:
                    channel = 0
                    row += 1
    if row < height:
        return EARLY_END
    return OK if strip.size & 1 == 0 else LEFT_OVER


@kernel
def decode_images(buf, spans, shapes, n_channels, pixels, status):  # type: ignore[no-untyped-def]
    """Decode many strips; `spans` (n, 2) in `buf`, `shapes` (n, 2) of (H, W)."""
    longest = 0
    for i in range(len(spans)):
        longest = max(longest, shapes[i, 0] * shapes[i, 1] * n_channels)
    scratch = np.empty(longest, np.int32)
    to = 0
    for i in range(len(spans)):
        height, width = shapes[i, 0], shapes[i, 1]
        n = height * width * n_channels
        status[i] = read_differences(buf[spans[i, 0] : spans[i, 1]], scratch[:n])
        if status[i] == OK:
            status[i] = sum_differences(scratch[:n], pixels[to : to + n].reshape(n_channels, height, width))
        to += n


@kernel
def decode_masks(buf, spans, shapes, n_channels, masks, status):  # type: ignore[no-untyped-def]
    """Decode many mask strips; arguments as for `decode_images`."""
    to = 0
    for i in range(len(spans)):
        n = shapes[i, 0] * shapes[i, 1] * n_channels
        planes = masks[to : to + n].reshape(n_channels, shapes[i, 0], shapes[i, 1])
        status[i] = read_runs(buf[spans[i, 0] : spans[i, 1]], planes)
        to += n


@kernel
def write_differences(images, out):  # type: ignore[no-untyped-def]
    """Encode images (C, H, W) as nibble varints; returns the number of bytes.

    `out` must hold 3 bytes a pixel: a difference of four 16-bit pixels needs at most 6 nibbles.
    """
    n_channels, height, width = images.shape
    nibbles = 0
    for row in range(height):
        above_left = np.int32(0)
        left = np.int32(0)
        for channel in range(n_channels):
            for column in range(width):
                pixel = np.int32(images[channel, row, column])
                above = np.int32(0) if row == 0 else np.int32(images[channel, row - 1, column])
                value = pixel - left - above + above_left
                left = pixel
                above_left = above
                while True:
                    nibble = value & 7
                    value >>= 3
                    last = (value == 0 and nibble & 4 == 0) or (value == -1 and nibble & 4 != 0)
                    if not last:
                        nibble |= 8
                    if nibbles & 1 == 0:
                        out[nibbles >> 1] = nibble
                    else:
                        out[nibbles >> 1] |= nibble << 4
                    nibbles += 1
                    if last:
                        break
    return (nibbles + 1) >> 1


@kernel
def write_runs(masks, out):  # type: ignore[no-untyped-def]
    """Encode masks (C, H, W) as byte pairs; returns the number of bytes. `out` holds 2 bytes a pixel."""
    n_channels, height, width = masks.shape
    value = masks[0, 0, 0]
    run = 0
    at = 0
    for row in range(height):
        for channel in range(n_channels):
            for column in range(width):
                here = masks[channel, row, column]
                if here != value or run == 256:
                    out[at] = value
                    out[at + 1] = run - 1
                    at += 2
                    value = here
                    run = 0
                run += 1
    out[at] = value
    out[at + 1] = run - 1
    return at + 2


@kernel
def read_many_facts(buf, base, offsets, size, slots, first, widths, out):  # type: ignore[no-untyped-def]
    """Run `read_facts` on many directories; returns which of them were read whole."""
    told = np.empty(offsets.size, np.bool_)
    for i in range(offsets.size):
        told[i] = read_facts(buf, base, offsets[i], size, slots, first, widths, out[i])
    return told
