from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.cells import FACTS, MASK_OBJECT
from ifcyto.samples.cells import CHANNELS, KINDS, STAGES, Rates, simulate_cell, simulate_sample


def draw(kind, stage, rng, n=20):
    return [simulate_cell(kind, stage, rng=rng) for _ in range(n)]


def nuclei(cell):
    """Number of separate bright places in the DNA image, counted by scipy."""
    smooth = ndimage.gaussian_filter(cell.images[2].astype(float), 0.7)
    return ndimage.label(smooth > 0.5 * smooth.max())[1]


def test_same_seed_same_pixels():
    first, again, other = (simulate_sample(20, seed=seed).batch for seed in (3, 3, 4))
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.masks, again.masks)
    assert len(other.pixels) != len(first.pixels) or not np.array_equal(other.pixels, first.pixels)


def test_pixels_are_signed_and_within_twelve_bits():
    batch = simulate_sample(50, seed=1).batch
    assert batch.pixels.dtype == np.int16
    assert batch.pixels.min() < 0
    assert batch.pixels.max() < 4096


def test_sizes_differ_and_objects_lie_within_the_frame():
    sample = simulate_sample(50, seed=1)
    assert len(set(sample.batch.heights.tolist())) > 5
    for cell in sample.batch.cells():
        assert set(np.unique(cell.masks)) == {0, MASK_OBJECT}
        border = np.ones(cell.masks.shape[1:], bool)
        border[1:-1, 1:-1] = False
        assert not cell.masks[:, border].any()


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_kinds_look_like_what_they_are_called(stage, rng):
    assert {nuclei(cell) for cell in draw("Single", stage, rng)} == {1}
    assert {nuclei(cell) for cell in draw("Doublet", stage, rng)} == {2}
    assert np.mean([nuclei(cell) == 2 for cell in draw("BNE", stage, rng, n=60)]) > 0.55
    assert np.mean([nuclei(cell) == 1 for cell in draw("Irregular", stage, rng, n=60)]) > 0.55
    area = {kind: np.mean([cell.masks[0].sum() for cell in draw(kind, stage, rng)]) for kind in KINDS}
    assert area["Doublet"] > 1.6 * area["Single"]
    assert area["BNE"] == pytest.approx(area["Single"], rel=0.1)


def test_cells_shrink_from_stage_to_stage(rng):
    areas = [np.mean([cell.masks[0].sum() for cell in draw("Single", stage, rng)]) for stage in STAGES]
    assert areas == sorted(areas, reverse=True)


def test_background_facts_are_those_of_the_pixels_outside_the_cell(rng):
    cell = simulate_cell("Single", STAGES[0], rng=rng)
    outside = cell.images[:, cell.masks[0] == 0]
    assert cell.background_mean == pytest.approx(outside.mean(axis=1))
    assert cell.background_mean[0] > 700
    assert set(cell.facts) <= set(FACTS)
    assert len(cell.background_sd) == len(CHANNELS)


def test_rates_are_met():
    sample = simulate_sample(4000, seed=5, rates=Rates(bne=0.1, doublet=0.2, irregular=0.0))
    shares = [np.mean(sample.kinds == kind) for kind in KINDS]
    assert shares == pytest.approx([0.7, 0.1, 0.2, 0.0], abs=0.03)
    assert {stage.name for stage in STAGES} == set(sample.stages.tolist())


def test_unknown_kind_is_refused(rng):
    with pytest.raises(
        ValueError, match="expected a kind out of Single, BNE, Doublet, Irregular, found 'Trio'"
    ):
        simulate_cell("Trio", STAGES[0], rng=rng)


def test_no_cells_at_all():
    sample = simulate_sample(0, seed=1)
    assert (len(sample.batch), len(sample.kinds)) == (0, 0)
