"""The tab of truth: measure, group, suggest, train, and look at what the classifier gets wrong."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QFileDialog, QLabel, QProgressBar, QTableWidget, QVBoxLayout, QWidget

from ifcyto.errors import UsageError
from ifcyto.napari_plugin.jobs import Job
from ifcyto.napari_plugin.parts import button, row, table
from ifcyto.napari_plugin.truth_form import METHODS, TruthForm
from ifcyto.review.asking import Models, group_errand, judge_errand, network_errand
from ifcyto.review.errands import time_left
from ifcyto.review.grouping import GROUP, MAP, Grouping
from ifcyto.review.rounds import Round
from ifcyto.review.session import View
from ifcyto.review.truth import PROBABILITY, learn, measured, save_model, suggested
from ifcyto.review.truth_data import truth_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifcyto.napari_plugin.desk import Change, Desk
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.review.errands import Answer, Errand
    from ifcyto.review.opening import Review

__all__ = ["TruthTab"]

WORDS = (
    'Group: each group is shown by the filter "cluster"; Shift+A and a key tag a whole group. '
    "Suggest: train on the tags and look at what is least certain. Click a number of the confusion to see "
    "these cells, correct them, and suggest again. Features must be measured first; a network needs none."
)

NO_MODEL = "no model is chosen: choose its folder (Model ...), or train a network first"


class TruthTab(QWidget):
    """Builds a truth from tags.

    Parameters
    ----------
    desk : Desk

    Attributes
    ----------
    form : TruthForm
    found : Round or None
        Of the last training.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.found: Round | None = None
        self._work = _Work()
        self._review: Review | None = desk.review
        self._trained: tuple[Path, dict[str, Any]] | None = None
        self._clock = (0, 0, 0.0)
        words = QLabel(WORDS)
        words.setWordWrap(True)
        self.form = TruthForm(self.measure, self.group, self.suggest)
        self.groups, self.count = self.form.groups, self.form.count
        self.busy = QProgressBar()
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.matrix = QTableWidget()
        self.matrix.cellClicked.connect(self.show_cell)
        self.stop_button = button("Stop", self.stop)
        layout = QVBoxLayout(self)
        layout.addWidget(words)
        layout.addWidget(self.form)
        layout.addWidget(row(self.busy, self.stop_button))
        layout.addWidget(self.said)
        layout.addWidget(self.matrix)
        layout.addWidget(
            row(button("Show doubtful tags", self.show_doubtful), button("Save model ...", self._ask))
        )
        layout.addStretch(1)
        desk.watchers.append(self.refresh)
        self.destroyed.connect(lambda *_, work=self._work: work.end())
        self._ready("")
        self.refresh("review")

    @property
    def job(self) -> Job | None:
        """What was asked for last."""
        return self._work.job

    # --- work ----------------------------------------------------------------------------

    def measure(self) -> None:
        """Measure all objects."""
        self._start(lambda review, progress: measured(review, progress=progress), self._measured)

    def group(self) -> None:
        """Group the objects by what was measured, or by what a model looks at."""
        wanted = self.groups.value() or None
        model = self.form.model if self.form.by_model else None

        def errand(review: Review) -> Errand:
            if self.form.by_model and model is None:
                raise UsageError(NO_MODEL)
            return group_errand(review, *self._values(), model=model, groups=wanted)

        self._send(errand, lambda answer: self._grouped(Grouping.from_answer(answer)))

    def suggest(self) -> None:
        """Train on the tags, or take the model, and suggest what to look at."""
        order, count = self.form.wanted_order, self.count.value()
        method = self.form.wanted_method
        if method == METHODS[1]:
            self._train(self._taught)
        elif method == METHODS[2]:
            self._send(self._judged, lambda answer: self._learnt(Round.from_answer(answer)))
        else:
            names, values = self._values()

            def work(review: Review, progress: Progress) -> Any:
                data, seed = truth_data(review), review.session.seed
                return learn(data, names, values, order=order, n=count, seed=seed, progress=progress)

            self._start(work, self._learnt)

    def save(self, path: Path | str) -> None:
        """Write the classifier that the command ``train`` makes of the tags: on features, or the network."""
        method = self.form.wanted_method
        if method == METHODS[2]:
            self._failed(
                "the model is a folder already: to save another one, suggest by features or a network"
            )
        elif method == METHODS[0]:
            self._start(
                lambda review, progress: save_model(review, path, progress=progress),
                lambda _result: self._ready(f"Written: {path}"),
            )
        else:
            asked = self._asked()
            if asked is not None and self._trained is not None and self._trained[1] == asked:
                self._keep(path)
            else:
                self._train(lambda answer: self._taught(answer, path))

    def stop(self) -> None:
        """Stop what is under way; nothing of it is kept."""
        if self.job is not None and self.job.running:
            self.job.stop()

    def leave(self) -> None:
        """The window closes: end the work, and remove the models that were not saved."""
        self._work.end()

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
        """Forget what was found, and end what is under way, when another review is open."""
        self.setEnabled(self.desk.review is not None)
        if change == "review" and self.desk.review is not self._review:
            running = self.job is not None and self.job.running
            self._review = self.desk.review
            self._work.end()
            self.found = self._trained = None
            self.matrix.setRowCount(0)
            if self.form.model_name.text() != str(self.form.model):
                self.form.set_model(None)
            self._ready("Another review was opened; what was under way was stopped." if running else "")

    # --- inside ----------------------------------------------------------------------------

    def _values(self) -> tuple[tuple[str, ...], np.ndarray]:
        """Columns of features: what was measured, not what methods or earlier rounds said."""
        if self.desk.review is None:
            return (), np.zeros((0, 0))
        names, values = self.desk.values()
        keep = [
            place for place, name in enumerate(names)
            if name not in {PROBABILITY, *MAP} and name not in self.desk.review.session.objects.verdicts
        ]  # fmt: skip
        return tuple(names[place] for place in keep), values[:, keep]

    def _judged(self, review: Review) -> Errand:
        if self.form.model is None:
            raise UsageError(NO_MODEL)
        return judge_errand(review, self.form.model, order=self.form.wanted_order, n=self.count.value())

    def _asked(self) -> dict[str, Any] | None:
        """All that decides what a network learns; None where there are too few tags, which is said."""
        tags: list[dict[tuple[str, int], str]] = []
        review = self.desk.review
        if review is None or not self.desk.attempt(lambda: tags.append(truth_data(review).truth())):
            return None
        return {
            **self.form.network_options(), "channels": self.form.wanted_channels(), "tags": tags[0]
        }  # fmt: skip

    def _train(self, then: Callable[[Answer], object]) -> None:
        asked = self._asked()
        if asked is None:
            return

        def errand(review: Review) -> Errand:
            return network_errand(
                review, self.form.network_options(), self.form.wanted_channels(), self._work.models.new(),
                order=self.form.wanted_order, n=self.count.value(),
            )  # fmt: skip

        def done(answer: Answer) -> None:
            if answer.made is not None:
                self._trained = answer.made, asked
            then(answer)

        self._send(errand, done)

    def _send(self, make: Callable[[Review], Errand], then: Callable[[Answer], object]) -> None:
        """Have work done in a process of its own."""
        review = self.desk.review
        if review is None or (self.job is not None and self.job.running):
            return
        made: list[Errand] = []
        if self.desk.attempt(lambda: made.append(make(review))):
            self._start(lambda _review, progress: made[0].run(progress), then, made[0].stop)

    def _start(
        self,
        work: Callable[[Review, Progress], Any],
        then: Callable[[Any], object],
        halt: Callable[[], object] | None = None,
    ) -> None:
        review = self.desk.review
        if review is None or (self.job is not None and self.job.running):
            return
        self.busy.setMaximum(0)
        self.stop_button.setEnabled(True)
        self._work.job = Job(
            lambda progress: work(review, progress), then, self._failed, self._progressed, halt
        ).start()

    def _measured(self, columns: Any) -> None:
        self.desk.open.session.add_columns(numbers=columns)
        self.desk.tell("review")
        self._ready(f"{len(columns)} columns measured.")

    def _grouped(self, found: Grouping) -> None:
        session = self.desk.open.session
        n = len(session.objects)
        session.add_columns(words=found.words(n), numbers=found.numbers(n))
        self.desk.tell("review")
        self.desk.show(View({}, {}, tuple(np.sort(found.rows).tolist()), GROUP))
        self.desk.tell("review")
        number = len(set(found.group.tolist()))
        self._ready(
            f"{number} groups of {len(found.rows)} objects; choose one by the filter {GROUP}, or draw around "
            f"some on their map (tab Plot, {MAP[0]} and {MAP[1]})."
        )

    def _taught(self, answer: Answer, path: Path | str | None = None) -> None:
        self._learnt(Round.from_answer(answer))
        self.form.set_model(answer.made, "the network that was trained last")
        if path is not None:
            self._keep(path)

    def _learnt(self, found: Round) -> None:
        self.found = found
        words, numbers = suggested(found)
        self.desk.open.session.add_columns(words=words, numbers=numbers)
        self.desk.tell("review")
        self.desk.show_rows(found.tagging.suggestions.rows.tolist())
        lines = found.matrix.tolist()
        rows = [[name, *map(str, line)] for name, line in zip(found.classes, lines, strict=True)]
        table(self.matrix, ("tag / classifier", *found.classes), rows)
        self._ready(
            f"{found.said} {len(found.tagging.suggestions.rows)} objects are suggested, "
            f"{len(found.tagging.doubtful.rows)} tags are doubtful."
        )

    def _keep(self, path: Path | str) -> None:
        trained = self._trained
        if trained is not None and self.desk.attempt(lambda: self._work.models.keep(trained[0], path)):
            self._ready(f"Written: {path}")

    def _ready(self, said: str) -> None:
        self.busy.setMaximum(1)
        self.busy.setValue(0)
        self.busy.setFormat("%p%")
        self.stop_button.setEnabled(False)
        self.said.setText(said)

    def _failed(self, message: str) -> None:
        self._ready("")
        self.desk.message = message
        self.desk.tell("marks")

    def _progressed(self, task: str, done: int, total: int) -> None:
        first, of, began = self._clock
        if of != total or done < first:
            first, began = done, time.monotonic()
            self._clock = first, total, began
        left = time_left(done - first, total - first, time.monotonic() - began)
        self.busy.setMaximum(total)
        self.busy.setValue(done)
        self.busy.setFormat(f"{task} %p% {left}")

    def _ask(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder in which the model is written")
        if path:
            self.save(Path(path) / ("cnn" if self.form.wanted_method == METHODS[1] else "fbml"))


class _Work:
    """What must end with the tab: the job, and the models of the session."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self.models = Models()

    def end(self) -> None:
        if self.job is not None and self.job.running:
            self.job.forget()
        self.models.close()
