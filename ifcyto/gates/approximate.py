"""Shapes that one program draws and another cannot: as polygons, which is an approximation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.gates.polygon import MAX_VERTICES, Polygon

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["APPROXIMATION", "ellipse_points", "more_points", "polygon_of"]

APPROXIMATION = "approximation by a polygon"
"""Said in the comment of each such gate."""

ELLIPSE_POINTS = 360
EDGE_POINTS = 64
"""At most, for each edge of a polygon."""


def ellipse_points(centre: NDArray[np.float64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points ``(n, 2)`` on the ellipse (x - c)' inv(C) (x - c) = 1.

    Parameters
    ----------
    centre : ndarray (2,)
    covariance : ndarray (2, 2)
        Positive definite.

    Examples
    --------
    >>> ellipse_points(np.zeros(2), np.diag([4.0, 1.0]))[0].tolist()
    [2.0, 0.0]
    """
    angle = np.arange(ELLIPSE_POINTS) * (2 * np.pi / ELLIPSE_POINTS)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    points: NDArray[np.float64] = centre + circle @ np.linalg.cholesky(covariance).T
    return points


def more_points(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vertices ``(n, 2)`` and further points on the straight edges between them.

    Examples
    --------
    >>> len(more_points(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])))
    192
    """
    n = max(1, min(EDGE_POINTS, MAX_VERTICES // len(vertices)))
    along = np.arange(n)[:, None] / n
    ends = np.roll(vertices, -1, axis=0)
    return np.concatenate([a + along * (b - a) for a, b in zip(vertices, ends, strict=True)])


def polygon_of(points: NDArray[np.float64]) -> Polygon:
    """Polygon with these vertices ``(n, 2)``, in data units.

    Raises
    ------
    GateError
        They make none.
    """
    return Polygon(tuple((x, y) for x, y in points.tolist()))
