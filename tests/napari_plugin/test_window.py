"""The window: it draws, its state goes round, and what is wrong is said in it."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

pytest.importorskip("napari.components", reason="the review extra is not installed")

from ifcyto.review.opening import ReviewOptions
from ifcyto.review.session import DEFAULT_CLASSES, TagClass, View

from .conftest import HEADER, colours, settle

pytestmark = pytest.mark.gui


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


def test_the_command_opens_a_window_and_leaves_none(qt, stack, tmp_path, monkeypatch):
    import napari

    from ifcyto.napari_plugin import launch

    seen = []
    monkeypatch.setattr(napari, "run", lambda: seen.append(napari.current_viewer()))
    launch.launch(stack, ReviewOptions(by="AB", labels=tmp_path / "l.csv"))
    (viewer,) = seen
    settle(qt, until=lambda: len(viewer.layers) == 6)
    assert viewer.title == "ifcyto review"
    viewer.close()


@pytest.fixture
def window(make, stack, tmp_path):
    return make(stack, labels=tmp_path / "labels.csv")


def test_cells_are_drawn(qt, window):
    settle(qt, 0.3)
    assert window.message.text() == ""
    shot = window.desk.viewer.screenshot(flash=False)
    plain = colours(shot)
    assert plain > 10
    window.desk.click(0)
    window.desk.tag("BNE")
    settle(qt, 0.1)
    tagged = window.desk.viewer.screenshot(flash=False)
    orange = (np.abs(tagged[..., :3].astype(int) - [0xD5, 0x5E, 0x00]) < 12).all(axis=-1)
    assert orange.sum() > 50
    assert not (np.abs(shot[..., :3].astype(int) - [0xD5, 0x5E, 0x00]) < 12).all(axis=-1).sum() > 10


def test_keys_reach_the_gallery_from_qt(qt, window):
    from qtpy.QtCore import QEvent, Qt
    from qtpy.QtGui import QKeyEvent

    canvas = window.desk.viewer.window._qt_viewer.canvas.native
    for key, text in ((Qt.Key.Key_Right, ""), (Qt.Key.Key_1, "1"), (Qt.Key.Key_PageDown, "")):
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            qt.sendEvent(canvas, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, text))
    settle(qt)
    session = window.desk.review.session
    assert (session.label(0), session.page) == ("BNE", 1)
    assert "1  BNE: 1" in [made.text() for made in window.review_tab.buttons.values()]


def test_a_click_selects_and_a_double_click_shows_the_cell(qt, window):
    class Event:
        type, button, modifiers, handled = "mouse_press", 1, (), False

    event = Event()
    viewer, gallery = window.desk.viewer, window.desk.gallery
    top, left = gallery.made.corner(4)
    event.position = ((top + 9) * 0.5, (left + 9) * 0.5)
    (click,) = [each for each in viewer.mouse_drag_callbacks if "ifcyto" in each.__module__]
    steps = click(viewer, event)
    next(steps)
    event.type = "mouse_release"
    assert next(steps, None) is None
    assert window.desk.review.session.selection == {4}
    (double,) = viewer.mouse_double_click_callbacks
    double(viewer, event)
    assert window.detail_tab.row == 4
    assert colours(window.detail_tab.pixels) > 10
    assert "Object 4: no tag" in window.detail_tab.title.text()


def test_a_review_goes_on_where_it_stopped(qt, make, stack, tmp_path):
    first = make(stack, labels=tmp_path / "l.csv")
    first.desk.select_page()
    first.review_tab.buttons["Doublet"].click()
    assert first.review_tab.progress.value() == 12
    second = make(stack, labels=tmp_path / "l.csv", by="CD")
    assert second.review_tab.progress.value() == 12
    second.desk.next_untagged()
    assert (second.desk.review.session.page, second.desk.chosen()) == (1, [12])
    assert second.review_tab.page.value() == 2


def test_widgets_and_view_are_one_state(make, study):
    window = make(study)
    box = window.review_tab.filters
    assert {"tag", "sample", "stage", "fbml", "called BNE by"} <= set(box.words)
    for view in (
        View({"fbml": ("BNE",), "tag": ("untagged",)}, {}, None, "fbml_score", True),
        View({}, {"fbml_score": (0.25, 0.75)}, None, "", False),
        View({"called BNE by": ("spot and fbml",)}, {}),
    ):
        box.set_view(view)
        assert box.view() == view
        box.apply()
        assert window.desk.review.session.view == view
    assert window.desk.review.session.order.size == 16
    box.low.setText("abc")
    box.column.setCurrentIndex(1)
    box.apply()
    assert "expected a number as a limit, found 'abc'" in window.message.text()
    box.clear()
    assert window.desk.review.session.order.size == 24


def test_widgets_follow_pages_size_and_mode(window):
    tab, desk = window.review_tab, window.desk
    tab.page.setValue(3)
    assert desk.review.session.page == 2
    tab.per_page.setValue(5)
    tab.size.setValue(40)
    tab.mode.setCurrentIndex(1)
    assert (desk.gallery.size, desk.gallery.mode, desk.review.session.per_page) == (40, "overlay", 5)
    assert desk.gallery.made.tile == (40, 40)
    tab.outlined.click()
    assert desk.gallery.outlined
    desk.outline()
    assert not tab.outlined.isChecked()


def test_classes_go_round(window):
    tab = window.tabs.widget(2).widget()
    assert tab.classes() == DEFAULT_CLASSES
    mine = (TagClass("Ring", "#123456", "7"), TagClass("BNE", "#D55E00", "1"))
    tab.set_classes(mine)
    tab.apply()
    assert tab.classes() == window.desk.review.session.classes == mine
    assert list(window.review_tab.buttons) == ["", "Ring", "BNE"]
    tab.add()
    tab.rows.item(2, 1).setText("7")
    tab.apply()
    assert "classes with different keys" in window.message.text()
    assert window.desk.review.session.classes == mine


def test_a_corrupted_file_of_labels_is_told_and_left_alone(make, stack, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_bytes(b"object,label\n3,BNE\n\xff\xfe\n")
    window = make(stack, labels=labels)
    assert "labels.csv: expected a CSV file in UTF-8" in window.message.text()
    assert window.desk.review is None
    assert labels.read_bytes() == b"object,label\n3,BNE\n\xff\xfe\n"
    assert not window.review_tab.isEnabled()


def test_a_stack_that_was_moved_is_told_and_nothing_lost(make, stack, tmp_path):
    moved = shutil.copyfile(stack, tmp_path / "moved.h5")
    window = make(moved)
    window.desk.click(0)
    window.desk.tag("BNE")
    window.desk.review.pages.close()
    moved.rename(tmp_path / "elsewhere.h5")
    window.desk.turn(1)
    assert "is not there: it was moved" in window.message.text()
    window.show_detail(3)
    assert "is not there: it was moved" in window.message.text()
    (tmp_path / "elsewhere.h5").rename(moved)
    window.desk.turn(-1)
    assert window.message.text() == ""
    assert window.desk.review.session.counts()["BNE"] == 1


def test_a_folder_that_cannot_be_written_is_told(make, stack, tmp_path):
    (tmp_path / "file").write_text("no folder")
    window = make(stack, labels=tmp_path / "file" / "labels.csv")
    window.desk.click(0)
    assert not window.desk.tag("BNE")
    assert "labels.csv: cannot be written" in window.message.text()
    assert window.desk.review.session.counts()["untagged"] == 30


def test_a_study_without_candidates_is_told(make, study, tmp_path):
    (tmp_path / "classifications.csv").write_text(HEADER)
    window = make(study, results=tmp_path)
    assert "There is no object to review" in window.message.text()
    window.desk.next_untagged()
    window.desk.move(1)
    window.desk.select_page()
    window.desk.tag("BNE")
    assert window.desk.review.session.counts()["untagged"] == 0


def test_a_study_that_was_not_run_and_a_file_that_is_none(make, study, tmp_path):
    window = make(study, results=tmp_path)
    assert "run the study first" in window.message.text()
    (tmp_path / "a.cif").write_text("nothing")
    again = make(tmp_path / "a.cif")
    assert "a.cif" in again.message.text()


def test_blinded_reviews_say_so_and_show_no_verdict(make, study):
    window = make(study, blinded=True, seed=3)
    assert "blinded (seed 3)" in window.review_tab.title.text()
    shown = {
        window.review_tab.filters.sort.itemText(i) for i in range(window.review_tab.filters.sort.count())
    }
    assert not {"group", "sample"} & set(window.review_tab.filters.words)
    assert not shown & {"fbml", "cnn", "fbml_score", "cnn_probability", "disagreement"}
    window.show_detail(0)
    assert [name for name, _ in window.detail_tab.values(0)] == ["stage"]


def test_opening_can_be_stopped(qt, stack, tmp_path):
    from ifcyto.napari_plugin.jobs import Job

    said = []
    job = Job(lambda progress: [progress("x", n, 10**9) for n in range(10**9)], said.append, said.append)
    job.start()
    job.stop()
    settle(qt, until=lambda: not job.running)
    assert said == ["Stopped; nothing was changed."]


def tab(window, name):
    (place,) = [i for i in range(window.tabs.count()) if window.tabs.tabText(i) == name]
    return window.tabs.widget(place).widget()


def test_the_exported_page_is_what_the_gallery_shows_byte_for_byte(window, tmp_path):
    from ifcyto.writers.page_tiff import read_page_tiff

    desk, export = window.desk, tab(window, "Export")
    desk.turn(1)
    desk.click(14)
    desk.tag("BNE")
    desk.gallery.layers()[0].contrast_limits = (100, 200)  # looks do not change pixels
    assert export.write_pixels(tmp_path / "page.tif")
    planes, channels, cells = read_page_tiff(tmp_path / "page.tif")
    assert planes.tobytes() == b"".join(layer.data.tobytes() for layer in desk.viewer.layers[:3])
    assert channels == ("BF", "CD235a", "DRAQ5")
    captions = desk.viewer.layers["object numbers"].features["caption"]
    assert [f"#{cell.object}" for cell in cells] == [text.split()[0] for text in captions[:12]]
    assert [cell.label for cell in cells] == ["", "", "BNE", *[""] * 9]
    corner = [desk.gallery.made.corner(place) for place in range(12)]
    assert [(cell.row, cell.column) for cell in cells] == corner
    assert "Written" in export.said.text()


def test_figures_lists_and_reports_are_written_or_the_reason_is_told(window, tmp_path):
    desk, export = window.desk, tab(window, "Export")
    assert export.write_figure(tmp_path / "page.png")
    assert (tmp_path / "page.pdf").stat().st_size > 1000
    assert not export.write_selection(tmp_path / "s.pop")
    assert "expected selected cells, found none" in window.message.text()
    desk.click(3)
    assert export.write_selection(tmp_path / "s.pop")
    assert export.write_report(tmp_path / "r.html")
    assert window.message.text() == ""
    (tmp_path / "file").touch()
    assert not export.write_report(tmp_path / "file" / "r.html")
    assert "cannot be written" in window.message.text()


def test_two_readers_are_compared_and_their_disagreements_shown(make, stack, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("object,label\n0,BNE\n1,Doublet\n2,BNE\n17,BNE\n")
    window = make(stack, labels=tmp_path / "l.csv")
    readers = tab(window, "Readers")
    desk = window.desk
    desk.review.session.tag("BNE", [0, 2])
    desk.review.session.tag("Irregular", [17])
    desk.review.session.tag("Doublet", [5])
    assert readers.load(other)
    said = readers.said.text()
    assert "3 objects tagged by both, 1 of them differently; 1 by you alone, 1 by the other" in said
    assert readers.differences.item(0, 1).text() == "17"
    assert readers.show_disagreements()
    assert desk.gallery.rows.tolist() == [17]
    assert not readers.load(tmp_path / "gone.csv")
    assert "found nothing" in window.message.text()
    assert not readers.load(tmp_path / "l.csv")
    assert "found the file of this review" in window.message.text()
    other.write_text("rubbish")
    assert not readers.load(other)
    assert tab(window, "Export").write_report(tmp_path / "r.html")
    assert "Cohen's kappa" in (tmp_path / "r.html").read_text()


@pytest.fixture
def with_table(make, stack, tmp_path):
    """A review with a feature table."""
    from ifcyto.pipeline.measure import measure_to_file

    names = ["Area_M05", "Aspect Ratio_M05", "Intensity_MC_DRAQ5", "Circularity_M05"]
    measure_to_file(stack, tmp_path / "t.h5ad", names)
    return make(stack, labels=tmp_path / "l.csv", table=tmp_path / "t.h5ad")


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


def test_cells_inside_a_gate_are_shown_and_the_gate_is_saved(qt, with_table, tmp_path):
    from ifcyto.gates.store import read_gates

    plots, desk = tab(with_table, "Plot"), with_table.desk
    assert not plots.show_inside()
    assert "drag over the points" in desk.message
    plots.y.setCurrentIndex(plots.y.findText("Circularity_M05"))
    x, y = (desk.review.session.objects.numbers[name] for name in ("Area_M05", "Circularity_M05"))
    middle = np.median(x)
    view = plots.view
    low, high = float(np.nanmin(y)) - 0.01, float(np.nanmax(y)) + 0.01
    for lasso in (False, True):
        plots.lasso.setChecked(lasso)
        corners = (
            [(middle, low), (1e4, low), (1e4, high), (middle, high)]
            if lasso
            else [(middle, low), (1e4, high)]
        )
        drag(view, *[view.place(*corner) for corner in corners])
        assert plots.show_inside()
        assert (
            sorted(desk.review.session.order.tolist())
            == np.flatnonzero((x >= middle) & np.isfinite(y)).tolist()
        )
    assert plots.save(tmp_path / "gate.json")
    assert read_gates(tmp_path / "gate.json").gates[0].features == ("Area_M05", "Circularity_M05")
    with_table.tabs.setCurrentIndex(3)
    settle(qt, 0.1)
    image = view.grab().toImage()
    assert (
        len({image.pixel(i, j) for i in range(0, image.width(), 2) for j in range(0, image.height(), 2)}) > 5
    )
    plots.y.setCurrentIndex(0)
    assert "Drag over the bars" in plots.said.text()


def test_truth_is_built_from_tags(qt, with_table, tmp_path):
    truth, desk = tab(with_table, "Truth"), with_table.desk

    def wait(action):
        action()
        settle(qt, until=lambda: not truth.job.running)

    truth.groups.setValue(3)
    wait(truth.group)
    assert "3 groups of 29 objects" in truth.said.text()
    assert "cluster" in with_table.review_tab.filters.words
    wait(truth.suggest)
    assert "tags of two classes or more, found none" in with_table.message.text()
    session = desk.review.session
    area = session.objects.numbers["Area_M05"]
    large = area > np.median(area)
    session.tag("Doublet", np.flatnonzero(large)[:8].tolist())
    session.tag("Irregular", np.flatnonzero(~large)[:8].tolist())
    truth.count.setValue(5)
    wait(truth.suggest)
    assert "on 16 tags. 5 objects are suggested" in truth.said.text()
    assert desk.gallery.rows.tolist() == truth.found.tagging.suggestions.rows.tolist()
    truth.matrix.cellClicked.emit(0, 1)
    assert set(desk.gallery.rows.tolist()) <= set(np.flatnonzero(large)[:8].tolist())
    assert str(len(desk.gallery.rows)) == truth.matrix.item(0, 1).text()
    (tmp_path / "file").touch()
    wait(lambda: truth.save(tmp_path / "file" / "fbml"))
    assert "file" in with_table.message.text()


def test_measuring_can_be_stopped_and_changes_nothing(qt, window):
    truth = tab(window, "Truth")
    truth.measure()
    truth.stop()
    settle(qt, until=lambda: not truth.job.running)
    assert window.desk.review.session.objects.numbers == {}
    assert "Stopped" in window.message.text()
