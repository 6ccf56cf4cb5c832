"""Compiled loops of the two CIF codecs.

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
