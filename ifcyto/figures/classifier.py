"""What a classifier says of the objects: one value as a histogram, two as a plane.

A class is told by its colour and by a second sign, a hatch or a marker, so that
the figures can be read in grey and by colour-blind eyes.
"""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.collections import PathCollection

from ifcyto.figures.scale import axis_range, beyond_text, bin_edges
from ifcyto.figures.style import COLUMN_MM, INK, MUTED, PALETTE, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

__all__ = ["MOST_POINTS", "score_histogram", "score_plane"]

MOST_POINTS = 20_000
"""This many points of a cloud are drawn at most; of a larger one a random choice."""

_COLOURS = (*PALETTE[:6], INK)  # yellow is too pale for lines, grey is the cloud's
_MARKERS = "os^DvPX<>p"  # ten and seven have no common divisor: 70 looks
_HATCHES = ("////", "\\\\\\\\", "....", "xxx")
_CLOUD = "#8C8C8C"
_SEED = 7
_VECTORS = 2000  # a class with more points is drawn as a picture, for small PDF files
_MM_PER_LETTER = 1.3  # mean width of a letter at 7 points
_PERCENT = "objects of the class (%)"


@styled
def score_histogram(
    values_by_class: Mapping[str, ArrayLike], *, title: str, axis: str, threshold: float = 0.0
) -> Figure:
    """Draw the distribution of one classifier value, by class, with the decision line.

    All classes share the bins, and an edge of a bin lies on the decision line. Bars
    are percent of the class, as classes differ in size. Up to four classes share one
    panel; more have a row each.

    What lies beyond the axis (see :func:`ifcyto.figures.scale.axis_range`), infinities
    too, is counted in the end bins, and the figure says how many. NaN is neither drawn
    nor counted in ``n``.

    Parameters
    ----------
    values_by_class : mapping of str to array_like (n,) of float
        Values of the objects of each class, in the order of drawing.
    title, axis : str
        Title, and what the value is, such as ``log-odds of BNE against Doublet``.
    threshold : float
        Where the decision changes.

    Raises
    ------
    ValueError
        No class, or a threshold that is not finite.
    """
    if not values_by_class or not math.isfinite(threshold):
        msg = f"expected one class or more and a finite threshold, found {list(values_by_class)}, {threshold}"
        raise ValueError(msg)
    groups = {name: _numbers(values) for name, values in values_by_class.items()}
    edges = bin_edges(list(groups.values()), threshold)
    many = len(groups) > len(_HATCHES)
    figure = new_figure(COLUMN_MM, 24 + 9 * len(groups) if many else 62 + 4 * len(groups))
    rows = figure.subplots(len(groups) if many else 1, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for i, (name, values) in enumerate(groups.items()):
        panel = rows[i if many else 0]
        label = f"{name} (n = {len(values):,})"
        _draw_bins(panel, i, values, edges, label)
        if many:
            panel.set_ylabel(label.replace(" (", "\n").strip(")"), rotation=0, ha="right", va="center")
    for panel in rows:
        panel.axvline(threshold, color=INK, linewidth=0.9, linestyle="--", label="decision")
        panel.set_ylim(bottom=0)
    rows[-1].set_xlim(edges[0], edges[-1])
    rows[-1].set_xlabel(textwrap.fill(axis, 30 if many else 50))
    pooled = np.concatenate(list(groups.values()))
    beyond = (pooled < edges[0]) | (pooled > edges[-1])
    remark = beyond_text(beyond, "values", "counted in the end bins")
    if many:
        figure.suptitle(title, x=0.01, ha="left", fontsize=8)
        figure.supylabel(_PERCENT, fontsize=7.5)
        figure.supxlabel(remark, fontsize=6, color=MUTED)
    else:
        rows[0].set(title=title, ylabel=_PERCENT)
        _legend_below(figure, rows[0], remark)
    return figure


@styled
def score_plane(
    x: ArrayLike,
    y: ArrayLike,
    labels: Sequence[str] | NDArray[np.str_],
    *,
    classes: Sequence[str],
    x_label: str,
    y_label: str,
    unjudged: tuple[ArrayLike, ArrayLike] | None = None,
) -> Figure:
    """Draw two classifier values of each object: truth in colour over a grey cloud of the others.

    Of more than :data:`MOST_POINTS` points of the cloud a seeded random choice is
    drawn; likewise of the truth, an equal number of each large class. The legend has
    both numbers. Points beyond the axes (see :func:`ifcyto.figures.scale.axis_range`) lie
    on the border and the figure says how many. The smallest class is drawn last.
    Objects of which a value is NaN are left out.

    Parameters
    ----------
    x, y : array_like (n,) of float
        The two values of the truth objects.
    labels : sequence of str (n,)
        Their classes.
    classes : sequence of str
        Order of colours and legend; a class may have no object.
    x_label, y_label : str
        What the values are.
    unjudged : tuple of two array_like (m,) of float, optional
        The values, x and y, of objects of which the class is not known.

    Raises
    ------
    ValueError
        Lengths differ, or a label is none of the classes.
    """
    names = np.asarray(labels, str)
    unknown = sorted(set(names.tolist()) - set(classes))
    if unknown or not len(classes):
        msg = f"expected labels among {list(classes)}, found {unknown or 'no class'}"
        raise ValueError(msg)
    truth = _points(x, y)
    if names.shape != truth.shape[:1]:
        msg = f"expected {len(truth)} labels, found {names.shape}"
        raise ValueError(msg)
    groups = [_known(truth[names == name]) for name in classes]
    cloud = _known(_points(*unjudged)) if unjudged is not None else np.empty((0, 2))
    spans = [axis_range([*(g[:, k] for g in groups), cloud[:, k]], 0.0, margin=0.04) for k in (0, 1)]
    low, high = np.array(spans).T
    figure = new_figure(COLUMN_MM, 80 + 4 * math.ceil((len(classes) + 1) / 2))
    axes = figure.add_subplot()
    generator = np.random.default_rng(_SEED)
    if len(cloud):
        shown = np.clip(_thinned(cloud, MOST_POINTS, generator), low, high)
        axes.scatter(shown[:, 0], shown[:, 1], s=3, color=_CLOUD, alpha=0.3, linewidth=0, rasterized=True,
                     clip_on=False, label=_drawn("not judged", len(cloud), len(shown)))  # fmt: skip
    fits = sum(map(len, groups)) <= MOST_POINTS
    most = MOST_POINTS if fits else MOST_POINTS // len(classes)
    for i, (name, points) in enumerate(zip(classes, groups, strict=True)):
        shown = np.clip(_thinned(points, most, generator), low, high)
        _draw_class(axes, i, shown, _drawn(name, len(points), len(shown)), 3 + 1 / (1 + len(points)))
    axes.axvline(0, color=INK, linewidth=0.7, linestyle="--", zorder=2)
    axes.axhline(0, color=INK, linewidth=0.7, linestyle="--", zorder=2)
    axes.set(xlim=spans[0], ylim=spans[1])
    axes.set(xlabel=textwrap.fill(x_label, 48), ylabel=textwrap.fill(y_label, 36))
    every = np.concatenate([*groups, cloud])
    beyond = ((every < low) | (every > high)).any(axis=1)
    _legend_below(figure, axes, beyond_text(beyond, "objects", "drawn on the border"))
    return figure


def _numbers(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, np.float64)
    return numbers[~np.isnan(numbers)]


def _points(x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    columns = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if columns[0].ndim != 1 or columns[0].shape != columns[1].shape:
        msg = f"expected as many x as y, found {columns[0].shape} and {columns[1].shape}"
        raise ValueError(msg)
    return np.column_stack(columns)


def _known(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points[~np.isnan(points).any(axis=1)]


def _thinned(points: NDArray[np.float64], most: int, generator: np.random.Generator) -> NDArray[np.float64]:
    return points if len(points) <= most else generator.choice(points, most, replace=False, shuffle=False)


def _draw_bins(
    axes: Axes, i: int, values: NDArray[np.float64], edges: NDArray[np.float64], label: str
) -> None:
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
    tint = _COLOURS[i % len(_COLOURS)]
    hatch = _HATCHES[i % len(_HATCHES)]
    with rc_context({"hatch.linewidth": 0.5}):
        axes.stairs(100 * counts / max(len(values), 1), edges, fill=True, facecolor=(tint, 0.18),
                    edgecolor=tint, linewidth=1.0, hatch=hatch, label=label)  # fmt: skip


def _draw_class(axes: Axes, i: int, points: NDArray[np.float64], label: str, zorder: float) -> None:
    axes.scatter(points[:, 0], points[:, 1], s=13, color=_COLOURS[i % len(_COLOURS)],
                 marker=_MARKERS[i % len(_MARKERS)], edgecolor="white", linewidth=0.3, zorder=zorder,
                 rasterized=len(points) > _VECTORS, clip_on=False, label=label)  # fmt: skip


def _legend_below(figure: Figure, axes: Axes, remark: str) -> None:
    """Place the legend under the axes, in two columns where they fit, and the remark above it."""
    handles, labels = axes.get_legend_handles_labels()
    half = math.ceil(len(labels) / 2)
    letters = sum(max(map(len, column), default=0) for column in (labels[:half], labels[half:]))
    legend = figure.legend(handles, labels, loc="outside lower center",
                           ncols=2 if letters * _MM_PER_LETTER < COLUMN_MM - 14 else 1,
                           title=remark or None, title_fontsize=6, handlelength=1.6, handletextpad=0.5,
                           columnspacing=1.2, labelspacing=0.35)  # fmt: skip
    legend.get_title().set_color(MUTED)
    for handle in legend.legend_handles:
        if handle is not None and isinstance(handle, PathCollection):
            handle.set(alpha=1, sizes=[14])


def _drawn(name: str, count: int, shown: int) -> str:
    return f"{name} (n = {count:,})" if shown == count else f"{name} (n = {count:,}, {shown:,} drawn)"
