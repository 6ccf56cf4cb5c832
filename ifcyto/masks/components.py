"""Features of the single components of a mask, by which Component and Range choose.

Each component is made an object of its own: the same images, its pixels as the
mask. The features are then those of the package, computed in the usual way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import CellBatch
from ifcyto.errors import UsageError
from ifcyto.features.registry import feature_spec
from ifcyto.features.workspace import Workspace, evaluate
from ifcyto.masks.kernels.components import component_areas
from ifcyto.masks.library import COMPONENT_FEATURES
from ifcyto.planes import Planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RANKING", "component_values", "firsts", "ranked"]

RANKING = tuple(name for _, name in COMPONENT_FEATURES)
"""Features by which IDEAS ranks components (``ideas_features`` 2.3)."""

PIXELS_AT_ONCE = 1_000_000
"""Pixels of the planes that are held at a time; memory stays below some 50 bytes for each."""

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
    sizes = np.diff(work.planes.starts)
    owners = np.repeat(np.arange(len(counts)), counts)
    numbers = np.arange(len(owners)) - firsts(counts)[owners] + 1
    values = np.empty(len(owners), np.float64)
    part = np.cumsum(sizes[owners]) // PIXELS_AT_ONCE
    for chunk in np.unique(part):
        here = part == chunk
        with np.errstate(invalid="ignore", over="ignore"):  # pixels that are not finite
            values[here] = _chunk_values(work, labels, owners[here], numbers[here], feature, channels)
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
    """Place ``(n,)`` of each object's first component among those of the batch."""
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


def _chunk_values(
    work: Workspace,
    labels: NDArray[np.int32],
    owners: NDArray[np.int64],
    numbers: NDArray[np.int64],
    feature: str,
    channels: tuple[int, ...],
) -> NDArray[np.float64]:
    """Values of some components: the planes of their objects, once for each."""
    planes = work.planes
    sizes = np.diff(planes.starts)[owners]
    ends = np.cumsum(sizes)
    source = np.arange(ends[-1]) + np.repeat(planes.starts[owners] - (ends - sizes), sizes)
    mask: NDArray[np.bool_] = labels[source] == np.repeat(numbers, sizes)
    images = [work.image(channel) for channel in channels] or [np.zeros(planes.starts[-1], np.int8)]
    pixels = _object_major([image[source] for image in images], sizes)
    used, facts = list(channels) or [0], {}
    if channels:
        facts["background_mean"] = planes.background_mean[owners][:, used]
        facts["background_sd"] = planes.background_sd[owners][:, used]
    batch = CellBatch(
        np.arange(len(owners)),
        planes.heights[owners],
        planes.widths[owners],
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
