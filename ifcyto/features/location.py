"""Location: centroids, their differences, and the direction of the long axis (``ideas_features`` 5.2)."""

# ruff: noqa: FBT001 (a choice is an argument of a Delta Centroid, and arguments go by position)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.axes import WEIGHT_POWER
from ifcyto.features.moments import intensity_centroid, intensity_spread, lean, mask_centroid, mask_spread
from ifcyto.features.spec import Confidence, FeatureSpec, Takes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

__all__ = [
    "SPECS",
    "angle",
    "angle_intensity",
    "centroid_x",
    "centroid_x_intensity",
    "centroid_y",
    "centroid_y_intensity",
    "delta_centroid_x",
    "delta_centroid_xy",
    "delta_centroid_y",
    "raw_centroid_x",
    "raw_centroid_y",
]

HALF_TURN = 3.14
"""IDEAS' half turn: 3.14, not pi, as in its Diameter (VERIFIED, see :func:`angle`)."""


def angle(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Direction of the major axis, in radians: 3.14 - a, a its angle with the rows, 0 to pi/2.

    1.57 is along flow, 3.14 across it. Which way the axis leans is not told.

    An *approximation* (VERIFIED-STAT). Exact arithmetic on 420 stored cells shows
    that the value is 3.14 - a in 390 of them, whichever way the axis leans (169 of the axes
    rise to the right, 221 fall), and a itself in 30 (27 rise, 3 fall), by a rule not
    found. That a is exact: N times the second moments xx and xy, rebuilt from
    the stored angle and axes, are whole numbers in 420 of 420, only with 3.14.
    NaN where no axis is longer than the others.
    """
    values: NDArray[np.float64] = HALF_TURN - lean(work.once(mask_spread, mask))
    return values


def angle_intensity(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Angle between the long axis of the weighted spread and the rows, in radians, 0 to pi/2.

    An *approximation*: the range is VERIFIED-STAT, the weights are those of
    :data:`ifcyto.features.axes.WEIGHT_POWER`.
    """
    return lean(work.once(intensity_spread, mask, channel, WEIGHT_POWER))


def centroid_x(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Mean column of a mask's pixels, in micrometres, from 0 (VERIFIED)."""
    return _in_um(work, work.once(mask_centroid, mask)[:, 0])


def centroid_y(work: Workspace, mask: str) -> NDArray[np.float64]:
    """Mean row of a mask's pixels, in micrometres, from 0 (VERIFIED)."""
    return _in_um(work, work.once(mask_centroid, mask)[:, 1])


def centroid_x_intensity(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Mean column with weights |J|, in micrometres (VERIFIED); NaN where all weights are 0."""
    return _in_um(work, work.once(intensity_centroid, mask, channel)[:, 0])


def centroid_y_intensity(work: Workspace, mask: str, channel: int) -> NDArray[np.float64]:
    """Mean row with weights |J|, in micrometres (VERIFIED); NaN where all weights are 0."""
    return _in_um(work, work.once(intensity_centroid, mask, channel)[:, 1])


def delta_centroid_x(
    work: Workspace, mask1: str, image1: int, weighted1: bool, mask2: str, image2: int, weighted2: bool
) -> NDArray[np.float64]:
    """Column of the first centroid minus that of the second, in micrometres.

    A centroid is weighted by |J| of its image where its choice is true. An
    *approximation*: the sign is INFERRED.
    """
    return _difference(work, mask1, image1, weighted1, mask2, image2, weighted2)[:, 0]


def delta_centroid_y(
    work: Workspace, mask1: str, image1: int, weighted1: bool, mask2: str, image2: int, weighted2: bool
) -> NDArray[np.float64]:
    """Row of the first centroid minus that of the second; *approximation* as :func:`delta_centroid_x`."""
    return _difference(work, mask1, image1, weighted1, mask2, image2, weighted2)[:, 1]


def delta_centroid_xy(
    work: Workspace, mask1: str, image1: int, weighted1: bool, mask2: str, image2: int, weighted2: bool
) -> NDArray[np.float64]:
    """Distance between two centroids, in micrometres; see :func:`delta_centroid_x`.

    An *approximation* (the manual, from memory; ``ideas_features`` 5.2).
    """
    x, y = _difference(work, mask1, image1, weighted1, mask2, image2, weighted2).T
    distance: NDArray[np.float64] = np.hypot(x, y)
    return distance


def raw_centroid_x(work: Workspace) -> NDArray[np.float64]:
    """Centroid across flow in the frame of the camera channel, in micrometres; NaN where not known."""
    return _fact(work, "raw_centroid_x")


def raw_centroid_y(work: Workspace) -> NDArray[np.float64]:
    """Centroid along flow in the frame of the camera channel, in micrometres; NaN where not known."""
    return _fact(work, "raw_centroid_y")


def _in_um(work: Workspace, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    return pixels * work.planes.pixel_size_um


def _centroid(work: Workspace, mask: str, image: int, weighted: bool) -> NDArray[np.float64]:
    return work.once(intensity_centroid, mask, image) if weighted else work.once(mask_centroid, mask)


def _difference(
    work: Workspace, mask1: str, image1: int, weighted1: bool, mask2: str, image2: int, weighted2: bool
) -> NDArray[np.float64]:
    first = _centroid(work, mask1, image1, weighted1)
    return _in_um(work, first - _centroid(work, mask2, image2, weighted2))


def _fact(work: Workspace, name: str) -> NDArray[np.float64]:
    known = work.planes.facts.get(name)
    return _in_um(work, np.full(len(work), np.nan) if known is None else np.asarray(known, np.float64))


def _spec(
    name: str, function: Callable[..., object], takes: Takes, formula: str, confidence: Confidence
) -> FeatureSpec:
    unit = "rad" if name.startswith("Angle") else "um"
    return FeatureSpec(name, "Location", takes, unit, function, formula, "ideas_features 5.2", confidence)


SPECS = (
    _spec("Angle", angle, Takes.MASK, "3.14 - a, a in 0..pi/2 from the rows", Confidence.VERIFIED_STAT),
    _spec(
        "Angle Intensity",
        angle_intensity,
        Takes.MASK_IMAGE,
        "a of the covariance with weights J^2, in 0..pi/2",
        Confidence.VERIFIED_STAT,
    ),
    _spec("Centroid X", centroid_x, Takes.MASK, "p mean(x)", Confidence.VERIFIED),
    _spec("Centroid Y", centroid_y, Takes.MASK, "p mean(y)", Confidence.VERIFIED),
    _spec(
        "Centroid X Intensity",
        centroid_x_intensity,
        Takes.MASK_IMAGE,
        "p sum |J| x / sum |J|",
        Confidence.VERIFIED,
    ),
    _spec(
        "Centroid Y Intensity",
        centroid_y_intensity,
        Takes.MASK_IMAGE,
        "p sum |J| y / sum |J|",
        Confidence.VERIFIED,
    ),
    _spec("Delta Centroid X", delta_centroid_x, Takes.DELTA, "x1 - x2", Confidence.INFERRED),
    _spec("Delta Centroid Y", delta_centroid_y, Takes.DELTA, "y1 - y2", Confidence.INFERRED),
    _spec(
        "Delta Centroid XY",
        delta_centroid_xy,
        Takes.DELTA,
        "distance of the two centroids",
        Confidence.DOCUMENTED,
    ),
    _spec("Raw Centroid X", raw_centroid_x, Takes.NOTHING, "p objCenterX", Confidence.VERIFIED),
    _spec("Raw Centroid Y", raw_centroid_y, Takes.NOTHING, "p objCenterY", Confidence.VERIFIED),
)
