"""Masks by brightness, against plain numpy, by hand and by what is known of IDEAS' masks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.masks import intensity
from ifcyto.masks.segment import background, default_mask, smoothed

WORKS = ("real_work", "odd_work")


def one(make_work, image, mask=None, **more):
    image = np.atleast_2d(image)
    mask = np.ones(image.shape) if mask is None else np.atleast_2d(mask)
    work = make_work([(image[None], mask[None])], **more)
    return work, work.mask("M01")


@pytest.mark.parametrize("name", WORKS)
@pytest.mark.parametrize("percent", [0, 30, 77.7, 100])
def test_threshold_keeps_the_brightest(request, unpack, name, percent):
    work = request.getfixturevalue(name)
    start = work.mask("M01")
    ours = unpack(work, intensity.threshold(work, start, 0, percent))
    for image, inside, mask in zip(unpack(work, work.image(0)), unpack(work, start), ours, strict=True):
        pixels = image[inside].astype(float)
        if not inside.any():
            assert not mask.any()
            continue
        level = pixels.max() - percent * (pixels.max() - pixels.min()) / 100
        assert np.array_equal(mask, inside & (image > level + 1e-9))


def test_threshold_at_its_ends(real_work, unpack):
    start = real_work.mask("M01")
    assert not intensity.threshold(real_work, start, 0, 0).any()
    images, inside = unpack(real_work, real_work.image(0)), unpack(real_work, start)
    for image, here, mask in zip(
        images, inside, unpack(real_work, intensity.threshold(real_work, start, 0, 100)), strict=True
    ):
        assert np.array_equal(mask, here & (image > image[here].min()))


def test_threshold_is_exact_for_whole_numbers(make_work):
    work, start = one(make_work, np.arange(0, 101, dtype=np.int16))
    for percent in range(0, 101, 10):
        assert intensity.threshold(work, start, 0, percent).sum() == percent


def test_threshold_grows_with_percent_and_ignores_offset(make_work, rng):
    image = rng.integers(-50, 800, (20, 20)).astype(np.int16)
    work, start = one(make_work, image)
    moved, _ = one(make_work, image + 123)
    masks = [intensity.threshold(work, start, 0, p) for p in (10, 40, 90)]
    assert not (masks[0] & ~masks[1]).any()
    assert not (masks[1] & ~masks[2]).any()
    assert np.array_equal(masks[1], intensity.threshold(moved, start, 0, 40))


def test_intensity_includes_its_limits(make_work):
    work, start = one(make_work, np.array([-5, 0, 3, 4, 5, 900], np.int16), np.array([1, 1, 1, 1, 0, 1]))
    assert np.flatnonzero(intensity.intensity(work, start, 0, 0, 4)).tolist() == [1, 2, 3]
    assert np.flatnonzero(intensity.intensity(work, start, 0, 4, 4095)).tolist() == [3, 5]
    work, start = one(make_work, np.array([np.nan, np.inf, 2.0]))
    assert np.flatnonzero(intensity.intensity(work, start, 0, 0, np.inf)).tolist() == [2]


def peeled(weights, inside, left):
    """Slow twin of adaptive erosion."""
    inside = inside.copy()
    while inside.sum() > left:
        edge = inside & ~ndimage.binary_erosion(inside)
        at = np.flatnonzero(edge)
        inside.flat[at[np.argmin(weights.flat[at])]] = False
    return inside


@pytest.mark.parametrize("name", WORKS)
@pytest.mark.parametrize("coefficient", [0, 63, 100])
def test_adaptive_erosion_takes_dim_boundary_pixels_first(request, unpack, name, coefficient):
    work = request.getfixturevalue(name)
    start = work.mask("M01")
    ours = unpack(work, intensity.adaptive_erode(work, start, 0, coefficient))
    mean, _ = background(work, 0)
    for number, (image, inside) in enumerate(
        zip(unpack(work, work.image(0)), unpack(work, start), strict=True)
    ):
        left = int(np.ceil(coefficient * inside.sum() / 100))
        assert ours[number].sum() == left
        if number < 15:
            assert np.array_equal(ours[number], peeled(np.abs(image - mean[number]), inside, left))


def test_adaptive_erosion_keeps_the_bright_side(make_work):
    image = np.tile(np.arange(10, 90, 10), (5, 1)).astype(np.int16)
    work, start = one(make_work, image, facts=[{"background_mean": np.zeros(1)}])
    assert intensity.adaptive_erode(work, start, 0, 50).reshape(5, 8)[:, 4:].all()


def otsu(values, bins=256):
    """Slow twin: above the bin edge that maximises the variance between two classes."""
    edges = np.linspace(values.min(), values.max(), bins + 1)
    place = np.minimum(((values - values.min()) * (bins / np.ptp(values))).astype(int), bins - 1)
    assert len(edges) == bins + 1
    best, cut = -1.0, 0
    for k in range(bins - 1):
        low, high = place[place <= k], place[place > k]
        if len(low) and len(high):
            spread = len(low) * len(high) * (low.mean() - high.mean()) ** 2
            if spread > best * (1 + 1e-12):
                best, cut = spread, k
    return place > cut


@pytest.mark.parametrize("channel", [0, 3, 4])
def test_morphology_is_a_threshold_of_the_logarithm(real_work, unpack, channel):
    start = real_work.mask(f"M{channel + 1:02d}")
    mean, sd = background(real_work, channel)
    ours = unpack(real_work, intensity.morphology(real_work, start, channel))
    images = unpack(real_work, real_work.image(channel))
    for number, inside in enumerate(unpack(real_work, start)[:25]):
        if not inside.any():
            assert not ours[number].any()
            continue
        less = images[number][inside] - mean[number]
        less = np.abs(less) if channel == 4 else less
        kept = np.zeros_like(inside)
        kept[inside] = otsu(np.log(np.maximum(less, sd[number])))
        assert np.array_equal(ours[number], ndimage.binary_fill_holes(kept) & inside)


def test_morphology_has_the_size_and_brightness_of_that_of_ideas(real_work, unpack):
    """420 real cells: area 0.42, 0.61, 0.72 of M01 (5 %, median, 95 %); mean pixel 1.41 times M01's."""
    ratios, brighter = [], []
    for channel in (0, 2, 3):
        start = real_work.mask(f"M{channel + 1:02d}")
        mean, _ = background(real_work, channel)
        masks = unpack(real_work, intensity.morphology(real_work, start, channel))
        images, insides = unpack(real_work, real_work.image(channel)), unpack(real_work, start)
        rows = [row for row in zip(images, insides, masks, mean, strict=True) if row[1].any()]
        ratios.append([mask.sum() / inside.sum() for _, inside, mask, _ in rows])
        brighter.append([(i[m].mean() - b) / (i[s].mean() - b) for i, s, m, b in rows])
    low, median, high = np.quantile(np.concatenate(ratios), [0.05, 0.5, 0.95])
    assert low == pytest.approx(0.42, abs=0.06)
    assert median == pytest.approx(0.61, abs=0.06)
    assert high == pytest.approx(0.72, abs=0.06)
    assert np.median(np.concatenate(brighter)) == pytest.approx(1.41, abs=0.06)


