"""Masks of details and of parts: Spot, Peak, Valley, Watershed, Skeleton (``ideas_features`` section 3).

IDEAS' algorithms are not published: every function here is an *approximation*.
Masks are flat ``(P,)`` boolean arrays over the objects of a
:class:`~ifcyto.features.workspace.Workspace`; images are channel numbers from 0.
All but Spot and Valley look at one object after the other.
"""
# ruff: noqa: FBT001  the arguments come in the order of IDEAS' own definitions

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from ifcyto.features.detail import bright_detail, white_top_hat
from ifcyto.features.registry import feature_spec
from ifcyto.features.workspace import Workspace, evaluate
from ifcyto.masks.kernels.threshold import above_background
from ifcyto.masks.planewise import (
    BOX,
    CROSS,
    disc,
    distance,
    major_axis,
    medial_lines,
    one_by_one,
    ridge,
    split,
    tops,
)
from ifcyto.masks.segment import background, smoothed
from ifcyto.masks.shape import components_touching, erode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.masks.planewise import Mask, Plane

__all__ = ["peak", "skeleton", "spot", "valley", "watershed"]

RIDGE_SMOOTHING = 1.0
"""Standard deviation in pixels of the Gaussian under which ridges are sought."""


def spot(
    work: Workspace,
    start: NDArray[np.bool_],
    image: int,
    dark: bool,
    ratio: float,
    radius: int,
    minimum_radius: int | None = None,
) -> NDArray[np.bool_]:
    """Keep small bright (dark) details; an *approximation* (MANUAL, INFERRED).

    The white (black) top-hat with a disc of `radius` pixels, where it is at
    least `ratio` times the level of the cell: the mean over the mask of the
    opened (closed) image less the background, at least one standard deviation
    of the background.

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool
    image : int
    dark : bool
        Keep dark details instead.
    ratio : float
        Detail to cell level.
    radius : int
        Largest radius in pixels: what holds a disc of it belongs to the cell. 0
        gives an empty mask.
    minimum_radius : int, optional
        4-connected spots that vanish when shrunk by it (:func:`~ifcyto.masks.shape.erode`)
        are dropped; None or 0 keeps all. 1 asks for a spot three pixels wide.

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`.
    """
    mean, sd = background(work, image)
    detail = dark_detail(work, image, radius) if dark else work.once(bright_detail, image, radius)
    sign = 1.0 if dark else -1.0
    spots: NDArray[np.bool_] = above_background(
        work.image(image), detail, start, work.planes.starts, mean, sd, float(ratio), sign
    )
    return components_touching(work, spots, erode(work, spots, minimum_radius)) if minimum_radius else spots


def dark_detail(work: Workspace, image: int, radius: int) -> NDArray[Any]:
    """Black top-hat ``(P,)``: the closing of an image less the image.

    The disc, the image border and the label are those of
    :func:`ifcyto.features.detail.bright_detail`.
    """
    return white_top_hat(-work.image(image), work.geometry, radius)


def peak(
    work: Workspace, start: NDArray[np.bool_], image: int, dark: bool, ratio: float
) -> NDArray[np.bool_]:
    """Mark bright (dark) peaks, one region each; an *approximation* (MANUAL, INFERRED).

    A peak rises by h = ``(ratio - 1) * c`` above the highest path to a higher
    one, and above the darkest pixel of the mask (a regional maximum of the
    h-maxima transform). c is the level of the cell: the median of the
    background-subtracted pixels of the mask, at least one standard deviation of
    the background. Regions of different peaks do not touch.

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool
    image : int
    dark : bool
        Mark minima instead.
    ratio : float
        Peak to cell level; 1 or less marks every maximum.

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`.
    """
    _, sd = background(work, image)

    def found(plane: Plane, inside: Mask, number: int) -> Mask:
        height = max(ratio - 1.0, 0.0) * max(float(np.median(plane[inside])), float(sd[number]))
        return tops(-plane if dark else plane, inside, height)

    return one_by_one(work, start, smoothed(work, image, 0.0), found)


