"""Ten minutes with ifcyto: an image file, its cells, their features, and a whole study.

    python examples/quickstart.py [WORKING_FOLDER]

The images are simulated, so nothing needs to be downloaded. Put the path of your own .cif in the
place of the simulated one, and steps 1 to 3 do the same with it.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import ifcyto
from ifcyto.samples.demo import write_demo_study


def main(work: Path) -> Path:
    """Run all steps in a folder that holds no study yet; return the report."""
    # A small study: two groups of two samples, and one sample of tagged cells to learn from.
    study = write_demo_study(work, samples_per_group=2, cells_per_sample=150, truth_cells=150)
    source = work / "MDS01.cif"

    # 1. What is in the file?
    with ifcyto.open_acquisition(source) as reader:
        print(
            f"{source.name}: {len(reader)} objects, channels", *(channel.label for channel in reader.channels)
        )

    # 2. A cell stack: every object, pixel-exact, in one file that any HDF5 library can open.
    ifcyto.convert(source, work / "MDS01.h5")
    with ifcyto.CellStack.open(work / "MDS01.h5") as stack:
        crops = stack.images(range(10), channels=["BF", "DRAQ5"], size=64)
        print("ten cells:", crops.shape, crops.dtype)

        # 3. Features under IDEAS' names, in IDEAS' grammar of masks.
        table = ifcyto.measure(stack, ["Area_M05", "Aspect Ratio_M05", "Intensity_MC_DRAQ5"])
        print(table.to_df().describe().loc[["mean", "std"]].round(2))

    # 4. The study: candidates, the plain rule, the trained classifier, frequencies, tests, report.
    report = ifcyto.run_study(study)
    with (report.parent / "frequencies.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["method"] == "fbml":
                interval = f"{float(row['ci_low']):.1f} to {float(row['ci_high']):.1f} %"
                print(f"{row['sample']} {row['stage']}: {row['bne']} of {row['cells']} cells ({interval})")
    print(report)
    return report


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "quickstart"))
