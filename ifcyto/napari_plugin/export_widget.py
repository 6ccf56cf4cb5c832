"""The tab of export: the page, the selection, the report."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog, QLabel, QVBoxLayout, QWidget

from ifcyto.errors import UsageError
from ifcyto.napari_plugin.parts import button
from ifcyto.napari_plugin.writer import write_page
from ifcyto.review.export import write_figure, write_report, write_selection
from ifcyto.review.laid_over import laid_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifcyto.napari_plugin.desk import Change, Desk
    from ifcyto.review.second_reader import ReaderAgreement

__all__ = ["ExportTab"]

WORDS = """Pixels: a TIFF with the raw values of what is shown, one page a channel, and the object numbers
and places of the cells in its description. Figure: PNG and PDF with labels, names and a scale bar, in the
contrast that is set, with the outlines, spots and heat map that are shown. Files that are there are
replaced: the dialog asks first."""


class ExportTab(QWidget):
    """Writes what is shown.

    Parameters
    ----------
    desk : Desk
    agreement : callable
        Gives the comparison with a second reader, or None.
    """

    def __init__(self, desk: Desk, agreement: Callable[[], ReaderAgreement | None]) -> None:
        super().__init__()
        self.desk = desk
        self.agreement = agreement
        self.said = QLabel()
        self.said.setWordWrap(True)
        words = QLabel(WORDS)
        words.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(words)
        for text, kinds, action in (
            ("Page as pixels ...", "TIFF (*.tif)", self.write_pixels),
            ("Page as a figure ...", "PNG and PDF (*.png)", self.write_figure),
            ("Selected cells as a list ...", "Population (*.pop);;Table (*.csv)", self.write_selection),
            ("Report of the review ...", "Page (*.html);;Table (*.csv)", self.write_report),
        ):
            layout.addWidget(button(text, partial(self._ask, kinds, action)))
        layout.addWidget(self.said)
        layout.addStretch(1)
        desk.watchers.append(self.refresh)
        self.refresh("review")

    def refresh(self, _change: Change) -> None:
        """Offer export while a review is open."""
        self.setEnabled(self.desk.review is not None)

    def write_pixels(self, path: Path | str) -> bool:
        """Write the image layers as they are."""
        return self._write(lambda: write_page(str(path), self._layers()), path)

    def write_figure(self, path: Path | str) -> bool:
        """Draw the page."""
        return self._write(lambda: self._figure(path), path)

    def write_selection(self, path: Path | str) -> bool:
        """Write the selected cells."""
        desk = self.desk
        return self._write(
            lambda: write_selection(path, desk.open.session, self._some(desk.chosen()), overwrite=True), path
        )

    def write_report(self, path: Path | str) -> bool:
        """Write the report."""
        return self._write(lambda: write_report(path, self.desk.open, self.agreement(), overwrite=True), path)

    def _layers(self) -> list[tuple[Any, dict[str, Any], str]]:
        gallery = self.desk.gallery
        if gallery is None or gallery.made is None:
            msg = "expected a page of cells, found none: open a review first"
            raise UsageError(msg)
        return [layer.as_layer_data_tuple() for layer in gallery.layers()]

    def _figure(self, path: Path | str) -> None:
        gallery = self.desk.gallery
        if gallery is not None:
            review, rows, size, shown = self.desk.open, gallery.rows.tolist(), gallery.size, gallery.over
            over = laid_over(review, rows, size, masks=shown.masks, heat=shown.heat, stored=gallery.outlined)
            write_figure(path, review, rows, size=size, ranges=gallery.limits(), over=over, overwrite=True)

    def _some(self, rows: list[int]) -> list[int]:
        if not rows:
            msg = "expected selected cells, found none: click them, or press A for the page"
            raise UsageError(msg)
        return rows

    def _write(self, action: Callable[[], object], path: Path | str) -> bool:
        done = self.desk.attempt(action)
        self.said.setText(f"Written: {path}" if done else "")
        self.desk.tell("marks")
        return done

    def _ask(self, kinds: str, action: Callable[[Path], bool]) -> None:
        chosen, kind = QFileDialog.getSaveFileName(self, "Export", "", kinds)
        if chosen:
            path = Path(chosen)
            ending = kind.rpartition("*")[2].strip(")")
            action(path if path.suffix else path.with_name(path.name + ending))
