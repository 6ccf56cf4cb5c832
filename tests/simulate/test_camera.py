from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifcyto.simulate.camera import Compensation, expose
from ifcyto.simulate.parameters import Camera

CLEAN = Compensation(np.zeros(2), np.zeros(2))
QUIET = replace(Camera(), row_banding=0.0, lamp_flicker=0.0)


def flat(levels, n=4, side=48):
    """Planes of one level each, brightfield empty."""
    light = np.zeros((3, n, side, side), np.float32)
    light[1:] = np.resize(np.asarray(levels, np.float32), n)[None, :, None, None]
    return light


def test_variance_rises_with_the_mean_by_the_gain(rng):
    levels = np.linspace(0, 3500, 12)
    counts, _ = expose(flat(levels, 12, 96), camera=QUIET, compensation=CLEAN, rng=rng)
    means, variances = counts[2].mean(axis=(1, 2)), counts[2].var(axis=(1, 2), dtype=np.float64)
    slope, start = np.polyfit(means - QUIET.offset, variances, 1)
    assert slope == pytest.approx(QUIET.gain, rel=0.05)
    assert start == pytest.approx(QUIET.read_noise**2 + 1 / 12, rel=0.15)  # 1/12: whole counts
    assert means == pytest.approx(levels + QUIET.offset + QUIET.stray[1], abs=0.5)


def test_noise_is_white_where_there_is_no_banding(rng):
    counts, _ = expose(flat([200.0], 8, 64), camera=QUIET, compensation=CLEAN, rng=rng)
    power = (np.abs(np.fft.fft2(counts[1] - counts[1].mean(axis=(1, 2), keepdims=True))) ** 2).mean(axis=0)
    by_row, by_column = power[1:, 0].mean(), power[0, 1:].mean()
    rest = power[1:, 1:].mean()
    assert by_row == pytest.approx(rest, rel=0.2)
    assert by_column == pytest.approx(rest, rel=0.2)


def test_row_banding_has_its_power_where_columns_do_not_vary(rng):
    camera = replace(QUIET, row_banding=1.0)
    n, side = 24, 64
    counts, _ = expose(flat([0.0], n, side), camera=camera, compensation=CLEAN, rng=rng)
    power = (np.abs(np.fft.fft2(counts[1] - counts[1].mean(axis=(1, 2), keepdims=True))) ** 2).mean(axis=0)
    white = power[1:, 1:].mean() / side**2
    assert power[1:, 0].mean() / side**2 == pytest.approx(white + side * camera.row_banding**2, rel=0.1)
    assert power[0, 1:].mean() / side**2 == pytest.approx(white, rel=0.2)


def test_the_lamp_flickers_from_row_to_row(rng):
    camera = replace(QUIET, lamp_flicker=0.01)
    counts, _ = expose(flat([0.0], 8, 128), camera=camera, compensation=CLEAN, rng=rng)
    rows = counts[0].mean(axis=2)
    expected = (camera.lamp * camera.lamp_flicker) ** 2 + (camera.gain * camera.lamp + 3.1) / 128
    assert rows.var() == pytest.approx(expected, rel=0.15)


def test_full_scale_is_told_and_kept(rng):
    counts, full = expose(flat([100.0, 9000.0], 2), camera=QUIET, compensation=CLEAN, rng=rng)
    assert counts[1, 1].min() == counts[1, 1].max() == QUIET.full_scale == 4095
    assert full[1, 1].all()
    assert not full[:, 0].any()


def test_perfect_compensation_takes_the_spill_away_and_an_error_leaves_its_part(rng):
    light = np.zeros((3, 1, 64, 64), np.float32)
    light[1] = 2000.0
    true = np.array([0.05, 0.0])
    for error in (0.0, 0.2, -0.2):
        compensation = Compensation(true, true * (1 + error))
        counts, _ = expose(light, camera=QUIET, compensation=compensation, rng=rng)
        left = counts[2].mean() - QUIET.offset - QUIET.stray[1]
        assert left == pytest.approx(-error * 0.05 * 2000, abs=0.3)


def test_compensation_errs_by_the_stated_spread():
    camera = Camera()
    draws = [Compensation.draw(camera, np.random.default_rng(seed)) for seed in range(400)]
    errors = np.array([one.estimated / one.true - 1 for one in draws])
    assert errors.std() == pytest.approx(camera.spill_error, rel=0.1)
    assert errors.mean() == pytest.approx(0, abs=0.02)
