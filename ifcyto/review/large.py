"""One cell large: its channels and their composite, with outlines, numbered spots and heat map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.figures.channels import colourise, composite, scaled
from ifcyto.review.export import looks_of
from ifcyto.review.overlay_list import SPOT_COLOURS
from ifcyto.review.overlays import MASK_COLOURS, borders, line_pattern, piece_centres, rgb
from ifcyto.review.panels import panels_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.figures.channels import ChannelLook
    from ifcyto.review.heat_maps import HeatView
    from ifcyto.review.opening import Review
    from ifcyto.review.overlay_list import OverlayList
    from ifcyto.review.overlays import Line

__all__ = ["LargeCell", "SpotNumber", "Stroke", "large_cell", "picture"]

SIDE = 160
"""Pixels on the screen of one channel."""

ACROSS = 2
GAP = 4
GREY = 40
THICK = 2
"""Pixels on the screen of an outline."""


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """An outline to draw.

    Parameters
    ----------
    mask : ndarray (S, S) of bool
    colour : str
    line : {"solid", "dashed", "dotted"}
    panels : tuple of int, optional
        Panels where it is drawn; all by default.
    """

    mask: NDArray[np.bool_]
    colour: str
    line: Line = "solid"
    panels: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class SpotNumber:
    """A number to write, x and y in pixels of the picture."""

    x: float
    y: float
    text: str
    colour: str


@dataclass(frozen=True, slots=True, eq=False)
class LargeCell:
    """A cell as it is shown.

    Parameters
    ----------
    pixels : ndarray (H, W, 3) of uint8
    numbers : tuple of SpotNumber
        Of spots, in every panel.
    spots : int or None
        Spot Count; None where spots are not numbered.
    """

    pixels: NDArray[np.uint8]
    numbers: tuple[SpotNumber, ...]
    spots: int | None


def picture(
    images: NDArray[Any],
    looks: Sequence[ChannelLook],
    limits: Sequence[tuple[float, float]],
    side: int = SIDE,
    *,
    strokes: Sequence[Stroke] = (),
    heat: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Channels of one cell and their composite, two in a row, enlarged without smoothing.

    Parameters
    ----------
    images : ndarray (C, S, S)
    looks : sequence of ChannelLook (C,)
    limits : sequence of (float, float) (C,)
    side : int
        At least this many pixels for S.
    strokes : sequence of Stroke
        The last one lies on top.
    heat : ndarray (P, S, S, 4) of uint8, optional
        Colours over each panel, under the outlines.

    Returns
    -------
    ndarray (H, W, 3) of uint8
    """
    values = [scaled(plane, limit) for plane, limit in zip(images, limits, strict=True)]
    panels = [colourise(value, look) for value, look in zip(values, looks, strict=True)]
    if len(panels) > 1:
        panels.append(composite(values, looks))
    size = images.shape[-1]
    times = _times(size, side)
    tall = size * times
    corners = _corners(len(panels), tall)
    rows = -(-len(panels) // ACROSS)
    found = np.full((rows * (tall + GAP) - GAP, ACROSS * (tall + GAP) - GAP, 3), GREY, np.uint8)
    for place, (panel, (top, left)) in enumerate(zip(panels, corners, strict=True)):
        shade = 255 * panel
        if heat is not None:
            opacity = heat[place, ..., 3:] / 255
            shade = shade * (1 - opacity) + heat[place, ..., :3] * opacity
        large = np.round(_enlarged(shade, times)).astype(np.uint8)
        for stroke in strokes:
            if stroke.panels is None or place in stroke.panels:
                ink = _border(_enlarged(stroke.mask, times)) & line_pattern(
                    stroke.line, tall, tall, grain=max(times, 2)
                )
                large[ink] = rgb(stroke.colour)
        found[top : top + tall, left : left + tall] = large
    return found


def large_cell(
    review: Review,
    row: int,
    size: int,
    limits: Mapping[str, tuple[float, float]],
    *,
    overlays: OverlayList | None = None,
    heat: HeatView | None = None,
    outlined: bool = False,
) -> LargeCell:
    """Read and draw one cell with what lies over it in the gallery.

    Parameters
    ----------
    review : Review
    row : int
    size : int
        Side of the frame, px.
    limits : mapping of str to (float, float)
        Contrast of the channels.
    overlays : OverlayList, optional
    heat : HeatView, optional
    outlined : bool
        Draw the stored masks too.

    Raises
    ------
    UsageError, StackError
        The cell cannot be read, or a mask not be computed.
    """
    objects, rows = review.session.objects, np.array([row], np.int64)
    images, masks = review.pages.read(objects, rows, size, masks=outlined)
    panels = panels_for(review.channels, review.brightfield)
    last = len(review.channels)
    strokes = []
    for channel, mask in enumerate(masks[0]):
        where = (channel,) if review.brightfield[channel] else (channel, last)
        strokes.append(Stroke(mask > 0, MASK_COLOURS[channel % len(MASK_COLOURS)], "solid", where))
    numbers: list[SpotNumber] = []
    spots = None
    times = _times(size)
    corners = _corners(last + (last > 1), size * times)
    for item, pieces in overlays.pieces(objects, row, size) if overlays is not None else []:
        if not item.spots:
            strokes.append(Stroke(pieces.labels[0] > 0, item.colour, item.line))
            continue
        spots = int(pieces.counts[0])
        for number in range(1, min(int(pieces.labels.max()), 2**8) + 1):
            colour = SPOT_COLOURS[(number - 1) % len(SPOT_COLOURS)]
            strokes.append(Stroke(pieces.labels[0] == number, colour))
        _, found, centres = piece_centres(pieces.labels)
        numbers = [
            SpotNumber(left + (x + 0.5) * times, top + (y + 0.5) * times, str(number),
                       SPOT_COLOURS[(number - 1) % len(SPOT_COLOURS)])
            for top, left in corners
            for number, (y, x) in zip(found.tolist(), centres.tolist(), strict=True)
        ]  # fmt: skip
    laid = None if heat is None else heat.panels(objects, rows, size, panels, len(corners))
    chosen = [limits.get(name, (0.0, 1.0)) for name in review.channels]
    pixels = picture(
        images[0], looks_of(review), chosen, strokes=strokes, heat=None if laid is None else laid[0]
    )
    return LargeCell(pixels, tuple(numbers), spots)


def _times(size: int, side: int = SIDE) -> int:
    return max(1, -(-side // size))


def _corners(panels: int, tall: int) -> list[tuple[int, int]]:
    """Row and column of the first pixel of each panel."""
    return [((n // ACROSS) * (tall + GAP), (n % ACROSS) * (tall + GAP)) for n in range(panels)]


def _enlarged(plane: NDArray[Any], times: int) -> NDArray[Any]:
    return plane.repeat(times, 0).repeat(times, 1)


def _border(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Outline of some pixels, inside the mask."""
    found, left = np.zeros_like(mask), mask
    for _ in range(THICK):
        edge = borders(left)
        found |= edge
        left = left & ~edge
    return found
