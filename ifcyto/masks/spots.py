"""Split a mask into bright spots, and count them.

The rule is an *approximation* of what a user builds in IDEAS from Spot, Peak and
Watershed masks; it is not IDEAS' own algorithm, which is not published. Counting
follows IDEAS: components are 4-connected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from ifcyto.masks.kernels.spots import spot_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["split_spots", "spot_areas", "spot_count"]


def spot_areas(mask: NDArray[Any]) -> NDArray[np.int64]:
    """Areas of the 4-connected components of `mask`.

    Parameters
    ----------
    mask : ndarray (H, W)
        Non-zero is inside.

    Returns
    -------
    ndarray (n,) of int64
        Pixels of each component, in raster order of their first pixels.

    Examples
    --------
    >>> spot_areas(np.array([[1, 0, 1], [1, 0, 0], [0, 1, 1]])).tolist()
    [2, 1, 2]
    """
    labels, count = ndimage.label(mask)
    areas: NDArray[np.int64] = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return areas


def spot_count(mask: NDArray[Any], *, min_area: float = 0.0) -> int:
    """Count the 4-connected components of `mask` (IDEAS' Spot Count).

    Parameters
    ----------
    mask : ndarray (H, W)
        Non-zero is inside.
    min_area : float
        Components of fewer pixels are not counted.

    Returns
    -------
    int
        0 for an empty mask.

    Examples
    --------
    >>> diagonal = np.eye(3)
    >>> spot_count(diagonal), spot_count(diagonal, min_area=2)
    (3, 0)
    """
    return int(np.count_nonzero(spot_areas(mask) >= min_area))


def split_spots(
    image: NDArray[np.float64],
    mask: NDArray[np.bool_],
    *,
    saddle_ratio: float,
    min_area: float = 0.0,
    min_share: float = 0.0,
) -> NDArray[np.bool_]:
    """Cut a mask along the dark lines between bright spots, and drop small pieces.

    Two peaks are two spots when the highest path between them falls to
    `saddle_ratio` of the lower peak or below; otherwise they are one. Pixels on
    the cut (those with another spot below or to the right) leave the mask, so
    that :func:`spot_count` of the result counts the spots.

    Parameters
    ----------
    image : ndarray (H, W) of float64
        Smoothed, background subtracted, in counts.
    mask : ndarray (H, W) of bool
        Pixels that may belong to a spot.
    saddle_ratio : float
        Between 0 (never split a connected mask) and 1 (split at every peak).
    min_area : float
        Spots of fewer pixels are dropped.
    min_share : float
        Spots smaller than this share of the largest are dropped.

    Returns
    -------
    ndarray (H, W) of bool
        Part of `mask`.

    Notes
    -----
    An *approximation* of a nucleus mask with touching nuclei separated; the
    criterion is the relative height of the saddle (persistence of the peaks).

    Examples
    --------
    >>> image = np.array([[4.0, 9, 4, 8, 4]])
    >>> spot_count(split_spots(image, image > 3, saddle_ratio=0.6))
    2
    >>> spot_count(split_spots(image, image > 3, saddle_ratio=0.4))
    1
    """
    labels = spot_labels(np.ascontiguousarray(image, np.float64), np.ascontiguousarray(mask), saddle_ratio)
    cut = np.zeros(labels.shape, bool)
    cut[:, :-1] |= (labels[:, :-1] != labels[:, 1:]) & (labels[:, 1:] > 0)
    cut[:-1] |= (labels[:-1] != labels[1:]) & (labels[1:] > 0)
    pieces, count = ndimage.label((labels > 0) & ~cut)
    areas = np.bincount(pieces.ravel(), minlength=count + 1)
    areas[0] = 0
    keep = areas >= max(min_area, min_share * areas.max(), 1.0)
    kept: NDArray[np.bool_] = keep[pieces]
    return kept
