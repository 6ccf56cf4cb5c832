"""UpSet plots: overlaps of many sets as bars over a matrix of dots.

After A. Lex and others, "UpSet: Visualization of Intersecting Sets", IEEE Transactions
on Visualization and Computer Graphics 20, 1983-1992 (2014), doi:10.1109/TVCG.2014.2346248.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from ifcyto.figures.style import COLUMN_MM, INK, MUTED, PAGE_MM, colour, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

__all__ = ["upset_figure"]

_OFF = "#D5D9DD"
_BAND = "#F4F6F8"
_MM_PER_LETTER = 1.35


@styled
def upset_figure(
    sets_counts: Mapping[tuple[int, ...], int], names: Sequence[str], title: str, *, most: int = 20
) -> Figure:
    """Draw the regions of two sets or more as bars, the largest first.

    Below each bar dots say in which sets its objects are; bars on the left are the
    sizes of the sets. Empty regions are not drawn.

    Parameters
    ----------
    sets_counts : mapping of tuple of int to int
        Objects in each region; the key has one 0 or 1 per set, in the order of
        `names`. The region of objects in no set may be given and is written below.
    names : sequence of str
        The sets, drawn from top to bottom.
    title : str
        Title.
    most : int
        How many regions at most; a line says how many smaller ones are left out.

    Raises
    ------
    ValueError
        Fewer than two sets, a key that is not a region, a negative count, or `most` below 1.
    """
    k = len(names)
    if k < 2 or most < 1:
        msg = f"expected two sets or more and one bar or more, found {k} and {most}"
        raise ValueError(msg)
    for key, count in sets_counts.items():
        if len(key) != k or not set(key) <= {0, 1} or count < 0:
            msg = f"expected regions of {k} zeros and ones with counts from 0, found {key}: {count}"
            raise ValueError(msg)
    filled = sorted(
        ((key, count) for key, count in sets_counts.items() if any(key) and count),
        key=lambda item: (-item[1], tuple(-bit for bit in item[0])),
    )
    shown = filled[:most]
    letters = max(len(name) for name in names) * _MM_PER_LETTER
    width = COLUMN_MM if len(shown) <= 7 and letters < 25 else PAGE_MM
    figure = new_figure(width, 48 + 5 * k)
    ratio = (26 + letters) / max(width - 26 - letters, 30)
    grid = figure.add_gridspec(2, 2, width_ratios=(ratio, 1), height_ratios=(36, 5 * k))
    bars = figure.add_subplot(grid[0, 1])
    dots = figure.add_subplot(grid[1, 1], sharex=bars)
    sizes = figure.add_subplot(grid[1, 0], sharey=dots)
    places = range(len(shown))
    bars.bar(places, [count for _, count in shown], 0.66, color=colour(0))
    for place, (key, count) in enumerate(shown):
        bars.annotate(f"{count:,}", (place, count), (0, 1.5), textcoords="offset points", ha="center",
                      va="bottom", fontsize=6)  # fmt: skip
        inside = [i for i in range(k) if key[i]]
        dots.scatter([place] * k, range(k), s=16, color=[INK if bit else _OFF for bit in key], zorder=3)
        dots.plot([place, place], [inside[0], inside[-1]], color=INK, linewidth=1.1, zorder=2)
    top = max((count for _, count in shown), default=1)
    bars.set(ylim=(0, 1.14 * top), ylabel="objects", xlim=(-0.6, max(len(shown), 1) - 0.4), title=title)
    bars.tick_params(axis="x", bottom=False, labelbottom=False)
    for i in range(0, k, 2):
        dots.axhspan(i - 0.5, i + 0.5, color=_BAND, zorder=0, linewidth=0)
    dots.set_ylim(k - 0.5, -0.5)
    dots.set_axis_off()
    totals = [sum(count for key, count in sets_counts.items() if key[i]) for i in range(k)]
    sizes.barh(range(k), totals, 0.62, color=MUTED)
    for i, total in enumerate(totals):
        sizes.annotate(f"{total:,}", (total, i), (-2, 0), textcoords="offset points", ha="right", va="center",
                       fontsize=6)  # fmt: skip
    sizes.set(xlim=(1.6 * max(*totals, 1), 0), xlabel="objects in the set")
    sizes.xaxis.set_major_locator(MaxNLocator(2, integer=True))
    bars.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    sizes.yaxis.tick_right()
    sizes.set_yticks(range(k), names)
    sizes.tick_params(axis="y", length=0)
    sizes.spines[["left"]].set_visible(False)
    remarks = []
    if (outside := sets_counts.get((0,) * k)) is not None:
        remarks.append(f"in no set: {outside:,}")
    if len(filled) > len(shown):
        rest = sum(count for _, count in filled[most:])
        remarks.append(f"{len(filled) - len(shown):,} smaller regions with {rest:,} objects not shown")
    if remarks:
        figure.supxlabel("; ".join(remarks), fontsize=6.5, color=MUTED)
    return figure
