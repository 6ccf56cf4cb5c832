"""Make the pictures of docs/review.md: real cells, and a simulated study.

    python docs/review_shots.py PATH/TO/shared/data [FOLDER]

Needs the review extra and a display (``xvfb-run -a python docs/review_shots.py ...``).
"""

from __future__ import annotations

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
from ifcyto.review.opening import ReviewOptions
from ifcyto.samples.demo import write_demo_study

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifcyto.napari_plugin.window import ReviewWindow

SIZE = (1500, 940)


def wait(seconds: float, until: Callable[[], bool] | None = None) -> None:
    """Let the window work."""
    end = time.monotonic() + (120 if until else seconds)
    while time.monotonic() < end and not (until and until()):
        QApplication.processEvents()
        time.sleep(0.01)


def opened(path: Path, **options: object) -> ReviewWindow:
    """Open a review and wait until it is there."""
    labels = Path(tempfile.mkdtemp()) / "labels.csv"
    window = start(path, ReviewOptions(**{"by": "AB", "labels": labels, **options}))  # type: ignore[arg-type]
    window.desk.viewer.window._qt_window.resize(*SIZE)
    wait(0, lambda: window.job is not None and not window.job.running)
    if window.desk.review is None:
        sys.exit(window.desk.message)
    return window


def shoot(window: ReviewWindow, path: Path, tab: str = "Review") -> None:
    """Take the picture, and close the window."""
    names = [window.tabs.tabText(place) for place in range(window.tabs.count())]
    window.tabs.setCurrentIndex(names.index(tab))
    wait(0.8)
    window.desk.viewer.reset_view()
    wait(0.8)
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


def main(data: Path, folder: Path) -> None:
    """Make all pictures."""
    work = Path(tempfile.mkdtemp())
    real = opened(data / "amnis" / "example.cif", per_page=24)
    tag(real, {0: "Doublet", 5: "Irregular"}, 3)
    real.desk.outline()
    shoot(real, folder / "review_example.png")

    study = write_demo_study(work / "study", samples_per_group=2, cells_per_sample=150)
    run_study(study)
    blinded = opened(study, per_page=24, blinded=True, seed=7)
    tag(blinded, {0: "BNE", 1: "Doublet", 2: "BNE", 4: "Irregular"}, 3)
    shoot(blinded, folder / "review_study.png")

    stack = work / "jurkat.h5"
    convert(data / "jurkat" / "jurkat_train.cif", stack)
    measure_to_file(stack, work / "jurkat.h5ad", "basic")
    jurkat = opened(stack, per_page=24, table=work / "jurkat.h5ad")
    plots = jurkat.tabs.widget(3).widget()
    names = [plots.x.itemText(place) for place in range(plots.x.count())]
    plots.x.setCurrentText(next(name for name in names if name.startswith("Area_M02")))
    plots.y.setCurrentText(next(name for name in names if name.startswith("Intensity") and "DNA" in name))
    jurkat.tabs.setCurrentIndex(3)
    wait(0.5)
    view = plots.view
    (low, high), (bottom, top) = view._x, view._y
    view.points = [(low + 0.32 * (high - low), bottom + 0.35 * (top - bottom)), (high, top)]
    view.gated.emit()
    plots.show_inside()
    shoot(jurkat, folder / "review_plot.png", "Plot")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent)
