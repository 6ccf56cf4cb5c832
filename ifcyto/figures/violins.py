"""Frequencies by group: violin, every sample as a point, median and quartiles, p values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ifcyto.figures.style import COLUMN_MM, INK, MUTED, PAGE_MM, colour, format_p, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["frequency_panels", "frequency_violins"]

_VIOLIN_FROM = 3  # fewer points have no shape worth a violin
_JITTER = 0.13
_JITTER_SEED = 7
_MM_PER_LETTER = 1.5  # mean width of a letter at 7 points
_BRACKET_STEP = 0.13  # of the data range, room for the bracket and its text


@styled
def frequency_violins(
    groups: Mapping[str, Sequence[float]],
    *,
    title: str,
    ylabel: str,
    tests: Sequence[tuple[str, str, float | None]] = (),
) -> Figure:
    """Draw one value per sample, by group.

    The violin is a Gaussian kernel estimate between the smallest and the largest
    value, drawn from three different values on; the thick line is the median, the
    thin lines are the quartiles (linear interpolation, from three values on).
    Values that are not finite are not drawn and not counted in ``n``.

    Parameters
    ----------
    groups : mapping of str to sequence of float
        Values of each group, in the order of drawing.
    title, ylabel : str
        Title, and axis label with unit.
    tests : sequence of (str, str, float or None)
        Two groups and the p value to write over a bracket between them.

    Returns
    -------
    matplotlib.figure.Figure
        One column wide up to four groups, a page wide beyond.

    Raises
    ------
    ValueError
        No group at all, or a test names a group that is not there.
    """
    width = COLUMN_MM if len(groups) <= 4 else PAGE_MM
    figure = new_figure(width, 70)
    axes = figure.add_subplot()
    _draw(axes, groups, title=title, width=width - 15, tests=tests)
    axes.set_ylabel(ylabel)
    return figure


@styled
def frequency_panels(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    title: str,
    ylabel: str,
    tests: Mapping[str, Sequence[tuple[str, str, float | None]]] | None = None,
) -> Figure:
    """Draw :func:`frequency_violins` side by side, one panel a stage, each with its own scale.

    Parameters
    ----------
    panels : mapping of str to groups
        Stage to groups.
    title, ylabel : str
        Title of the whole, and the shared axis label with unit.
    tests : mapping of str to tests, optional
        Stage to tests, as in :func:`frequency_violins`.

    Raises
    ------
    ValueError
        No panel, a panel without groups, or a test of an unknown stage or group.
    """
    tests = tests or {}
    unknown = [stage for stage in tests if stage not in panels]
    if not panels or unknown:
        msg = f"expected tests of the panels {sorted(panels)}, found {unknown or 'no panel'}"
        raise ValueError(msg)
    width = PAGE_MM if len(panels) > 1 else COLUMN_MM
    figure = new_figure(width, 74)
    figure.suptitle(title, x=0.01, ha="left")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (stage, groups) in zip(row, panels.items(), strict=True):
        _draw(axes, groups, title=stage, width=width / len(panels) - 12, tests=tests.get(stage, ()))
    row[0].set_ylabel(ylabel)
    return figure


def _draw(
    axes: Axes,
    groups: Mapping[str, Sequence[float]],
    *,
    title: str,
    width: float,
    tests: Sequence[tuple[str, str, float | None]],
) -> None:
    if not groups:
        msg = "expected at least one group to draw, found none"
        raise ValueError(msg)
    columns = [np.asarray(values, float) for values in groups.values()]
    columns = [values[np.isfinite(values)] for values in columns]
    generator = np.random.default_rng(_JITTER_SEED)
    for i, values in enumerate(columns):
        _draw_group(axes, i, values, generator)
    low, high = _data_limits(columns)
    top = _draw_brackets(axes, list(groups), columns, tests, high=high, span=high - low)
    axes.set_ylim(low - 0.03 * (high - low), top)
    axes.set_xlim(-0.6, len(columns) - 0.4)
    labels = [f"{name}\nn = {len(values)}" for name, values in zip(groups, columns, strict=True)]
    axes.set_xticks(range(len(columns)), labels)
    if max(map(len, groups)) * _MM_PER_LETTER > width / len(columns):
        axes.tick_params(axis="x", rotation=30)
        for text in axes.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor", fontsize=6.5)
    axes.tick_params(axis="x", length=0)
    axes.set_title(title)


def _data_limits(columns: list[NDArray[np.float64]]) -> tuple[float, float]:
    values = np.concatenate(columns)
    if not values.size:
        return 0.0, 1.0
    low, high = min(float(values.min()), 0.0), float(values.max())
    return (low, high) if high > low else (low, low + 1.0)


def _draw_group(axes: Axes, i: int, values: NDArray[np.float64], generator: np.random.Generator) -> None:
    if len(values) >= _VIOLIN_FROM and np.ptp(values) > 0:
        body = axes.violinplot([values], positions=[i], widths=0.75, showextrema=False)["bodies"]
        for part in cast("list[Any]", body):
            part.set(facecolor=colour(i), edgecolor=colour(i), alpha=0.25, linewidth=0.8)
    spread = generator.uniform(-_JITTER, _JITTER, len(values)) if len(values) > 1 else np.zeros(len(values))
    axes.scatter(i + spread, values, s=13, color=colour(i), edgecolor="white", linewidth=0.4, zorder=5,
                 clip_on=False)  # fmt: skip
    if len(values) >= 2:
        axes.hlines(np.median(values), i - 0.26, i + 0.26, color=INK, linewidth=1.6, zorder=4)
    if len(values) >= _VIOLIN_FROM:
        quartiles = np.quantile(values, [0.25, 0.75])
        axes.hlines(quartiles, i - 0.18, i + 0.18, color=INK, linewidth=0.7, zorder=4)


def _draw_brackets(
    axes: Axes,
    names: list[str],
    columns: list[NDArray[np.float64]],
    tests: Sequence[tuple[str, str, float | None]],
    *,
    high: float,
    span: float,
) -> float:
    """Draw the brackets, short ones lowest, and return the upper limit of the axis."""
    for first, second, _ in tests:
        if first not in names or second not in names:
            msg = f"expected a test between two of the groups {names}, found {first!r} against {second!r}"
            raise ValueError(msg)
    step = _BRACKET_STEP * span
    level = high + 0.5 * step
    placed = sorted(tests, key=lambda test: abs(names.index(test[0]) - names.index(test[1])))
    for first, second, p in placed:
        left, right = sorted((names.index(first), names.index(second)))
        foot = level - 0.18 * step
        axes.plot([left, left, right, right], [foot, level, level, foot], color=MUTED, linewidth=0.7)
        axes.annotate(format_p(p), ((left + right) / 2, level), (0, 1.5), textcoords="offset points",
                      ha="center", va="bottom", fontsize=6.5)  # fmt: skip
        level += step
    return level + 0.35 * step if tests else high + 0.07 * span
