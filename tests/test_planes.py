"""Planes of a batch against the cells they come from."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.cells import Cell, CellBatch, Channel
from ifcyto.planes import Planes, border_background


def make(rng, shapes, dtype=np.int16, facts=None):
    cells = [
        Cell(
            number,
            rng.integers(-50, 4000, size=(2, *shape)).astype(dtype),
            rng.integers(0, 4, size=(2, *shape)).astype(np.uint8),
            (facts or [{}] * len(shapes))[number],
        )
        for number, shape in enumerate(shapes)
    ]
    batch = CellBatch.from_cells(cells, n_channels=2, dtype=np.dtype(dtype))
    return cells, Planes(batch, [Channel(1, "BF"), Channel(5, "DNA")], pixel_size_um=0.5)


@pytest.mark.parametrize("shapes", [[(3, 4), (9, 1), (1, 1)], [(6, 5)] * 4], ids=["ragged", "same"])
@pytest.mark.parametrize(("dtype", "seen"), [("int16", "int32"), ("uint16", "int32"), ("float32", "float64")])
def test_planes_are_the_channels_one_after_the_other(rng, shapes, dtype, seen):
    cells, planes = make(rng, shapes, dtype)
    for c in range(2):
        parts = [cell.images[c].ravel() for cell in cells]
        assert planes.image(c).dtype == seen
        assert planes.image(c).tolist() == [value for part in parts for value in part.tolist()]
        inside = [value == 1 for cell in cells for value in cell.masks[c].ravel().tolist()]
        assert planes.object_mask(c).tolist() == inside


def test_a_missing_background_comes_from_the_border_rows(rng):
    facts = [{"background_mean": np.array([5.0, np.nan]), "background_sd": np.array([1.0, np.nan])}, {}]
    cells, planes = make(rng, [(12, 6), (3, 5)], facts=facts)
    rows = np.r_[cells[0].images[1, :4], cells[0].images[1, -4:]]
    assert planes.background_mean[0].tolist() == [5.0, rows.mean()]
    assert planes.background_sd[0].tolist() == [1.0, rows.std(ddof=1)]
    assert planes.background_mean[1].tolist() == cells[1].images.mean(axis=(1, 2)).tolist()


def test_pixels_that_are_not_finite_are_no_background():
    image = np.full((9, 4), 3.0)
    image[0, :2] = np.nan, np.inf
    assert border_background(image) == (3.0, 0.0)
    assert border_background(np.full((2, 2), np.nan)) == (0.0, 0.0)
    assert border_background(np.full((1, 1), 8.0)) == (8.0, 0.0)


def test_channels_must_fit_the_batch(rng):
    _, planes = make(rng, [(3, 4)])
    with pytest.raises(ValueError, match="expected 2 channels"):
        Planes(planes._batch, [Channel(1, "BF")], pixel_size_um=0.5)
