"""Objects on which masks are tried: real ones, odd ones, and any that a test makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ifcyto.cells import Cell, CellBatch, Channel
from ifcyto.features.workspace import Workspace
from ifcyto.planes import Planes
from ifcyto.readers.cif import CifReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def workspace(
    cells: Sequence[Cell], channels: Sequence[Channel], dtype: np.dtype, pixel_size_um: float = 0.5
) -> Workspace:
    """Workspace whose masks are M01, M02, ... by channel."""
    batch = CellBatch.from_cells(cells, n_channels=len(channels), dtype=dtype)
    planes = Planes(batch, tuple(channels), pixel_size_um=pixel_size_um)
    return Workspace(planes, lambda name: planes.object_mask(int(name[1:]) - 1))


@pytest.fixture(scope="session")
def make_work() -> Callable[..., Workspace]:
    """``make_work([(images, masks), ...], brightfield=(), facts=[...])``: images and masks (C, H, W)."""

    def make(pairs, brightfield=(), facts=None, pixel_size_um=0.5):
        facts = facts or [{} for _ in pairs]
        cells = [
            Cell(number, np.asarray(images), np.asarray(masks, np.uint8), fact)
            for number, ((images, masks), fact) in enumerate(zip(pairs, facts, strict=True))
        ]
        n_channels = cells[0].images.shape[0]
        channels = [Channel(c + 1, f"Ch{c + 1:02d}", brightfield=c in brightfield) for c in range(n_channels)]
        dtype = np.result_type(*(cell.images.dtype for cell in cells))
        return workspace(cells, channels, dtype, pixel_size_um)

    return make


@pytest.fixture(scope="session")
def real_work(shared_data) -> Workspace:
    """The 111 cells of example.cif: channels 0, 2 and 3 are fluorescence with masks, 4 is brightfield."""
    with CifReader(shared_data / "amnis" / "example.cif") as reader:
        return workspace(list(reader), reader.channels, np.dtype(np.int16))


def odd_pairs(dtype: type) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images and masks of which something is degenerate; two channels."""
    generator = np.random.default_rng(5)
    frame = np.zeros((17, 14), np.uint8)
    masks = {
        name: frame.copy() for name in ("empty", "pixel", "row", "parts", "ring", "corner", "flat", "cell")
    }
    masks["pixel"][5, 6] = 1
    masks["row"][8, 2:11] = 1
    masks["parts"][2:7, 2:6] = masks["parts"][9:14, 6:12] = masks["parts"][15, 13] = 1
    masks["ring"][3:13, 3:12] = 1
    masks["ring"][6:10, 6:9] = 0
    masks["corner"][:6, 8:] = 1
    masks["flat"][4:13, 3:11] = masks["cell"][4:13, 3:11] = 1
    masks["whole"] = np.ones((17, 14), np.uint8)
    masks["1x1"] = np.ones((1, 1), np.uint8)
    masks["1x9"] = np.ones((1, 9), np.uint8)
    pairs = []
    for name, mask in masks.items():
        images = generator.integers(-60, 900, size=(2, *mask.shape)).astype(dtype)
        if name == "flat":
            images[:] = 7
        pairs.append((images, np.stack([mask, mask])))
    return pairs


@pytest.fixture(scope="session")
def odd_work(make_work) -> Workspace:
    """Degenerate masks and images of int16; the second channel is brightfield."""
    return make_work(odd_pairs(np.int16), brightfield=(1,))


@pytest.fixture(scope="session")
def broken_work(make_work) -> Workspace:
    """The same as floats, with pixels that are not finite in every image, and one object of nothing else."""
    pairs = odd_pairs(np.float64)
    for number, (images, _) in enumerate(pairs):
        flat = images.reshape(2, -1)
        flat[:, number % 5 :: 7] = (np.nan, np.inf, -np.inf)[number % 3]
    pairs[-3][0][:] = np.nan
    return make_work(pairs, brightfield=(1,))


@pytest.fixture(scope="session")
def no_work(real_work) -> Workspace:
    """A batch without objects."""
    empty = workspace([], real_work.planes.channels, np.dtype(np.int16))
    return Workspace(empty.planes, lambda name: np.zeros(0, bool))


@pytest.fixture(scope="session")
def unpack() -> Callable[..., list[np.ndarray]]:
    """``unpack(work, flat)``: the plane (H, W) of every object."""

    def unpack(work, flat):
        starts, heights, widths = work.geometry
        return [flat[starts[i] : starts[i + 1]].reshape(heights[i], widths[i]) for i in range(len(work))]

    return unpack
