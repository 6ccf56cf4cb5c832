"""How like the fallback masks are to those of IDEAS, and how fast masks are computed.

Run ``python benchmarks/bench_segment.py``. The mean intersection over union with the
stored masks is taken over the real objects of the source, channel by channel; speed over
the same objects repeated. Each time is the median of the repeats, on one core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from common import large_cif, machine, median_seconds, parser

from ifcyto.cells import CellBatch
from ifcyto.features.workspace import Workspace
from ifcyto.masks import intensity, pieces, shape
from ifcyto.masks.segment import default_mask
from ifcyto.planes import Planes
from ifcyto.readers.cif import CifReader

if TYPE_CHECKING:
    from pathlib import Path


def workspace(path: Path) -> Workspace:
    """All objects of a CIF in one batch."""
    with CifReader(path) as reader:
        cells, channels = list(reader), reader.channels
    batch = CellBatch.from_cells(cells, n_channels=len(channels), dtype=cells[0].images.dtype)
    planes = Planes(batch, channels, pixel_size_um=channels[0].pixel_size_um or 0.5)
    return Workspace(planes, lambda name: planes.object_mask(int(name[1:]) - 1))


def overlap(work: Workspace, channel: int) -> tuple[float, int]:
    """Mean intersection over union with the stored masks that are not empty, and their number."""
    ours, stored = default_mask(work, channel), work.planes.object_mask(channel)
    first = work.planes.starts[:-1]
    both, either, theirs = (
        np.add.reduceat(flat, first, dtype=np.int64) for flat in (ours & stored, ours | stored, stored)
    )
    known = theirs > 0
    return float(np.mean(both[known] / either[known])) if known.any() else float("nan"), int(known.sum())


def main() -> None:
    options = parser(__doc__.splitlines()[0], n_objects=10_000).parse_args()
    print(machine())
    real = workspace(options.source)
    for channel, facts in enumerate(real.planes.channels):
        mean, number = overlap(real, channel)
        if number:
            kind = "brightfield" if facts.brightfield else "fluorescence"
            print(f"{facts.label:16} {kind:12} {number:4} masks  mean IoU {mean:.4f}")
    work = workspace(large_cif(options.source, options.folder, options.objects))
    lit = next(channel for channel, facts in enumerate(work.planes.channels) if not facts.brightfield)
    bright = [channel for channel, facts in enumerate(work.planes.channels) if facts.brightfield]
    start = work.planes.object_mask(lit)
    calls = {
        "fallback, fluorescence": lambda: default_mask(work, lit),
        "Threshold 30": lambda: intensity.threshold(work, start, lit, 30),
        "Dilate 5": lambda: shape.dilate(work, start, 5),
        "Fill": lambda: shape.fill(work, start),
        "Morphology": lambda: intensity.morphology(work, start, lit),
        # A new workspace each time, for an old one keeps the top-hat.
        "Spot 0.5, 2": lambda: pieces.spot(Workspace(work.planes, work.mask), start, lit, False, 0.5, 2),
    }
    if bright:
        calls["fallback, brightfield"] = lambda: default_mask(work, bright[0])
    for name, call in calls.items():
        seconds = median_seconds(call, options.repeats)
        each = seconds / len(work)
        print(f"{name:24} {1e6 * each:7.1f} us an object  {1 / each:10,.0f} objects/s")


if __name__ == "__main__":
    main()
