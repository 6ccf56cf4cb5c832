"""The nuclear mask as a mask function, against the plain rule."""

from __future__ import annotations

import pytest

from ifcyto.cells import CellBatch
from ifcyto.masks.apply import spot_counts
from ifcyto.masks.evaluate import MaskBook
from ifcyto.masks.grammar import parse_mask
from ifcyto.masks.nuclear import NuclearRule
from ifcyto.masks.nuclei import bne_mask
from ifcyto.masks.spots import spot_count
from ifcyto.planes import Planes
from ifcyto.samples.cells import CHANNELS, Rates, simulate_sample


@pytest.fixture(scope="module")
def sample():
    return simulate_sample(40, seed=7, rates=Rates(0.3, 0.2, 0.1))


@pytest.mark.parametrize("rule", [NuclearRule(), NuclearRule(0.4, 4.5, 0.45, 0.8, 2.25, 0.2)])
@pytest.mark.parametrize("strip", [False, True], ids=["stored background", "estimated background"])
def test_spot_count_of_the_nuclear_mask_is_that_of_the_plain_rule(sample, rule, strip):
    batch = sample.batch
    if strip:
        batch = CellBatch(batch.object_numbers, batch.heights, batch.widths, 3, batch.pixels, batch.masks)
    planes = Planes(batch, CHANNELS, pixel_size_um=0.5)
    mask = MaskBook(CHANNELS, {"BNE": bne_mask("MC", "DRAQ5", rule)}).mask(planes, "BNE")
    counts = [
        spot_count(mask[start:end].reshape(height, -1))
        for start, end, height in zip(planes.starts, planes.starts[1:], planes.heights, strict=False)
    ]
    expected = spot_counts(batch, 2, pixel_size_um=0.5, rule=rule)
    assert counts == expected.tolist()
    assert len(set(counts)) > 1


def test_the_nuclear_rule_is_written_plainly():
    odd = NuclearRule(smoothing_um=0.25, noise_sd=10.0, min_area_um2=100.0)
    expected = "Nuclei(MC, DRAQ5, 0.25, 10, 0.3, 0.7, 100, 0.3)"
    assert parse_mask(expected) == bne_mask("MC", "DRAQ5", odd)
