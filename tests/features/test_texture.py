"""Slopes, bright detail intensity and ensquared energy against numpy, scipy and stored values."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.features.haralick import haralick_measures
from ifcyto.features.texture import SPECS
from ifcyto.features.workspace import evaluate
from ifcyto.readers.daf_document import read_daf

FEATURES = {spec.name: spec for spec in SPECS}
MASKED = [name for name in FEATURES if name != "Ensquared Energy"]


def values(work, name, *arguments):
    return evaluate(work, FEATURES[name], arguments)


def slope_twin(image, inside, background):
    """Contrast, Gradient RMS, Gradient Max."""
    if not inside.any():
        return [np.nan] * 3
    padded = np.pad(image, 1, mode="edge")
    own = padded[1:-1, 1:-1]
    g = np.hypot(padded[1:-1, 2:] - own, padded[2:, 1:-1] - own)[inside]
    level = ndimage.uniform_filter(image, 3, mode="nearest")[inside]
    whole = g + np.abs(level - background)
    relative = g / np.where(whole > 0, whole, 1)
    steep = 1000 * np.mean((g / np.maximum(level, 1)) ** 2)
    return [steep, 100 * np.sqrt(np.mean(relative**2)), 100 * relative.max()]


@pytest.mark.parametrize(("fixture", "channel"), [("real_work", 0), ("real_work", 4), ("odd_work", 1)])
def test_slopes_agree_with_numpy(request, objects, fixture, channel):
    work = request.getfixturevalue(fixture)
    mask = f"M0{channel + 1}"
    background = work.planes.background_mean[:, channel]
    pairs = zip(objects(work, mask, channel), background, strict=True)
    expected = np.array([slope_twin(*pair, b) for pair, b in pairs])
    for column, name in enumerate(("Contrast", "Gradient RMS", "Gradient Max")):
        np.testing.assert_allclose(values(work, name, mask, channel), expected[:, column], rtol=1e-9)


def disc(radius):
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return x**2 + y**2 <= radius**2


def opening(image, radius):
    options = {"footprint": disc(radius), "mode": "constant"}
    eroded = ndimage.grey_erosion(image, cval=np.inf, **options)
    return ndimage.grey_dilation(eroded, cval=-np.inf, **options)


@pytest.mark.parametrize(("fixture", "channel"), [("real_work", 4), ("odd_work", 0)])
def test_bright_detail_intensity_agrees_with_scipy(request, objects, fixture, channel):
    work = request.getfixturevalue(fixture)
    mask = f"M0{channel + 1}"
    pairs = objects(work, mask, channel)
    r3 = [(image - opening(image, 3))[inside].sum() for image, inside in pairs]
    r7 = [(opening(image, 3) - opening(image, 7))[inside].sum() for image, inside in pairs]
    assert values(work, "Bright Detail Intensity R3", mask, channel).tolist() == r3
    assert values(work, "Bright Detail Intensity R7", mask, channel).tolist() == r7


def energy_twin(image, background, d):
    squares = (image - background) ** 2
    y, x = np.unravel_index(squares.argmax(), squares.shape)
    near, far = (squares[max(y - h, 0) : y + h + 1, max(x - h, 0) : x + h + 1].sum() for h in (d, 2 * d + 1))
    return near / far if far else np.nan


@pytest.mark.parametrize("d", [1, 3, 20])
@pytest.mark.parametrize(("fixture", "channel"), [("real_work", 4), ("odd_work", 0)])
def test_ensquared_energy_agrees_with_numpy(request, objects, fixture, channel, d):
    work = request.getfixturevalue(fixture)
    background = np.rint(work.planes.background_mean[:, channel])
    pairs = zip(objects(work, "M01", channel), background, strict=True)
    expected = [energy_twin(image, b, d) for (image, _), b in pairs]
    np.testing.assert_allclose(values(work, "Ensquared Energy", channel, d), expected, rtol=1e-12)


def test_slopes_by_hand(make_work):
    image = np.full((1, 5, 5), 10, np.int16)
    image[0, 2, 2] = 40
    mask = np.zeros((1, 5, 5))
    mask[0, 2, 2] = 1
    work = make_work([(image, mask)], facts=[{"background_mean": [10.0]}])
    g, level = np.hypot(30, 30), 120 / 9
    assert values(work, "Contrast", "M01", 0)[0] == pytest.approx(1000 * (g / level) ** 2)
    assert values(work, "Gradient RMS", "M01", 0)[0] == pytest.approx(100 * g / (g + level - 10))
    assert values(work, "Gradient Max", "M01", 0)[0] == pytest.approx(100 * g / (g + level - 10))


def test_ensquared_energy_of_a_lone_point_is_1_and_of_nothing_is_missing(make_work):
    point, flat = np.zeros((2, 1, 30, 30), np.int16)
    point[0, 15, 12] = -9
    work = make_work([(each, np.ones((1, 30, 30))) for each in (point, flat)])
    found = values(work, "Ensquared Energy", 0, 3)
    assert found[0] == 1
    assert np.isnan(found[1])


def test_flat_images_have_no_texture(odd_work):
    assert [values(odd_work, name, "M01", 0)[6] for name in MASKED] == [0.0] * 5


def test_empty_masks(odd_work):
    assert [values(odd_work, name, "M01", 0)[0] for name in MASKED[3:]] == [0, 0]
    assert np.isnan([values(odd_work, name, "M01", 0)[0] for name in MASKED[:3]]).all()


def test_what_an_offset_and_a_quarter_turn_leave_alone(make_work, rng):
    image = rng.integers(100, 900, size=(22, 30)).astype(np.int16)
    image[9, 12] = 1000
    inside = rng.random((22, 30)) < 0.7
    planes = [(image, inside), (image + 64, inside), (np.rot90(image), np.rot90(inside))]
    facts = [{"background_mean": [value]} for value in (30.0, 94.0, 30.0)]
    work = make_work([(a[None], m[None]) for a, m in planes], facts=facts)
    turns = {"Bright Detail Intensity R3", "Bright Detail Intensity R7", "Ensquared Energy"}
    for name in FEATURES:
        plain, raised, turned = values(work, name, *((0, 3) if name not in MASKED else ("M01", 0)))
        # Contrast is relative to the raw level; forward differences know left from right.
        assert (raised == pytest.approx(plain, rel=1e-12)) == (name != "Contrast")
        assert (turned == pytest.approx(plain, rel=1e-12)) == (name in turns)


def test_brightfield_behaves_as_stored_values_do(real_work, shared_data):
    """The signatures of ``ideas_features`` 5.4; the cells differ, so the limits are wide."""
    found = {name: values(real_work, name, "M05", 4) for name in MASKED}
    correlation = haralick_measures(real_work, "M05", 4, 3)[:, 2]
    assert abs(np.median(found["Gradient RMS"] - (65.7 - 52.5 * correlation))) < 5
    assert np.percentile(found["Gradient Max"], 5) > 98
    stored = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    r3, r7 = (np.asarray(stored.feature(f"Bright Detail Intensity R{r}_M04_BF")) for r in (3, 7))
    assert (r7 < r3).mean() > 0.98
    assert (found["Bright Detail Intensity R7"] < found["Bright Detail Intensity R3"]).mean() > 0.98
    theirs = np.asarray(stored.feature("Ensquared Energy_BF_3"))
    ours = values(real_work, "Ensquared Energy", 4, 3)
    assert abs(np.median(ours) - np.median(theirs)) < 0.06


def test_stored_ensquared_energy_is_a_ratio_of_whole_numbers(shared_data):
    stored = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    exact = 0
    for value in np.asarray(stored.feature("Ensquared Energy_BF_3")).tolist():
        nearest = Fraction(value).limit_denominator(4_000_000)
        exact += abs(nearest.numerator / nearest.denominator - value) < 3e-16
    assert exact >= 390
