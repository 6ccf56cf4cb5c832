"""The forms that a gate may have: ranges, rectangles, ovals, polygons, half planes and quadrants.

A value that is NaN is in no gate (IDEAS: an assumption, no NaN in the real files).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ifcyto.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.gates.scales import Scale

__all__ = ["LARGEST", "Half", "Oval", "Quadrant", "Range", "Rectangle", "Shape"]

LARGEST = 1e100
"""A bound may not be further from 0."""

INFINITY = math.inf
QUADRANTS = {1: (False, True), 2: (True, True), 3: (True, False), 4: (False, False)}
"""Number of a quadrant to (right, upper); clockwise from the upper left, as IDEAS counts."""


class Shape(ABC):
    """Geometry in data units, on one axis or two."""

    __slots__ = ()

    kind: ClassVar[str]
    n_axes: ClassVar[int]
    needs_scale: ClassVar[bool] = False
    """Whether the result depends on the scales of the axes."""

    @abstractmethod
    def member(self, values: Sequence[NDArray[np.float64]], scales: Sequence[Scale]) -> NDArray[np.bool_]:
        """Which objects ``(n,)`` are inside, from one array ``(n,)`` an axis."""

    def corners(self) -> tuple[tuple[float, ...], ...]:
        """Points that must have a place on the axes; only where `needs_scale`."""
        return ()


@dataclass(frozen=True, slots=True)
class Range(Shape):
    """Values from `low` to `high`, both included (VERIFIED on real files, ``gating.md``).

    Parameters
    ----------
    low, high : float
        Infinite for an open end; one of them is a number.

    Examples
    --------
    >>> Range(0, 39).member([np.array([-1.0, 0.0, 39.0, np.nan])], []).tolist()
    [False, True, True, False]
    """

    kind: ClassVar[str] = "range"
    n_axes: ClassVar[int] = 1

    low: float = -INFINITY
    high: float = INFINITY

    def __post_init__(self) -> None:
        check_interval("range", self.low, self.high)

    def member(self, values: Sequence[NDArray[np.float64]], scales: Sequence[Scale]) -> NDArray[np.bool_]:
        """See :meth:`Shape.member`."""
        return _between(values[0], self.low, self.high)


@dataclass(frozen=True, slots=True)
class Half(Shape):
    """One side of a value: below it, or from it on; together they leave nothing out.

    Parameters
    ----------
    at : float
    upper : bool
        From `at` on, `at` included; else below, `at` not included.
    """

    kind: ClassVar[str] = "half"
    n_axes: ClassVar[int] = 1

    at: float
    upper: bool

    def __post_init__(self) -> None:
        check_number("at", self.at)

    def member(self, values: Sequence[NDArray[np.float64]], scales: Sequence[Scale]) -> NDArray[np.bool_]:
        """See :meth:`Shape.member`."""
        return _side(values[0], self.at, upper=self.upper)


@dataclass(frozen=True, slots=True)
class Rectangle(Shape):
    """An upright rectangle, its border included.

    Parameters
    ----------
    x_low, x_high, y_low, y_high : float
        Infinite for an open side; one of them is a number.

    Notes
    -----
    Real files decide everything but the border (no datum lies on it); it is closed
    as that of a range is.
    """

    kind: ClassVar[str] = "rectangle"
    n_axes: ClassVar[int] = 2

    x_low: float = -INFINITY
    x_high: float = INFINITY
    y_low: float = -INFINITY
    y_high: float = INFINITY

    def __post_init__(self) -> None:
        sides = ((self.x_low, self.x_high), (self.y_low, self.y_high))
        if all(map(math.isinf, (*sides[0], *sides[1]))):
            msg = "expected at least one bound of a rectangle, found none"
            raise GateError(msg)
        for name, (low, high) in zip("xy", sides, strict=True):
            check_interval(name, low, high, may_be_open=True)

    def member(self, values: Sequence[NDArray[np.float64]], scales: Sequence[Scale]) -> NDArray[np.bool_]:
        """See :meth:`Shape.member`."""
        x, y = values
        return _between(x, self.x_low, self.x_high) & _between(y, self.y_low, self.y_high)


@dataclass(frozen=True, slots=True)
class Quadrant(Shape):
    """One of the four quadrants about a crosshair; together they leave nothing out.

    Parameters
    ----------
    x, y : float
        The crosshair. Left and lower quadrants do not include it, right and upper ones do.
    number : int
        1 upper left, 2 upper right, 3 lower right, 4 lower left.

    Notes
    -----
    Numbers and borders are those that the R package IFC reports of newer files
    (INFERRED: no such gate in the real files).
    """

    kind: ClassVar[str] = "quadrant"
    n_axes: ClassVar[int] = 2

    x: float
    y: float
    number: int

    def __post_init__(self) -> None:
        check_number("x", self.x)
        check_number("y", self.y)
        if self.number not in QUADRANTS:
            msg = f"expected a quadrant from 1 to 4, found {self.number}"
            raise GateError(msg)

    def member(self, values: Sequence[NDArray[np.float64]], scales: Sequence[Scale]) -> NDArray[np.bool_]:
        """See :meth:`Shape.member`."""
        right, upper = QUADRANTS[self.number]
        return _side(values[0], self.x, upper=right) & _side(values[1], self.y, upper=upper)


@dataclass(frozen=True, slots=True)
class Oval(Shape):
    """The ellipse in an upright rectangle, its border included; an ellipse as drawn, on the scaled axes.

    Parameters
    ----------
    x_low, x_high, y_low, y_high : float
        Rectangle around it. On scaled axes its centre is midway between the scaled bounds.

    Notes
    -----
    ((X - cx) / rx)^2 + ((Y - cy) / ry)^2 <= 1 on scaled axes, from the R package IFC
    (INFERRED: no oval in the real files).
    """

    kind: ClassVar[str] = "oval"
    n_axes: ClassVar[int] = 2
    needs_scale: ClassVar[bool] = True

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def __post_init__(self) -> None:
        for name, low, high in (("x", self.x_low, self.x_high), ("y", self.y_low, self.y_high)):
            check_number(f"{name}_low", low)
            check_number(f"{name}_high", high)
            if not low < high:
                msg = f"expected an oval with {name}_low below {name}_high, found {low:g} and {high:g}"
                raise GateError(msg)

    def corners(self) -> tuple[tuple[float, ...], ...]:
        """Two opposite corners of the rectangle around it."""
        return (self.x_low, self.y_low), (self.x_high, self.y_high)

    def member(self, values: Sequence[NDArray[np.float64]], scales: Sequence[Scale]) -> NDArray[np.bool_]:
        """See :meth:`Shape.member`."""
        total = np.zeros(values[0].shape)
        with np.errstate(all="ignore"):
            for value, scale, ends in zip(values, scales, zip(*self.corners(), strict=True), strict=True):
                low, high = scale.place(np.array(ends)).tolist()
                total += np.square((2 * scale.place(value) - (low + high)) / (high - low))
        inside: NDArray[np.bool_] = total <= 1
        return inside


def check_number(name: str, value: Any) -> None:
    """Raise :class:`GateError` unless `value` is a number that a bound may have."""
    if not (math.isfinite(value) and abs(value) <= LARGEST):
        msg = f"{name}: expected a number from {-LARGEST:g} to {LARGEST:g}, found {value}"
        raise GateError(msg)


def check_interval(name: str, low: float, high: float, *, may_be_open: bool = False) -> None:
    """Raise :class:`GateError` unless the two make an interval with at least one end."""
    for side, value, outside in (("low", low, -INFINITY), ("high", high, INFINITY)):
        if value != outside:
            check_number(f"{name} {side}", value)
    if low == -INFINITY and high == INFINITY and not may_be_open:
        msg = f"expected at least one end of a {name}, found none"
        raise GateError(msg)
    if low > high:
        msg = f"{name}: expected the low end below the high end, found {low:g} and {high:g}"
        raise GateError(msg)


def _between(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (values >= low) & (values <= high)
    return inside


def _side(values: NDArray[np.float64], at: float, *, upper: bool) -> NDArray[np.bool_]:
    chosen: NDArray[np.bool_] = values >= at if upper else values < at
    return chosen
