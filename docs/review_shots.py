"""Make the pictures of docs/review.md: real cells, and a simulated study.

    python docs/review_shots.py PATH/TO/shared/data [FOLDER]

Needs the review extra and a display (``xvfb-run -a python docs/review_shots.py ...``). The picture of
heat maps needs the extra cnn as well, and is left as it is without: TensorFlow runs in a process of its
own, since a window cannot be drawn beside it.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from qtpy.QtWidgets import QApplication

from ifcyto import run_study
from ifcyto.napari_plugin.launch import start
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.measure import measure_to_file
from ifcyto.review.objects import from_results
from ifcyto.review.opening import ReviewOptions
from ifcyto.samples.demo import write_demo_study

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

    from ifcyto.napari_plugin.window import ReviewWindow

SIZE = (1500, 940)
PER_PAGE = 24
EPOCHS = 20
COMMAND = "from ifcyto.cli.main import main; main()"


def wait(seconds: float, until: Callable[[], bool] | None = None) -> None:
    """Let the window work."""
    end = time.monotonic() + (120 if until else seconds)
    while time.monotonic() < end and not (until and until()):
        QApplication.processEvents()
        time.sleep(0.01)


def opened(path: Path, **options: object) -> ReviewWindow:
    """Open a review and wait until it is there."""
    labels = Path(tempfile.mkdtemp()) / "labels.csv"
    given = {"by": "AB", "labels": labels, "per_page": PER_PAGE, **options}
    window = start(path, ReviewOptions(**given))  # type: ignore[arg-type]
    window.desk.viewer.window._qt_window.resize(*SIZE)
    wait(0, lambda: window.job is not None and not window.job.running)
    if window.desk.review is None:
        sys.exit(window.desk.message)
    return window


def tab(window: ReviewWindow, name: str) -> QWidget:
    """Open a tab."""
    names = [window.tabs.tabText(place) for place in range(window.tabs.count())]
    window.tabs.setCurrentIndex(names.index(name))
    return window.tabs.currentWidget().widget()


def shoot(window: ReviewWindow, path: Path, name: str = "Review") -> None:
    """Take the picture, and close the window; what it says is wrong ends all."""
    tab(window, name)
    wait(0.8)
    window.desk.viewer.reset_view()
    wait(0.8)
    if window.desk.message:
        sys.exit(window.desk.message)
    window.desk.viewer.screenshot(str(path), canvas_only=False, flash=False)
    with Image.open(path) as picture:  # 128 colours are enough, and a third of the bytes
        small = picture.convert("RGB").quantize(128)
    small.save(path, optimize=True)
    viewer = window.desk.viewer
    window.close()
    viewer.close()


def tag(window: ReviewWindow, places: dict[int, str], selected: int) -> None:
    """Tag some cells of the page and select one."""
    rows = window.desk.review.session.rows_on_page().tolist()
    for place, label in places.items():
        window.desk.click(rows[place])
        window.desk.tag(label)
    window.desk.click(rows[selected])


def real_cells(data: Path, picture: Path) -> None:
    """Real cells with the outlines of their stored masks."""
    window = opened(data / "amnis" / "example.cif")
    tag(window, {0: "Doublet", 5: "Irregular"}, 3)
    window.desk.outline()
    shoot(window, picture)


def blinded_study(study: Path, picture: Path) -> None:
    """Candidates of a study that was run, blinded."""
    window = opened(study, blinded=True, seed=7)
    tag(window, {0: "BNE", 1: "Doublet", 2: "BNE", 4: "Irregular"}, 3)
    shoot(window, picture)


def masks_and_spots(study: Path, picture: Path) -> None:
    """Candidates of a study with numbered nuclei and two masks that were typed."""
    window = opened(study)
    overlays = tab(window, "Overlays")
    overlays.ready.setCurrentIndex(1)
    overlays.spots.setChecked(True)
    overlays.add()
    for text, name in (("Dilate(MC, 2)", "field"), ("Threshold(M02, CD235a, 40)", "bright CD235a")):
        overlays.text.setText(text)
        overlays.name.setText(name)
        overlays.add()
    tag(window, {0: "BNE"}, 2)
    shoot(window, picture, "Overlays")


def large_cell(study: Path, picture: Path) -> None:
    """One candidate large, with what lies over it in the gallery."""
    window = opened(study)
    window.desk.number_spots()
    window.desk.lay_over(lambda gallery: gallery.over.masks.add("Threshold(M02, CD235a, 40)"))
    row = int(window.desk.gallery.rows[2])
    window.desk.click(row)
    window.show_detail(row)
    shoot(window, picture, "Cell")


def heat_maps(study: Path, maps: Path, picture: Path) -> None:
    """Where a network looked."""
    window = opened(study)
    heat = tab(window, "Overlays").heat
    heat.load(maps)
    heat.show_cells()
    heat.kind.setCurrentIndex(1)
    shoot(window, picture, "Overlays")


def explained(study: Path, work: Path, *, epochs: int = EPOCHS) -> Path:
    """Train a network on the truth of a study and explain candidates of one sample, in other processes."""
    objects = from_results(study.parent / "results" / "classifications.csv")
    sample = objects.samples[-1]
    mine = objects.objects[objects.samples == sample][:PER_PAGE]
    stack = study.parent / "results" / "work" / "stacks" / f"{sample}.h5"
    chosen = [word for number in mine.tolist() for word in ("--object", str(number))]
    train = ["train", str(study), "--method", "cnn", "--set", f"epochs={epochs}", "-o", str(work / "cnn")]
    explain = ["explain", str(stack), str(work / "cnn"), *chosen, "-o", str(work / "why.npz")]
    for words in (train, explain):
        subprocess.run([sys.executable, "-c", COMMAND, *words], check=True)
    return work / "why.npz"


def real_gate(data: Path, work: Path, picture: Path) -> None:
    """Real cells inside a gate."""
    stack = work / "jurkat.h5"
    convert(data / "jurkat" / "jurkat_train.cif", stack)
    gate(stack, work, "DNA", picture)


def gate(stack: Path, work: Path, stain: str, picture: Path) -> None:
    """Cells of a stack inside a rectangle on area and the intensity of a stain."""
    measure_to_file(stack, work / "table.h5ad", "basic")
    window = opened(stack, table=work / "table.h5ad")
    plots = tab(window, "Plot")
    names = [plots.x.itemText(place) for place in range(plots.x.count())]
    plots.x.setCurrentText(next(name for name in names if name.startswith("Area_M02")))
    plots.y.setCurrentText(next(name for name in names if name.startswith("Intensity") and stain in name))
    wait(0.5)
    view = plots.view
    (low, high), (bottom, top) = view._x, view._y
    view.points = [(low + 0.32 * (high - low), bottom + 0.35 * (top - bottom)), (high, top)]
    view.gated.emit()
    plots.show_inside()
    shoot(window, picture, "Plot")


def bars(stack: Path, work: Path, picture: Path) -> None:
    """Cells of some bars of a histogram; the table of :func:`gate` is there."""
    window = opened(stack, table=work / "table.h5ad")
    plots = tab(window, "Plot")
    names = [plots.x.itemText(place) for place in range(plots.x.count())]
    plots.x.setCurrentText(next(name for name in names if name.startswith("Area_M02")))
    wait(0.5)
    filled = plots.view.bars.counts.nonzero()[0]
    plots.view.chosen = (int(filled[len(filled) // 2]), int(filled[len(filled) // 2]) + 4)
    plots.take_bars()
    shoot(window, picture, "Plot")


def main(data: Path, folder: Path) -> None:
    """Make all pictures."""
    work = Path(tempfile.mkdtemp())
    real_cells(data, folder / "review_example.png")
    real_gate(data, work, folder / "review_plot.png")
    bars(work / "jurkat.h5", work, folder / "review_bars.png")
    study = write_demo_study(work / "study", samples_per_group=2, cells_per_sample=150)
    run_study(study)
    blinded_study(study, folder / "review_study.png")
    masks_and_spots(study, folder / "review_masks.png")
    large_cell(study, folder / "review_cell.png")
    if importlib.util.find_spec("tensorflow") is not None:
        heat_maps(study, explained(study, work), folder / "review_heat.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "images")
