"""Where the features of one batch are computed; shared work is done once.

A feature asks for *blocks*: arrays with a row an object that several features
need (moments, order statistics, labels, ...). ``work.once(block, *arguments)``
computes a block at its first use and keeps it as long as the batch lives.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ifcyto.features.region import inside, region_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ifcyto.features.spec import FeatureSpec
    from ifcyto.planes import Planes

__all__ = ["Workspace", "column_of", "evaluate"]

Block = TypeVar("Block")


class Workspace:
    """Objects of one batch, their masks, and what has been computed of them.

    Parameters
    ----------
    planes : Planes
    masks : callable
        ``masks(name)`` gives the flat ``(P,)`` boolean mask of every object.

    Examples
    --------
    >>> from ifcyto.samples.cells import CHANNELS, simulate_sample
    >>> from ifcyto.planes import Planes
    >>> sample = simulate_sample(3, seed=1)
    >>> planes = Planes(sample.batch, CHANNELS, pixel_size_um=0.5)
    >>> work = Workspace(planes, lambda name: planes.object_mask(0))
    >>> work.mask("M01").shape == planes.image(0).shape, work.count("M01").shape
    (True, (3,))
    """

    def __init__(self, planes: Planes, masks: Callable[[str], NDArray[np.bool_]]) -> None:
        self.planes = planes
        self._masks = masks
        self._kept: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self.planes)

    def once(self, block: Callable[..., Block], *arguments: Any) -> Block:
        """Return ``block(self, *arguments)``, computed at the first call with these arguments."""
        key = (block, *arguments)
        if key not in self._kept:
            self._kept[key] = block(self, *arguments)
        kept: Block = self._kept[key]
        return kept

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Pixels ``(P,)`` of a mask; shared: do not write."""
        return self.once(mask_pixels, name)

    def image(self, channel: int) -> NDArray[Any]:
        """Pixels ``(P,)`` of a channel, int32 or float64; see :meth:`Planes.image`."""
        return self.planes.image(channel)

    def count(self, mask: str) -> NDArray[np.int64]:
        """N, the number of pixels ``(n,)`` of a mask."""
        return self.once(inside, mask).counts

    @cached_property
    def geometry(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
        """``starts, heights, widths``: the arguments that every kernel takes after its flat arrays."""
        return self.planes.starts, self.planes.heights, self.planes.widths


def mask_pixels(work: Workspace, name: str) -> NDArray[np.bool_]:
    """Block: the mask itself."""
    return work._masks(name)


def not_finite(work: Workspace, mask: str, channel: int) -> NDArray[np.bool_] | None:
    """Block: objects ``(n,)`` with a pixel in the mask that is not finite; None when no pixel can be."""
    image = work.image(channel)
    if image.dtype.kind != "f":
        return None
    wrong = ~np.isfinite(image) & work.mask(mask)
    return region_of(work, wrong).counts > 0 if wrong.any() else None


def column_of(block: Callable[..., NDArray[np.float64]], column: int) -> Callable[..., NDArray[np.float64]]:
    """Make the feature that is one column of a block; it has the block's docstring.

    Parameters
    ----------
    block : callable
        ``block(work, *arguments) -> (n, k)``.
    column : int

    Returns
    -------
    callable
        ``feature(work, *arguments) -> (n,)``.
    """

    def feature(work: Workspace, *arguments: Any) -> NDArray[np.float64]:
        return work.once(block, *arguments)[:, column]

    feature.__doc__ = block.__doc__
    return feature


def evaluate(work: Workspace, spec: FeatureSpec, arguments: tuple[Any, ...]) -> NDArray[np.float64]:
    """Values ``(n,)`` of one feature, with the rules for what cannot be computed.

    The only place of these rules (``ideas_features`` 1.6, MANUAL and INFERRED):

    * empty mask: sums and counts are 0, all else is NaN (``spec.empty``);
    * a pixel inside the mask that is not finite: NaN for features of that image;
    * a result that is not finite (a ratio with nothing below the line, the
      logarithm of a perfect correlation): NaN.
    """
    letters = spec.letters(len(arguments))
    with np.errstate(over="ignore", invalid="ignore"):  # products of pixels beyond all bounds
        values = np.array(spec.function(work, *arguments), np.float64)
    masks = [value for letter, value in zip(letters, arguments, strict=True) if letter == "m"]
    images = [value for letter, value in zip(letters, arguments, strict=True) if letter == "i"]
    values[~np.isfinite(values)] = np.nan
    for mask in dict.fromkeys(masks):
        for image in dict.fromkeys(images):
            wrong = work.once(not_finite, mask, image)
            if wrong is not None:
                values[wrong] = np.nan
    if masks:
        values[work.count(masks[0]) == 0] = spec.empty
    return values
