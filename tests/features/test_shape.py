"""Shape against stored values, simple figures and plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.features.axes import SPECS as AXES
from ifcyto.features.shape import SPECS, lobes
from ifcyto.features.workspace import evaluate
from ifcyto.readers.daf_document import read_daf

BY_NAME = {spec.name: spec for spec in (*SPECS, *AXES)}
OF_INTENSITY = ("Compactness", "Symmetry 2", "Symmetry 3", "Symmetry 4", "Aspect Ratio Intensity")


def value(work, name, *arguments):
    return evaluate(work, BY_NAME[name], arguments)


@pytest.fixture(scope="module")
def figure(make_work):
    """``figure(function)``: a 121 x 121 image, 0 outside, of weights given by polar coordinates."""

    def make(weight, radius=50.0):
        y, x = np.mgrid[-60:61, -60:61]
        r, t = np.hypot(x, y), np.arctan2(y, x)
        inside = r <= radius
        image = np.where(inside, weight(r, t), 0.0)
        return make_work([(image[np.newaxis], inside[np.newaxis].astype(np.uint8))])

    return make


def test_aspect_ratios_are_the_ratios_of_axes(real_work):
    for kind, arguments in (("", ("M01",)), (" Intensity", ("M05", 4))):
        major, minor = (value(real_work, f"{name} Axis{kind}", *arguments) for name in ("Major", "Minor"))
        assert np.array_equal(value(real_work, f"Aspect Ratio{kind}", *arguments), minor / major)


def test_the_lobe_rule_gives_every_stored_count(shared_data):
    daf = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    stored = np.stack([daf.feature(f"Symmetry {k}_M04_BF") for k in (2, 3, 4)], axis=1)
    assert np.array_equal(lobes(stored), daf.feature("Lobe Count_M04_BF"))


def test_lobe_count_is_the_rule_on_our_symmetries(real_work):
    ours = np.stack([value(real_work, f"Symmetry {k}", "M05", 4) for k in (2, 3, 4)], axis=1)
    assert np.array_equal(value(real_work, "Lobe Count", "M05", 4), lobes(ours))


@pytest.mark.parametrize("k", [2, 3, 4])
def test_a_figure_of_k_waves_has_k_lobes(figure, k):
    work = figure(lambda r, t: 100 + 60 * np.cos(k * t + 0.3))
    strengths = [float(value(work, f"Symmetry {m}", "M01", 0)[0]) for m in (2, 3, 4)]
    # The mean of (100 + 60 cos) cos over a turn is 30 of 100.
    assert strengths[k - 2] == pytest.approx(30, abs=0.3)
    assert max(strengths[: k - 2] + strengths[k - 1 :]) < 1
    assert value(work, "Lobe Count", "M01", 0).tolist() == [k]


def test_an_even_disc_has_one_lobe(figure):
    work = figure(lambda r, t: 100 + 0 * r)
    assert value(work, "Lobe Count", "M01", 0).tolist() == [1]
    assert all(value(work, f"Symmetry {k}", "M01", 0)[0] < 1 for k in (2, 3, 4))


def test_compactness_is_half_for_even_intensity_and_grows_towards_the_middle(figure):
    even, cone, rim = (
        figure(weight)
        for weight in (lambda r, t: 9 + 0 * r, lambda r, t: 50 - r, lambda r, t: np.where(r > 45, 9.0, 0))
    )
    assert value(even, "Compactness", "M01", 0)[0] == pytest.approx(0.5, abs=1e-12)
    # The mean of r^2 is R^2 / 2 in the disc, 3 R^2 / 10 under the cone.
    assert value(cone, "Compactness", "M01", 0)[0] == pytest.approx(0.7, abs=2e-3)
    assert value(rim, "Compactness", "M01", 0)[0] < 0.15


def test_compactness_on_brightfield_lies_near_the_stored_range(real_work, shared_data):
    ours = value(real_work, "Compactness", "M05", 4)
    stored = read_daf(shared_data / "amnis" / "ut7_ideas62.daf").feature("Compactness_M04_BF")
    assert stored.min() < np.median(ours) < stored.max()


def test_circularity_of_a_square_by_hand(make_work):
    masks = np.zeros((1, 7, 7), np.uint8)
    masks[0, 1:6, 1:6] = 1
    work = make_work([(np.ones((1, 7, 7), np.int16), masks)])
    r = np.sqrt([8] * 4 + [5] * 8 + [4] * 4)
    assert value(work, "Circularity", "M01")[0] == pytest.approx(r.mean() / r.std(), rel=1e-12)


def test_circularity_falls_from_disc_to_ellipse(make_work):
    y, x = np.mgrid[-60:61, -60:61]
    masks = [((x / 25) ** 2 + (y / b) ** 2 <= 1)[np.newaxis].astype(np.uint8) for b in (25, 22, 18, 12)]
    work = make_work([(np.ones((1, 121, 121), np.int16), mask) for mask in masks])
    values = value(work, "Circularity", "M01")
    assert (np.diff(values) < 0).all()
    assert 2.5 < values[-1] < 5
    assert values[0] > 50


def test_shifts_turns_and_mirrors_change_no_shape(make_work, rng):
    masks = np.zeros((1, 25, 21), np.uint8)
    masks[0, 6:17, 5:13] = rng.random((11, 8)) < 0.85
    images = (rng.integers(10, 400, masks.shape) * masks).astype(np.int16)
    pairs = [
        (images, masks),
        (np.roll(images, (3, 4), (1, 2)), np.roll(masks, (3, 4), (1, 2))),
        (np.rot90(images, axes=(1, 2)), np.rot90(masks, axes=(1, 2))),
        (images[:, ::-1], masks[:, ::-1]),
        (3 * images, masks),
    ]
    work = make_work([(np.ascontiguousarray(i), np.ascontiguousarray(m)) for i, m in pairs])
    for name in ("Aspect Ratio", "Circularity"):
        values = value(work, name, "M01")
        np.testing.assert_allclose(values, values[0], rtol=1e-10)
    for name in (*OF_INTENSITY, "Lobe Count"):
        values = value(work, name, "M01", 0)
        np.testing.assert_allclose(values, values[0], rtol=1e-9)


def test_odd_objects(odd_work):
    ratio, circularity = value(odd_work, "Aspect Ratio", "M01"), value(odd_work, "Circularity", "M01")
    assert np.isnan(ratio[[0, 1, 7]]).all()  # empty, one pixel, 1 x 1
    assert ratio[2:5].tolist() == [0, 0, 0]  # lines
    assert np.isnan(circularity[[0, 1, 7]]).all()
    assert np.isfinite(np.delete(circularity, [0, 1, 7])).all()
    for name in (*OF_INTENSITY, "Lobe Count"):
        values = value(odd_work, name, "M01", 0)
        assert np.isnan(values[[0, 1, 6, 7]]).all()  # the constant image has no intensity
        assert np.isfinite(np.delete(values, [0, 1, 6, 7])).all()


def test_four_pixels_have_one_distance_and_no_circularity(make_work):
    masks = np.zeros((1, 6, 6), np.uint8)
    masks[0, 2:4, 2:4] = 1
    assert np.isnan(value(make_work([(np.ones((1, 6, 6)), masks)]), "Circularity", "M01")).all()


def test_lobe_count_fits_its_dtype():
    counts = lobes(np.array([[0.0, 0, 0], [50, 0, 0], [0, 50, 0], [0, 0, 50]]))
    assert counts.tolist() == counts.astype(BY_NAME["Lobe Count"].dtype).tolist() == [1, 2, 3, 4]
