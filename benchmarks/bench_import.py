"""How long the doors take: ``import ifcyto`` and ``ifcyto --help``, in fresh processes.

Run from the repository's root:  python benchmarks/bench_import.py [--repeat 9]

The start of the interpreter itself is measured as well and taken off the
import. Figures are medians; nothing is asserted.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

CASES = {
    "empty interpreter": ["-c", "pass"],
    "import ifcyto": ["-c", "import ifcyto"],
    "ifcyto --help": ["-c", "import sys; from ifcyto.cli.main import main; sys.exit(main(['--help']))"],
    "ifcyto --version": ["-c", "import sys; from ifcyto.cli.main import main; sys.exit(main(['--version']))"],
}
REACH = {"import ifcyto": 0.1, "ifcyto --help": 0.5}


def seconds(arguments: list[str]) -> float:
    """Wall time of one fresh interpreter."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def heaviest(statement: str, count: int = 5) -> list[str]:
    """Modules with the longest own import time, by ``-X importtime``."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement], capture_output=True, text=True, check=True
    )
    rows = [line.removeprefix("import time:").split("|") for line in done.stderr.splitlines() if "|" in line]
    timed = [(int(own), name.strip()) for own, _, name in rows if own.strip().isdigit()]
    return [f"{name} {own / 1000:.1f} ms" for own, name in sorted(timed, reverse=True)[:count]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=9)
    repeat = parser.parse_args().repeat
    medians = {}
    for name, arguments in CASES.items():
        seconds(arguments)  # fills the file cache
        medians[name] = statistics.median(seconds(arguments) for _ in range(repeat))
    empty = medians["empty interpreter"]
    for name, median in medians.items():
        extra = "" if name == "empty interpreter" else f"  ({median - empty:.3f} s above the interpreter)"
        reach = f"  reach {REACH[name]} s" if name in REACH else ""
        print(f"{name:20} {median:.3f} s{extra}{reach}")
    print("longest own imports of ifcyto.cli.main:", ", ".join(heaviest("import ifcyto.cli.main")))


if __name__ == "__main__":
    main()
