"""Blocks on the pixel values of a region: sum, extremes, spread and order.

They take a block of :mod:`ifcyto.features.region` and its masks, so that
``work.once(pixel_totals, image, inside, "M01")`` is shared by all features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.kernels.pixels import (
    ORDERS,
    TOTALS,
    order_by_count,
    order_by_sort,
    square_sums,
    totals,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ifcyto.features.region import Region
    from ifcyto.features.workspace import Workspace

__all__ = ["pixel_order", "pixel_squares", "pixel_totals"]


def pixel_totals(
    work: Workspace, image: int, region: Callable[..., Region], *masks: str
) -> NDArray[np.float64]:
    """Block: sum, minimum and maximum ``(n, 3)`` of the raw pixels of a region.

    Columns are SUM, MINIMUM and MAXIMUM of ``ifcyto.features.kernels.pixels``;
    NaN for an object without a pixel. Sums of integers are exact below 2^53.
    """
    out = np.full((len(work), TOTALS), np.nan)
    totals(work.image(image), *work.once(region, *masks), out)
    return out


def pixel_squares(
    work: Workspace, image: int, region: Callable[..., Region], *masks: str
) -> NDArray[np.float64]:
    """Block: N^2 times the population variance ``(n,)`` of the pixels of a region; exactly 0 if constant.

    NaN for an object without a pixel. An exact integer for integer pixels, below 2^53.
    """
    out = np.full(len(work), np.nan)
    square_sums(work.image(image), *work.once(region, *masks), out)
    return out


def pixel_order(
    work: Workspace, image: int, region: Callable[..., Region], *masks: str
) -> NDArray[np.float64]:
    """Block: order statistics ``(n, 4)`` of the raw pixels of a region.

    Columns are those of ``ifcyto.features.kernels.pixels``; NaN for an object
    without a pixel. With the N pixels sorted, from 0:

    * MEDIAN is the middle one, or the mean of the two middle ones;
    * LOW and HIGH are those of rank floor(0.02 N) and floor(0.98 N): the extremes
      up to N = 49, the second ones at N = 51, as in real IDEAS output
      (``ideas_features`` 5.4, Modulation);
    * UPPER is the mean of those from rank floor(0.75 N) on.
    """
    out = np.full((len(work), ORDERS), np.nan)
    pixels = work.image(image)
    order = order_by_count if pixels.dtype.kind == "i" else order_by_sort
    order(pixels, *work.once(region, *masks), out)
    return out
