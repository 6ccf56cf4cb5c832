"""Simulated cells for the tests of what lies over them."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.explain import Explained, write_explained
from ifcyto.review.opening import ReviewOptions, open_review
from ifcyto.samples.demo import write_demo_cif
from ifcyto.stack.cell_stack import CellStack


@pytest.fixture(scope="session")
def cells(tmp_path_factory):
    """A stack of twenty simulated cells."""
    folder = tmp_path_factory.mktemp("over")
    convert(write_demo_cif(folder / "demo.cif", n_cells=20, seed=5), folder / "demo.h5")
    return folder / "demo.h5"


@pytest.fixture
def opened(cells, tmp_path):
    """Opens reviews of the stack, and closes them."""
    reviews = []

    def make(path=cells, **options):
        given = {"by": "AB", "labels": tmp_path / "labels.csv", "per_page": 12, **options}
        reviews.append(open_review(path, ReviewOptions(**given)))
        return reviews[-1]

    yield make
    for review in reviews:
        review.close()


def explained(stack_path, numbers, size, channels=(1, 2)):
    """A file as ``ifcyto explain`` writes it, whose maps are shapes that are known: the stored masks."""
    with CellStack.open(stack_path) as stack:
        rows = stack.rows_of(numbers)
        images = stack.images(rows, size=size)[:, list(channels)]
        masks = stack.masks(rows, size=size)[:, list(channels)].astype(np.float32)
        labels = np.array([stack.channels[place].label for place in channels])
    every = masks.max(axis=1)
    n = len(numbers)
    classes = np.array(["BNE", "Doublet"])[np.arange(n) % 2]
    sure = np.linspace(0.5, 0.99, n)
    return Explained(np.array(numbers), classes, sure, images, labels, every, every - 0.5, masks)


@pytest.fixture
def heat_file(cells, tmp_path):
    """Maps of every third object, cut at 33 px."""
    found = explained(cells, list(range(0, 20, 3)), 33)
    return write_explained(found, tmp_path / "why.npz", source=cells)
