"""The tab of what lies over the cells: outlines of any mask, numbered spots, heat maps."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QColor, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QColorDialog,
    QGroupBox,
    QLabel,
    QLineEdit,
    QShortcut,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from ifcyto.napari_plugin.heat_widget import HeatBox
from ifcyto.napari_plugin.parts import button, combo, fill, row, swatch
from ifcyto.review.overlays import LINES
from ifcyto.review.said import caret_place

if TYPE_CHECKING:
    from ifcyto.napari_plugin.desk import Change, Desk
    from ifcyto.napari_plugin.gallery import Gallery
    from ifcyto.review.overlay_list import Overlay

__all__ = ["OverlaysTab"]

READY = "ready masks ..."
WORDS = """Any mask of IDEAS' grammar, computed for the cells of the page: M05, Erode(MC, 2),
Morphology(M05, Ch05), M01 And Not M05. One at a time may have its pieces numbered: spots."""
HEADER = ("shown", "spots", "line", "name", "mask")
SHOWN, SPOTS, LINE, NAME, MASK = range(len(HEADER))


class OverlaysTab(QWidget):
    """Lists the outlines, and asks for more.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._ready: list[tuple[str, str]] = []
        self.ready = combo([READY], self._ready_asked)
        self.text = QLineEdit()
        self.text.setPlaceholderText("a mask")
        self.text.returnPressed.connect(self.add)
        self.name = QLineEdit()
        self.name.setPlaceholderText("its name, if you like")
        self.name.returnPressed.connect(self.add)
        self.spots = QCheckBox("number its spots")
        self.rows = QTableWidget(0, len(HEADER))
        self.rows.setHorizontalHeaderLabels(list(HEADER))
        self.rows.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.rows.horizontalHeader().setStretchLastSection(True)
        self.rows.itemChanged.connect(self._edited)
        delete = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.rows)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.remove)
        self.heat = HeatBox(desk)
        layout = QVBoxLayout(self)
        layout.addWidget(self._outlines())
        layout.addWidget(self.heat)
        layout.addStretch(1)
        desk.watchers.append(self.refresh)
        self.refresh("review")

    def _outlines(self) -> Any:
        box = QGroupBox("Outlines")
        layout = QVBoxLayout(box)
        words = QLabel(" ".join(WORDS.split()))
        words.setWordWrap(True)
        layout.addWidget(words)
        layout.addWidget(self.ready)
        layout.addWidget(self.text)
        layout.addWidget(row(self.name, self.spots, button("Add", self.add, "Enter")))
        layout.addWidget(self.rows)
        layout.addWidget(
            row(
                button("Remove", self.remove, "Delete"),
                button("Colour", self._ask_colour, "choose the colour of the outline in this row"),
                button("Line", self.next_line, "solid, dashed, dotted: the next one for this row"),
                button("Show or hide all", self.desk.show_typed, "O"),
            )
        )
        return box

    # --- what is asked -----------------------------------------------------------------

    def add(self) -> bool:
        """Add the mask that was typed; where it is none, the cursor goes to the fault."""
        text, name, spots = self.text.text(), self.name.text(), self.spots.isChecked()
        done = self.desk.lay_over(lambda gallery: gallery.over.masks.add(text, name=name, spots=spots))
        place = caret_place(self.desk.message, text)
        if place is not None:
            self.text.setFocus()
            self.text.setCursorPosition(place)
        if done:
            self.text.clear()
            self.name.clear()
            self.spots.setChecked(False)
            self.ready.setCurrentIndex(0)
        return done

    def remove(self) -> None:
        """Take the outline of the row with the cursor out of the list."""
        place = self.rows.currentRow()
        if place >= 0:
            self.desk.lay_over(lambda gallery: gallery.over.masks.remove(place))

    def next_line(self) -> None:
        """Draw the outline of the row with the cursor with the next kind of line."""
        items, place = self._items(), self.rows.currentRow()
        if 0 <= place < len(items):
            line = LINES[(LINES.index(items[place].line) + 1) % len(LINES)]
            self.change(place, line=line)

    def change(self, place: int, **values: Any) -> None:
        """Change an outline of the list."""
        if not self.desk.lay_over(lambda gallery: gallery.over.masks.change(place, **values)):
            self._show_rows()

    def _ready_asked(self) -> None:
        place = self.ready.currentIndex() - 1
        if 0 <= place < len(self._ready):
            name, text = self._ready[place]
            self.name.setText(name)
            self.text.setText(text)
            self.text.setFocus()

    def _ask_colour(self) -> None:
        items, place = self._items(), self.rows.currentRow()
        if 0 <= place < len(items):
            chosen = QColorDialog.getColor(QColor(items[place].colour), self)
            if chosen.isValid():
                self.change(place, colour=chosen.name().upper())

    def _edited(self, item: Any) -> None:
        place, across = item.row(), item.column()
        if across in (SHOWN, SPOTS):
            on = item.checkState() == Qt.CheckState.Checked
            self.change(place, **{HEADER[across]: on})
        elif across == NAME:
            self.change(place, name=str(item.text()).strip())

    # --- from the desk to the widgets ---------------------------------------------------

    def refresh(self, change: Change) -> None:
        """Show the list of the open review."""
        review, gallery = self.desk.review, self.desk.gallery
        self.setEnabled(review is not None)
        if change == "review":
            self._ready = []
            if gallery is not None and len(gallery.rows):
                self.desk.attempt(partial(self._learn, gallery))
            fill(self.ready, [READY, *(f"{name}: {text}" for name, text in self._ready)])
            self.spots.setEnabled(review is not None and not review.session.blinded)
        self._show_rows()

    def _learn(self, gallery: Gallery) -> None:
        self._ready = gallery.over.masks.ready()

    def _items(self) -> tuple[Overlay, ...]:
        return () if self.desk.gallery is None else self.desk.gallery.over.masks.items

    def _show_rows(self) -> None:
        items = self._items()
        with QSignalBlocker(self.rows):
            self.rows.setRowCount(len(items))
            for place, item in enumerate(items):
                for across, on in ((SHOWN, item.shown), (SPOTS, item.spots)):
                    box = QTableWidgetItem()
                    box.setFlags(
                        Qt.ItemFlag.ItemIsEnabled
                        | Qt.ItemFlag.ItemIsSelectable
                        | Qt.ItemFlag.ItemIsUserCheckable
                    )
                    box.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
                    self.rows.setItem(place, across, box)
                line = QTableWidgetItem("by spot") if item.spots else QTableWidgetItem(item.line)
                if not item.spots:
                    line.setIcon(swatch(item.colour))
                mask = QTableWidgetItem(item.text)
                for fixed in (line, mask):
                    fixed.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                self.rows.setItem(place, LINE, line)
                self.rows.setItem(place, NAME, QTableWidgetItem(item.name))
                self.rows.setItem(place, MASK, mask)
            self.rows.resizeColumnsToContents()
