"""Contact sheets: many cells, each as its channels side by side and their composite."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.figures.channels import (
    ChannelLook,
    channel_look,
    colourise,
    composite,
    display_range,
    scaled,
)
from ifcyto.figures.style import COLUMN_MM, INK, MUTED, PAGE_MM, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["Tile", "contact_sheet"]

_MARGIN = 2.0
_HEADER = 12.5  # title, channel names, legend
_LABEL = 6.2  # two lines of text above each tile
_GAP = 4.0  # between tiles
_PANEL_GAP = 0.4
_LARGEST_PANEL = 18.0
_BARS_UM = (1, 2, 5, 10, 20, 50, 100)
_OUTLINE = "#00E5FF"
_COLOUR_WORDS = {
    None: "grey",
    "#FFB000": "orange",
    "#FF4DFF": "magenta",
    "#56B4E9": "sky blue",
    "#00C795": "green",
    "#F0E442": "yellow",
    "#FF7A3D": "vermilion",
    "#8FB4FF": "blue",
    "#FF9EBB": "pink",
    "#B48CFF": "violet",
}
_MM_PER_LETTER = 1.28  # mean width of a letter at 6 points
_MM_PER_TITLE_LETTER = 1.85  # of the title, bold at 8 points


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One cell of a contact sheet.

    Parameters
    ----------
    images : ndarray (C, H, W)
        Channels in the order of the sheet; one size on a sheet.
    label : str
        What the cell was called, such as ``BNE`` or ``2 spots``.
    object_number : int
        Its number in the file.
    sample : str
        Its sample.
    outline : ndarray (H, W) of bool, optional
        A mask whose border is drawn on the composite.
    over : ndarray (P, H, W, 4) of uint8, optional
        Red, green, blue and opacity over each panel, the composite the last.
    numbers : tuple of (float, float, int)
        Row, column and number to write on the last panel.
    """

    images: NDArray[Any]
    label: str
    object_number: int
    sample: str
    outline: NDArray[np.bool_] | None = None
    over: NDArray[np.uint8] | None = None
    numbers: tuple[tuple[float, float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Grid:
    """Millimetres from the upper left corner of the sheet."""

    columns: int
    rows: int
    panels: int
    panel: tuple[float, float]
    header: float = 0.0

    @property
    def tile(self) -> tuple[float, float]:
        width, height = self.panel
        return self.panels * (width + _PANEL_GAP) - _PANEL_GAP, height + _LABEL

    @property
    def sheet(self) -> tuple[float, float]:
        width, height = self.tile
        across = 2 * _MARGIN + self.columns * (width + _GAP) - _GAP
        return max(across, COLUMN_MM, self.header), _HEADER + self.rows * (height + 1.5) + _MARGIN

    def corner(self, index: int) -> tuple[float, float]:
        """Left and top of a tile's first panel."""
        row, column = divmod(index, self.columns)
        width, height = self.tile
        return _MARGIN + column * (width + _GAP), _HEADER + row * (height + 1.5) + _LABEL


@styled
def contact_sheet(
    tiles: Sequence[Tile],
    *,
    channels: Sequence[str | ChannelLook],
    title: str,
    pixel_size_um: float | None = None,
    columns: int = 3,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    note: str = "",
) -> Figure:
    """Draw up to a page of cells.

    Every cell shows its channels side by side, then their composite
    (:func:`ifcyto.figures.channels.composite`; left out where there is but one
    channel), with sample, object number and label above. Contrast is the same for
    all cells of the sheet: robust percentiles over all of them, per channel
    (:func:`ifcyto.figures.channels.display_range`), so brightness can be compared.

    Parameters
    ----------
    tiles : sequence of Tile
        In the order of drawing; at least one. Paging is the caller's.
    channels : sequence of str or ChannelLook
        One per image of a tile; a name takes its look from
        :func:`ifcyto.figures.channels.channel_look`.
    title : str
        Title.
    pixel_size_um : float, optional
        Side of a pixel in micrometres; with it each cell has a scale bar.
    columns : int
        Cells side by side.
    ranges : mapping of str to (float, float), optional
        Fixed contrast limits by channel name, instead of the percentiles.
    note : str
        What lies over the images; a line under the legend.

    Raises
    ------
    ValueError
        No tiles, no column, or images of another size or number of channels.
    """
    looks = [name if isinstance(name, ChannelLook) else channel_look(name, i)
             for i, name in enumerate(channels)]  # fmt: skip
    height, width = _checked(tiles, looks, columns)
    columns = min(columns, len(tiles))
    bar_um = _bar_length(width, pixel_size_um)
    legend = _legend(looks, bar_um)
    letters = max(len(legend), len(note))
    header = max(_MM_PER_TITLE_LETTER * len(title), _MM_PER_LETTER * letters) + 2 * _MARGIN
    grid = _layout(len(tiles), columns, len(looks) + (len(looks) > 1), height / width, min(header, PAGE_MM))
    across, down = grid.sheet
    figure = new_figure(across, down, layout=None)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, across), ylim=(down, 0))
    axes.set_axis_off()
    limits = [
        (ranges or {}).get(look.name) or display_range(planes, brightfield=look.colour is None)
        for look, planes in ((look, [tile.images[i] for tile in tiles]) for i, look in enumerate(looks))
    ]
    _draw_header(axes, grid, looks, title=title, legend=legend, note=note)
    for i, tile in enumerate(tiles):
        _draw_tile(axes, grid, i, tile, looks, limits)
        if bar_um and pixel_size_um:
            length = bar_um / (width * pixel_size_um) * grid.panel[0]
            _draw_bar(axes, grid, i, length, dark=looks[0].colour is None)
    axes.set(xlim=(0, across), ylim=(down, 0))
    return figure


