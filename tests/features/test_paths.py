"""Max Contour Position and Valley against slow twins and the values that IDEAS stored."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.features import outline, paths
from ifcyto.features.kernels.paths import longest_paths
from ifcyto.features.workspace import evaluate
from ifcyto.readers.daf_document import read_daf

SPECS = {spec.name: spec for spec in paths.SPECS}


def value(work, name, mask="M01", channel=0):
    return evaluate(work, SPECS[name], (mask, channel))


def slow_position(image, inside, background):
    depth = ndimage.distance_transform_cdt(np.pad(inside, 1), "chessboard")[1:-1, 1:-1]
    peels = range(depth.max(), 0, -1)
    means = [abs(image - background)[depth == peel].mean() for peel in peels]
    inner = np.flatnonzero(np.array(means) >= max(means) * (1 - 1e-9))[0]  # of equal peels
    return inner / (depth.max() + 1)


def check_positions(work, objects, mask, channel):
    got = value(work, "Max Contour Position", mask, channel)
    backgrounds = work.planes.background_mean[:, channel]
    for i, (image, inside) in enumerate(objects(work, mask, channel)):
        if inside.any():
            assert got[i] == slow_position(image, inside, backgrounds[i])
        else:
            assert np.isnan(got[i])


def test_contour_positions_are_those_of_the_slow_twin(real_work, odd_work, objects):
    check_positions(real_work, objects, "M05", 4)
    check_positions(real_work, objects, "M03", 2)
    check_positions(odd_work, objects, "M01", 1)


def check_valleys(work, objects, mask, channel):
    columns, rows = value(work, "Valley X", mask, channel), value(work, "Valley Y", mask, channel)
    flat = outline.skeleton(work, mask)
    starts = work.planes.starts
    for i, (image, inside) in enumerate(objects(work, mask, channel)):
        if not inside.any():
            assert np.isnan([columns[i], rows[i]]).all()
            continue
        lines = flat[starts[i] : starts[i + 1]].reshape(image.shape) > 0
        y, x = np.unravel_index(np.argmin(np.where(lines, image, np.inf)), image.shape)
        assert (columns[i], rows[i]) == (x, y)


def test_valleys_are_the_darkest_pixels_of_the_skeleton(real_work, odd_work, objects):
    check_valleys(real_work, objects, "M05", 4)
    check_valleys(real_work, objects, "M04", 3)
    check_valleys(odd_work, objects, "M01", 0)


def rings(bright, offset=0.0, dtype=np.int16):
    """A square of 15 x 15 pixels (eight peels) whose peel `bright` (0 the centre) shines."""
    y, x = np.mgrid[:21, :21] - 10
    peel = np.maximum(abs(x), abs(y))
    image = np.where(peel == bright, 300, 100) + offset
    return image.astype(dtype)[None], (peel <= 7)[None]


@pytest.mark.parametrize("dtype", [np.int16, np.float64])
def test_the_bright_peel_is_found(make_work, dtype):
    facts = [{"background_mean": np.array([90.0])}] * 8
    work = make_work([rings(k, dtype=dtype) for k in range(8)], facts=facts)
    assert value(work, "Max Contour Position").tolist() == [k / 9 for k in range(8)]


def test_an_offset_of_image_and_background_changes_nothing(make_work, rng):
    pairs = [rings(k) for k in range(8)]
    images = [image + rng.integers(-30, 30, image.shape) for image, _ in pairs]
    low = make_work(
        [(image, mask) for image, (_, mask) in zip(images, pairs, strict=True)],
        facts=[{"background_mean": np.array([50.0])}] * 8,
    )
    high = make_work(
        [(image + 1000, mask) for image, (_, mask) in zip(images, pairs, strict=True)],
        facts=[{"background_mean": np.array([1050.0])}] * 8,
    )
    for name in SPECS:
        assert np.array_equal(value(low, name), value(high, name))


def test_the_valley_of_two_lobes_lies_between_them(make_work):
    y, x = np.mgrid[:41, :61]
    image = 500 * np.exp(-((x - 18) ** 2 + (y - 20) ** 2) / 80)
    image += 500 * np.exp(-((x - 40) ** 2 + (y - 20) ** 2) / 80)
    mask = ((x - 29) / 26) ** 2 + ((y - 20) / 9) ** 2 <= 1
    edge = abs(x - 29) > 15
    work = make_work([((image + 400 * edge)[None].round().astype(np.int16), mask[None])])
    assert (value(work, "Valley X")[0], value(work, "Valley Y")[0]) == (29, 20)


def test_moving_moves_the_valley_and_keeps_the_contour(make_work, real_work, objects):
    cells = [(np.pad(image, 3), np.pad(inside, 3)) for image, inside in objects(real_work, "M05", 4)[:20]]
    facts = [{"background_mean": np.array([220.0])}] * len(cells)
    still = make_work([(image[None], inside[None]) for image, inside in cells], facts=facts)
    moved = make_work(
        [
            (np.roll(image, (2, -1), (0, 1))[None], np.roll(inside, (2, -1), (0, 1))[None])
            for image, inside in cells
        ],
        facts=facts,
    )
    assert np.array_equal(value(still, "Valley X") - 1, value(moved, "Valley X"))
    assert np.array_equal(value(still, "Valley Y") + 2, value(moved, "Valley Y"))
    assert np.array_equal(value(still, "Max Contour Position"), value(moved, "Max Contour Position"))


def walk(cells, squares):
    """Length of the longest way along the pixels `cells` of an image without loops, edges included."""
    best = 0.0
    for first in cells:
        way = {first: 0.0}
        waiting = [first]
        while waiting:
            y, x = waiting.pop()
            for other in cells:
                step = max(abs(other[0] - y), abs(other[1] - x))
                longer = way[y, x] + np.hypot(other[0] - y, other[1] - x)
                if step == 1 and longer < way.get(other, np.inf) - 1e-9:
                    way[other] = longer
                    waiting.append(other)
        last = max(way, key=lambda cell: way[cell])
        best = max(best, way[last] + np.sqrt(squares[first]) + np.sqrt(squares[last]) - 2)
    return best


def test_the_longest_path_of_a_tree_and_of_parts():
    tree = np.zeros((9, 12), np.int32)
    tree[4, 1:10] = 1
    tree[[3, 2, 1], [6, 7, 8]] = 1
    tree[[5, 6, 7, 8], [5, 4, 3, 2]] = 1
    parts = np.zeros((9, 12), np.int32)
    parts[1, 1:4] = 1
    parts[5, 2:9] = 4
    starts = np.array([0, 108, 216, 324])
    sizes = np.array([9, 9, 9], np.int32), np.array([12, 12, 12], np.int32)
    flat = np.concatenate([tree.ravel(), parts.ravel(), np.zeros(108, np.int32)])
    got = longest_paths(flat, starts, *sizes)
    cells = [tuple(cell) for cell in np.argwhere(tree)]
    assert got[0] == pytest.approx(walk(cells, dict.fromkeys(cells, 1)))
    assert got[1:].tolist() == [6 + 2, 0]


def test_what_ideas_stored(shared_data):
    """Max Contour Position is k / n with n below 25; Valley is whole pixels (``ideas_features`` 5.2)."""
    feature = read_daf(shared_data / "amnis" / "ut7_ideas62.daf").feature
    position = feature("Max Contour Position_M04_BF")
    nearest = [Fraction(number).limit_denominator(24) for number in position]
    assert position == pytest.approx([float(number) for number in nearest], rel=0, abs=2e-16)
    for axis in "XY":
        valley = feature(f"Valley {axis}_M04_BF")
        assert (valley == np.rint(valley)).all()


def test_the_number_of_contours_follows_the_largest_square_in_real_output(shared_data):
    """Contours are peels: n follows the largest upright square in the moment ellipse."""
    feature = read_daf(shared_data / "amnis" / "ut7_ideas62.daf").feature
    names = ("Major Axis", "Minor Axis", "Angle", "Perimeter", "Height", "Width")
    major, minor, angle, sides, long, short = (feature(f"{name}_M04") for name in names)
    position = feature("Max Contour Position_M04_BF")
    n = np.array([Fraction(number).limit_denominator(24).denominator for number in position])
    known = (n >= 13) & (sides - 2 * (long + short) == 2)
    cosine, sine = np.cos(angle), np.sin(angle)
    reach = [((cosine + s * sine) / major) ** 2 + ((s * cosine - sine) / minor) ** 2 for s in (1, -1)]
    half_side = 1 / np.sqrt(np.maximum(*reach))  # half an axis in pixels is an axis in um, at 0.5 um a pixel
    difference = (n - half_side)[known]
    assert known.sum() > 150
    assert abs(difference.mean() - 1.45) < 0.15
    assert difference.std() < 0.45
    assert np.corrcoef(n[known], half_side[known])[0, 1] > 0.95


def test_the_valley_of_real_cells_lies_on_the_major_axis(shared_data):
    """Seen along Angle, counted against the rows (y up), the valley is within a pixel or so of the axis."""
    feature = read_daf(shared_data / "amnis" / "ut7_ideas62.daf").feature
    names = ("Valley X_M04_BF", "Valley Y_M04_BF", "Centroid X_M04", "Centroid Y_M04", "Angle_M04")
    x, y, centre_x, centre_y, angle = (feature(name) for name in names)
    dx, dy = x - 2 * centre_x, y - 2 * centre_y
    elongated = feature("Aspect Ratio_M04") < 0.8
    assert elongated.sum() > 50
    across = abs(dx * np.sin(angle) + dy * np.cos(angle))[elongated]
    mirrored = abs(dx * np.sin(angle) - dy * np.cos(angle))[elongated]
    along = abs(dx * np.cos(angle) - dy * np.sin(angle))[elongated]
    assert np.median(across) < 1
    assert np.median(mirrored) > np.median(across)
    assert np.median(along) > 4
