"""Whether probabilities hold: the reliability diagram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.figures.style import COLUMN_MM, MUTED, PAGE_MM, colour, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ReliabilityPanel", "reliability_figure"]

_ACROSS = 3


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityPanel:
    """One panel.

    Parameters
    ----------
    name : str
        Above the panel.
    low, high : array_like (b,)
        Bounds of the bins.
    count : array_like (b,) of int
        Objects in each bin.
    said, observed : array_like (b,)
        Mean probability and share that came true; NaN in empty bins.
    ci_low, ci_high : array_like (b,)
        Interval of `observed`.
    error : float
        Expected calibration error.
    chance : float, optional
        Error that perfect probabilities exceed in 5 % of cases.
    """

    name: str
    low: ArrayLike
    high: ArrayLike
    count: ArrayLike
    said: ArrayLike
    observed: ArrayLike
    ci_low: ArrayLike
    ci_high: ArrayLike
    error: float
    chance: float | None = None


@styled
def reliability_figure(panels: Sequence[ReliabilityPanel], *, title: str = "") -> Figure:
    """Draw how often each probability came true, with the number of objects below.

    Parameters
    ----------
    panels : sequence of ReliabilityPanel
        One or more; three stand side by side, of four two.
    title : str

    Raises
    ------
    ValueError
        No panel, or one whose values differ in number or lie outside 0 to 1.
    """
    if not panels:
        msg = "expected a panel or more, found none"
        raise ValueError(msg)
    across = 2 if len(panels) == 4 else min(len(panels), _ACROSS)
    down = -(-len(panels) // across)
    width = COLUMN_MM if across == 1 else PAGE_MM
    side = (width - 12) / across - 10
    figure = new_figure(width, down * (1.3 * min(side, 62) + 16) + (8 if title else 2))
    if title:
        figure.suptitle(title, x=0.01, ha="left")
    grid = figure.subplots(
        2 * down, across, squeeze=False, sharex=True, gridspec_kw={"height_ratios": [3.2, 1] * down}
    )
    for place, panel in enumerate(panels):
        row, column = divmod(place, across)
        _draw(grid[2 * row, column], grid[2 * row + 1, column], panel, first=column == 0)
    figure.supxlabel("bars: 95 % intervals; dotted: probabilities that hold", fontsize=6.5, color=MUTED)
    for place in range(len(panels), across * down):
        row, column = divmod(place, across)
        grid[2 * row, column].set_axis_off()
        grid[2 * row + 1, column].set_axis_off()
    return figure


def _draw(axes: Axes, below: Axes, panel: ReliabilityPanel, *, first: bool) -> None:
    values = _checked(panel)
    full = values["count"] > 0
    said, observed = values["said"][full], values["observed"][full]
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.6, linestyle=":", zorder=1)
    axes.vlines(said, values["ci_low"][full], values["ci_high"][full], color=colour(0), linewidth=0.9)
    axes.plot(
        said, observed, color=colour(0), marker="o", markersize=3.5, linewidth=1.1, clip_on=False, zorder=3
    )
    chance = "" if panel.chance is None else f"\nchance: up to {100 * panel.chance:.1f} %"
    axes.annotate(
        f"error {100 * panel.error:.1f} %{chance}", (0.04, 0.96), xycoords="axes fraction",
        fontsize=6.5, va="top", zorder=4,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
    )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1.02), title=panel.name)
    axes.tick_params(labelbottom=False)
    below.bar(
        values["low"], values["count"], width=values["high"] - values["low"], align="edge",
        color=colour(0), alpha=0.35, edgecolor="white", linewidth=0.5,
    )  # fmt: skip
    below.set(xlim=(0, 1), xlabel="probability said")
    below.tick_params(labelbottom=True)
    below.margins(y=0.15)
    if first:
        axes.set_ylabel("share that came true")
        below.set_ylabel("objects")


def _checked(panel: ReliabilityPanel) -> dict[str, NDArray[np.float64]]:
    names = ("low", "high", "count", "said", "observed", "ci_low", "ci_high")
    values = {name: np.asarray(getattr(panel, name), np.float64) for name in names}
    shapes = {found.shape for found in values.values()}
    shares = np.concatenate([found.ravel() for name, found in values.items() if name != "count"])
    if (
        len(shapes) != 1
        or len(shapes.pop()) != 1
        or not ((shares >= 0) & (shares <= 1) | np.isnan(shares)).all()
    ):
        msg = (
            f"{panel.name}: expected as many values from 0 to 1 of each kind as there are bins, found others"
        )
        raise ValueError(msg)
    return values
