"""Masks of details and parts: against scipy, by hand, by symmetry."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.features.registry import feature_spec
from ifcyto.features.workspace import Workspace, evaluate
from ifcyto.masks import pieces
from ifcyto.masks.planewise import disc as disc_of
from ifcyto.masks.segment import background


def one(make_work, image, mask=None, background_mean=0.0, background_sd=1.0):
    """Workspace of one object, its mask, and the object's shape."""
    mask = np.ones(image.shape) if mask is None else mask
    facts = {"background_mean": np.array([background_mean]), "background_sd": np.array([background_sd])}
    work = make_work([(image[None], mask[None])], facts=[facts])
    return work, work.mask("M01"), image.shape


def hill(shape, *tops):
    """Sum of Gaussians (row, column, height, sigma)."""
    row, column = np.indices(shape)
    return sum(h * np.exp(-((row - r) ** 2 + (column - c) ** 2) / (2 * s**2)) for r, c, h, s in tops)


@pytest.mark.parametrize("name", ["real_work", "odd_work"])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("ratio", "radius", "minimum"), [(0.3, 2, 0), (0.1, 4, 1)])
def test_spot_is_a_thresholded_top_hat(request, unpack, name, dark, ratio, radius, minimum):
    work = request.getfixturevalue(name)
    start = work.mask("M01")
    mean, sd = background(work, 0)
    row, column = np.indices((2 * radius + 1, 2 * radius + 1)) - radius
    footprint = row**2 + column**2 <= radius**2
    ours = unpack(work, pieces.spot(work, start, 0, dark, ratio, radius, minimum))
    rows = zip(unpack(work, work.image(0)), unpack(work, start), ours, mean, sd, strict=True)
    for image, inside, mask, b, s in rows:
        if not inside.any():
            assert not mask.any()
            continue
        # Beyond the image, the values of its window alone count: infinite margins are never taken.
        first, second = (ndimage.maximum_filter, ndimage.minimum_filter)[:: 1 if dark else -1]
        low, high = (-np.inf, np.inf) if dark else (np.inf, -np.inf)
        pixels = image.astype(float)
        opened = second(
            first(pixels, footprint=footprint, mode="constant", cval=low),
            footprint=footprint,
            mode="constant",
            cval=high,
        )
        detail = np.abs(pixels - opened)
        level = ratio * max(opened[inside].mean() - b, s)
        expected = inside & (detail > 0) & (detail >= level)
        if minimum:
            labels, _ = ndimage.label(expected)
            core = ndimage.binary_erosion(expected)
            expected &= np.isin(labels, labels[core])
        assert np.array_equal(mask, expected)


def test_spots_have_the_right_size_and_contrast(make_work):
    image = np.full((30, 30), 100, np.int16)
    image[4:7, 4:7] = 200
    image[20, 20] = 200
    image[10:18, 16:24] = 200
    image[25, 5] = 110
    work, start, shape = one(make_work, image)
    small = pieces.spot(work, start, 0, False, 0.5, 2).reshape(shape)
    assert np.array_equal(small[:9, :9], image[:9, :9] > 150)
    assert small[20, 20]
    assert not small[12:16, 18:22].any(), "a large spot is background but for its corners"
    assert not small[25, 5], "too dim"
    wide = pieces.spot(work, start, 0, False, 0.5, 2, 1).reshape(shape)
    assert wide[5, 5]
    assert not wide[20, 20], "thinner than three pixels"
    assert not pieces.spot(work, start, 0, False, 0.5, 0).any()
    assert np.array_equal(
        pieces.spot(work, start, 0, False, 0.5, 2), pieces.spot(work, start, 0, False, 0.5, 2, None)
    )


def test_dark_spots_are_bright_spots_upside_down(make_work, rng):
    image = rng.integers(300, 400, (20, 20)).astype(np.int16)
    image[5:7, 5:8] = 20
    work, start, shape = one(make_work, image)
    dark = pieces.spot(work, start, 0, True, 0.5, 3).reshape(shape)
    assert np.array_equal(dark, image == 20)
    assert not pieces.spot(work, start, 0, False, 0.5, 3).any()


