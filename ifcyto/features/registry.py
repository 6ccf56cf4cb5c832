"""Every feature there is, by name; a new one is added to the ``SPECS`` of its family."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ifcyto.errors import UsageError
from ifcyto.features import (
    axes,
    beyond,
    comparison,
    correlation,
    haralick,
    location,
    outline,
    paths,
    shape,
    signal,
    size,
    spots,
    spread,
    system,
    texture,
)

if TYPE_CHECKING:
    from ifcyto.features.spec import FeatureSpec

__all__ = ["FAMILIES", "FEATURES", "feature_spec"]

FAMILIES = (
    size,
    axes,
    outline,
    location,
    paths,
    shape,
    spread,
    texture,
    haralick,
    spots,
    signal,
    comparison,
    correlation,
    system,
    beyond,
)
"""The modules that declare features, in the order of the documentation."""

FEATURES: dict[str, FeatureSpec] = {spec.name: spec for family in FAMILIES for spec in family.SPECS}
"""Declaration of each feature by its IDEAS name."""


def feature_spec(name: str) -> FeatureSpec:
    """Declaration of the feature `name`.

    Raises
    ------
    UsageError
        There is no such feature; the nearest names are given.

    Examples
    --------
    >>> feature_spec("Area").unit
    'um2'
    """
    if name not in FEATURES:
        near = get_close_matches(name, FEATURES, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        msg = f"no feature {name!r}{hint} (all names: ifcyto features)"
        raise UsageError(msg)
    return FEATURES[name]
