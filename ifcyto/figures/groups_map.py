"""A map of groups: like objects lie near each other, every group has its colour, shape and number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import patheffects

from ifcyto.figures.style import INK, PAGE_MM, PALETTE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = ["groups_map"]

_COLOURS = (*PALETTE[:6], INK)  # yellow is too pale for points on white
_MARKERS = "os^DvPX<>p"
_VECTORS = 2000
_HIGH = 0.75


@styled
def groups_map(x: ArrayLike, y: ArrayLike, groups: ArrayLike) -> Figure:
    """Draw every object as a point, and the number of its group at the group's median.

    The axes have no scale: only what is near what means something.

    Parameters
    ----------
    x, y : array_like (n,) of float
    groups : array_like (n,) of int
        Number of each object's group, from 1.

    Raises
    ------
    ValueError
        Lengths differ, or there is no object.
    """
    points, numbers = np.column_stack([np.asarray(x, float), np.asarray(y, float)]), np.asarray(groups, int)
    if numbers.shape != points.shape[:1] or not len(points):
        msg = f"expected a group of each of {len(points)} objects, found {numbers.shape}"
        raise ValueError(msg)
    figure = new_figure(PAGE_MM, _HIGH * PAGE_MM)
    axes = figure.add_subplot()
    for number in np.unique(numbers).tolist():
        mine = points[numbers == number]
        i = number - 1
        axes.scatter(mine[:, 0], mine[:, 1], s=9, color=_COLOURS[i % len(_COLOURS)],
                     marker=_MARKERS[i % len(_MARKERS)], alpha=0.8, linewidth=0,
                     label=f"group {number} ({len(mine):,})", rasterized=len(points) > _VECTORS)  # fmt: skip
        axes.annotate(
            str(number), np.median(mine, axis=0), ha="center", va="center", fontsize=9, fontweight="bold",
            path_effects=[patheffects.withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip
    axes.set(xticks=[], yticks=[], title=f"{len(points):,} objects, like ones near each other")
    axes.spines[["left", "bottom"]].set_visible(False)
    figure.legend(loc="outside right center", markerscale=1.6)
    return figure
