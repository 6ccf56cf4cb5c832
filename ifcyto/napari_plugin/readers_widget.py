"""The tab of two readers: how far they agree, and the cells of which they differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QLabel, QTableWidget, QVBoxLayout, QWidget

from ifcyto.errors import UsageError
from ifcyto.napari_plugin.parts import button, row, table
from ifcyto.review.second_reader import ReaderAgreement, compare_readers
from ifcyto.review.tag_file import TagFile

if TYPE_CHECKING:
    from ifcyto.napari_plugin.desk import Change, Desk

__all__ = ["ReadersTab"]


class ReadersTab(QWidget):
    """Compares the tags of the review with another reader's file.

    Parameters
    ----------
    desk : Desk

    Attributes
    ----------
    found : ReaderAgreement or None
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.found: ReaderAgreement | None = None
        self._other: TagFile | None = None
        self.said = QLabel("Choose the file of tags of another reader.")
        self.said.setWordWrap(True)
        self.matrix = QTableWidget()
        self.differences = QTableWidget()
        layout = QVBoxLayout(self)
        layout.addWidget(
            row(
                button("Other reader's tags ...", self._ask),
                button("Compare again", self.compare),
                button("Show disagreements", self.show_disagreements),
            )
        )
        for widget in (self.said, self.matrix, self.differences):
            layout.addWidget(widget)
        desk.watchers.append(self.refresh)
        self.refresh("review")

    def load(self, path: Path | str) -> bool:
        """Read another reader's tags, which are never written, and compare."""
        return self.desk.attempt(lambda: self._load(Path(path))) and self.compare()

    def compare(self) -> bool:
        """Compare the tags as they are now."""
        return self.desk.attempt(self._compare)

    def show_disagreements(self) -> bool:
        """Show the cells that the readers tagged differently."""
        if self.found is None or not self.compare():
            return False
        objects = self.desk.open.session.objects
        places = {objects.key(place): place for place in range(len(objects))}
        return self.desk.show_rows(places[key] for key in self.found.disagreements if key in places)

    def refresh(self, change: Change) -> None:
        """Forget the comparison when another review is open."""
        self.setEnabled(self.desk.review is not None)
        if change == "review" and self._other is not None:
            self._other = self.found = None
            self.said.setText("Choose the file of tags of another reader.")

    def _load(self, path: Path) -> None:
        tags = self.desk.open.session.tags
        if not path.is_file() or path.resolve() == tags.path.resolve():
            why = "the file of this review" if path.is_file() else "nothing"
            msg = f"{path}: expected another reader's table of tags, found {why}"
            raise UsageError(msg)
        self._other = TagFile(path, by="", samples=tags.samples)

    def _compare(self) -> None:
        if self._other is None:
            msg = "expected another reader's table of tags, found none: choose it first"
            raise UsageError(msg)
        mine, theirs = self.desk.open.session.tags.tags, self._other.tags
        self.found = found = compare_readers(mine, theirs)
        kappa = found.kappa
        self.said.setText(
            f"{int(found.matrix.sum())} objects tagged by both, {len(found.disagreements)} of them "
            f"differently; "
            f"{found.first_only} by you alone, {found.second_only} by the other reader alone. "
            f"<b>Cohen's kappa {kappa.kappa:.3f}</b> (95 % {kappa.low:.3f} to {kappa.high:.3f}). "
            "Rows: you; columns: the other reader."
        )
        rows = [
            [name, *map(str, line)] for name, line in zip(found.classes, found.matrix.tolist(), strict=True)
        ]
        table(self.matrix, ("", *found.classes), rows)
        shown = [[key[0], str(key[1]), mine[key].label, theirs[key].label] for key in found.disagreements]
        table(self.differences, ["sample", "object", "you", "other reader"], shown)

    def _ask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Other reader's tags", "", "Tables (*.csv)")
        if path:
            self.load(path)
