"""Simulated beside real images: spectra, noise, sizes, brightness, and examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from ifcyto.figures.channels import channel_look, colourise, display_range, scaled
from ifcyto.figures.style import INK, PAGE_MM, colour, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ifcyto.simulate.realism import ImageProfile

__all__ = ["example_sheet", "realism_figure"]

ROW_MM = 44.0
PANELS = ("Power spectrum", "Noise", "Size", "Brightness")
TILE_MM = 11.0


@styled
def realism_figure(profiles: Mapping[str, Mapping[str, ImageProfile]]) -> Figure:
    """Compare sets of images: one row of panels a channel, one colour a set.

    Parameters
    ----------
    profiles : mapping of channel to mapping of set to ImageProfile

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(PAGE_MM, ROW_MM * len(profiles) + 8)
    axes = figure.subplots(len(profiles), len(PANELS), squeeze=False)
    names = list(dict.fromkeys(name for sets in profiles.values() for name in sets))
    for row, (channel, sets) in zip(axes, profiles.items(), strict=True):
        for name, profile in sets.items():
            _draw(row, profile, colour(names.index(name)))
        row[0].set_ylabel(f"{channel}\nshare of variance")
        row[0].set_yscale("log")
        row[0].set_xlabel("cycles / px")
        row[1].set_xscale("log")
        row[1].set_yscale("log")
        row[1].set_xlabel("local mean, counts")
        row[1].set_ylabel("noise s.d., counts")
        row[2].set_xlabel("mask diameter, um")
        row[3].set_xlabel("sum / median")
        levels = np.concatenate([profile.level for profile in sets.values()])
        if len(levels) and levels.min() > 0:  # whole decades, so that each axis shows numbers
            row[1].set_xlim(10 ** np.floor(np.log10(levels.min())), 10 ** np.ceil(np.log10(levels.max())))
        for axis in row[:2]:
            for scale in (axis.xaxis, axis.yaxis):
                scale.set_major_formatter(StrMethodFormatter("{x:g}"))
                scale.set_minor_formatter(NullFormatter())
        for axis in row[2:]:
            axis.set_yticks([])
    for axis, title in zip(axes[0], PANELS, strict=True):
        axis.set_title(title)
    handles = [axes[0][0].plot([], [], color=colour(i), label=name)[0] for i, name in enumerate(names)]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(names))
    return figure


def _draw(row: Sequence[Axes], profile: ImageProfile, shade: str) -> None:
    row[0].plot(profile.frequency, profile.power, color=shade, linewidth=1.2)
    row[1].plot(profile.level, np.maximum(profile.noise, 1e-3), color=shade, marker="o", markersize=2.5)
    for axis, values in ((row[2], profile.diameter_um), (row[3], profile.brightness)):
        values = values[np.isfinite(values)]
        if len(values):
            bins = np.linspace(0, 24, 49) if axis is row[2] else np.linspace(0, 4, 41)
            axis.hist(
                np.clip(values, bins[0], bins[-1]),
                bins=bins.tolist(),
                density=True,
                histtype="step",
                color=shade,
            )


@styled
def example_sheet(
    sets: Mapping[str, Sequence[Sequence[NDArray[Any]]]],
    channels: Mapping[str, Sequence[str]],
    *,
    size: int = 64,
) -> Figure:
    """Rows of example objects, one block of rows (a channel each) for every set.

    Parameters
    ----------
    sets : mapping of name to sequence of objects
        An object is a sequence of images ``(H, W)``, one for each of the set's channels;
        at most as many objects as fit on a page are wanted (about fourteen).
    channels : mapping of name to sequence of str
        Names of each set's channels.
    size : int
        Side of a tile in px; larger images are cropped, smaller ones padded.

    Returns
    -------
    matplotlib.figure.Figure
    """
    n_rows = sum(len(channels[name]) for name in sets)
    n_columns = max(len(objects) for objects in sets.values())
    figure = new_figure(PAGE_MM, TILE_MM * n_rows + 4 * len(sets), layout=None)
    height = figure.get_size_inches()[1] * 25.4
    width = (PAGE_MM - 24) / n_columns
    top = height - 4
    for name, objects in sets.items():
        figure.text(1 / PAGE_MM, top / height, name, weight="bold", va="bottom", color=INK)
        for place, channel in enumerate(channels[name]):
            look = channel_look(channel, place)
            planes = [images[place] for images in objects]
            limits = display_range(planes, brightfield=look.colour is None)
            figure.text(1 / PAGE_MM, (top - TILE_MM / 2) / height, channel, va="center")
            for column, plane in enumerate(planes):
                left = 24 + column * width
                axis = figure.add_axes(
                    (
                        left / PAGE_MM,
                        (top - TILE_MM + 0.4) / height,
                        0.96 * width / PAGE_MM,
                        (TILE_MM - 0.4) / height,
                    )
                )
                axis.imshow(colourise(scaled(_tile(plane, size), limits), look), interpolation="nearest")
                axis.set_axis_off()
            top -= TILE_MM
        top -= 4
    return figure


def _tile(plane: NDArray[Any], size: int) -> NDArray[np.float64]:
    """Crop or pad about the middle; padding is the median of the border."""
    out = np.asarray(plane, np.float64)
    border = np.median(np.concatenate([out[0], out[-1], out[:, 0], out[:, -1]]))
    for axis in (0, 1):
        extra = out.shape[axis] - size
        if extra > 0:
            out = np.take(out, np.arange(extra // 2, extra // 2 + size), axis)
        else:
            pads = [(0, 0), (0, 0)]
            pads[axis] = (-extra // 2, -extra - -extra // 2)
            out = np.pad(out, pads, constant_values=border)
    return out
