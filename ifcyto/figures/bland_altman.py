"""Difference of two methods against their mean, sample by sample.

After J. M. Bland, D. G. Altman, "Statistical methods for assessing agreement between two
methods of clinical measurement", Lancet 327, 307-310 (1986).
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.figures.groups import group_points, legend_columns
from ifcyto.figures.style import COLUMN_MM, INK, MUTED, PAGE_MM, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = ["Differences", "bland_altman_panels"]

_BAND = "#0072B2"
_MM_PER_LETTER = 1.7  # of a label, with room to spare


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Two methods on the samples of one stage.

    Parameters
    ----------
    groups : sequence of str (n,)
        Group of each sample.
    means, differences : array_like (n,) of float
        Mean of the two methods, and the first minus the second.
    bias, low, high : float
        Mean difference and the limits of agreement; NaN where there are none.
    bias_interval : (float, float), optional
        95 % interval of the bias, drawn as a band.
    """

    groups: Sequence[str]
    means: ArrayLike
    differences: ArrayLike
    bias: float
    low: float
    high: float
    bias_interval: tuple[float, float] | None = None


@styled
def bland_altman_panels(panels: Mapping[str, Differences], *, title: str, xlabel: str, ylabel: str) -> Figure:
    """Draw differences against means with the bias and the limits of agreement.

    Parameters
    ----------
    panels : mapping of str to Differences
        Stage to its values; each panel has its own scale.
    title, xlabel, ylabel : str
        Title of the whole and the shared labels, with unit; `ylabel` says what was
        taken from what.

    Raises
    ------
    ValueError
        No panel, or means and differences of other lengths than the groups.
    """
    if not panels:
        msg = "expected a panel or more, found none"
        raise ValueError(msg)
    width = PAGE_MM if len(panels) > 1 else COLUMN_MM
    figure = new_figure(width, 76)
    figure.suptitle(title, x=0.01, ha="left")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (stage, found) in zip(row, panels.items(), strict=True):
        means, differences = (np.asarray(v, np.float64) for v in (found.means, found.differences))
        if means.shape != (len(found.groups),) or differences.shape != means.shape:
            msg = (
                f"{stage}: expected {len(found.groups)} means and differences, "
                f"found {means.shape} and {differences.shape}"
            )
            raise ValueError(msg)
        group_points(axes, means, differences, found.groups)
        _draw_lines(axes, found)
        axes.set_title(stage)
        axes.set_xlabel(textwrap.fill(xlabel, int(width / len(panels) / _MM_PER_LETTER)))
        axes.margins(x=0.06, y=0.14)
    row[0].set_ylabel(ylabel)
    handles, labels = row[0].get_legend_handles_labels()
    if len(panels) > 1:  # numbers of samples may differ from panel to panel
        labels = [label.rpartition(" (n = ")[0] for label in labels]
    figure.legend(handles, labels, loc="outside lower center", ncols=legend_columns(labels, width))
    return figure


def _draw_lines(axes: Axes, found: Differences) -> None:
    axes.axhline(0, color=MUTED, linewidth=0.5, zorder=1)
    if found.bias_interval is not None and all(map(math.isfinite, found.bias_interval)):
        axes.axhspan(*found.bias_interval, color=_BAND, alpha=0.13, linewidth=0, zorder=0)
    for value, style, word in (
        (found.high, "--", "upper limit"),
        (found.bias, "-", "bias"),
        (found.low, "--", "lower limit"),
    ):
        if math.isfinite(value):
            axes.axhline(value, color=INK, linewidth=0.9, linestyle=style, zorder=2)
            axes.annotate(f"{word} {value:.2f}".replace("-", "\N{MINUS SIGN}"), (1, value), (0, 1.5),
                          xycoords=("axes fraction", "data"), textcoords="offset points", ha="right",
                          va="bottom", fontsize=6, zorder=6,
                          bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.4})  # fmt: skip
