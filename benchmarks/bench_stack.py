"""Which chunks and which compression suit a cell stack: writing, reading in order, reading at random.

Run ``python benchmarks/bench_stack.py``. Pixels and masks are those of the real file
``../shared/data/amnis/example_truth.npz``, repeated, or simulated ones where it is absent.
Each figure is the median of the repeats; MB are millions of bytes of pixels and masks.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

import h5py
import numpy as np

from ifcyto.cells import Cell, CellBatch, Channel
from ifcyto.stack import layout
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.streams import ChunkQueue
from ifcyto.stack.write import StackWriter

TRUTH = Path(__file__).resolve().parents[2] / "shared" / "data" / "amnis" / "example_truth.npz"
METHODS = ("none", "stock gzip 1", "stock gzip 4", "isal 0", "isal 1", "isal 2")
N_CHANNELS = 6


def real_cells() -> list[Cell]:
    """The decoded cells of the real file, all six channels."""
    with np.load(TRUTH) as planes:
        objects = sorted({name.split("_")[1] for name in planes if name.startswith("img")})
        places = sorted({name.split("_")[2] for name in planes if name.startswith("img")})

        def stack(kind: str, number: str) -> np.ndarray:
            return np.stack([planes[f"{kind}_{number}_{place}"] for place in places])

        return [Cell(i, stack("img", name), stack("msk", name)) for i, name in enumerate(objects)]


def simulated_cells(rng: np.random.Generator) -> list[Cell]:
    """Noisy discs of the size of the real cells."""
    cells = []
    for number in range(111):
        row, column = np.indices((45, 40))
        inside = (row - 22) ** 2 + (column - 20) ** 2 < rng.integers(100, 250)
        means = rng.integers(20, 300, (N_CHANNELS, 1, 1)) * inside
        masks = np.broadcast_to(inside, (N_CHANNELS, 45, 40)).astype(np.uint8)
        cells.append(Cell(number, rng.normal(means, 4).astype(np.int16), masks))
    return cells


def write(path: Path, batch: CellBatch, count: int, chunk: int, level: int, workers: int) -> float:
    """Seconds to write `count` cells by the package's own writer."""
    channels = [Channel(i + 1, f"Ch{i + 1:02d}") for i in range(N_CHANNELS)]
    queue = functools.partial(ChunkQueue, level=level)
    with (
        mock.patch.multiple(layout, CHUNK_PIXELS=chunk, CHUNK_MASKS=2 * chunk),
        mock.patch("ifcyto.stack.write.ChunkQueue", queue),
    ):
        start = time.perf_counter()
        settings = {"dtype": "int16", "has_masks": True, "overwrite": True, "workers": workers}
        with StackWriter(path, channels=channels, **settings) as writer:
            for first in range(0, count, len(batch)):
                writer.append(replace(batch, object_numbers=np.arange(first, first + len(batch))))
        return time.perf_counter() - start


def write_stock(path: Path, chunk: int, gzip: int | None) -> float:
    """Seconds in which h5py writes the pixels and masks of the stack at `path` again, its own way."""
    copy = path.with_suffix(".copy")
    with h5py.File(path, "r") as old, h5py.File(copy, "w", libver=layout.LIBVER) as new:
        new.attrs.update(old.attrs)
        for name in old:
            if name not in {layout.PIXELS, layout.MASKS}:
                old.copy(name, new)
        data = {layout.PIXELS: old[layout.PIXELS][...], layout.MASKS: old[layout.MASKS][...]}
        start = time.perf_counter()
        for name, values in data.items():
            packed = (
                {} if gzip is None else {"compression": "gzip", "compression_opts": gzip, "shuffle": True}
            )
            new.create_dataset(name, data=values, chunks=(chunk * 2 // values.itemsize,), **packed)
        new.flush()
        seconds = time.perf_counter() - start
    copy.replace(path)
    return seconds


def read_in_order(path: Path) -> float:
    """Seconds to read all cells in batches of 256."""
    with CellStack.open(path) as stack:
        start = time.perf_counter()
        for batch in stack.batches(256):
            len(batch)
        return time.perf_counter() - start


def read_at_random(path: Path, count: int) -> float:
    """Seconds to read `count` single cells in no order."""
    with CellStack.open(path) as stack:
        rows = np.random.default_rng(1).integers(0, len(stack), count).tolist()
        start = time.perf_counter()
        for row in rows:
            stack.cell(row)
        return time.perf_counter() - start


def measure(path: Path, batch: CellBatch, method: str, chunk: int, options: argparse.Namespace) -> list[str]:
    """One row of the table."""
    writing, ordered, at_random = [], [], []
    for _ in range(options.repeats):
        kind, _, level = method.rpartition(" ")
        seconds = write(
            path, batch, options.objects, chunk, int(level) if kind == "isal" else 1, options.workers
        )
        if kind != "isal":
            seconds = write_stock(path, chunk, int(level) if kind else None)
        writing.append(seconds)
        ordered.append(read_in_order(path))
        at_random.append(read_at_random(path, options.random))
    with CellStack.open(path) as stack:
        n = len(stack)
    raw = n * (batch.pixels.nbytes + batch.masks.nbytes) / len(batch)
    return [
        method,
        f"{chunk:,}",
        f"{raw / statistics.median(writing) / 1e6:,.0f}",
        f"{n / statistics.median(writing):,.0f}",
        f"{n / statistics.median(ordered):,.0f}",
        f"{options.random / statistics.median(at_random):,.0f}",
        f"{raw / path.stat().st_size:.2f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--objects", type=int, default=11_100, help="cells in the stack")
    parser.add_argument("--random", type=int, default=1_000, help="cells read at random")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--workers", type=int, default=2, help="threads of the package's writer; h5py has one"
    )
    parser.add_argument("--chunks", type=int, nargs="+", default=[32_768, 65_536, 131_072, 262_144])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    options = parser.parse_args()
    cells = real_cells() if TRUTH.is_file() else simulated_cells(np.random.default_rng(1))
    batch = CellBatch.from_cells(cells, n_channels=N_CHANNELS, dtype=np.dtype(np.int16))
    print(f"{'real' if TRUTH.is_file() else 'simulated'} pixels, {batch.pixels.size // len(batch):,} a cell")
    print(
        "| method | chunk, pixels | write MB/s | write cells/s | in order cells/s | random cells/s | ratio |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.h5"
        write(path, batch, len(batch), options.chunks[0], 1, 1)
        for method in options.methods:
            for chunk in options.chunks:
                print(f"| {' | '.join(measure(path, batch, method, chunk, options))} |", flush=True)


if __name__ == "__main__":
    main()