def _checked(tiles: Sequence[Tile], looks: Sequence[ChannelLook], columns: int) -> tuple[int, int]:
    if not tiles or columns < 1 or not looks:
        msg = f"expected tiles, channels and columns, found {len(tiles)}, {len(looks)} and {columns}"
        raise ValueError(msg)
    height, width = tiles[0].images.shape[-2:]
    for tile in tiles:
        if tile.images.shape != (len(looks), height, width):
            msg = (
                f"object {tile.object_number} of {tile.sample}: expected images "
                f"{(len(looks), height, width)}, found {tile.images.shape}"
            )
            raise ValueError(msg)
    return height, width


def _layout(count: int, columns: int, panels: int, aspect: float, header: float) -> _Grid:
    tile = (PAGE_MM - 2 * _MARGIN - (columns - 1) * _GAP) / columns
    side = min((tile + _PANEL_GAP) / panels - _PANEL_GAP, _LARGEST_PANEL)
    return _Grid(columns, math.ceil(count / columns), panels, (side, side * aspect), header)


def _bar_length(width: int, pixel_size_um: float | None) -> int | None:
    """Longest round length that covers at most 40 percent of the image."""
    if not pixel_size_um:
        return None
    fitting = [length for length in _BARS_UM if length <= 0.4 * width * pixel_size_um]
    return fitting[-1] if fitting else None


def _legend(looks: Sequence[ChannelLook], bar_um: int | None) -> str:
    colours = [f"{look.name}: {_said(look)}" for look in looks]
    return "  |  ".join(colours) + (f"  |  bar: {bar_um} \N{MICRO SIGN}m" if bar_um else "")


