"""System: what the instrument says of each object (``ideas_features`` 5.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.features.spec import Confidence, FeatureSpec, Takes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ifcyto.features.workspace import Workspace

    Values = NDArray[np.float64]

__all__ = ["SPECS", "camera_line_number", "camera_timer", "flow_speed", "object_number", "time"]

TICKS_A_SECOND = 1e6


def stored_fact(work: Workspace, name: str) -> Values:
    """Return a fact ``(n,)`` that the source stored; NaN where it is not known (-1 among integers)."""
    stored = work.planes.facts.get(name)
    if stored is None:
        return np.full(len(work), np.nan)
    values: Values = np.array(stored, np.float64)
    if stored.dtype.kind == "i":
        values[stored == -1] = np.nan
    return values


def camera_line_number(work: Workspace) -> Values:
    """Line of the camera at which the object was taken."""
    return stored_fact(work, "camera_line")


def camera_timer(work: Workspace) -> Values:
    """Timer of the camera, ticks of a microsecond."""
    return stored_fact(work, "camera_timer")


def flow_speed(work: Workspace) -> Values:
    """Speed of the object in the flow cell, mm/s."""
    return stored_fact(work, "flow_speed")


def time(work: Workspace) -> Values:
    """Time since the start of acquisition, s: as stored, else Camera Timer / 10^6."""
    stored = stored_fact(work, "time")
    return np.where(np.isnan(stored), camera_timer(work) / TICKS_A_SECOND, stored)


def object_number(work: Workspace) -> Values:
    """Key of the object in its file, from 0."""
    return work.planes.object_numbers.astype(np.float64)


def _spec(name: str, function: Callable[..., object], unit: str, formula: str) -> FeatureSpec:
    return FeatureSpec(
        name=name,
        group="System",
        takes=Takes.NOTHING,
        unit=unit,
        function=function,
        formula=formula,
        source="ideas_features 5.7",
        confidence=Confidence.VERIFIED,
    )


SPECS = (
    _spec("Camera Line Number", camera_line_number, "", "stored"),
    _spec("Camera Timer", camera_timer, "", "stored, ticks of 1 us"),
    _spec("Flow Speed", flow_speed, "mm/s", "stored"),
    _spec("Object Number", object_number, "", "stored, from 0"),
    _spec("Time", time, "s", "stored, else Camera Timer / 10^6"),
)
