"""The widget that napari docks: opening a review, its tabs, and one line for what went wrong."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QProgressBar,
    QScrollArea,
    QShortcut,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from ifcyto.napari_plugin.classes_widget import ClassesTab
from ifcyto.napari_plugin.desk import Desk
from ifcyto.napari_plugin.detail_widget import DetailTab
from ifcyto.napari_plugin.export_widget import ExportTab
from ifcyto.napari_plugin.help_widget import HelpTab
from ifcyto.napari_plugin.jobs import Job
from ifcyto.napari_plugin.keys import bind, bind_layers, unbind
from ifcyto.napari_plugin.overlays_widget import OverlaysTab
from ifcyto.napari_plugin.parts import button, row, say
from ifcyto.napari_plugin.plots_widget import PlotsTab
from ifcyto.napari_plugin.readers_widget import ReadersTab
from ifcyto.napari_plugin.review_widget import ReviewTab
from ifcyto.napari_plugin.truth_widget import TruthTab
from ifcyto.review.opening import ReviewOptions, open_review

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari

    from ifcyto.napari_plugin.desk import Change
    from ifcyto.review.opening import Review

__all__ = ["ReviewWindow"]


class ReviewWindow(QWidget):
    """All tabs of a review, beside the gallery.

    Parameters
    ----------
    napari_viewer : napari.Viewer

    Attributes
    ----------
    desk : Desk
    job : Job or None
        Opening that is under way.
    second : path-like or None
        Another reader's tags, compared with once the review is open.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        self.desk = Desk(napari_viewer)
        self.job: Job | None = None
        self.options = ReviewOptions()
        self.second: Path | str | None = None
        self.by = QLineEdit()
        self.by.setPlaceholderText("who tags")
        self.blinded = QCheckBox("blinded")
        self.blinded.setToolTip("hide what the methods said, and shuffle the objects")
        self.busy = QProgressBar()
        self.stop = button("Stop", self._stop)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.tabs = QTabWidget()
        self.review_tab = ReviewTab(self.desk)
        self.detail_tab = DetailTab(self.desk)
        self.readers_tab = ReadersTab(self.desk)
        self.truth_tab = TruthTab(self.desk)
        self._add_tabs()
        layout = QVBoxLayout(self)
        opening = (
            button("Open study", self._ask_study, "a study that was run"),
            button("Open images", self._ask_file, "a cell stack, .cif, .rif, .daf or .tif"),
        )
        layout.addWidget(row(*opening, self.by, self.blinded))
        layout.addWidget(self._job_line())
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.message)
        bind(self.desk, self.show_detail)
        self.desk.watchers.append(self._refresh)
        self.desk.viewer.layers.events.inserted.connect(self._bind_layers)
        self.destroyed.connect(lambda *_, desk=self.desk: _leave(desk))
        self._refresh("review")

    def _add_tabs(self) -> None:
        for name, tab in (
            ("Review", self.review_tab),
            ("Cell", self.detail_tab),
            ("Classes", ClassesTab(self.desk)),
            ("Plot", PlotsTab(self.desk)),
            ("Overlays", OverlaysTab(self.desk)),
            ("Truth", self.truth_tab),
            ("Readers", self.readers_tab),
            ("Export", ExportTab(self.desk, lambda: self.readers_tab.found)),
            ("Help", HelpTab()),
        ):
            area = QScrollArea()
            area.setWidget(tab)
            area.setWidgetResizable(True)
            place = self.tabs.addTab(area, name)
            self.tabs.setTabToolTip(place, f"Alt+{place + 1}")
            self._shortcut(f"Alt+{place + 1}", partial(self._open_tab, place))
        self._shortcut("Esc", self._to_picture)

    def _shortcut(self, keys: str, action: Callable[[], object]) -> None:
        made = QShortcut(QKeySequence(keys), self)
        if keys == "Esc":  # elsewhere it means something to napari
            made.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        made.activated.connect(action)

    def _open_tab(self, place: int) -> None:
        self.tabs.setCurrentIndex(place)
        self.tabs.setFocus()

    def _to_picture(self) -> None:
        """Give the picture the focus, so that the keys mean cells again."""
        middle = getattr(self.window(), "centralWidget", lambda: None)()
        for part in [] if middle is None else middle.findChildren(QWidget):
            if "Canvas" in type(part).__name__:
                part.setFocus()
                return

    def _job_line(self) -> Any:
        self._line = row(self.busy, self.stop)
        self._line.setVisible(False)
        return self._line

    # --- opening -----------------------------------------------------------------------

    def open(self, path: Path | str, options: ReviewOptions | None = None) -> Job:
        """Open a study, a stack or an image file in the background, and show it."""
        options = options or replace(
            self.options, by=self.by.text().strip(), blinded=self.blinded.isChecked()
        )
        self._stop()
        self._line.setVisible(True)
        self.busy.setMaximum(0)
        self.job = Job(
            lambda progress: open_review(path, options, progress=progress),
            self._opened,
            self._not_opened,
            self._progressed,
        ).start()
        return self.job

    def show_detail(self, row: int) -> None:
        """Show one cell large."""
        self.detail_tab.show_row(row)
        self.tabs.setCurrentIndex(1)

    def _opened(self, review: Review) -> None:
        self._line.setVisible(False)
        self.by.setText(review.session.tags.by)
        self.blinded.setChecked(review.session.blinded)
        self.desk.take(review)
        for note in review.session.tags.notes:
            self.desk.message = note
        if self.second is not None and self.readers_tab.load(self.second):
            self.second = None
        self._refresh("review")

    def _not_opened(self, message: str) -> None:
        self._line.setVisible(False)
        self.desk.message = message
        self.desk.tell("marks")

    def _progressed(self, task: str, done: int, total: int) -> None:
        self.busy.setMaximum(total)
        self.busy.setValue(done)
        self.busy.setFormat(f"{task} %p%")

    def _stop(self) -> None:
        if self.job is not None and self.job.running:
            self.job.stop()

    def _ask_study(self) -> None:
        self._ask("Studies (*.toml)")

    def _ask_file(self) -> None:
        self._ask("Images (*.h5 *.cif *.rif *.daf *.tif *.tiff);;All files (*)")

    def _ask(self, kinds: str) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open for review", "", kinds)
        if path:
            self.open(Path(path))

    # --- the desk ----------------------------------------------------------------------

    def _refresh(self, _change: Change) -> None:
        say(self.message, self.desk.message)

    def _bind_layers(self, _event: Any) -> None:
        bind_layers(self.desk)

    def closeEvent(self, event: Any) -> None:
        """Close the review with the window."""
        self._stop()
        self.truth_tab.leave()
        _leave(self.desk)
        super().closeEvent(event)


def _leave(desk: Desk) -> None:
    """Close what is open; the viewer stays as it was."""
    desk.watchers.clear()
    unbind(desk)
    desk.close()
