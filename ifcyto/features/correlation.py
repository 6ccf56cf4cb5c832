"""Cross-correlation of two images: XCorr, Shift X, Shift Y (``ideas_features`` 5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from ifcyto.features.comparison import log_ratio
from ifcyto.features.kernels.pairs import (
    HEIGHT,
    PEAK,
    SHIFT_X,
    SHIFT_Y,
    WIDTH,
    fill_boxes,
    find_peaks,
)
from ifcyto.features.moments import mask_bounds
from ifcyto.features.region import inside
from ifcyto.features.spec import Confidence, FeatureSpec, Takes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

    Values = NDArray[np.float64]

__all__ = ["SPECS", "correlation_peak", "shift_x", "shift_y", "xcorr"]

SIDE_STEP = 8
"""Sides of transforms are about multiples of this, so that many objects share one call."""

MOST_VALUES = 65536
"""Values transformed in one call: they stay in the processor's cache."""


def bounding_boxes(work: Workspace, mask: str) -> NDArray[np.int64]:
    """Block: top, left, height and width ``(n, 4)`` of a mask in pixels; zeros for an empty one."""
    top, bottom, left, right = work.once(mask_bounds, mask).T
    return np.stack([top, left, bottom - top, right - left], axis=1)


def correlation_peak(work: Workspace, mask: str, first: int, second: int) -> Values:
    """Block: the maximum of the cross-correlation of two images in a mask.

    Images are less their background, as whole numbers where pixels are, and 0
    outside the mask. The correlation at a shift d is sum A(x) B(x + d), taken
    at every shift at which the boxes of the mask overlap.

    Returns
    -------
    ndarray (n, 3) of float64
        PEAK, the maximum over sqrt(sum A^2 sum B^2); SHIFT_X and SHIFT_Y, where
        it lies, in pixels. NaN where either image is 0 in the whole mask. The
        correlation of int16 images is exact.
    """
    boxes = work.once(bounding_boxes, mask)
    whole = all(work.image(image).dtype.kind == "i" for image in (first, second))
    out = np.full((len(work), 3), np.nan)
    groups = zip(
        work.once(transform_groups, mask),
        work.once(spectra, mask, first),
        work.once(spectra, mask, second),
        strict=True,
    )
    for (chosen, sides), (one, squares), (other, squares2) in groups:
        product = np.conjugate(one)
        product *= other
        columns = fft.ifft(product, axis=-2, overwrite_x=True)
        correlation = fft.irfft(columns, n=sides[1], axis=-1, overwrite_x=True)
        if whole:
            np.rint(correlation, out=correlation)
        find_peaks(correlation, boxes, chosen, np.sqrt(squares * squares2), out)
    return out


def spectra(work: Workspace, mask: str, image: int) -> list[tuple[NDArray[np.complex128], Values]]:
    """Block: transform ``(k, rows, columns)`` and sum of squares ``(k,)`` of an image, group by group."""
    boxes = work.once(bounding_boxes, mask)
    found = []
    for chosen, sides in work.once(transform_groups, mask):
        box = np.zeros((len(chosen), int(boxes[chosen, HEIGHT].max()), int(boxes[chosen, WIDTH].max())))
        squares = np.zeros(len(chosen))
        _fill(work, mask, image, boxes, chosen, box, squares)
        rows = fft.rfft(box, n=sides[1], axis=-1)
        found.append((fft.fft(rows, n=sides[0], axis=-2, overwrite_x=True), squares))
    return found


def _fill(
    work: Workspace,
    mask: str,
    image: int,
    boxes: NDArray[np.int64],
    chosen: NDArray[np.int64],
    box: Values,
    square: Values,
) -> None:
    """Copy one image of the chosen objects into `box` ``(k, h, w)``."""
    pixels = work.image(image)
    background = np.ascontiguousarray(work.planes.background_mean[:, image])
    starts, _, widths = work.geometry
    fill_boxes(
        pixels,
        background,
        *work.once(inside, mask),
        starts,
        widths,
        boxes,
        chosen,
        pixels.dtype.kind == "i",
        box,
        square,
    )


def transform_groups(work: Workspace, mask: str) -> list[tuple[NDArray[np.int64], tuple[int, int]]]:
    """Block: objects with a mask that share the sides of their transform, in parts that fit the cache."""
    boxes = work.once(bounding_boxes, mask)
    steps = -(-(2 * boxes[:, HEIGHT : WIDTH + 1] - 1) // SIDE_STEP)
    filled = np.flatnonzero(boxes[:, HEIGHT])
    groups: list[tuple[NDArray[np.int64], tuple[int, int]]] = []
    keys, group = np.unique(steps[filled], axis=0, return_inverse=True)
    for number, key in enumerate(keys.tolist()):
        members = filled[group.ravel() == number]
        sides = fft.next_fast_len(key[0] * SIDE_STEP), fft.next_fast_len(key[1] * SIDE_STEP, real=True)
        many = max(1, MOST_VALUES // (sides[0] * sides[1]))
        groups += [(members[begin : begin + many], sides) for begin in range(0, len(members), many)]
    return groups


def xcorr(work: Workspace, mask: str, first: int, second: int) -> Values:
    """Log-transformed maximum of the normalised cross-correlation: ln((1 + c) / (1 - c)).

    c is PEAK of :func:`correlation_peak`. An *approximation* (``ideas_features``
    5.6, VERIFIED-STAT): XCorr - Similarity of two fluorescence channels is 1.16
    (median) on real cells of Similarity 2.2; stored values of other cells have
    1.25 at 2.3. With the background left in it is 0.02, with each image's mean
    in the box subtracted 0.35, with its mean in the mask subtracted 0.13.
    """
    return log_ratio(work.once(correlation_peak, mask, first, second)[:, PEAK])


def shift_x(work: Workspace, mask: str, first: int, second: int) -> Values:
    """Shift of the second image against the first, across the flow, in pixels.

    Where :func:`correlation_peak` lies: positive where the second image's
    content lies at larger x. A fraction is given when neither axis is off by
    more than 10 whole pixels (VERIFIED pattern). An *approximation* else: IDEAS'
    sign is not known. That background is subtracted is seen from stored
    shifts of dim images, which are not 0, as they would be with it left in.
    """
    return work.once(correlation_peak, mask, first, second)[:, SHIFT_X]


def shift_y(work: Workspace, mask: str, first: int, second: int) -> Values:
    """Shift of the second image against the first, along the flow, in pixels.

    An *approximation* as :func:`shift_x` is.
    """
    return work.once(correlation_peak, mask, first, second)[:, SHIFT_Y]


def _spec(name: str, function: Callable[..., object], unit: str, formula: str) -> FeatureSpec:
    return FeatureSpec(
        name=name,
        group="Comparison",
        takes=Takes.TWO_IMAGES,
        unit=unit,
        function=function,
        formula=formula,
        source="ideas_features 5.6",
        confidence=Confidence.VERIFIED_STAT,
    )


SPECS = (
    _spec(
        "Shift X", shift_x, "px", "x of the d with the largest sum A(x) B(x + d), A and B being J in the mask"
    ),
    _spec(
        "Shift Y", shift_y, "px", "y of the d with the largest sum A(x) B(x + d), A and B being J in the mask"
    ),
    _spec("XCorr", xcorr, "", "ln((1 + c) / (1 - c)), c = max_d sum A(x) B(x + d) / sqrt(sum A^2 sum B^2)"),
)
