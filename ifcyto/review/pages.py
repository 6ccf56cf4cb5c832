"""Images of a page of objects, read from the stacks of their samples when they are wanted."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import StackError, UsageError
from ifcyto.review.objects import by_sample
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.frames import backgrounds, channel_rows, frames

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.cells import CellBatch, Channel
    from ifcyto.review.objects import ReviewObjects

__all__ = ["SIZES", "PageReader"]

SIZES = (24, 160)
"""Least and largest frame that is offered, px."""

OPEN = 8
"""Stacks that are kept open at a time."""


class PageReader:
    """Reads frames of any objects of a review.

    Parameters
    ----------
    stacks : mapping of str to pathlib.Path
        Sample to its cell stack.
    channels : sequence of str or int
        Names, roles or numbers of the channels to show, the same in all stacks.
    names : sequence of str, optional
        What they are called here; by default what the stacks call them.
    """

    def __init__(
        self,
        stacks: Mapping[str, Path],
        channels: Sequence[str | int],
        names: Sequence[str] | None = None,
    ) -> None:
        self.stacks = dict(stacks)
        self.channels = tuple(channels)
        self.names = None if names is None else tuple(names)
        self._open: OrderedDict[str, CellStack] = OrderedDict()
        self._held: dict[tuple[str, bytes], CellBatch] = {}

    def read(
        self,
        objects: ReviewObjects,
        rows: NDArray[np.int64],
        size: int,
        *,
        masks: bool = True,
        hold: bool = False,
    ) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """Images and masks ``(n, C, size, size)`` of rows, in their order; masks are 0 where there are none.

        Parameters
        ----------
        objects : ReviewObjects
        rows : ndarray (n,) of int64
        size : int
            Side of the frames, px.
        masks : bool
            Read the masks too; they are 0 otherwise.
        hold : bool
            Keep the whole objects for :meth:`batch` until the next reading.

        Raises
        ------
        UsageError
            A sample without a stack, a channel or an object that is not there.
        StackError
            A stack is gone or damaged; the message names it.
        """
        shape = (len(rows), len(self.channels), size, size)
        images: NDArray[Any] = np.zeros(shape, np.int16)
        inside = np.zeros(shape, np.uint8)
        self._held = {}
        for sample, mine in by_sample(objects.samples[rows]):
            stack = self.stack(sample)
            places = stack.rows_of(objects.objects[rows[mine]])
            batch = self.batch(sample, places) if hold else None
            if batch is not None:
                self._held[sample, places.tobytes()] = batch
            found = self._images(stack, places, size, batch)
            images = images.astype(np.result_type(images, found), copy=False)
            images[mine] = found
            if masks and stack.has_masks:
                inside[mine] = self._masks(stack, places, size, batch)
        return images, inside

    def batch(self, sample: str, places: NDArray[np.int64]) -> CellBatch:
        """Whole objects at some rows of a sample's stack, as held by the last reading or read now."""
        held = self._held.get((sample, places.tobytes()))
        return self.stack(sample).read_batch(places) if held is None else held

    def _images(
        self, stack: CellStack, places: NDArray[np.int64], size: int, batch: CellBatch | None
    ) -> NDArray[Any]:
        """Frames of the images, of a batch or read for them alone: the same."""
        if batch is None:
            return stack.images(places, channels=list(self.channels), size=size)
        picked = channel_rows(stack.channels, list(self.channels))
        out = np.empty((len(places), len(picked), size, size), stack.dtype)
        frames(batch, batch.pixels, stack.centroids[places], picked, backgrounds(batch), out)
        return out

    def _masks(
        self, stack: CellStack, places: NDArray[np.int64], size: int, batch: CellBatch | None
    ) -> NDArray[np.uint8]:
        if batch is None or batch.masks is None:
            return stack.masks(places, channels=list(self.channels), size=size)
        picked = channel_rows(stack.channels, list(self.channels))
        out = np.empty((len(places), len(picked), size, size), np.uint8)
        nothing = np.zeros((len(places), len(stack.channels)), np.uint8)
        frames(batch, batch.masks, stack.centroids[places], picked, nothing, out)
        return out

    def usual_size(self) -> int:
        """Side of a frame, px, that holds nine of ten objects; by the first stack that is there."""
        for sample, path in self.stacks.items():
            if path.exists():
                stack = self.stack(sample)
                sides = np.maximum(stack.heights, stack.widths)
                if len(sides):
                    side = int(np.ceil(np.quantile(sides, 0.9) / 4)) * 4
                    return min(max(side, SIZES[0]), SIZES[1])
        return SIZES[0] * 2

    def stack(self, sample: str) -> CellStack:
        """The open stack of a sample; opened again when it was closed."""
        if sample not in self.stacks:
            msg = f"expected a sample among {', '.join(self.stacks) or 'none'}, found {sample!r}"
            raise UsageError(msg)
        if sample in self._open:
            self._open.move_to_end(sample)
            return self._open[sample]
        path = self.stacks[sample]
        if not path.exists():
            msg = (
                f"{path}: the stack of sample {sample!r} is not there: it was moved, or the study was not run"
            )
            raise StackError(msg)
        self._open[sample] = CellStack.open(path)
        while len(self._open) > OPEN:
            self._open.popitem(last=False)[1].close()
        return self._open[sample]

    def channels_of(self, sample: str) -> tuple[Channel, ...]:
        """The channels shown, as the stack of a sample describes them."""
        found = self.stack(sample).channels
        return tuple(found[place] for place in channel_rows(found, list(self.channels)))

    def close(self) -> None:
        """Close all stacks."""
        while self._open:
            self._open.popitem()[1].close()
