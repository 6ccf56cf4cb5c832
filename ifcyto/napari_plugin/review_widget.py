"""The tab of review: classes with their counts, pages, order, filters, and how cells are laid out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QLabel,
    QProgressBar,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from ifcyto.napari_plugin.filter_widget import FilterBox
from ifcyto.napari_plugin.parts import button, combo, row, swatch
from ifcyto.review.pages import SIZES
from ifcyto.review.panels import MODES

if TYPE_CHECKING:
    from ifcyto.napari_plugin.desk import Change, Desk
    from ifcyto.review.panels import Mode

__all__ = ["ReviewTab"]

UNTAGGED = "untagged"


class ReviewTab(QWidget):
    """Tagging and what is shown.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.title = QLabel("No review is open.")
        self.title.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setFormat("%v of %m objects tagged")
        self.classes = QGroupBox("Give the selected cells a class")
        self._grid = QGridLayout(self.classes)
        self.buttons: dict[str, Any] = {}
        self.page = QSpinBox()
        self.page.setKeyboardTracking(False)
        self.page.valueChanged.connect(self._page_asked)
        self.pages = QLabel("of 1")
        self.undo = button("Undo", desk.undo, "Ctrl+Z")
        self.redo = button("Redo", desk.redo, "Ctrl+Shift+Z")
        self.advance = QCheckBox("select the next cell after tagging one")
        self.advance.setChecked(desk.advance)
        self.advance.toggled.connect(self._advance_asked)
        self.filters = FilterBox(desk)
        layout = QVBoxLayout(self)
        for widget in (self.title, self.progress, self.classes, self.advance, self._pages(), self.filters):
            layout.addWidget(widget)
        layout.addWidget(self._looks())
        layout.addStretch(1)
        desk.watchers.append(self.refresh)
        self.refresh("review")

    def _pages(self) -> Any:
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        desk = self.desk
        before = button("\N{LEFTWARDS ARROW}", lambda: desk.turn(-1), "page before (PageUp)")
        after = button("\N{RIGHTWARDS ARROW}", lambda: desk.turn(1), "next page (PageDown)")
        layout.addWidget(row(QLabel("Page"), before, self.page, self.pages, after))
        layout.addWidget(
            row(
                button("Next untagged", desk.next_untagged, "T"),
                button("Select page", desk.select_page, "A"),
                self.undo,
                self.redo,
            )
        )
        return box

    def _looks(self) -> Any:
        box = QGroupBox("Cells")
        layout = QFormLayout(box)
        self.mode = combo(MODES, self._mode_asked)
        self.size = QSlider(Qt.Orientation.Horizontal)
        self.size.setRange(*SIZES)
        self.size.setSingleStep(4)
        self.size.setValue(64)
        self.size.setTracking(False)
        self.size.valueChanged.connect(lambda side: self.desk.lay_out(size=int(side)))
        self.per_page = QSpinBox()
        self.per_page.setRange(1, 1000)
        self.per_page.setKeyboardTracking(False)
        self.per_page.valueChanged.connect(lambda n: self.desk.lay_out(per_page=int(n)))
        self.outlined = QCheckBox("outlines of the masks (M)")
        self.outlined.clicked.connect(lambda *_: self.desk.outline())
        layout.addRow("channels", self.mode)
        layout.addRow("frame, px", self.size)
        layout.addRow("cells a page", self.per_page)
        layout.addRow("", self.outlined)
        return box

    # --- from the widgets to the desk -------------------------------------------------

    def _page_asked(self, number: int) -> None:
        self.desk.go_to(int(number) - 1)

    def _mode_asked(self) -> None:
        chosen: Mode = next(mode for mode in MODES if mode == self.mode.currentText())
        self.desk.lay_out(mode=chosen)

    def _advance_asked(self, on: bool) -> None:  # noqa: FBT001 - a slot of Qt
        self.desk.advance = bool(on)

    # --- from the desk to the widgets -------------------------------------------------

    def refresh(self, change: Change) -> None:
        """Show the state of the desk."""
        review, gallery = self.desk.review, self.desk.gallery
        self.setEnabled(review is not None)
        if review is None or gallery is None:
            self.title.setText("No review is open.")
            return
        session = review.session
        blinded = f", blinded (seed {session.seed})" if session.blinded else ""
        self.title.setText(f"<b>{_escaped(review.title)}</b><br>{_escaped(session.tags.by)}{blinded}")
        counts = session.counts()
        total = len(session.objects)
        self.progress.setMaximum(max(total, 1))
        self.progress.setValue(total - counts[UNTAGGED])
        self._show_classes(counts)
        for widget, value in ((self.page, session.page + 1), (self.per_page, session.per_page)):
            widget.blockSignals(True)
            if widget is self.page:
                widget.setRange(1, session.n_pages)
            widget.setValue(value)
            widget.blockSignals(False)
        self.pages.setText(f"of {session.n_pages} ({len(session.order)} objects)")
        for widget, state in ((self.size, gallery.size), (self.mode, MODES.index(gallery.mode))):
            widget.blockSignals(True)
            widget.setValue(state) if widget is self.size else widget.setCurrentIndex(state)
            widget.blockSignals(False)
        self.outlined.setChecked(gallery.outlined)
        if change == "review":
            self.filters.refresh()

    def _show_classes(self, counts: dict[str, int]) -> None:
        if self.desk.review is None:
            return
        classes = self.desk.review.session.classes
        wanted = {"": ("0", "#000000"), **{c.name: (c.key, c.colour) for c in classes}}
        if list(self.buttons) != [*wanted] or any(
            self.buttons[name].property("look") != f"{key}{colour}" for name, (key, colour) in wanted.items()
        ):
            self._make_buttons(wanted)
        for name, made in self.buttons.items():
            shown = f"{name}: {counts.get(name, 0)}" if name else f"no tag: {counts[UNTAGGED]}"
            made.setText(f"{wanted[name][0]}  {shown}")

    def _make_buttons(self, wanted: dict[str, tuple[str, str]]) -> None:
        for old in self.buttons.values():
            self._grid.removeWidget(old)
            old.deleteLater()
        self.buttons = {}
        for place, (name, (key, colour)) in enumerate(wanted.items()):
            made = button("", partial(self.desk.tag, name or None), f"key {key}")
            made.setProperty("look", f"{key}{colour}")
            if name:
                made.setIcon(swatch(colour))
            self._grid.addWidget(made, place // 2, place % 2)
            self.buttons[name] = made


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
