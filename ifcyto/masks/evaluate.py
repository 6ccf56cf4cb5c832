"""Compute masks by name or by expression, every part once a batch."""

from __future__ import annotations

from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any
from weakref import ref

from ifcyto.features.workspace import Workspace
from ifcyto.masks.expression import MaskCall, MaskName, nodes
from ifcyto.masks.library import mask_spec
from ifcyto.masks.plan import MaskPlan
from ifcyto.planes import Planes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ifcyto.cells import Channel
    from ifcyto.masks.expression import Expression

__all__ = ["MaskBook"]


class MaskBook:
    """The masks of an experiment: those of the file, those that a user defined, and any expression.

    ``M01`` is the stored mask (value 1) of the channel with the number 1, or the
    fallback segmentation of that channel where the source stored no masks. ``MC``
    is the union over all channels, ``NMC`` its complement, ``None`` is empty; a
    definition of these three, as analysis files have them, takes their place.

    Parameters
    ----------
    channels : sequence of Channel
        Those of the batches, in the order of the images' first axis.
    definitions : mapping, or iterable of pairs, of str to (str or Expression)
        Masks by name; they may refer to each other.
    images : mapping of str to int, optional
        Further names of images, such as those of an analysis file, and their
        0-based places. They go before roles, roles before names, names before ``Ch01``.

    Raises
    ------
    UsageError
        A name cannot be defined, or an image is none of the channels.

    Examples
    --------
    >>> from ifcyto.planes import Planes
    >>> from ifcyto.samples.cells import CHANNELS, simulate_sample
    >>> book = MaskBook(CHANNELS, {"Rim": "MC And Not Erode(MC, 2)"})
    >>> work = book.workspace(Planes(simulate_sample(3, seed=1).batch, CHANNELS, pixel_size_um=0.5))
    >>> bool((work.count("Rim") < work.count("MC")).all())
    True
    """

    def __init__(
        self,
        channels: Sequence[Channel],
        definitions: Mapping[str, str | Expression] | Iterable[tuple[str, str | Expression]] = (),
        *,
        images: Mapping[str, int] | None = None,
    ) -> None:
        self.channels = tuple(channels)
        self.definitions: dict[str, str | Expression] = dict(definitions)
        self._images = dict(images or {})
        self._plan = MaskPlan(self.channels, self.definitions, self._images)
        self._lock = RLock()

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(MaskBook, images=self._images), (self.channels, self.definitions)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all masks: those of the channels, MC, NMC, None, and the defined ones."""
        return self._plan.names

    def check(self, name: str) -> None:
        """See that a mask can be computed, without pixels.

        Parameters
        ----------
        name : str
            A name or an expression in either form.

        Raises
        ------
        UsageError
            It is no mask: a name that there is not, a fault in an expression or
            definition, masks that are defined by each other in a loop.
        """
        self._number(name)

    def expression(self, name: str) -> Expression:
        """Expression that a name or text stands for; a name without definition stands for itself.

        Raises
        ------
        UsageError
            It is no mask, or its definition is no mask definition.

        Examples
        --------
        >>> from ifcyto.cells import Channel
        >>> MaskBook([Channel(1, "BF")], {"Cell": "Dilate|M01|2"}).expression("Cell").function
        'Dilate'
        """
        return self._plan.expression(name)

    def is_approximation(self, name: str, *, stored_masks: bool) -> bool:
        """Whether a mask may differ from IDEAS' own.

        Parameters
        ----------
        name : str
            A name or an expression in either form.
        stored_masks : bool
            Whether the masks of the channels come from the file; those that are computed may differ.

        Raises
        ------
        UsageError
            It is no mask.

        Examples
        --------
        >>> from ifcyto.cells import Channel
        >>> book = MaskBook([Channel(1, "BF")], {"Wide": "Dilate|M01|2"})
        >>> [book.is_approximation(mask, stored_masks=True) for mask in ("Not M01", "Wide Or M01")]
        [False, True]
        """
        self.check(name)
        seen, waiting, of_channels = {name}, [name], False
        while waiting:
            for node in nodes(self.expression(waiting.pop())):
                if isinstance(node, MaskCall) and mask_spec(node.function).confidence.is_approximation:
                    return True
                if isinstance(node, MaskName) and node.name not in self.definitions:
                    of_channels |= node.name != "None"
                elif isinstance(node, MaskName) and node.name not in seen:
                    seen.add(node.name)
                    waiting.append(node.name)
        return of_channels and not stored_masks

    def mask(self, work: Workspace | Planes, name: str) -> NDArray[np.bool_]:
        """Pixels ``(P,)`` of a mask; shared: do not write.

        Parameters
        ----------
        work : Workspace or Planes
            A workspace keeps every part of the expression, so that none is
            computed twice.
        name : str
            A name or an expression in either form.

        Raises
        ------
        UsageError
            As :meth:`check`.
        ValueError
            The batch has other channels than the book.
        """
        if isinstance(work, Planes):
            work = self.workspace(work)
        mine, theirs = ([c.number for c in some] for some in (self.channels, work.planes.channels))
        if mine != theirs:
            msg = f"expected a batch with the channels {mine}, found {theirs}"
            raise ValueError(msg)
        number = self._number(name)
        for needed in self._plan.below(number):
            work.once(step_pixels, self, needed)
        return work.once(step_pixels, self, number)

    def workspace(self, planes: Planes) -> Workspace:
        """Workspace for features of a batch whose masks are computed by this book."""
        # The workspace must not hold itself, or its memory would wait for the garbage collector.
        work = Workspace(planes, lambda name: self.mask(held(), name))
        held: Any = ref(work)
        return work

    def _number(self, name: str) -> int:
        with self._lock:
            return self._plan.number(name)


def step_pixels(work: Workspace, book: MaskBook, number: int) -> NDArray[np.bool_]:
    """Block: the mask of one step of a book; the steps on which it builds come before it."""
    step = book._plan.steps[number]
    return step.run(work, [work.once(step_pixels, book, place) for place in step.inputs])
