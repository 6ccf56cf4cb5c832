"""The tab of classes: their names, colours and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QLabel, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from ifcyto.napari_plugin.parts import button, row, swatch
from ifcyto.review.session import TagClass

if TYPE_CHECKING:
    from ifcyto.napari_plugin.desk import Change, Desk

__all__ = ["ClassesTab"]

WORDS = """Names, colours and keys (1 to 9) of the classes. Tags that were given keep their class."""
NEW_COLOURS = ("#CC79A7", "#56B4E9", "#E69F00", "#F0E442")


class ClassesTab(QWidget):
    """Edits the classes of the session.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.rows = QTableWidget(0, 3)
        self.rows.setHorizontalHeaderLabels(["name", "key", "colour"])
        words = QLabel(WORDS)
        words.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(words)
        layout.addWidget(self.rows, 1)
        layout.addWidget(
            row(
                button("Add", self.add),
                button("Remove", self.remove),
                button("Colour", self._ask_colour, "choose the colour of the class in this row"),
                button("Take over", self.apply),
                button("Undo edits", lambda: self.refresh("review")),
            )
        )
        desk.watchers.append(self.refresh)
        self.refresh("review")

    def classes(self) -> tuple[TagClass, ...]:
        """Classes as the table has them.

        Raises
        ------
        UsageError
            A name, colour or key that cannot be.
        """
        words = [[self._word(down, across) for across in range(3)] for down in range(self.rows.rowCount())]
        return tuple(TagClass(name, colour, key) for name, key, colour in words)

    def set_classes(self, classes: tuple[TagClass, ...]) -> None:
        """Show classes; :meth:`classes` gives them back."""
        self.rows.setRowCount(0)
        for each in classes:
            self._append(each.name, each.key, each.colour)

    def apply(self) -> None:
        """Give the session the classes of the table."""
        if self.desk.review is not None:
            found: list[tuple[TagClass, ...]] = []
            if self.desk.attempt(lambda: found.append(self.classes())) and self.desk.set_classes(found[0]):
                self.desk.tell("review")

    def add(self) -> None:
        """Add a row with a free key."""
        down = self.rows.rowCount()
        taken = {self._word(each, 1) for each in range(down)}
        key = next((key for key in "123456789" if key not in taken), "")
        self._append(f"Class {down + 1}", key, NEW_COLOURS[down % len(NEW_COLOURS)])

    def remove(self) -> None:
        """Remove the row with the cursor; objects that have this class keep it."""
        if self.rows.currentRow() >= 0:
            self.rows.removeRow(self.rows.currentRow())

    def refresh(self, change: Change) -> None:
        """Show the classes of the session, when there is another one."""
        self.setEnabled(self.desk.review is not None)
        if change == "review" and self.desk.review is not None:
            self.set_classes(self.desk.review.session.classes)

    def _word(self, down: int, across: int) -> str:
        item = self.rows.item(down, across)
        return "" if item is None else str(item.text()).strip()

    def _append(self, name: str, key: str, colour: str) -> None:
        down = self.rows.rowCount()
        self.rows.insertRow(down)
        for across, word in enumerate((name, key, colour)):
            self.rows.setItem(down, across, QTableWidgetItem(word))
        self.rows.item(down, 2).setIcon(swatch(colour))

    def _ask_colour(self) -> None:
        down = self.rows.currentRow()
        if down >= 0:
            chosen = QColorDialog.getColor(QColor(self._word(down, 2)), self)
            if chosen.isValid():
                self.rows.item(down, 2).setText(chosen.name().upper())
                self.rows.item(down, 2).setIcon(swatch(chosen.name()))