def valley(work: Workspace, start: NDArray[np.bool_], image: int, width: int) -> NDArray[np.bool_]:
    """Draw a band across the dark gap of a mask; an *approximation* (MANUAL, INFERRED).

    Pixels of the mask within a band of `width` pixels through the point of the
    features Valley X and Valley Y, perpendicular to the mask's major axis.

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool
    image : int
    width : int
        Pixels.

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`; empty where there is no valley.
    """
    inner = Workspace(work.planes, lambda name: start)
    x, y = (evaluate(inner, feature_spec(name), ("start", image)) for name in ("Valley X", "Valley Y"))

    def band(plane: Plane, inside: Mask, number: int) -> Mask:
        rows, columns = np.nonzero(inside)
        across, along = major_axis(columns, rows)
        away = (columns - x[number]) * across + (rows - y[number]) * along + width / 2.0
        chosen = np.zeros(inside.shape, bool)
        chosen[rows, columns] = (away >= -1e-9) & (away < width - 1e-9)
        return chosen

    return one_by_one(work, start, np.zeros(len(start)), band)


def watershed(
    work: Workspace,
    start: NDArray[np.bool_],
    image: int | None,
    weighted: bool,
    inverted: bool,
    smoothing: float,
    line: int,
) -> NDArray[np.bool_]:
    """Cut a mask along watershed lines; an *approximation* (MANUAL; arguments DOC).

    Water rises from the deepest points of a landscape; where two floods meet,
    the mask is cut (4-connected parts).

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool
    image : int or None
        None where `weighted` is False.
    weighted : bool
        The landscape is the image; else the distance to the outside of the mask.
    inverted : bool
        Parts surround dark points; else bright (or innermost) points.
    smoothing : float
        Twice the standard deviation, in pixels, of the Gaussian that smooths the landscape.
    line : int
        Thickness of the cut in pixels.

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`.
    """

    def cut(plane: Plane, inside: Mask, number: int) -> Mask:
        height = plane if weighted else distance(inside, smoothing / 2.0)
        deep = height if inverted else -height
        floods = tops(-deep, inside, 0.0)
        markers, count = ndimage.label(floods, BOX)
        if count < 2:
            return inside
        parts = split(deep, markers, inside)
        edges = inside & (parts == 0) & ndimage.binary_dilation(parts > 0, BOX)
        gap: Mask = ndimage.binary_dilation(edges, disc(line), origin=-((line + 1) % 2))
        return inside & ~gap

    smooth = np.zeros(len(start)) if image is None else smoothed(work, image, smoothing / 2.0)
    return one_by_one(work, start, smooth, cut)


def skeleton(work: Workspace, start: NDArray[np.bool_], image: int, thick: bool) -> NDArray[np.bool_]:
    """Reduce a mask to its medial lines; an *approximation* (MANUAL, INFERRED).

    Thin: the mask thinned to lines of one pixel, whatever the image. Thick: the
    ridges of the image (:data:`RIDGE_SMOOTHING` smoothed; brighter than both
    neighbours in one of four directions, and than the mean of the mask), grown
    by one pixel.

    Parameters
    ----------
    work : Workspace
    start : ndarray (P,) of bool
    image : int
    thick : bool

    Returns
    -------
    ndarray (P,) of bool
        Part of `start`. Where the image has no ridge, thick is the thin one, grown.
    """

    def lines(plane: Plane, inside: Mask, number: int) -> Mask:
        medial = ridge(plane, inside) if thick else np.zeros_like(inside)
        if not medial.any():
            medial = medial_lines(inside)
        return inside & ndimage.binary_dilation(medial, CROSS) if thick else medial

    flat = smoothed(work, image, RIDGE_SMOOTHING) if thick else np.zeros(len(start))
    return one_by_one(work, start, flat, lines)
