"""Sums, spread and order of pixels against plain numpy, and the rank facts of real output."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.features.kernels.pixels import HIGH, LOW, MAXIMUM, MEDIAN, MINIMUM, SUM, UPPER
from ifcyto.features.order import pixel_order, pixel_squares, pixel_totals
from ifcyto.features.region import inside, outside, union
from ifcyto.features.spread import SPECS
from ifcyto.features.workspace import evaluate

FEATURES = {spec.name: spec for spec in SPECS}


def twin(values):
    """Sum, minimum, maximum, N^2 variance, median, low, high, upper of one object, in exact integers."""
    if not len(values):
        return [np.nan] * 8
    whole = sorted(int(value) for value in values)
    n = len(whole)
    squares = n * sum(value**2 for value in whole) - sum(whole) ** 2
    upper = whole[3 * n // 4 :]
    median = (whole[(n - 1) // 2] + whole[n // 2]) / 2
    robust = [whole[2 * n // 100], whole[98 * n // 100]]
    found = [sum(whole), whole[0], whole[-1], squares, median, *robust, sum(upper) / len(upper)]
    return [float(value) for value in found]


def blocks(work, image, region, *masks):
    totals = work.once(pixel_totals, image, region, *masks)
    squares = work.once(pixel_squares, image, region, *masks)
    order = work.once(pixel_order, image, region, *masks)
    columns = [totals[:, SUM], totals[:, MINIMUM], totals[:, MAXIMUM], squares]
    return np.stack([*columns, order[:, MEDIAN], order[:, LOW], order[:, HIGH], order[:, UPPER]], axis=1)


@pytest.mark.parametrize("mask", ["M01", "M04", "MC"])
def test_real_cells_agree_exactly(real_work, objects, mask):
    for channel in (0, 4):
        expected = [twin(image[where]) for image, where in objects(real_work, mask, channel)]
        assert np.array_equal(blocks(real_work, channel, inside, mask), expected, equal_nan=True)


def test_odd_cells_agree_exactly_inside_and_outside(odd_work, objects):
    pairs = objects(odd_work, "M01", 1)
    expected = [twin(image[where]) for image, where in pairs]
    assert np.array_equal(blocks(odd_work, 1, inside, "M01"), expected, equal_nan=True)
    expected = [twin(image[~where]) for image, where in pairs]
    assert np.array_equal(blocks(odd_work, 1, outside, "M01"), expected, equal_nan=True)


def test_a_union_holds_the_pixels_of_either_mask(real_work):
    either = union(real_work, "M01", "M05")
    both = np.flatnonzero(real_work.mask("M01") | real_work.mask("M05"))
    assert np.array_equal(either.places, both)
    assert either.counts.sum() == len(both)


def test_floats_are_sorted(make_work, rng):
    image = rng.normal(size=(13, 11))
    work = make_work([(image[None], np.ones((1, 13, 11)))])
    values = np.sort(image.ravel())
    found = blocks(work, 0, inside, "M01")[0]
    close = [values.sum(), values[0], values[-1], values.size**2 * values.var(), np.median(values)]
    np.testing.assert_allclose(found[:5], close, rtol=1e-10)
    assert found[5] == values[2 * 143 // 100]
    assert found[6] == values[98 * 143 // 100]
    assert found[7] == pytest.approx(values[3 * 143 // 4 :].mean())


def test_the_extremes_of_int32_do_not_overflow(make_work):
    low, high = np.iinfo(np.int32).min, np.iinfo(np.int32).max
    image = np.array([[[low, high, high, low, low]]], np.int32)
    work = make_work([(image, np.ones((1, 1, 5)))])
    found, expected = blocks(work, 0, inside, "M01")[0], twin(image.ravel())
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("span", [10, 40_000, 100_000])
def test_counting_and_sorting_agree(make_work, rng, span):
    image = rng.integers(-span, span, size=(1, 60, 60)).astype(np.int32)
    work = make_work([(image, np.ones((1, 60, 60)))])
    np.testing.assert_allclose(blocks(work, 0, inside, "M01")[0], twin(image.ravel()), rtol=1e-14)


@pytest.mark.parametrize(("n", "from_the_top"), [(1, 1), (29, 1), (49, 1), (51, 2), (100, 2), (101, 3)])
def test_the_98th_percentile_keeps_the_rank_facts_of_real_output(make_work, rng, n, from_the_top):
    values = rng.permutation(n).astype(np.int16)
    work = make_work([(values[None, None], np.ones((1, 1, n)))])
    assert work.once(pixel_order, 0, inside, "M01")[0, HIGH] == n - from_the_top


def test_n_sd2_and_the_squared_sum_make_an_integer(real_work):
    for channel in range(6):
        sd = evaluate(real_work, FEATURES["Std Dev"], ("MC", channel))
        n, total = real_work.count("MC"), real_work.once(pixel_totals, channel, inside, "MC")[:, SUM]
        whole = n * sd**2 + total**2 / n
        assert np.abs(whole - np.rint(whole)).max() < 2e-6
        biased = (n - 1) * sd**2 + total**2 / n
        assert np.abs(biased - np.rint(biased)).max() > 0.1


def test_modulation_is_a_ratio_of_integers_in_the_image(real_work, objects):
    for mask, channel in (("M01", 0), ("M05", 4), ("MC", 5)):
        values = evaluate(real_work, FEATURES["Modulation"], (mask, channel))
        for value, (image, where) in zip(values, objects(real_work, mask, channel), strict=True):
            pixels = np.unique(image[where])
            high, low = pixels[:, None], pixels[None]
            assert ((high - low) / (high + low) == value).any()


def test_spread_of_odd_objects(odd_work, objects):
    sd = evaluate(odd_work, FEATURES["Std Dev"], ("M01", 0))
    expected = [image[where].std() if where.any() else np.nan for image, where in objects(odd_work, "M01")]
    np.testing.assert_allclose(sd, expected, rtol=1e-12)
    constant = [len(np.unique(image[where])) == 1 for image, where in objects(odd_work, "M01")]
    assert not sd[constant].any()
    modulation = evaluate(odd_work, FEATURES["Modulation"], ("M01", 0))
    assert np.isnan(modulation[0])
    assert not modulation[constant].any()


def test_a_modulation_with_nothing_below_the_line_is_nan(make_work):
    work = make_work([(np.array([[[-5, 5]]], np.int16), np.ones((1, 1, 2)))])
    assert np.isnan(evaluate(work, FEATURES["Modulation"], ("M01", 0))).all()


def test_an_offset_leaves_std_dev_alone(make_work, rng):
    image = rng.integers(0, 900, size=(9, 12)).astype(np.int16)
    pairs = [(each[None], np.ones((1, *each.shape))) for each in (image, image + 1000, np.rot90(image))]
    values = evaluate(make_work(pairs), FEATURES["Std Dev"], ("M01", 0))
    assert len(set(values.tolist())) == 1
