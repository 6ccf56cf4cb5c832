"""Convert a large CIF to a cell stack: objects/s with 1 and 2 workers, and peak memory at several sizes.

Run: python benchmarks/bench_convert.py [--objects 20000] [--large 200000]
Each conversion runs in a process of its own, so that its peak memory is its own;
times are measured inside that process, after a first small conversion that loads
the compiled code. The peak holds the interpreter, the libraries and the work.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING

from common import large_cif, machine, parser

if TYPE_CHECKING:
    from pathlib import Path

CHILD = """
import json, resource, sys, time
from pathlib import Path
from ifcyto.pipeline.convert import convert
small, source, output, workers = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
convert(small, output, workers=workers, overwrite=True)
start = time.perf_counter()
result = convert(source, output, workers=workers, overwrite=True)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak": peak, "size": output.stat().st_size}))
"""


def run(small: Path, source: Path, output: Path, workers: int) -> dict[str, float]:
    words = [sys.executable, "-c", CHILD, str(small), str(source), str(output), str(workers)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    options = parser(__doc__.splitlines()[0], 20_000)
    options.add_argument("--large", type=int, default=200_000, help="objects in the second file, 0 for none")
    options = options.parse_args()
    small = large_cif(options.source, options.folder, 200)
    print(f"{machine()}; medians of {options.repeats} (large file: 1)")
    print(f"{'objects':>9} {'workers':>8} {'objects/s':>10} {'peak MiB':>9} {'stack/source':>13}")
    for n_objects in (options.objects, options.large):
        if not n_objects:
            continue
        source = large_cif(options.source, options.folder, n_objects)
        output = options.folder / "converted.h5"
        for workers in (1, 2):
            repeats = options.repeats if n_objects == options.objects else 1
            runs = [run(small, source, output, workers) for _ in range(repeats)]
            rate = n_objects / statistics.median(one["seconds"] for one in runs)
            peak = max(one["peak"] for one in runs)
            ratio = runs[0]["size"] / source.stat().st_size
            print(f"{n_objects:>9,} {workers:>8} {rate:>10,.0f} {peak:>9.0f} {ratio:>13.2f}")
        output.unlink()


if __name__ == "__main__":
    main()
