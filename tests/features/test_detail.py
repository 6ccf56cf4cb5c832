"""The bright detail image against scipy's morphology."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.features.detail import bright_detail


def disc(radius):
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return x**2 + y**2 <= radius**2


def twin(image, radius):
    """Image less opening; only pixels inside the image count."""
    options = {"footprint": disc(radius), "mode": "constant"}
    eroded = ndimage.grey_erosion(image, cval=np.inf, **options)
    return image - ndimage.grey_dilation(eroded, cval=-np.inf, **options)


def compare(work, planes, channel, radius):
    found = bright_detail(work, channel, radius)
    assert found.dtype == work.image(channel).dtype
    for i, image in enumerate(planes):
        part = found[work.planes.starts[i] : work.planes.starts[i + 1]].reshape(image.shape)
        assert np.array_equal(part, twin(image, radius))


@pytest.mark.parametrize("radius", [3, 7])
def test_real_images_agree_with_scipy(real_work, objects, radius):
    for channel in (0, 4):
        compare(real_work, [image for image, _ in objects(real_work, "M01", channel)], channel, radius)


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 5, 7, 12])
def test_odd_images_agree_with_scipy(odd_work, objects, radius):
    compare(odd_work, [image for image, _ in objects(odd_work, "M01")], 0, radius)


def test_float_images_of_all_shapes_agree_with_scipy(make_work, rng):
    shapes = ((1, 1), (1, 9), (9, 1), (2, 30), (30, 2), (21, 33))
    planes = [rng.normal(size=shape) for shape in shapes]
    work = make_work([(plane[None], np.ones((1, *plane.shape))) for plane in planes])
    for radius in (1, 3, 7):
        compare(work, planes, 0, radius)


def test_a_bright_point_is_detail_and_a_large_bright_shape_is_not(make_work):
    image = np.full((25, 25), 100, np.int16)
    large = ndimage.binary_dilation(np.pad(disc(4), 8), disc(3))
    image[large] = 500
    image[22, 22] = 130
    detail = bright_detail(make_work([(image[None], np.ones((1, 25, 25)))]), 0, 3).reshape(25, 25)
    assert detail[22, 22] == 30
    assert detail.sum() == 30


def test_a_pixel_that_is_not_a_number_counts_as_outside(make_work):
    image = np.full((9, 9), 5.0)
    image[4, 4] = np.nan
    detail = bright_detail(make_work([(image[None], np.ones((1, 9, 9)))]), 0, 3).reshape(9, 9)
    assert np.isnan(detail[4, 4])
    assert np.nansum(detail) == 0


def test_an_offset_changes_nothing_and_a_quarter_turn_turns_the_detail(make_work, rng):
    image = rng.integers(0, 900, size=(20, 27)).astype(np.int16)
    pairs = [(each[None], np.ones((1, *each.shape))) for each in (image, image + 70, np.rot90(image))]
    flat = bright_detail(make_work(pairs), 0, 3).reshape(3, -1)
    assert np.array_equal(flat[0], flat[1])
    assert np.array_equal(np.rot90(flat[0].reshape(20, 27)), flat[2].reshape(27, 20))


def test_a_negative_radius_is_refused(odd_work):
    with pytest.raises(ValueError, match="radius of 0 or more, found -1"):
        bright_detail(odd_work, 0, -1)
