"""One step of the evaluation of masks: a function, the steps it builds on, and its other operands."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.masks.segment import default_mask
from ifcyto.masks.spec import Gives, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace
    from ifcyto.masks.expression import Operand
    from ifcyto.masks.spec import Argument

__all__ = ["Step", "all_of", "any_of", "channel_mask", "complement", "nothing", "value_of"]


@dataclass(frozen=True, slots=True)
class Step:
    """What gives one mask.

    Parameters
    ----------
    function : callable
        ``function(work, *operands) -> (P,) bool``.
    inputs : tuple of int
        Numbers of the steps whose masks are its first operands, in order.
    values : tuple
        Operands that are no masks.
    """

    function: Callable[..., Any]
    inputs: tuple[int, ...] = ()
    values: tuple[Any, ...] = ()

    def run(self, work: Workspace, masks: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Compute the mask ``(P,)``."""
        mask: NDArray[np.bool_] = self.function(work, *masks, *self.values)
        return mask


def channel_mask(work: Workspace, channel: int) -> NDArray[np.bool_]:
    """Stored mask of a channel; the fallback segmentation where the source stored none."""
    if work.planes.has_masks:
        return work.planes.object_mask(channel)
    return default_mask(work, channel)


def nothing(work: Workspace) -> NDArray[np.bool_]:
    """No pixel: the mask ``None``."""
    return np.zeros(work.planes.starts[-1], bool)


def all_of(_: Workspace, *masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels in every mask."""
    return reduce(np.logical_and, masks)


def any_of(_: Workspace, *masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels in one mask or more."""
    return reduce(np.logical_or, masks)


def complement(_: Workspace, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of the image that are not in the mask."""
    return ~mask


def value_of(argument: Argument, operand: Operand) -> Any:
    """What a function gets for an operand that is neither a mask nor the name of an image."""
    if argument.kind is Kind.CHOICE:
        if argument.gives is Gives.WORD:
            return argument.word_of(operand)
        return operand if argument.gives is Gives.CODE else operand == 1
    if operand is None:
        return argument.default if argument.kind is Kind.IMAGE else 0
    return float(operand) if isinstance(operand, Decimal) else operand
