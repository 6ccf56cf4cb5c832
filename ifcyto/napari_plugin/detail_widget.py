"""The tab of one cell: large, all channels, and all that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPixmap
from qtpy.QtWidgets import QLabel, QTableWidget, QVBoxLayout, QWidget

from ifcyto.napari_plugin.parts import table
from ifcyto.review.large import large_cell

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ifcyto.napari_plugin.desk import Change, Desk
    from ifcyto.review.large import LargeCell

__all__ = ["DetailTab"]

UNSIZED = 64
"""Side of a cell's frame, px, without a gallery."""


class DetailTab(QWidget):
    """Shows the cell that was selected or double clicked last.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.row: int | None = None
        self.title = QLabel("Double click a cell, or select one.")
        self.title.setWordWrap(True)
        self.image = QLabel()
        self.image.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.columns = QTableWidget(0, 2)
        self.pixels: NDArray[np.uint8] | None = None
        layout = QVBoxLayout(self)
        layout.addWidget(self.title)
        layout.addWidget(self.image)
        layout.addWidget(self.columns, 1)
        desk.watchers.append(self.refresh)

    def refresh(self, change: Change) -> None:
        """Follow the selection while the tab is seen."""
        if self.desk.review is None or change == "review":
            self.row = None
        elif self.isVisible() and len(self.desk.review.session.selection) == 1:
            (row,) = self.desk.review.session.selection
            if row != self.row or change == "marks":
                self.show_row(row)

    def show_row(self, row: int) -> None:
        """Show one cell."""
        self.row = row
        try_it = self.desk.attempt(lambda: self._show(row))
        if not try_it:
            self.title.setText("The cell cannot be shown.")

    def _show(self, row: int) -> None:
        review, gallery = self.desk.open, self.desk.gallery
        session = review.session
        sample, number = session.objects.key(row)
        found = large_cell(
            review,
            row,
            UNSIZED if gallery is None else gallery.size,
            {} if gallery is None else gallery.limits(),
            overlays=None if gallery is None else gallery.over.masks,
            heat=None if gallery is None else gallery.over.heat,
            outlined=gallery is not None and gallery.outlined,
        )
        self.pixels = found.pixels
        self.image.setPixmap(_drawn(found))
        where = "" if session.blinded or not sample else f" of {sample}"
        names = ", ".join(review.channels) + (", merge" if len(review.channels) > 1 else "")
        spots = "" if found.spots is None else f" Spot Count {found.spots}."
        said = f"Object {number}{where}: {session.label(row) or 'no tag'}.{spots} Panels: {names}."
        self.title.setText(said)
        table(self.columns, ("column", "value"), self.values(row))

    def values(self, row: int) -> list[tuple[str, str]]:
        """Columns that the reader may see, with the value of one object."""
        session = self.desk.open.session
        words, numbers = session.objects.seen(blinded=session.blinded)
        return [
            *((name, str(session.objects.words[name][row])) for name in words),
            *((name, f"{session.objects.numbers[name][row]:g}") for name in numbers),
        ]


def _drawn(found: LargeCell) -> QPixmap:
    """The picture with the numbers of the spots written into it."""
    height, width = found.pixels.shape[:2]
    image = QImage(found.pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    made = QPixmap.fromImage(image)
    if found.numbers:
        painter = QPainter(made)
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        for number in found.numbers:
            painter.setPen(QColor("#000000"))
            painter.drawText(QPointF(number.x - 3, number.y + 5), number.text)
            painter.setPen(QColor(number.colour))
            painter.drawText(QPointF(number.x - 4, number.y + 4), number.text)
        painter.end()
    return made
