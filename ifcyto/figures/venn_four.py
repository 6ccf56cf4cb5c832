"""Venn diagram of four sets: four ellipses that meet in all fifteen regions.

Circles cannot show all regions of four sets, ellipses of one size can [1]_; areas
therefore say nothing, and the figure says so.

References
----------
.. [1] J. Venn, "On the diagrammatic and mechanical representation of propositions and
   reasonings", Philosophical Magazine 10, 1-18 (1880), section on four terms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Ellipse
from scipy.ndimage import distance_transform_edt

from ifcyto.figures.style import COLUMN_MM, MUTED, colour, new_figure, styled, text_colour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["venn4_figure"]

_WIDTH, _HEIGHT = 0.72, 0.45
# Centre and angle in degrees: two pairs, each the mirror image of the other.
_ELLIPSES = ((0.350, 0.400, 140.0), (0.450, 0.500, 140.0), (0.550, 0.500, 40.0), (0.650, 0.400, 40.0))
_NAMES = ((-0.04, 0.14, "left"), (0.24, 0.85, "center"), (0.76, 0.85, "center"), (1.04, 0.14, "right"))
_GRID = 300


@styled
def venn4_figure(sets_counts: Mapping[tuple[int, ...], int], names: Sequence[str], title: str) -> Figure:
    r"""Draw the fifteen regions of four sets with their counts.

    Parameters
    ----------
    sets_counts : mapping of tuple of int to int
        Objects in each region; the key has one 0 or 1 per set, in the order of
        `names`. Missing regions count 0. The region of objects in no set may be
        given and is written below.
    names : sequence of str
        Four set names; each is written with the size of its set.
    title : str
        Title.

    Raises
    ------
    ValueError
        Not four sets, a key that is not a region, or a negative count.

    Examples
    --------
    >>> figure = venn4_figure({(1, 1, 1, 1): 9}, ["a", "b", "c", "d"], "ProE")
    >>> sorted({text.get_text() for text in figure.axes[0].texts})
    ['0', '9', 'a\n(9)', 'b\n(9)', 'c\n(9)', 'd\n(9)']
    """
    if len(names) != 4:
        msg = f"expected four sets, found {len(names)}"
        raise ValueError(msg)
    for key, count in sets_counts.items():
        if len(key) != 4 or not set(key) <= {0, 1} or count < 0:
            msg = f"expected regions such as (1, 0, 1, 1) with counts from 0, found {key}: {count}"
            raise ValueError(msg)
    figure = new_figure(COLUMN_MM, 76)
    axes = figure.add_subplot()
    for i, (x, y, angle) in enumerate(_ELLIPSES):
        axes.add_patch(Ellipse((x, y), _WIDTH, _HEIGHT, angle=angle, facecolor=(colour(i), 0.25),
                               edgecolor=colour(i), linewidth=1.0))  # fmt: skip
    for region, (x, y) in region_centres().items():
        count = sets_counts.get(region, 0)
        axes.text(x, y, f"{count:,}", ha="center", va="center", fontsize=6.5,
                  color=MUTED if not count else "black")  # fmt: skip
    for i, (x, y, side) in enumerate(_NAMES):
        total = sum(count for key, count in sets_counts.items() if key[i])
        axes.text(x, y, f"{names[i]}\n({total:,})", ha=side, va="center", fontsize=7, fontweight="bold",
                  color=text_colour(i))  # fmt: skip
    axes.set(xlim=(-0.05, 1.05), ylim=(0.06, 0.9), aspect="equal", title=title)
    axes.set_axis_off()
    outside = sets_counts.get((0, 0, 0, 0))
    remarks = ["areas not to scale"] if outside is None else [f"in no set: {outside:,}", "areas not to scale"]
    figure.supxlabel("; ".join(remarks), fontsize=6.5, color=MUTED)
    return figure


def region_centres() -> dict[tuple[int, ...], tuple[float, float]]:
    """Point of every region that lies farthest from all borders; where its number stands."""
    axis = (np.arange(_GRID) + 0.5) / _GRID
    x, y = np.meshgrid(axis, axis)
    inside = np.stack([_inside(x, y, *ellipse) for ellipse in _ELLIPSES])
    codes = np.tensordot(1 << np.arange(4)[::-1], inside, axes=1)
    centres = {}
    for code in range(1, 16):
        depth = distance_transform_edt(codes == code)
        row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
        key = tuple(int(bit) for bit in f"{code:04b}")
        centres[key] = (float(axis[column]), float(axis[row]))
    return centres


def _inside(
    x: NDArray[np.float64], y: NDArray[np.float64], x0: float, y0: float, angle: float
) -> NDArray[np.bool_]:
    turn = np.deg2rad(angle)
    along = (x - x0) * np.cos(turn) + (y - y0) * np.sin(turn)
    across = (y - y0) * np.cos(turn) - (x - x0) * np.sin(turn)
    found: NDArray[np.bool_] = (2 * along / _WIDTH) ** 2 + (2 * across / _HEIGHT) ** 2 < 1
    return found
