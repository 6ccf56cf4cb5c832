"""What is shown and in which order: widgets from a view, and a view from the widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QCheckBox, QFormLayout, QGroupBox, QLineEdit, QVBoxLayout

from ifcyto.errors import UsageError
from ifcyto.napari_plugin.parts import button, choose, combo, fill, row
from ifcyto.review.objects import by_likeness
from ifcyto.review.session import View

if TYPE_CHECKING:
    from ifcyto.napari_plugin.desk import Desk

__all__ = ["ANY", "AS_THEY_CAME", "FilterBox"]

ANY = "any"
AS_THEY_CAME = "as they came"
UNTAGGED = "untagged"
FEW = 200
"""A column with more different words is no filter."""


class FilterBox(QGroupBox):
    """Filters and order.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__("Shown")
        self.desk = desk
        self.words: dict[str, Any] = {}
        self._rows: tuple[int, ...] | None = None
        self._form = QFormLayout()
        self.sort = combo([AS_THEY_CAME], self.apply)
        self.descending = QCheckBox("largest first")
        self.descending.clicked.connect(lambda *_: self.apply())
        self.column = combo([ANY], lambda: None)
        self.low, self.high = QLineEdit(), QLineEdit()
        for edit, hint in ((self.low, "from"), (self.high, "to")):
            edit.setPlaceholderText(hint)
            edit.setMaximumWidth(80)
            edit.returnPressed.connect(self.apply)
        layout = QVBoxLayout(self)
        order = QFormLayout()
        order.addRow("order by", row(self.sort, self.descending))
        layout.addLayout(order)
        layout.addLayout(self._form)
        limits = QFormLayout()
        limits.addRow("values of", row(self.column, self.low, self.high))
        layout.addLayout(limits)
        layout.addWidget(
            row(
                button("Show", self.apply, "apply the filters, and take tags given since into account"),
                button("Show all", self.clear),
                button("Alike", self.alike, "order by likeness to the selected cell"),
            )
        )

    # --- the two directions ------------------------------------------------------------

    def view(self) -> View:
        """What the widgets ask for.

        Raises
        ------
        UsageError
            A limit is no number.
        """
        words = {name: (box.currentText(),) for name, box in self.words.items() if box.currentText() != ANY}
        ranges = {}
        if self.column.currentText() != ANY:
            low, high = _number(self.low.text(), "-inf"), _number(self.high.text(), "inf")
            ranges[self.column.currentText()] = (low, high)
        sort = self.sort.currentText()
        return View(
            words, ranges, self._rows, "" if sort == AS_THEY_CAME else sort, self.descending.isChecked()
        )

    def set_view(self, view: View) -> None:
        """Let the widgets ask for this; :meth:`view` gives it back."""
        for name, box in self.words.items():
            choose(box, next(iter(view.words.get(name, ())), ANY))
        column, (low, high) = next(iter(view.ranges.items()), (ANY, (float("-inf"), float("inf"))))
        choose(self.column, column)
        self.low.setText("" if low == float("-inf") else repr(low))
        self.high.setText("" if high == float("inf") else repr(high))
        choose(self.sort, view.sort or AS_THEY_CAME)
        self.descending.setChecked(view.descending)
        self._rows = view.rows

    def refresh(self) -> None:
        """Offer the columns of the open review."""
        if self.desk.review is None:
            return
        session = self.desk.review.session
        words, numbers = session.objects.seen(blinded=session.blinded)
        offered = {"tag": [UNTAGGED, *(c.name for c in session.classes)]}
        if not session.blinded:
            offered["sample"] = sorted(set(session.objects.samples.tolist()) - {""})
        offered |= {name: sorted(set(session.objects.words[name].tolist()) - {""}) for name in words}
        while self._form.rowCount():
            self._form.removeRow(0)
        self.words = {}
        for name, values in offered.items():
            if 0 < len(values) <= FEW:
                self.words[name] = combo([ANY, *values], self.apply)
                self._form.addRow(name, self.words[name])
        fill(self.sort, [AS_THEY_CAME, *words, *numbers])
        fill(self.column, [ANY, *numbers])
        self.set_view(session.view)

    # --- what is asked -----------------------------------------------------------------

    def apply(self) -> None:
        """Show what the widgets ask for."""
        if self.desk.review is not None:
            asked: list[View] = []
            if self.desk.attempt(lambda: asked.append(self.view())):
                self.desk.show(asked[0])

    def clear(self) -> None:
        """Show everything, in the order of the input."""
        self.set_view(View({}, {}))
        self.apply()

    def alike(self) -> None:
        """Order what is shown by likeness to the selected cell."""
        found: list[Any] = []
        if self.desk.attempt(lambda: found.append(self._alike())):
            self.desk.show_rows(found[0])

    def _alike(self) -> list[int]:
        session = self.desk.open.session
        chosen = self.desk.chosen()
        names, values = self.desk.values()
        if len(chosen) != 1 or not names:
            missing = (
                "one selected cell" if names else "columns of numbers: open the file with its feature table"
            )
            msg = f"likeness: expected {missing}"
            raise UsageError(msg)
        ordered: list[int] = by_likeness(values, session.order, chosen[0]).tolist()
        return ordered


def _number(text: str, default: str) -> float:
    try:
        return float(text.strip() or default)
    except ValueError:
        msg = f"expected a number as a limit, found {text[:40]!r}"
        raise UsageError(msg) from None
