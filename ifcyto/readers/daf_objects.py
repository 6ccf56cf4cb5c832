"""What a DAF stores of every object, and how its XML is gathered into columns."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.readers.daf_elements import as_real, as_reals, as_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ifcyto.readers.daf_elements import Fail

__all__ = ["DafObjects", "ObjectColumns"]

NAN = float("nan")
WHOLE = {
    "object_numbers": "id",
    "image_offsets": "imgIFD",
    "mask_offsets": "mskIFD",
    "widths": "w",
    "heights": "l",
    "camera_line": "cl",
    "camera_timer": "ct",
}
REAL = {"flow_speed": "fs", "centre_x": "objCenterX", "centre_y": "objCenterY"}
PER_CHANNEL = {
    "background_mean": "bgmean",
    "background_sd": "bgstd",
    "saturation_count": "satcount",
    "saturation_percent": "satpercent",
}
"""Fields of :class:`DafObjects` to attributes of ``SO``."""


@dataclass(frozen=True, slots=True, eq=False)
class DafObjects:
    """What the file stores of every object; -1 or NaN where it does not say.

    Parameters
    ----------
    object_numbers : ndarray (N,) of int64
        Unique, 0-based.
    image_offsets, mask_offsets : ndarray (N,) of int64
        Byte offsets of the two IFDs in the CIF.
    widths, heights : ndarray (N,) of int64
        In pixels; the width is that of all channels side by side.
    flow_speed : ndarray (N,) of float64
        In mm/s.
    camera_line, camera_timer : ndarray (N,) of int64
    centre_x, centre_y : ndarray (N,) of float64
        In pixels of the camera channel.
    background_mean, background_sd : ndarray (N, C) of float64
    saturation_count, saturation_percent : ndarray (N, C) of float64
        As stored. IDEAS 6.0 and 6.2 both repeat the count as the percentage in
        the files examined: recompute it.
    """

    object_numbers: NDArray[np.int64]
    image_offsets: NDArray[np.int64]
    mask_offsets: NDArray[np.int64]
    widths: NDArray[np.int64]
    heights: NDArray[np.int64]
    flow_speed: NDArray[np.float64]
    camera_line: NDArray[np.int64]
    camera_timer: NDArray[np.int64]
    centre_x: NDArray[np.float64]
    centre_y: NDArray[np.float64]
    background_mean: NDArray[np.float64]
    background_sd: NDArray[np.float64]
    saturation_count: NDArray[np.float64]
    saturation_percent: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.object_numbers)

    def take(self, rows: NDArray[np.int64]) -> DafObjects:
        """Keep some rows, in the order given."""
        return DafObjects(**{name: getattr(self, name)[rows] for name in self.__slots__})


class ObjectColumns:
    """The ``SO`` elements, gathered by column so that a million of them stay small."""

    def __init__(self) -> None:
        self.whole = {field: array("q") for field in WHOLE}
        self.real = {field: array("d") for field in (*REAL, *PER_CHANNEL)}
        self.channels: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.whole["object_numbers"])

    def add(self, attributes: Mapping[str, str], fail: Fail) -> None:
        """Take one ``SO``."""
        number = as_whole(attributes, "id", "SO", fail)
        named = number if number >= 0 else None
        if not attributes.get("id"):
            fail("expected an object number, found none", "SO id")
        for field, name in WHOLE.items():
            value = number if name == "id" else as_whole(attributes, name, "SO", fail, named)
            self.whole[field].append(value)
        for field, name in REAL.items():
            self.real[field].append(as_real(attributes, name, "SO", fail, named))
        for field, name in PER_CHANNEL.items():
            values = as_reals(attributes.get(name, ""), f"SO {name}", fail, named)
            expected = self.channels.setdefault(field, len(values))
            if len(values) != expected:
                msg = f"expected {expected} values, one a channel, as before; found {len(values)}"
                fail(msg, f"SO {name}", named)
                values = array("d", [NAN]) * expected
            self.real[field].extend(values)

    def objects(self) -> DafObjects:
        """All objects as arrays."""
        n = len(self)
        columns: dict[str, NDArray[Any]] = {
            **{field: np.array(values, np.int64) for field, values in self.whole.items()},
            **{field: np.array(values, np.float64) for field, values in self.real.items()},
        }
        for field in PER_CHANNEL:
            columns[field] = columns[field].reshape(n, self.channels.get(field, 0))
        return DafObjects(**columns)
