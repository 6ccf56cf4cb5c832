"""Compiled sums over the pixels of masks: moments, angular sums, outline distances.

Every kernel fills one row of `out` an object. The column numbers are the
constants below; :mod:`ifcyto.features.moments` makes quantities of the sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["angular_sums", "intensity_moments", "mask_moments", "outline_distances"]

COUNT, SUM_X, SUM_Y, SUM_XX, SUM_YY, SUM_XY = range(6)
"""Columns of :func:`mask_moments`; the last five sums are about pixel (X0, Y0)."""
X0, Y0, TOP, BOTTOM, LEFT, RIGHT = range(6, 12)
"""The pixel next to the centroid, and the mask's box (ends excluded)."""
MASK_COLUMNS = 12

WEIGHT, W_X, W_Y, W_XX, W_YY, W_XY = range(6)
"""Columns of :func:`intensity_moments` for weights |J|; J^2 follows from column POWER_2."""
POWER_2 = 6
INTENSITY_COLUMNS = 12

RADIUS, COS_2, SIN_2, COS_3, SIN_3, COS_4, SIN_4 = range(7)
"""Columns of :func:`angular_sums`."""
ANGULAR_COLUMNS = 7

POINTS, FIRST, EXCESS, EXCESS_2 = range(4)
"""Columns of :func:`outline_distances`: count, distance of the first point, sums of the others' excess."""
OUTLINE_COLUMNS = 4


@kernel
def mask_moments(
    inside: NDArray[np.bool_],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    out: NDArray[np.int64],
) -> Any:
    """Exact integer moments ``(n, MASK_COLUMNS)`` of every mask, and its box.

    The sums are about the whole pixel next to the centroid, so that central
    moments follow from them without loss.
    """
    for i in range(len(heights)):
        width = widths[i]
        n = sx = sy = sxx = syy = sxy = 0
        top, bottom, left, right = heights[i], 0, width, 0
        for y in range(heights[i]):
            base = starts[i] + y * width
            k = kx = kxx = 0
            for x in range(width):
                if inside[base + x]:
                    k += 1
                    kx += x
                    kxx += x * x
                    left = min(left, x)
                    right = max(right, x + 1)
            if k:
                top = min(top, y)
                bottom = y + 1
                n += k
                sx += kx
                sxx += kxx
                sy += k * y
                syy += k * y * y
                sxy += kx * y
        x0 = (2 * sx + n) // (2 * n) if n else 0
        y0 = (2 * sy + n) // (2 * n) if n else 0
        row = out[i]
        row[COUNT], row[X0], row[Y0] = n, x0, y0
        row[SUM_X], row[SUM_Y] = sx - n * x0, sy - n * y0
        row[SUM_XX] = sxx - 2 * x0 * sx + n * x0 * x0
        row[SUM_YY] = syy - 2 * y0 * sy + n * y0 * y0
        row[SUM_XY] = sxy - x0 * sy - y0 * sx + n * x0 * y0
        row[TOP], row[BOTTOM], row[LEFT], row[RIGHT] = top, bottom, left, right


@kernel
def intensity_moments(
    inside: NDArray[np.bool_],
    image: NDArray[Any],
    starts: NDArray[np.int64],
    widths: NDArray[np.int32],
    background: NDArray[np.float64],
    masks: NDArray[np.int64],
    out: NDArray[np.float64],
) -> Any:
    """Moments ``(n, INTENSITY_COLUMNS)`` with weights |J| and J^2, J = I - background, about (X0, Y0).

    `masks` is the output of :func:`mask_moments`.
    """
    for i in range(len(widths)):
        x0, y0, b = masks[i, X0], masks[i, Y0], background[i]
        left, right = masks[i, LEFT], masks[i, RIGHT]
        row = out[i]
        row[:] = 0.0
        for y in range(masks[i, TOP], masks[i, BOTTOM]):
            base = starts[i] + y * widths[i]
            w = wx = wxx = v = vx = vxx = 0.0
            for x in range(left, right):
                if inside[base + x]:
                    dx = float(x - x0)
                    weight = abs(image[base + x] - b)
                    square = weight * weight
                    w += weight
                    v += square
                    weight *= dx
                    square *= dx
                    wx += weight
                    vx += square
                    wxx += weight * dx
                    vxx += square * dx
            dy = float(y - y0)
            row[WEIGHT] += w
            row[W_X] += wx
            row[W_Y] += w * dy
            row[W_XX] += wxx
            row[W_YY] += w * dy * dy
            row[W_XY] += wx * dy
            row[POWER_2 + WEIGHT] += v
            row[POWER_2 + W_X] += vx
            row[POWER_2 + W_Y] += v * dy
            row[POWER_2 + W_XX] += vxx
            row[POWER_2 + W_YY] += v * dy * dy
            row[POWER_2 + W_XY] += vx * dy


