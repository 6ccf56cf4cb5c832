"""Blocks that say which pixels count: those inside a mask, outside it, or in one of two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = ["Region", "inside", "outside", "region_of", "union"]


class Region(NamedTuple):
    """Pixels of every object of a batch.

    Parameters
    ----------
    places : ndarray (M,) of int32, or int64 in a batch of 2^31 pixels
        Where the pixels are in a flat image, rising.
    bounds : ndarray (n + 1,) of int64
        Those of object i are ``places[bounds[i] : bounds[i + 1]]``.
    """

    places: NDArray[np.signedinteger[Any]]
    bounds: NDArray[np.int64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Pixels ``(n,)`` of each object."""
        return np.diff(self.bounds)


def region_of(work: Workspace, flat: NDArray[np.bool_]) -> Region:
    """Pixels at which `flat` ``(P,)`` is True."""
    found = np.flatnonzero(flat)
    bounds = np.searchsorted(found, work.planes.starts).astype(np.int64)
    fits = len(flat) <= np.iinfo(np.int32).max
    return Region(found.astype(np.int32) if fits else found, bounds)


def inside(work: Workspace, mask: str) -> Region:
    """Block: the pixels of a mask."""
    return region_of(work, work.mask(mask))


def outside(work: Workspace, mask: str) -> Region:
    """Block: the pixels of the image that are not in a mask."""
    return region_of(work, ~work.mask(mask))


def union(work: Workspace, first: str, second: str) -> Region:
    """Block: the pixels of either mask."""
    return region_of(work, work.mask(first) | work.mask(second))
