"""Compiled loops that split the pixels of each object in classes of brightness (Otsu 1979).

Every loop runs over all objects of a batch; values that are not finite belong to no class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BINS", "ZONE_BINS", "brightest_class", "zones"]

BINS = 256
"""Bins of the histogram from which Otsu's threshold is taken."""

ZONE_BINS = 64
"""Bins of the histogram from which the two thresholds of three zones are taken."""


@kernel
def _finite(
    values: NDArray[np.float64],
    first: int,
    last: int,
    chosen: NDArray[np.float64],
    places: NDArray[np.int64],
) -> Any:
    """Gather the finite values of one object and where they are; return their number."""
    count = 0
    for at in range(first, last):
        if np.isfinite(values[at]):
            chosen[count] = values[at]
            places[count] = at
            count += 1
    return count


@kernel
def _binned(chosen: NDArray[np.float64], bins: NDArray[np.int64], counts: NDArray[np.int64]) -> Any:
    """Put values in equal bins and count them; return whether they differ."""
    low, high = np.inf, -np.inf
    for value in chosen:
        low = min(low, value)
        high = max(high, value)
    scale = len(counts) / (high - low) if high > low else 0.0
    if not 0.0 < scale < np.inf:  # equal values, or so far apart (so near) that their distance is no number
        bins[: len(chosen)] = 0
        counts[:] = 0
        counts[0] = len(chosen)
        return False
    counts[:] = 0
    for k in range(len(chosen)):
        bins[k] = min(int((chosen[k] - low) * scale), len(counts) - 1)
        counts[bins[k]] += 1
    return True


@kernel
def _largest(starts: NDArray[np.int64]) -> Any:
    """Pixels of the largest plane."""
    size = 1
    for i in range(len(starts) - 1):
        size = max(size, starts[i + 1] - starts[i])
    return size


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
    counts, size = np.zeros(BINS, np.int64), _largest(starts)
    chosen, places, bins = np.empty(size, np.float64), np.empty(size, np.int64), np.empty(size, np.int64)
    for i in range(len(starts) - 1):
        number = _finite(values, starts[i], starts[i + 1], chosen, places)
        if not _binned(chosen[:number], bins, counts):
            continue
        cut = _one_cut(counts)
        for k in range(number):
            out[places[k]] = bins[k] > cut
    return out


@kernel
def _one_cut(counts: NDArray[np.int64]) -> Any:
    """Last bin of the lower class, by Otsu's criterion."""
    total, moment = 0.0, 0.0
    for k in range(len(counts)):
        total += counts[k]
        moment += k * counts[k]
    below, partial, best, cut = 0.0, 0.0, -1.0, 0
    for k in range(len(counts) - 1):
        if counts[k] == 0:
            continue
        below += counts[k]
        partial += k * counts[k]
        if below == total:
            break
        gap = partial * total - moment * below
        spread = gap * gap / (below * (total - below))
        if spread > best:
            best, cut = spread, k
    return cut


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
    counts, size = np.zeros(ZONE_BINS, np.int64), _largest(starts)
    chosen, places, bins = np.empty(size, np.float64), np.empty(size, np.int64), np.empty(size, np.int64)
    for i in range(len(starts) - 1):
        number = _finite(values, starts[i], starts[i + 1], chosen, places)
        _binned(chosen[:number], bins, counts)
        first, second = _two_cuts(counts)
        for k in range(number):
            out[places[k]] = 1 + (bins[k] >= first) + (bins[k] >= second)
    return out


@kernel
def _two_cuts(counts: NDArray[np.int64]) -> Any:
    """First bins of the middle and the bright class, by Otsu's criterion."""
    n_bins = len(counts)
    number, moment = np.zeros(n_bins + 1), np.zeros(n_bins + 1)
    for k in range(n_bins):
        number[k + 1] = number[k] + counts[k]
        moment[k + 1] = moment[k] + k * counts[k]
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
