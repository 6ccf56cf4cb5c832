"""The tab of plots: two columns against each other, and the cells inside a gate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import QCheckBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from ifcyto.errors import UsageError
from ifcyto.napari_plugin.parts import button, combo, fill, row
from ifcyto.napari_plugin.plot_view import PlotView
from ifcyto.review.objects import shuffled
from ifcyto.review.plots import bars_gate, gate_of, inside, save_gate, thinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.gates.gate import Gate
    from ifcyto.napari_plugin.desk import Change, Desk

__all__ = ["PlotsTab"]

HISTOGRAM = "(number of objects)"
PLAIN = "#8A8A8A"


class PlotsTab(QWidget):
    """Plots linked to the gallery.

    Parameters
    ----------
    desk : Desk

    Attributes
    ----------
    gate : Gate or None
        What was drawn last.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.gate: Gate | None = None
        self.x = combo([], self.draw)
        self.y = combo([HISTOGRAM], self.draw)
        self.lasso = QCheckBox("lasso")
        self.lasso.toggled.connect(self._lasso_asked)
        self.view = PlotView()
        self.view.gated.connect(self.take_gate)
        self.view.picked.connect(self.take_bars)
        self.said = QLabel()
        self.said.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(row(QLabel("across"), self.x, QLabel("up"), self.y, self.lasso))
        layout.addWidget(self.view, 1)
        layout.addWidget(self.said)
        layout.addWidget(
            row(
                button("Show cells inside", self.show_inside),
                button("Show all", self._show_all),
                button("Save gate ...", self._ask),
                button("Draw again", self.draw, "with the tags given since"),
            )
        )
        desk.watchers.append(self.refresh)
        self.refresh("review")

    def refresh(self, change: Change) -> None:
        """Offer the columns of the open review."""
        self.setEnabled(self.desk.review is not None)
        if change == "review" and self.desk.review is not None:
            names, _ = self.desk.values()
            fill(self.x, names)
            fill(self.y, [HISTOGRAM, *names])
            self.gate = None
            self.draw()

    def draw(self) -> None:
        """Draw the columns that are chosen; a part of the objects, where there are very many."""
        columns = self._columns()
        if self.desk.review is None or not columns:
            self.said.setText("There are no columns of numbers: open the file with its feature table, or "
                              "measure the objects in the tab Truth.")  # fmt: skip
            return
        session = self.desk.review.session
        numbers = session.objects.numbers
        if len(columns) == 1:
            self.view.histogram(columns[0], numbers[columns[0]])
            self.gate = None
            self.said.setText(
                "Click a bar to see its cells; drag over several, or choose them with the arrows."
            )
            return
        both = np.column_stack([numbers[name] for name in columns])
        rows = thinned(both)
        shade = {c.name: c.colour for c in session.classes}
        colours = [shade.get(session.label(place) or "", PLAIN) for place in rows.tolist()]
        self.view.scatter((columns[0], columns[1]), both[rows], colours)
        part = (
            f" {len(rows)} of {len(both)} objects are drawn; all are gated." if len(rows) < len(both) else ""
        )
        self.said.setText(f"Drag over the points to make a gate.{part}")

    def take_gate(self) -> None:
        """Make a gate of what was drawn, and say how many objects it holds."""
        self.desk.attempt(self._take)

    def take_bars(self) -> None:
        """Make a gate of the bars that were chosen, and show their cells."""
        if self.desk.attempt(self._take_bars):
            self.show_inside()

    def show_inside(self) -> bool:
        """Show the cells inside the gate; a blinded reader sees them in an order of the seed's alone."""
        gate = self.gate
        if gate is None:
            return self.desk.attempt(self._no_gate)
        return self._show(inside(self.desk.open.session.objects, gate))

    def save(self, path: Path | str) -> bool:
        """Save the gate as geometry."""
        gate = self.gate
        if gate is None:
            return self.desk.attempt(self._no_gate)
        return self.desk.attempt(lambda: save_gate(path, gate, overwrite=True))

    def _columns(self) -> tuple[str, ...]:
        chosen = [
            self.x.currentText(),
            *([self.y.currentText()] if self.y.currentText() != HISTOGRAM else []),
        ]
        return tuple(name for name in chosen if name)

    def _take(self) -> None:
        self.gate = gate_of("Gate", self._columns(), self.view.points, lasso=self.view.lasso)
        self._count(self.gate)

    def _take_bars(self) -> None:
        bars, chosen = self.view.bars, self.view.chosen
        if bars is None or chosen is None:
            self._no_gate()
        else:
            self.gate = bars_gate("Gate", self._columns()[0], bars, *chosen)
            self._count(self.gate)

    def _count(self, gate: Gate) -> None:
        objects = self.desk.open.session.objects
        count = len(inside(objects, gate))
        self.said.setText(
            f"{count} of {len(objects)} objects lie inside ({100 * count / len(objects):.2f} %)."
        )

    def _show(self, rows: NDArray[np.int64]) -> bool:
        session = self.desk.open.session
        if session.blinded:
            rows = shuffled(rows, session.seed)
        return self.desk.show_rows(rows.tolist())

    def _no_gate(self) -> None:
        msg = "expected a gate drawn on the plot, found none: drag over the points"
        raise UsageError(msg)

    def _lasso_asked(self, on: bool) -> None:  # noqa: FBT001 - a slot of Qt
        self.view.lasso = bool(on)

    def _show_all(self) -> None:
        if self.desk.review is not None:
            self._show(np.arange(len(self.desk.review.session.objects)))

    def _ask(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save gate", "gate.json", "Gates (*.json)")
        if path:
            self.save(Path(path))
