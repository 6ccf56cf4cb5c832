"""Compiled loops over two or three images inside a mask, and over their cross-correlation.

`places` and `bounds` are those of ``ifcyto.features.kernels.pixels``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "HEIGHT",
    "LEFT",
    "PEAK",
    "SHIFT_X",
    "SHIFT_Y",
    "TOP",
    "WIDTH",
    "covariances",
    "fill_boxes",
    "find_peaks",
    "products",
    "triple_products",
]

TOP, LEFT, HEIGHT, WIDTH = range(4)
"""Columns of a box: its first row and column in the image, and its sides, pixels."""

PEAK, SHIFT_X, SHIFT_Y = range(3)
"""Columns of :func:`find_peaks`."""

FARTHEST_SUBPIXEL = 10


@kernel
def covariances(
    first: NDArray[Any],
    second: NDArray[Any],
    places: NDArray[np.int32],
    bounds: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """N times the centred sums AB, AA, BB of each object.

    Values are taken from the first pixel on, so that a constant image gives
    exactly 0 and integers stay exact up to 2^53.

    Parameters
    ----------
    first, second : ndarray (P,) of int32 or float64
    places : ndarray (M,) of int32
    bounds : ndarray (n + 1,) of int64
    out : ndarray (n, 3)
        Result: N sum(ab) - sum(a) sum(b), and likewise for aa and bb.
    """
    for i in range(len(bounds) - 1):
        inside = places[bounds[i] : bounds[i + 1]]
        n = len(inside)
        if n == 0:
            continue
        a0, b0 = np.float64(first[inside[0]]), np.float64(second[inside[0]])
        a_sum, b_sum, ab, aa, bb = 0.0, 0.0, 0.0, 0.0, 0.0
        for place in inside:
            a, b = np.float64(first[place]) - a0, np.float64(second[place]) - b0
            a_sum += a
            b_sum += b
            ab += a * b
            aa += a * a
            bb += b * b
        out[i, 0] = n * ab - a_sum * b_sum
        out[i, 1] = n * aa - a_sum * a_sum
        out[i, 2] = n * bb - b_sum * b_sum


@kernel
def products(
    first: NDArray[Any],
    second: NDArray[Any],
    places: NDArray[np.int32],
    bounds: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Sums AB, AA, BB of each object, not centred: ``out`` is (n, 3); else as :func:`covariances`."""
    for i in range(len(bounds) - 1):
        ab, aa, bb = 0.0, 0.0, 0.0
        for place in places[bounds[i] : bounds[i + 1]]:
            a, b = np.float64(first[place]), np.float64(second[place])
            ab += a * b
            aa += a * a
            bb += b * b
        out[i, 0], out[i, 1], out[i, 2] = ab, aa, bb


@kernel
def triple_products(
    first: NDArray[Any],
    second: NDArray[Any],
    third: NDArray[Any],
    places: NDArray[np.int32],
    bounds: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Sums ABC, AAA, BBB, CCC of each object, not centred: ``out`` is (n, 4)."""
    for i in range(len(bounds) - 1):
        abc, aaa, bbb, ccc = 0.0, 0.0, 0.0, 0.0
        for place in places[bounds[i] : bounds[i + 1]]:
            a, b, c = np.float64(first[place]), np.float64(second[place]), np.float64(third[place])
            abc += a * b * c
            aaa += a * a * a
            bbb += b * b * b
            ccc += c * c * c
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = abc, aaa, bbb, ccc


@kernel
def fill_boxes(
    image: NDArray[Any],
    background: NDArray[np.float64],
    places: NDArray[np.int32],
    bounds: NDArray[np.int64],
    starts: NDArray[np.int64],
    widths: NDArray[np.int32],
    boxes: NDArray[np.int64],
    chosen: NDArray[np.int64],
    whole: bool,  # noqa: FBT001 - kernels take no keywords
    out: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> None:
    """Copy objects, background subtracted and 0 outside the mask, into equal boxes.

    Parameters
    ----------
    image : ndarray (P,) of int32 or float64
        A pixel that is not finite counts as 0.
    background : ndarray (n,)
        Subtracted from every pixel of the mask.
    places, bounds, starts, widths, boxes : ndarray
        Of all n objects.
    chosen : ndarray (k,)
        The objects to copy.
    whole : bool
        Round the differences to whole numbers.
    out : ndarray (k, h, w) of zeros
        Result; large enough for every chosen box.
    squares : ndarray (k,)
        Result: sum of squares of each.
    """
    for k in range(len(chosen)):
        i = chosen[k]
        width, total = np.int64(widths[i]), 0.0
        row, row_start = np.int64(0), starts[i] + boxes[i, TOP] * width
        for place in places[bounds[i] : bounds[i + 1]]:
            while place >= row_start + width:
                row += 1
                row_start += width
            value = np.float64(image[place]) - background[i]
            if whole:
                value = np.rint(value)
            if not np.isfinite(value):
                value = 0.0
            out[k, row, place - row_start - boxes[i, LEFT]] = value
            total += value * value
        squares[k] = total


@kernel
def _vertex(before: float, peak: float, after: float) -> float:
    """Place of the top of the parabola through three neighbours, from the middle one."""
    bend = before - 2.0 * peak + after
    return 0.5 * (before - after) / bend if bend < 0.0 else 0.0


@kernel
def find_peaks(
    correlation: NDArray[np.float64],
    boxes: NDArray[np.int64],
    chosen: NDArray[np.int64],
    norms: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Highest value of circular cross-correlations of zero-padded boxes, and where it lies.

    Of equal values the one nearest to no shift is taken, then the first row by
    row. Within ten pixels a parabola through three neighbours in each axis
    gives the fraction; outside the overlap the correlation is 0.

    Parameters
    ----------
    correlation : ndarray (k, H, W)
        Lag (y, x) lies at row y mod H and column x mod W. Each side is at
        least twice that of the box, less one.
    boxes : ndarray (n, 4)
    chosen : ndarray (k,)
        Object of each correlation.
    norms : ndarray (k,)
        What a perfect match would give; an object with 0 is left as it is.
    out : ndarray (n, 3)
        Result: value, shift in x and shift in y in pixels.
    """
    tall, wide = correlation.shape[1:]
    for k in range(len(chosen)):
        if not norms[k] > 0.0:
            continue
        values, i = correlation[k], chosen[k]
        high, across = boxes[i, HEIGHT], boxes[i, WIDTH]
        best, far, dx, dy = -np.inf, 0, 0, 0
        for y in range(1 - high, high):
            row = values[y if y >= 0 else y + tall]
            for x in range(1 - across, across):
                value = row[x if x >= 0 else x + wide]
                if value >= best:
                    distance = x * x + y * y
                    if value > best or distance < far:
                        best, far, dx, dy = value, distance, x, y
        out[i, PEAK], out[i, SHIFT_X], out[i, SHIFT_Y] = best / norms[k], dx, dy
        if max(abs(dx), abs(dy)) <= FARTHEST_SUBPIXEL:
            left = values[dy % tall, (dx - 1) % wide] if dx - 1 > -across else 0.0
            right = values[dy % tall, (dx + 1) % wide] if dx + 1 < across else 0.0
            above = values[(dy - 1) % tall, dx % wide] if dy - 1 > -high else 0.0
            below = values[(dy + 1) % tall, dx % wide] if dy + 1 < high else 0.0
            out[i, SHIFT_X] += _vertex(left, best, right)
            out[i, SHIFT_Y] += _vertex(above, best, below)
