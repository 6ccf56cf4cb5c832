"""What lies over the gallery's cells as layers: outlines of masks, numbers of spots, heat maps. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Points
from napari.utils.colormaps import DirectLabelColormap

from ifcyto.review.heat_maps import HeatView, heat_strips
from ifcyto.review.overlay_list import Drawn, OverlayList

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from ifcyto.review.mosaic import Mosaic
    from ifcyto.review.opening import Review
    from ifcyto.review.panels import Panels

__all__ = ["OverlayLayers"]

NO_COLOUR = "transparent"
NUMBER_SHARE = 0.14
"""Size of a spot's number, in heights of the cell."""


class OverlayLayers:
    """Layers over the images of a page; each is made when it is first needed.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    review : Review

    Attributes
    ----------
    masks : OverlayList
    heat : HeatView
    drawn : Drawn or None
        Outlines of the page; None where there are none.
    """

    def __init__(self, viewer: ViewerModel, review: Review) -> None:
        self.viewer = viewer
        self.review = review
        blinded = review.session.blinded
        self.masks = OverlayList(review.masks, rule=review.rule, blinded=blinded)
        self.heat = HeatView(blinded=blinded)
        self.drawn: Drawn | None = None
        self._rows: NDArray[np.int64] = np.zeros(0, np.int64)
        self._pixel = review.pixel_size_um or 1.0
        self._lines: Any = None
        self._numbers: Any = None
        self._heat: Any = None
        self._colours: dict[int | None, str] = {}

    def every_layer(self) -> list[Any]:
        """Layers that were made."""
        return [layer for layer in (self._heat, self._lines, self._numbers) if layer is not None]

    def words(self, place: int) -> list[str]:
        """What the text above a cell says of it: Spot Count, and what the network said."""
        said = []
        if self.drawn is not None:
            said.append(self.drawn.said(place))
        if self.heat.drawn is not None and place < len(self._rows):
            said.append(self.heat.drawn.said(self.review.session.objects, int(self._rows[place])))
        return [word for word in said if word]

    def hide(self) -> None:
        """Show nothing, until the next drawing."""
        self.drawn, self._rows = None, np.zeros(0, np.int64)
        for layer in self.every_layer():
            layer.visible = False

    def close(self) -> None:
        """Take the layers out of the viewer; the list of masks stays."""
        self.hide()
        for layer in self.every_layer():
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
        self._lines = self._numbers = self._heat = None

    def draw(self, made: Mosaic, rows: NDArray[np.int64], size: int, panels: Panels, below: Any) -> None:
        """Draw what is asked for over a page.

        Parameters
        ----------
        made : Mosaic
        rows : ndarray (n,) of int64
            Its cells.
        size : int
            Side of their frames, px.
        panels : Panels
        below : Layer
            The heat map lies right under this layer.

        Raises
        ------
        IfcytoError
            A mask cannot be computed; then nothing is drawn.
        """
        self.hide()
        active = self.viewer.layers.selection.active
        objects = self.review.session.objects
        found = self.masks.read(objects, rows, size) if self.masks.drawing and len(rows) else None
        heat = self.heat.colours(objects, rows, size) if len(rows) else None
        self.drawn, self._rows = found, rows
        if heat is not None:
            self._draw_heat(made.laid(heat_strips(heat, self.heat.channels(), panels)), below)
        if found is not None:
            self._draw_lines(made.laid(np.tile(found.lines, (1, 1, len(panels)))))
            if len(found.numbers):
                self._draw_numbers(found, made, size, panels)
        self.viewer.layers.selection.active = active  # a new layer would take its place

    def _draw_heat(self, colours: NDArray[np.uint8], below: Any) -> None:
        if self._heat is None or self._heat not in self.viewer.layers:
            self._heat = Image(
                colours, name="heat map", rgb=True, blending="translucent_no_depth", **self._place()
            )
            self.viewer.layers.insert(self.viewer.layers.index(below), self._heat)
        self._heat.data = colours
        self._heat.visible = True

    def _draw_lines(self, lines: NDArray[np.uint8]) -> None:
        colours = self.masks.colours()
        if self._lines is None or self._lines not in self.viewer.layers:
            self._lines = Labels(lines, name="outlines", opacity=1.0, **self._place())
            self._colours = {}
            self.viewer.add_layer(self._lines)
        if colours != self._colours:
            self._colours = colours
            self._lines.colormap = DirectLabelColormap(color_dict=dict(colours))
        self._lines.data = lines
        self._lines.visible = True

    def _draw_numbers(self, found: Drawn, made: Mosaic, size: int, panels: Panels) -> None:
        """Write the numbers into the last panel, where the dyes are together."""
        if self._numbers is None or self._numbers not in self.viewer.layers:
            self._numbers = Points(np.zeros((0, 2)), name="spot numbers", **self._style(), **self._place())
            self.viewer.add_layer(self._numbers)
        corners = np.array([made.corner(cell) for cell in found.cells.tolist()], np.float64)
        points = corners + found.centres + (0, (len(panels) - 1) * size)
        self._numbers.data = points
        self._numbers.features = {"number": [str(number) for number in found.numbers.tolist()]}
        self._numbers.text.size = NUMBER_SHARE * size * self._pixel
        self._numbers.selected_data = set()
        self._numbers.visible = True

    def _place(self) -> dict[str, Any]:
        return {"scale": (self._pixel, self._pixel), "units": ("um", "um")}

    def _style(self) -> dict[str, Any]:
        return {
            "face_color": NO_COLOUR,
            "border_color": NO_COLOUR,
            "size": 1,
            "features": {"number": np.zeros(0, np.str_)},
            "text": {"string": "{number}", "size": 1, "scaling": True, "color": "white", "anchor": "center"},
        }
