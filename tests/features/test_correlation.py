"""Cross-correlation against scipy's direct sums, hand-made shifts and the pattern of stored values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from ifcyto.features.comparison import similarity
from ifcyto.features.correlation import SPECS, correlation_peak
from ifcyto.features.kernels.pairs import PEAK, SHIFT_X, SHIFT_Y
from ifcyto.features.workspace import evaluate
from ifcyto.readers.daf_document import read_daf

FEATURES = {spec.name: spec for spec in SPECS}


def values(work, name, *arguments):
    return evaluate(work, FEATURES[name], arguments)


def vertex(before, peak, after):
    bend = before - 2 * peak + after
    return (before - after) / (2 * bend) if bend else 0.0


def twin(first, second, mask):
    """Peak, shift in x, shift in y of two images above background."""
    if not mask.any():
        return [np.nan] * 3
    a, b = (np.rint(each) * mask for each in (first, second))
    rows, columns = (slice(at.min(), at.max() + 1) for at in np.nonzero(mask))
    a, b = a[rows, columns], b[rows, columns]
    norm = np.sqrt((a**2).sum() * (b**2).sum())
    if norm == 0:
        return [np.nan] * 3
    sums = signal.correlate2d(b, a)
    middle = np.array(a.shape) - 1
    places = np.argwhere(sums == sums.max())
    y, x = places[np.argmin(((places - middle) ** 2).sum(axis=1))]
    padded = np.pad(sums, 1)
    shift_y, shift_x = np.array([y, x]) - middle
    found = [sums[y, x] / norm, float(shift_x), float(shift_y)]
    if max(abs(shift_x), abs(shift_y)) <= 10:
        found[1] += vertex(padded[y + 1, x], sums[y, x], padded[y + 1, x + 2])
        found[2] += vertex(padded[y, x + 1], sums[y, x], padded[y + 2, x + 1])
    return found


def compare(work, objects, mask, first, second):
    background = work.planes.background_mean
    expected = [
        twin(a - background[i, first], b - background[i, second], where)
        for i, ((a, where), (b, _)) in enumerate(
            zip(objects(work, mask, first), objects(work, mask, second), strict=True)
        )
    ]
    found = correlation_peak(work, mask, first, second)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


def blob(shape, y, x, width=2.5):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.rint(500 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * width**2)))


def shifts(work):
    return values(work, "Shift X", "M01", 0, 1), values(work, "Shift Y", "M01", 0, 1)


def dark(n=2):
    return [{"background_mean": np.zeros(n)}]


@pytest.mark.parametrize(("mask", "second"), [("MC", 4), ("M01", 2)])
def test_real_cells_agree_with_direct_sums(real_work, objects, mask, second):
    compare(real_work, objects, mask, 0, second)


def test_odd_cells_agree_with_direct_sums(odd_work, objects):
    compare(odd_work, objects, "M01", 0, 1)


def test_a_large_box_agrees_with_direct_sums(make_work, objects, rng):
    images = rng.integers(-100, 4000, size=(2, 104, 101)).astype(np.int16)
    mask = np.zeros((2, 104, 101))
    mask[:, 3:, :99] = 1
    compare(make_work([(images, mask)]), objects, "M01", 0, 1)


def test_extremes_of_int16_are_exact(make_work, rng):
    images = rng.choice(np.array([-32768, 32767], np.int16), size=(2, 40, 40))
    images[1, 3:, 2:] = images[0, :-3, :-2]
    work = make_work([(images, np.ones((2, 40, 40)))], facts=dark())
    a, b = images[0, :-3, :-2].astype(object), images[1, 3:, 2:].astype(object)
    norm = np.sqrt(np.prod([float((each.astype(object) ** 2).sum()) for each in images]))
    peak = correlation_peak(work, "M01", 0, 1)[0]
    assert peak[PEAK] == pytest.approx(float((a * b).sum()) / norm, rel=1e-15)
    assert np.rint(peak[[SHIFT_X, SHIFT_Y]]).tolist() == [2, 3]


@pytest.mark.parametrize(("y", "x"), [(0, 0), (3, -2), (-10, 10)])
def test_a_shifted_spot_is_found_to_a_fraction_of_a_pixel(make_work, y, x):
    shape = (48, 48)
    images = np.stack([blob(shape, 24, 24), blob(shape, 24.3 + y, 23.9 + x)]).astype(np.int16)
    found_x, found_y = shifts(make_work([(images, np.ones((2, *shape)))], facts=dark()))
    assert found_x == pytest.approx(x - 0.1, abs=0.02)
    assert found_y == pytest.approx(y + 0.3, abs=0.02)
    assert found_x % 1
    assert found_y % 1


@pytest.mark.parametrize(("y", "x"), [(11, 2), (-3, -14)])
def test_a_far_shift_is_whole(make_work, y, x):
    shape = (60, 60)
    images = np.stack([blob(shape, 30, 30), blob(shape, 30.3 + y, 29.8 + x)]).astype(np.int16)
    found_x, found_y = shifts(make_work([(images, np.ones((2, *shape)))], facts=dark()))
    assert (found_x[0], found_y[0]) == (x, y)


def test_stored_shifts_are_whole_exactly_when_one_is_far(shared_data):
    stored = read_daf(shared_data / "amnis" / "ut7_ideas62.daf").feature
    both = np.stack([stored(f"Shift {axis}_MC_DAPI_pH3_AF647") for axis in "XY"])
    far = (np.abs(np.rint(both)) > 10).any(axis=0)
    assert far.sum() == 125
    assert not (both[:, far] % 1).any()
    assert (both[:, ~far] % 1 != 0).all()


def test_images_swapped_turned_or_moved(make_work, rng):
    smooth = signal.convolve(rng.normal(size=(2, 31, 34)), np.ones((1, 5, 5)), mode="valid")
    images, mask = np.rint(100 + 40 * smooth).astype(np.int16), np.ones((2, 27, 30))
    turned = np.rot90(images, axes=(1, 2))
    moved = np.pad(images, ((0, 0), (4, 2), (3, 9)), constant_values=77)
    pairs = [
        (images, mask),
        (images[::-1], mask),
        (turned, np.ones(turned.shape)),
        (moved, np.pad(mask, ((0, 0), (4, 2), (3, 9)))),
    ]
    work = make_work(pairs, facts=[{"background_mean": np.full(2, 30.0)}] * 4)
    x, y = shifts(work)
    assert (x % 1).all()
    assert (-x[1], -y[1]) == pytest.approx((x[0], y[0]))
    assert (y[2], -x[2]) == pytest.approx((-x[0], -y[0]))
    assert (x[3], y[3]) == (x[0], y[0])
    coefficients = values(work, "XCorr", "M01", 0, 1)
    assert coefficients == pytest.approx(np.full(4, coefficients[0]))


def test_an_image_matches_itself_perfectly(real_work):
    peak = correlation_peak(real_work, "M01", 0, 0)
    assert (peak[:, PEAK] == 1).all()
    np.testing.assert_allclose(peak[:, [SHIFT_X, SHIFT_Y]], 0, atol=1e-12)
    assert np.isnan(values(real_work, "XCorr", "M01", 0, 0)).all()


def test_xcorr_exceeds_similarity_as_much_as_in_stored_values(real_work, shared_data):
    stored = read_daf(shared_data / "amnis" / "ut7_ideas62.daf").feature
    name = "MC_ARK2_AF488_aTub_PE"
    excess = stored(f"XCorr_{name}") - stored(f"Similarity_{name}")
    ours = values(real_work, "XCorr", "MC", 0, 2) - similarity(real_work, "MC", 0, 2)
    assert np.median(ours) == pytest.approx(np.median(excess), abs=0.15)


def test_an_image_without_light_has_no_shift(make_work):
    images = np.zeros((2, 9, 9), np.int16)
    images[0, 4, 4] = 50
    mask = np.zeros((2, 9, 9))
    mask[:, 2:8, 1:8] = 1
    work = make_work([(images, mask)], facts=dark())
    for name in ("Shift X", "Shift Y", "XCorr"):
        assert np.isnan(values(work, name, "M01", 0, 1)).all()


def test_floats_are_not_rounded(make_work):
    shape = (30, 30)
    images = np.stack([blob(shape, 15, 15), blob(shape, 17.2, 14, 3)]).astype(np.int16)
    whole = make_work([(images, np.ones((2, *shape)))], facts=dark())
    small = make_work([(images / 4096.0, np.ones((2, *shape)))], facts=dark())
    for name in ("Shift X", "Shift Y", "XCorr"):
        assert values(small, name, "M01", 0, 1) == pytest.approx(values(whole, name, "M01", 0, 1), rel=1e-9)


def test_a_pixel_that_is_not_a_number_spoils_its_object_alone(make_work, rng):
    images = rng.normal(size=(2, 2, 12, 12))
    images[0, 1, 5, 5] = np.inf
    work = make_work([(each, np.ones((2, 12, 12))) for each in images])
    found = values(work, "Shift X", "M01", 0, 1)
    assert np.isnan(found[0])
    assert np.isfinite(found[1])
