"""Scatter plots and histograms of columns: what is drawn, and gates that are drawn on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError
from ifcyto.gates.gate import Gate
from ifcyto.gates.polygon import Polygon
from ifcyto.gates.shapes import Range, Rectangle
from ifcyto.gates.store import write_gates
from ifcyto.gates.tree import Population, make_gate_set

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.review.objects import ReviewObjects

__all__ = [
    "Bars", "bars_gate", "bars_of", "gate_of", "inside", "limits_of", "save_gate", "thinned", "ticks",
]  # fmt: skip

DRAWN = 20_000
"""Points that are drawn; all objects are gated."""

MARGIN = 0.04

BINS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """A histogram.

    Parameters
    ----------
    counts : ndarray (B,) of int64
    edges : ndarray (B + 1,) of float64
        A value on an edge belongs to the bar on its right, the last edge to the last bar.
    """

    counts: NDArray[np.int64]
    edges: NDArray[np.float64]

    def at(self, x: float) -> int | None:
        """Bar over which a value lies, empty or not; None beside all of them.

        Examples
        --------
        >>> bars = bars_of(np.array([0.0, 1.0, 1.0]), 2, (0.0, 2.0))
        >>> bars.at(0.4), bars.at(1.0), bars.at(2.0), bars.at(2.1)
        (0, 1, 1, None)
        """
        if not self.edges[0] <= x <= self.edges[-1]:
            return None
        return min(int(np.searchsorted(self.edges, x, side="right")) - 1, len(self.counts) - 1)


def bars_of(values: NDArray[np.float64], bins: int = BINS, limits: tuple[float, float] | None = None) -> Bars:
    """Count how often values occur, in bars of one width; values that are not finite do not count.

    Parameters
    ----------
    values : ndarray (n,)
    bins : int
    limits : (float, float), optional
        By default :func:`limits_of`.
    """
    finite = values[np.isfinite(values)]
    counts, edges = np.histogram(finite, bins, limits or limits_of(finite))
    return Bars(counts.astype(np.int64), edges)


def bars_gate(name: str, column: str, bars: Bars, first: int, last: int) -> Gate:
    """Make the gate that holds the objects of some neighbouring bars, and no others.

    Parameters
    ----------
    name, column : str
    bars : Bars
    first, last : int
        In either order; both belong to it.

    Returns
    -------
    Gate
        A range that ends with the largest number below the right edge, unless it is the last one:
        a range includes its ends, a bar does not include its right edge.
    """
    low, high = sorted((first, last))
    end = float(bars.edges[high + 1])
    if high + 1 < len(bars.counts):
        end = math.nextafter(end, -math.inf)
    return Gate(name, (column,), Range(float(bars.edges[low]), end))


def thinned(values: NDArray[np.float64], most: int = DRAWN, *, seed: int = 0) -> NDArray[np.int64]:
    """Rows to draw: those with finite values, or as many of them as `most`, in rising order.

    Parameters
    ----------
    values : ndarray (n, A)
        One column an axis.
    most : int
    seed : int
    """
    rows = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(rows) <= most:
        return rows
    drawn: NDArray[np.int64] = np.sort(np.random.default_rng(seed).permutation(rows)[:most])
    return drawn


def limits_of(values: NDArray[np.float64]) -> tuple[float, float]:
    """Limits of an axis that hold all finite values, with a margin.

    Examples
    --------
    >>> limits_of(np.array([0.0, 100.0, np.nan])), limits_of(np.array([3.0])), limits_of(np.array([]))
    ((-4.0, 104.0), (2.5, 3.5), (0.0, 1.0))
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    room = MARGIN * (high - low) or 0.5
    return low - room, high + room


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, at most `most` of them.

    Examples
    --------
    >>> ticks(-4, 104), ticks(0.213, 0.294)
    ([0.0, 50.0, 100.0], [0.22, 0.24, 0.26, 0.28])
    """
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def gate_of(name: str, columns: Sequence[str], points: Sequence[tuple[float, float]], *, lasso: bool) -> Gate:
    """Make a gate of what was drawn.

    Parameters
    ----------
    name : str
    columns : sequence of str
        One for a histogram, two for a scatter plot, x first.
    points : sequence of (float, float)
        Corners of a rectangle, or the border of a lasso, in data units.
    lasso : bool

    Returns
    -------
    Gate
        A range on one column; a rectangle or a polygon on two.

    Raises
    ------
    GateError
        The lasso has fewer than three different points.
    UsageError
        Nothing was drawn.
    """
    if len(points) < 2:
        msg = "expected a gate drawn on the plot, found none: drag over the points"
        raise UsageError(msg)
    x, y = zip(*points, strict=True)
    if len(columns) == 1:
        return Gate(name, tuple(columns), Range(min(x), max(x)))
    if lasso:
        step = max(1, -(-len(points) // 500))
        return Gate(name, tuple(columns), Polygon(tuple(points[::step])))
    return Gate(name, tuple(columns), Rectangle(min(x), max(x), min(y), max(y)))


def inside(objects: ReviewObjects, gate: Gate) -> NDArray[np.int64]:
    """Rows of all objects inside a gate.

    Raises
    ------
    UsageError
        A column that is not there.
    """
    missing = [name for name in gate.features if name not in objects.numbers]
    if missing:
        msg = (
            f"gate {gate.name!r}: expected a column among {', '.join(objects.numbers)}, found {missing[0]!r}"
        )
        raise UsageError(msg)
    return np.flatnonzero(gate.member(*(objects.numbers[name] for name in gate.features)))


def save_gate(path: Path | str, gate: Gate, *, overwrite: bool = False) -> Path:
    """Write a gate as geometry, with its population, to a gates file (JSON).

    Raises
    ------
    OutputError
        The file exists and `overwrite` is False, or the disk refuses.
    """
    return write_gates(
        path, make_gate_set([gate], [Population(gate.name, gate=gate.name)]), overwrite=overwrite
    )
