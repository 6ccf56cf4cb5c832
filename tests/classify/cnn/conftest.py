"""Tiny images of two kinds, and a network trained on them once."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.cells import Cell, Channel
from ifcyto.classify.cnn.crops import Crops
from ifcyto.stack.write import write_stack

SIZE = 12
CLASSES = ("dark", "bright")


def spots(n: int, seed: int = 1) -> tuple[Crops, np.ndarray]:
    """Images of two channels with noise about 100; every second one has a bright square."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 2
    images = rng.normal(100, 5, (n, 2, SIZE, SIZE))
    images[codes == 1, :, 4:8, 4:8] += 40
    return Crops(images.astype(np.int16), np.full((n, 2), 100, np.float32)), codes


@pytest.fixture(scope="session")
def crops() -> tuple[Crops, np.ndarray]:
    return spots(60)


@pytest.fixture(scope="session")
def learned(crops):
    pytest.importorskip("tensorflow")
    from ifcyto.classify.cnn.options import CnnOptions
    from ifcyto.classify.cnn.split import three_parts
    from ifcyto.classify.cnn.train import train_network

    images, codes = crops
    parts, _ = three_parts(codes, validation=0.2, test=0.2)
    return train_network(
        images, codes, parts, 2, CnnOptions(size=SIZE, epochs=4, batch=8, smoothing=0)
    ), parts


@pytest.fixture(scope="session")
def stack_path(tmp_path_factory):
    """Forty cells like the crops, with odd object numbers, of several sizes, in another order of channels."""
    images, codes = spots(40, seed=2)
    rng = np.random.default_rng(3)
    cells = []
    for i in range(40):
        grown = int(rng.integers(0, 4))
        plane = np.pad(images.images[i], ((0, 0), (grown, grown), (grown, grown)), constant_values=100)
        facts = {"background_mean": np.full(3, 100.0)}
        cells.append(
            Cell(2 * i + 1, np.concatenate([plane[1:], np.zeros_like(plane[:1]), plane[:1]]), None, facts)
        )
    channels = [
        Channel(1, "DNA", pixel_size_um=0.5),
        Channel(2, "other", pixel_size_um=0.5),
        Channel(5, "BF", pixel_size_um=0.5),
    ]
    return write_stack(cells, tmp_path_factory.mktemp("stack") / "s.h5", channels=channels), codes
