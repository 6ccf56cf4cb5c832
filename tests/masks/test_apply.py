"""Spot counts of simulated objects whose kind is known."""

from __future__ import annotations

import numpy as np

from ifcyto.cells import CellBatch
from ifcyto.masks.apply import spot_counts
from ifcyto.samples.cells import CHANNELS, Rates, simulate_sample


def test_simulated_kinds_get_the_spot_counts_that_their_definition_asks() -> None:
    sample = simulate_sample(400, seed=11, rates=Rates(0.25, 0.25, 0.0))
    counts = spot_counts(sample.batch, 2, pixel_size_um=0.5)
    assert set(counts[sample.kinds == "Single"]) == {1}
    assert set(counts[sample.kinds == "Doublet"]) == {2}
    # The nuclei of simulated BNEs may touch or overlap a little; those need not be told apart.
    assert (counts[sample.kinds == "BNE"] == 2).mean() > 0.8


def test_works_without_masks_and_without_facts() -> None:
    cells = simulate_sample(60, seed=5, rates=Rates(0.5, 0.0, 0.0)).batch.cells()
    bare = [type(cell)(cell.object_number, cell.images) for cell in cells]
    full, plain = (
        spot_counts(CellBatch.from_cells(some, n_channels=len(CHANNELS), dtype=np.dtype(np.int16)), 2,
                    pixel_size_um=0.5)
        for some in (cells, bare)
    )  # fmt: skip
    assert (full == plain).mean() > 0.95


def test_an_empty_batch_has_no_counts() -> None:
    empty = CellBatch.from_cells([], n_channels=3, dtype=np.dtype(np.int16))
    assert spot_counts(empty, 2, pixel_size_um=0.5).tolist() == []
