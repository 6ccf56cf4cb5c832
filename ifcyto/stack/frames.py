"""From cells of any size to frames of one size, and from words to channels."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import Channel
from ifcyto.errors import UsageError
from ifcyto.stack.kernels import border_medians, cut_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.cells import CellBatch

__all__ = ["backgrounds", "channel_rows", "corners_of", "frame_size", "frames"]


def channel_rows(channels: Sequence[Channel], wanted: Any = None) -> list[int]:
    """Find channels by role, name, short name (``Ch05``), number or as :class:`Channel`.

    Parameters
    ----------
    channels : sequence of Channel
        Those that there are.
    wanted : str, int, Channel, or a sequence of these; None for all
        A number is the 1-based :attr:`Channel.number`. A role comes before a
        name, a name before a short name.

    Returns
    -------
    list of int
        0-based places on the images' first axis, in the order asked.

    Raises
    ------
    UsageError
        No channel, or more than one, answers; the message lists what there is.

    Examples
    --------
    >>> channel_rows([Channel(1, "BF"), Channel(5, "DAPI", role="DRAQ5")], ["DRAQ5", 1])
    [1, 0]
    """
    if wanted is None:
        return list(range(len(channels)))
    if isinstance(wanted, (str, Channel)) or not np.iterable(wanted):
        wanted = [wanted]
    return [_channel_row(channels, item) for item in wanted]


def _channel_row(channels: Sequence[Channel], wanted: Any) -> int:
    if isinstance(wanted, str):
        tests = [
            [i for i, channel in enumerate(channels) if wanted == read(channel)]
            for read in (operator.attrgetter("role"), operator.attrgetter("name"), short_name)
        ]
        hits = next(filter(None, tests), []) if wanted else []
    elif isinstance(wanted, Channel):
        hits = [i for i, channel in enumerate(channels) if channel == wanted] or [
            i for i, channel in enumerate(channels) if channel.number == wanted.number
        ]
    elif isinstance(wanted, (int, np.integer)) and not isinstance(wanted, bool):
        hits = [i for i, channel in enumerate(channels) if channel.number == wanted]
    else:
        hits = []
    if len(hits) != 1:
        there = ", ".join(c.label + (f" (role {c.role})" if c.role else "") for c in channels)
        what = "no channel" if not hits else f"{len(hits)} channels"
        msg = f"expected one channel for {wanted!r}, found {what}; there are: {there}"
        raise UsageError(msg)
    return hits[0]


def short_name(channel: Channel) -> str:
    """``Ch05`` for channel 5."""
    return f"Ch{channel.number:02d}"


def frame_size(size: Any) -> tuple[int, int]:
    """Height and width of frames from one number or two, or a :class:`UsageError`."""
    try:
        height, width = (size, size) if not np.iterable(size) else size
        height, width = operator.index(height), operator.index(width)
    except (TypeError, ValueError):
        height, width = 0, 0
    if height < 1 or width < 1:
        msg = f"expected a size of 1 pixel or more, as a number or (height, width), found {size!r}"
        raise UsageError(msg)
    return height, width


def corners_of(centres: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.int64]:
    """Row and column of each image that land at its frame's first pixel, ``(n, 2)``.

    The pixel nearest to the centre (halves go up) lands at ``(H // 2, W // 2)``.

    Examples
    --------
    >>> corners_of(np.array([[10.0, 3.4]]), (8, 8))
    array([[ 6, -1]])
    """
    corners: NDArray[np.int64] = np.floor(centres + 0.5).astype(np.int64) - np.array(size) // 2
    return corners


def backgrounds(batch: CellBatch) -> NDArray[Any]:
    """Value that surrounds each image, ``(n, C)`` in the pixels' dtype.

    The stored mean of the background, rounded; where the instrument stored none,
    the median of the image's outermost rows and columns, an *approximation* that
    is good as long as the object does not touch the border.
    """
    means = np.array(batch.facts.get("background_mean", np.full((len(batch), batch.n_channels), np.nan)))
    unknown = np.flatnonzero(~np.isfinite(means).all(axis=1))
    if len(unknown):
        medians = np.empty((len(unknown), batch.n_channels))
        starts, heights, widths = batch.offsets[unknown], batch.heights[unknown], batch.widths[unknown]
        border_medians(batch.pixels, starts, heights, widths, batch.n_channels, medians)
        means[unknown] = np.where(np.isfinite(means[unknown]), means[unknown], medians)
    return rounded_to(means, batch.pixels.dtype)


def rounded_to(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Round finite `values` to an integer `dtype`, or only convert them to a floating-point one."""
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    rounded = np.rint(values)
    # The largest 64-bit integers have no float64 of their own: set them apart from the cast.
    high, low = rounded >= limits.max, rounded <= limits.min
    out = np.where(high | low, 0, rounded).astype(dtype)
    out[high], out[low] = limits.max, limits.min
    return out


def frames(
    batch: CellBatch,
    flat: NDArray[Any],
    centres: NDArray[np.float64],
    picked: list[int],
    fill: NDArray[Any],
    out: NDArray[Any],
) -> None:
    """Pad or crop the `picked` channels of every cell about its centre.

    Parameters
    ----------
    batch : CellBatch
        Gives offsets, heights and widths.
    flat : ndarray (P,)
        The batch's pixels or its masks.
    centres : ndarray (n, 2)
        Row and column.
    picked : list of int
        0-based channels.
    fill : ndarray (n, C)
        Value outside the images, for all channels of the batch.
    out : ndarray (n, len(picked), H, W)
        Receives the frames.
    """
    out[...] = fill[:, picked, None, None]
    corners = corners_of(centres, out.shape[2:])
    places = np.array(picked, np.int64)
    cut_frames(flat, batch.offsets, batch.heights, batch.widths, corners, places, out)
