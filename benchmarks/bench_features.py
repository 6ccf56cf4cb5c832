"""Features of many six-channel objects: objects/s and values/s on one core and two, against scikit-image.

Run: python benchmarks/bench_features.py [--objects 20000] [--template FILE.daf]
The stack is made from real objects, repeated. Each measurement runs in a process
of its own, after a first small one that loads the compiled code; the table is
written to disk and counted in the time. The reference computes what
scikit-image's regionprops, top-hat and co-occurrence matrices offer of the
template's features, on fewer objects, with the same masks.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from common import large_cif, machine, parser
from skimage.feature import graycomatrix, graycoprops
from skimage.measure import label, regionprops
from skimage.morphology import disk, white_tophat

from ifcyto.features.registry import FEATURES
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.feature_choice import plan_features
from ifcyto.planes import Planes
from ifcyto.readers.daf_document import read_daf
from ifcyto.stack.cell_stack import CellStack

TEMPLATE = Path(__file__).resolve().parents[2] / "shared" / "data" / "amnis" / "ut7_ideas62.daf"
TEXTURE = ("H ", "Gradient", "Contrast", "Bright Detail", "Ensquared", "XCorr", "Shift")
OBJECT_PROPERTIES = (
    "area", "axis_major_length", "axis_minor_length", "perimeter", "centroid", "orientation", "bbox",
)  # fmt: skip
IMAGE_PROPERTIES = ("intensity_mean", "intensity_max", "intensity_min", "intensity_std", "centroid_weighted")

CHILD = """
import json, resource, sys, time
from pathlib import Path
from ifcyto.pipeline.measure import measure_to_file
small, source, output, workers = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
features = json.loads(sys.argv[5])
measure_to_file(small, output, features, workers=workers, overwrite=True)
start = time.perf_counter()
result = measure_to_file(source, output, features, workers=workers, overwrite=True)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak": peak, "features": result.n_features}))
"""


def run(small: Path, source: Path, output: Path, workers: int, features: str | list[str]) -> dict[str, float]:
    words = [
        sys.executable,
        "-c",
        CHILD,
        str(small),
        str(source),
        str(output),
        str(workers),
        json.dumps(features),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def reference(stack: CellStack, template: Path, n_objects: int) -> tuple[float, int]:
    """Seconds an object, and values an object, with scikit-image; masks are computed beforehand."""
    plan = plan_features(stack.channels, template)
    planes = Planes(stack.read_batch(range(n_objects)), stack.channels, pixel_size_um=0.5)
    work = plan.book.workspace(planes)
    pairs = {(c.masks[0], plan.images.place(c.images[0])) for c in plan.columns if c.masks and c.images}
    textured = {
        (c.masks[0], plan.images.place(c.images[0]), c.scalar)
        for c in plan.columns
        if c.name.startswith("H ")
    }
    detailed = {
        (c.masks[0], plan.images.place(c.images[0]))
        for c in plan.columns
        if c.name.startswith("Bright Detail")
    }
    flat = {mask: work.mask(mask) for mask, *_ in pairs | detailed}
    images = {channel: work.image(channel) for _, channel in pairs | detailed}
    bounds = planes.starts.tolist()
    start, count = time.perf_counter(), 0
    for i in range(n_objects):
        shape, part = (planes.heights[i], planes.widths[i]), slice(bounds[i], bounds[i + 1])
        count = 0
        for mask, channel in pairs:
            inside = flat[mask][part].reshape(shape)
            image = images[channel][part].reshape(shape)
            count += len(properties(inside, image))
        for mask, channel in detailed:
            image = images[channel][part].reshape(shape)
            white_tophat(image, disk(3))[flat[mask][part].reshape(shape)].sum()
            count += 1
        for mask, channel, distance in textured:
            count += len(
                textures(flat[mask][part].reshape(shape), images[channel][part].reshape(shape), distance)
            )
    return (time.perf_counter() - start) / n_objects, count


def properties(inside: np.ndarray, image: np.ndarray) -> list[object]:
    """Everything asked of one mask and image, and the number of its pieces."""
    found = regionprops(inside.astype(np.uint8), intensity_image=image)
    pieces = label(inside, connectivity=1).max()
    names = OBJECT_PROPERTIES + IMAGE_PROPERTIES
    return [pieces, *(getattr(region, name) for region in found[:1] for name in names)]


def textures(inside: np.ndarray, image: np.ndarray, distance: int) -> list[np.ndarray]:
    """Co-occurrence features with 16 grey levels; one more level holds what is outside."""
    if not inside.any():
        return []
    low, high = image[inside].min(), image[inside].max()
    levels = np.where(inside, np.rint(15 * (image - low) / max(high - low, 1)), 16).astype(np.uint8)
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    matrix = graycomatrix(levels, [distance], angles, levels=17, symmetric=True)[:16, :16].astype(float)
    matrix /= np.maximum(matrix.sum(axis=(0, 1)), 1)
    return [
        graycoprops(matrix, name) for name in ("contrast", "correlation", "energy", "entropy", "variance")
    ]


def without_texture(channels: object) -> list[str]:
    """Columns of the set ``ideas`` that need no texture."""
    return [c.stored() for c in plan_features(channels, "ideas").columns if not c.name.startswith(TEXTURE)]


def main() -> None:
    options = parser(__doc__.splitlines()[0], 20_000)
    options.add_argument("--template", type=Path, default=TEMPLATE, help="DAF whose features are computed")
    options.add_argument("--reference", type=int, default=111, help="objects of the reference")
    options = options.parse_args()
    stacks = []
    for n_objects in (200, options.objects, 5 * options.objects):
        path = options.folder / f"features_{n_objects}.h5"
        if not path.exists():
            convert(large_cif(options.source, options.folder, n_objects), path)
        stacks.append(path)
    small, large, larger = stacks
    with CellStack.open(small) as stack:
        per_object, n_values = reference(stack, options.template, min(options.reference, len(stack)))
        plain = without_texture(stack.channels)
    n_template = len(read_daf(options.template).features)
    print(f"{machine()}; medians of {options.repeats}; {len(FEATURES)} features in the registry")
    print(
        f"{'features':<28} {'columns':>8} {'workers':>8} {'objects/s':>10} {'values/s':>11} {'peak MiB':>9}"
    )
    print(
        f"{'scikit-image':<28} {n_values:>8} {1:>8} {1 / per_object:>10,.0f} {n_values / per_object:>11,.0f}"
    )
    output = options.folder / "features.h5ad"
    sets: list[tuple[str, str | list[str]]] = [
        (f"template, {n_template}", str(options.template)), ("basic", "basic"), ("ideas", "ideas"),
        ("ideas without texture", plain),
    ]  # fmt: skip
    rates = {}
    for name, features in sets:
        for workers in (1, 2):
            runs = [run(small, large, output, workers, features) for _ in range(options.repeats)]
            rate = options.objects / statistics.median(one["seconds"] for one in runs)
            rates[name, workers] = rate
            show(name, workers, rate, runs[0]["features"], max(one["peak"] for one in runs))
    one = run(small, larger, output, 1, sets[0][1])
    show(
        f"template, {5 * options.objects:,} objects",
        1,
        5 * options.objects / one["seconds"],
        n_template,
        one["peak"],
    )
    first = sets[0][0]
    print(f"template against scikit-image: {rates[first, 1] * per_object:.1f}x (objects, one core)")
    print(f"template, two workers against one: {rates[first, 2] / rates[first, 1]:.2f}x")


def show(name: str, workers: int, rate: float, columns: float, peak: float) -> None:
    print(f"{name:<28} {columns:>8.0f} {workers:>8} {rate:>10,.0f} {rate * columns:>11,.0f} {peak:>9.0f}")


if __name__ == "__main__":
    main()
