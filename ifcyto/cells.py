"""The vocabulary that readers, stacks and writers share.

Axis order is always ``(channel, row, column)``, here written ``(C, H, W)``;
row runs along the flow, column across it, both 0-based. Pixels are signed:
compensated images go below zero. In a mask the value 1 marks the object;
other non-zero values mark clipped parts (``ideas_features`` 1.5) and are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["FACTS", "MASK_OBJECT", "Cell", "CellBatch", "Channel", "FactSpec", "find_rows"]

MASK_OBJECT = 1
"""Mask value that marks the object itself."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One camera channel.

    Parameters
    ----------
    number : int
        1-based channel number of the instrument (Ch01 is 1), or the 1-based
        position where the format has no numbers.
    name : str
        Name in the file; ``Ch01`` where the file gives none.
    brightfield : bool
        Lit by the brightfield lamp.
    detector : str
        What the file says of laser, filter or detector; may be empty.
    role : str
        What the user says the channel is (``BF``, ``CD235a``, ``DRAQ5``); empty
        until a study says so.
    pixel_size_um : float or None
        Side of a pixel in the sample plane, in micrometres.

    Examples
    --------
    >>> Channel(5, "DRAQ5").label
    'Ch05 DRAQ5'
    """

    number: int
    name: str
    brightfield: bool = False
    detector: str = ""
    role: str = ""
    pixel_size_um: float | None = None

    @property
    def label(self) -> str:
        """Number and name for people, such as ``Ch05 DRAQ5``."""
        short = f"Ch{self.number:02d}"
        return short if self.name == short else f"{short} {self.name}"


@dataclass(frozen=True, slots=True)
class FactSpec:
    """Declaration of one number or text that an instrument stores per object.

    `dtype` is a numpy dtype name or ``str``; `missing` stands where one object
    has no value; `per_channel` facts have shape ``(C,)``.
    """

    name: str
    dtype: str
    per_channel: bool
    unit: str
    meaning: str

    @property
    def missing(self) -> float | int | str:
        """Value that stands for "not known"."""
        if self.dtype == "str":
            return ""
        return -1 if self.dtype.startswith("int") else float("nan")


FACTS: dict[str, FactSpec] = {
    spec.name: spec
    for spec in (
        FactSpec("acquisition_number", "int64", False, "", "object number at acquisition, before subsets"),
        FactSpec("flow_speed", "float64", False, "mm/s", "speed of the object in the flow cell"),
        FactSpec("camera_line", "int64", False, "", "camera line number"),
        FactSpec("camera_timer", "int64", False, "", "camera timer, in ticks of the instrument"),
        FactSpec("time", "float64", False, "s", "time since the start of acquisition"),
        FactSpec("raw_centroid_x", "float64", False, "px", "centroid in the camera channel, across flow"),
        FactSpec("raw_centroid_y", "float64", False, "px", "centroid in the camera channel, along flow"),
        FactSpec("background_mean", "float64", True, "counts", "mean of the background pixels"),
        FactSpec("background_sd", "float64", True, "counts", "standard deviation of the background pixels"),
        FactSpec("saturation_count", "float64", True, "px", "saturated pixels"),
        FactSpec("saturation_percent", "float64", True, "%", "saturated pixels in percent of the mask"),
        FactSpec("label", "str", False, "", "class given by the input (a folder's name)"),
    )
}
"""Every per-object fact that a reader may fill, in the order of storage."""


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One object: its images, masks and what the instrument says of it.

    Parameters
    ----------
    object_number : int
        Key of the object: images, features, tags and results meet by it.
    images : ndarray (C, H, W)
        Pixels, int16 or wider (float32 where the instrument stores floats).
    masks : ndarray (C, H, W) of uint8, or None
        Raw mask values; None where the source has no masks.
    facts : mapping
        Values of :data:`FACTS` that are known; each is a number, a text, or an
        array ``(C,)``. They are attributes as well: ``cell.background_mean``.

    Examples
    --------
    >>> cell = Cell(7, np.zeros((2, 4, 5), np.int16), facts={"flow_speed": 64.5})
    >>> cell.flow_speed, cell.camera_line
    (64.5, None)
    """

    object_number: int
    images: NDArray[Any]
    masks: NDArray[np.uint8] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        if name in FACTS:
            return self.facts.get(name)
        msg = f"a Cell has no attribute {name!r}"
        raise AttributeError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class CellBatch:
    """Many cells of any size in flat arrays: the form in which pixels travel fast.

    Parameters
    ----------
    object_numbers : ndarray (n,) of int64
    heights, widths : ndarray (n,) of int32
        Of one channel's image.
    n_channels : int
    pixels : ndarray (P,)
        The images one cell after the other, each ``(C, H, W)`` in C order.
    masks : ndarray (P,) of uint8, or None
        Likewise.
    facts : dict of str to ndarray
        ``(n,)``, or ``(n, C)`` for facts per channel; names from :data:`FACTS`.
    """

    object_numbers: NDArray[np.int64]
    heights: NDArray[np.int32]
    widths: NDArray[np.int32]
    n_channels: int
    pixels: NDArray[Any]
    masks: NDArray[np.uint8] | None
    facts: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.object_numbers)

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Start of each cell in `pixels`, and the end of the last: ``(n + 1,)``."""
        sizes = self.heights.astype(np.int64) * self.widths * self.n_channels
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])

    def cells(self) -> list[Cell]:
        """Views of the single cells; pixels are not copied."""
        bounds = self.offsets.tolist()
        cells = []
        for i, number in enumerate(self.object_numbers.tolist()):
            shape = (self.n_channels, int(self.heights[i]), int(self.widths[i]))
            part = slice(bounds[i], bounds[i + 1])
            masks = None if self.masks is None else self.masks[part].reshape(shape)
            facts = {name: _scalar(values[i]) for name, values in self.facts.items()}
            cells.append(Cell(number, self.pixels[part].reshape(shape), masks, facts))
        return cells

    def keep(self, good: NDArray[np.bool_]) -> CellBatch:
        """Return the cells at which the boolean array `good` ``(n,)`` is True."""
        chosen = np.repeat(good, np.diff(self.offsets))
        return CellBatch(
            self.object_numbers[good],
            self.heights[good],
            self.widths[good],
            self.n_channels,
            self.pixels[chosen],
            None if self.masks is None else self.masks[chosen],
            {name: values[good] for name, values in self.facts.items()},
        )

    @classmethod
    def from_cells(cls, cells: Iterable[Cell], *, n_channels: int, dtype: np.dtype[Any]) -> CellBatch:
        """Pack single cells; facts that only some cells have are filled with `missing`.

        Raises
        ------
        ValueError
            A cell has another number of channels, or some cells have masks and
            others none.
        """
        cells = list(cells)
        for cell in cells:
            if cell.images.ndim != 3 or cell.images.shape[0] != n_channels:
                msg = (
                    f"object {cell.object_number}: expected images ({n_channels}, H, W), "
                    f"found {cell.images.shape}"
                )
                raise ValueError(msg)
        masked = [cell.masks for cell in cells if cell.masks is not None]
        if masked and len(masked) != len(cells):
            msg = f"expected masks for all cells or for none, found them for {len(masked)} of {len(cells)}"
            raise ValueError(msg)
        names = [name for name in FACTS if any(name in cell.facts for cell in cells)]
        return cls(
            object_numbers=np.array([cell.object_number for cell in cells], np.int64),
            heights=np.array([cell.images.shape[1] for cell in cells], np.int32),
            widths=np.array([cell.images.shape[2] for cell in cells], np.int32),
            n_channels=n_channels,
            pixels=_flat([cell.images for cell in cells], dtype),
            masks=_flat(masked, np.dtype(np.uint8)) if masked else None,
            facts={name: _column(FACTS[name], cells, n_channels) for name in names},
        )


def find_rows(
    object_numbers: NDArray[np.int64],
    wanted: Sequence[int] | NDArray[np.int64],
    path: Path,
    kind: str,
    order: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Rows of objects by their numbers.

    Parameters
    ----------
    object_numbers : ndarray (N,) of int64
        Number of each row, in any order.
    wanted : sequence of int (n,)
    path : pathlib.Path
    kind : str
        What `path` is, for the message.
    order : ndarray (N,), optional
        ``np.argsort(object_numbers, kind="stable")``, where it is known.

    Returns
    -------
    ndarray (n,) of int64
        In the order of `wanted`.

    Raises
    ------
    UsageError
        Some numbers are not there; the first few are named.

    Examples
    --------
    >>> from pathlib import Path
    >>> find_rows(np.array([7, 3, 5]), [5, 7], Path("MDS01.cif"), "file").tolist()
    [2, 0]
    """
    asked = np.asarray(wanted, np.int64).reshape(-1)
    if order is None:
        order = np.argsort(object_numbers, kind="stable")
    place = np.searchsorted(object_numbers, asked, sorter=order)
    found = place < len(order)
    found[found] = object_numbers[order[place[found]]] == asked[found]
    if not found.all():
        missing = asked[~found]
        shown = ", ".join(map(str, missing[:5])) + (" ..." if len(missing) > 5 else "")
        msg = f"{path}: {len(missing)} of {len(asked)} objects are not in the {kind}: {shown}"
        raise UsageError(msg)
    return order[place]


def _flat(arrays: list[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    if not arrays:
        return np.empty(0, dtype)
    return np.concatenate([array.ravel() for array in arrays]).astype(dtype, casting="safe", copy=False)


def _column(spec: FactSpec, cells: list[Cell], n_channels: int) -> NDArray[Any]:
    if spec.dtype == "str":
        return np.array([cell.facts.get(spec.name, "") for cell in cells], object)
    shape = (len(cells), n_channels) if spec.per_channel else (len(cells),)
    column = np.full(shape, spec.missing, spec.dtype)
    for i, cell in enumerate(cells):
        if spec.name in cell.facts:
            column[i] = cell.facts[spec.name]
    return column


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
