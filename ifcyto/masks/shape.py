"""Masks from masks: growing, shrinking, filling, choosing components (``ideas_features`` section 3).

IDEAS' structuring elements and rules are not published: every function here is
an *approximation*. Masks are flat ``(P,)`` boolean arrays over the objects of a
:class:`~ifcyto.features.workspace.Workspace`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.components import label_components
from ifcyto.masks.components import component_values, firsts, ranked
from ifcyto.masks.kernels.components import component_areas, component_pixels
from ifcyto.masks.kernels.growth import fill_holes, grow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = [
    "area_range",
    "component",
    "components_touching",
    "dilate",
    "erode",
    "fill",
    "interface",
    "largest_component",
]


def dilate(work: Workspace, start: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """Grow a mask by `n` pixels; an *approximation* (MANUAL).

    A 3 x 3 cross and a 3 x 3 box take turns, cross first, so that the result
    resembles growth by a disc.

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool
    n : int
        Pixels; 0 changes nothing.

    Returns
    -------
    ndarray (P,) of bool
    """
    grown: NDArray[np.bool_] = grow(start, *work.geometry, n, False)
    return grown


def erode(work: Workspace, start: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """Shrink a mask by `n` pixels; an *approximation* (MANUAL).

    The elements are those of :func:`dilate`. What lies beyond the image is
    outside, so that a mask is shrunk at the image border as well.

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool
    n : int
        Pixels; 0 changes nothing.

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`.
    """
    shrunk: NDArray[np.bool_] = grow(start, *work.geometry, n, True)
    return shrunk


def fill(work: Workspace, start: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill the holes of a mask; an *approximation* (MANUAL).

    A hole is what no 4-connected path from beyond the image reaches.

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool

    Returns
    -------
    ndarray (P,) of bool
    """
    filled: NDArray[np.bool_] = fill_holes(start, *work.geometry)
    return filled


def interface(
    work: Workspace, first: NDArray[np.bool_], second: NDArray[np.bool_], width: int
) -> NDArray[np.bool_]:
    """Pixels of the first mask near the second; an *approximation* (MANUAL, INFERRED).

    Those of `first` within `width` pixels of what `second` adds to it:
    ``first And Dilate(second And Not first, width)``. It is made for the
    contact of two cells.

    Parameters
    ----------
    work : Workspace
    first, second : ndarray (P,) of bool
    width : int
        Pixels.

    Returns
    -------
    ndarray (P,) of bool
        Part of `first`.
    """
    return first & dilate(work, second & ~first, width)


def area_range(
    work: Workspace,
    start: NDArray[np.bool_],
    area_min: float,
    area_max: float,
    ratio_min: float,
    ratio_max: float,
) -> NDArray[np.bool_]:
    """Components whose area and aspect ratio lie in a range; an *approximation* (MANUAL).

    Components are 4-connected, as in Spot Count. A component of one pixel has
    no axes; it counts as round (aspect ratio 1).

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool
    area_min, area_max : float
        Square micrometres, both included.
    ratio_min, ratio_max : float
        Minor axis by major axis, both included.

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`.
    """
    labels, counts = label_components(start, *work.geometry, 4)
    area = component_values(work, labels, counts, "Area")
    ratio = component_values(work, labels, counts, "Aspect Ratio")
    ratio[np.isnan(ratio)] = 1.0
    good = (area >= area_min) & (area <= area_max) & (ratio >= ratio_min) & (ratio <= ratio_max)
    return _of_components(work, labels, counts, good)


def component(
    work: Workspace,
    start: NDArray[np.bool_],
    image: int | None,
    image2: int | None,
    feature: str,
    ascending: bool,  # noqa: FBT001  the order of IDEAS' own arguments
    rank: int,
) -> NDArray[np.bool_]:
    """Keep one component, chosen by the rank of a feature; an *approximation*.

    Components are 4-connected (VERIFIED-STAT for Spot Count). Equal components
    go in raster order; those without a value come last. Saturation Count is known
    for whole objects alone, so that by it all components of an object are equal.

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool
    image, image2 : int or None
        Channels, for the features that need one or two.
    feature : str
        A name of :data:`ifcyto.masks.components.RANKING`.
    ascending : bool
        Whether rank 1 has the smallest value.
    rank : int
        From 1.

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`; empty for an object of fewer than `rank` components.

    Raises
    ------
    UsageError
        The feature cannot rank components, or it needs an image that is not given.
    """
    labels, counts = label_components(start, *work.geometry, 4)
    values = component_values(work, labels, counts, feature, image, image2)
    return _of_components(work, labels, counts, ranked(values, counts, rank, ascending=ascending))


def largest_component(work: Workspace, start: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest 4-connected component of each object.

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`; the first in raster order where several are largest.
    """
    return component(work, start, None, None, "Area", False, 1)


def components_touching(
    work: Workspace, start: NDArray[np.bool_], core: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Keep the 4-connected components that have a pixel in another mask.

    Parameters
    ----------
    work : Workspace
    start, core : ndarray (P,) of bool

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`.
    """
    labels, counts = label_components(start, *work.geometry, 4)
    shared = np.where(core, labels, 0).astype(np.int32)
    hits = component_areas(shared, work.planes.starts, firsts(counts), int(counts.sum()))
    return _of_components(work, labels, counts, hits > 0)


def _of_components(
    work: Workspace, labels: NDArray[np.int32], counts: NDArray[np.int64], good: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Pixels of the components that are `good`, one value a component of the batch."""
    chosen: NDArray[np.bool_] = component_pixels(labels, work.planes.starts, firsts(counts), good)
    return chosen
