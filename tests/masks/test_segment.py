"""The fallback segmentation against real masks, and its loops against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.masks.segment import SegmentRule, background, contrast_mask, default_mask, smoothed


def mean_overlap(work, unpack, channel):
    """Mean intersection over union with the stored masks that are not empty."""
    ours, stored = (
        unpack(work, flat) for flat in (default_mask(work, channel), work.mask(f"M{channel + 1:02d}"))
    )
    values = [(a & b).sum() / (a | b).sum() for a, b in zip(ours, stored, strict=True) if b.any()]
    assert len(values) > 90
    return np.mean(values)


@pytest.mark.parametrize(("channel", "known"), [(0, 0.925), (2, 0.88), (3, 0.91), (4, 0.94)])
def test_masks_are_like_those_of_ideas(real_work, unpack, channel, known):
    """The figures of ideas_features 1.5, which have two decimals but for the first."""
    assert mean_overlap(real_work, unpack, channel) > known - 0.005 + (channel == 4) * 0.005


def test_masks_have_one_component_without_holes(real_work, unpack):
    for channel in (0, 3, 4):
        planes = unpack(real_work, default_mask(real_work, channel))
        assert {ndimage.label(plane)[1] for plane in planes} == {1}
        if channel != 4:
            assert all(np.array_equal(ndimage.binary_fill_holes(plane), plane) for plane in planes)


@pytest.mark.parametrize("sigma", [0.0, 0.4, 1.3, 5.0])
@pytest.mark.parametrize("name", ["real_work", "odd_work"])
def test_smoothing_is_a_gaussian_filter(request, unpack, name, sigma):
    work = request.getfixturevalue(name)
    mean, _ = background(work, 0)
    ours = unpack(work, smoothed(work, 0, sigma))
    for number, plane in enumerate(unpack(work, work.image(0))):
        less = plane - mean[number]
        expected = ndimage.gaussian_filter(less, sigma, mode="nearest") if sigma else less
        assert np.allclose(ours[number], expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("name", ["real_work", "odd_work"])
def test_contrast_is_the_local_standard_deviation(request, unpack, name):
    work = request.getfixturevalue(name)
    _, sd = background(work, 1)
    ours = unpack(work, contrast_mask(work, 1, 1.5))
    for number, plane in enumerate(unpack(work, work.image(1))):
        local = ndimage.generic_filter(plane.astype(float), np.std, 3, mode="nearest")
        kept = ndimage.binary_fill_holes(local > 1.5 * sd[number] + 1e-9)
        labels, count = ndimage.label(kept)
        areas = ndimage.sum_labels(kept, labels, np.arange(1, count + 1))
        expected = labels == 1 + np.argmax(areas) if count else kept
        assert np.array_equal(ours[number], expected)


def disc(radius, size=40):
    row, column = np.indices((size, size)) - size / 2
    return row**2 + column**2 <= radius**2


def test_a_bright_disc_is_found_and_a_small_spot_left_out(make_work):
    image = np.where(disc(9), 500, 20).astype(np.int16)
    image[2:4, 2:4] = 400
    image[20, 20] = 20
    facts = [{"background_mean": np.array([20.0]), "background_sd": np.array([2.0])}]
    work = make_work([(image[None], np.zeros((1, 40, 40)))], facts=facts)
    mask = default_mask(work, 0).reshape(40, 40)
    assert mask[20, 20]
    assert not mask[2:4, 2:4].any()
    assert (mask & disc(9)).sum() == disc(9).sum()
    assert (mask & ~disc(12)).sum() == 0


def test_brightfield_is_told_by_the_channel(make_work, rng):
    ring = disc(11) & ~disc(9)
    image = (200 - 60 * ring + rng.normal(0, 1, ring.shape)).astype(np.int16)
    pair = [(image[None], np.zeros((1, 40, 40)))]
    inside = default_mask(make_work(pair, brightfield=(0,)), 0).reshape(40, 40)
    assert inside[disc(11)].all()
    assert inside.sum() < disc(13).sum()
    assert not default_mask(make_work(pair), 0).reshape(40, 40)[disc(8)].any(), "dark is not fluorescence"


def test_the_rule_counts_in_micrometres(make_work):
    image = np.where(disc(9), 500, 20).astype(np.int16)
    pair = [(image[None], np.zeros((1, 40, 40)))]
    fine, coarse = (
        default_mask(make_work(pair, pixel_size_um=size), 0, rule=SegmentRule(smoothing_um=1.0))
        for size in (0.3, 1.0)
    )
    assert fine.sum() > coarse.sum()


@pytest.mark.parametrize("name", ["odd_work", "broken_work", "no_work"])
@pytest.mark.parametrize("channel", [0, 1])
def test_degenerate_images_have_a_mask(request, unpack, name, channel):
    work = request.getfixturevalue(name)
    mask = default_mask(work, channel)
    assert mask.shape == work.image(channel).shape
    assert mask.dtype == bool
    for image, plane in zip(unpack(work, work.image(channel)), unpack(work, mask), strict=True):
        if (image == image.flat[0]).all() or not np.isfinite(image).any():
            assert not plane.any(), "nothing stands out"
        assert ndimage.label(plane)[1] <= 1
