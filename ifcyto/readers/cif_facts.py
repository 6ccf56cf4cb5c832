"""What the instrument stores with each object of a CIF: the numeric tags of image directories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import FACTS
from ifcyto.readers.tiffdirs import TAG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ifcyto.readers.tiffdirs import Entry

__all__ = ["FactPlan"]

_SCALARS = (
    "flow_speed",
    "camera_line",
    "camera_timer",
    "acquisition_number",
    "raw_centroid_x",
    "raw_centroid_y",
)
_ARRAYS = ("background_mean", "background_sd", "saturation_count", "saturation_percent")
_NUMBERS = {3, 4, 12}  # TIFF types SHORT, LONG, DOUBLE


class FactPlan:
    """Where the numbers of an image directory go in a flat row of float64."""

    def __init__(self, n_channels: int) -> None:
        names = (*_SCALARS, *_ARRAYS)
        self.slot_of = {name: slot for slot, name in enumerate(names)}
        self.counts = np.array([1] * len(_SCALARS) + [n_channels] * len(_ARRAYS), np.int64)
        self.first = np.concatenate([[0], np.cumsum(self.counts)[:-1]]).astype(np.int64)
        self.width = int(self.counts.sum())
        self.slots = np.full(100, -1, np.int64)
        for name, slot in self.slot_of.items():
            self.slots[TAG[name] - 33000] = slot

    def fill(self, entries: Mapping[int, Entry], out: NDArray[np.float64]) -> list[str]:
        """Put the values of one directory into the row `out`; returns what is wrong with them."""
        wrong = []
        for name, slot in self.slot_of.items():
            entry = entries.get(TAG[name])
            if entry is None:
                continue
            if entry.count != self.counts[slot] or entry.kind not in _NUMBERS:
                found = f"{entry.count} values of TIFF type {entry.kind}"
                wrong.append(f"tag {entry.tag} ({name}): expected {self.counts[slot]} numbers, found {found}")
                continue
            out[self.first[slot] : self.first[slot] + entry.count] = entry.array
        return wrong

    def columns(self, facts: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        """Cut rows ``(n, width)`` into the columns of a :class:`~ifcyto.cells.CellBatch`."""
        columns: dict[str, NDArray[Any]] = {}
        for name in FACTS:
            if name not in self.slot_of:
                continue
            slot = self.slot_of[name]
            values = facts[:, self.first[slot] : self.first[slot] + self.counts[slot]]
            if np.isnan(values).all():
                continue
            if not FACTS[name].per_channel:
                values = values[:, 0]
            if FACTS[name].dtype.startswith("int"):
                values = np.where(np.isfinite(values), values, FACTS[name].missing)
            columns[name] = values.astype(FACTS[name].dtype)
        return columns
