"""Small pieces that the tabs are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker
from qtpy.QtGui import QColor, QFont, QFontDatabase, QIcon, QPixmap
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QTableWidget, QTableWidgetItem, QWidget

from ifcyto.review.said import narrowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["button", "choose", "combo", "fill", "row", "say", "swatch", "table"]


def button(text: str, action: Callable[[], object], tip: str = "") -> Any:
    """A button that calls `action`."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setAutoDefault(False)
    made.clicked.connect(lambda *_: action())
    return made


def row(*widgets: Any) -> Any:
    """Widgets side by side."""
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return box


def swatch(colour: str) -> Any:
    """Icon of one colour."""
    pixels = QPixmap(14, 14)
    pixels.fill(QColor(colour))
    return QIcon(pixels)


def fill(combo: Any, words: Iterable[str]) -> None:
    """Give a box other words, without telling anyone; the one that was chosen stays where it is there."""
    chosen = combo.currentText()
    with QSignalBlocker(combo):
        combo.clear()
        combo.addItems(list(words))
        combo.setCurrentIndex(max(combo.findText(chosen), 0))


def choose(combo: Any, word: str) -> None:
    """Choose a word, without telling anyone; the first one where it is not there."""
    with QSignalBlocker(combo):
        combo.setCurrentIndex(max(combo.findText(word), 0))


def say(label: Any, message: str) -> None:
    """Show what went wrong; a message with a caret in letters of one width, so that it points right."""
    pointing = message.rstrip().endswith("^")
    label.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont) if pointing else QFont())
    label.setWordWrap(not pointing)
    if pointing:
        letters = label.width() // max(label.fontMetrics().horizontalAdvance("M"), 1)
        message = narrowed(message, max(letters - 2, 30))
    label.setText(f"\N{WARNING SIGN} {message}" if message else "")


def table(made: Any, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Fill a table with text that cannot be edited."""
    made.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    made.setColumnCount(len(header))
    made.setHorizontalHeaderLabels(list(header))
    made.setRowCount(len(rows))
    for down, words in enumerate(rows):
        for across, word in enumerate(words):
            made.setItem(down, across, QTableWidgetItem(word))
    made.resizeColumnsToContents()


def combo(words: Iterable[str], action: Callable[[], object]) -> Any:
    """A box to choose a word from."""
    made = QComboBox()
    made.addItems(list(words))
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(10)
    made.currentIndexChanged.connect(lambda *_: action())
    return made
