"""Colour and marker of each group, so that figures can be read in grey and by colour-blind eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.figures.style import colour

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["MARKERS", "group_looks", "group_points", "legend_columns"]

MARKERS = "os^DvPX<>p"
"""Markers of the groups, in order; ten of them and eight colours give forty looks."""


_MM_PER_LETTER = 1.4
_HANDLE_MM = 10.0  # picture of an entry and the gap to the next


def group_looks(groups: Sequence[str]) -> Iterator[tuple[str, str, str, NDArray[np.bool_]]]:
    """Walk through the groups in the order in which they first appear.

    Parameters
    ----------
    groups : sequence of str (n,)
        Group of each object drawn.

    Yields
    ------
    name, colour, marker : str
    members : ndarray (n,) of bool

    Examples
    --------
    >>> [(name, marker, members.tolist()) for name, _, marker, members in group_looks(["b", "a", "b"])]
    [('b', 'o', [True, False, True]), ('a', 's', [False, True, False])]
    """
    names = np.asarray(groups, str)
    for i, name in enumerate(dict.fromkeys(groups)):
        yield name, colour(i), MARKERS[i % len(MARKERS)], names == name


def group_points(
    axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], groups: Sequence[str], *, size: float = 16
) -> None:
    """Draw one point an object in the look of its group; labels serve a legend."""
    for name, tint, marker, members in group_looks(groups):
        count = int(np.count_nonzero(members & np.isfinite(x) & np.isfinite(y)))
        axes.scatter(x[members], y[members], s=size, color=tint, marker=marker, edgecolor="white",
                     linewidth=0.4, zorder=4, clip_on=False, label=f"{name} (n = {count:,})")  # fmt: skip


def legend_columns(labels: Sequence[str], width_mm: float) -> int:
    """Columns of a legend below a figure, so that the longest entries still fit.

    Examples
    --------
    >>> legend_columns(["NBM (n = 11)", "MDS (n = 14)", "ICUS/CCUS (n = 6)"], 85), legend_columns([], 85)
    (2, 1)
    """
    entry = max(map(len, labels), default=0) * _MM_PER_LETTER + _HANDLE_MM
    return max(1, min(len(labels), int(width_mm / entry)))
