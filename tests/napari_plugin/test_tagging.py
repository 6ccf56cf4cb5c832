"""Tags in the window: keys, clicks, classes, and what stays on the disk."""

from __future__ import annotations

import pytest

pytest.importorskip("napari.components", reason="the review extra is not installed")

from ifcyto.review.session import DEFAULT_CLASSES, TagClass

from .conftest import colours, settle

pytestmark = pytest.mark.gui


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


def test_a_folder_that_cannot_be_written_is_told(make, stack, tmp_path):
    (tmp_path / "file").write_text("no folder")
    window = make(stack, labels=tmp_path / "file" / "labels.csv")
    window.desk.click(0)
    assert not window.desk.tag("BNE")
    assert "labels.csv: cannot be written" in window.message.text()
    assert window.desk.review.session.counts()["untagged"] == 30
