from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.cells import Cell, CellBatch
from ifcyto.simulate.realism import image_profile, noise_curve, radial_power
from ifcyto.simulate.sample import simulate_sample


def test_noise_is_measured_whatever_the_slope(rng):
    row, column = np.mgrid[:60, :60]
    images = [100.0 * k + 3 * row + 2 * column + rng.normal(0, 4.0, (60, 60)) for k in range(1, 6)]
    _, noise = noise_curve(images)
    assert noise[:-2] == pytest.approx(np.full(len(noise) - 2, 4.0), rel=0.12)  # the last hold few pixels


def test_shot_noise_shows_its_gain(rng):
    images = [
        np.full((50, 50), mean) + rng.normal(0, np.sqrt(0.5 * mean), (50, 50)) for mean in (50, 500, 5000)
    ]
    level, noise = noise_curve(images)
    slope = np.polyfit(level, noise**2, 1)[0]
    assert slope == pytest.approx(0.5, rel=0.1)
    assert [len(part) for part in noise_curve([])] == [0, 0]


def test_spectrum_of_white_noise_is_flat_and_of_blurred_noise_falls(rng):
    masks = [np.ones((40, 40), bool)] * 60
    white = [rng.normal(size=(40, 40)) for _ in masks]
    frequency, power = radial_power(white, masks)
    assert frequency[[0, -1]].tolist() == [1 / 32, 0.5]
    assert power[2:] == pytest.approx(np.full(len(power) - 2, 1 / 32**2), rel=0.25)
    blurred = [ndimage.gaussian_filter(image, 1.5) for image in white]
    soft = radial_power(blurred, masks)[1]
    expected = np.exp(-((2 * np.pi * 1.5) ** 2) * (frequency[6] ** 2 - frequency[2] ** 2))
    assert soft[6] / soft[2] == pytest.approx(expected, rel=0.4)


def test_size_and_brightness_are_those_of_the_mask():
    row, column = np.mgrid[:40, :40]
    cells = []
    for number, radius in enumerate((6, 8, 10)):
        disc = np.hypot(row - 20, column - 20) < radius
        image = (50 + 100 * disc).astype(np.int16)
        cells.append(Cell(number, image[None], disc[None].astype(np.uint8)))
    cells.append(Cell(3, cells[0].images, np.zeros((1, 40, 40), np.uint8)))
    batch = CellBatch.from_cells(cells, n_channels=1, dtype=np.dtype(np.int16))
    profile = image_profile(batch, 0, pixel_um=0.5)
    assert profile.diameter_um == pytest.approx([6, 8, 10], rel=0.03)
    assert profile.brightness == pytest.approx([36 / 64, 1, 100 / 64], rel=0.05)


def test_simulated_noise_is_the_cameras():
    """Read and shot noise of the empty field, found again in the images."""
    from ifcyto.simulate.parameters import DEFAULT

    profile = image_profile(simulate_sample(60, seed=2).batch, 0, pixel_um=0.5)
    camera = DEFAULT.camera
    empty = np.argmin(np.abs(profile.level - camera.offset - camera.lamp))
    expected = np.sqrt(camera.read_noise**2 + camera.gain * camera.lamp + 1 / 12)
    assert profile.noise[empty] == pytest.approx(expected, rel=0.12)
