"""What the benchmarks share: a large CIF written from real objects, timing, machine line."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import Cell
from ifcyto.readers.cif import CifReader
from ifcyto.writers.cif import write_cif

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLE = Path(__file__).resolve().parents[2] / "shared" / "data" / "amnis" / "example.cif"


def parser(description: str, n_objects: int) -> argparse.ArgumentParser:
    """Options that every benchmark takes."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--objects", type=int, default=n_objects, help="objects in the test file")
    options.add_argument("--repeats", type=int, default=5, help="runs of each; medians are printed")
    options.add_argument("--folder", type=Path, default=Path("bench-files"), help="where test files are kept")
    options.add_argument("--source", type=Path, default=EXAMPLE, help="real CIF whose objects are repeated")
    return options


def large_cif(source: Path, folder: Path, n_objects: int) -> Path:
    """Write (once) a CIF of `n_objects`, the objects of `source` over and over."""
    if not source.is_file():
        sys.exit(f"{source}: not there; give another CIF with --source")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{source.stem}_{n_objects}.cif"
    if not path.exists():
        with CifReader(source) as reader:
            cells = list(reader)
            write_cif(_repeat(cells, n_objects), path, channels=reader.channels)
    return path


def _repeat(cells: list[Cell], n_objects: int) -> Iterator[Cell]:
    for number in range(n_objects):
        cell = cells[number % len(cells)]
        yield Cell(number, cell.images, cell.masks, cell.facts)


def median_seconds(function: Callable[[], object], repeats: int) -> float:
    """Median wall time of `function`, after one unmeasured call."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def machine() -> str:
    """One line about the machine, without its name."""
    versions = f"Python {platform.python_version()}, numpy {np.__version__}"
    return f"{os.cpu_count()} cores, {platform.machine()}, {versions}"
