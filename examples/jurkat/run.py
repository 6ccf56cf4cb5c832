"""The plain two-nuclei rule on real cells: precision, recall and F1.

The truth are the published cell-cycle labels: a cell in anaphase or telophase
has two nuclei and is tagged ``BNE``; every other cell was looked at and is none.

    python examples/jurkat/run.py PATH/TO/jurkat [WORKING_FOLDER]
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

from ifcyto import run_study

HERE = Path(__file__).resolve().parent
TWO_NUCLEI = ("Anaphase", "Telophase")


def prepare(data: Path, work: Path) -> Path:
    """Put study, images and tags into the working folder; return the study file."""
    work.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(data / "jurkat_train.cif", work / "jurkat_train.cif")
    with (data / "jurkat_train_labels.csv").open(newline="", encoding="utf-8") as file:
        tagged = [row["object"] for row in csv.DictReader(file) if row["label"] in TWO_NUCLEI]
    lines = ["object,label", *(f"{number},BNE" for number in tagged)]
    (work / "jurkat_manual.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Path(shutil.copyfile(HERE / "study.toml", work / "study.toml"))


def main(data: Path, work: Path) -> dict[str, float]:
    """Run the study and print how well the plain rule does."""
    report = run_study(prepare(data, work))
    results = json.loads((report.parent / "results.json").read_text(encoding="utf-8"))
    score = next(row for row in results["agreement"] if row["class"] == "BNE" and not row["sample"])
    print(f"cells with two nuclei: {score['support']} of {results['samples'][0]['counted']}")
    print(f"found {score['tp']}, missed {score['fn']}, false {score['fp']}")
    print(f"precision {score['precision']:.3f}, recall {score['recall']:.3f}, F1 {score['f1']:.3f}")
    print(report)
    return score


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) == 3 else "jurkat_study"))
