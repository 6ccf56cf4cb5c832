"""The nuclear mask as a mask function: object by object, and the counts that simulated cells ask for."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.cells import MASK_OBJECT, CellBatch
from ifcyto.features.spots import spot_count
from ifcyto.masks.evaluate import MaskBook
from ifcyto.masks.grammar import parse_mask, shown
from ifcyto.masks.nuclear import NuclearRule, nuclear_mask
from ifcyto.masks.nuclei import bne_mask
from ifcyto.planes import Planes
from ifcyto.samples.cells import CHANNELS, Rates, simulate_sample

DNA = 2


def workspace(batch):
    return MaskBook(CHANNELS).workspace(Planes(batch, CHANNELS, pixel_size_um=0.5))


def counts(batch, rule=None):
    return spot_count(workspace(batch), shown(bne_mask("MC", "DRAQ5", rule))).astype(int)


@pytest.mark.parametrize("rule", [NuclearRule(), NuclearRule(0.4, 4.5, 0.45, 0.8, 2.25, 0.2)])
@pytest.mark.parametrize("strip", [False, True], ids=["stored background", "estimated background"])
def test_the_mask_is_that_of_each_object_by_itself(rule, strip):
    batch = simulate_sample(40, seed=7, rates=Rates(0.3, 0.2, 0.1)).batch
    if strip:
        batch = CellBatch(batch.object_numbers, batch.heights, batch.widths, 3, batch.pixels, batch.masks)
    found = workspace(batch).mask(shown(bne_mask("MC", "DRAQ5", rule)))
    for i, cell in enumerate(batch.cells()):
        stored = {name: cell.facts[name][DNA] for name in ("background_mean", "background_sd") if not strip}
        alone = nuclear_mask(
            cell.images[DNA], (cell.masks == MASK_OBJECT).any(axis=0), pixel_size_um=0.5, rule=rule, **stored
        )
        start = batch.offsets[i] // 3
        assert np.array_equal(found[start : start + alone.size], alone.ravel())


def test_simulated_kinds_get_the_spot_counts_that_their_definition_asks():
    sample = simulate_sample(400, seed=11, rates=Rates(0.25, 0.25, 0.0))
    found = counts(sample.batch)
    assert set(found[sample.kinds == "Single"]) == {1}
    assert set(found[sample.kinds == "Doublet"]) == {2}
    # The nuclei of simulated BNEs may touch or overlap a little; those need not be told apart.
    assert (found[sample.kinds == "BNE"] == 2).mean() > 0.8


def test_it_works_without_masks_and_without_facts():
    cells = simulate_sample(60, seed=5, rates=Rates(0.5, 0.0, 0.0)).batch.cells()
    bare = [type(cell)(cell.object_number, cell.images) for cell in cells]
    full, plain = (
        counts(CellBatch.from_cells(some, n_channels=len(CHANNELS), dtype=np.dtype(np.int16)))
        for some in (cells, bare)
    )
    assert (full == plain).mean() > 0.95


def test_the_nuclear_rule_is_written_plainly():
    odd = NuclearRule(smoothing_um=0.25, noise_sd=10.0, min_area_um2=100.0)
    expected = "Nuclei(MC, DRAQ5, 0.25, 10, 0.3, 0.7, 100, 0.3)"
    assert parse_mask(expected) == bne_mask("MC", "DRAQ5", odd)
