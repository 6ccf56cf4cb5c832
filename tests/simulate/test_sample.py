from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.cells import FACTS
from ifcyto.readers.registry import open_acquisition
from ifcyto.simulate.parameters import CHANNELS, DEFAULT, KINDS, STAGES, Mix
from ifcyto.simulate.sample import CHUNK, simulate_chunks, simulate_objects, simulate_sample
from ifcyto.simulate.stored import background, stored_masks
from ifcyto.writers.cif import write_cif


@pytest.fixture(scope="module")
def sample():
    return simulate_sample(300, seed=5, mix=Mix(bne=(0.2,) * 3, doublet=0.2, irregular=0.2, clipped=0.1))


def test_same_seed_same_pixels(sample):
    mix = Mix(bne=(0.2,) * 3, doublet=0.2, irregular=0.2, clipped=0.1)
    again, other = (simulate_sample(300, seed=seed, mix=mix) for seed in (5, 6))
    assert np.array_equal(sample.batch.pixels, again.batch.pixels)
    assert np.array_equal(sample.batch.masks, again.batch.masks)
    for name in sample.batch.facts:
        assert np.array_equal(sample.batch.facts[name], again.batch.facts[name], equal_nan=True)
    assert len(other.batch.pixels) != len(sample.batch.pixels)


def test_chunks_are_the_sample_in_parts():
    parts = list(simulate_chunks(CHUNK + 3, seed=2))
    whole = simulate_sample(CHUNK + 3, seed=2)
    assert [len(part.batch) for part in parts] == [CHUNK, 3]
    assert np.array_equal(np.concatenate([part.batch.pixels for part in parts]), whole.batch.pixels)
    assert whole.batch.object_numbers.tolist() == list(range(CHUNK + 3))


def test_no_objects_at_all():
    empty = simulate_sample(0, seed=1)
    assert (len(empty.batch), len(empty.truth.kinds), len(empty.batch.pixels)) == (0, 0, 0)


def test_a_cif_gives_back_what_was_simulated(sample, tmp_path):
    path = write_cif(sample.batch.cells(), tmp_path / "a.cif", channels=CHANNELS)
    with open_acquisition(path) as reader:
        found = reader.read_batch(range(len(reader)))
        assert [(channel.number, channel.name) for channel in reader.channels] == [
            (1, "BF"),
            (2, "CD235a"),
            (5, "DRAQ5"),
        ]
    assert np.array_equal(found.pixels, sample.batch.pixels)
    assert np.array_equal(found.masks, sample.batch.masks)
    for name in ("background_mean", "raw_centroid_x", "saturation_count"):
        assert np.array_equal(found.facts[name], sample.batch.facts[name], equal_nan=True)
    assert set(sample.batch.facts) <= set(FACTS)


def test_kinds_and_stages_come_at_their_rates():
    mix = Mix(stages=(0.2, 0.3, 0.5), bne=(0.30, 0.05, 0.10), doublet=0.1, irregular=0.08, debris=0.04)
    truth = simulate_sample(1500, seed=3, mix=mix).truth
    for place, stage in enumerate(STAGES):
        mine = truth.kinds[truth.stages == stage.name]
        assert abs(len(mine) - 1500 * mix.stages[place]) < 4 * np.sqrt(1500 * 0.25)
        for kind, share in zip(KINDS, mix.shares(place), strict=True):
            limit = 4 * np.sqrt(len(mine) * share * (1 - share)) + 1
            assert abs(np.count_nonzero(mine == kind) - len(mine) * share) < limit, (stage.name, kind)


def test_frames_differ_hold_the_cell_and_cut_the_clipped(sample):
    assert len(set(sample.batch.heights.tolist())) > 10
    clipped = sample.truth.kinds == "Clipped"
    assert clipped.sum() > 5
    reached = []
    for cell in sample.batch.cells():
        mask = cell.masks[1] == 1
        reached.append(np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).any())
    assert np.all(np.array(reached)[clipped])
    assert np.mean(np.array(reached)[~clipped]) < 0.05  # the haze of a few reaches it


def test_pixels_are_those_of_a_twelve_bit_camera(sample):
    assert sample.batch.pixels.dtype == np.int16
    assert sample.batch.pixels.max() <= DEFAULT.camera.full_scale
    means = sample.batch.facts["background_mean"]
    camera = DEFAULT.camera
    expected = camera.offset + np.array([camera.lamp, *camera.stray])
    assert np.nanmedian(means, axis=0) == pytest.approx(expected, abs=3)


def test_masks_are_filled_and_hold_the_cell(sample):
    for cell, kind in zip(sample.batch.cells(), sample.truth.kinds, strict=True):
        assert set(np.unique(cell.masks)) <= {0, 1}
        if kind in {"Single", "BNE", "Irregular"}:
            bf, membrane, nucleus = cell.masks
            assert nucleus.sum() < membrane.sum()
            assert (membrane & bf).sum() > 0.8 * min(membrane.sum(), bf.sum())
            assert np.array_equal(ndimage.binary_fill_holes(membrane), membrane == 1)


def test_stored_masks_leave_noise_and_fill_holes(rng):
    counts = np.rint(rng.normal(100, 2, (3, 2, 40, 40))).astype(np.int16)
    row, column = np.mgrid[:40, :40]
    ring = np.abs(np.hypot(row - 20, column - 20) - 10) < 2
    counts[:, 0] += (200 * ring).astype(np.int16)
    frame = np.ones((2, 40, 40), bool)
    frame[:, 36:] = False
    masks = stored_masks(counts, np.full((2, 3), 100.0), np.full((2, 3), 2.0), frame)
    assert masks[:, 0, 20, 20].all()
    assert masks[:, 0].sum(axis=(1, 2)) == pytest.approx([np.pi * 13**2] * 3, rel=0.06)
    assert not masks[1:, 1].any()
    assert not masks[:, :, 36:].any()


def test_background_is_that_of_the_empty_pixels(rng):
    counts = np.rint(rng.normal(50, 3, (3, 2, 30, 30))).astype(np.int16)
    empty = np.zeros((2, 30, 30), bool)
    empty[0, :10] = True
    mean, sd = background(counts, empty)
    assert mean[0] == pytest.approx(counts[:, 0, :10].mean(axis=(1, 2)))
    assert sd[0] == pytest.approx(counts[:, 0, :10].std(axis=(1, 2)), rel=1e-3)
    assert np.isnan(mean[1]).all()


def test_larger_cells_have_larger_masks():
    kinds = np.zeros(60, int)
    small, large = (simulate_objects(kinds, kinds + 2, seed=4, size=size).batch for size in (1.0, 1.1))
    areas = [np.mean([cell.masks[1].sum() for cell in batch.cells()]) for batch in (small, large)]
    assert areas[1] / areas[0] == pytest.approx(1.21, abs=0.08)
