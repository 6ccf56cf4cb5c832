"""Networks on real cells: balanced accuracy of seven classes and F1 of two nuclei, on the folds of FBML.

Run: python benchmarks/bench_cnn.py [--networks vgg_small,vgg16_bn] [--epochs 40] [--size 40]
Jurkat: 2,741 cells, BF and DNA images, seven cell-cycle classes, 5 folds. Of the training part
of each fold a tenth is held out to choose the best epoch; the test part is judged once. Beside
it stand the plain rule (Spot Count 2 of the default BNE mask) and FBML on the same folds.
With --speed: images/s of training and inference against a bare Keras loop on arrays in memory.
With --trap: why plain VGG16 should not be trained from random weights.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from common import machine

from ifcyto.classify.cnn.backend import choose_precision, keras
from ifcyto.classify.cnn.crops import Crops, cut, training_scale
from ifcyto.classify.cnn.network import build_network
from ifcyto.classify.cnn.options import Augmentation, CnnOptions
from ifcyto.classify.cnn.predict import Forward
from ifcyto.classify.cnn.split import TEST, fold_parts, three_parts
from ifcyto.classify.cnn.train import Learned, train_network
from ifcyto.pipeline.convert import convert
from ifcyto.stack.cell_stack import CellStack

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TWO_NUCLEI = ("Anaphase", "Telophase")


def jurkat(data: Path, size: int) -> tuple[Crops, np.ndarray, tuple[str, ...]]:
    """BF and DNA crops, class codes and classes."""
    with (data / "jurkat" / "jurkat_train_labels.csv").open(newline="") as file:
        known = {int(row["object"]): row["label"] for row in csv.DictReader(file)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jurkat.h5"
        convert(data / "jurkat" / "jurkat_train.cif", path)
        with CellStack.open(path) as stack:
            crops = cut(stack, np.arange(len(stack)), ["BF", "DNA"], size)
            labels = [known[number] for number in stack.object_numbers.tolist()]
    classes = tuple(sorted(set(labels)))
    return crops, np.array([classes.index(label) for label in labels]), classes


def f1(true: np.ndarray, called: np.ndarray) -> float:
    """F1 of two boolean arrays."""
    return 2 * np.count_nonzero(true & called) / (np.count_nonzero(true) + np.count_nonzero(called))


def recall(true: np.ndarray, found: np.ndarray) -> float:
    """Mean over the classes of the share found."""
    return float(np.mean([(found[true == code] == code).mean() for code in np.unique(true)]))


def judge_network(
    name: str,
    crops: Crops,
    codes: np.ndarray,
    classes: tuple[str, ...],
    options: CnnOptions,
    folds: int,
    out: Path,
) -> None:
    found, each, start, epochs = np.full(len(codes), -1), [], time.perf_counter(), []
    for fold, parts in enumerate(fold_parts(codes, classes, folds, seed=options.seed)):
        learned = train_network(crops, codes, parts, len(classes), options, work=out / f"{name}-{fold}")
        test = np.flatnonzero(parts == TEST)
        found[test] = learned.logits[test].argmax(axis=1)
        each.append(recall(codes[test], found[test]))
        epochs.append(learned.best + 1)
        print(f"  fold {fold}: {each[-1]:.3f}, best epoch {epochs[-1]}: {learned.reason}", flush=True)
        (out / f"{name}-{fold}.json").write_text(json.dumps(learned.history))
    two = [classes.index(label) for label in TWO_NUCLEI]
    matrix = np.zeros((len(classes),) * 2, int)
    np.add.at(matrix, (codes, found), 1)
    score = f1(np.isin(codes, two), np.isin(found, two))
    print(
        f"{name}: balanced accuracy {np.mean(each):.3f}, s.d. {np.std(each, ddof=1):.3f}, pooled "
        f"{recall(codes, found):.3f}, accuracy {(codes == found).mean():.3f}, two nuclei F1 {score:.3f}, "
        f"{time.perf_counter() - start:.0f} s, best epochs {epochs}"
    )
    print(classes, matrix, sep="\n", flush=True)


def speed(name: str, data: Path, precision: str, repeats: int, n: int) -> None:
    """Training of n images and inference of 4 n, against bare Keras loops on arrays in memory, in turns."""
    crops, codes, classes = jurkat(data, 64)
    rows = np.random.default_rng(7).choice(len(codes), n, replace=False)
    part, known = crops.take(rows), codes[rows]
    options = CnnOptions(
        architecture=name, epochs=3, precision=precision, augmentation=Augmentation.none(), balance="none",
        validation=0.02, smoothing=0, stop="never", schedule="constant",
    )  # fmt: skip
    scale = training_scale(part, np.arange(n))
    images, targets = part.scaled(np.arange(n), scale), np.eye(len(classes), dtype=np.float32)[known]
    bare = build_network(name, (64, 64, 2), len(classes), precision=choose_precision(precision))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    bare.compile(keras.optimizers.Adam(), loss, metrics=["accuracy"], jit_compile=False)
    parts = np.zeros(n, np.int64)
    parts[:2] = 1  # two to validate on: their cost is that of one batch
    ours, theirs = [], []
    for _ in range(repeats):
        learned = train_network(part, known, parts, len(classes), options)
        ours += learned.history["seconds"][1:]
        ends: list[float] = []
        told = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_, to=ends: to.append(time.perf_counter()))
        bare.fit(images, targets, batch_size=32, epochs=3, verbose=0, callbacks=[told])
        theirs += np.diff(ends).tolist()  # without the first epoch, which compiles
    mine, plain = (float(np.median(times)) for times in (ours, theirs))
    ratio = (n - 2) / n * plain / mine
    print(f"{name}, {precision}: training {(n - 2) / mine:.1f} images/s, bare Keras {n / plain:.1f}", end="")
    print(f", ratio {ratio:.2f}")
    judge_speed(learned, crops.take(np.arange(min(4 * n, len(crops)))), repeats)


def judge_speed(learned: Learned, crops: Crops, repeats: int) -> None:
    forward, rows = Forward(learned.network), np.arange(len(crops))
    images = crops.scaled(rows, learned.scale)
    forward(images[:128])
    seconds: dict[str, list[float]] = {"ours": [], "bare": [], "feeding": []}
    for _ in range(repeats):
        start = time.perf_counter()
        forward.crops(crops, rows, learned.scale)
        seconds["ours"].append(time.perf_counter() - start)
        start = time.perf_counter()
        for first in range(0, len(images), 128):
            learned.network(images[first : first + 128], training=False)
        eager = time.perf_counter() - start
        start = time.perf_counter()
        forward(images)
        seconds["bare"].append(min(eager, time.perf_counter() - start))
        start = time.perf_counter()
        for first in range(0, len(images), 128):
            crops.scaled(rows[first : first + 128], learned.scale)
        seconds["feeding"].append(time.perf_counter() - start)
    ours, bare, feeding = (float(np.median(times)) for times in seconds.values())
    rates = f"{len(crops) / ours:.0f} images/s from crops, bare network {len(crops) / bare:.0f}"
    print(f"  inference {rates}, ratio {bare / ours:.2f}; scaling {100 * feeding / ours:.1f} % of the time")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory of the process {peak:.0f} MiB", flush=True)


def trap(data: Path) -> None:
    """Plain VGG16 from random weights against VGG16 with batch normalisation: 606 cells, 3 classes of 202."""
    crops, codes, classes = jurkat(data, 32)
    rows = [np.flatnonzero(codes == classes.index(name))[:202] for name in ("G1", "G2", "Prophase")]
    part, known = crops.take(np.concatenate(rows)), np.repeat([0, 1, 2], 202)
    parts, _ = three_parts(known)
    for name, rate in (("vgg16", 1e-3), ("vgg16", 1e-4), ("vgg16_bn", 5e-4)):
        options = CnnOptions(
            architecture=name, size=32, epochs=8, rate=rate, schedule="constant", stop="never", smoothing=0,
            precision="mixed_bfloat16", average=0,
        )  # fmt: skip
        history = train_network(part, known, parts, 3, options).history
        losses = " ".join(f"{loss:.3f}" for loss in history["loss"])
        print(f"{name}, rate {rate:g}: loss {losses}; validation accuracy {history['val_accuracy'][-1]:.2f}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=DATA, help="folder with jurkat/")
    options.add_argument("--networks", default="vgg_small,vgg16_bn")
    options.add_argument("--epochs", type=int, default=40)
    options.add_argument("--size", type=int, default=40)
    options.add_argument("--folds", type=int, default=5)
    options.add_argument("--precision", default="auto")
    options.add_argument("--set", action="append", default=[], metavar="NAME=JSON", help="another option")
    options.add_argument("--folder", type=Path, default=Path("bench-files"))
    options.add_argument("--trap", action="store_true", help="plain VGG16 from random weights instead")
    options.add_argument("--speed", action="store_true", help="measure speed instead")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--images", type=int, default=606, help="of --speed: images of an epoch")
    options = options.parse_args()
    print(machine())
    if options.trap:
        trap(options.data)
        return
    if options.speed:
        for name in options.networks.split(","):
            speed(name, options.data, options.precision, options.repeats, options.images)
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    crops, codes, classes = jurkat(options.data, options.size)
    more = {name: json.loads(value) for name, _, value in (text.partition("=") for text in options.set)}
    for name in options.networks.split(","):
        how = CnnOptions(architecture=name, size=options.size, epochs=options.epochs,
                         precision=options.precision, **more)  # fmt: skip
        print(name, how, flush=True)
        judge_network(name, crops, codes, classes, how, options.folds, options.folder)


if __name__ == "__main__":
    main()
