"""Plots in the window: gates that are drawn, bars that are clicked."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari.components", reason="the review extra is not installed")

from .conftest import drag, settle, tab

pytestmark = pytest.mark.gui


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
    assert "Click a bar" in plots.said.text()


def test_a_click_on_a_bar_shows_its_cells(qt, with_table):
    from qtpy.QtCore import QEvent, Qt
    from qtpy.QtGui import QKeyEvent

    plots, desk = tab(with_table, "Plot"), with_table.desk
    plots.x.setCurrentIndex(plots.x.findText("Area_M05"))
    values = desk.review.session.objects.numbers["Area_M05"]
    view = plots.view
    bars = view.bars
    full = np.flatnonzero(bars.counts)
    middle = (bars.edges[:-1] + bars.edges[1:]) / 2

    def rows_of(low, high):
        return np.flatnonzero((values >= bars.edges[low]) & (values < bars.edges[high + 1])).tolist()

    bar = int(bars.counts.argmax())
    drag(view, view.place(middle[bar], 0.5))
    assert desk.gallery.rows.tolist() == rows_of(bar, bar)
    assert len(desk.gallery.rows) == bars.counts[bar]
    first, last = int(full[1]), int(full[-2])
    drag(view, view.place(middle[last], 0.5), view.place(middle[first], 0.1))
    shown = desk.review.session.order.tolist()
    assert shown == rows_of(first, last)
    assert f"{len(shown)} of 30 objects lie inside" in plots.said.text()
    assert view.chosen == (last, first)
    drag(view, view.place(middle[int(np.flatnonzero(bars.counts == 0)[0])], 0.5))
    assert desk.gallery.rows.tolist() == []
    drag(view, view.place(bars.edges[-1] + 100, 0.5))  # beside the bars
    assert desk.gallery.rows.tolist() == []
    view._choose(first)
    right, shift = Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier
    for code, held in ((right, shift), (right, shift), (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)):
        qt.sendEvent(view, QKeyEvent(QEvent.Type.KeyPress, code, held))
    assert desk.review.session.order.tolist() == rows_of(first, first + 2)
    with_table.tabs.setCurrentIndex(3)
    settle(qt, 0.1)
    image = view.grab().toImage()
    assert len({image.pixel(i, j) for i in range(0, image.width(), 2) for j in range(0, 60, 2)}) > 2


def test_bars_are_shown_to_a_blinded_reader_in_the_order_of_the_seed(make, stack, tmp_path):
    from ifcyto.pipeline.measure import measure_to_file
    from ifcyto.review.objects import shuffled

    measure_to_file(stack, tmp_path / "t.h5ad", ["Area_M05"])
    window = make(stack, labels=tmp_path / "l.csv", table=tmp_path / "t.h5ad", blinded=True, seed=4)
    plots, session = tab(window, "Plot"), window.desk.review.session
    plots._show_all()
    assert session.order.tolist() == shuffled(np.arange(30), 4).tolist()
    plots.view.chosen = (0, 59)
    plots.take_bars()
    held = np.flatnonzero(np.isfinite(session.objects.numbers["Area_M05"]))
    assert session.order.tolist() == shuffled(held, 4).tolist() != held.tolist()
