"""Compiled loops that choose pixels by their brightness.

Every loop runs over all objects of a batch. Pixels that are not finite are
never chosen and never move a limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BINS", "above_background", "above_percent", "brightest_class", "log_content", "zones"]

BINS = 256
"""Bins of the histogram from which Otsu's threshold is taken."""

ZONE_BINS = 64
"""Bins of the histogram from which the two thresholds of three zones are taken."""


@kernel
def above_percent(
    image: NDArray[Any], start: NDArray[np.bool_], starts: NDArray[np.int64], percent: float
) -> Any:
    """Keep pixels above ``max - percent / 100 (max - min)``, extremes inside the mask.

    Parameters
    ----------
    image : ndarray (P,) of int32 or float64
    start : ndarray (P,) of bool
    starts : ndarray (n + 1,) of int64
    percent : float

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`. The comparison is exact for whole numbers.
    """
    out = np.zeros(len(start), np.bool_)
    for i in range(len(starts) - 1):
        low, high = np.inf, -np.inf
        for at in range(starts[i], starts[i + 1]):
            value = float(image[at])
            if start[at] and np.isfinite(value):
                low = min(low, value)
                high = max(high, value)
        if low > high:
            continue
        level = (100.0 - percent) * high + percent * low
        for at in range(starts[i], starts[i + 1]):
            value = float(image[at])
            out[at] = start[at] and 100.0 * value > level and np.isfinite(value)
    return out


@kernel
def above_background(
    image: NDArray[Any],
    detail: NDArray[Any],
    start: NDArray[np.bool_],
    starts: NDArray[np.int64],
    background: NDArray[np.float64],
    floor: NDArray[np.float64],
    ratio: float,
    sign: float,
) -> Any:
    """Keep pixels whose detail is positive and at least `ratio` times the level of the cell.

    Parameters
    ----------
    image, detail : ndarray (P,) of int32 or float64
    start : ndarray (P,) of bool
    starts : ndarray (n + 1,) of int64
    background, floor : ndarray (n,) of float64
        The level is the mean inside the mask of the image less its detail and its
        background, at least `floor`.
    ratio : float
    sign : float
        -1 to take the detail off the image (bright), 1 to add it (dark).

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`.
    """
    out = np.zeros(len(start), np.bool_)
    for i in range(len(starts) - 1):
        total, count = 0.0, 0
        for at in range(starts[i], starts[i + 1]):
            value = float(image[at]) + sign * float(detail[at])
            if start[at] and np.isfinite(value):
                total += value
                count += 1
        if count == 0:
            continue
        level = ratio * max(total / count - background[i], floor[i])
        for at in range(starts[i], starts[i + 1]):
            value = float(detail[at])
            out[at] = start[at] and value > 0.0 and value >= level and np.isfinite(value)
    return out


@kernel
def log_content(
    image: NDArray[Any],
    start: NDArray[np.bool_],
    starts: NDArray[np.int64],
    background: NDArray[np.float64],
    floor: NDArray[np.float64],
    absolute: int,
) -> Any:
    """Logarithm of the background-subtracted pixels inside the mask; NaN elsewhere.

    Parameters
    ----------
    image : ndarray (P,) of int32 or float64
    start : ndarray (P,) of bool
    starts : ndarray (n + 1,) of int64
    background : ndarray (n,) of float64
    floor : ndarray (n,) of float64
        Smallest value before the logarithm; positive.
    absolute : int
        1 to take distances from the background.

    Returns
    -------
    ndarray (P,) of float64
    """
    out = np.full(len(start), np.nan)
    for i in range(len(starts) - 1):
        for at in range(starts[i], starts[i + 1]):
            if start[at]:
                value = float(image[at]) - background[i]
                if absolute:
                    value = abs(value)
                if np.isfinite(value):
                    out[at] = np.log(max(value, floor[i]))
    return out


