"""Location against the identities of real IDEAS output, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.features.location import SPECS
from ifcyto.features.workspace import evaluate
from ifcyto.readers.daf_document import read_daf

BY_NAME = {spec.name: spec for spec in SPECS}


def value(work, name, *arguments):
    return evaluate(work, BY_NAME[name], arguments)


def test_pixels_times_centroid_is_a_whole_number(real_work, objects):
    for mask in ("M01", "M05", "MC"):
        n = real_work.count(mask)
        for name, axis in (("Centroid X", 1), ("Centroid Y", 0)):
            sums = n * value(real_work, name, mask) / 0.5
            assert np.abs(sums - np.rint(sums))[n > 0].max() < 1e-10
            exact = [np.argwhere(inside)[:, axis].sum() for _, inside in objects(real_work, mask)]
            assert np.rint(sums)[n > 0].tolist() == [e for e, k in zip(exact, n, strict=True) if k]


def test_intensity_centroid_weighs_with_absolute_values(make_work):
    images = np.zeros((1, 20, 7), np.int16)
    masks = np.zeros((1, 20, 7), np.uint8)
    masks[0, 9:11, 2:4] = 1
    images[0, 9:11, 2:4] = [[-1, 3], [0, 4]]
    work = make_work([(images, masks)], pixel_size_um=0.3)
    np.testing.assert_allclose(
        value(work, "Centroid X Intensity", "M01", 0), [0.3 * (2 + 21) / 8], rtol=1e-14
    )
    np.testing.assert_allclose(value(work, "Centroid Y Intensity", "M01", 0), [0.3 * 76 / 8], rtol=1e-14)


def test_intensity_centroid_subtracts_the_stored_background(real_work, objects):
    b = real_work.planes.background_mean[:, 4]
    expected = [
        0.5 * np.average(np.nonzero(inside)[1], weights=np.abs(image[inside] - mean))
        for (image, inside), mean in zip(objects(real_work, "M05", 4), b, strict=True)
    ]
    np.testing.assert_allclose(value(real_work, "Centroid X Intensity", "M05", 4), expected, rtol=1e-12)


def whole_moments(daf, half_turn):
    """Stored Angle >= pi/2; whether N sum x^2, N sum xy are whole for an axis that falls, and that rises."""
    n = daf.feature("Area_M04") / 0.25
    x, y = (daf.feature(f"Centroid {axis}_M04") / 0.5 for axis in "XY")
    long, short = ((daf.feature(f"{name} Axis_M04") / 2) ** 2 for name in ("Major", "Minor"))
    stored = daf.feature("Angle_M04")
    high = stored > 1.569
    a = np.where(high, half_turn - stored, stored)
    xx = (long + short) / 2 + (long - short) / 2 * np.cos(2 * a)
    xy = (long - short) / 2 * np.sin(2 * a)
    sums = np.stack([n * (xx + x * x), n * (xy + x * y), n * (-xy + x * y)])  # y grows downwards
    squares, falls, rises = np.abs(sums - np.rint(sums)) < 1e-5
    return high, squares & falls, squares & rises


def test_stored_angles_are_exact_up_to_their_side(shared_data):
    """3.14 less the stored angle gives whole second moments; pi less the stored angle does not."""
    daf = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    high, falls, rises = whole_moments(daf, 3.14)
    assert (falls ^ rises).all()
    assert [(high & falls).sum(), (high & rises).sum()] == [221, 169]
    assert [(~high & falls).sum(), (~high & rises).sum()] == [3, 27]
    high, falls, rises = whole_moments(daf, np.pi)
    assert not (high & (falls | rises)).any()


def test_stored_angle_intensity_is_folded(shared_data):
    stored = read_daf(shared_data / "amnis" / "ut7_ideas62.daf").feature("Angle Intensity_M04_BF")
    assert 0 <= stored.min() < 0.1 < 1.5 < stored.max() <= np.pi / 2


@pytest.mark.parametrize(
    ("rows", "columns", "lean"),
    [
        ([5] * 7, range(2, 9), 0.0),
        (range(2, 9), [5] * 7, np.pi / 2),
        (range(2, 9), range(2, 9), np.pi / 4),
        (range(2, 9), range(8, 1, -1), np.pi / 4),
    ],
)
def test_angles_of_lines(make_work, rows, columns, lean):
    masks = np.zeros((1, 11, 11), np.uint8)
    masks[0, list(rows), list(columns)] = 1
    work = make_work([(100 * masks.astype(np.int16), masks)])
    np.testing.assert_allclose(value(work, "Angle", "M01"), [3.14 - lean], rtol=1e-12)
    np.testing.assert_allclose(value(work, "Angle Intensity", "M01", 0), [lean], atol=1e-12)


def test_angles_stay_in_their_ranges(real_work):
    mask, intensity = value(real_work, "Angle", "M01"), value(real_work, "Angle Intensity", "M01", 0)
    assert (np.pi / 2 - 0.0016 <= mask).all()
    assert (mask <= 3.14).all()
    assert (intensity >= 0).all()
    assert (intensity <= np.pi / 2).all()


def test_a_square_has_no_angle(make_work):
    masks = np.zeros((1, 9, 9), np.uint8)
    masks[0, 2:7, 1:6] = 1
    work = make_work([(50 * masks.astype(np.int16), masks)])
    assert np.isnan(value(work, "Angle", "M01")).all()
    assert np.isnan(value(work, "Angle Intensity", "M01", 0)).all()


def test_delta_centroids_are_differences_of_centroids(real_work):
    x1, y1 = (value(real_work, f"Centroid {axis} Intensity", "M01", 0) for axis in "XY")
    x2, y2 = (value(real_work, f"Centroid {axis}", "M05") for axis in "XY")
    arguments = ("M01", 0, True, "M05", 4, False)
    dx, dy, d = (value(real_work, f"Delta Centroid {axes}", *arguments) for axes in ("X", "Y", "XY"))
    np.testing.assert_allclose(dx, x1 - x2, atol=1e-12)
    np.testing.assert_allclose(dy, y1 - y2, atol=1e-12)
    np.testing.assert_allclose(d, np.hypot(x1 - x2, y1 - y2), rtol=1e-10)
    back = value(real_work, "Delta Centroid X", "M05", 4, False, "M01", 0, True)
    assert np.array_equal(back, -dx)


def test_a_delta_to_an_empty_second_mask_is_missing(make_work):
    masks = np.zeros((2, 9, 9), np.uint8)
    masks[0, 2:5, 2:6] = 1
    work = make_work([(np.ones((2, 9, 9), np.int16), masks)])
    assert np.isnan(value(work, "Delta Centroid XY", "M01", 0, False, "M02", 1, False)).all()
    assert value(work, "Delta Centroid XY", "M01", 0, False, "M01", 1, False).tolist() == [0]


def test_raw_centroids_are_the_stored_ones_in_micrometres(real_work, odd_work):
    for axis in "xy":
        name = f"Raw Centroid {axis.upper()}"
        assert np.array_equal(value(real_work, name), real_work.planes.facts[f"raw_centroid_{axis}"] / 2)
        assert np.isnan(value(odd_work, name)).all()


def test_centroids_move_with_the_object(make_work, rng):
    masks = np.zeros((1, 22, 20), np.uint8)
    masks[0, 5:14, 4:12] = rng.random((9, 8)) < 0.8
    images = (rng.integers(10, 400, masks.shape) * masks).astype(np.int16)
    moved = [np.roll(a, (3, 2), (1, 2)) for a in (images, masks)]
    work = make_work([(images, masks), moved], pixel_size_um=1.0)
    for name, arguments in (("Centroid", ("M01",)), ("Centroid Intensity", ("M01", 0))):
        first, _, rest = name.partition(" ")
        for axis, step in (("X", 2), ("Y", 3)):
            before, after = value(work, f"{first} {axis} {rest}".strip(), *arguments)
            assert after - before == pytest.approx(step, rel=1e-12)


def test_odd_objects(odd_work):
    for name in ("Centroid X", "Centroid Y"):
        values = value(odd_work, name, "M01")
        assert np.isnan(values).tolist() == [True] + [False] * 11
        weighted = value(odd_work, f"{name} Intensity", "M01", 0)
        assert np.isnan(weighted[[0, 6, 7]]).all()  # empty; no intensity; 1 x 1 is its own background
        assert np.isfinite(np.delete(weighted, [0, 6, 7])).all()
    assert value(odd_work, "Centroid X", "M01")[1] == 3
    angles = value(odd_work, "Angle", "M01")
    assert np.isnan(angles[[0, 1, 7]]).all()
    assert np.isfinite(angles[[2, 3, 4]]).all()