def two_hills(gap=12, second=600):
    image = hill((30, 40), (15, 20 - gap / 2, 800, 3.0), (15, 20 + gap / 2, second, 3.0)) + 50
    return image.astype(np.int16)


def test_peaks_are_one_region_each(make_work):
    image = two_hills()
    mask = (image > 60).astype(np.uint8)
    work, start, shape = one(make_work, image, mask, background_mean=20)
    level = np.median(image[mask > 0]) - 20
    for ratio, tops in ((1, 2), (1 + 100 / level, 2), (1 + 555 / level, 1), (1 + 2000 / level, 0)):
        peaks = pieces.peak(work, start, 0, False, ratio).reshape(shape)
        assert ndimage.label(peaks)[1] == tops, ratio
        assert not (peaks & (mask == 0)).any()
    both = pieces.peak(work, start, 0, False, 1 + 100 / level).reshape(shape)
    assert both[15, 14]
    assert both[15, 26]


def test_dark_peaks_are_minima(make_work):
    image = 900 - two_hills()
    work, start, shape = one(make_work, image.astype(np.int16))
    peaks = pieces.peak(work, start, 0, True, 1.1).reshape(shape)
    assert ndimage.label(peaks)[1] == 2
    assert peaks[15, 14]
    assert peaks[15, 26]


def test_a_flat_object_has_no_peak(make_work):
    work, start, _ = one(make_work, np.full((9, 9), 40, np.int16))
    assert not pieces.peak(work, start, 0, False, 1.0).any()


@pytest.mark.parametrize("turn", [0, 1])
def test_valley_is_a_band_between_two_nuclei(make_work, turn):
    image = np.rot90(two_hills(second=790), turn)
    work, start, shape = one(make_work, image, image > 60)
    inside = start.reshape(shape)
    for width in (1, 2, 5):
        band = np.rot90(pieces.valley(work, start, 0, width).reshape(shape), -turn)
        columns = np.flatnonzero(band.any(axis=0))
        assert len(columns) == width
        assert abs(columns.mean() - 20) <= 1
        rotated = np.rot90(inside, -turn)
        assert np.array_equal(band[:, columns], rotated[:, columns])


def test_valley_goes_through_the_feature(real_work, unpack):
    start = real_work.mask("M01")
    own = Workspace(real_work.planes, lambda name: start)
    x, y = (evaluate(own, feature_spec(f"Valley {axis}"), ("M01", 0)) for axis in "XY")
    bands, insides = (unpack(real_work, flat) for flat in (pieces.valley(real_work, start, 0, 3), start))
    hit = 0
    for band, inside, column, row in zip(bands, insides, x, y, strict=True):
        if np.isfinite(column) and inside[int(row), int(column)]:
            hit += 1
            assert band[int(row), int(column)]
            assert band.sum() < inside.sum()
    assert hit > 50


def test_watershed_cuts_between_hills(make_work):
    image = two_hills()
    work, start, shape = one(make_work, image, image > 60)
    inside = start.reshape(shape)
    assert ndimage.label(inside)[1] == 1
    cut = {line: pieces.watershed(work, start, 0, True, False, 0, line).reshape(shape) for line in (1, 2, 5)}
    for line, mask in cut.items():
        assert ndimage.label(mask)[1] == 2
        missing = np.flatnonzero((inside & ~mask)[15])
        assert len(missing) == line
        assert abs(missing.mean() - 20.5) < 2


def test_watershed_of_the_distance_needs_no_image(make_work):
    row, column = np.indices((30, 44))
    mask = ((row - 15) ** 2 + (column - 14) ** 2 < 100) | ((row - 15) ** 2 + (column - 30) ** 2 < 100)
    work, start, shape = one(make_work, np.zeros(mask.shape, np.int16), mask)
    cut = pieces.watershed(work, start, None, False, False, 4, 1).reshape(shape)
    assert ndimage.label(cut)[1] == 2
    assert np.flatnonzero((mask & ~cut)[15]).tolist() == [22]
    assert np.array_equal(cut, pieces.watershed(work, start, 0, False, False, 4, 1).reshape(shape))


