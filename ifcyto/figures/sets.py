"""Choose the figure of overlapping sets by their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifcyto.figures.upset import upset_figure
from ifcyto.figures.venn import venn_figure
from ifcyto.figures.venn_four import venn4_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

__all__ = ["sets_figure"]


def sets_figure(sets_counts: Mapping[tuple[int, ...], int], names: Sequence[str], title: str) -> Figure:
    """Draw two to four sets as a Venn diagram, more as an UpSet plot.

    Parameters
    ----------
    sets_counts : mapping of tuple of int to int
        Objects in each region; the key has one 0 or 1 per set, in the order of `names`.
    names : sequence of str
        The sets.
    title : str
        Title.

    Raises
    ------
    ValueError
        Fewer than two sets, a key that is not a region, or a negative count.

    Examples
    --------
    >>> len(sets_figure({}, ["a", "b", "c", "d"], "").axes), len(sets_figure({}, list("abcde"), "").axes)
    (1, 3)
    """
    if len(names) == 4:
        return venn4_figure(sets_counts, names, title)
    return (venn_figure if len(names) < 4 else upset_figure)(sets_counts, names, title)
