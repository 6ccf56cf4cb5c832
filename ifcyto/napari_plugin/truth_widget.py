"""The tab of truth: measure, group, suggest, train, and look at what the classifier gets wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QLabel,
    QProgressBar,
    QSpinBox,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from ifcyto.classify.suggest import ORDERS
from ifcyto.napari_plugin.jobs import Job
from ifcyto.napari_plugin.parts import button, combo, row, table
from ifcyto.review.session import View
from ifcyto.review.truth import GROUP, PROBABILITY, SUGGESTED, clusters, learn, measured, save_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifcyto.classify.suggest import Order
    from ifcyto.napari_plugin.desk import Change, Desk
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.review.opening import Review
    from ifcyto.review.truth import Round

__all__ = ["TruthTab"]

WORDS = """1. Measure. 2. Group: each group is shown by the filter "cluster"; Shift+A and a key tag a whole
group. 3. Suggest: train on the tags and look at what is least certain. 4. Click a number of the confusion to
see these cells, correct them, and suggest again."""


class TruthTab(QWidget):
    """Builds a truth from tags.

    Parameters
    ----------
    desk : Desk

    Attributes
    ----------
    job : Job or None
    found : Round or None
        Of the last training.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.job: Job | None = None
        self.found: Round | None = None
        words = QLabel(WORDS)
        words.setWordWrap(True)
        self.groups = QSpinBox()
        self.groups.setRange(0, 100)
        self.groups.setSpecialValueText("chosen")
        self.order = combo(ORDERS, lambda: None)
        self.count = QSpinBox()
        self.count.setRange(1, 10_000)
        self.count.setValue(100)
        self.busy = QProgressBar()
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.matrix = QTableWidget()
        self.matrix.cellClicked.connect(self.show_cell)
        form = QFormLayout()
        form.addRow(
            button("Measure", self.measure, "features of all objects"), QLabel("features of the objects")
        )
        form.addRow(
            button("Group", self.group, "put alike objects into groups"), row(QLabel("groups"), self.groups)
        )
        form.addRow(button("Suggest", self.suggest), row(self.order, self.count))
        self.stop_button = button("Stop", self.stop)
        layout = QVBoxLayout(self)
        layout.addWidget(words)
        layout.addLayout(form)
        layout.addWidget(row(self.busy, self.stop_button))
        layout.addWidget(self.said)
        layout.addWidget(self.matrix)
        layout.addWidget(
            row(button("Show doubtful tags", self.show_doubtful), button("Save model ...", self._ask))
        )
        layout.addStretch(1)
        desk.watchers.append(self.refresh)
        self._ready("")
        self.refresh("review")

    # --- work ----------------------------------------------------------------------------

    def measure(self) -> None:
        """Measure all objects."""
        self._start(lambda review, progress: measured(review, progress=progress), self._measured)

    def group(self) -> None:
        """Group the objects by what was measured."""
        wanted = self.groups.value() or None
        names, values = self._values()

        def work(review: Review, progress: Progress) -> Any:
            progress("group", 0, 0)
            return clusters(names, values, groups=wanted, seed=review.session.seed)

        self._start(work, self._grouped)

    def suggest(self) -> None:
        """Train on the tags, and suggest what to look at."""
        order: Order = next(each for each in ORDERS if each == self.order.currentText())
        count = self.count.value()
        names, values = self._values()

        def work(review: Review, progress: Progress) -> Any:
            progress("train", 0, 0)
            return learn(review, names, values, order=order, n=count, seed=review.session.seed)

        self._start(work, self._learnt)

    def save(self, path: Path | str) -> None:
        """Train the classifier of the command ``train`` on the tags, and write its folder."""
        self._start(
            lambda review, progress: save_model(review, path, progress=progress),
            lambda _result: self._ready(f"Written: {path}"),
        )

    def stop(self) -> None:
        """Stop what is under way; nothing of it is kept."""
        if self.job is not None:
            self.job.stop()

    # --- what is found ---------------------------------------------------------------------

    def show_cell(self, down: int, across: int) -> None:
        """Show the objects of a cell of the confusion matrix."""
        if self.found is not None and across:
            classes = self.found.classes
            rows = self.found.rows_of(classes[down], classes[across - 1])
            self.desk.show_rows(rows.tolist())

    def show_doubtful(self) -> None:
        """Show tagged objects that the classifier takes for another class."""
        if self.found is not None:
            self.desk.show_rows(self.found.tagging.doubtful.rows.tolist())

    def refresh(self, change: Change) -> None:
        """Forget what was found when another review is open."""
        self.setEnabled(self.desk.review is not None)
        review = self.desk.review
        if (
            self.found is not None
            and review is not None
            and change == "review"
            and (len(self.found.labels) != len(review.session.objects))
        ):
            self.found = None
            self.matrix.setRowCount(0)

    # --- inside ----------------------------------------------------------------------------

    def _values(self) -> tuple[tuple[str, ...], np.ndarray]:
        """Columns of features: what was measured, not what methods or earlier rounds said."""
        if self.desk.review is None:
            return (), np.zeros((0, 0))
        names, values = self.desk.values()
        keep = [
            place for place, name in enumerate(names)
            if name != PROBABILITY and name not in self.desk.review.session.objects.verdicts
        ]  # fmt: skip
        return tuple(names[place] for place in keep), values[:, keep]

    def _start(self, work: Callable[[Review, Progress], Any], then: Callable[[Any], object]) -> None:
        review = self.desk.review
        if review is None or (self.job is not None and self.job.running):
            return
        self.busy.setMaximum(0)
        self.stop_button.setEnabled(True)

        def done(found: Any) -> None:
            if self.desk.review is review:
                then(found)
            else:
                self._ready("Another review was opened meanwhile; nothing was changed.")

        self.job = Job(lambda progress: work(review, progress), done, self._failed, self._progressed).start()

    def _measured(self, columns: Any) -> None:
        self.desk.open.session.add_columns(numbers=columns)
        self.desk.tell("review")
        self._ready(f"{len(columns)} columns measured.")

    def _grouped(self, words: Any) -> None:
        session = self.desk.open.session
        session.add_columns(words={GROUP: words})
        self.desk.tell("review")
        self.desk.show(View({}, {}, tuple(np.flatnonzero(words != "").tolist()), GROUP))
        self.desk.tell("review")
        number, grouped = len(set(words.tolist()) - {""}), int((words != "").sum())
        self._ready(f"{number} groups of {grouped} objects; choose one by the filter {GROUP}.")

    def _learnt(self, found: Round) -> None:
        self.found = found
        session = self.desk.open.session
        suggestions = found.tagging.suggestions
        n = len(session.objects)
        words, chance = np.full(n, "", f"<U{max(map(len, found.classes))}"), np.full(n, np.nan)
        words[suggestions.rows], chance[suggestions.rows] = suggestions.labels, suggestions.probability
        session.add_columns(words={SUGGESTED: words}, numbers={PROBABILITY: chance})
        self.desk.tell("review")
        self.desk.show_rows(suggestions.rows.tolist())
        matrix = found.tagging.training.cv.matrix
        rows = [[name, *map(str, line)] for name, line in zip(found.classes, matrix.tolist(), strict=True)]
        table(self.matrix, ("tag / classifier", *found.classes), rows)
        accuracy = float(np.mean(found.tagging.training.cv.balanced_accuracy))
        self._ready(
            f"Cross-validated balanced accuracy {accuracy:.3f} on {int(matrix.sum())} tags. "
            f"{len(suggestions.rows)} objects are suggested, "
            f"{len(found.tagging.doubtful.rows)} tags are doubtful."
        )

    def _ready(self, said: str) -> None:
        self.busy.setMaximum(1)
        self.busy.setValue(0)
        self.stop_button.setEnabled(False)
        self.said.setText(said)

    def _failed(self, message: str) -> None:
        self._ready("")
        self.desk.message = message
        self.desk.tell("marks")

    def _progressed(self, task: str, done: int, total: int) -> None:
        self.busy.setMaximum(total)
        self.busy.setValue(done)
        self.busy.setFormat(f"{task} %p%")

    def _ask(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder in which the model is written")
        if path:
            self.save(Path(path) / "fbml")
