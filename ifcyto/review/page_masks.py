"""Masks of any expression for the cells of a page, cut as their images are cut."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import CellBatch
from ifcyto.errors import UsageError
from ifcyto.features.components import components
from ifcyto.features.spots import CONNECTIVITY
from ifcyto.masks.evaluate import MaskBook
from ifcyto.planes import Planes
from ifcyto.review.objects import by_sample
from ifcyto.stack.frames import channel_rows, frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.cells import Channel
    from ifcyto.masks.expression import Expression
    from ifcyto.review.objects import ReviewObjects
    from ifcyto.review.pages import PageReader
    from ifcyto.stack.cell_stack import CellStack

__all__ = ["PageMasks", "Pieces"]

KEPT = 24
"""Masks of a page that are kept for each stack: turning back and another size cost no more."""

MOST_PIECES = 2**15 - 1
"""Pieces that are told apart; those after them have the last number."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """A mask of some cells, its pieces numbered.

    Parameters
    ----------
    labels : ndarray (n, H, W) of int16
        0 outside; the 4-connected pieces from 1, in raster order of their first pixels in the
        whole image. A piece that the frame cuts off is not in it, and is counted all the same.
    counts : ndarray (n,) of int64
        Spot Count: pieces in the whole image.
    """

    labels: NDArray[np.int16]
    counts: NDArray[np.int64]


class PageMasks:
    """Computes masks of the cells of a page, and of no others.

    Parameters
    ----------
    pages : PageReader
        Its names of channels are names of images in expressions, before roles and names of the file.
    pixel_size_um : float, optional
        Side of a pixel as the study gives it.
    size_of : str or int, optional
        Channel whose pixel size counts where none is given: a study's DNA channel. By default
        all channels of a stack must have the same.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ifcyto.pipeline.convert import convert
    >>> from ifcyto.review.opening import open_review
    >>> from ifcyto.samples.demo import write_demo_cif
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = convert(write_demo_cif(folder / "a.cif", n_cells=4), folder / "a.h5")
    >>> review = open_review(folder / "a.h5")
    >>> rows = review.session.rows_on_page()
    >>> found = review.masks.read(review.session.objects, rows, 48, "Erode(M05, 2)")
    >>> found.labels.shape, found.counts.shape
    ((4, 48, 48), (4,))
    >>> review.close()
    """

    def __init__(
        self, pages: PageReader, *, pixel_size_um: float | None = None, size_of: str | int | None = None
    ) -> None:
        self.pages = pages
        self.pixel_size_um = pixel_size_um
        self.size_of = size_of
        self._books: dict[str, MaskBook] = {}
        self._known: OrderedDict[tuple[str, str, bytes], tuple[NDArray[np.int16], NDArray[np.int64]]] = (
            OrderedDict()
        )

    def book(self, sample: str = "") -> MaskBook:
        """Masks of one sample.

        Raises
        ------
        UsageError, StackError
            The sample has no stack, or the stack not the channels of the review.
        """
        if sample not in self._books:
            channels, pages = self.pages.stack(sample).channels, self.pages
            names = pages.names or ()
            places = channel_rows(channels, list(pages.channels))
            self._books[sample] = MaskBook(channels, images=dict(zip(names, places, strict=False)))
        return self._books[sample]

    def first(self) -> str:
        """The first sample whose stack is there.

        Raises
        ------
        UsageError
            None is.
        """
        for sample, path in self.pages.stacks.items():
            if path.exists():
                return sample
        msg = "expected a cell stack whose masks are computed, found none: the study was not run"
        raise UsageError(msg)

    def expression(self, text: str) -> Expression:
        """Read an expression with the channels of the first stack, and see that it can be computed.

        Raises
        ------
        UsageError
            It is no mask; the text is shown with a caret under the place.
        """
        book = self.book(self.first())
        book.check(text)
        return book.expression(text)

    def images(self) -> tuple[Channel, ...]:
        """Channels of the first stack, whose masks are ``M01`` and so on."""
        return self.pages.stack(self.first()).channels

    def read(self, objects: ReviewObjects, rows: NDArray[np.int64], size: int, text: str) -> Pieces:
        """Compute a mask of some cells.

        Parameters
        ----------
        objects : ReviewObjects
        rows : ndarray (n,) of int64
        size : int
            Side of the frames, px; they are cut as :meth:`PageReader.read` cuts the images.
        text : str
            A name or an expression in either form of the grammar.

        Raises
        ------
        UsageError
            It is no mask of a sample's channels, or the sample does not say its pixel size.
        StackError
            A stack is gone or damaged.
        """
        labels = np.zeros((len(rows), size, size), np.int16)
        counts = np.zeros(len(rows), np.int64)
        for sample, mine in by_sample(objects.samples[rows]):
            stack = self.pages.stack(sample)
            places = stack.rows_of(objects.objects[rows[mine]])
            flat, counts[mine] = self._computed(sample, stack, places, text)
            labels[mine] = _cut(stack, places, flat, size)
        return Pieces(labels, counts)

    def _computed(
        self, sample: str, stack: CellStack, places: NDArray[np.int64], text: str
    ) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        """Numbered pieces ``(P,)`` of whole images, and how many each cell has."""
        key = (sample, text, places.tobytes())
        if key not in self._known:
            book = self.book(sample)
            book.check(text)
            size = self._pixel_size(stack)
            batch = self.pages.batch(sample, places)
            work = book.workspace(Planes(batch, stack.channels, pixel_size_um=size))
            labels, counts = work.once(components, text, CONNECTIVITY)
            self._known[key] = np.minimum(labels, MOST_PIECES).astype(np.int16), counts
            while len(self._known) > KEPT * len(self.pages.stacks):
                self._known.popitem(last=False)
        return self._known[key]

    def _pixel_size(self, stack: CellStack) -> float:
        """Side of a pixel, um: as the study says it, else as the stack does."""
        channels = stack.channels
        if self.size_of is not None:
            channels = tuple(channels[place] for place in channel_rows(channels, [self.size_of]))
        said = {channel.pixel_size_um for channel in channels}
        (size, *others) = said if self.pixel_size_um is None else {self.pixel_size_um}
        if size is None or others:
            found = "none" if said == {None} else ", ".join(map(str, said))
            msg = (
                f"{stack.path}: a mask needs the side of a pixel, the same for all channels; found {found}: "
                "a study gives it as pixel_size_um under [candidates]"
            )
            raise UsageError(msg)
        return size


def _cut(
    stack: CellStack, places: NDArray[np.int64], flat: NDArray[np.int16], size: int
) -> NDArray[np.int16]:
    """Frames ``(n, size, size)`` about the centroids."""
    single = CellBatch(
        stack.object_numbers[places], stack.heights[places], stack.widths[places], 1, flat, None
    )
    out = np.zeros((len(places), 1, size, size), np.int16)
    frames(single, flat, stack.centroids[places], [0], np.zeros((len(places), 1), np.int16), out)
    return out[:, 0]
