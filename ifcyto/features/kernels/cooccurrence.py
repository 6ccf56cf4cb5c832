"""Compiled loops for grey-level co-occurrence: all pairs, all directions, all measures in one call."""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DIRECTIONS", "LEVELS", "MEASURES", "cooccurrence"]

LEVELS = 16
"""Grey levels 0..15; one more value stands for every pixel outside the mask."""
DIRECTIONS = 4
MEASURES = ("contrast", "correlation", "energy", "entropy", "homogeneity", "variance")
"""Columns of the result come in this order, each as mean and as standard deviation."""

CONTRAST, CORRELATION, ENERGY, ENTROPY, HOMOGENEITY, VARIANCE = range(6)
STRIDE = 32
"""Places in a table of counts from one first level to the next."""

_counts = np.arange(4096, dtype=np.float64)
C_LOG_C = _counts * np.log2(np.maximum(_counts, 1))
"""c log2(c) of the counts that are met in ordinary cells."""


@kernel
def _grade(
    image: NDArray[Any], mask: NDArray[np.bool_], begin: int, height: int, width: int
) -> tuple[float, float]:
    """Lowest and highest pixel in the mask; the lowest is larger when there is none."""
    low, high = np.inf, -np.inf
    for at in range(begin, begin + height * width):
        if mask[at]:
            low = min(low, image[at])
            high = max(high, image[at])
    return low, high


@kernel
def _quantise(
    image: NDArray[Any],
    mask: NDArray[np.bool_],
    place: tuple[int, int, int],
    gap: int,
    levels: NDArray[np.uint8],
) -> None:
    """Write the level of every pixel, with `gap` outside pixels above, and before and after each row."""
    begin, height, width = place
    low, high = _grade(image, mask, begin, height, width)
    span = high - low if high > low else 1.0
    stride = width + gap
    levels[: (height + gap) * stride + gap] = LEVELS
    for row in range(height):
        source = begin + row * width
        target = (row + gap) * stride + gap
        for column in range(width):
            level = np.true_divide((image[source + column] - low) * (LEVELS - 1.0), span) + 0.5
            level = level if 0 <= level < LEVELS else 0.0
            levels[target + column] = np.uint8(level) if mask[source + column] else np.uint8(LEVELS)


@kernel
def _count(levels: NDArray[np.uint8], height: int, width: int, gap: int, counts: NDArray[np.int32]) -> None:
    """Count the pairs of levels in the directions 0, 45, 90 and 135 degrees."""
    stride = width + gap
    table = (LEVELS + 1) * STRIDE
    counts[:] = 0
    for row in range(height):
        here = (row + gap) * stride + gap
        above = here - gap * stride
        for column in range(width):
            first = levels[here + column]
            if first < LEVELS:
                line = np.int64(first) * STRIDE
                counts[line + levels[here + column + gap]] += 1
                counts[table + line + levels[above + column + gap]] += 1
                counts[2 * table + line + levels[above + column]] += 1
                counts[3 * table + line + levels[above + column - gap]] += 1


@kernel
def _c_log_c(count: int) -> float:
    return C_LOG_C[count] if count < len(C_LOG_C) else count * log2(count)


@kernel
def _measure(counts: NDArray[np.int32], measures: NDArray[np.float64]) -> bool:
    """Write the six measures of one direction; False when it has no pairs.

    The matrix is symmetric, so only pairs with i <= j are visited. The
    correlation is 1 - E[(i - j)^2] / (2 variance), NaN without variance.
    """
    total = sum_first = sum_second = sum_contrast = np.int64(0)
    energy = entropy = 0.0
    for i in range(LEVELS):
        for j in range(i, LEVELS):
            both = np.int64(counts[i * STRIDE + j]) + counts[j * STRIDE + i]
            if both == 0:
                continue
            twice = 1 if i == j else 2
            total += twice * both
            sum_first += (i + j) * both if i != j else i * both
            sum_second += (i * i + j * j) * both if i != j else i * i * both
            sum_contrast += 2 * (i - j) ** 2 * both
            energy += float(twice) * both * both
            entropy += twice * _c_log_c(both)
    if total == 0:
        return False
    mean = np.true_divide(sum_first, total)
    spread = total * sum_second - sum_first * sum_first
    squared = np.float64(total) * total
    measures[CONTRAST] = np.true_divide(sum_contrast, total * 256)
    doubled = 2.0 * spread if spread > 0 else np.nan
    measures[CORRELATION] = 1 - np.true_divide(np.float64(sum_contrast) * total, doubled)
    measures[ENERGY] = np.true_divide(energy, squared)
    measures[ENTROPY] = np.true_divide(_c_log_c(total) - entropy, total)
    measures[HOMOGENEITY] = 2 * mean
    measures[VARIANCE] = np.true_divide(spread, squared)
    return True


@kernel
def _summarise(measures: NDArray[np.float64], known: int, row: NDArray[np.float64]) -> None:
    """Mean and population standard deviation of each measure over the first `known` directions."""
    for m in range(measures.shape[1]):
        total, number = 0.0, 0
        for d in range(known):
            if not np.isnan(measures[d, m]):
                total += measures[d, m]
                number += 1
        row[2 * m : 2 * m + 2] = np.nan
        if number:
            mean, squares = total / number, 0.0
            for d in range(known):
                if not np.isnan(measures[d, m]):
                    squares += (measures[d, m] - mean) ** 2
            row[2 * m], row[2 * m + 1] = mean, np.sqrt(squares / number)


@kernel
def cooccurrence(
    image: NDArray[Any],
    mask: NDArray[np.bool_],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    distance: int,
    out: NDArray[np.float64],
) -> None:
    """Co-occurrence measures of every object.

    Parameters
    ----------
    image : ndarray (P,) of int32 or float64
    mask : ndarray (P,) of bool
    starts, heights, widths : ndarray
        Geometry of the planes.
    distance : int
        Pixels from the first to the second pixel of a pair, at least 1.
    out : ndarray (n, 12) of float64
        Result: mean and standard deviation of each of MEASURES.
    """
    largest = 0
    for i in range(len(heights)):
        largest = max(largest, (heights[i] + distance) * (widths[i] + distance) + distance)
    levels = np.empty(largest, np.uint8)
    table = (LEVELS + 1) * STRIDE
    counts = np.empty(DIRECTIONS * table, np.int32)
    measures = np.empty((DIRECTIONS, len(MEASURES)))
    for i in range(len(heights)):
        height, width = np.int64(heights[i]), np.int64(widths[i])
        _quantise(image, mask, (starts[i], height, width), distance, levels)
        _count(levels, height, width, distance, counts)
        known = 0
        for d in range(DIRECTIONS):
            if _measure(counts[d * table : (d + 1) * table], measures[known]):
                known += 1
        _summarise(measures, known, out[i])