def _draw_header(
    axes: Axes, grid: _Grid, looks: Sequence[ChannelLook], *, title: str, legend: str, note: str
) -> None:
    room = grid.sheet[0] - 2 * _MARGIN
    short = title if len(title) * _MM_PER_TITLE_LETTER <= room + 0.1 else _short(title, 0.75 * room)
    axes.text(_MARGIN, 3.2, short, fontsize=8, fontweight="bold", va="center")
    names = [look.name for look in looks] + ["composite" if grid.panel[0] > 11 else "comp."] * (
        grid.panels > len(looks)
    )
    axes.text(_MARGIN, 6.0 if note else 6.6, _short(legend, room), fontsize=6, color=MUTED, va="center")
    if note:
        axes.text(_MARGIN, 8.4, _short(note, room), fontsize=6, color=MUTED, va="center")
    step = grid.panel[0] + _PANEL_GAP
    for column in range(grid.columns):
        left, _ = grid.corner(column)
        for k, name in enumerate(names):
            axes.text(left + k * step + grid.panel[0] / 2, _HEADER - 1.6, _short(name, step), fontsize=6,
                      color=MUTED, ha="center", va="center")  # fmt: skip


def _said(look: ChannelLook) -> str:
    return _COLOUR_WORDS.get(look.colour, str(look.colour))


def _short(text: str, width_mm: float) -> str:
    letters = max(int(width_mm / _MM_PER_LETTER), 2)
    return text if len(text) <= letters else text[: letters - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _draw_tile(
    axes: Axes,
    grid: _Grid,
    index: int,
    tile: Tile,
    looks: Sequence[ChannelLook],
    limits: Sequence[tuple[float, float]],
) -> None:
    left, top = grid.corner(index)
    width, height = grid.panel
    values = [scaled(plane, limit) for plane, limit in zip(tile.images, limits, strict=True)]
    panels = [colourise(value, look) for value, look in zip(values, looks, strict=True)]
    if grid.panels > len(looks):
        panels.append(composite(values, looks))
    for k, rgb in enumerate(panels):
        x = left + k * (width + _PANEL_GAP)
        shade = 255 * rgb
        if tile.over is not None:
            opacity = tile.over[k, ..., 3:] / 255
            shade = shade * (1 - opacity) + tile.over[k, ..., :3] * opacity
        pixels = np.round(shade).astype(np.uint8)
        axes.imshow(pixels, extent=(x, x + width, top + height, top), interpolation="none", aspect="auto")
    for row, column, number_of_spot in tile.numbers:
        x = left + (grid.panels - 1) * (width + _PANEL_GAP) + (column + 0.5) / rgb.shape[1] * width
        y = top + (row + 0.5) / rgb.shape[0] * height
        axes.text(x, y, str(number_of_spot), fontsize=5, color="white", ha="center", va="center")
    if tile.outline is not None:
        x = left + (grid.panels - 1) * (width + _PANEL_GAP)
        _draw_outline(axes, tile.outline, x, top, grid.panel)
    number = f"#{tile.object_number}"
    room = grid.tile[0] - 1.1 * _MM_PER_LETTER * len(number) - 1
    axes.text(left, top - 3.1, number, fontsize=6, fontweight="bold", va="bottom", color=INK)
    axes.text(left + grid.tile[0], top - 3.1, _short(tile.sample, room), fontsize=6, va="bottom", ha="right",
              color=MUTED)  # fmt: skip
    axes.text(left, top - 0.5, _short(tile.label, grid.tile[0]), fontsize=6, va="bottom", color=INK)


def _draw_outline(
    axes: Axes, mask: NDArray[np.bool_], left: float, top: float, panel: tuple[float, float]
) -> None:
    rows, columns = mask.shape
    padded = np.pad(np.asarray(mask, float), 1)
    x = left + (np.arange(columns + 2) - 0.5) / columns * panel[0]
    y = top + (np.arange(rows + 2) - 0.5) / rows * panel[1]
    if padded.any():
        axes.contour(x, y, padded, levels=[0.5], colors=[_OUTLINE], linewidths=0.5)


def _draw_bar(axes: Axes, grid: _Grid, index: int, length: float, *, dark: bool) -> None:
    left, top = grid.corner(index)
    y = top + grid.panel[1] - 0.8
    axes.plot([left + 0.7, left + 0.7 + length], [y, y], color="black" if dark else "white", linewidth=1.2,
              solid_capstyle="butt")  # fmt: skip
