"""The tab of overlays: masks are typed, listed and changed; heat maps are loaded; the keyboard suffices."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("napari.components", reason="the review extra is not installed")

from ifcyto.pipeline.explain import write_explained

from .conftest import colours, settle, tab

pytestmark = pytest.mark.gui


def key(qt, widget, code, text="", modifier=None):
    from qtpy.QtCore import QEvent, Qt
    from qtpy.QtGui import QKeyEvent

    held = Qt.KeyboardModifier.NoModifier if modifier is None else modifier
    for kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        qt.sendEvent(widget, QKeyEvent(kind, code, held, text))


def test_a_mask_is_typed_drawn_and_listed(qt, window):
    from qtpy.QtCore import Qt

    overlays, desk = tab(window, "Overlays"), window.desk
    settle(qt, 0.2)
    before = desk.viewer.screenshot(flash=False)
    overlays.text.setText("Dilate(M05, 2)")
    overlays.name.setText("nucleus")
    key(qt, overlays.name, Qt.Key.Key_Return)
    assert window.message.text() == ""
    assert [item.name for item in desk.gallery.over.masks.items] == ["nucleus"]
    assert overlays.text.text() == ""
    settle(qt, 0.2)
    after = desk.viewer.screenshot(flash=False)
    green = (np.abs(after[..., :3].astype(int) - [0x00, 0xFF, 0x9C]) < 12).all(axis=-1).sum()
    assert green > 50
    assert not (np.abs(before[..., :3].astype(int) - [0x00, 0xFF, 0x9C]) < 12).all(axis=-1).sum() > 5
    words = [overlays.rows.item(0, across).text() for across in (2, 3, 4)]
    assert words == ["solid", "nucleus", "Dilate(M05, 2)"]
    overlays.rows.item(0, 3).setText("Kern")
    overlays.rows.setCurrentCell(0, 3)
    overlays.next_line()
    (item,) = desk.gallery.over.masks.items
    assert (item.name, item.line) == ("Kern", "dashed")
    overlays.rows.item(0, 0).setCheckState(Qt.CheckState.Unchecked)
    assert not desk.viewer.layers["outlines"].visible
    overlays.rows.item(0, 1).setCheckState(Qt.CheckState.Checked)
    overlays.rows.item(0, 0).setCheckState(Qt.CheckState.Checked)
    assert "spot" in desk.gallery.captions()[0]
    overlays.rows.item(0, 3).setText(" ")  # no name: told, and the list shows what holds
    assert "name of an outline" in window.message.text()
    assert overlays.rows.item(0, 3).text() == "Kern"
    overlays.remove()
    assert desk.gallery.over.masks.items == ()
    assert overlays.rows.rowCount() == 0


def test_a_fault_is_pointed_at_and_the_cursor_stands_there(qt, window):
    overlays = tab(window, "Overlays")
    overlays.text.setText("Dilate(M05, 2) And Erode(M05, 77)")
    assert not overlays.add()
    line, caret = window.message.text().split("\n")[-2:]
    assert line[caret.index("^") :].startswith("77)")
    assert overlays.text.text()[overlays.text.cursorPosition() :] == "77)"
    assert window.message.font().family() != overlays.font().family()
    overlays.text.setText("MC")
    assert overlays.add()
    assert window.message.text() == ""


def test_ready_masks_are_offered(window):
    overlays = tab(window, "Overlays")
    words = [overlays.ready.itemText(place) for place in range(overlays.ready.count())]
    assert words[1].startswith("nuclei of the plain rule: Nuclei(MC, DRAQ5")
    assert words[2:] == [
        "stored mask of Ch01 BF: M01", "stored mask of Ch02 CD235a: M02", "stored mask of Ch05 DRAQ5: M05",
        "all channels together: MC",
    ]  # fmt: skip
    overlays.ready.setCurrentIndex(1)
    overlays.spots.setChecked(True)
    assert overlays.add()
    (item,) = window.desk.gallery.over.masks.items
    assert (item.name, item.spots) == ("nuclei of the plain rule", True)
    assert overlays.rows.item(0, 2).text() == "by spot"
    assert overlays.ready.currentIndex() == 0
    window.show_detail(1)
    assert "Spot Count 1" in window.detail_tab.title.text()


@pytest.fixture
def heat_file(stack, tmp_path):
    path = Path(__file__).parents[1] / "review" / "conftest.py"
    spec = importlib.util.spec_from_file_location("review_conftest", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return write_explained(module.explained(stack, [1, 2, 14], 40), tmp_path / "w.npz", source=stack)


def test_heat_maps_are_loaded_with_a_legend(qt, window, heat_file, tmp_path):
    heat, desk = tab(window, "Overlays").heat, window.desk
    assert not heat.load(tmp_path / "gone.npz")
    assert "expected a file of ifcyto explain, found nothing" in window.message.text()
    assert heat.load(heat_file)
    assert "w.npz: 3 objects, 2 of them on this page" in heat.said.text()
    assert (heat.low.text(), heat.high.text()) == ("0", "1")
    assert "Full colour: 1 logit." in heat.said.text()
    assert not heat.bar.pixmap().isNull()
    heat.kind.setCurrentIndex(1)
    assert desk.gallery.over.heat.kind == "occlusion"
    assert (heat.low.text(), "striped" in heat.said.text()) == ("-0.5", True)
    heat.show_cells()
    assert desk.gallery.rows.tolist() == [1, 2, 14]
    window.show_detail(14)
    with_map = window.detail_tab.pixels
    heat.shown.click()
    assert not desk.viewer.layers["heat map"].visible
    window.show_detail(14)
    assert not np.array_equal(with_map, window.detail_tab.pixels)
    assert colours(with_map) > 10
    heat.remove()
    assert "No heat maps are loaded" in heat.said.text()


def test_a_blinded_window_offers_no_verdict(make, stack, tmp_path, heat_file):
    window = make(stack, labels=tmp_path / "l.csv", blinded=True)
    overlays = tab(window, "Overlays")
    assert not overlays.heat.isEnabled()
    assert "not while you are blinded" in overlays.heat.said.text()
    assert not overlays.heat.load(heat_file)
    assert "a blinded reader does not see" in window.message.text()
    words = [overlays.ready.itemText(place) for place in range(overlays.ready.count())]
    assert not any("Nuclei" in text for text in words)
    overlays.text.setText("M05")
    overlays.spots.setChecked(True)
    assert not overlays.add()
    assert not overlays.spots.isEnabled()
    assert not any("spot" in text or "BNE" in text for text in window.desk.gallery.captions())


def test_tabs_and_the_picture_are_reached_by_keys(qt, window):
    from qtpy.QtWidgets import QShortcut

    shortcuts = {made.key().toString(): made for made in window.findChildren(QShortcut)}
    assert {f"Alt+{number}" for number in range(1, window.tabs.count() + 1)} <= set(shortcuts)
    shortcuts["Alt+5"].activated.emit()
    assert window.tabs.tabText(window.tabs.currentIndex()) == "Overlays"
    canvas = window.desk.viewer.window._qt_viewer.canvas.native
    tab(window, "Overlays").text.setFocus()
    shortcuts["Esc"].activated.emit()
    settle(qt, 0.1)
    assert canvas is window.window().focusWidget()
