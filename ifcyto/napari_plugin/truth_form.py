"""What can be asked for in the tab of truth: groups, suggestions, the network, a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtWidgets import QFileDialog, QFormLayout, QLabel, QLineEdit, QSpinBox, QWidget

from ifcyto.classify.suggest import ORDERS
from ifcyto.napari_plugin.parts import button, combo, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifcyto.classify.suggest import Order

__all__ = ["METHODS", "Method", "TruthForm"]

Method = Literal["features", "a network", "the model"]
METHODS: tuple[Method, ...] = ("features", "a network", "the model")
"""By what is suggested: a classifier on features, a network trained now, a model folder."""

NONE = "none chosen"


class TruthForm(QWidget):
    """Boxes and buttons; it does nothing itself.

    Parameters
    ----------
    measure, group, suggest : callable
        What the buttons do.

    Attributes
    ----------
    model : pathlib.Path or None
        Folder of the model to group or suggest by.
    """

    def __init__(
        self,
        measure: Callable[[], object],
        group: Callable[[], object],
        suggest: Callable[[], object],
    ) -> None:
        super().__init__()
        self.model: Path | None = None
        self.model_name = QLabel(NONE)
        self.model_name.setWordWrap(True)
        self.groups = _number(0, 100, 0)
        self.groups.setSpecialValueText("number chosen")
        self.groups.setSuffix(" groups")
        self.grouping = combo((METHODS[0], METHODS[2]), lambda: None)
        self.method = combo(METHODS, self._show)
        self.order = combo(ORDERS, lambda: None)
        self.count = _number(1, 10_000, 100)
        self.size = _number(8, 512, 64)
        self.epochs = _number(1, 10_000, 30)
        self.folds = _number(0, 20, 3)
        self.folds.setSpecialValueText("none")
        self.folds.setToolTip("each tag is judged by a network without it; none: a tenth of the tags is")
        self.channels = QLineEdit()
        self.channels.setPlaceholderText("all, or BF, DRAQ5 ...")
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(
            button("Model ...", self._ask, "folder of a trained model, of either kind"), self.model_name
        )
        form.addRow(button("Measure", measure, "features of all objects"), QLabel("features of the objects"))
        form.addRow(
            button("Group", group, "put alike objects into groups"),
            row(QLabel("by"), self.grouping, self.groups),
        )
        form.addRow(button("Suggest", suggest), row(QLabel("by"), self.method))
        form.addRow(row(self.order, self.count, QLabel("objects")))
        self.network = QWidget()
        below = QFormLayout(self.network)
        below.setContentsMargins(0, 0, 0, 0)
        for name, box in (
            ("image, px", self.size), ("epochs", self.epochs), ("folds", self.folds),
            ("channels", self.channels),
        ):  # fmt: skip
            below.addRow(name, box)
        form.addRow(self.network)
        self._show()

    @property
    def wanted_order(self) -> Order:
        """Order of suggestions that is chosen."""
        return next(each for each in ORDERS if each == self.order.currentText())

    @property
    def wanted_method(self) -> Method:
        """By what is to be suggested."""
        return next(each for each in METHODS if each == self.method.currentText())

    @property
    def by_model(self) -> bool:
        """Whether groups are asked for by the model."""
        return bool(self.grouping.currentText() == METHODS[2])

    def network_options(self) -> dict[str, Any]:
        """Options of a small network; the others keep their defaults."""
        folds = self.folds.value()
        return {
            "architecture": "vgg_small", "size": self.size.value(), "epochs": self.epochs.value(),
            "folds": folds if folds != 1 else 0,
        }  # fmt: skip

    def wanted_channels(self) -> list[str]:
        """Channels that the network shall look at; empty for all."""
        return [name.strip() for name in self.channels.text().split(",") if name.strip()]

    def set_model(self, folder: Path | None, name: str = "") -> None:
        """Take a model folder, or none."""
        self.model = folder
        self.model_name.setText(NONE if folder is None else name or str(folder))

    def _show(self) -> None:
        self.network.setVisible(self.wanted_method == METHODS[1])

    def _ask(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder of a model")
        if path:
            self.set_model(Path(path))


def _number(low: int, high: int, value: int) -> Any:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    return box
