"""Every mask function there is, by name; a new one is added to the ``SPECS`` of its family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifcyto.errors import UsageError
from ifcyto.masks import image_functions, shape_functions
from ifcyto.masks.faults import nearest
from ifcyto.masks.shape_functions import COMPONENT_FEATURES

if TYPE_CHECKING:
    from ifcyto.masks.spec import MaskSpec

__all__ = ["COMPONENT_FEATURES", "MASKS", "mask_spec"]

MASKS: dict[str, MaskSpec] = {spec.name: spec for spec in image_functions.SPECS + shape_functions.SPECS}
"""Declaration of each function by its name."""


def mask_spec(name: str) -> MaskSpec:
    """Declaration of the mask function `name`.

    Raises
    ------
    UsageError
        There is no such function; the nearest names are given.

    Examples
    --------
    >>> mask_spec("Dilate").usage
    'Dilate(start, n)'
    """
    if name not in MASKS:
        msg = f"no mask function {name!r}{nearest(name, MASKS)} (there are: {', '.join(sorted(MASKS))})"
        raise UsageError(msg)
    return MASKS[name]
