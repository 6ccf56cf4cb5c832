"""Each sample by several methods: one line a sample, from method to method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.figures.groups import group_looks, legend_columns
from ifcyto.figures.style import COLUMN_MM, INK, PAGE_MM, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Paired", "paired_panels"]

_MM_PER_LETTER = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """Values of the samples of one stage by each method.

    Parameters
    ----------
    groups : sequence of str (n,)
        Group of each sample.
    values : array_like (n, m) of float
        One column a method; NaN where a method did not judge the sample.
    """

    groups: Sequence[str]
    values: ArrayLike


@styled
def paired_panels(panels: Mapping[str, Paired], methods: Sequence[str], *, title: str, ylabel: str) -> Figure:
    """Draw what each method says of each sample, the dots of a sample joined by a line.

    A short bar is the median of a method over all samples drawn. A sample that a method
    did not judge has no dot there, and no line to its neighbours.

    Parameters
    ----------
    panels : mapping of str to Paired
        Stage to its values; each panel has its own scale.
    methods : sequence of str
        Names of the columns, from left to right.
    title, ylabel : str
        Title of the whole, and the shared axis label with unit.

    Raises
    ------
    ValueError
        No panel, fewer than two methods, or values of another shape.
    """
    if not panels or len(methods) < 2:
        msg = f"expected a panel or more and two methods or more, found {len(panels)} and {list(methods)}"
        raise ValueError(msg)
    width = PAGE_MM if len(panels) > 1 else COLUMN_MM
    figure = new_figure(width, 78)
    figure.suptitle(title, x=0.01, ha="left")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (stage, paired) in zip(row, panels.items(), strict=True):
        values = np.asarray(paired.values, np.float64)
        if values.shape != (len(paired.groups), len(methods)):
            wanted = (len(paired.groups), len(methods))
            msg = f"{stage}: expected values {wanted}, one row a sample, found {values.shape}"
            raise ValueError(msg)
        _draw(axes, paired.groups, values)
        axes.set(title=stage, xlim=(-0.35, len(methods) - 0.65))
        axes.set_ylim(bottom=min(0.0, float(np.nanmin(values, initial=0.0))))
        axes.set_xticks(range(len(methods)), methods)
        axes.tick_params(axis="x", length=0)
        if max(map(len, methods)) * _MM_PER_LETTER > (width / len(panels) - 12) / len(methods):
            for text in axes.get_xticklabels():
                text.set(rotation=30, ha="right", rotation_mode="anchor", fontsize=6.5)
    row[0].set_ylabel(ylabel)
    handles, labels = _legend(row)
    figure.legend(handles, labels, loc="outside lower center", ncols=legend_columns(labels, width))
    return figure


def _draw(axes: Axes, groups: Sequence[str], values: NDArray[np.float64]) -> None:
    n, m = values.shape
    places = np.arange(m)
    broken = np.column_stack([values, np.full(n, np.nan)])  # a gap parts the lines of two samples
    across = np.append(places, np.nan)
    for name, tint, marker, members in group_looks(groups):
        axes.plot(np.tile(across, int(members.sum())), broken[members].ravel(), color=tint, linewidth=0.7,
                  alpha=0.55, marker=marker, markersize=3.8, markeredgecolor="white", markeredgewidth=0.4,
                  zorder=3, clip_on=False, label=name)  # fmt: skip
    for place, column in zip(places, values.T, strict=True):
        known = column[np.isfinite(column)]
        if len(known) >= 2:
            axes.hlines(np.median(known), place - 0.16, place + 0.16, color=INK, linewidth=1.6, zorder=5)


def _legend(row: Sequence[Axes]) -> tuple[list[Artist], list[str]]:
    found: dict[str, Artist] = {}
    for axes in row:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
