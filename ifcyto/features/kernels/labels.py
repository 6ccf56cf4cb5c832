"""Compiled loops over connected components: labels, sizes, distances, means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "AREA_MIN",
    "DISTANCE_MIN",
    "MEAN_MAX",
    "MEAN_MIN",
    "label_planes",
    "part_means",
    "part_sizes",
    "root",
]

AREA_MIN, DISTANCE_MIN = 0, 1
"""Columns of `part_sizes`."""
MEAN_MIN, MEAN_MAX = 0, 1
"""Columns of `part_means`."""


@kernel
def root(parent: NDArray[np.int32], item: int) -> Any:
    """First of the items that `item` was joined with; the way to it is made shorter."""
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item


@kernel
def _join(parent: NDArray[np.int32], one: int, other: int) -> Any:
    """Unite two labels; 0 stands for none. The smaller root stays, so that roots keep raster order."""
    if one == 0 or one == other:
        return other
    if other == 0:
        return one
    a, b = root(parent, one), root(parent, other)
    low, high = min(a, b), max(a, b)
    parent[high] = low
    return low


@kernel
def _first_labels(
    mask: NDArray[np.bool_],
    labels: NDArray[np.int32],
    parent: NDArray[np.int32],
    shape: tuple[int, int, int],
    neighbours: int,
) -> Any:
    """Give each pixel of one plane the label of a neighbour already seen, or a new one; return how many."""
    start, height, width = shape
    corners = neighbours == 8
    count = 0
    for r in range(height):
        base = start + r * width
        for c in range(width):
            at = base + c
            if not mask[at]:
                continue
            label = labels[at - 1] if c > 0 else 0
            if r > 0:
                label = _join(parent, label, labels[at - width])
                if corners and c > 0:
                    label = _join(parent, label, labels[at - width - 1])
                if corners and c < width - 1:
                    label = _join(parent, label, labels[at - width + 1])
            if label == 0:
                count += 1
                parent[count] = count
                label = count
            labels[at] = label
    return count


@kernel
def label_planes(
    mask: NDArray[np.bool_],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
    neighbours: int,
) -> Any:
    """Number the connected components of every plane.

    Parameters
    ----------
    mask : ndarray (P,) of bool
    starts, heights, widths : ndarray
        Geometry of the planes.
    neighbours : int
        4, or 8 where pixels that share only a corner are connected.

    Returns
    -------
    labels : ndarray (P,) of int32
        0 outside, else 1 to k in raster order of the components' first pixels.
    counts : ndarray (n,) of int64
        k of each plane.
    """
    labels = np.zeros(len(mask), np.int32)
    counts = np.zeros(len(heights), np.int64)
    largest = 1
    for i in range(len(heights)):
        largest = max(largest, starts[i + 1] - starts[i])
    parent = np.zeros(largest + 1, np.int32)
    final = np.zeros(largest + 1, np.int32)
    for i in range(len(heights)):
        shape = (starts[i], np.int64(heights[i]), np.int64(widths[i]))
        provisional = _first_labels(mask, labels, parent, shape, neighbours)
        count = 0
        for label in range(1, provisional + 1):
            top = root(parent, label)
            if top == label:
                count += 1
                final[label] = count
            else:
                final[label] = final[top]
        if count < provisional:
            for at in range(starts[i], starts[i + 1]):
                labels[at] = final[labels[at]]
        counts[i] = count
    return labels, counts


@kernel
def _part_sums(
    labels: NDArray[np.int32], start: int, height: int, width: int, sums: NDArray[np.int64]
) -> None:
    """Pixels, sum of x and sum of y of each label of one plane."""
    for r in range(height):
        for c in range(width):
            label = labels[start + r * width + c]
            if label:
                sums[label, 0] += 1
                sums[label, 1] += c
                sums[label, 2] += r


@kernel
def _nearest(centres: NDArray[np.float64]) -> Any:
    """Smallest squared distance of two of the points ``(k, 2)``, taken row by row from the top."""
    order = np.argsort(centres[:, 1])
    nearest = np.inf
    for a in range(len(order)):
        x, y = centres[order[a], 0], centres[order[a], 1]
        for b in range(a + 1, len(order)):
            dx, dy = centres[order[b], 0] - x, centres[order[b], 1] - y
            if dy * dy >= nearest:
                break
            nearest = min(nearest, dx * dx + dy * dy)
    return nearest


@kernel
def part_sizes(
    labels: NDArray[np.int32],
    counts: NDArray[np.int64],
    starts: NDArray[np.int64],
    heights: NDArray[np.int32],
    widths: NDArray[np.int32],
) -> Any:
    """Pixels of the smallest component, and the smallest distance between two centroids.

    Returns
    -------
    ndarray (n, 2) of float64
        Columns AREA_MIN and DISTANCE_MIN (pixels); the distance is 0 for fewer than two components.
    """
    out = np.zeros((len(heights), 2))
    most = counts.max() if len(counts) else 0
    sums = np.zeros((most + 1, 3), np.int64)
    centres = np.zeros((most, 2))
    for i in range(len(heights)):
        count = counts[i]
        if count == 0:
            continue
        sums[: count + 1] = 0
        _part_sums(labels, starts[i], heights[i], widths[i], sums)
        smallest = sums[1, 0]
        for label in range(1, count + 1):
            smallest = min(smallest, sums[label, 0])
            centres[label - 1, 0] = sums[label, 1] / sums[label, 0]
            centres[label - 1, 1] = sums[label, 2] / sums[label, 0]
        out[i, AREA_MIN] = smallest
        out[i, DISTANCE_MIN] = np.sqrt(_nearest(centres[:count])) if count > 1 else 0.0
    return out


@kernel
def part_means(
    image: NDArray[Any], labels: NDArray[np.int32], counts: NDArray[np.int64], starts: NDArray[np.int64]
) -> Any:
    """Smallest and largest mean pixel over the components of each plane.

    Returns
    -------
    ndarray (n, 2) of float64
        Columns MEAN_MIN and MEAN_MAX, counts; NaN where there is no component.
    """
    out = np.full((len(counts), 2), np.nan)
    most = counts.max() if len(counts) else 0
    sums = np.zeros(most + 1)
    sizes = np.zeros(most + 1)
    for i in range(len(counts)):
        count = counts[i]
        if count == 0:
            continue
        sums[: count + 1] = 0
        sizes[: count + 1] = 0
        for at in range(starts[i], starts[i + 1]):
            label = labels[at]
            if label:
                sums[label] += image[at]
                sizes[label] += 1
        low, high = sums[1] / sizes[1], sums[1] / sizes[1]
        for label in range(2, count + 1):
            low = min(low, sums[label] / sizes[label])
            high = max(high, sums[label] / sizes[label])
        out[i, MEAN_MIN], out[i, MEAN_MAX] = low, high
    return out
