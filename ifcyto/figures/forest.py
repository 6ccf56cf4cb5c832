"""Frequency of every sample with its interval, beside the range of the controls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.figures.groups import group_looks
from ifcyto.figures.style import COLUMN_MM, MUTED, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

__all__ = ["MOST_ROWS", "Interval", "forest_figure"]

MOST_ROWS = 60
"""Samples that one figure holds: a printed page. Paging is the caller's."""

_CONTROL = "#0072B2"
_LONGEST = 32


@dataclass(frozen=True, slots=True)
class Interval:
    """Frequency of one sample.

    Parameters
    ----------
    name, group : str
        Of the sample.
    value, low, high : float
        Frequency and its 95 % interval; NaN where there is none.
    flagged : bool
        Outside the control range; its name is followed by a star.
    """

    name: str
    group: str
    value: float
    low: float
    high: float
    flagged: bool = False


@styled
def forest_figure(
    rows: Sequence[Interval],
    *,
    title: str,
    xlabel: str,
    control: tuple[float, float] | None = None,
    control_name: str = "control range",
    groups: Sequence[str] = (),
) -> Figure:
    """Draw one line a sample, from top to bottom: dot and 95 % interval.

    Parameters
    ----------
    rows : sequence of Interval
        One to :data:`MOST_ROWS` samples.
    title, xlabel : str
        Title, and what the frequency is, with unit.
    control : (float, float), optional
        Range of the controls, drawn as a band through all lines.
    control_name : str
        What the band is.
    groups : sequence of str
        Groups in their order, so that colours are the same on every page.

    Raises
    ------
    ValueError
        No row or too many.
    """
    if not 1 <= len(rows) <= MOST_ROWS:
        msg = f"expected 1 to {MOST_ROWS} samples in a figure, found {len(rows)}"
        raise ValueError(msg)
    legend_rows = math.ceil((len(dict.fromkeys(row.group for row in rows)) + (control is not None)) / 2)
    figure = new_figure(COLUMN_MM, 24 + 3.3 * len(rows) + 4 * legend_rows)
    axes = figure.add_subplot()
    if control is not None and all(map(math.isfinite, control)):
        axes.axvspan(*control, color=_CONTROL, alpha=0.14, linewidth=0, label=control_name, zorder=0)
    places = np.arange(len(rows))
    known = [row.group for row in rows]
    order = [*(group for group in groups if group in known), *known]
    numbers = np.array([[row.value, row.low, row.high] for row in rows], np.float64)
    for name, tint, marker, _ in group_looks([*groups, *known]):
        members = np.array([group == name for group in known])
        if not members.any() or name not in order:
            continue
        value, low, high = numbers[members].T
        axes.hlines(places[members], low, high, color=tint, linewidth=1.0, zorder=2)
        axes.scatter(value, places[members], s=13, color=tint, marker=marker, edgecolor="white",
                     linewidth=0.4, zorder=3, label=name, clip_on=False)  # fmt: skip
    for place in places[np.isnan(numbers[:, 0])]:
        axes.annotate("no cells", (0, place), (2, 0), textcoords="offset points", fontsize=6, va="center",
                      color=MUTED)  # fmt: skip
    axes.set_yticks(places, [_short(row.name) + (" *" if row.flagged else "") for row in rows],
                    fontsize=6.5 if len(rows) < 30 else 6)  # fmt: skip
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(left=min(0.0, float(np.nanmin(numbers, initial=0.0))))
    axes.set(title=title, xlabel=xlabel)
    axes.grid(axis="x", color="#E3E6E9", linewidth=0.5, zorder=-1)
    remark = "line: 95 % interval" + (
        "; *: outside the control range" if any(r.flagged for r in rows) else ""
    )
    legend = figure.legend(loc="outside lower center", ncols=2, title=remark, title_fontsize=6,
                           handlelength=1.4)  # fmt: skip
    legend.get_title().set_color(MUTED)
    return figure


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
