"""A display for the tests of the window, and a proof that each leaves none behind."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from ifcyto.pipeline.convert import convert
from ifcyto.review.opening import ReviewOptions, open_review
from ifcyto.samples.demo import write_demo_cif, write_demo_study

HEADER = "sample,group,object,stage,spot_count,candidate,spot,fbml,cnn,manual,fbml_score,cnn_probability\n"
THERE = "import napari, qtpy.QtWidgets; from napari._qt.qt_main_window import Window"


def why_not() -> str:
    """Why nothing can be drawn here; empty where it can. Qt ends the process where a library is missing."""
    done = subprocess.run([sys.executable, "-c", THERE], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["Qt does not start"])[-1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What uses the display is marked, so that it runs apart from TensorFlow."""
    for item in items:
        if "display" in getattr(item, "fixturenames", ()):
            item.add_marker("gui")


@pytest.fixture(scope="session")
def display(tmp_path_factory):
    """A screen: the one that is there, or one of Xvfb's."""
    pytest.importorskip("napari", reason="the review extra is not installed")
    if "tensorflow" in sys.modules:
        pytest.skip("TensorFlow is in this process, and drawing beside it ends the process: run it alone")
    reason = why_not()
    if reason:
        pytest.skip(f"napari does not start: {reason}; the README names the system libraries")
    home = tmp_path_factory.mktemp("home")
    os.environ |= {"NAPARI_CONFIG": str(home / "napari.yaml"), "XDG_RUNTIME_DIR": str(home)}
    if os.environ.get("DISPLAY") or sys.platform != "linux":
        yield os.environ.get("DISPLAY", "")
        return
    if shutil.which("Xvfb") is None:
        pytest.skip("there is no display, and no Xvfb to make one")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1500x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    if not number:
        server.wait()
        pytest.skip("Xvfb does not start")
    os.environ["DISPLAY"] = f":{number}"
    yield os.environ["DISPLAY"]
    from qtpy.QtWidgets import QApplication

    if (app := QApplication.instance()) is not None:
        app.quit()
    server.terminate()
    server.wait(10)
    del os.environ["DISPLAY"]


@pytest.fixture(scope="session")
def viewer(display):
    """One window of napari's for all tests: it takes seconds to open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import napari

        made = napari.Viewer()
        gc.freeze()  # napari collects garbage with every layer that goes
        yield made
        made.close()


@pytest.fixture
def qt(display):
    """Qt's application; an error in a slot fails the test, and so does a window that stays."""
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=ResourceWarning)
    from napari.qt import get_qapp

    app = get_qapp()
    seen: list[BaseException] = []
    before = sys.excepthook
    sys.excepthook = lambda kind, error, trace: seen.append(error)
    shown = {widget for widget in app.topLevelWidgets() if widget.isVisible()}
    yield app
    settle(app)
    sys.excepthook = before
    left = [widget for widget in app.topLevelWidgets() if widget.isVisible() and widget not in shown]
    for widget in left:
        widget.close()
    assert seen == []
    assert left == []


def settle(app, seconds: float = 0.0, until=None) -> None:
    """Let Qt work, at least once, until something holds."""
    end = time.monotonic() + (120 if until is not None else seconds)
    app.processEvents()
    while time.monotonic() < end and not (until is not None and until()):
        app.processEvents()
        time.sleep(0.01)
    app.processEvents()
    assert until is None or until()


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """Thirty simulated cells."""
    folder = tmp_path_factory.mktemp("cells")
    convert(write_demo_cif(folder / "demo.cif", n_cells=30), folder / "demo.h5")
    return folder / "demo.h5"


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """A study of two samples as a run leaves it, as far as a review needs it."""
    path = write_demo_study(
        tmp_path_factory.mktemp("study"), samples_per_group=1, cells_per_sample=12, truth_cells=0
    )
    stacks = path.parent / "results" / "work" / "stacks"
    stacks.mkdir(parents=True)
    rows = []
    for cif in sorted(path.parent.glob("*.cif")):
        convert(cif, stacks / f"{cif.stem}.h5")
        calls = [("BNE", "Doublet") if n % 3 else ("Doublet", "BNE") for n in range(12)]
        rows += [
            f"{cif.stem},MDS,{n},ProE,2,1,BNE,{a},{b},,{n / 12},{1 - n / 12}\n"
            for n, (a, b) in enumerate(calls)
        ]
    (path.parent / "results" / "classifications.csv").write_text(HEADER + "".join(rows))
    return path


@pytest.fixture
def opened(stack, tmp_path):
    """Opens reviews of the stack, and closes them."""
    reviews = []

    def make(**options):
        given = {"by": "AB", "labels": tmp_path / "labels.csv", "per_page": 12, **options}
        reviews.append(open_review(stack, ReviewOptions(**given)))
        return reviews[-1]

    yield make
    for review in reviews:
        review.close()


def colours(pixels: np.ndarray) -> int:
    """Different colours of a picture."""
    return len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0))


@pytest.fixture
def make(viewer, qt):
    """Docks with a review in one viewer; closed at the end."""
    from ifcyto.napari_plugin.window import ReviewWindow

    made = []

    def start_one(path, **options):
        window = ReviewWindow(viewer)
        viewer.window.add_dock_widget(window, area="right")
        made.append(window)
        window.open(path, ReviewOptions(**{"by": "AB", "per_page": 12, **options}))
        settle(qt, until=lambda: not window.job.running)
        return window

    yield start_one
    for window in made:
        viewer.window.remove_dock_widget(window)
        window.close()
    assert len(viewer.layers) == 0


@pytest.fixture
def window(make, stack, tmp_path):
    return make(stack, labels=tmp_path / "labels.csv")


@pytest.fixture
def with_table(make, stack, tmp_path):
    """A review with a feature table."""
    from ifcyto.pipeline.measure import measure_to_file

    names = ["Area_M05", "Aspect Ratio_M05", "Intensity_MC_DRAQ5", "Circularity_M05"]
    measure_to_file(stack, tmp_path / "t.h5ad", names)
    return make(stack, labels=tmp_path / "l.csv", table=tmp_path / "t.h5ad")


def tab(window, name):
    (place,) = [i for i in range(window.tabs.count()) if window.tabs.tabText(i) == name]
    return window.tabs.widget(place).widget()


def drag(view, *points):
    from qtpy.QtCore import QEvent, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    kinds = [QEvent.Type.MouseButtonPress, *[QEvent.Type.MouseMove] * (len(points) - 1)]
    for kind, point in zip(kinds, points, strict=True):
        QApplication.sendEvent(view, QMouseEvent(kind, point, point, left, left, none))
    end = QEvent.Type.MouseButtonRelease
    QApplication.sendEvent(view, QMouseEvent(end, points[-1], points[-1], left, left, none))
