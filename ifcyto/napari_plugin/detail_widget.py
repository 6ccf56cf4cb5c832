"""The tab of one cell: large, all channels, and all that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QLabel, QTableWidget, QVBoxLayout, QWidget

from ifcyto.figures.channels import colourise, composite, scaled
from ifcyto.napari_plugin.parts import table
from ifcyto.review.export import looks_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.figures.channels import ChannelLook
    from ifcyto.napari_plugin.desk import Change, Desk

__all__ = ["DetailTab", "picture"]

SIDE = 160
"""Pixels on the screen of one channel."""

ACROSS = 2
GREY = 40


def picture(
    images: NDArray[Any], looks: list[ChannelLook], limits: list[tuple[float, float]], side: int = SIDE
) -> NDArray[np.uint8]:
    """Channels of one cell and their composite, two in a row, enlarged without smoothing.

    Parameters
    ----------
    images : ndarray (C, S, S)
    looks : list of ChannelLook (C,)
    limits : list of (float, float) (C,)
    side : int
        At least this many pixels for S.

    Returns
    -------
    ndarray (H, W, 3) of uint8
    """
    values = [scaled(plane, limit) for plane, limit in zip(images, limits, strict=True)]
    panels = [colourise(value, look) for value, look in zip(values, looks, strict=True)]
    if len(panels) > 1:
        panels.append(composite(values, looks))
    times = max(1, -(-side // images.shape[-1]))
    large = [np.round(255 * panel.repeat(times, 0).repeat(times, 1)).astype(np.uint8) for panel in panels]
    tall, wide = large[0].shape[:2]
    rows = -(-len(large) // ACROSS)
    found = np.full((rows * (tall + 4) - 4, ACROSS * (wide + 4) - 4, 3), GREY, np.uint8)
    for place, panel in enumerate(large):
        top, left = (place // ACROSS) * (tall + 4), (place % ACROSS) * (wide + 4)
        found[top : top + tall, left : left + wide] = panel
    return found


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
        side = 64 if gallery is None else gallery.size
        images, _ = review.pages.read(session.objects, np.array([row]), side)
        looks = looks_of(review)
        known = {} if gallery is None else gallery.limits()
        limits = [known.get(name, (0.0, 1.0)) for name in review.channels]
        self.pixels = picture(images[0], looks, limits)
        height, width = self.pixels.shape[:2]
        shown = QImage(self.pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self.image.setPixmap(QPixmap.fromImage(shown))
        where = "" if session.blinded or not sample else f" of {sample}"
        names = ", ".join(review.channels) + (", composite" if len(review.channels) > 1 else "")
        self.title.setText(f"Object {number}{where}: {session.label(row) or 'no tag'}. Panels: {names}.")
        table(self.columns, ("column", "value"), self.values(row))

    def values(self, row: int) -> list[tuple[str, str]]:
        """Columns that the reader may see, with the value of one object."""
        session = self.desk.open.session
        words, numbers = session.objects.seen(blinded=session.blinded)
        return [
            *((name, str(session.objects.words[name][row])) for name in words),
            *((name, f"{session.objects.numbers[name][row]:g}") for name in numbers),
        ]
