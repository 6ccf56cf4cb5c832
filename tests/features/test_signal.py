"""Signal strength against the identities of real IDEAS output and plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.features.signal import SPECS
from ifcyto.features.workspace import evaluate
from ifcyto.readers.daf_document import read_daf

FEATURES = {spec.name: spec for spec in SPECS}
MASK_IMAGE = ("M05", 4)


def real_nonzero(work, channel):
    """Pixels of each object that are not 0 in the stored mask of a channel."""
    stored = work.planes.stored_mask(channel)
    return np.add.reduceat(stored > 0, work.planes.starts[:-1], dtype=np.int64)


def values(work, name, *arguments):
    return evaluate(work, FEATURES[name], arguments)


@pytest.mark.parametrize(("mask", "channel"), [("M01", 0), ("M05", 4), ("MC", 5)])
def test_real_cells_agree_with_numpy(real_work, objects, mask, channel):
    background = real_work.planes.background_mean[:, channel]
    inside = [image[where] for image, where in objects(real_work, mask, channel)]
    for name, statistic in (("Mean", np.mean), ("Median", np.median), ("Max", np.max), ("Min", np.min)):
        raw = np.array([statistic(pixels) for pixels in inside])
        np.testing.assert_allclose(values(real_work, f"Raw {name} Pixel", mask, channel), raw, rtol=1e-15)
        np.testing.assert_allclose(
            values(real_work, f"{name} Pixel", mask, channel), raw - background, rtol=1e-12, atol=1e-12
        )
    raw = np.array([pixels.sum() for pixels in inside])
    assert np.array_equal(values(real_work, "Raw Intensity", mask, channel), raw)
    above = np.array([(pixels - b).sum() for pixels, b in zip(inside, background, strict=True)])
    np.testing.assert_allclose(values(real_work, "Intensity", mask, channel), above, rtol=1e-9, atol=1e-9)


def test_the_identities_of_real_output_hold(real_work):
    n, background = real_work.count("M05"), real_work.planes.background_mean[:, 4]
    for name in ("Median", "Max", "Min"):
        raw = values(real_work, f"Raw {name} Pixel", *MASK_IMAGE)
        assert np.array_equal(values(real_work, f"{name} Pixel", *MASK_IMAGE), raw - background)
        assert not (2 * raw % 1).any()
    intensity = values(real_work, "Intensity", *MASK_IMAGE)
    assert np.array_equal(values(real_work, "Mean Pixel", *MASK_IMAGE), intensity / n)
    whole = intensity + n * background
    assert np.abs(whole - np.rint(whole)).max() < 1e-7
    odd = values(real_work, "Raw Median Pixel", *MASK_IMAGE)[n % 2 == 1]
    assert len(odd) > 0
    assert not (odd % 1).any()


def test_stored_values_keep_the_same_identities(shared_data):
    stored = read_daf(shared_data / "amnis" / "ut7_ideas62.daf").feature
    background, n = stored("Bkgd Mean_BF"), stored("Area_M04") / 0.25
    for name in ("Median", "Max", "Min"):
        assert np.array_equal(stored(f"{name} Pixel_M04_BF"), stored(f"Raw {name} Pixel_M04_BF") - background)
    raw = stored("Raw Intensity_M04_BF")
    np.testing.assert_allclose(stored("Intensity_M04_BF"), raw - n * background, rtol=1e-11)
    assert np.array_equal(stored("Mean Pixel_M04_BF"), stored("Intensity_M04_BF") / n)
    np.testing.assert_allclose(stored("Raw Mean Pixel_M04_BF"), raw / n, rtol=1e-15)
    assert not (raw % 1).any()


def test_the_background_is_the_stored_one(real_work):
    for channel in range(6):
        facts = real_work.planes.facts
        assert np.array_equal(values(real_work, "Bkgd Mean", channel), facts["background_mean"][:, channel])
        assert np.array_equal(values(real_work, "Bkgd StdDev", channel), facts["background_sd"][:, channel])


def test_an_offset_moves_raw_values_and_nothing_else(make_work, rng):
    image = rng.integers(-60, 900, size=(1, 9, 12)).astype(np.int16)
    mask = np.ones((1, 9, 12))
    facts = [{"background_mean": np.array([30.5])}, {"background_mean": np.array([130.5])}]
    work = make_work([(image, mask), (image + 100, mask)], facts=facts)
    for name in ("Mean Pixel", "Median Pixel", "Max Pixel", "Min Pixel"):
        first, second = values(work, name, "M01", 0)
        assert second == pytest.approx(first, abs=1e-11)
        first, second = values(work, f"Raw {name}", "M01", 0)
        assert second == pytest.approx(first + 100, abs=1e-11)


def test_an_empty_mask_has_no_light_and_no_mean(odd_work):
    for name in ("Intensity", "Raw Intensity", "Saturation Count"):
        assert values(odd_work, name, "M01", 0)[0] == 0
    for name in ("Mean Pixel", "Raw Mean Pixel", "Raw Median Pixel", "Max Pixel", "Raw Min Pixel"):
        result = values(odd_work, name, "M01", 0)
        assert np.isnan(result[0])
        assert np.isfinite(result[1:]).all()


def test_saturation_is_nan_where_none_is_stored(odd_work):
    assert np.isnan(values(odd_work, "Saturation Count", "M01", 0)[1:]).all()
    assert np.isnan(values(odd_work, "Saturation Percent", "M01", 0)).all()


def test_saturation_of_real_cells_is_the_stored_count(real_work):
    for channel in range(6):
        stored = real_work.planes.facts["saturation_count"][:, channel]
        assert np.array_equal(values(real_work, "Saturation Count", f"M0{channel + 1}", channel), stored)


def test_clipped_pixels_count_below_the_line_of_the_percentage(make_work):
    mask = np.array([[[1, 1, 1, 0, 2, 3], [1, 1, 1, 0, 0, 0]], [[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]])
    work = make_work(
        [(np.zeros((2, 2, 6), np.int16), mask)], facts=[{"saturation_count": np.array([2.0, 1.0])}]
    )
    assert values(work, "Saturation Percent", "M01", 0).tolist() == [100 * 2 / 8]
    assert values(work, "Saturation Percent", "M02", 1).tolist() == [100.0]
    assert values(work, "Saturation Percent", "M02", 0).tolist() == [100 * 2 / 3]


def test_the_denominator_of_real_percentages_is_the_nonzero_stored_mask(real_work):
    count = values(real_work, "Saturation Count", "M01", 0)
    percent = values(real_work, "Saturation Percent", "M01", 0)
    nonzero = real_nonzero(real_work, 0)
    assert np.count_nonzero(count) == 72
    assert (nonzero > real_work.count("M01")).any()
    np.testing.assert_allclose(percent * nonzero / 100, count, rtol=1e-14)


def test_a_pixel_that_is_not_a_number_spoils_its_image_alone(make_work):
    images = np.ones((2, 3, 3))
    images[0, 1, 1] = np.nan
    work = make_work([(images, np.ones((2, 3, 3)))])
    for name in ("Intensity", "Raw Median Pixel", "Max Pixel"):
        assert np.isnan(values(work, name, "M01", 0)).all()
        assert np.isfinite(values(work, name, "M01", 1)).all()
