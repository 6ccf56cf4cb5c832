"""Components and the features of spots against scipy and the values that IDEAS stored."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from ifcyto.features import spots
from ifcyto.features.components import label_components
from ifcyto.features.workspace import evaluate
from ifcyto.readers.daf_document import read_daf

SPECS = {spec.name: spec for spec in spots.SPECS}
STRUCTURE = {4: ndimage.generate_binary_structure(2, 1), 8: ndimage.generate_binary_structure(2, 2)}


def value(work, name, *arguments):
    return evaluate(work, SPECS[name], arguments)


def flat(planes):
    sizes = np.array([plane.size for plane in planes], np.int64)
    heights, widths = np.array([plane.shape for plane in planes], np.int32).T.copy()
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    return np.concatenate([plane.ravel() for plane in planes]), starts, heights, widths


@pytest.fixture
def noise(rng):
    """Masks of many shapes and fillings, with many components that meet late."""
    shapes = [(1, 1), (1, 9), (9, 1), (2, 2), (23, 17), (17, 23), (30, 30)]
    fillings = (0.0, 0.2, 0.45, 0.6, 0.8, 1.0)
    return [rng.random(shape) < filling for shape in shapes for filling in fillings]


@pytest.mark.parametrize("connectivity", [4, 8])
def test_labels_are_those_of_scipy(noise, connectivity):
    labels, counts = label_components(*flat(noise), connectivity)
    expected = [ndimage.label(plane, STRUCTURE[connectivity]) for plane in noise]
    assert labels.dtype == np.int32
    assert counts.tolist() == [count for _, count in expected]
    assert np.array_equal(labels, np.concatenate([plane.ravel() for plane, _ in expected]))


@pytest.mark.parametrize("connectivity", [4, 8])
def test_labels_of_a_spiral_and_a_comb_join_late(connectivity):
    comb = np.zeros((6, 11), bool)
    comb[:, ::2] = True
    comb[-1] = True
    spiral = (
        np.array([[1, 1, 1, 1, 1], [0, 0, 0, 0, 1], [1, 1, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]]) > 0
    )
    labels, counts = label_components(*flat([comb, spiral]), connectivity)
    assert counts.tolist() == [1, 1]
    assert set(labels.tolist()) == {0, 1}


def test_no_object_has_no_labels():
    nothing = np.zeros(0, np.int32)
    labels, counts = label_components(np.zeros(0, bool), np.zeros(1, np.int64), nothing, nothing, 4)
    assert labels.shape == counts.shape == (0,)


def test_another_connectivity_is_refused():
    with pytest.raises(ValueError, match="expected 4 or 8, found 6"):
        label_components(*flat([np.ones((2, 2), bool)]), 6)


def slow(image, inside):
    """Count, smallest area, smallest distance, smallest and largest mean of 4-connected spots."""
    labels, count = ndimage.label(inside)
    ids = range(1, count + 1)
    areas = [(labels == k).sum() for k in ids]
    centres = [np.argwhere(labels == k).mean(axis=0) for k in ids]
    means = [image[labels == k].mean() for k in ids]
    apart = [np.linalg.norm(a - b) for i, a in enumerate(centres) for b in centres[:i]]
    return count, min(areas), min(apart, default=0.0), min(means), max(means)


def check(work, mask, channel, pairs):
    got = [
        value(work, "Spot Count", mask),
        value(work, "Spot Area Min", mask) / 0.25,
        value(work, "Spot Distance Min", mask) / 0.5,
        value(work, "Spot Intensity Min", mask, channel),
        value(work, "Spot Intensity Max", mask, channel),
    ]
    for i, (image, inside) in enumerate(pairs):
        row = [column[i] for column in got]
        if inside.any():
            assert row == pytest.approx(slow(image, inside), rel=1e-12)
        else:
            assert row[0] == 0
            assert np.isnan(row[1:]).all()


@pytest.mark.parametrize(("mask", "channel"), [("M01", 0), ("M03", 2), ("M05", 4)])
def test_real_spots_are_those_of_the_slow_twin(real_work, objects, mask, channel):
    check(real_work, mask, channel, objects(real_work, mask, channel))


def test_odd_spots_are_those_of_the_slow_twin(odd_work, objects):
    check(odd_work, "M01", 1, objects(odd_work, "M01", 1))


@pytest.mark.parametrize("dtype", [np.int16, np.float64])
def test_many_spots_are_those_of_the_slow_twin(make_work, objects, noise, rng, dtype):
    pairs = [(rng.normal(0, 200, (1, *plane.shape)).astype(dtype), plane[None]) for plane in noise]
    work = make_work(pairs)
    check(work, "M01", 0, objects(work, "M01", 0))


def test_the_nearest_of_very_many_spots_is_found_soon(make_work, rng):
    mask = np.indices((700, 600)).sum(axis=0) % 2
    work = make_work([(np.zeros((1, 700, 600), np.int16), mask[None])])
    assert value(work, "Spot Distance Min", "M01")[0] == pytest.approx(0.5 * np.sqrt(2))
    sparse = rng.random((400, 300)) < 0.002
    work = make_work([(np.zeros((1, 400, 300), np.int16), sparse[None])])
    labels, count = ndimage.label(sparse)
    centres = np.array(ndimage.center_of_mass(sparse, labels, range(1, count + 1)))
    expected = cKDTree(centres).query(centres, k=2)[0][:, 1].min() / 2
    assert value(work, "Spot Distance Min", "M01")[0] == pytest.approx(expected)


def test_the_distance_of_two_spots_by_hand(make_work):
    mask = np.zeros((1, 6, 9), np.uint8)
    mask[0, 1, 1] = 1
    mask[0, 4, 4:7] = 1
    work = make_work([(np.ones((1, 6, 9), np.int16), mask)])
    assert value(work, "Spot Distance Min", "M01")[0] == 2.5
    assert value(work, "Spot Area Min", "M01")[0] == 0.25


def test_pixels_that_share_a_corner_are_two_spots_unless_8_is_asked(odd_work):
    assert spots.spot_count(odd_work, "M01")[4] == 7
    assert spots.spot_count(odd_work, "M01", 8)[4] == 1


def test_spots_do_not_change_when_the_image_turns(make_work, noise, rng):
    pairs = [(rng.integers(0, 99, (1, *plane.shape)), plane[None]) for plane in noise if plane.any()]
    turned = [(np.rot90(image, axes=(1, 2)), np.rot90(mask, axes=(1, 2))) for image, mask in pairs]
    one, other = make_work(pairs), make_work(turned)
    for name in SPECS:
        arguments = ("M01", 0) if "Intensity" in name else ("M01",)
        assert value(one, name, *arguments) == pytest.approx(value(other, name, *arguments), rel=1e-9)


def test_what_ideas_stored_for_single_spots(shared_data):
    """The identities that define the features, on real output (``ideas_features`` 7)."""
    document = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    stored = SimpleNamespace(
        **{
            key: document.feature(name)
            for key, name in {
                "count": "Spot Count_M04",
                "smallest": "Spot Area Min_M04",
                "area": "Area_M04",
                "distance": "Spot Distance Min_M04",
                "low": "Spot Intensity Min_M04_BF",
                "high": "Spot Intensity Max_M04_BF",
                "mean": "Raw Mean Pixel_M04_BF",
            }.items()
        }
    )
    single = stored.count == 1
    assert single.sum() == 417
    assert np.array_equal(stored.smallest[single], stored.area[single])
    assert (stored.distance[single] == 0).all()
    assert (stored.distance[~single] > 0).all()
    for means in (stored.low, stored.high):
        assert means[single] == pytest.approx(stored.mean[single], rel=1e-15)


def test_a_connectivity_of_eight_joins_corners(make_work):
    mask = np.eye(6, dtype=np.uint8)
    work = make_work([(np.zeros((1, 6, 6), np.int16), mask[None])])
    assert [value(work, "Spot Count", "M01", n)[0] for n in (4, 8)] == [6, 1]