@kernel
def angular_sums(
    inside: NDArray[np.bool_],
    image: NDArray[Any],
    starts: NDArray[np.int64],
    widths: NDArray[np.int32],
    background: NDArray[np.float64],
    masks: NDArray[np.int64],
    centres: NDArray[np.float64],
    out: NDArray[np.float64],
) -> Any:
    """Sums ``(n, ANGULAR_COLUMNS)`` of |J| r and of |J| r cos(kt), |J| r sin(kt), k = 2, 3, 4.

    r and t are the distance and the direction from `centres` ``(n, 2)`` (x, y);
    cosines and sines come from products of dx / r and dy / r.
    """
    for i in range(len(widths)):
        cx, cy, b = centres[i, 0], centres[i, 1], background[i]
        s = c2 = s2 = c3 = s3 = c4 = s4 = 0.0
        for y in range(masks[i, TOP], masks[i, BOTTOM]):
            base = starts[i] + y * widths[i]
            dy = y - cy
            for x in range(masks[i, LEFT], masks[i, RIGHT]):
                if not inside[base + x]:
                    continue
                dx = x - cx
                r = np.sqrt(dx * dx + dy * dy)
                if r == 0.0:
                    continue
                weight = abs(image[base + x] - b)
                u, v = dx / r, dy / r
                a, e = u * u - v * v, 2.0 * u * v
                weight *= r
                s += weight
                c2 += weight * a
                s2 += weight * e
                c3 += weight * (a * u - e * v)
                s3 += weight * (a * v + e * u)
                c4 += weight * (a * a - e * e)
                s4 += weight * (2.0 * a * e)
        row = out[i]
        row[RADIUS] = s
        row[COS_2], row[SIN_2] = c2, s2
        row[COS_3], row[SIN_3] = c3, s3
        row[COS_4], row[SIN_4] = c4, s4


@kernel
def outline_distances(
    inside: NDArray[np.bool_],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    masks: NDArray[np.int64],
    out: NDArray[np.float64],
) -> Any:
    """Distances ``(n, OUTLINE_COLUMNS)`` from the centroid to the outline, in pixels.

    The outline is every mask pixel with a 4-neighbour outside the mask or the
    image. Sums are of the excess over the first distance: a constant distance
    has no spread, exactly. Nothing depends on where in the image the mask lies.
    """
    for i in range(len(widths)):
        height, width, n = heights[i], widths[i], masks[i, COUNT]
        row = out[i]
        row[:] = 0.0
        if not n:
            continue
        x0, y0 = masks[i, X0], masks[i, Y0]
        cx, cy = masks[i, SUM_X] / n, masks[i, SUM_Y] / n
        for y in range(masks[i, TOP], masks[i, BOTTOM]):
            base = starts[i] + y * width
            edge = y == 0 or y == height - 1
            for x in range(masks[i, LEFT], masks[i, RIGHT]):
                at = base + x
                if not inside[at]:
                    continue
                if not (edge or x == 0 or x == width - 1) and (
                    inside[at - 1] and inside[at + 1] and inside[at - width] and inside[at + width]
                ):
                    continue
                dx, dy = (x - x0) - cx, (y - y0) - cy
                r = np.sqrt(dx * dx + dy * dy)
                if row[POINTS] == 0.0:
                    row[FIRST] = r
                row[POINTS] += 1.0
                row[EXCESS] += r - row[FIRST]
                row[EXCESS_2] += (r - row[FIRST]) * (r - row[FIRST])