def test_morphology_does_not_depend_on_gain_and_offset(make_work, rng):
    image = rng.gamma(2, 60, (25, 25)).astype(np.int16)
    plain = {"background_mean": np.array([10.0]), "background_sd": np.array([2.0])}
    other = {"background_mean": np.array([130.0]), "background_sd": np.array([6.0])}
    work, start = one(make_work, image, facts=[plain])
    scaled, _ = one(make_work, 3 * image + 100, facts=[other])
    assert np.array_equal(intensity.morphology(work, start, 0), intensity.morphology(scaled, start, 0))


def square(size=24, low=20, high=300):
    image = np.full((size, size), low, np.int16)
    image[6:18, 6:18] = high
    return image


def test_inspire_is_a_global_threshold_with_holes_filled(make_work):
    image = square()
    image[10, 10] = 20
    start = np.zeros(image.shape)
    start[0, 0] = 1
    work, start = one(make_work, image, start)
    assert np.array_equal(intensity.inspire(work, start, 0).reshape(24, 24), square() > 20)
    assert not intensity.inspire(work, np.zeros_like(start), 0).any()


def test_tight_lies_one_pixel_within_the_object(make_work, rng, real_work):
    image = square() + rng.integers(-1, 2, (24, 24)).astype(np.int16)
    work, start = one(make_work, image)
    loose, tight = (intensity.object_mask(work, start, 0, tight).reshape(24, 24) for tight in (False, True))
    assert np.array_equal(loose, np.pad(np.ones((14, 14), bool), 5))
    assert np.array_equal(tight, np.pad(np.ones((12, 12), bool), 6))
    start = real_work.mask("M05")
    loose, tight = (intensity.object_mask(real_work, start, 4, tight) for tight in (False, True))
    assert 0.6 * start.sum() < tight.sum() < loose.sum() < start.sum()


