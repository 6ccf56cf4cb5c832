"""The feature-based classifier on real cells: balanced accuracy, F1 of two nuclei, times and memory.

Run: python benchmarks/bench_fbml.py [--data ../shared/data] [--methods lda,forest,boosting,logistic]
Jurkat: 2,741 cells, seven cell-cycle classes, from pixels through masks and features. All
figures are of the 5-fold cross-validation in which ranking, choice and number of features
are made anew on the training part of each fold. Beside it stands the plain rule, Spot Count
2 of the default BNE mask. Scoring is timed on a table of 100,000 objects.
"""

from __future__ import annotations

import argparse
import csv
import time
import tracemalloc
from pathlib import Path

import numpy as np
from common import machine

from ifcyto.classify.training import TrainOptions, train
from ifcyto.features.spots import spot_count
from ifcyto.masks.evaluate import MaskBook
from ifcyto.masks.grammar import shown
from ifcyto.masks.nuclei import bne_mask
from ifcyto.pipeline.measure import MeasureOptions, measure
from ifcyto.planes import Planes
from ifcyto.readers.cif import CifReader

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TWO_NUCLEI = {"Anaphase", "Telophase"}


def f1(true: np.ndarray, called: np.ndarray) -> float:
    """F1 of two boolean arrays."""
    hits = np.count_nonzero(true & called)
    return 2 * hits / (np.count_nonzero(true) + np.count_nonzero(called))


def jurkat(data: Path) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    """Values, labels and names of the fbml set, and the Spot Count of the default BNE mask."""
    path = data / "jurkat" / "jurkat_train.cif"
    with (data / "jurkat" / "jurkat_train_labels.csv").open(newline="") as file:
        known = {int(row["object"]): row["label"] for row in csv.DictReader(file)}
    start = time.perf_counter()
    table = measure(path, "fbml", options=MeasureOptions(dna="DNA"))
    print(f"measured {table.n_obs:,} cells, {table.n_vars} features: {time.perf_counter() - start:.1f} s")
    with CifReader(path) as reader:
        planes = Planes(reader.read_batch(range(len(reader))), reader.channels, pixel_size_um=0.5)
        spots = spot_count(MaskBook(reader.channels).workspace(planes), shown(bne_mask("MC", "DNA")))
    labels = np.array([known[number] for number in table.obs["object"]])
    return np.asarray(table.X), labels, list(table.var_names), spots


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=DATA, help="folder with jurkat/")
    options.add_argument("--methods", default="lda,forest")
    options = options.parse_args()
    print(machine())
    values, labels, names, spots = jurkat(options.data)
    two = np.isin(labels, list(TWO_NUCLEI))
    print(
        f"{'method':<12} {'balanced accuracy':>18} {'s.d.':>6} {'two nuclei F1':>14} {'features':>9} {'s':>7}"
    )
    print(f"{'plain rule':<12} {'':>18} {'':>6} {f1(two, spots == 2):>14.3f} {1:>9} {'':>7}")
    for method in options.methods.split(","):
        start = time.perf_counter()
        found = train(values, labels, names, options=TrainOptions(method=method, learning_curve=False))
        seconds = time.perf_counter() - start
        folds = found.cv.balanced_accuracy
        called = np.isin(found.cv.predictions, list(TWO_NUCLEI))
        print(
            f"{method:<12} {folds.mean():>18.3f} {folds.std(ddof=1):>6.3f} {f1(two, called):>14.3f} "
            f"{len(found.scorer.features):>9} {seconds:>7.1f}"
        )
    speed(values, labels, names)


def speed(values: np.ndarray, labels: np.ndarray, names: list[str]) -> None:
    """Train on 758 objects, score 100,000 rows."""
    rng = np.random.default_rng(7)
    rows = rng.choice(len(labels), 758, replace=False)
    start = time.perf_counter()
    found = train(values[rows], np.where(np.isin(labels[rows], ["G1", "S_phase"]), "a", "b"), names)
    print(f"training on 758 objects with learning curve: {time.perf_counter() - start:.1f} s")
    places = [names.index(name) for name in found.scorer.features]
    table = np.tile(values[:, places], (1 + 100_000 // len(values), 1))[:100_000]
    tracemalloc.start()
    start = time.perf_counter()
    found.scorer.predict(table)
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    print(
        f"scoring 100,000 objects, {len(places)} features: {100_000 / seconds:,.0f} objects/s, {peak:.0f} MiB"
    )


if __name__ == "__main__":
    main()
