"""How a classifier came about: its best features, and what more truth images would bring."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import NullLocator

from ifcyto.figures.style import COLUMN_MM, INK, MUTED, PAGE_MM, colour, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

__all__ = ["learning_curve", "ranking_bars"]

_DARK, _LIGHT = colour(0), "#BFDDF0"
_LONGEST = 60  # letters of a feature's name; the middle of a longer one is left out
_MM_PER_LETTER = 1.3
_PM = "\N{PLUS-MINUS SIGN}"
_NEAR = 0.4  # the line of guessing is shown when it lies within this distance of the curve
_TICK_ROOM = 1.12  # whole numbers nearer to each other than by this factor would touch


PERFECT = 1e6
"""Fisher's ratio from which a feature tells the classes apart without any scatter: as good as infinite."""


@styled
def ranking_bars(
    names: Sequence[str],
    ratios: ArrayLike,
    chosen: Collection[str],
    *,
    most: int = 20,
    title: str = "Best features",
) -> Figure:
    """Draw Fisher's ratio of the best features as bars, the best one on top.

    Parameters
    ----------
    names : sequence of str (F,)
        Features, in any order.
    ratios : array_like (F,) of float
        Fisher's ratio of each, from 0; an infinite one is drawn as long as the axis,
        one that is NaN is not ranked.
    chosen : collection of str
        Features that the classifier uses: dark. The others, dropped because they say
        the same as a better one, or not needed, are light.
    most : int
        How many bars at most; a line below says how many chosen ones are not shown.
    title : str
        Title.

    Raises
    ------
    ValueError
        No ratio or a negative one, names and ratios of different lengths, a chosen
        feature that is not among the names, or `most` below 1.
    """
    values = np.asarray(ratios, np.float64)
    strangers = sorted(set(chosen) - set(names))
    if values.shape != (len(names),) or (values < 0).any() or not np.isfinite(values).any():
        msg = f"expected {len(names)} ratios from 0, found {values.shape} and {values[:5].tolist()}"
        raise ValueError(msg)
    if strangers or most < 1:
        msg = f"expected chosen features among the names and 1 bar or more, found {strangers[:5]}, {most}"
        raise ValueError(msg)
    values = np.where(values >= PERFECT, np.inf, values)
    order = [int(i) for i in np.argsort(-values, kind="stable") if not np.isnan(values[i])]
    shown = order[:most]
    labels = [_short(names[i]) for i in shown]
    longest = max(map(len, labels)) * _MM_PER_LETTER
    figure = new_figure(COLUMN_MM if longest < COLUMN_MM / 2 else PAGE_MM, 24 + 3.8 * len(shown))
    axes = figure.add_subplot()
    top = max(float(values[np.isfinite(values)].max(initial=0.0)), 1e-9)
    lengths = np.minimum(values[shown], top)
    taken = np.array([names[i] in chosen for i in shown])
    for state, tint, label in ((True, _DARK, "chosen"), (False, _LIGHT, "like a better one, or not needed")):
        places = np.flatnonzero(taken == state)
        if places.size:
            axes.barh(places, lengths[places], 0.72, color=tint, edgecolor=_DARK, linewidth=0.5, label=label)
    for place, i in enumerate(shown):
        axes.annotate(_ratio(values[i]), (lengths[place], place), (2, 0), textcoords="offset points",
                      va="center", fontsize=6)  # fmt: skip
    axes.set_yticks(range(len(shown)), labels)
    axes.tick_params(axis="y", length=0)
    axes.set(xlim=(0, 1.12 * top), ylim=(len(shown) - 0.4, -0.6), title=title, xlabel="Fisher ratio")
    hidden = len(set(chosen)) - int(taken.sum())
    remark = f"{len(shown)} best of {len(names):,} features"
    if hidden:
        remark += f"; {hidden:,} of {len(set(chosen)):,} chosen ones rank lower"
    figure.legend(loc="outside lower center", ncols=2, title=remark, title_fontsize=6, handlelength=1.6,
                  columnspacing=1.2).get_title().set_color(MUTED)  # fmt: skip
    return figure


