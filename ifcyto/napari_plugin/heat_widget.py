"""The box of heat maps: a file of ``ifcyto explain``, which of its maps, and their legend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QCheckBox, QFileDialog, QGroupBox, QLabel, QVBoxLayout

from ifcyto.napari_plugin.parts import button, combo, fill, row
from ifcyto.review.heat_file import read_heat_maps
from ifcyto.review.heat_maps import legend

if TYPE_CHECKING:
    from ifcyto.napari_plugin.desk import Change, Desk
    from ifcyto.napari_plugin.gallery import Gallery
    from ifcyto.review.heat_maps import HeatMaps

__all__ = ["HeatBox"]

NONE = "No heat maps are loaded. `ifcyto explain STACK MODEL --object N -o why.npz` makes them."
BLINDED = "Heat maps tell what a network said: not while you are blinded."
SIGNED = "Brighter: the class rests on it. Blue and striped: it speaks against the class."
UNSIGNED = "Brighter: the class rests on it."


class HeatBox(QGroupBox):
    """Loads heat maps and says what they show.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__("Heat map")
        self.desk = desk
        self.kind = combo([], self._kind_asked)
        self.shown = QCheckBox("shown")
        self.shown.setToolTip("H")
        self.shown.clicked.connect(lambda *_: self.desk.show_heat())
        self.said = QLabel(NONE)
        self.said.setWordWrap(True)
        self.low, self.bar, self.high = QLabel(), QLabel(), QLabel()
        self.low.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.legend = row(self.low, self.bar, self.high)
        layout = QVBoxLayout(self)
        layout.addWidget(self.said)
        layout.addWidget(row(self.kind, self.shown))
        layout.addWidget(self.legend)
        layout.addWidget(
            row(
                button("Load ...", self._ask, "a file of ifcyto explain (.npz)"),
                button("Show its cells", self.show_cells, "only the cells that have a heat map"),
                button("Remove", self.remove),
            )
        )
        desk.watchers.append(self.refresh)
        self.refresh("review")

    def load(self, path: Path | str) -> bool:
        """Read a file and lay its maps over the cells."""

        def act(gallery: Gallery) -> None:
            heat, review = gallery.over.heat, self.desk.open
            heat.permit()
            heat.take(read_heat_maps(path, review.session.objects, review.pages))

        return self.desk.lay_over(act)

    def remove(self) -> None:
        """Take the maps away."""
        self.desk.lay_over(lambda gallery: gallery.over.heat.take(None))

    def show_cells(self) -> None:
        """Show the cells that have a map."""
        gallery = self.desk.gallery
        if gallery is not None and gallery.over.heat.drawn is not None:
            self.desk.show_rows(gallery.over.heat.drawn.rows(self.desk.open.session.objects))

    def refresh(self, _change: Change) -> None:
        """Show which maps are laid over."""
        gallery = self.desk.gallery
        heat = None if gallery is None else gallery.over.heat
        maps = None if heat is None else heat.maps
        self.setEnabled(heat is not None and not heat.blinded)
        for part in (self.kind, self.shown, self.legend):
            part.setVisible(maps is not None)
        if heat is None or maps is None:
            self.said.setText(BLINDED if heat is not None and heat.blinded else NONE)
            return
        self.shown.setChecked(heat.shown)
        kinds = maps.kinds()
        if [self.kind.itemText(place) for place in range(self.kind.count())] != list(kinds):
            fill(self.kind, kinds)
        if self.kind.currentText() != heat.kind:
            self.kind.blockSignals(True)
            self.kind.setCurrentIndex(kinds.index(heat.kind))
            self.kind.blockSignals(False)
        low, high, unit = heat.scale()
        self.low.setText(f"{low:.2g}")
        self.high.setText(f"{high:.2g}")
        colours = legend(high, signed=low < 0)
        height, width = colours.shape[:2]
        image = QImage(colours.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        self.bar.setPixmap(QPixmap.fromImage(image))
        self.said.setText(f"{self._words(maps, signed=low < 0)} Full colour: {high:.2g} {unit}.")

    def _words(self, maps: HeatMaps, *, signed: bool) -> str:
        objects = self.desk.open.session.objects
        rows = [] if self.desk.gallery is None else self.desk.gallery.rows.tolist()
        here = sum(bool(maps.said(objects, row)) for row in rows)
        said = SIGNED if signed else UNSIGNED
        return f"{maps.name}: {len(maps.keys)} objects, {here} of them on this page. {said}"

    def _kind_asked(self) -> None:
        chosen = self.kind.currentText()

        def act(gallery: Gallery) -> None:
            gallery.over.heat.kind = chosen

        if self.desk.gallery is not None and self.desk.gallery.over.heat.maps is not None:
            self.desk.lay_over(act)

    def _ask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Heat maps", "", "Heat maps (*.npz)")
        if path:
            self.load(Path(path))
