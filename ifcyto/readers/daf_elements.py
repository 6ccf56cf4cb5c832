"""Attributes of DAF elements to records and columns; numbers checked one by one."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Protocol

from ifcyto.readers.daf_faults import shown
from ifcyto.readers.daf_records import (
    DafFeature,
    DafImage,
    DafMask,
    DafPopulation,
    DafRegion,
    DafStatistic,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Fail",
    "as_real",
    "as_reals",
    "as_whole",
    "feature_of",
    "image_of",
    "mask_of",
    "population_of",
    "region_of",
    "statistic_of",
]

NAN = float("nan")
STATISTICS = {
    "min": "min",
    "max": "max",
    "mean": "mean",
    "geomean": "geomean",
    "mode": "mode",
    "stddev": "stddev",
    "variance": "variance",
    "cv": "CV",
    "median": "median",
    "mad": "MAD",
    "nans": "nans",
    "count": "count",
    "concentration": "concentration",
}
"""Field of :class:`DafStatistic` to attribute of ``PopStatistic``."""


class Fail(Protocol):
    """How a fault is reported: raises, or returns when salvaging."""

    def __call__(self, message: str, where: str, object_number: int | None = None) -> None:
        """Report `message` at `where`."""


def as_real(
    attributes: Mapping[str, str], name: str, element: str, fail: Fail, object_number: int | None = None
) -> float:
    """Read a number; NaN when the attribute is missing or empty, or bad while salvaging."""
    text = attributes.get(name, "")
    if not text:
        return NAN
    try:
        return float(text)
    except ValueError:
        fail(f"expected a number, found {shown(text)}", f"{element} {name}", object_number)
        return NAN


def as_whole(
    attributes: Mapping[str, str], name: str, element: str, fail: Fail, object_number: int | None = None
) -> int:
    """Read a whole number from 0 to 2**63 - 1; -1 when missing, or bad while salvaging."""
    text = attributes.get(name, "")
    if not text:
        return -1
    try:
        value = int(text) if len(text) <= 20 else -1
    except ValueError:
        value = -1
    if not 0 <= value < 2**63:
        fail(f"expected a whole number, found {shown(text)}", f"{element} {name}", object_number)
        return -1
    return value


def as_reals(text: str, where: str, fail: Fail, object_number: int | None = None) -> array[float]:
    """Read numbers joined by ``|``; empty when missing, or bad while salvaging."""
    if not text:
        return array("d")
    try:
        return array("d", map(float, text.split("|")))
    except ValueError as error:
        reason = str(error).partition(": ")[2]
        fail(f"expected numbers joined by |, found {shown(reason)}", where, object_number)
        return array("d")


def image_of(attributes: Mapping[str, str], fail: Fail) -> DafImage:
    """Record of one ``image``."""
    return DafImage(
        name=attributes.get("name", ""),
        physical_channel=as_whole(attributes, "physicalChannel", "image", fail),
        colour=attributes.get("color", ""),
        display_min=as_real(attributes, "xmin", "image", fail),
        display_max=as_real(attributes, "xmax", "image", fail),
        base_image=attributes.get("baseimage", ""),
        function=attributes.get("function", ""),
    )


def mask_of(attributes: Mapping[str, str]) -> DafMask:
    """Record of one ``mask``."""
    return DafMask(attributes.get("name", ""), attributes.get("type", ""), attributes.get("def", ""))


def feature_of(attributes: Mapping[str, str]) -> DafFeature:
    """Record of one ``UDF``."""
    return DafFeature(
        name=attributes.get("name", ""),
        type=attributes.get("type", ""),
        user_type=attributes.get("userfeaturetype", ""),
        definition=attributes.get("def", ""),
    )


def region_of(attributes: Mapping[str, str], fail: Fail) -> DafRegion:
    """Record of one ``Region``, its points still to come."""

    def log_range(name: str) -> float | None:
        if attributes.get(name, "P") in {"P", ""}:
            return None
        value = as_real(attributes, name, "Region", fail)
        return None if math.isnan(value) else value

    return DafRegion(
        label=attributes.get("label", ""),
        type=attributes.get("type", ""),
        points=(),
        label_x=as_real(attributes, "cx", "Region", fail),
        label_y=as_real(attributes, "cy", "Region", fail),
        colour=attributes.get("color", ""),
        light_colour=attributes.get("lightcolor", ""),
        is_marker=attributes.get("ismarker", "").casefold() == "true",
        x_log_range=log_range("xlogrange"),
        y_log_range=log_range("ylogrange"),
        sync=attributes.get("sync", ""),
    )


def population_of(attributes: Mapping[str, str]) -> DafPopulation:
    """Record of one ``Pop``, its tagged objects still to come."""
    return DafPopulation(
        name=attributes.get("name", ""),
        type=attributes.get("type", ""),
        base=attributes.get("base", ""),
        region=attributes.get("region", ""),
        fx=attributes.get("fx", ""),
        fy=attributes.get("fy", ""),
        definition=attributes.get("definition", ""),
        colour=attributes.get("color", ""),
        light_colour=attributes.get("lightModeColor", ""),
        style=attributes.get("style", ""),
    )


def statistic_of(attributes: Mapping[str, str], fail: Fail) -> DafStatistic:
    """Record of one ``PopStatistic``."""
    numbers = {field: as_real(attributes, name, "PopStatistic", fail) for field, name in STATISTICS.items()}
    return DafStatistic(attributes.get("feature", ""), attributes.get("population", ""), **numbers)
