/* Reference decoders of the CIF codecs for bench_decode.py: the loops of ifcyto/readers/codec_kernels.py in plain C.
 * `plain` goes nibble by nibble; `fast` takes a byte at a time, as the kernels do. */
#include <stdint.h>

typedef int64_t i64;

static void undo(const int32_t *diffs, i64 channels, i64 height, i64 width, int16_t *out) {
    i64 k = 0;
    for (i64 row = 0; row < height; row++) {
        int32_t total = 0;
        for (i64 channel = 0; channel < channels; channel++) {
            int16_t *to = out + channel * height * width + row * width;
            for (i64 column = 0; column < width; column++) {
                total += diffs[k++];
                to[column] = (int16_t)(total + (row ? to[column - width] : 0));
            }
        }
    }
}

static int plain_nibbles(const uint8_t *buf, i64 i, i64 stop, int32_t *diffs, i64 n) {
    i64 k = 0;
    int32_t value = 0, shift = 0;
    while (k < n) {
        if (i >= stop) return 1;
        uint8_t b = buf[i++];
        for (int half = 0; half < 2 && k < n; half++) {
            int32_t nibble = half ? b >> 4 : b & 15;
            value |= (nibble & 7) << shift;
            shift += 3;
            if (!(nibble & 8)) {
                if (nibble & 4) value -= 1 << shift;
                diffs[k++] = value;
                value = shift = 0;
            } else if (shift > 24) {
                return 3;
            }
        }
    }
    return 0;
}

static int fast_nibbles(const uint8_t *buf, i64 i, i64 stop, int32_t *diffs, i64 n) {
    i64 k = 0;
    while (k + 1 < n && i < stop) {
        int32_t b = buf[i++], more = b & 0x88, value, shift;
        if (!more) {
            diffs[k] = ((b & 7) ^ 4) - 4;
            diffs[k + 1] = (((b >> 4) & 7) ^ 4) - 4;
            k += 2;
            continue;
        }
        if (more == 0x08) {
            diffs[k++] = (((b & 7) | ((b >> 1) & 0x38)) ^ 32) - 32;
            continue;
        }
        if (more == 0x80) {
            diffs[k++] = ((b & 7) ^ 4) - 4;
            value = (b >> 4) & 7;
            shift = 3;
        } else {
            value = (b & 7) | ((b >> 1) & 0x38);
            shift = 6;
        }
        for (;;) {
            if (i == stop) return 1;
            b = buf[i++];
            value |= (b & 7) << shift;
            shift += 3;
            if (!(b & 8)) {
                diffs[k++] = value - ((b & 4) << (shift - 2));
                if (k == n) return 0;
                if (!(b & 0x80)) {
                    diffs[k++] = (((b >> 4) & 7) ^ 4) - 4;
                    break;
                }
                value = (b >> 4) & 7;
                shift = 3;
                continue;
            }
            value |= ((b >> 4) & 7) << shift;
            shift += 3;
            if (!(b & 0x80)) {
                diffs[k++] = value - (((b >> 4) & 4) << (shift - 2));
                break;
            }
            if (shift > 24) return 3;
        }
    }
    return k == n ? 0 : plain_nibbles(buf, i, stop, diffs + k, n - k);
}

int decode(const uint8_t *buf, const i64 *image_spans, const i64 *mask_spans, const i64 *shapes, i64 objects,
           i64 channels, int32_t *diffs, int16_t *pixels, uint8_t *masks, int fast) {
    for (i64 o = 0; o < objects; o++) {
        i64 height = shapes[2 * o], width = shapes[2 * o + 1], n = height * width * channels;
        int (*nibbles)(const uint8_t *, i64, i64, int32_t *, i64) = fast ? fast_nibbles : plain_nibbles;
        if (nibbles(buf, image_spans[2 * o], image_spans[2 * o + 1], diffs, n)) return 1;
        undo(diffs, channels, height, width, pixels);
        pixels += n;
        i64 row = 0, channel = 0, column = 0;
        for (i64 i = mask_spans[2 * o]; i + 1 < mask_spans[2 * o + 1]; i += 2) {
            uint8_t value = buf[i];
            i64 run = (i64)buf[i + 1] + 1;
            while (run > 0) {
                if (row == height) return 4;
                i64 part = run < width - column ? run : width - column;
                uint8_t *to = masks + (channel * height + row) * width + column;
                for (i64 at = 0; at < part; at++) to[at] = value;
                run -= part;
                column += part;
                if (column == width) {
                    column = 0;
                    if (++channel == channels) { channel = 0; row++; }
                }
            }
        }
        masks += n;
    }
    return 0;
}
