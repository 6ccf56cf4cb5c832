"""The polygon: which points are inside, its border included."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ifcyto.errors import GateError
from ifcyto.gates.shapes import Shape, check_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.gates.scales import Scale

__all__ = ["MAX_VERTICES", "Polygon"]

MAX_VERTICES = 1000
"""A drawn polygon has some ten."""


@dataclass(frozen=True, slots=True)
class Polygon(Shape):
    """A polygon whose edges are straight on the scaled axes.

    Parameters
    ----------
    vertices : tuple of (float, float)
        In data units, in either direction; the last is joined to the first. At least
        three different ones.

    Raises
    ------
    GateError
        A vertex is no number, or there are too few or more than :data:`MAX_VERTICES`.

    Notes
    -----
    A point is inside when the border winds around it, or when it is on the border.
    Where the border crosses itself, everything that it winds around is inside. IDEAS'
    own rule there is not known (INFERRED: no polygon in the real files). Winding by
    crossings of a ray: Hormann and Agathos, Comput. Geom. 20 (2001) 131.

    Examples
    --------
    >>> from ifcyto.gates.scales import LINEAR
    >>> triangle = Polygon(((0, 0), (4, 0), (0, 4)))
    >>> x, y = np.array([1.0, 2.0, 3.0, np.nan]), np.array([1.0, 2.0, 3.0, 1.0])
    >>> triangle.member([x, y], [LINEAR, LINEAR]).tolist()
    [True, True, False, False]
    """

    kind: ClassVar[str] = "polygon"
    n_axes: ClassVar[int] = 2
    needs_scale: ClassVar[bool] = True

    vertices: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        for i, vertex in enumerate(self.vertices):
            for name, value in zip("xy", vertex, strict=True):
                check_number(f"vertex {i + 1} {name}", value)
        if len(self.vertices) > MAX_VERTICES:
            msg = f"expected a polygon of at most {MAX_VERTICES} vertices, found {len(self.vertices)}"
            raise GateError(msg)
        if len(set(self.vertices)) < 3:
            msg = f"expected a polygon of at least 3 different vertices, found {len(set(self.vertices))}"
            raise GateError(msg)

    def corners(self) -> tuple[tuple[float, ...], ...]:
        """The vertices."""
        return self.vertices

    def member(self, values: Sequence[NDArray[np.float64]], scales: Sequence[Scale]) -> NDArray[np.bool_]:
        """See :meth:`Shape.member`."""
        x, y = (scale.place(value) for scale, value in zip(scales, values, strict=True))
        places = zip(*self.vertices, strict=True)
        xs, ys = (scale.place(np.array(ends)).tolist() for scale, ends in zip(scales, places, strict=True))
        corners = list(zip(xs, ys, strict=True))
        inside = np.zeros(x.shape, bool)
        with np.errstate(all="ignore"):
            near = np.flatnonzero((x >= min(xs)) & (x <= max(xs)) & (y >= min(ys)) & (y <= max(ys)))
            inside[near] = _wound(x[near], y[near], [*corners, corners[0]])
        return inside


def _wound(
    x: NDArray[np.float64], y: NDArray[np.float64], corners: list[tuple[float, float]]
) -> NDArray[np.bool_]:
    """Points that the closed border winds around or touches."""
    turns = np.zeros(x.shape, np.int64)
    border = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in pairwise(corners):
        side = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
        turns += (y0 <= y) & (y < y1) & (side > 0)
        turns -= (y1 <= y) & (y < y0) & (side < 0)
        within = (x >= min(x0, x1)) & (x <= max(x0, x1)) & (y >= min(y0, y1)) & (y <= max(y0, y1))
        border |= (side == 0) & within
    wound: NDArray[np.bool_] = (turns != 0) | border
    return wound
