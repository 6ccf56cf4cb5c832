"""The simulator: how hard its objects are to tell, how like real ones, and how fast it draws.

Run: python benchmarks/bench_simulator.py [--data ../shared/data] [--pools 2] [--figures DIR]
Difficulty: objects are simulated with the paper's training sample in mind; candidates are
those with Spot Count 2 of the default rule; a linear discriminant with shrinkage on a dozen
shape features is cross-validated ten-fold on 147 BNE, 350 doublets and 261 irregular ones
and judged on another sample, in the paper's proportions of classes (its manual counts are
not published; those of its feature-based classifier are taken). S0 had precision 0.913 and
recall 0.782 by its network. Realism: the Jurkat and IS100 files of the data folder.
Speed is CPU time of one process, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from common import machine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ifcyto.figures.realism import example_sheet, realism_figure
from ifcyto.masks.grammar import shown
from ifcyto.masks.nuclei import bne_mask
from ifcyto.pipeline.measure import MeasureOptions, measure
from ifcyto.readers.cif import CifReader
from ifcyto.simulate.groups import PAPER
from ifcyto.simulate.observer import LABELS, visible
from ifcyto.simulate.parameters import CHANNELS, KINDS, STAGES
from ifcyto.simulate.realism import image_profile
from ifcyto.simulate.sample import simulate_chunks, simulate_objects
from ifcyto.writers.cif import write_cif

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
NUCLEI = shown(bne_mask("MC", "DRAQ5"))
DNA = "Threshold(M05, DRAQ5, 50)"
SPOTS = f"Spot Count_{NUCLEI}"
FEATURES = (
    "Area_M02", "Aspect Ratio_M02", "Max Pixel_M02_CD235a", "Intensity_MC_DRAQ5", f"Area_{DNA}",
    f"Aspect Ratio_{DNA}", f"Length_{DNA}", f"Thickness Min_{DNA}", f"Modulation_{DNA}_DRAQ5",
    f"Area_{NUCLEI}", f"Spot Area Min_{NUCLEI}", f"Spot Distance Min_{NUCLEI}",
)  # fmt: skip
DRAWN = (1600, 1000, 10_000)  # objects of each class of LABELS, so that enough are candidates
FOUND = (773, 547, 2245)  # S0: what its feature-based classifier called BNE, doublet, irregular


def candidates(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features, class, candidate and visible of simulated objects."""
    kinds = np.repeat([KINDS.index(name) for name in LABELS], DRAWN)
    rng = np.random.default_rng(seed)
    rng.shuffle(kinds)
    stages = rng.choice(len(STAGES), len(kinds), p=PAPER.training.stages)
    sample = simulate_objects(kinds, stages, seed=seed, size=PAPER.training.size)
    with tempfile.TemporaryDirectory() as folder:
        path = write_cif(sample.batch.cells(), Path(folder) / "a.cif", channels=CHANNELS)
        table = measure(path, [SPOTS, *FEATURES], options=MeasureOptions(dna="DRAQ5"))
    values = np.nan_to_num(np.asarray(table.X, np.float64))
    return values[:, 1:], sample.truth.kinds, values[:, 0] == 2, visible(sample.truth)


def scores(true: np.ndarray, called: np.ndarray) -> str:
    """Precision and recall of BNE as text."""
    hits = np.count_nonzero((true == "BNE") & (called == "BNE"))
    precision = hits / max(np.count_nonzero(called == "BNE"), 1)
    return f"precision {precision:.3f}  recall {hits / np.count_nonzero(true == 'BNE'):.3f}"


def difficulty(seed: int) -> None:
    """Print how well a plain discriminant tells the candidates of one draw."""
    values, kinds, candidate, seen = candidates(seed)
    rows = {name: np.flatnonzero(candidate & (kinds == name)) for name in LABELS}
    shares = ", ".join(f"{name} {candidate[kinds == name].mean():.3f}" for name in LABELS)
    agree = np.mean(candidate == seen)
    print(f"seed {seed}: share with Spot Count 2: {shares}; as the observer's criterion: {agree:.3f}")
    pool = np.concatenate([rows[name][:n] for name, n in zip(LABELS, PAPER.tagged, strict=True)])
    model = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    called = cross_val_predict(model, values[pool], kinds[pool], cv=folds)
    print(f"  {len(pool)} tagged, 10-fold:    LDA {scores(kinds[pool], called)}")
    for name in LABELS:
        row = [int(np.sum((kinds[pool] == name) & (called == other))) for other in LABELS]
        print(f"    {name:<10} called {', '.join(f'{n} {o}' for n, o in zip(row, LABELS, strict=True))}")
    model.fit(values[pool], kinds[pool])
    left = [np.setdiff1d(rows[name], pool) for name in LABELS]
    n = min(len(one) / part for one, part in zip(left, FOUND, strict=True))
    held = np.concatenate([one[: int(n * part)] for one, part in zip(left, FOUND, strict=True)])
    print(f"  {len(held)} others, held out:  LDA {scores(kinds[held], model.predict(values[held]))}")
    print(f"  the same, plain rule:     {scores(kinds[held], np.full(len(held), 'BNE'))}")


