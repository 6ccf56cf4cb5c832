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

__all__ = ["above_background", "above_percent", "log_content"]


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
