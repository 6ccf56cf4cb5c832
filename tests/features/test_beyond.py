"""Features beyond IDEAS against plain numpy, and what leaves them unchanged."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.features.beyond import SPECS, ZERNIKE
from ifcyto.features.spec import Confidence
from ifcyto.features.workspace import evaluate

FEATURES = {spec.name: spec for spec in SPECS}
FAMILIES = ("LBP", "Hu", "Zernike", "Granularity Spectrum", "Radial Distribution")
WORKS = pytest.mark.parametrize(("fixture", "channel"), [("real_work", 4), ("odd_work", 0)])


def table(work, family, mask="M01", channel=0):
    """Values ``(n, k)`` of all features whose name begins with `family`."""
    specs = [spec for spec in SPECS if spec.name.startswith(family)]
    return np.array([evaluate(work, spec, (mask, channel)) for spec in specs]).T


def compare(work, objects, channel, family, twin, width):
    mask = f"M0{channel + 1}"
    background = work.planes.background_mean[:, channel]
    expected = np.full((len(work), width), np.nan)
    for i, (image, inside) in enumerate(objects(work, mask, channel)):
        weights = np.abs(image - background[i]) * inside
        if weights.sum():
            expected[i] = twin(image, inside, weights)
    np.testing.assert_allclose(table(work, family, mask, channel), expected, rtol=1e-7, atol=1e-9)


@WORKS
def test_patterns_agree_with_numpy(request, objects, fixture, channel):
    work = request.getfixturevalue(fixture)
    angles = np.arange(8) * np.pi / 4

    def twin(image, inside):
        padded = np.pad(image, 1, mode="edge")
        y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 1
        around = []
        for row, column in zip(-np.sin(angles).round(5), np.cos(angles).round(5), strict=True):
            places = [(y + row).ravel(), (x + column).ravel()]
            value = ndimage.map_coordinates(padded, places, order=1).reshape(image.shape)
            around.append(value - image >= -1e-9)
        bits = np.array(around)[:, inside]
        changes = (bits != np.roll(bits, 1, axis=0)).sum(axis=0)
        codes = np.where(changes <= 2, bits.sum(axis=0), 9)
        share = np.bincount(codes, minlength=10) / codes.size
        some = share[share > 0]
        return -(some * np.log2(some)).sum(), share[:9].sum()

    mask = f"M0{channel + 1}"
    found = table(work, "LBP", mask, channel)
    expected = [
        twin(image, inside) if inside.any() else (np.nan, np.nan)
        for image, inside in objects(work, mask, channel)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@WORKS
def test_hu_moments_agree_with_numpy(request, objects, fixture, channel):
    def twin(image, inside, weights):
        weights = weights * inside.sum() / weights.sum()
        y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(float)
        total = weights.sum()
        y, x = y - (weights * y).sum() / total, x - (weights * x).sum() / total

        def nu(p, q):
            return (weights * y**p * x**q).sum() / total ** (1 + (p + q) / 2)

        a, b = nu(3, 0) + nu(1, 2), nu(2, 1) + nu(0, 3)
        c, d = nu(3, 0) - 3 * nu(1, 2), 3 * nu(2, 1) - nu(0, 3)
        apart, mixed = nu(2, 0) - nu(0, 2), nu(1, 1)
        return (
            nu(2, 0) + nu(0, 2),
            apart**2 + 4 * mixed**2,
            c**2 + d**2,
            a**2 + b**2,
            c * a * (a**2 - 3 * b**2) + d * b * (3 * a**2 - b**2),
            apart * (a**2 - b**2) + 4 * mixed * a * b,
            d * a * (a**2 - 3 * b**2) - c * b * (3 * a**2 - b**2),
        )

    compare(request.getfixturevalue(fixture), objects, channel, "Hu", twin, 7)


@WORKS
def test_zernike_moments_agree_with_numpy(request, objects, fixture, channel):
    def radial(n, m, r):
        total = np.zeros_like(r)
        for k in range((n - m) // 2 + 1):
            divisor = math.factorial(k) * math.factorial((n + m) // 2 - k) * math.factorial((n - m) // 2 - k)
            total += (-1) ** k * math.factorial(n - k) / divisor * r ** (n - 2 * k)
        return total

    def twin(image, inside, weights):
        y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(float)
        share = weights / weights.sum()
        y, x = y - (share * y).sum(), x - (share * x).sum()
        r, angle = np.hypot(y, x), np.arctan2(y, x)
        r = r / max(r[inside].max(), 1)
        within = r <= 1 + 1e-9
        return [
            abs(((n + 1) / np.pi * share * radial(n, m, r) * np.exp(-1j * m * angle))[within].sum())
            for n, m in ZERNIKE
        ]

    compare(request.getfixturevalue(fixture), objects, channel, "Zernike", twin, 7)


@WORKS
def test_granularity_agrees_with_scipy(request, objects, fixture, channel):
    def opening(image, radius):
        y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
        options = {"footprint": x**2 + y**2 <= radius**2, "mode": "constant"}
        eroded = ndimage.grey_erosion(image, cval=np.inf, **options)
        return ndimage.grey_dilation(eroded, cval=-np.inf, **options)

    def twin(image, inside, weights):
        opened = [opening(image, radius)[inside].sum() for radius in range(9)]
        return -np.diff(opened) / weights.sum()

    compare(request.getfixturevalue(fixture), objects, channel, "Granularity Spectrum", twin, 8)


@WORKS
def test_radial_distribution_agrees_with_brute_force(request, objects, fixture, channel):
    def twin(image, inside, weights):
        padded = np.pad(inside, 1)
        there, away = np.argwhere(padded), np.argwhere(~padded)
        squares = ((there[:, None] - away[None]) ** 2).sum(axis=2).min(axis=1)
        depth = np.sqrt(squares / squares.max())
        cuts = [(0.75, 2), (0.5, 0.75), (0.25, 0.5), (0, 0.25)]
        values = weights[inside]
        return [values[(depth > low) & (depth <= high)].sum() / weights.sum() for low, high in cuts]

    compare(request.getfixturevalue(fixture), objects, channel, "Radial Distribution", twin, 4)


def test_moves_and_quarter_turns_change_nothing(make_work, rng):
    image = rng.integers(30, 300, size=(21, 21)).astype(np.int16)
    mask = ndimage.binary_opening(rng.random((21, 21)) < 0.9)
    frames = [np.pad(plane, ((30, 20), (17, 33))) for plane in (image, mask)]
    moved = [np.roll(plane, (-7, 9), axis=(0, 1)) for plane in frames]
    turned = [np.rot90(plane) for plane in frames]
    pairs = [frames, moved, turned]
    work = make_work([(a[None], m[None]) for a, m in pairs], facts=[{"background_mean": [9.5]}] * 3)
    for family in FAMILIES:
        found = table(work, family)
        for other in found[1:]:
            np.testing.assert_allclose(other, found[0], rtol=1e-6, atol=1e-12)


def test_gain_and_offset_change_nothing(make_work, rng):
    image = rng.integers(10, 300, size=(19, 23)).astype(np.int16)
    mask = np.ones(image.shape)
    work = make_work(
        [(image[None], mask[None]), (image[None] * 3 + 40, mask[None])],
        facts=[{"background_mean": [100.0]}, {"background_mean": [340.0]}],
    )
    for family in FAMILIES:
        found = table(work, family)
        np.testing.assert_allclose(found[1], found[0], rtol=1e-9)


def test_a_flat_disc_by_hand(make_work):
    y, x = np.mgrid[-30:31, -30:31]
    disc = x**2 + y**2 <= 25**2
    work = make_work([(disc[None] * np.int16(80), disc[None])], facts=[{"background_mean": [0.0]}])
    assert table(work, "Hu")[0] == pytest.approx([1 / (2 * np.pi), *[0] * 6], abs=1e-4)
    assert table(work, "Zernike")[0] == pytest.approx([0] * 7, abs=0.02)
    assert table(work, "Granularity Spectrum")[0, 0] == 0
    assert table(work, "Radial Distribution")[0] == pytest.approx([1 / 16, 3 / 16, 5 / 16, 7 / 16], abs=0.04)


def test_whole_and_real_numbers_give_the_same(make_work, rng):
    image = rng.integers(0, 400, size=(15, 15)).astype(np.int16)
    facts = [{"background_mean": [20.0]}]
    both = [make_work([(plane[None], np.ones((1, 15, 15)))], facts=facts) for plane in (image, image / 1.0)]
    for family in FAMILIES:
        found = [table(work, family)[0] for work in both]
        np.testing.assert_allclose(found[1], found[0], rtol=1e-9)


def test_empty_masks_and_pixels_that_are_not_numbers_have_no_value(make_work):
    image = np.ones((1, 8, 8))
    image[0, 3, 3] = np.nan
    empty, whole = np.zeros((1, 8, 8)), np.ones((1, 8, 8))
    work = make_work([(image, empty), (image, whole)], facts=[{"background_mean": [0.0]}] * 2)
    for spec in SPECS:
        assert np.isnan(evaluate(work, spec, ("M01", 0))).all()


def test_a_pixel_outside_the_mask_that_is_not_a_number_does_no_harm(make_work, rng):
    image = rng.normal(100, 10, size=(1, 20, 20))
    mask = np.zeros((1, 20, 20))
    mask[0, 8:, 8:] = 1
    image[0, 0, 0] = np.nan
    work = make_work([(image, mask)], facts=[{"background_mean": [0.0]}])
    for spec in SPECS:
        assert np.isfinite(evaluate(work, spec, ("M01", 0))).all()


def test_all_are_our_own_and_named_once():
    assert {(spec.group, spec.confidence) for spec in SPECS} == {("Beyond IDEAS", Confidence.OWN)}
    assert len(FEATURES) == len(SPECS) == 28