def test_inverted_watershed_cuts_along_the_crest(make_work):
    image = (800 - two_hills(second=800)).astype(np.int16)
    work, start, shape = one(make_work, image)
    mask = pieces.watershed(work, start, 0, True, True, 2, 1).reshape(shape)
    assert ndimage.label(mask)[1] == 2
    assert not mask[15, 20]


def test_one_hill_is_not_cut(make_work):
    image = hill((20, 20), (9, 10, 500, 3)).astype(np.int16)
    work, start, _ = one(make_work, image)
    assert np.array_equal(pieces.watershed(work, start, 0, True, False, 2, 3), start)


def test_thin_skeleton_of_a_bar_is_its_middle_line(make_work):
    mask = np.zeros((11, 31), bool)
    mask[3:8, 3:28] = True
    work, start, shape = one(make_work, np.zeros(mask.shape, np.int16), mask)
    thin = pieces.skeleton(work, start, 0, False).reshape(shape)
    assert 19 <= thin[5].sum() <= 25
    assert thin.sum() - thin[5].sum() <= 2, "the ends may turn aside"
    thick = pieces.skeleton(work, start, 0, True).reshape(shape)
    assert np.array_equal(thick, ndimage.binary_dilation(thin) & mask), "no ridge: the thin one, grown"


def test_thick_skeleton_follows_the_bright_ridge(make_work):
    row = np.indices((21, 31))[0]
    image = (400 * np.exp(-((row - 6) ** 2) / 8.0)).astype(np.int16)
    work, start, shape = one(make_work, image)
    thick = pieces.skeleton(work, start, 0, True).reshape(shape)
    assert np.flatnonzero(thick[:, 15]).tolist() == [5, 6, 7]


def test_skeletons_of_real_masks_are_one_pixel_thin(real_work, unpack):
    start = real_work.mask("M05")
    thin, thick = (pieces.skeleton(real_work, start, 0, thick) for thick in (False, True))
    assert not (thick & ~start).any()
    for plane in unpack(real_work, thin):
        blocks = plane[1:, 1:] & plane[1:, :-1] & plane[:-1, 1:] & plane[:-1, :-1]
        assert 0 < plane.sum() < 120
        assert blocks.sum() <= 1


@pytest.mark.parametrize("diameter", [1, 2, 3, 4, 20])
def test_the_disc_is_as_wide_as_asked(diameter):
    disc = disc_of(diameter)
    assert disc.shape == (diameter, diameter)
    assert disc.any(axis=0).all()
    assert np.array_equal(disc, disc.T[::-1])


FUNCTIONS = {
    "spot": (pieces.spot, False, 0.5, 2, 1),
    "dark spot": (pieces.spot, True, 0.0, 3, 0),
    "peak": (pieces.peak, False, 1.2),
    "dark peak": (pieces.peak, True, 1.0),
    "valley": (pieces.valley, 3),
    "watershed": (pieces.watershed, True, False, 1, 1),
    "inverted watershed": (pieces.watershed, True, True, 0, 4),
    "distance watershed": (pieces.watershed, False, False, 2, 2),
    "inverted distance watershed": (pieces.watershed, False, True, 0, 1),
    "thin": (pieces.skeleton, False),
    "thick": (pieces.skeleton, True),
}


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize("name", ["odd_work", "broken_work", "no_work"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_degenerate_objects_have_a_mask(request, function, name, channel):
    work = request.getfixturevalue(name)
    start = work.mask("M01")
    before = start.copy()
    call, *arguments = FUNCTIONS[function]
    mask = call(work, start, channel, *arguments)
    assert mask.shape == start.shape
    assert mask.dtype == bool
    assert np.array_equal(start, before), "the starting mask is not written to"
    assert not (mask & ~start).any()