def test_system_is_the_fallback_with_another_sensitivity(real_work):
    for channel in (0, 4):
        start = real_work.mask(f"M{channel + 1:02d}")
        ours = [intensity.system(real_work, start, channel, weight) for weight in (2, 5, 20)]
        assert np.array_equal(ours[1], default_mask(real_work, channel))
        assert ours[0].sum() > ours[1].sum() > ours[2].sum() > 0
    assert not intensity.system(real_work, np.zeros_like(start), 0, 5).any()


def test_level_set_splits_three_steps(make_work):
    image = np.repeat([10, 100, 400], 5)[None].repeat(6, 0).astype(np.int16)
    work, start = one(make_work, image)
    contours, dim, middle, bright = (
        intensity.level_set(work, start, 0, kind, 0).reshape(6, 15) for kind in (1, 2, 3, 4)
    )
    assert np.array_equal(dim, image == 10)
    assert np.array_equal(middle, image == 100)
    assert np.array_equal(bright, image == 400)
    assert np.flatnonzero(contours[0]).tolist() == [5, 10]
    work, start = one(make_work, np.array([5, 5, 9, 9], np.int16))
    assert [intensity.level_set(work, start, 0, kind, 0).sum() for kind in (2, 3, 4)] == [2, 0, 2]


@pytest.mark.parametrize("scale", [0, 3])
def test_level_set_zones_are_otsus_classes(real_work, unpack, scale):
    """Against every pair of cuts of the same 64 bins, by the variance within the classes."""
    start = real_work.mask("M01")
    zones = [intensity.level_set(real_work, start, 0, kind, scale) for kind in (2, 3, 4)]
    assert np.array_equal(np.sum(zones, axis=0), start)
    smooth = unpack(real_work, smoothed(real_work, 0, scale / 2))
    for number, inside in enumerate(unpack(real_work, start)[:4]):
        values = smooth[number][inside]
        place = np.minimum(((values - values.min()) * (64 / np.ptp(values))).astype(int), 63)

        def within(*classes, place=place):
            return sum(len(c) * place[c].var() for c in classes if len(c))

        ours = within(*(np.flatnonzero(unpack(real_work, zone)[number][inside]) for zone in zones))
        best = min(
            within(*(np.flatnonzero(c) for c in (place < a, (place >= a) & (place < b), place >= b)))
            for a in range(1, 63)
            for b in range(a + 1, 64)
        )
        assert ours == pytest.approx(best)


def test_pixels_too_far_apart_for_their_distance_are_one_class(make_work):
    """The distance of these values is no number, and must not become the place of a bin."""
    work, start = one(
        make_work, np.array([1e308, -1e308, 0.0, 1e308]), facts=[{"background_mean": np.zeros(1)}]
    )
    assert [intensity.level_set(work, start, 0, kind, 0).sum() for kind in (2, 3, 4)] == [4, 0, 0]
    assert intensity.inspire(work, start, 0).shape == start.shape


FUNCTIONS = {
    "threshold": (intensity.threshold, 40),
    "intensity": (intensity.intensity, 0, 4095),
    "adaptive_erode": (intensity.adaptive_erode, 50),
    "morphology": (intensity.morphology,),
    "object": (intensity.object_mask, False),
    "tight object": (intensity.object_mask, True),
    "inspire": (intensity.inspire,),
    "system": (intensity.system, 3),
    "contours": (intensity.level_set, 1, 2.0),
    "bright level set": (intensity.level_set, 4, 0),
}


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize("name", ["odd_work", "broken_work", "no_work"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_degenerate_objects_have_a_mask(request, unpack, function, name, channel):
    work = request.getfixturevalue(name)
    start = work.mask("M01")
    before = start.copy()
    call, *arguments = FUNCTIONS[function]
    mask = call(work, start, channel, *arguments)
    assert mask.shape == start.shape
    assert mask.dtype == bool
    assert np.array_equal(start, before), "the starting mask is not written to"
    for plane, inside in zip(unpack(work, mask), unpack(work, start), strict=True):
        assert inside.any() or not plane.any()
    if function not in {"inspire", "system"}:
        assert not (mask & ~start).any()
    if function in {"threshold", "intensity"}:
        assert np.isfinite(work.image(channel)[mask]).all()
