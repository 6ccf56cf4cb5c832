"""Comparison features against plain numpy, their symmetries and stored values."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ifcyto.features.comparison import SPECS
from ifcyto.features.detail import bright_detail
from ifcyto.features.workspace import evaluate
from ifcyto.readers.daf_document import read_daf

FEATURES = {spec.name: spec for spec in SPECS}


def values(work, name, *arguments):
    return evaluate(work, FEATURES[name], arguments)


def detail(work, image):
    """Bright detail of each object, flat."""
    starts = work.planes.starts
    flat = bright_detail(work, image, 3).astype(np.float64)
    return [flat[begin:end] for begin, end in pairwise(starts)]


def inside(work, mask):
    starts = work.planes.starts
    return [work.mask(mask)[begin:end] for begin, end in pairwise(starts)]


def log_ratio(c):
    return np.log((1 + c) / (1 - c))


def brightness(pixels, background):
    """Mean of the upper quartile times the peak, above background."""
    ordered = np.sort(pixels)
    return (ordered[3 * len(ordered) // 4 :].mean() - background) * (ordered[-1] - background)


@pytest.mark.parametrize("mask", ["M01", "MC"])
def test_similarity_of_real_cells_is_the_log_of_pearson(real_work, objects, mask):
    first, second = objects(real_work, mask, 0), objects(real_work, mask, 4)
    expected = [
        log_ratio(np.corrcoef(a[where], b[where])[0, 1])
        for (a, where), (b, _) in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(values(real_work, "Similarity", mask, 0, 4), expected, rtol=1e-10)


def test_similarity_of_odd_objects(odd_work, objects):
    found = values(odd_work, "Similarity", "M01", 0, 1)
    for value, (a, where), (b, _) in zip(
        found, objects(odd_work, "M01", 0), objects(odd_work, "M01", 1), strict=True
    ):
        if where.sum() > 1 and np.ptp(a[where]) and not np.array_equal(a[where], b[where]):
            assert value == pytest.approx(log_ratio(np.corrcoef(a[where], b[where])[0, 1]), rel=1e-9)
        else:
            assert np.isnan(value)


def test_similarity_does_not_depend_on_order_offset_or_scale(make_work, rng):
    a, b = rng.integers(0, 900, size=(2, 12, 15))
    mask = np.ones((2, 12, 15))
    pairs = [np.stack(pair).astype(np.int32) for pair in ((a, b), (b, a), (3 * a + 70, b), (a, -b))]
    found = values(make_work([(images, mask) for images in pairs]), "Similarity", "M01", 0, 1)
    np.testing.assert_allclose(found * [1, 1, 1, -1], found[0], rtol=1e-12)


@pytest.mark.parametrize("slope", [1, 2, 3, -7])
def test_a_perfect_correlation_or_a_constant_image_has_no_similarity(make_work, rng, slope):
    a = rng.integers(-60, 900, size=(9, 9))
    images = np.stack([a, slope * a + 5, np.full((9, 9), 0.1)])
    work = make_work([(images, np.ones((3, 9, 9)))])
    assert np.isnan(values(work, "Similarity", "M01", 0, 1)).all()
    assert np.isnan(values(work, "Similarity", "M01", 0, 2)).all()
    images[:2] /= 4095
    assert np.isnan(values(make_work([(images, np.ones((3, 9, 9)))]), "Similarity", "M01", 0, 1)).all()


def test_bright_detail_similarity_agrees_with_numpy(real_work, odd_work):
    for work, second in ((real_work, 3), (odd_work, 1)):
        found = values(work, "Bright Detail Similarity R3", "M01", 0, second)
        for value, a, b, where in zip(
            found, detail(work, 0), detail(work, second), inside(work, "M01"), strict=True
        ):
            below = np.sqrt((a[where] ** 2).sum() * (b[where] ** 2).sum())
            c = (a[where] * b[where]).sum() / below if below else np.nan
            assert value == pytest.approx(log_ratio(c) if c < 1 else np.nan, rel=1e-9, nan_ok=True)


def test_colocalization_agrees_with_numpy(real_work):
    found = values(real_work, "Bright Detail Colocalization 3", "M01", 0, 3, 4)
    for value, a, b, c, where in zip(
        found, *(detail(real_work, image) for image in (0, 3, 4)), inside(real_work, "M01"), strict=True
    ):
        cubes = [(each[where] ** 3).sum() for each in (a, b, c)]
        expected = log_ratio((a * b * c)[where].sum() / np.cbrt(cubes).prod())
        assert value == pytest.approx(expected, rel=1e-9)
    assert np.isfinite(found).all()


def test_colocalization_of_spots(make_work):
    images = np.zeros((3, 16, 16), np.int16)
    images[:, 4, 4] = 10, 20, 30
    images[0, 11, 11] = 10
    apart = images.copy()
    apart[2, 4, 4], apart[2, 4, 11] = 0, 30
    mask = np.ones((3, 16, 16))
    found = values(
        make_work([(images, mask), (apart, mask)]), "Bright Detail Colocalization 3", "M01", 0, 1, 2
    )
    assert found == pytest.approx([log_ratio(2 ** (-1 / 3)), 0])


def test_internalization_agrees_with_numpy(real_work, objects):
    background = real_work.planes.background_mean[:, 4]
    expected = [
        np.log(brightness(image[where], b) / brightness(image[~where], b))
        for (image, where), b in zip(objects(real_work, "M05", 4), background, strict=True)
    ]
    found = values(real_work, "Internalization", "M05", 4)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert np.isfinite(found).all()


def test_the_concentration_ratio_agrees_with_numpy(real_work, objects):
    background = real_work.planes.background_mean[:, 0]
    expected = [
        np.log(brightness(image[first], b) / brightness(image[first | second], b))
        for (image, first), (_, second), b in zip(
            objects(real_work, "M05", 0), objects(real_work, "M01", 0), background, strict=True
        )
    ]
    found = values(real_work, "Intensity Concentration Ratio", "M05", "M01", 0)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_light_inside_is_positive_and_light_outside_negative(make_work):
    image = np.full((1, 10, 10), 12, np.int16)
    image[0, 3:6, 3:6] = 112
    core, rest = np.zeros((1, 10, 10)), np.zeros((1, 10, 10))
    core[0, 3:6, 3:6] = rest[0, 7:, 7:] = 1
    facts = [{"background_mean": np.array([2.0])}] * 2
    work = make_work([(image, core), (image, rest)], facts=facts)
    inner, outer = values(work, "Internalization", "M01", 0)
    assert inner == pytest.approx(np.log(110 * 110 / (10 * 10)))
    assert outer < -3


def test_the_concentration_ratio_is_0_for_one_mask_twice(real_work):
    found = values(real_work, "Intensity Concentration Ratio", "M01", "M01", 0)
    assert not found.any()


def test_a_part_of_the_other_mask_is_rarely_above_0_as_in_stored_values(shared_data):
    stored = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    names = [name for name in stored.feature_names if name.startswith("Intensity Concentration Ratio")]
    assert len(names) == 2
    for name in names:
        assert stored.feature(name).max() < 0.124
        assert (stored.feature(name) <= 0).mean() > 0.81


def test_the_whole_frame_has_no_outside_and_an_empty_mask_nothing(odd_work):
    found = values(odd_work, "Internalization", "M01", 0)
    whole = odd_work.count("M01") == np.diff(odd_work.planes.starts)
    assert whole.sum() == 2
    assert np.isnan(found[whole]).all()
    for name, arguments in (
        ("Internalization", ("M01", 0)),
        ("Intensity Concentration Ratio", ("M01", "M02", 0)),
        ("Similarity", ("M01", 0, 1)),
        ("Bright Detail Similarity R3", ("M01", 0, 1)),
        ("Bright Detail Colocalization 3", ("M01", 0, 1, 1)),
    ):
        assert np.isnan(values(odd_work, name, *arguments)[0])


def test_floats_give_what_integers_give(make_work, rng):
    images = rng.integers(0, 900, size=(3, 20, 22)).astype(np.int16)
    mask = np.zeros((3, 20, 22))
    mask[:, 4:15, 3:18] = 1
    whole, real = make_work([(images, mask)]), make_work([(images.astype(np.float64), mask)])
    for name, arguments in (
        ("Similarity", ("M01", 0, 1)),
        ("Bright Detail Similarity R3", ("M01", 0, 1)),
        ("Bright Detail Colocalization 3", ("M01", 0, 1, 2)),
        ("Internalization", ("M01", 0)),
    ):
        assert values(whole, name, *arguments) == pytest.approx(values(real, name, *arguments), rel=1e-12)
        assert np.isfinite(values(whole, name, *arguments)).all()
