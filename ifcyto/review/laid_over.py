"""What lies over the cells of a page, as colours for a figure: heat map, masks, outlines, numbered spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.review.overlays import MASK_COLOURS, borders, rgb
from ifcyto.review.panels import panels_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.review.heat_maps import HeatView
    from ifcyto.review.opening import Review
    from ifcyto.review.overlay_list import OverlayList

__all__ = ["LaidOver", "laid_over"]


@dataclass(frozen=True, slots=True, eq=False)
class LaidOver:
    """Colours over cells.

    Parameters
    ----------
    colours : ndarray (n, P, S, S, 4) of uint8
        Over each channel, and over their composite where there are several channels.
    numbers : tuple of tuple of (float, float, int) (n,)
        Row, column and number of each numbered spot of a cell.
    words : tuple of str (n,)
        What is said of each cell: Spot Count, and what a network said.
    legend : str
        What is drawn.
    """

    colours: NDArray[np.uint8]
    numbers: tuple[tuple[tuple[float, float, int], ...], ...]
    words: tuple[str, ...]
    legend: str


def laid_over(
    review: Review,
    rows: Sequence[int],
    size: int,
    *,
    masks: OverlayList | None = None,
    heat: HeatView | None = None,
    stored: bool = False,
) -> LaidOver | None:
    """Colour what the gallery shows over its cells; None where it shows nothing.

    Parameters
    ----------
    review : Review
    rows : sequence of int (n,)
    size : int
        Side S of a cell's frame, px.
    masks : OverlayList, optional
    heat : HeatView, optional
    stored : bool
        Outlines of the stored masks too: each over its own channel, and those of the
        dyes over the composite.

    Raises
    ------
    UsageError, StackError
        The cells cannot be read, or a mask not be computed.
    """
    objects, places = review.session.objects, np.array(rows, np.int64)
    channels = len(review.channels)
    panels = channels + (channels > 1)
    colours = np.zeros((len(places), panels, size, size, 4), np.uint8)
    numbers: list[list[tuple[float, float, int]]] = [[] for _ in rows]
    words: list[list[str]] = [[] for _ in rows]
    said = []
    drawn = None if heat is None else heat.drawn
    if heat is not None and drawn is not None:
        gallery = panels_for(review.channels, review.brightfield)
        over = heat.panels(objects, places, size, gallery, panels)
        if over is not None:
            colours[:] = over
        for place, row in enumerate(places.tolist()):
            words[place].append(drawn.said(objects, row))
        _, high, unit = heat.scale()
        said.append(f"heat map: {heat.kind}, full colour {high:.2g} {unit}")
    if stored:
        _, found = review.pages.read(objects, places, size, masks=True)
        for channel in range(channels):
            where = (channel,) if review.brightfield[channel] else (channel, panels - 1)
            ink = borders(found[:, channel] > 0)
            for panel in where:
                colours[:, panel][ink] = (*rgb(MASK_COLOURS[channel % len(MASK_COLOURS)]), 255)
        said.append("stored masks")
    if masks is not None and masks.drawing:
        lines = masks.read(objects, places, size)
        for value, colour in masks.colours().items():
            if value:
                np.moveaxis(colours, 1, 3)[lines.lines == value] = (*rgb(colour), 255)
        for cell, number, (y, x) in zip(
            lines.cells.tolist(), lines.numbers.tolist(), lines.centres.tolist(), strict=True
        ):
            numbers[cell].append((y, x, number))
        for place, each in enumerate(words):
            each.insert(0, lines.said(place))
        shown = [item for item in masks.items if item.shown]
        said += [f"{item.name} ({'numbered' if item.spots else item.line})" for item in shown]
    if not said:
        return None
    texts = tuple(", ".join(filter(None, each)) for each in words)
    return LaidOver(colours, tuple(tuple(each) for each in numbers), texts, "  |  ".join(said))
