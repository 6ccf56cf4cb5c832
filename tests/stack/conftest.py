"""Cells and stacks that the tests of this room share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ifcyto.cells import Cell, CellBatch, Channel
from ifcyto.stack.write import StackWriter

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
V1 = ROOT / "tests" / "data" / "stacks" / "v1"


def channels_of(count: int) -> list[Channel]:
    return [Channel(i + 1, f"c{i + 1}", role=("BF", "", "DNA")[i] if i < 3 else "") for i in range(count)]


def random_cell(rng: np.random.Generator, number: int, n_channels: int = 3, dtype: str = "int16") -> Cell:
    height, width = rng.integers(1, 40, 2)
    shape = (n_channels, height, width)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        images = rng.normal(100, 30, shape).astype(kind)
    else:
        low = -90 if kind.kind == "i" else 0
        images = rng.integers(low, 120, shape).astype(kind)
    facts = {"flow_speed": float(number), "background_mean": rng.normal(20, 5, n_channels)}
    return Cell(number, images, rng.integers(0, 3, shape).astype(np.uint8), facts)


def batch_of(cells: list[Cell], dtype: str = "int16") -> CellBatch:
    return CellBatch.from_cells(cells, n_channels=cells[0].images.shape[0], dtype=np.dtype(dtype))


def assert_same_cell(found: Cell, expected: Cell) -> None:
    assert found.object_number == expected.object_number
    assert found.images.dtype == expected.images.dtype
    np.testing.assert_array_equal(found.images, expected.images)
    assert (found.masks is None) == (expected.masks is None)
    if expected.masks is not None:
        np.testing.assert_array_equal(found.masks, expected.masks)
    for name, value in expected.facts.items():
        np.testing.assert_array_equal(found.facts[name], value)


@pytest.fixture
def cells(rng: np.random.Generator) -> list[Cell]:
    """Forty cells with numbers that have holes."""
    return [random_cell(rng, 3 * i + 2) for i in range(40)]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a list of cells as ``a.h5`` and give its path."""

    def write_cells(cells: list[Cell], **options: object) -> Path:
        settings = {"has_masks": cells[0].masks is not None, "dtype": cells[0].images.dtype, "workers": 1}
        path = tmp_path / "a.h5"
        channels = channels_of(cells[0].images.shape[0])
        with StackWriter(path, channels=channels, **{**settings, **options}) as writer:
            writer.append(batch_of(cells, cells[0].images.dtype.name))
        return path

    return write_cells


@pytest.fixture
def helpers() -> type:
    """Functions of this file, for tests: with importlib import mode they are not importable."""

    class Helpers:
        same = staticmethod(assert_same_cell)
        batch = staticmethod(batch_of)
        cell = staticmethod(random_cell)
        channels = staticmethod(channels_of)
        v1 = V1
        root = ROOT

    return Helpers
