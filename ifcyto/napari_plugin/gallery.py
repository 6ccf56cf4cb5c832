"""The page of a review as layers of a napari viewer. No Qt: it works on a viewer's model alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Points
from napari.utils.colormaps import Colormap, DirectLabelColormap

from ifcyto.figures.channels import channel_look
from ifcyto.napari_plugin.overlay_layers import OverlayLayers
from ifcyto.napari_plugin.writer import PAGE
from ifcyto.review.contrast import contrast
from ifcyto.review.mosaic import Mosaic, mosaic
from ifcyto.review.overlays import MASK_COLOURS, SELECTED, frames, outlines
from ifcyto.review.panels import Mode, Panels, panels_for, strips

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from ifcyto.review.opening import Review
    from ifcyto.review.session import TagClass

__all__ = ["Gallery"]

GAP = 8
"""Pixels between cells: half of them are a cell's frame."""

HEADER_SHARE = 0.3
"""Height of the line of text above a cell, in heights of the cell."""

TEXT_SHARE = 0.42
"""Size of the text, in heights of its line."""

CHOSEN = "#FFFFFF"
STRANGE = "#777777"  # a class that is no longer among the session's
NO_COLOUR = "transparent"


class Gallery:
    """Draws what a session shows.

    One image layer a channel, a layer of outlines, a layer of frames (colour: class, white:
    selected) and a layer of text (object number and class). Layers stay from page to page, so
    contrast and gamma stay too.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Or a window's viewer.
    review : Review
    mode : {"side by side", "overlay"}
    size : int, optional
        Side of a cell's frame, px; by default what holds nine of ten cells.

    Attributes
    ----------
    made : Mosaic or None
        What is drawn; None where nothing is, as when a stack cannot be read.
    rows : ndarray of int64
        Rows of the cells that are drawn.
    over : OverlayLayers
        Outlines of masks that the reader asked for, numbered spots and heat maps.
    """

    def __init__(
        self, viewer: ViewerModel, review: Review, *, mode: Mode = "side by side", size: int | None = None
    ) -> None:
        self.viewer = viewer
        self.review = review
        self.mode: Mode = mode
        self.size = size or review.pages.usual_size()
        self.made: Mosaic | None = None
        self.rows: NDArray[np.int64] = np.zeros(0, np.int64)
        self.over = OverlayLayers(viewer, review)
        self._pixel = review.pixel_size_um or 1.0
        self._classes: tuple[TagClass, ...] = ()
        self._images: list[Any] = []
        self._outlines: Any = None
        self._frames: Any = None
        self._texts: Any = None

    # --- drawing ---------------------------------------------------------------------

    def draw(self) -> None:
        """Read the page and draw it.

        Raises
        ------
        IfcytoError
            The page cannot be read; then nothing is shown. Or a mask that the reader asked for cannot
            be computed; then its cells are shown without.
        """
        session = self.review.session
        self.rows = session.rows_on_page()
        try:
            images, masks = self.review.pages.read(
                session.objects, self.rows, self.size, masks=self.outlined, hold=self.over.masks.drawing
            )
        except BaseException:
            self._clear()
            raise
        self.over.hide()
        self._show(images, masks)
        self.lay_over()

    def lay_over(self) -> None:
        """Draw the outlines, spots and heat maps of the page.

        Raises
        ------
        IfcytoError
            A mask cannot be computed; then none of them is shown.
        """
        if self.made is None:
            return
        said = [self.over.words(place) for place in range(self.made.count)]
        try:
            self.over.draw(self.made, self.rows, self.size, self._panels(), self._outlines)
        finally:
            if said != [self.over.words(place) for place in range(self.made.count)]:
                self.mark()

    def mark(self) -> None:
        """Draw frames and text anew, after tags or the selection changed."""
        if self.made is None:
            return
        session = self.review.session
        number = {c.name: place for place, c in enumerate(session.classes, start=1)}
        labels = [session.label(row) for row in self.rows.tolist()]
        tags = [number.get(label or "", len(number) + 1 if label else 0) for label in labels]
        chosen = [row in session.selection for row in self.rows.tolist()]
        if session.classes != self._classes:
            self._frames.colormap = self._class_colours()
        self._frames.data = frames(self.made, tags, chosen)
        self._write(labels)
        page = self.page()
        for layer in self._images:
            layer.metadata[PAGE] = page

    def captions(self) -> list[str]:
        """Text above each cell: number, class with its key, spots, and sample where it may be seen."""
        session = self.review.session
        key = {c.name: f"{c.key} " for c in session.classes}
        several = bool((session.objects.samples != "").any()) and not session.blinded
        said = []
        for place, row in enumerate(self.rows.tolist()):
            sample, number = session.objects.key(row)
            label = session.label(row)
            words = [f"#{number}", f"[{key.get(label, '')}{label}]" if label else "", *self.over.words(place)]
            said.append("  ".join(word for word in (*words, sample if several else "") if word))
        return said

    def page(self) -> dict[str, Any]:
        """Which cells are drawn, and where: what an export of the layers says of them."""
        session, made = self.review.session, self.made
        if made is None:
            return {"pixel_size_um": self.review.pixel_size_um, "cells": []}
        cells = []
        for place, row in enumerate(self.rows.tolist()):
            sample, number = session.objects.key(row)
            top, left = made.corner(place)
            box = {"row": top, "column": left, "height": made.tile[0], "width": made.tile[1]}
            cells.append({"sample": sample, "object": number, "label": session.label(row) or "", **box})
        return {"pixel_size_um": self.review.pixel_size_um, "cells": cells}

    # --- looks -----------------------------------------------------------------------

    def layers(self) -> list[Any]:
        """Image layers, one a channel, in the order of the channels."""
        return list(self._images)

    def every_layer(self) -> list[Any]:
        """All layers of the gallery."""
        return [*self._own(), *self.over.every_layer()]

    def _own(self) -> list[Any]:
        """Layers that are always there."""
        return [
            each for each in (*self._images, self._outlines, self._frames, self._texts) if each is not None
        ]

    def set_mode(self, mode: Mode) -> None:
        """Show other panels from the next drawing on."""
        self.mode = mode
        for layer, bright in zip(self._images, self.review.brightfield, strict=False):
            layer.visible = self._shown(bright=bright)

    def limits(self) -> dict[str, tuple[float, float]]:
        """Contrast limits of each channel, as they are set."""
        return {
            name: (float(layer.contrast_limits[0]), float(layer.contrast_limits[1]))
            for name, layer in zip(self.review.channels, self._images, strict=False)
        }

    def show_outlines(self, *, visible: bool) -> None:
        """Show or hide the outlines; the masks are read when they are shown.

        Raises
        ------
        IfcytoError
            The page cannot be read.
        """
        if self._outlines is not None:
            self._outlines.visible = visible
            if visible:
                self.draw()

    @property
    def outlined(self) -> bool:
        """Whether outlines are shown."""
        return self._outlines is not None and bool(self._outlines.visible)

    def row_at(self, position: tuple[float, ...]) -> int | None:
        """Row of the cell under a point of the viewer's world; None where there is none."""
        if self.made is None:
            return None
        y, x = (value / self._pixel + 0.5 for value in position[-2:])
        place = self.made.place_at(y, x)
        return None if place is None else int(self.rows[place])

    def close(self) -> None:
        """Take the layers out of the viewer."""
        self.over.close()
        for layer in self._own():
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
        self._images = []
        self._outlines = self._frames = self._texts = None
        self.made = None

    # --- inside ----------------------------------------------------------------------

    def _show(self, images: NDArray[Any], masks: NDArray[np.uint8]) -> None:
        panels = self._panels()
        limits = self._limits(images)
        fill = self._fill(images, limits)
        before = None if self.made is None else self.made.images.shape
        self.made = mosaic(
            strips(images, panels, fill),
            strips(masks, panels, np.zeros(masks.shape[1], np.uint8)),
            gap=GAP,
            header=max(round(HEADER_SHARE * self.size), 6),
            fill=fill,
        )
        if not self._all_there():
            self._add_layers(self.made, limits)
        for layer, plane in zip(self._images, self.made.images, strict=True):
            layer.data = plane
            low, high = layer.contrast_limits_range
            wide = (min(low, float(plane.min())), max(high, float(plane.max())))
            if wide != (low, high):
                layer.contrast_limits_range = wide
        if self.outlined:
            self._outlines.data = outlines(self.made.masks)
        self.mark()
        if before != self.made.images.shape:
            self.viewer.reset_view()

    def _add_layers(self, made: Mosaic, limits: list[tuple[float, float]]) -> None:
        """Add the layers, in place of what is left of earlier ones."""
        self.close()
        self.made = made
        placed = {"scale": (self._pixel, self._pixel), "units": ("um", "um")}
        for place, name in enumerate(self.review.channels):
            bright = self.review.brightfield[place]
            colour = "#FFFFFF" if bright else channel_look(name, place).colour or "#FFFFFF"
            layer = Image(
                made.images[place],
                name=name,
                colormap=Colormap(["#000000", colour], name=f"{name} {colour}"),
                contrast_limits=limits[place],
                blending="additive",
                **placed,
            )
            layer.visible = self._shown(bright=bright)
            self._images.append(layer)
        colours: dict[int | None, str] = {None: NO_COLOUR, 0: NO_COLOUR}
        colours |= {n: MASK_COLOURS[(n - 1) % len(MASK_COLOURS)] for n in range(1, len(limits) + 1)}
        self._outlines = Labels(
            np.zeros(made.masks.shape[1:], np.uint8),
            name="masks",
            colormap=DirectLabelColormap(color_dict=colours),
            opacity=0.8,
            visible=False,
            **placed,
        )
        half = -(GAP // 2) * self._pixel
        self._frames = Labels(
            frames(made, [0] * made.count, [False] * made.count),
            name="tags",
            colormap=self._class_colours(),
            opacity=1.0,
            translate=(half, half),
            **placed,
        )
        self._texts = Points(np.zeros((0, 2)), name="object numbers", **self._text_style(), **placed)
        for layer in self._own():
            self.viewer.add_layer(layer)
        self.viewer.layers.selection.active = self._images[0] if self._images else None
        bar = self.viewer.scale_bar
        bar.visible = self.review.pixel_size_um is not None

    def _text_style(self) -> dict[str, Any]:
        return {
            "face_color": NO_COLOUR,
            "border_color": NO_COLOUR,
            "size": 1,
            "features": {"caption": np.zeros(0, np.str_)},
            "text": {
                "string": "{caption}",
                "size": TEXT_SHARE * HEADER_SHARE * self.size * self._pixel,
                "scaling": True,
                "color": "white",
                "anchor": "lower_left",
            },
        }

    def _write(self, labels: list[str | None]) -> None:
        if self.made is None or len(labels) != self.made.count:
            return
        made = self.made
        corners = [made.corner(place) for place in range(made.count)]
        line = GAP // 2 + 0.8 * made.header
        points = np.array(corners, np.float64).reshape(-1, 2) - (line, 0)
        captions = self.captions()
        names = self._panels().names
        if made.count and len(names) > 1:
            step = made.tile[1] / len(names)
            tops = [
                (0.1 * made.header - line, column * (made.tile[1] + made.gap) + place * step)
                for column in range(min(made.columns, made.count))
                for place in range(len(names))
            ]
            points = np.vstack([points, tops])
            captions += [*names] * min(made.columns, made.count)
        if len(self._texts.data) != len(points) or not np.array_equal(self._texts.data, points):
            self._texts.data = points
        self._texts.features = {"caption": captions}
        self._texts.selected_data = set()

    def _panels(self) -> Panels:
        return panels_for(self.review.channels, self.review.brightfield, self.mode)

    def _limits(self, images: NDArray[Any]) -> list[tuple[float, float]]:
        """Contrast as it is set; by the first page where there is none yet."""
        if self._images:
            return list(self.limits().values())
        return contrast(images, self.review.brightfield)

    def _fill(self, images: NDArray[Any], limits: list[tuple[float, float]]) -> NDArray[Any]:
        """Value that is black in each channel."""
        lows = [low for low, _ in limits]
        if len(images):
            lows = np.minimum(lows, images.min(axis=(0, 2, 3))).tolist()
        return np.floor(lows).astype(images.dtype)

    def _class_colours(self) -> Any:
        self._classes = classes = self.review.session.classes
        colours: dict[int | None, str] = {None: NO_COLOUR, 0: NO_COLOUR}
        colours |= {place: c.colour for place, c in enumerate(classes, start=1)}
        colours |= {len(classes) + 1: STRANGE, SELECTED: CHOSEN}
        return DirectLabelColormap(color_dict=colours)

    def _shown(self, *, bright: bool) -> bool:
        """Brightfield would cover the dyes that are laid over it, where there are several."""
        return not (bright and self.mode == "overlay" and self.review.brightfield.count(False) > 1)

    def _all_there(self) -> bool:
        return bool(self._images) and all(layer in self.viewer.layers for layer in self._own())

    def _clear(self) -> None:
        """Show nothing: what is no longer the session's page must not be tagged."""
        self.rows = np.zeros(0, np.int64)
        self.made = None
        self.over.hide()
        for layer in (*self._images, self._outlines, self._frames):
            if layer is not None:
                layer.data = np.full((8, 8), layer.data.min(), layer.data.dtype)
        if self._texts is not None:
            self._texts.data = np.zeros((0, 2))
