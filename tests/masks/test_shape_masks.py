"""Masks from masks, against scipy, by symmetry and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.errors import UsageError
from ifcyto.features.registry import FEATURES
from ifcyto.features.workspace import Workspace, evaluate
from ifcyto.masks import shape
from ifcyto.masks.components import RANKING, component_values
from ifcyto.masks.library import COMPONENT_FEATURES

CROSS = ndimage.generate_binary_structure(2, 1)
BOX = ndimage.generate_binary_structure(2, 2)
WORKS = ("real_work", "odd_work")


def drawn(make_work, *rows: str):
    """Workspace of one object drawn with # and ., and its mask."""
    mask = np.array([[character == "#" for character in row] for row in rows])
    work = make_work([(np.zeros((1, *mask.shape), np.int16), mask[None])])
    return work, work.mask("M01")


def text(flat, width):
    return ["".join(".#"[value] for value in row) for row in flat.reshape(-1, width).astype(int)]


@pytest.mark.parametrize("name", WORKS)
@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_dilate_and_erode_alternate_cross_and_box(request, unpack, name, steps):
    work = request.getfixturevalue(name)
    start = work.mask("M01")
    elements = [BOX if step % 2 else CROSS for step in range(steps)]
    grown, shrunk = (unpack(work, f(work, start, steps)) for f in (shape.dilate, shape.erode))
    for number, plane in enumerate(unpack(work, start)):
        larger, smaller = plane, plane
        for element in elements:
            larger = ndimage.binary_dilation(larger, element)
            smaller = ndimage.binary_erosion(smaller, element)
        assert np.array_equal(grown[number], larger)
        assert np.array_equal(shrunk[number], smaller)


def test_dilate_grows_a_pixel_to_an_octagon(make_work):
    work, start = drawn(
        make_work, ".......", ".......", ".......", "...#...", ".......", ".......", "......."
    )
    assert text(shape.dilate(work, start, 2), 7)[1:4] == ["..###..", ".#####.", ".#####."]
    assert np.array_equal(shape.erode(work, shape.dilate(work, start, 3), 3), start)


def test_erode_takes_the_image_border_for_outside(make_work):
    work, start = drawn(make_work, "#####", "#####", "#####")
    assert text(shape.erode(work, start, 1), 5) == [".....", ".###.", "....."]


@pytest.mark.parametrize("name", WORKS)
def test_fill_agrees_with_scipy(request, unpack, name):
    work = request.getfixturevalue(name)
    # The darker half of the pixels has many holes.
    start = work.image(0) < np.median(work.image(0))
    for flat in (start, work.mask("M01")):
        for ours, plane in zip(unpack(work, shape.fill(work, flat)), unpack(work, flat), strict=True):
            assert np.array_equal(ours, ndimage.binary_fill_holes(plane))


def test_a_hole_that_opens_by_a_corner_is_filled(make_work):
    work, start = drawn(make_work, ".....", ".##..", ".#.#.", ".###.", ".....")
    assert text(shape.fill(work, start), 5)[2] == ".###."
    work, start = drawn(make_work, ".#.#.", ".###.")
    assert np.array_equal(shape.fill(work, start), start)


def test_interface_is_the_rim_of_the_first_at_the_second(make_work):
    work, first = drawn(make_work, "####....", "####....", "####....")
    _, second = drawn(make_work, "...#####", "...#####", "...#####")
    assert text(shape.interface(work, first, second, 1), 8) == ["...#...."] * 3
    assert text(shape.interface(work, first, second, 2), 8) == ["..##...."] * 3
    assert not shape.interface(work, first, second, 0).any()
    assert not shape.interface(work, first, first, 5).any()


THREE = ("##....#", "##.#..#", "...#..#", ".#....#")


def test_component_by_area(make_work):
    work, start = drawn(make_work, *THREE)
    first = shape.component(work, start, None, None, "Area", False, 1)
    assert text(first, 7) == ["##.....", "##.....", ".......", "......."], "4 pixels, before the other 4"
    assert text(shape.component(work, start, None, None, "Area", False, 2), 7) == ["......#"] * 4
    assert text(shape.component(work, start, None, None, "Area", True, 1), 7)[3] == ".#....."
    assert shape.component(work, start, None, None, "Area", False, 4).sum() == 1
    assert not shape.component(work, start, None, None, "Area", False, 5).any()
    assert np.array_equal(shape.largest_component(work, start), first)


def test_diagonal_neighbours_are_two_components(make_work):
    work, start = drawn(make_work, "##.", "..#")
    assert text(shape.largest_component(work, start), 3) == ["##.", "..."]


def test_components_touching(make_work):
    work, start = drawn(make_work, *THREE)
    _, core = drawn(make_work, "...####", "...####", "......#", ".......")
    assert text(shape.components_touching(work, start, core), 7) == [
        "......#",
        "...#..#",
        "...#..#",
        "......#",
    ]


def test_the_ranking_features_are_those_of_the_grammar_and_of_the_registry():
    assert tuple(name for _, name in COMPONENT_FEATURES) == RANKING
    assert set(RANKING) <= set(FEATURES)


def parts_of(work, unpack):
    """Labels and counts of a mask with several components in many objects."""
    inside = work.mask("M01")
    planes = zip(unpack(work, work.image(0)), unpack(work, inside), strict=True)
    start = inside & np.concatenate([(p > np.median(p[m] if m.any() else 0)).ravel() for p, m in planes])
    labelled = [ndimage.label(plane) for plane in unpack(work, start)]
    labels = np.concatenate([plane.ravel() for plane, _ in labelled]).astype(np.int32)
    return start, labels, np.array([count for _, count in labelled], np.int64)


