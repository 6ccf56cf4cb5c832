"""Spot Count by group: what share of the cells has no, one, two or more nuclei."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifcyto.figures.style import COLUMN_MM, PAGE_MM, colour, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

__all__ = ["spot_count_histogram"]

_LAST = 4  # this many spots and more share one bar


@styled
def spot_count_histogram(
    counts_by_group: Mapping[str, Mapping[int, int]], *, title: str = "Spot Count"
) -> Figure:
    """Draw bars of Spot Count 0, 1, 2, 3 and 4 or more, in percent of each group's cells.

    Parameters
    ----------
    counts_by_group : mapping of str to mapping of int to int
        Group to (spot count to number of cells).
    title : str
        Title.

    Returns
    -------
    matplotlib.figure.Figure
        Every bar has its percentage written above it, as the rare ones are too
        low to be read.

    Raises
    ------
    ValueError
        No group, or a negative spot count or number of cells.
    """
    if not counts_by_group:
        msg = "expected at least one group to draw, found none"
        raise ValueError(msg)
    groups = len(counts_by_group)
    figure = new_figure(COLUMN_MM if groups <= 2 else PAGE_MM, 62)
    axes = figure.add_subplot()
    width = 0.84 / groups
    for i, (name, counts) in enumerate(counts_by_group.items()):
        shares, total = _shares(name, counts)
        places = [k + (i - (groups - 1) / 2) * width for k in range(_LAST + 1)]
        bars = axes.bar(places, shares, width * 0.94, color=colour(i), label=f"{name} (n = {total:,} cells)")
        axes.bar_label(bars, [_percent(share) for share in shares], padding=1.5, fontsize=6,
                       rotation=0 if groups == 1 else 90)  # fmt: skip
    axes.set_xticks(range(_LAST + 1), [*map(str, range(_LAST)), f"{_LAST}+"])
    axes.tick_params(axis="x", length=0)
    axes.set(xlabel="spots per cell", ylabel="cells (%)", ylim=(0, 112), yticks=range(0, 101, 20))
    axes.set_title(title)
    axes.legend(loc="upper right")
    return figure


def _shares(name: str, counts: Mapping[int, int]) -> tuple[list[float], int]:
    if any(spots < 0 or cells < 0 for spots, cells in counts.items()):
        msg = f"group {name!r}: expected spot counts and numbers of cells from 0, found {dict(counts)}"
        raise ValueError(msg)
    bins = [0] * (_LAST + 1)
    for spots, cells in counts.items():
        bins[min(spots, _LAST)] += cells
    total = sum(bins)
    return [100 * cells / total if total else 0.0 for cells in bins], total


def _percent(share: float) -> str:
    if share == 0:
        return "0"
    return "<0.01" if share < 0.01 else f"{share:.2f}" if share < 10 else f"{share:.1f}"
