"""The tab of help: keys and mouse."""

from __future__ import annotations

from qtpy.QtWidgets import QLabel, QTableWidget, QVBoxLayout, QWidget

from ifcyto.napari_plugin.keys import help_rows
from ifcyto.napari_plugin.parts import table

__all__ = ["HelpTab"]

WORDS = """Every tag is saved at once to the file of labels, with your name and the time.
Colour of a frame: class; its name stands above the cell too. White frame: selected.
Contrast and gamma: choose a channel in the layer list on the left; they stay from page to page.
The keys work when the picture has the focus: click it, or press Tab."""


class HelpTab(QWidget):
    """Keys, mouse and what frames mean."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = QTableWidget()
        table(self.keys, ("key or mouse", "does"), help_rows())
        words = QLabel(WORDS)
        words.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(words)
        layout.addWidget(self.keys, 1)
