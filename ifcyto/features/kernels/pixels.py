"""Compiled loops over the pixel values of one image inside a mask.

The pixels of a mask come as `places` in the flat image, object after object:
those of object i are ``places[bounds[i] : bounds[i + 1]]``. A loop thus meets
only pixels that count, and an object without any leaves its row as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "HIGH",
    "LOW",
    "MAXIMUM",
    "MEDIAN",
    "MINIMUM",
    "ORDERS",
    "SUM",
    "TOTALS",
    "UPPER",
    "order_by_count",
    "order_by_sort",
    "square_sums",
    "totals",
]

SUM, MINIMUM, MAXIMUM = range(3)
"""Columns of :func:`totals`."""
TOTALS = 3

MEDIAN, LOW, HIGH, UPPER = range(4)
"""Columns of the order statistics: median, 2nd and 98th percentile, mean of the upper quartile."""
ORDERS = 4

MOST_BINS = 65536
BINS_A_PIXEL = 32
"""Counting is faster than sorting while there are at most so many values to a pixel."""


@kernel
def totals(
    image: NDArray[Any], places: NDArray[np.int32], bounds: NDArray[np.int64], out: NDArray[np.float64]
) -> None:
    """Sum, minimum and maximum of the pixels of each object.

    Parameters
    ----------
    image : ndarray (P,) of int32 or float64
    places : ndarray (M,) of int32
    bounds : ndarray (n + 1,) of int64
    out : ndarray (n, TOTALS)
        Result. A sum of int32 is taken in int64: exact, as long as it is below 2^53.
    """
    for i in range(len(bounds) - 1):
        inside = places[bounds[i] : bounds[i + 1]]
        if len(inside) == 0:
            continue
        low, high, total = image[inside[0]], image[inside[0]], np.int64(0)
        for place in inside:
            value = image[place]
            total += value
            low = value if value < low else low
            high = value if value > high else high
        out[i, SUM] = total
        out[i, MINIMUM] = low
        out[i, MAXIMUM] = high


@kernel
def square_sums(
    image: NDArray[Any], places: NDArray[np.int32], bounds: NDArray[np.int64], out: NDArray[np.float64]
) -> None:
    """N times the sum of squared deviations from the mean, for each object.

    Values are taken from the first pixel on, so that a constant image gives
    exactly 0 and integers stay exact up to 2^53; beyond, and for floats, the
    error is that of doubles. No value of int32 overflows.

    Parameters
    ----------
    image : ndarray (P,) of int32 or float64
    places : ndarray (M,) of int32
    bounds : ndarray (n + 1,) of int64
    out : ndarray (n,)
        Result: N sum(d^2) - sum(d)^2 = N^2 variance.
    """
    for i in range(len(bounds) - 1):
        inside = places[bounds[i] : bounds[i + 1]]
        if len(inside) == 0:
            continue
        first, total, squares = np.float64(image[inside[0]]), 0.0, 0.0
        for place in inside:
            off = np.float64(image[place]) - first
            total += off
            squares += off * off
        out[i] = len(inside) * squares - total * total


@kernel
def _most(bounds: NDArray[np.int64]) -> int:
    """Pixels of the largest object."""
    most = 0
    for i in range(len(bounds) - 1):
        most = max(most, bounds[i + 1] - bounds[i])
    return most


@kernel
def _from_sorted(values: NDArray[Any], out: NDArray[np.float64]) -> None:
    """Order statistics of sorted values."""
    n = len(values)
    out[LOW] = values[2 * n // 100]
    out[HIGH] = values[98 * n // 100]
    out[MEDIAN] = 0.5 * np.float64(values[(n - 1) // 2]) + 0.5 * np.float64(values[n // 2])
    total = 0.0
    for at in range(3 * n // 4, n):
        total += values[at]
    out[UPPER] = total / (n - 3 * n // 4)


@kernel
def _from_counts(counts: NDArray[np.int32], n: int, lowest: int, out: NDArray[np.float64]) -> None:
    """Order statistics of n values of which ``counts[k]`` are `lowest` + k; leaves the counts at 0."""
    upper, seen, total, middle = 3 * n // 4, 0, 0, 0
    for k in range(len(counts)):
        count = counts[k]
        if count == 0:
            continue
        counts[k] = 0
        before, seen, value = seen, seen + count, lowest + k
        if before <= 2 * n // 100 < seen:
            out[LOW] = value
        if before <= 98 * n // 100 < seen:
            out[HIGH] = value
        if before <= (n - 1) // 2 < seen:
            middle += value
        if before <= n // 2 < seen:
            middle += value
        if seen > upper:
            total += value * (seen - max(before, upper))
    out[MEDIAN] = 0.5 * middle
    out[UPPER] = np.float64(total) / (n - upper)


@kernel
def order_by_count(
    image: NDArray[np.int32], places: NDArray[np.int32], bounds: NDArray[np.int64], out: NDArray[np.float64]
) -> None:
    """Order statistics of integer pixels, by counting each value where there are few.

    The rank of a quantile q of N pixels is floor(q N), from 0: the lower index.

    Parameters
    ----------
    image : ndarray (P,) of int32
    places : ndarray (M,) of int32
    bounds : ndarray (n + 1,) of int64
    out : ndarray (n, ORDERS)
        Result.
    """
    scratch = np.empty(_most(bounds), image.dtype)
    counts = np.zeros(MOST_BINS, np.int32)
    for i in range(len(bounds) - 1):
        inside = places[bounds[i] : bounds[i + 1]]
        n = len(inside)
        if n == 0:
            continue
        values = scratch[:n]
        low, high = image[inside[0]], image[inside[0]]
        for k in range(n):
            value = image[inside[k]]
            values[k] = value
            low = value if value < low else low
            high = value if value > high else high
        span = np.int64(high) - np.int64(low) + 1
        if span > min(MOST_BINS, BINS_A_PIXEL * n):
            values.sort()
            _from_sorted(values, out[i])
            continue
        for value in values:
            counts[value - low] += 1
        _from_counts(counts[:span], n, np.int64(low), out[i])


@kernel
def order_by_sort(
    image: NDArray[np.float64],
    places: NDArray[np.int32],
    bounds: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Order statistics of pixels of any kind; arguments as in :func:`order_by_count`."""
    scratch = np.empty(_most(bounds), image.dtype)
    for i in range(len(bounds) - 1):
        inside = places[bounds[i] : bounds[i + 1]]
        if len(inside) == 0:
            continue
        values = scratch[: len(inside)]
        for k in range(len(inside)):
            values[k] = image[inside[k]]
        values.sort()
        _from_sorted(values, out[i])