def speed() -> None:
    """Print objects a second of drawing and of writing."""
    list(simulate_chunks(200, seed=1, mix=PAPER.training))
    start = time.process_time()
    chunks = list(simulate_chunks(6000, seed=2, mix=PAPER.training))
    drawn = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        cells = (cell for chunk in chunks for cell in chunk.batch.cells())
        path = write_cif(cells, Path(folder) / "a.cif", channels=CHANNELS)
        written, size = time.process_time(), path.stat().st_size
    print(
        f"6,000 objects: drawn {6000 / (drawn - start):,.0f}/s, written {6000 / (written - drawn):,.0f}/s, "
        f"both {6000 / (written - start):,.0f}/s of CPU time; {size / 6000:,.0f} bytes an object"
    )


def realism(data: Path, folder: Path | None) -> None:
    """Print and draw the comparison with real images."""
    sim = simulate_objects(np.zeros(500, int), np.ones(500, int), seed=5).batch
    batches = {"simulated BasoE": (sim, {"BF": 0, "DNA": 2})}
    for name, path, places in (
        ("Jurkat", data / "jurkat" / "jurkat_train.cif", {"BF": 0, "DNA": 1}),
        ("IS100", data / "amnis" / "example.cif", {"BF": 4}),
    ):
        if path.is_file():
            with CifReader(path) as reader:
                batches[name] = (reader.read_batch(range(min(len(reader), 500))), places)
    profiles: dict[str, dict] = {"BF": {}, "DNA": {}}
    for name, (batch, places) in batches.items():
        for channel, place in places.items():
            one = profiles[channel][name] = image_profile(batch, place, pixel_um=0.5)
            inner = one.frequency <= 0.15
            middle = np.argmin(np.abs(one.level - np.median(one.level)))
            print(
                f"{channel:<4}{name:<16} diameter {np.median(one.diameter_um):5.1f} um, "
                f"brightness cv {np.nanstd(one.brightness) / np.nanmean(one.brightness):.2f}, "
                f"noise {one.noise[middle]:.2f} at {one.level[middle]:.0f} and {one.noise[-1]:.2f} at "
                f"{one.level[-1]:.0f} counts, power above 0.15 cycles/px "
                f"{one.power[~inner].sum() / one.power.sum():.4f}"
            )
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    realism_figure(profiles).savefig(folder / "simulator_realism.png", dpi=150)
    objects = {
        name: [[cell.images[i] for i in places.values()] for cell in batch.cells()[:14]]
        for name, (batch, places) in batches.items()
    }
    names = {name: list(places) for name, (_, places) in batches.items()}
    example_sheet(objects, names, size=44).savefig(folder / "simulator_real.png", dpi=150)
    sheets, roles = {}, [channel.name for channel in CHANNELS]
    for kind in ("Single", "BNE", "Doublet", "Irregular"):
        batch = simulate_objects(
            np.full(15, KINDS.index(kind)), np.repeat([0, 1, 2], 5), seed=11 + KINDS.index(kind)
        ).batch
        sheets[f"{kind}: five each of ProE, BasoE, PolyOrthoE"] = [
            list(cell.images) for cell in batch.cells()
        ]
    example_sheet(sheets, dict.fromkeys(sheets, roles), size=58).savefig(
        folder / "simulator_kinds.png", dpi=110
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=DATA, help="folder with jurkat/ and amnis/")
    options.add_argument("--pools", type=int, default=2, help="draws on which the difficulty is measured")
    options.add_argument("--figures", type=Path, help="folder for the figures; none by default")
    options = options.parse_args()
    print(machine())
    speed()
    realism(options.data, options.figures)
    for seed in range(1, options.pools + 1):
        difficulty(seed)


if __name__ == "__main__":
    main()
