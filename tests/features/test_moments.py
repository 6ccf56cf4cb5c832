"""Blocks of moments against plain numpy, on real and on odd objects."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.features.kernels import moments as kernels
from ifcyto.features.moments import (
    ellipse,
    intensity_centroid,
    intensity_spread,
    intensity_sums,
    lean,
    mask_centroid,
    mask_spread,
    mask_sums,
    outline_statistics,
    symmetries,
)


@pytest.fixture(params=["real", "odd"])
def work(request):
    return request.getfixturevalue(f"{request.param}_work")


def weights_of(work, objects, mask, channel):
    """(x, y, |J|) of the mask pixels of every object."""
    background = work.planes.background_mean[:, channel]
    for (image, inside), b in zip(objects(work, mask, channel), background, strict=True):
        y, x = np.nonzero(inside)
        yield x, y, np.abs(image[inside] - b)


def slow_spread(x, y, weights):
    if weights.sum() == 0:
        return [np.nan] * 3
    c = np.cov(x, y, ddof=0, aweights=weights)
    return [c[0, 0], c[1, 1], c[0, 1]]


def slow_symmetries(x, y, weights):
    if weights.sum() == 0 or len(x) < 2:
        return [np.nan] * 3
    z = x - np.average(x, weights=weights) + 1j * (y - np.average(y, weights=weights))
    r, t = np.abs(z), np.angle(z)
    return [100 * abs((weights * r * np.exp(1j * k * t)).sum()) / (weights * r).sum() for k in (2, 3, 4)]


def slow_outline(inside):
    y, x = np.nonzero(inside)
    if len(x) == 0:
        return [np.nan] * 2
    cross = np.pad(inside, 1)
    interior = cross[:-2, 1:-1] & cross[2:, 1:-1] & cross[1:-1, :-2] & cross[1:-1, 2:]
    rows, columns = np.nonzero(inside & ~interior)
    r = np.hypot(columns - x.mean(), rows - y.mean())
    return [r.mean(), r.std()]


@pytest.mark.parametrize("mask", ["M01", "M02"])
def test_mask_sums_are_exact(work, objects, mask):
    for row, (_, inside) in zip(mask_sums(work, mask), objects(work, mask), strict=True):
        y, x = np.nonzero(inside)
        assert row[kernels.COUNT] == len(x)
        if not len(x):
            assert row[: kernels.SUM_XY + 1].tolist() == [0] * 6
            continue
        assert np.hypot(row[kernels.X0] - x.mean(), row[kernels.Y0] - y.mean()) <= np.sqrt(0.5)
        dx, dy = x - row[kernels.X0], y - row[kernels.Y0]
        sums = [dx.sum(), dy.sum(), (dx * dx).sum(), (dy * dy).sum(), (dx * dy).sum()]
        assert row[kernels.SUM_X : kernels.SUM_XY + 1].tolist() == sums
        box = [y.min(), y.max() + 1, x.min(), x.max() + 1]
        assert row[kernels.TOP : kernels.RIGHT + 1].tolist() == box


def test_mask_centroids_and_spreads_are_numpys(work, objects):
    centroids, spreads = mask_centroid(work, "M02"), mask_spread(work, "M02")
    for centroid, spread, (_, inside) in zip(centroids, spreads, objects(work, "M02"), strict=True):
        y, x = np.nonzero(inside)
        if not len(x):
            assert np.isnan(centroid).all()
            assert np.isnan(spread).all()
            continue
        np.testing.assert_allclose(centroid, [x.mean(), y.mean()], rtol=1e-14)
        np.testing.assert_allclose(spread, slow_spread(x, y, np.ones(len(x))), rtol=1e-12, atol=1e-12)


def test_intensity_centroids_and_spreads_are_numpys(work, objects):
    blocks = (
        intensity_centroid(work, "M01", 1),
        intensity_spread(work, "M01", 1, 1),
        intensity_spread(work, "M01", 1, 2),
    )
    for (x, y, w), centroid, first, second in zip(weights_of(work, objects, "M01", 1), *blocks, strict=True):
        if w.sum() == 0:
            assert np.isnan([*centroid, *first, *second]).all()
            continue
        expected = [np.average(x, weights=w), np.average(y, weights=w)]
        np.testing.assert_allclose(centroid, expected, rtol=1e-12)
        np.testing.assert_allclose(first, slow_spread(x, y, w), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(second, slow_spread(x, y, w * w), rtol=1e-10, atol=1e-10)


def test_symmetries_are_those_of_complex_exponentials(work, objects):
    values = symmetries(work, "M02", 1)
    for row, pixels in zip(values, weights_of(work, objects, "M02", 1), strict=True):
        np.testing.assert_allclose(row, slow_symmetries(*pixels), rtol=1e-9, atol=1e-9)


def test_outline_statistics_are_those_of_the_outline_pixels(work, objects):
    for row, (_, inside) in zip(outline_statistics(work, "M01"), objects(work, "M01"), strict=True):
        np.testing.assert_allclose(row, slow_outline(inside), rtol=1e-12, atol=1e-7)


def test_float_images_give_the_same_sums(make_work):
    generator = np.random.default_rng(2)
    images = generator.integers(-50, 800, (1, 13, 11))
    masks = np.zeros((1, 13, 11), np.uint8)
    masks[0, 2:9, 1:8] = 1
    whole, real = (make_work([(images.astype(kind), masks)]) for kind in (np.int16, np.float64))
    assert (whole.image(0).dtype, real.image(0).dtype) == (np.int32, np.float64)
    assert np.array_equal(intensity_sums(whole, "M01", 0), intensity_sums(real, "M01", 0))
    assert np.array_equal(symmetries(whole, "M01", 0), symmetries(real, "M01", 0))


def test_pixels_outside_the_mask_do_not_matter(make_work):
    images = np.random.default_rng(3).normal(100, 20, (1, 12, 12))
    masks = np.zeros((1, 12, 12), np.uint8)
    masks[0, 3:9, 4:9] = 1
    masks[0, 5, 6] = 0
    facts = [{"background_mean": np.array([90.0]), "background_sd": np.array([1.0])}]
    spoilt = np.where(masks == 1, images, np.nan)
    clean, dirty = make_work([(images, masks)], facts=facts), make_work([(spoilt, masks)], facts=facts)
    assert np.array_equal(intensity_sums(clean, "M01", 0), intensity_sums(dirty, "M01", 0))
    assert np.array_equal(symmetries(clean, "M01", 0), symmetries(dirty, "M01", 0))


def test_a_far_mask_loses_no_precision(make_work):
    image = np.ones((1, 40, 30000), np.int16)
    masks = np.zeros((1, 40, 30000), np.uint8)
    masks[0, 36, -3:] = 1
    work = make_work([(image, masks)])
    assert mask_spread(work, "M01").tolist() == [[2 / 3, 0, 0]]
    assert mask_centroid(work, "M01").tolist() == [[29998, 36]]


def test_ellipse_is_the_eigenvalues_whatever_the_direction():
    for angle in np.linspace(0, np.pi, 13):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        c = turn @ np.diag([9.0, 2.25]) @ turn.T
        spread = np.array([[c[0, 0], c[1, 1], c[0, 1]]])
        np.testing.assert_allclose(ellipse(spread), [[12, 6]], rtol=1e-13)
        np.testing.assert_allclose(lean(spread), min(angle, np.pi - angle), atol=1e-12)
