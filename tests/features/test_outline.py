"""Outline features against slow twins, hand-made shapes and the values that IDEAS stored."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import euler_number

from ifcyto.features import outline
from ifcyto.features.kernels.outline import SPREAD
from ifcyto.features.workspace import evaluate
from ifcyto.readers.daf_document import read_daf

SPECS = {spec.name: spec for spec in outline.SPECS}
CORNERS = np.ones((3, 3))
ODD_NAMES = ("empty mask", "one pixel", "row", "column", "diagonal", "whole frame", "constant", "1x1")


def value(work, name, mask="M01"):
    return evaluate(work, SPECS[name], (mask,))


def pixels(work, name, mask="M01"):
    return value(work, name, mask) / 0.5


def masks_only(work, objects, mask="M01"):
    return [inside for _, inside in objects(work, mask)]


def work_of(make_work, planes):
    return make_work([(np.zeros((1, *plane.shape), np.int16), plane[None]) for plane in planes])


@pytest.fixture
def blobs(rng):
    """Rough shapes, holes, bridges and scattered parts of many sizes."""
    planes = []
    for size, sigma in ((12, 0.8), (25, 1.5), (40, 2.5), (31, 1.0)):
        for shape in ((size, size), (size, size // 2 + 3)):
            field = ndimage.gaussian_filter(rng.normal(size=shape), sigma)
            planes += [field > level * field.std() for level in (-0.5, 0.3, 1.2)]
    return planes


def slow_box(inside):
    """Long and short side of the box, whole pixels, by projecting every pixel."""
    points = np.argwhere(inside).astype(float)[:, ::-1]
    (xx, xy), (_, yy) = np.cov(points.T, ddof=0)
    low, high = np.linalg.eigvalsh([[xx, xy], [xy, yy]])
    angle = 0.0 if low >= (0.78**2) * high else np.arctan2(2 * xy, xx - yy) / 2
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return sorted(np.floor(np.ptp(points @ axes, axis=0) + 0.5), reverse=True)


def slow_sides(inside):
    return (inside[1:] != inside[:-1]).sum() + (inside[:, 1:] != inside[:, :-1]).sum()


def check_outline(work, planes, mask="M01"):
    sides, long, short = (pixels(work, name, mask) for name in ("Perimeter", "Height", "Width"))
    for i, inside in enumerate(planes):
        if not inside.any():
            assert np.isnan([sides[i], long[i], short[i]]).all()
        elif inside.sum() == 1:
            assert (long[i], short[i]) == (0, 0)
        else:
            assert sides[i] == slow_sides(inside)
            assert [long[i], short[i]] == slow_box(inside)


@pytest.mark.parametrize("mask", ["M01", "M03", "M04", "M05"])
def test_real_outlines_are_those_of_the_slow_twin(real_work, objects, mask):
    check_outline(real_work, masks_only(real_work, objects, mask), mask)


def test_odd_outlines_are_those_of_the_slow_twin(odd_work, objects):
    check_outline(odd_work, masks_only(odd_work, objects))


def test_rough_outlines_are_those_of_the_slow_twin(make_work, blobs):
    check_outline(work_of(make_work, blobs), blobs)


def test_real_convex_cells_have_the_perimeter_of_their_upright_box(real_work):
    """Perimeter - 2 (Height + Width) is 2 um for a convex shape in an upright box (IDEAS: 279 of 420)."""
    excess = value(real_work, "Perimeter", "M05") - 2 * (
        value(real_work, "Height", "M05") + value(real_work, "Width", "M05")
    )
    assert (excess == 2).mean() > 0.9


def test_sides_on_the_border_of_the_image_do_not_count(make_work):
    corner = np.zeros((8, 9), bool)
    corner[:3, 5:] = True
    assert pixels(work_of(make_work, [corner, np.ones((8, 9), bool)]), "Perimeter").tolist() == [7, 0]


def test_degenerate_masks(odd_work):
    rows = dict(zip(ODD_NAMES, np.array([pixels(odd_work, n) for n in SPECS]).T, strict=False))
    table = {name: dict(zip(SPECS, row, strict=True)) for name, row in rows.items()}
    assert np.isnan(list(table["empty mask"].values())).all()
    for name in ("one pixel", "1x1"):
        assert [table[name][key] for key in ("Height", "Width", "Length")] == [0, 0, 0]
        assert np.isnan(table[name]["Elongatedness"])
        assert np.isnan(table[name]["Shape Ratio"])
        assert table[name]["Thickness Max"] == table[name]["Thickness Min"] == 2
    for name in ("row", "column"):
        assert [table[name][key] for key in ("Height", "Width", "Length")] == [8, 0, 8]
    assert table["diagonal"]["Height"] == round(6 * 2**0.5)
    assert table["diagonal"]["Width"] == 0
    assert [table["whole frame"][key] for key in ("Height", "Width", "Thickness Max")] == [16, 13, 14]


def ellipse(half_long, half_short, degrees, size=81):
    y, x = np.mgrid[:size, :size] - size // 2
    angle = np.radians(degrees)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    return (along / half_long) ** 2 + (across / half_short) ** 2 <= 1


def test_the_box_turns_with_an_elongated_object_only(make_work):
    work = work_of(make_work, [ellipse(30, 20, 45), ellipse(30, 27, 45)])
    long, short = pixels(work, "Height"), pixels(work, "Width")
    assert abs(long[0] - 60) <= 1
    assert abs(short[0] - 40) <= 1
    assert long[1] == short[1] < 58


def arc(radius, half_width, size=81):
    y, x = np.mgrid[:size, :size] - size // 2
    return (abs(np.hypot(x, y) - radius) <= half_width) & (y <= 0)


def test_a_bent_object_is_longer_than_its_box(make_work):
    """Half a ring: the way along its middle, from pixel to pixel, is about pi times the radius."""
    work = work_of(make_work, [arc(25, 4), arc(30, 3)])
    assert pixels(work, "Length") == pytest.approx(np.pi * np.array([25, 30]), rel=0.08)
    assert (pixels(work, "Height") < pixels(work, "Length")).all()


def test_compact_objects_are_as_long_as_their_box(real_work, make_work):
    """Stored values of whole cells: Length = Height on 420 of 420."""
    for mask in ("M01", "M04", "M05"):
        assert np.array_equal(
            value(real_work, "Length", mask), value(real_work, "Height", mask), equal_nan=True
        )
    dumbbell = ellipse(14, 14, 0) | np.roll(ellipse(14, 14, 0), 24, axis=1)
    work = work_of(make_work, [dumbbell, ellipse(35, 10, 20), ellipse(20, 20, 0)])
    assert np.array_equal(value(work, "Length"), value(work, "Height"))


def test_spread_is_1_for_an_ellipse_and_more_for_a_bent_object(make_work):
    spread = outline.outline(work_of(make_work, [ellipse(30, 18, 30), arc(25, 4)]), "M01")[:, SPREAD]
    assert spread[0] == pytest.approx(1, abs=0.01)
    assert spread[1] > 2


def slow_anchors(inside):
    """Pixels whose city-block distance is the largest of the 5 x 5 around."""
    blocks = ndimage.distance_transform_cdt(np.pad(inside, 2), "taxicab")
    return ((blocks == ndimage.maximum_filter(blocks, 5)) & (blocks > 0))[2:-2, 2:-2]


def slow_distances(inside):
    return ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]


def simple(plane, y, x):
    """Whether taking the pixel away keeps the number of 8-connected parts and of holes."""
    around = np.pad(plane, 2)[y + 1 : y + 4, x + 1 : x + 4].copy()
    around[1, 1] = False
    parts = ndimage.label(around, CORNERS)[1]
    labels = ndimage.label(~around, None)[0]
    labels[1, 1] = labels[1, 1] or -1
    gaps = {labels[0, 1], labels[1, 0], labels[1, 2], labels[2, 1]} - {0}
    return parts == 1 and bool(gaps)


def check_skeleton(inside, squares):
    """What defines the skeleton: parts and holes are kept, ridges stay, nothing more can go."""
    lines = squares > 0
    assert not (lines & ~inside).any()
    distances = slow_distances(inside)
    anchors = slow_anchors(inside) | (inside & (distances == distances.max()))
    assert (lines >= anchors).all()
    assert np.array_equal(squares[lines], np.rint(distances[lines] ** 2))
    assert ndimage.label(lines, CORNERS)[1] == ndimage.label(inside, CORNERS)[1]
    assert euler_number(lines, connectivity=2) == euler_number(inside, connectivity=2)
    for y, x in np.argwhere(lines & ~anchors):
        assert not simple(lines, y, x)


def skeleton_planes(work, mask="M01"):
    flat = outline.skeleton(work, mask)
    starts, heights, widths = work.geometry
    return [flat[starts[i] : starts[i + 1]].reshape(heights[i], widths[i]) for i in range(len(work))]


def test_skeletons_keep_parts_and_holes(make_work, blobs):
    for inside, squares in zip(blobs, skeleton_planes(work_of(make_work, blobs)), strict=True):
        check_skeleton(inside, squares)


def test_odd_and_real_skeletons(odd_work, real_work, objects):
    for work, mask in ((odd_work, "M01"), (real_work, "M04")):
        for inside, squares in zip(masks_only(work, objects, mask), skeleton_planes(work, mask), strict=True):
            check_skeleton(inside, squares)


def test_thickness_is_twice_the_whole_distance(real_work, odd_work, objects):
    for work, mask in ((real_work, "M05"), (real_work, "M03"), (odd_work, "M01")):
        largest, smallest = pixels(work, "Thickness Max", mask), pixels(work, "Thickness Min", mask)
        for i, (inside, squares) in enumerate(
            zip(masks_only(work, objects, mask), skeleton_planes(work, mask), strict=True)
        ):
            if inside.any():
                distances = slow_distances(inside)
                assert largest[i] == 2 * np.floor(distances.max())
                assert smallest[i] == 2 * np.floor(distances[squares > 0].min())


def test_the_neck_of_a_dumbbell_is_its_smallest_thickness(make_work):
    dumbbell = np.zeros((41, 81), bool)
    dumbbell |= np.roll(ellipse(14, 14, 0, 81)[20:61], -20, axis=1)
    dumbbell |= np.roll(ellipse(14, 14, 0, 81)[20:61], 20, axis=1)
    dumbbell[18:23, 15:65] = True
    work = work_of(make_work, [dumbbell])
    assert pixels(work, "Thickness Min")[0] == 6
    assert pixels(work, "Thickness Max")[0] >= 28


def test_thickness_of_real_convex_cells_relates_to_width_as_stored(real_work):
    """Stored: Thickness Max = 2 floor((Width + 1) / 2) pixels in 77 %, 2 less in 19 %."""
    widths, largest = pixels(real_work, "Width", "M05"), pixels(real_work, "Thickness Max", "M05")
    near = largest - 2 * np.floor((widths + 1) / 2)
    assert (near == 0).mean() > 0.6
    assert np.isin(near, (-2, 0, 2)).mean() > 0.95
    below = largest - pixels(real_work, "Thickness Min", "M05")
    assert np.isin(below, (0, 2, 4)).mean() > 0.9


@pytest.mark.parametrize("name", list(SPECS))
def test_moving_and_turning_change_nothing(make_work, blobs, name):
    """A quarter turn may move the skeleton by a pixel, so Thickness Min and Length only stay near."""
    planes = [np.pad(plane, 3) for plane in blobs]
    moved = [np.roll(plane, (2, -1), axis=(0, 1)) for plane in planes]
    turned = [np.rot90(plane) for plane in planes]
    first = value(work_of(make_work, planes), name)
    assert np.array_equal(first, value(work_of(make_work, moved), name), equal_nan=True)
    if name in {"Perimeter", "Height", "Width", "Thickness Max", "Elongatedness"}:
        assert first == pytest.approx(value(work_of(make_work, turned), name), nan_ok=True)


def test_the_pixel_size_scales_lengths_alone(make_work):
    pairs = [(np.zeros((1, 81, 81), np.int16), ellipse(30, 20, 45)[None])]
    half, whole = make_work(pairs), make_work(pairs, pixel_size_um=1.0)
    for name, spec in SPECS.items():
        factor = 2 if spec.unit == "um" else 1
        assert value(whole, name)[0] == factor * value(half, name)[0]


def test_what_ideas_stored(shared_data):
    """The relations that define the features, on real output (``ideas_features`` 7)."""
    feature = read_daf(shared_data / "amnis" / "ut7_ideas62.daf").feature
    for mask in ("M01", "M02", "M03", "M04", "M05", "M06"):
        long, short, length = (feature(f"{name}_{mask}") for name in ("Height", "Width", "Length"))
        for values in (long, short, length):
            assert (values * 2 == np.rint(values * 2)).all()
        assert (length >= long).all()
        assert (long >= short).all()
    names = ("Height", "Width", "Length", "Thickness Max", "Thickness Min", "Perimeter")
    long, short, length, largest, smallest, sides = (feature(f"{name}_M04") for name in names)
    assert np.array_equal(feature("Elongatedness_M04"), long / short)
    assert np.array_equal(feature("Shape Ratio_M04"), smallest / length)
    assert np.array_equal(length, long)
    assert (largest == np.rint(largest)).all()
    assert (smallest <= largest).all()
    assert (sides - 2 * (long + short) == 2).sum() == 279