@pytest.mark.parametrize("name", WORKS)
@pytest.mark.parametrize("feature", RANKING)
def test_values_of_components_are_those_of_masks_of_one_component(
    request, unpack, monkeypatch, name, feature
):
    """The k-th component of every object at once, in the usual way, against all components of each object."""
    work = request.getfixturevalue(name)
    monkeypatch.setattr("ifcyto.masks.components.PIXELS_AT_ONCE", 7000)
    _, labels, counts = parts_of(work, unpack)
    images = (0, 1)[: FEATURES[feature].takes.arguments.count("i")]
    ours = component_values(work, labels, counts, feature, 0, 1)
    assert len(ours) == counts.sum() > len(work)
    firsts = np.cumsum(counts) - counts
    for rank in range(1, min(counts.max(), 4) + 1):
        facts = {name: values for name, values in work.planes.facts.items() if name.startswith("background")}
        plain = Workspace(work.planes, lambda name, rank=rank: labels == rank)
        monkeypatch.setattr(plain.planes, "facts", facts)
        expected = evaluate(plain, FEATURES[feature], ("one", *images))
        has = counts >= rank
        assert np.array_equal(ours[firsts[has] + rank - 1], expected[has], equal_nan=True)


def test_component_by_a_feature_of_the_image(real_work, unpack):
    start, labels, counts = parts_of(real_work, unpack)
    kept = shape.component(real_work, start, 0, None, "Mean Pixel", False, 1)
    images, labels = unpack(real_work, real_work.image(0)), unpack(real_work, labels)
    assert (kept & ~start).sum() == 0
    for image, label, count, ours in zip(images, labels, counts, unpack(real_work, kept), strict=True):
        means = ndimage.mean(image, label, np.arange(1, count + 1))
        assert np.array_equal(ours, label == 1 + int(np.argmax(means)))


def test_range_keeps_areas_and_ratios_within_the_limits(make_work):
    work, start = drawn(make_work, *THREE)
    one, two, four = 0.25, 0.5, 1.0
    assert np.array_equal(shape.area_range(work, start, 0, 5000, 0, 1), start)
    assert text(shape.area_range(work, start, two, two, 0, 1), 7)[1:3] == ["...#...", "...#..."]
    assert shape.area_range(work, start, one, two, 0, 1).sum() == 3
    assert text(shape.area_range(work, start, four, 5000, 0.9, 1), 7)[:2] == ["##....."] * 2
    assert shape.area_range(work, start, 0, 5000, 0, 0.5).sum() == 6, "the two lines"
    assert not shape.area_range(work, start, 2, 5000, 0, 1).any()


@pytest.mark.parametrize(
    ("feature", "image", "words"),
    [
        ("Perimeter", 0, "expected a feature that ranks components, found 'Perimeter'; use one of: Area"),
        ("Mean Pixel", None, "expected 1 images to rank components by 'Mean Pixel', found 0"),
        ("Bright Detail Similarity R3", 0, "expected 2 images"),
    ],
)
def test_component_says_what_it_needs(odd_work, feature, image, words):
    with pytest.raises(UsageError, match=words):
        shape.component(odd_work, odd_work.mask("M01"), image, None, feature, False, 1)


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_shape_masks_turn_with_the_mask(make_work, real_work, unpack, turn):
    planes = unpack(real_work, real_work.mask("M01"))[:20]
    blank = [(np.zeros((1, *p.shape), np.int16), p[None]) for p in planes]
    turned = [(np.rot90(i, turn, (1, 2)), np.rot90(m, turn, (1, 2))) for i, m in blank]
    before, after = make_work(blank), make_work(turned)
    for function, *arguments in (
        (shape.dilate, 3),
        (shape.erode, 3),
        (shape.fill,),
        (shape.largest_component,),
    ):
        old = unpack(before, function(before, before.mask("M01"), *arguments))
        new = unpack(after, function(after, after.mask("M01"), *arguments))
        assert all(np.array_equal(np.rot90(a, turn), b) for a, b in zip(old, new, strict=True))


FUNCTIONS = {
    "dilate": lambda work, start: shape.dilate(work, start, 3),
    "erode": lambda work, start: shape.erode(work, start, 2),
    "fill": shape.fill,
    "interface": lambda work, start: shape.interface(work, start, ~start, 2),
    "range": lambda work, start: shape.area_range(work, start, 1, 5000, 0.2, 1),
    "component": lambda work, start: shape.component(work, start, 0, None, "Median Pixel", True, 1),
}


@pytest.mark.parametrize("name", ["odd_work", "broken_work", "no_work"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_degenerate_objects_have_a_mask(request, unpack, name, function):
    work = request.getfixturevalue(name)
    start = work.mask("M01")
    before = start.copy()
    mask = FUNCTIONS[function](work, start)
    assert mask.shape == start.shape
    assert mask.dtype == bool
    assert np.array_equal(start, before), "the starting mask is not written to"
    empty = [not plane.any() for plane in unpack(work, start)]
    assert not any(plane.any() for plane, no in zip(unpack(work, mask), empty, strict=True) if no)
    if function not in {"dilate", "fill"}:
        assert not (mask & ~start).any()
