"""Objects on which features are tried: real ones, odd ones, and any that a test makes."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ifcyto.cells import Cell, CellBatch, Channel
from ifcyto.features.workspace import Workspace
from ifcyto.planes import Planes
from ifcyto.readers.cif import CifReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def workspace(cells: Sequence[Cell], pixel_size_um: float = 0.5) -> Workspace:
    """Workspace whose masks are M01, M02, ... by channel and MC, their union."""
    n_channels = cells[0].images.shape[0]
    dtype = np.result_type(*(cell.images.dtype for cell in cells))
    batch = CellBatch.from_cells(cells, n_channels=n_channels, dtype=dtype)
    channels = [Channel(number + 1, f"Ch{number + 1:02d}") for number in range(n_channels)]
    planes = Planes(batch, channels, pixel_size_um=pixel_size_um)

    def masks(name: str) -> np.ndarray:
        if name == "MC":
            return reduce(np.logical_or, [planes.object_mask(c) for c in range(n_channels)])
        return planes.object_mask(int(name[1:]) - 1)

    return Workspace(planes, masks)


@pytest.fixture(scope="session")
def make_work() -> Callable[..., Workspace]:
    """``make_work([(images, masks), ...], pixel_size_um=0.5, facts=[...])``: images and masks (C, H, W)."""

    def make(pairs, pixel_size_um=0.5, facts=None):
        facts = facts or [{} for _ in pairs]
        cells = [
            Cell(number, np.asarray(images), np.asarray(masks, np.uint8), fact)
            for number, ((images, masks), fact) in enumerate(zip(pairs, facts, strict=True))
        ]
        return workspace(cells, pixel_size_um)

    return make


@pytest.fixture(scope="session")
def real_work(shared_data) -> Workspace:
    """The 111 real cells of example.cif: six channels, masks M01 to M06 and MC, stored backgrounds."""
    with CifReader(shared_data / "amnis" / "example.cif") as reader:
        return workspace(list(reader))


ODD = (
    "empty mask",
    "one pixel",
    "row",
    "column",
    "diagonal",
    "whole frame",
    "constant",
    "1x1",
    "two parts",
    "ring",
    "corner",
    "extremes",
)
"""Names of the objects of `odd_work`, in their order."""


@pytest.fixture(scope="session")
def odd_work() -> Workspace:
    """Objects with degenerate masks and images, two channels; see ODD."""
    generator = np.random.default_rng(5)
    pairs = []
    for name in ODD:
        shape = (1, 1) if name == "1x1" else (17, 14)
        images = generator.integers(-60, 900, size=(2, *shape)).astype(np.int16)
        mask = np.zeros(shape, np.uint8)
        if name in {"whole frame", "1x1"}:
            mask[:] = 1
        elif name == "one pixel":
            mask[5, 6] = 1
        elif name == "row":
            mask[8, 2:11] = 1
        elif name == "column":
            mask[3:12, 4] = 1
        elif name == "diagonal":
            mask[range(3, 10), range(3, 10)] = 1
        elif name == "two parts":
            mask[2:7, 2:6] = 1
            mask[9:14, 6:12] = 1
        elif name == "ring":
            mask[3:13, 3:12] = 1
            mask[6:10, 6:9] = 0
        elif name == "corner":
            mask[:6, 8:] = 1
        elif name != "empty mask":
            mask[4:13, 3:11] = 1
        if name == "constant":
            images[:] = 7
        if name == "extremes":
            images[:, 4:8, 3:8] = np.iinfo(np.int16).max
            images[:, 9:12, 3:8] = np.iinfo(np.int16).min
        pairs.append(Cell(len(pairs), images, np.stack([mask, mask])))
    return workspace(pairs)


@pytest.fixture(scope="session")
def objects() -> Callable[..., list[tuple[np.ndarray, np.ndarray]]]:
    """``objects(work, mask, channel)``: (image float64, mask bool), each (H, W), of every object."""

    def unpack(work, mask, channel=0):
        image, inside = work.image(channel), work.mask(mask)
        starts, heights, widths = work.geometry
        return [
            (
                image[starts[i] : starts[i + 1]].reshape(heights[i], widths[i]).astype(np.float64),
                inside[starts[i] : starts[i + 1]].reshape(heights[i], widths[i]),
            )
            for i in range(len(work))
        ]

    return unpack
