from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import j1

from ifcyto.simulate.optics import Lens, defocus_blur, lens_blur
from ifcyto.simulate.parameters import Optics

SIDE = 64


def spot(lens, transfer):
    """Image of a point in the middle of the plane."""
    point = np.zeros((1, SIDE, SIDE), np.float32)
    point[0, SIDE // 2, SIDE // 2] = 1
    return lens.back(lens.forward(point) * transfer)[0]


def spread(image, axis):
    """Standard deviation of an image along an axis, px."""
    profile = image.sum(axis=1 - axis)
    grid = np.arange(SIDE)
    mean = profile @ grid
    return np.sqrt(profile @ (grid - mean) ** 2)


def test_the_gaussian_is_the_nearest_to_an_airy_disc():
    """Least squares over the radius against the Airy pattern, within its first minimum."""
    optics, wavelength = Optics(), 0.578
    radius = np.linspace(1e-6, 0.61 * wavelength / optics.numerical_aperture, 400)
    argument = 2 * np.pi * optics.numerical_aperture * radius / wavelength
    airy = (2 * j1(argument) / argument) ** 2
    widths = np.linspace(0.1, 0.3, 401)
    errors = [np.abs(np.exp(-(radius**2) / (2 * w * w)) - airy).sum() for w in widths]
    assert lens_blur(wavelength, optics) == pytest.approx(widths[np.argmin(errors)], rel=0.08)


def test_the_disc_of_defocus_has_that_spread(rng):
    """Points drawn in the disc in which the cone of light cuts the plane."""
    optics = Optics()
    radius = np.tan(np.arcsin(optics.numerical_aperture / optics.index))
    points = radius * np.sqrt(rng.random(200_000)) * np.cos(rng.uniform(0, 2 * np.pi, 200_000))
    assert defocus_blur(optics) == pytest.approx(points.std(), rel=0.01)


@pytest.mark.parametrize("sd_um", [0.6, 1.0])
def test_width_of_a_point_is_that_of_lens_pixel_and_motion(sd_um):
    optics = replace(Optics(), halo_share=0.0, smear_px=0.8)
    image = spot(Lens(optics, SIDE), Lens(optics, SIDE).gaussian(np.array([sd_um])))
    sd_px = sd_um / optics.pixel_um
    assert image.sum() == pytest.approx(1, abs=1e-5)
    # A sampled box of one pixel leaves the sampled second moment of the Gaussian (Poisson
    # summation: the box has its zeros where the samples' copies lie) plus 1/12.
    assert spread(image, 1) == pytest.approx(np.sqrt(sd_px**2 + 1 / 12), rel=0.02)
    assert spread(image, 0) == pytest.approx(np.sqrt(sd_px**2 + 0.8**2 + 1 / 12), rel=0.02)


def test_halo_takes_its_share_of_the_light():
    optics = Optics()
    lens = Lens(optics, SIDE)
    sharp = spot(lens, lens.gaussian(np.array([0.2])))
    hazy = spot(lens, lens.halo(lens.gaussian(np.array([0.2]))))
    assert hazy.sum() == pytest.approx(1, abs=1e-5)
    near = np.hypot(*(np.mgrid[:SIDE, :SIDE] - SIDE // 2)) < 3
    inside = 1 - np.exp(-(2.75**2) / (2 * (optics.halo_um / optics.pixel_um) ** 2))  # of the halo
    expected = (1 - optics.halo_share) * sharp[near].sum() + optics.halo_share * inside
    assert hazy[near].sum() == pytest.approx(expected, abs=0.01)


def test_phase_shows_out_of_focus_only_and_brightens_a_bump_behind_it():
    lens = Lens(Optics(), SIDE)
    row, column = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    bump = (0.05 * np.exp(-(row**2 + column**2) / (2 * 6.0**2)))[None].astype(np.float32)
    for focus, sign in ((0.0, 0), (2.0, 1), (-2.0, -1)):
        phase, absorption = lens.phase(np.array([focus]))
        contrast = lens.back(lens.forward(bump) * phase)[0]
        assert abs(contrast.sum()) < 1e-3  # light is moved, not made
        assert np.sign(np.round(contrast[SIDE // 2, SIDE // 2], 5)) == sign
        assert lens.back(lens.forward(bump) * absorption)[0, SIDE // 2, SIDE // 2] < 0


def test_contrast_of_a_smooth_phase_follows_the_transport_of_intensity():
    """Small distance: contrast = -z (wavelength / 2 pi) times the Laplacian of the phase."""
    optics = replace(Optics(), coherence_um=0.0, smear_px=0.0)
    lens, z, sd = Lens(optics, SIDE), 0.5, 3.0
    row, column = (np.mgrid[:SIDE, :SIDE] - SIDE // 2) * optics.pixel_um
    r2 = row**2 + column**2
    bump = 0.05 * np.exp(-r2 / (2 * sd**2))
    found = lens.back(lens.forward(bump[None].astype(np.float32)) * lens.phase(np.array([z]))[0])[0]
    laplacian = bump * (r2 / sd**4 - 2 / sd**2)
    expected = -z * optics.lamp_um / optics.index / (2 * np.pi) * laplacian
    assert found == pytest.approx(expected, abs=0.03 * expected.max())