@kernel
def _histogram(values: NDArray[np.float64], first: int, last: int, counts: NDArray[np.int64]) -> Any:
    """Count the finite values of one object in equal bins; return the lowest and the bins per unit."""
    low, high = np.inf, -np.inf
    counts[:] = 0
    for at in range(first, last):
        if np.isfinite(values[at]):
            low = min(low, values[at])
            high = max(high, values[at])
    scale = len(counts) / (high - low) if high > low else 0.0
    if not np.isfinite(scale):
        scale = 0.0
    for at in range(first, last):
        if np.isfinite(values[at]):
            counts[_place(values[at], low, scale, len(counts))] += 1
    return low, scale


@kernel
def _place(value: float, low: float, scale: float, n_bins: int) -> Any:
    return min(int((value - low) * scale), n_bins - 1)


@kernel
def brightest_class(values: NDArray[np.float64], starts: NDArray[np.int64]) -> Any:
    """Keep what is above Otsu's threshold (1979) of each object's finite values.

    Parameters
    ----------
    values : ndarray (P,) of float64
        NaN where there is nothing to choose.
    starts : ndarray (n + 1,) of int64

    Returns
    -------
    ndarray (P,) of bool
        False for every pixel of an object whose values are all equal.
    """
    out = np.zeros(len(values), np.bool_)
    counts = np.zeros(BINS, np.int64)
    for i in range(len(starts) - 1):
        low, scale = _histogram(values, starts[i], starts[i + 1], counts)
        if scale == 0.0:
            continue
        total, moment = 0.0, 0.0
        for k in range(BINS):
            total += counts[k]
            moment += k * counts[k]
        below, partial, best, cut = 0.0, 0.0, -1.0, 0
        for k in range(BINS - 1):
            below += counts[k]
            partial += k * counts[k]
            if below == 0.0 or below == total:
                continue
            gap = partial * total - moment * below
            spread = gap * gap / (below * (total - below))
            if spread > best:
                best, cut = spread, k
        for at in range(starts[i], starts[i + 1]):
            if np.isfinite(values[at]):
                out[at] = _place(values[at], low, scale, BINS) > cut
    return out


@kernel
def zones(values: NDArray[np.float64], starts: NDArray[np.int64]) -> Any:
    """Split each object's finite values into three classes by Otsu's criterion.

    Parameters
    ----------
    values : ndarray (P,) of float64
        NaN where there is nothing to split.
    starts : ndarray (n + 1,) of int64

    Returns
    -------
    ndarray (P,) of uint8
        1 dim, 2 middle, 3 bright, 0 for nothing. All are 1 where all values are equal.
    """
    out = np.zeros(len(values), np.uint8)
    counts = np.zeros(ZONE_BINS, np.int64)
    number = np.zeros(ZONE_BINS + 1)
    moment = np.zeros(ZONE_BINS + 1)
    for i in range(len(starts) - 1):
        low, scale = _histogram(values, starts[i], starts[i + 1], counts)
        for k in range(ZONE_BINS):
            number[k + 1] = number[k] + counts[k]
            moment[k + 1] = moment[k] + k * counts[k]
        first, second = _two_cuts(number, moment)
        for at in range(starts[i], starts[i + 1]):
            if np.isfinite(values[at]):
                k = _place(values[at], low, scale, ZONE_BINS)
                out[at] = 1 + (k >= first) + (k >= second)
    return out


@kernel
def _two_cuts(number: NDArray[np.float64], moment: NDArray[np.float64]) -> Any:
    """First bins of the middle and the bright class, from running sums of counts and of bin times count."""
    n_bins = len(number) - 1
    best, first, second = -1.0, n_bins, n_bins
    for a in range(1, n_bins):
        if number[a] == 0.0:
            continue
        dim = moment[a] * moment[a] / number[a]
        for b in range(a + 1, n_bins):
            middle_number = number[b] - number[a]
            bright_number = number[n_bins] - number[b]
            if bright_number == 0.0:
                continue
            middle, bright = moment[b] - moment[a], moment[n_bins] - moment[b]
            spread = dim + bright * bright / bright_number
            if middle_number > 0.0:
                spread += middle * middle / middle_number
            if spread > best:
                best, first, second = spread, a, b
    return first, second
