"""Features of the single components of a mask, by which Component and Range choose.

Each component is made an object of its own: the images around it, its pixels as
the mask. The features are then those of the package, computed in the usual way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import CellBatch
from ifcyto.errors import UsageError
from ifcyto.features.registry import feature_spec
from ifcyto.features.workspace import Workspace, evaluate
from ifcyto.masks.kernels.components import component_areas, component_boxes
from ifcyto.masks.library import COMPONENT_FEATURES
from ifcyto.planes import Planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RANKING", "component_values", "firsts", "ranked"]

RANKING = tuple(name for _, name in COMPONENT_FEATURES)
"""Features by which IDEAS ranks components (``ideas_features`` 2.3)."""

PIXELS_AT_ONCE = 1_000_000
"""Pixels of the planes that are held at a time; memory stays below some 50 bytes for each."""

MARGIN, DETAIL_MARGIN = 1, 14
"""Pixels around a component on which its features depend: slopes, and openings of radius 7."""

MASK = "component"


def component_values(
    work: Workspace,
    labels: NDArray[np.int32],
    counts: NDArray[np.int64],
    feature: str,
    image: int | None = None,
    image2: int | None = None,
) -> NDArray[np.float64]:
    """Compute one feature of every component of a batch.

    Parameters
    ----------
    work : Workspace
    labels : ndarray (P,) of int32
        0 outside, 1 to k inside, for each object.
    counts : ndarray (n,) of int
        k of each object.
    feature : str
        A name of :data:`RANKING`.
    image, image2 : int or None
        Channels, as the feature needs them.

    Returns
    -------
    ndarray (sum of counts,) of float64
        Object by object, in the order of the labels.

    Raises
    ------
    UsageError
        The feature cannot rank components, or it needs an image that is not given.
    """
    channels = _channels_for(feature, image, image2)
    if feature == "Area":
        areas = component_areas(labels, work.planes.starts, firsts(counts), int(counts.sum()))
        square_um: NDArray[np.float64] = areas * np.float64(work.planes.pixel_size_um**2)
        return square_um
    owners = np.repeat(np.arange(len(counts)), counts)
    numbers = np.arange(len(owners)) - firsts(counts)[owners] + 1
    boxes = _boxes(work, labels, counts, DETAIL_MARGIN if "Bright Detail" in feature else MARGIN)
    values = np.empty(len(owners), np.float64)
    part = np.cumsum(np.prod(boxes[:, 1::2] - boxes[:, ::2], axis=1)) // PIXELS_AT_ONCE
    for chunk in np.unique(part):
        here = part == chunk
        with np.errstate(invalid="ignore", over="ignore"):  # pixels that are not finite
            values[here] = _chunk_values(
                work, labels, (owners[here], numbers[here], boxes[here]), feature, channels
            )
    return values


def ranked(
    values: NDArray[np.float64], counts: NDArray[np.int64], rank: int, *, ascending: bool
) -> NDArray[np.bool_]:
    """Mark the component of each object that has the given rank.

    Parameters
    ----------
    values : ndarray (m,) of float64
        One for each component, object by object; NaN comes last.
    counts : ndarray (n,) of int
        Components of each object.
    rank : int
        From 1.
    ascending : bool
        Whether rank 1 has the smallest value.

    Returns
    -------
    ndarray (m,) of bool

    Examples
    --------
    >>> ranked(np.array([3.0, 5.0, 4.0]), np.array([2, 1]), 1, ascending=False).tolist()
    [False, True, True]
    """
    owners = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((values if ascending else -values, owners))
    place = np.arange(len(order)) - firsts(counts)[owners] + 1
    chosen = np.zeros(len(order), bool)
    chosen[order[place == rank]] = True
    return chosen


def firsts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place ``(n,)`` of the first of each group among all, from the sizes of the groups."""
    before: NDArray[np.int64] = np.cumsum(counts, dtype=np.int64) - counts
    return before


def _channels_for(feature: str, image: int | None, image2: int | None) -> tuple[int, ...]:
    """Channels that a feature needs, or say what is missing."""
    if feature not in RANKING:
        msg = f"expected a feature that ranks components, found {feature!r}; use one of: {', '.join(RANKING)}"
        raise UsageError(msg)
    if feature == "Area":
        return ()
    needed = feature_spec(feature).takes.arguments.count("i")
    given = [channel for channel in (image, image2) if channel is not None]
    if len(given) < needed:
        msg = f"expected {needed} images to rank components by {feature!r}, found {len(given)}; name them"
        raise UsageError(msg)
    return tuple(given[:needed])


def _boxes(
    work: Workspace, labels: NDArray[np.int32], counts: NDArray[np.int64], margin: int
) -> NDArray[np.int64]:
    """Top, bottom, left and right of every component with a margin, as far as the image reaches."""
    starts, heights, widths = work.geometry
    boxes: NDArray[np.int64] = component_boxes(labels, starts, widths, firsts(counts), int(counts.sum()))
    boxes[:, ::2] = np.maximum(boxes[:, ::2] - margin, 0)
    limits = np.repeat(np.stack([heights, widths], axis=1), counts, axis=0)
    boxes[:, 1::2] = np.minimum(boxes[:, 1::2] + margin, limits)
    return boxes


def _chunk_values(
    work: Workspace,
    labels: NDArray[np.int32],
    components: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    feature: str,
    channels: tuple[int, ...],
) -> NDArray[np.float64]:
    """Values of some components, given by object, number and box: the images in each one's box."""
    planes = work.planes
    owners, numbers, boxes = components
    top, bottom, left, right = boxes.T
    heights, widths = bottom - top, right - left
    sizes = heights * widths
    stride = planes.widths[owners].astype(np.int64)
    row = np.arange(heights.sum()) - np.repeat(firsts(heights), heights)
    begins = np.repeat(planes.starts[owners] + top * stride + left, heights) + row * np.repeat(
        stride, heights
    )
    lengths = np.repeat(widths, heights)
    source = np.arange(lengths.sum()) + np.repeat(begins - firsts(lengths), lengths)
    mask: NDArray[np.bool_] = labels[source] == np.repeat(numbers, sizes)
    images = [work.image(channel) for channel in channels] or [np.zeros(planes.starts[-1], np.int8)]
    pixels = _object_major([image[source] for image in images], sizes)
    used, facts = list(channels) or [0], {}
    if channels:
        facts["background_mean"] = planes.background_mean[owners][:, used]
        facts["background_sd"] = planes.background_sd[owners][:, used]
    batch = CellBatch(
        np.arange(len(owners)),
        heights.astype(np.int32),
        widths.astype(np.int32),
        len(images),
        pixels,
        None,
        facts,
    )
    parts = Planes(batch, [planes.channels[c] for c in used], pixel_size_um=planes.pixel_size_um)
    pieces = Workspace(parts, lambda name: mask)
    return evaluate(pieces, feature_spec(feature), (MASK, *range(len(channels))))


def _object_major(images: list[NDArray[Any]], sizes: NDArray[np.int64]) -> NDArray[Any]:
    """Planes of one channel after the other, as one object after the other."""
    if len(images) == 1:
        return images[0]
    out = np.empty(2 * len(images[0]), np.result_type(*images))
    ends = np.cumsum(sizes)
    shift = np.repeat(ends - sizes, sizes)
    places = np.arange(len(images[0]))
    for number, image in enumerate(images):
        out[places + shift + number * np.repeat(sizes, sizes)] = image
    return out
