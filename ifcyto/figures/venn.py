"""Venn diagrams of two or three sets from counts of their regions.

``matplotlib_venn`` imports ``pyplot``; it is given the axes, so that no global
figure is ever made.
"""

from __future__ import annotations

import math
import warnings
from itertools import product
from typing import TYPE_CHECKING, Any

from matplotlib_venn import venn2, venn3
from matplotlib_venn.layout.venn2 import DefaultLayoutAlgorithm as Layout2
from matplotlib_venn.layout.venn3 import DefaultLayoutAlgorithm as Layout3

from ifcyto.figures.style import COLUMN_MM, MUTED, colour, new_figure, styled, text_colour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["venn_figure"]

_NAME_GAP = 0.12
_SMALLEST = (
    0.11  # side of the box round a region, in units where all circles have area 1, that holds a number
)


@styled
def venn_figure(sets_counts: Mapping[tuple[int, ...], int], names: Sequence[str], title: str) -> Figure:
    """Draw a Venn diagram whose region counts are given.

    Areas follow the counts (for three sets circles can do so only approximately).
    Where a set is empty, or a region would be lost or too small for its number,
    circles of one size are drawn instead and the figure says "areas not to scale".

    Parameters
    ----------
    sets_counts : mapping of tuple of int to int
        Objects in each region; the key has one 0 or 1 per set, in the order of
        `names`. Missing regions count 0. The region of objects in no set may be
        given and is written below the circles.
    names : sequence of str
        Two or three set names; each is written with the size of its set.
    title : str
        Title.

    Raises
    ------
    ValueError
        Not two or three sets, a key that is not a region, or a negative count.

    Examples
    --------
    >>> figure = venn_figure({(1, 0): 3, (0, 1): 5, (1, 1): 9}, ["manual", "CNN"], "ProE")
    >>> sorted(text.get_text() for text in figure.axes[0].texts)
    ['3', '5', '9', 'CNN (14)', 'manual (12)']
    """
    counts = _checked(sets_counts, names)
    totals = [sum(count for key, count in counts.items() if key[i]) for i in range(len(names))]
    labels = [f"{name} ({total:,})" for name, total in zip(names, totals, strict=True)]
    figure = new_figure(COLUMN_MM, 72)
    axes = figure.add_subplot()
    scaled = all(totals) and _draw(axes, counts, labels, scaled=True)
    if not scaled:
        axes.clear()
        _draw(axes, counts, labels, scaled=False)
    axes.set_title(title)
    remarks = [] if scaled else ["areas not to scale"]
    outside = sets_counts.get((0,) * len(names))
    if outside is not None:
        remarks.insert(0, f"in no set: {outside:,}")
    if remarks:
        figure.supxlabel("; ".join(remarks), fontsize=6.5, color=MUTED)
    return figure


def _checked(counts: Mapping[tuple[int, ...], int], names: Sequence[str]) -> dict[tuple[int, ...], int]:
    if len(names) not in {2, 3}:
        msg = f"expected two or three sets for a Venn diagram, found {len(names)}"
        raise ValueError(msg)
    regions = list(product((0, 1), repeat=len(names)))
    for key, count in counts.items():
        if tuple(key) not in regions or count < 0:
            msg = f"expected regions such as {regions[-1]} with counts from 0, found {key}: {count}"
            raise ValueError(msg)
    return {key: int(counts.get(key, 0)) for key in regions if any(key)}


def _draw(axes: Axes, counts: Mapping[tuple[int, ...], int], labels: Sequence[str], *, scaled: bool) -> bool:
    """Draw the circles; False when a region that holds objects cannot be seen."""
    three = len(labels) == 3
    sizes = {"".join(map(str, key)): count for key, count in counts.items()}
    layout: Any = Layout3() if three else Layout2()
    if not scaled:
        layout = Layout3(fixed_subset_sizes=(1,) * 7) if three else Layout2(fixed_subset_sizes=(2, 2, 1))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the layout warns where circles cannot follow the counts
            diagram = (venn3 if three else venn2)(
                subsets=sizes,
                set_labels=tuple(labels),
                set_colors=tuple(colour(i) for i in range(len(labels))),
                alpha=0.45,
                ax=axes,
                subset_label_formatter=lambda count: f"{count:,}",
                layout_algorithm=layout,
            )
    except UserWarning:
        return False
    for i, text in enumerate(diagram.set_labels):
        text.set(fontsize=7.5, fontweight="bold", color=text_colour(i))
    if not three:
        _part_names(diagram.set_labels)
    return _style_regions(diagram, sizes) and (not scaled or _labels_are_outside(diagram))


def _part_names(texts: Sequence[Any]) -> None:
    """Leave a gap between the names of two circles that nearly cover each other."""
    (x0, y0), (x1, y1) = (text.get_position() for text in texts)
    lack = _NAME_GAP - (x1 - x0)
    if lack > 0 and abs(y1 - y0) < _NAME_GAP:
        texts[0].set_position((x0 - lack / 2, y0))
        texts[1].set_position((x1 + lack / 2, y1))


def _style_regions(diagram: Any, sizes: Mapping[str, int]) -> bool:
    readable = True
    for name, count in sizes.items():
        patch, text = diagram.get_patch_by_id(name), diagram.get_label_by_id(name)
        if text is not None:
            text.set_fontsize(7)
        if patch is not None:
            patch.set(edgecolor="white", linewidth=0.8)
        if _can_be_read(patch, text):
            continue
        readable &= count == 0
        if text is not None:
            text.set_visible(False)
    return readable


def _can_be_read(patch: Any, text: Any) -> bool:
    """Whether the region is there, is large enough, and has its number inside."""
    if patch is None or text is None:
        return False
    path = patch.get_path()
    box = path.get_extents()
    return bool(min(box.width, box.height) >= _SMALLEST and path.contains_point(text.get_position()))


def _labels_are_outside(diagram: Any) -> bool:
    """Whether no set's name lies upon a circle."""
    circles = list(zip(diagram.centers, diagram.radii, strict=True))
    spots = [text.get_position() for text in diagram.set_labels]
    return all(math.hypot(x - c.x, y - c.y) >= r for x, y in spots for c, r in circles)
