"""Many objects, one channel at a time: the form in which masks and features are computed.

A *plane* is one ``(H, W)`` image of an object. The planes of a batch lie one
after the other in flat arrays; ``starts`` says where each begins. Images,
stored masks and computed masks of one batch share this geometry, so that a
compiled loop needs nothing but flat arrays, starts, heights and widths.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import MASK_OBJECT, CellBatch, Channel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Planes", "border_background"]

BORDER_ROWS = 4
"""Rows at the top and at the bottom from which a missing background is estimated."""


def border_background(image: NDArray[Any]) -> tuple[float, float]:
    """Background of an image whose file states none: an *approximation*.

    Mean and standard deviation (n - 1) of the first and last four rows, which is
    how IDEAS estimates it on the uncropped image (``ideas_features`` 1.4, VERIFIED).

    Parameters
    ----------
    image : ndarray (H, W)
        Pixels that are not finite do not count.

    Returns
    -------
    tuple of float
        Mean and standard deviation in counts; the deviation is 0 for one pixel, both
        are 0 for none.

    Examples
    --------
    >>> border_background(np.full((20, 10), 7))
    (7.0, 0.0)
    """
    low = min(BORDER_ROWS, len(image))
    rows = np.concatenate([image[:low], image[max(low, len(image) - BORDER_ROWS) :]])
    pixels = rows[np.isfinite(rows)].astype(np.float64)
    if not pixels.size:
        return 0.0, 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        return float(pixels.mean()), float(pixels.std(ddof=1)) if pixels.size > 1 else 0.0


class Planes:
    """One batch of objects, channel by channel.

    Parameters
    ----------
    batch : CellBatch
    channels : sequence of Channel
        One for each of the batch's channels, in their order.
    pixel_size_um : float
        Side of a pixel in micrometres.

    Attributes
    ----------
    starts : ndarray (n + 1,) of int64
        Where each object's plane begins in every flat array, and the end of the last.
    heights, widths : ndarray (n,) of int32
    object_numbers : ndarray (n,) of int64
    facts : dict of str to ndarray
        As in :class:`ifcyto.cells.CellBatch`.

    Examples
    --------
    >>> from ifcyto.samples.cells import CHANNELS, simulate_sample
    >>> sample = simulate_sample(3, seed=1)
    >>> planes = Planes(sample.batch, CHANNELS, pixel_size_um=0.5)
    >>> len(planes), planes.image(0).shape == (planes.starts[-1],)
    (3, True)
    """

    def __init__(
        self, batch: CellBatch, channels: tuple[Channel, ...] | list[Channel], *, pixel_size_um: float
    ) -> None:
        if len(channels) != batch.n_channels:
            msg = f"expected {batch.n_channels} channels as in the batch, found {len(channels)}"
            raise ValueError(msg)
        self.channels = tuple(channels)
        self.pixel_size_um = pixel_size_um
        self.heights, self.widths = batch.heights, batch.widths
        self.object_numbers = batch.object_numbers
        self.facts = batch.facts
        sizes = batch.heights.astype(np.int64) * batch.widths
        self.starts: NDArray[np.int64] = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        self._batch = batch
        self._images: dict[int, NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.heights)

    @property
    def has_masks(self) -> bool:
        """Whether the source stored masks."""
        return self._batch.masks is not None

    def image(self, channel: int) -> NDArray[Any]:
        """Pixels ``(P,)`` of one channel, background not subtracted.

        Parameters
        ----------
        channel : int
            Place on the images' first axis, from 0.

        Returns
        -------
        ndarray (P,) of int32 or float64
            int32 where every value of the stored type fits, else float64. Shared: do not write.
        """
        if channel not in self._images:
            stored = self._batch.pixels.dtype
            dtype = np.int32 if np.can_cast(stored, np.int32) else np.float64
            self._images[channel] = self._plane(self._batch.pixels, channel).astype(dtype, copy=False)
        return self._images[channel]

    def stored_mask(self, channel: int) -> NDArray[np.uint8]:
        """Mask values ``(P,)`` of one channel as the file has them (1 object, others clipped).

        Raises
        ------
        ValueError
            The source stored no masks; see :attr:`has_masks`.
        """
        if self._batch.masks is None:
            msg = "expected stored masks, found none; compute them with the fallback segmentation"
            raise ValueError(msg)
        return self._plane(self._batch.masks, channel)

    def object_mask(self, channel: int) -> NDArray[np.bool_]:
        """Pixels ``(P,)`` of the stored mask that are the object itself (value 1)."""
        inside: NDArray[np.bool_] = self.stored_mask(channel) == MASK_OBJECT
        return inside

    @cached_property
    def background_mean(self) -> NDArray[np.float64]:
        """Mean ``(n, C)`` of the background, counts: the stored one, else :func:`border_background`."""
        return self._background("background_mean", 0)

    @cached_property
    def background_sd(self) -> NDArray[np.float64]:
        """Standard deviation ``(n, C)`` of the background, counts, likewise."""
        return self._background("background_sd", 1)

    @cached_property
    def _from_borders(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation, each ``(n, C)``: :func:`border_background` of every image."""
        shape = (len(self), len(self.channels))
        means, sds = np.zeros(shape), np.zeros(shape)
        for c in range(len(self.channels)):
            flat = self.image(c)
            for i, (start, height, width) in enumerate(
                zip(self.starts.tolist(), self.heights.tolist(), self.widths.tolist(), strict=False)
            ):
                plane = flat[start : start + height * width].reshape(height, width)
                means[i, c], sds[i, c] = border_background(plane)
        return means, sds

    def _background(self, name: str, place: int) -> NDArray[np.float64]:
        stored = self.facts.get(name)
        if stored is None:
            return self._from_borders[place]
        known = np.isfinite(stored)
        values: NDArray[np.float64] = np.asarray(stored, np.float64)
        return values if known.all() else np.where(known, values, self._from_borders[place])

    def _plane(self, flat: NDArray[Any], channel: int) -> NDArray[Any]:
        """Gather one channel from object-major pixels."""
        sizes = np.diff(self.starts)
        if len(sizes) and (self.heights == self.heights[0]).all() and (self.widths == self.widths[0]).all():
            return np.ascontiguousarray(flat.reshape(len(sizes), len(self.channels), -1)[:, channel]).ravel()
        out = np.empty(self.starts[-1], flat.dtype)
        begins = (self._batch.offsets[:-1] + channel * sizes).tolist()
        for begin, start, end in zip(
            begins, self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True
        ):
            out[start:end] = flat[begin : begin + end - start]
        return out
