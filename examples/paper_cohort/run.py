"""A whole study on a simulated cohort like the paper's: 37 marrows, four groups, three stages.

    python examples/paper_cohort/run.py [WORKING_FOLDER] [--cells 2000]

Rosenberg et al. 2024 (Scientific Reports 14:9349) compared two ways of counting binucleated
erythroblasts (BNEs) with a blinded observer. Their images are not public. Here the cells are
simulated, so that what each object truly is stands in ``truth/``, and the methods can be held
against it. README.md beside this file says what each step is, in words.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from pathlib import Path

from ifcyto import run_study
from ifcyto.simulate.cohort import write_cohort
from ifcyto.simulate.groups import PAPER

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    """Rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def step_1_samples(work: Path, cells: int | None) -> Path:
    """Make the samples: images, stages, an observer's tags, truth images to train on."""
    study = write_cohort(work, PAPER, cells=cells, workers=None)
    print(f"1. samples: {len(list(work.glob('*.cif'))) - 1} and one to train on; the study is {study}")
    return study


def step_2_run(study: Path) -> Path:
    """Count spots, train and apply the classifier, compare, draw, report."""
    report = run_study(study)
    rows = read(report.parent / "classifications.csv")
    counted = [row for row in rows if row["group"] != "training" and row["stage"]]
    candidates = [row for row in counted if row["candidate"] == "1"]
    print(f"2. run: {len(counted)} cells of a stage, {len(candidates)} candidates with two nuclei seen")
    return report.parent


def step_3_frequencies(results: Path) -> None:
    """Print p values of MDS against healthy marrow, by stage and method."""
    print("3. BNE frequency, MDS against healthy (NBM): medians in %, two-sided exact Mann-Whitney p")
    for row in read(results / "tests.csv"):
        medians = f"{float(row['median_case']):.2f} against {float(row['median_control']):.2f}"
        print(f"   {row['stage']:<11} {row['method']:<7} {medians}, p {float(row['p']):.2g}")


def step_4_overlap(results: Path) -> int:
    """Print who called the same cells BNEs: the paper's diagrams, a line each; return their number."""
    regions: dict[tuple[str, str], Counter[str]] = {}
    for row in read(results / "overlap.csv"):
        who = "+".join(name for name in ("manual", "fbml", "cnn") if row[name] == "1")
        regions.setdefault((row["group"], row["stage"]), Counter())[who] += int(row["count"])
    print("4. cells called BNE by the observer alone, by the classifier alone, by both")
    for (group, stage), found in regions.items():
        print(f"   {group:<10} {stage:<11} {found['manual']:>4} {found['fbml']:>4} {found['manual+fbml']:>4}")
    return len(regions)


def step_5_truth(work: Path, results: Path) -> dict[str, tuple[float, float]]:
    """Hold every method against what the cells truly are: precision and recall among the candidates."""
    truth = {
        (path.stem, row["object"]): row["kind"]
        for path in (work / "truth").glob("*.csv")
        for row in read(path)
    }
    rows = [
        row
        for row in read(results / "classifications.csv")
        if row["group"] != "training" and row["candidate"] == "1"
    ]
    scores = {}
    print("5. candidates against the simulated truth: precision, recall")
    for method in ("spot", "fbml", "manual"):
        called = [row[method] == "BNE" for row in rows]
        real = [truth[row["sample"], row["object"]] == "BNE" for row in rows]
        hits = sum(one and other for one, other in zip(called, real, strict=True))
        scores[method] = (hits / max(sum(called), 1), hits / max(sum(real), 1))
        print(f"   {method:<7} {scores[method][0]:.3f} {scores[method][1]:.3f}")
    return scores


def main(work: Path, cells: int | None) -> dict[str, tuple[float, float]]:
    """Do all steps; return precision and recall of each method against the simulated truth."""
    results = step_2_run(step_1_samples(work, cells))
    step_3_frequencies(results)
    step_4_overlap(results)
    scores = step_5_truth(work, results)
    print(f"the report: {results / 'report.html'}")
    return scores


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", nargs="?", type=Path, default=Path("paper_cohort"))
    parser.add_argument("--cells", type=int, help="median number of objects a sample; 5,953 by default")
    arguments = parser.parse_args()
    main(arguments.work, arguments.cells)
