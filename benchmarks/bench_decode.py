"""Decode a large CIF on one core: ifcyto against the same loops in C and against pure Python.

Run: python benchmarks/bench_decode.py [--objects 20000]
The C reference is compiled here with ``cc -O3``. All decoders get the same bytes
in memory; the last lines add reading the file and the per-object values.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from common import large_cif, machine, median_seconds, parser

from ifcyto.readers import codec_kernels
from ifcyto.readers import kernels as k
from ifcyto.readers.cif import CifReader


def compile_reference(folder: Path) -> ctypes.CDLL:
    library = folder / "reference.so"
    source = Path(__file__).with_name("decode_reference.c")
    subprocess.run(["cc", "-O3", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return ctypes.CDLL(str(library))


def python_differences(strip: bytes, n: int) -> list[int]:
    """Nibble varints in plain Python, written from the format's description."""
    values: list[int] = []
    value = shift = 0
    for byte in strip:
        for nibble in (byte & 15, byte >> 4):
            value |= (nibble & 7) << shift
            shift += 3
            if nibble < 8:
                values.append(value - (1 << shift) if nibble & 4 else value)
                value = shift = 0
                if len(values) == n:
                    return values
    raise ValueError("the strip ends early")


def python_cell(strip: bytes, mask: bytes, channels: int, height: int, width: int) -> tuple[list, bytes]:
    differences = python_differences(strip, channels * height * width)
    rows: list[list[int]] = []
    above = [0] * (channels * width)
    for row in range(height):
        total, line = 0, []
        for column in range(channels * width):
            total += differences[row * channels * width + column]
            line.append(total + above[column])
        rows.append(line)
        above = line
    runs = b"".join(bytes([mask[i]]) * (mask[i + 1] + 1) for i in range(0, len(mask), 2))
    return rows, runs


def main() -> None:
    options = parser(__doc__.splitlines()[0], 20_000).parse_args()
    path = large_cif(options.source, options.folder, options.objects)
    reader = CifReader(path)
    index = reader._index.keep(np.arange(len(reader)))
    n, channels = len(reader), len(reader.channels)
    buf = np.fromfile(path, np.uint8)
    shapes = np.stack([index.image[:, k.REC_HEIGHT], index.image[:, k.REC_WIDTH] // channels], axis=1)
    spans = [
        np.stack([part[:, k.REC_STRIP], part[:, k.REC_STRIP] + part[:, k.REC_BYTES]], axis=1)
        for part in (index.image, index.mask)
    ]
    n_pixels = int(shapes.prod(axis=1).sum()) * channels
    scratch = np.empty(int(shapes.prod(axis=1).max()) * channels, np.int32)
    pixels, masks = np.empty(n_pixels, np.int16), np.empty(n_pixels, np.uint8)
    status = np.zeros((2, n), np.int64)

    def ours() -> None:
        codec_kernels.decode_images(buf, spans[0], shapes, channels, pixels, status[0])
        codec_kernels.decode_masks(buf, spans[1], shapes, channels, masks, status[1])

    with tempfile.TemporaryDirectory() as folder:
        library = compile_reference(Path(folder))

    def pointer(array: np.ndarray) -> ctypes.c_void_p:
        return ctypes.c_void_p(array.ctypes.data)

    c_pixels, c_masks = np.empty_like(pixels), np.empty_like(masks)

    def in_c(fast: int) -> None:
        arrays = [pointer(a) for a in (buf, spans[0], spans[1], shapes)]
        outputs = [pointer(a) for a in (scratch, c_pixels, c_masks)]
        if library.decode(*arrays, ctypes.c_int64(n), ctypes.c_int64(channels), *outputs, ctypes.c_int(fast)):
            raise RuntimeError("the C reference refused the file")

    few = min(n, 100)

    def in_python() -> None:
        for row in range(few):
            (_, strip), (_, mask) = strips[row]
            python_cell(strip, mask, channels, int(shapes[row, 0]), int(shapes[row, 1]))

    strips = [reader.raw_records(row) for row in range(few)]

    def whole_reader() -> None:
        for start in range(0, n, 256):
            reader.read_batch(range(start, min(start + 256, n)))

    times = {
        "C, plain nibble loop": median_seconds(lambda: in_c(0), options.repeats) / n,
        "C, byte fast path": median_seconds(lambda: in_c(1), options.repeats) / n,
        "ifcyto kernels": median_seconds(ours, options.repeats) / n,
        "ifcyto reader (file, values, batches)": median_seconds(whole_reader, options.repeats) / n,
        "pure Python": median_seconds(in_python, 1) / few,
        "ifcyto opening (walk and check the chain)": median_seconds(lambda: CifReader(path), options.repeats)
        / n,
    }
    if not (np.array_equal(pixels, c_pixels) and np.array_equal(masks, c_masks)):
        raise RuntimeError("the C reference and ifcyto differ")
    print(machine())
    print(f"{n} objects, {channels} channels, {n_pixels * 2 / 1e6:.0f} MB of pixels, one core")
    print(f"{'decoder':<42} {'objects/s':>12} {'MB/s':>8} {'x time of C fast':>17}")
    for name, seconds in times.items():
        rate = n_pixels * 2 / n / seconds / 1e6
        print(f"{name:<42} {1 / seconds:>12,.0f} {rate:>8,.0f} {seconds / times['C, byte fast path']:>17.2f}")


if __name__ == "__main__":
    main()
