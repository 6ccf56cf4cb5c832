"""Axes against the identities of real IDEAS output, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.features.axes import SPECS
from ifcyto.features.location import SPECS as LOCATION
from ifcyto.features.workspace import evaluate
from ifcyto.readers.daf_document import read_daf

BY_NAME = {spec.name: spec for spec in (*SPECS, *LOCATION)}


def value(work, name, *arguments):
    return evaluate(work, BY_NAME[name], arguments)


def second_moment_sum(major, minor, x, y, n):
    """N [(Maj^2 + Min^2) / 16 + cx^2 + cy^2], all in pixels: the sum of x^2 + y^2 over the mask."""
    return n * ((major**2 + minor**2) / 16 + x**2 + y**2)


@pytest.mark.parametrize("mask", ["M01", "M03", "M05", "MC"])
def test_the_sum_of_squares_is_a_whole_number(real_work, objects, mask):
    names = ("Major Axis", "Minor Axis", "Centroid X", "Centroid Y")
    n = real_work.count(mask)
    found = second_moment_sum(*(value(real_work, name, mask) / 0.5 for name in names), n)[n > 0]
    assert np.abs(found - np.rint(found)).max() < 1e-8
    exact = [(np.argwhere(inside) ** 2).sum() for _, inside in objects(real_work, mask) if inside.any()]
    assert np.rint(found).tolist() == exact


def test_the_stored_axes_obey_the_same_identity(shared_data):
    daf = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    columns = [daf.feature(f"{name}_M04") / 0.5 for name in ("Major Axis", "Minor Axis", "Centroid X")]
    n = daf.feature("Area_M04") / 0.25
    sums = second_moment_sum(*columns, daf.feature("Centroid Y_M04") / 0.5, n)
    assert np.abs(sums - np.rint(sums)).max() < 1e-7


def test_axes_of_a_rectangle(make_work):
    masks = np.zeros((1, 9, 12), np.uint8)
    masks[0, 2:5, 1:11] = 1
    work = make_work([(np.ones((1, 9, 12), np.int16), masks)], pixel_size_um=2.0)
    # The variance of 0 .. n-1 is (n^2 - 1) / 12.
    np.testing.assert_allclose(value(work, "Major Axis", "M01"), [8 * np.sqrt(99 / 12)], rtol=1e-14)
    np.testing.assert_allclose(value(work, "Minor Axis", "M01"), [8 * np.sqrt(8 / 12)], rtol=1e-14)


def test_axes_of_a_disc_are_its_diameter(make_work):
    y, x = np.mgrid[-60:61, -60:61]
    disc = (x * x + y * y <= 50.5**2).astype(np.uint8)
    work = make_work([(np.ones((1, *disc.shape), np.int16), disc[np.newaxis])], pixel_size_um=1.0)
    for name in ("Major Axis", "Minor Axis"):
        np.testing.assert_allclose(value(work, name, "M01"), 101, rtol=1e-3)


def test_even_intensity_has_the_axes_of_the_mask(make_work):
    masks = np.zeros((1, 20, 12), np.uint8)
    masks[0, 5:15, 2:8] = 1
    work = make_work([(300 * masks.astype(np.int16) + 7, masks)])
    for name in ("Major Axis", "Minor Axis"):
        np.testing.assert_allclose(
            value(work, f"{name} Intensity", "M01", 0), value(work, name, "M01"), rtol=1e-13
        )


def test_intensity_weights_are_squares_and_blind_to_sign(make_work):
    images = np.zeros((1, 20, 9), np.int16)
    masks = np.zeros((1, 20, 9), np.uint8)
    masks[0, 10, 2:5] = 1
    images[0, 10, 2:5] = [-2, 0, 4]
    work = make_work([(images, masks)], pixel_size_um=1.0)
    # Weights 4, 0, 16 at x = 2, 3, 4: variance 4 * 0.2 * 0.8.
    np.testing.assert_allclose(value(work, "Major Axis Intensity", "M01", 0), [4 * 0.8], rtol=1e-14)
    assert value(work, "Minor Axis Intensity", "M01", 0).tolist() == [0]


def test_offsets_shifts_and_turns_change_no_axis(make_work, rng):
    shape = (1, 24, 20)
    masks = np.zeros(shape, np.uint8)
    masks[0, 6:17, 5:12] = rng.random((11, 7)) < 0.8
    images = rng.integers(10, 400, shape) * masks
    pairs = [
        (images, masks),
        (images + 55, masks),
        (np.roll(images, (3, 4), (1, 2)), np.roll(masks, (3, 4), (1, 2))),
        (np.rot90(images, axes=(1, 2)), np.rot90(masks, axes=(1, 2))),
        (images[:, :, ::-1], masks[:, :, ::-1]),
    ]
    facts = [{"background_mean": np.array([float(b)]), "background_sd": np.ones(1)} for b in (0, 55, 0, 0, 0)]
    work = make_work([(np.ascontiguousarray(i, np.int16), m) for i, m in pairs], facts=facts)
    for name, arguments in [
        ("Major Axis", ("M01",)),
        ("Minor Axis", ("M01",)),
        ("Major Axis Intensity", ("M01", 0)),
        ("Minor Axis Intensity", ("M01", 0)),
    ]:
        values = value(work, name, *arguments)
        np.testing.assert_allclose(values, values[0], rtol=1e-10)


def test_odd_masks(odd_work):
    major, minor = (value(odd_work, f"{name} Axis", "M01") for name in ("Major", "Minor"))
    assert np.isnan([major[0], minor[0]]).all()  # empty
    assert (major[1], minor[1]) == (0, 0)  # one pixel
    np.testing.assert_allclose(major[2:4], 2 * np.sqrt(80 / 12), rtol=1e-14)  # nine in a line
    assert minor[2:5].tolist() == [0, 0, 0]
    assert (minor[5:7] > 0).all()
    intensity = value(odd_work, "Major Axis Intensity", "M01", 0)
    assert np.isnan(intensity[[0, 6]]).all()  # no pixel; no intensity
    assert np.isfinite(np.delete(intensity, [0, 6, 7])).all()


def test_a_pixel_that_is_not_finite_spoils_its_object_alone(make_work):
    masks = np.ones((1, 10, 10), np.uint8)
    for wrong in (np.nan, np.inf):
        spoilt = np.arange(100.0).reshape(1, 10, 10)
        spoilt[0, 5, 5] = wrong
        work = make_work([(spoilt, masks), (np.arange(100.0).reshape(1, 10, 10), masks)])
        with np.errstate(invalid="ignore"):  # numpy warns where the loop runs uncompiled
            values = value(work, "Major Axis Intensity", "M01", 0)
        assert np.isnan(values).tolist() == [True, False]