@styled
def learning_curve(
    sizes: ArrayLike,
    means: ArrayLike,
    sds: ArrayLike,
    *,
    classes: int | None = None,
    title: str = "Learning curve",
) -> Figure:
    """Draw balanced accuracy against the number of truth images trained on.

    Parameters
    ----------
    sizes : array_like (k,) of int
        Truth images, ascending, from 1.
    means, sds : array_like (k,) of float
        Balanced accuracy from 0 to 1 and its standard deviation over folds or
        repeats, drawn as a band. A point that is not finite is left out; a standard
        deviation that is not finite has no band.
    classes : int, optional
        Number of classes; draws the line of guessing at 1 / `classes`, unless
        it lies so far below the curve that the curve would be flattened.
    title : str
        Title.

    Raises
    ------
    ValueError
        No point, lengths that differ, or sizes that do not ascend from 1.
    """
    x, y, sd = (np.asarray(values, np.float64) for values in (sizes, means, sds))
    if x.ndim != 1 or x.shape != y.shape or x.shape != sd.shape or not np.isfinite(y).any():
        msg = f"expected as many sizes, means and deviations, found {x.shape}, {y.shape} and {sd.shape}"
        raise ValueError(msg)
    if x[0] < 1 or not (np.diff(x) > 0).all() or (classes is not None and classes < 2):
        msg = f"expected sizes ascending from 1 and two classes or more, found {x.tolist()} and {classes}"
        raise ValueError(msg)
    kept = np.isfinite(y)
    x, y, sd = x[kept], y[kept], np.nan_to_num(sd[kept], posinf=0, neginf=0)
    low, high = np.clip(y - sd, 0, 1), np.clip(y + sd, 0, 1)
    figure = new_figure(COLUMN_MM, 64)
    axes = figure.add_subplot()
    if sd.any() and len(x) > 1:
        axes.fill_between(x, low, high, color=_DARK, alpha=0.2, linewidth=0, label=f"{_PM} 1 s.d.")
    elif sd.any():
        axes.errorbar(x, y, [y - low, high - y], color=_DARK, capsize=2, linewidth=0.8, label=f"{_PM} 1 s.d.")
    axes.plot(x, y, color=_DARK, marker="o", markersize=3.5, linewidth=1.2, label="mean")
    bottom = float(low.min())
    if classes is not None:
        near = bottom - 1 / classes < _NEAR
        bottom = min(bottom, 1 / classes) if near else bottom
        label = "guessing" if near else f"guessing: {1 / classes:.2f}, below the axis"
        axes.axhline(1 / classes, color=INK, linewidth=0.8, linestyle=":", label=label)
    axes.set_xscale("log")
    ticks = _ticks(x)
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set(xlim=(x[0] / 1.15, x[-1] * 1.15), ylim=(max(bottom - 0.05, -0.03), 1.03))
    axes.set(xlabel="truth images trained on", ylabel="balanced accuracy", title=title)
    figure.legend(loc="outside lower center", ncols=3, handlelength=1.8, columnspacing=1.4)
    return figure


def _short(name: str) -> str:
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[: half - 1]}\N{HORIZONTAL ELLIPSIS}{name[-half:]}"


def _ratio(value: float) -> str:
    return "infinite" if math.isinf(value) else f"{value:.3g}"


def _ticks(sizes: NDArray[np.float64]) -> list[float]:
    """Those of the sizes, from the largest down, of which the numbers do not touch."""
    span = max(float(sizes[-1] / sizes[0]), 1.0)
    room = max(_TICK_ROOM, span ** (1 / 7))
    ticks = [float(sizes[-1])]
    for size in sizes[-2::-1]:
        if ticks[-1] / size >= room:
            ticks.append(float(size))
    return ticks[::-1]
