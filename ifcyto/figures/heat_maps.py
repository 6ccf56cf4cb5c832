"""Where a network looks: cells, their heat maps over each channel, and what hiding a place changes.

Orange-red and blue are vermilion and blue of the palette of :mod:`ifcyto.figures.style`, laid over grey: two
colours that readers of every kind of colour vision tell from grey and from each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb

from ifcyto.figures.channels import channel_look, colourise, display_range, scaled
from ifcyto.figures.style import COLUMN_MM, INK, MUTED, PAGE_MM, colour, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["AGAINST", "FOR", "HeatTile", "heat_map_sheet", "overlay"]

FOR, AGAINST = colour(1), colour(0)
"""What speaks for the class, and what speaks against it."""

_MARGIN, _LABELS, _GAP, _GROUP_GAP, _ROW_GAP = 2.0, 29.0, 0.4, 2.0, 1.5
_HEADER, _FOOTER = 13.0, 12.5
_LARGEST_PANEL, _LOWEST_ROW = 21.0, 13.8
_LINE = 2.7
_OPAQUE = 0.85  # of the strongest colour
_LEAST = 0.01  # probability that the strongest colour of an occlusion map stands for, at least
_MM_PER_LETTER = 1.28  # mean width of a letter at 6 points
_BAR = (34.0, 2.6)


@dataclass(frozen=True, slots=True, eq=False)
class HeatTile:
    """One cell and its heat maps.

    Parameters
    ----------
    images : ndarray (C, H, W)
        As the network saw them; one size on a sheet.
    grad_cam : ndarray (H, W) of float
        0 and above.
    occlusion : ndarray (H, W) of float
        Loss of probability where the place is hidden; below 0 where hiding makes the class more probable.
    object_number : int
    sample : str
    words : tuple of str
        At most four short lines: class, probability, truth.
    """

    images: NDArray[Any]
    grad_cam: NDArray[Any]
    occlusion: NDArray[Any]
    object_number: int
    sample: str
    words: tuple[str, ...] = ()


def overlay(grey: NDArray[np.float64], heat: NDArray[Any]) -> NDArray[np.float64]:
    """Lay a heat map over a grey image.

    Parameters
    ----------
    grey : ndarray (H, W) of float64
        From 0 to 1.
    heat : ndarray (H, W)
        From -1 (:data:`AGAINST`) to 1 (:data:`FOR`); the image is seen where it is 0.

    Returns
    -------
    ndarray (H, W, 3) of float64

    Examples
    --------
    >>> overlay(np.full((1, 1), 0.5), np.zeros((1, 1))).tolist()
    [[[0.5, 0.5, 0.5]]]
    """
    values = np.clip(np.nan_to_num(np.asarray(heat, np.float64)), -1, 1)[..., np.newaxis]
    tint = np.where(values > 0, to_rgb(FOR), to_rgb(AGAINST))
    share = _OPAQUE * np.abs(values)
    rgb: NDArray[np.float64] = (1 - share) * grey[..., np.newaxis] + share * tint
    return rgb


@dataclass(frozen=True, slots=True)
class _Plan:
    """Millimetres of a sheet."""

    channels: int
    side: float
    rows: int
    legend: float

    @property
    def width(self) -> float:
        return max(COLUMN_MM, self.legend, self.left(2, 0) + self.side + _MARGIN)

    @property
    def row_height(self) -> float:
        return max(self.side, _LOWEST_ROW) + _ROW_GAP

    @property
    def height(self) -> float:
        return _HEADER + self.rows * self.row_height + _FOOTER

    def left(self, group: int, place: int) -> float:
        """Left edge of a panel: images, Grad-CAM or occlusion, and the channel."""
        before = group * self.channels + place
        return _MARGIN + _LABELS + before * (self.side + _GAP) + group * _GROUP_GAP

    def top(self, row: int) -> float:
        return _HEADER + row * self.row_height


@dataclass(frozen=True, slots=True, eq=False)
class _Ramp:
    """A colour bar: values, words at its ends, and what it says."""

    values: NDArray[np.float64]
    ends: tuple[str, str]
    text: str

    @property
    def width(self) -> float:
        return max(_BAR[0], _MM_PER_LETTER * len(self.text)) + 5


@styled
def heat_map_sheet(
    tiles: Sequence[HeatTile],
    *,
    channels: Sequence[str],
    title: str,
    of_class: str,
    pixel_size_um: float | None = None,
) -> Figure:
    """Draw cells, one a row: their channels, these with the Grad-CAM over each, and the occlusion map.

    A Grad-CAM is shown from 0 to its own highest value, as its unit means nothing across cells. The occlusion
    maps of a sheet have one scale, in probability, and lie over the first channel.

    Parameters
    ----------
    tiles : sequence of HeatTile
        In the order of drawing; at least one.
    channels : sequence of str
        Names of the images of a tile.
    title : str
    of_class : str
        The class that is explained.
    pixel_size_um : float, optional
        With it the sheet says how wide the images are.

    Raises
    ------
    ValueError
        No tile, or images or maps of another size or number than the first.
    """
    width = _checked(tiles, channels)
    strongest = max(_LEAST, *(float(np.nanmax(np.abs(tile.occlusion))) for tile in tiles))
    ramps = _ramps(of_class, strongest)
    n = 2 * len(channels) + 1
    room = PAGE_MM - 2 * _MARGIN - _LABELS - 2 * _GROUP_GAP - (n - 1) * _GAP
    legend = 2 * _MARGIN + sum(ramp.width for ramp in ramps) - 5
    plan = _Plan(len(channels), min(_LARGEST_PANEL, room / n), len(tiles), min(legend, PAGE_MM))
    figure = new_figure(plan.width, plan.height, layout=None)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, plan.width), ylim=(plan.height, 0))
    axes.set_axis_off()
    looks = [channel_look(name, i) for i, name in enumerate(channels)]
    limits = [
        display_range([tile.images[i] for tile in tiles], brightfield=look.colour is None)
        for i, look in enumerate(looks)
    ]
    size = "" if not pixel_size_um else f"; images {width * pixel_size_um:.0f} \N{MICRO SIGN}m wide"
    _draw_header(axes, plan, channels, title=title, remark=f"class {of_class}{size}")
    for row, tile in enumerate(tiles):
        values = [scaled(plane, limit) for plane, limit in zip(tile.images, limits, strict=True)]
        highest = float(np.nanmax(tile.grad_cam, initial=0.0)) or 1.0
        for place, (value, look) in enumerate(zip(values, looks, strict=True)):
            _draw_panel(axes, plan, row, (0, place), colourise(value, look))
            _draw_panel(axes, plan, row, (1, place), overlay(value, tile.grad_cam / highest))
        _draw_panel(axes, plan, row, (2, 0), overlay(values[0], tile.occlusion / strongest))
        _draw_words(axes, plan, row, tile)
    _draw_legend(axes, plan, ramps)
    axes.set(xlim=(0, plan.width), ylim=(plan.height, 0))
    return figure


def _checked(tiles: Sequence[HeatTile], channels: Sequence[str]) -> int:
    """Width of the images, px."""
    if not tiles or not channels:
        msg = f"expected cells and channels, found {len(tiles)} and {len(channels)}"
        raise ValueError(msg)
    height, width = tiles[0].images.shape[-2:]
    for tile in tiles:
        found = (tile.images.shape, tile.grad_cam.shape, tile.occlusion.shape)
        wanted = ((len(channels), height, width), (height, width), (height, width))
        if found != wanted:
            msg = f"object {tile.object_number} of {tile.sample}: expected arrays {wanted}, found {found}"
            raise ValueError(msg)
    return int(width)


def _short(text: str, width_mm: float) -> str:
    letters = max(int(width_mm / _MM_PER_LETTER), 2)
    return text if len(text) <= letters else text[: letters - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _draw_header(axes: Axes, plan: _Plan, channels: Sequence[str], *, title: str, remark: str) -> None:
    axes.text(_MARGIN, 3.2, title, fontsize=8, fontweight="bold", va="center")
    axes.text(_MARGIN, 8.4, remark, fontsize=6, color=MUTED, va="center")
    groups = (("image", len(channels)), ("Grad-CAM over it", len(channels)), ("occlusion", 1))
    for group, (name, count) in enumerate(groups):
        middle = (plan.left(group, 0) + plan.left(group, count - 1) + plan.side) / 2
        room = count * plan.side + 4
        axes.text(middle, 8.4, _short(name, room), fontsize=6, color=INK, ha="center", va="center")
        for place, channel in enumerate(channels[:count]):
            axes.text(plan.left(group, place) + plan.side / 2, 11.4, _short(channel, plan.side), fontsize=6,
                      color=MUTED, ha="center", va="center")  # fmt: skip


def _draw_panel(axes: Axes, plan: _Plan, row: int, place: tuple[int, int], rgb: NDArray[np.float64]) -> None:
    left, top, side = plan.left(*place), plan.top(row), plan.side
    pixels = np.round(255 * rgb).astype(np.uint8)
    axes.imshow(pixels, extent=(left, left + side, top + side, top), interpolation="none", aspect="auto")


def _draw_words(axes: Axes, plan: _Plan, row: int, tile: HeatTile) -> None:
    x, y, room = _MARGIN, plan.top(row) + 0.2, _LABELS - 1
    number = f"#{tile.object_number}"
    axes.text(x, y, number, fontsize=6, fontweight="bold", va="top", color=INK)
    after = 1.25 * _MM_PER_LETTER * len(number) + 1
    axes.text(x + after, y, _short(tile.sample, room - after), fontsize=6, va="top", color=MUTED)
    for line, text in enumerate(tile.words, 1):
        axes.text(x, y + line * _LINE, _short(text, room), fontsize=6, va="top", color=INK)


def _ramps(of_class: str, strongest: float) -> tuple[_Ramp, ...]:
    return (
        _Ramp(np.linspace(0, 1, 128), ("0", "highest of the cell"), f"Grad-CAM: orange-red for {of_class}"),
        _Ramp(
            np.linspace(-1, 1, 256),
            (f"\N{MINUS SIGN}{strongest:.2g}", f"+{strongest:.2g}"),
            f"occlusion: hiding it makes {of_class} less (orange-red) or more (blue) probable",
        ),
    )


def _draw_legend(axes: Axes, plan: _Plan, ramps: Sequence[_Ramp]) -> None:
    """A bar for each kind of map, over middle grey, and what its colours say."""
    x, y, (length, height) = _MARGIN, plan.height - _FOOTER + 2.5, _BAR
    for ramp in ramps:
        axes.text(x, y, ramp.text, fontsize=6, va="center", color=INK)
        pixels = overlay(np.full((1, len(ramp.values)), 0.5), ramp.values[np.newaxis])
        axes.imshow(np.round(255 * pixels).astype(np.uint8), extent=(x, x + length, y + 2 + height, y + 2),
                    interpolation="none", aspect="auto")  # fmt: skip
        marks = [(x, ramp.ends[0], "left"), (x + length, ramp.ends[1], "right")]
        marks += [(x + length / 2, "0", "center")] if ramp.values[0] < 0 else []
        for at, words, side in marks:
            axes.text(at, y + 3.8 + height, words, fontsize=6, va="center", ha=side, color=MUTED)
        x += ramp.width
