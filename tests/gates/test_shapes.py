"""Gates on hand-made points and against slow twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifcyto.errors import GateError, UsageError
from ifcyto.gates.gate import Gate
from ifcyto.gates.polygon import Polygon
from ifcyto.gates.scales import LINEAR, Scale
from ifcyto.gates.shapes import Half, Oval, Quadrant, Range, Rectangle

NAN, INF = math.nan, math.inf
XY = ("x", "y")


def inside(shape, points, scales=()):
    """What a gate of this shape says of (x, y) points."""
    return Gate("g", XY, shape, scales).member(*np.array(points, float).T).tolist()


def test_a_range_holds_both_of_its_ends():
    gate = Gate("g", ("x",), Range(2, 5))
    assert gate.member([1.999, 2, 3, 5, 5.001, NAN, INF, -INF]).tolist() == [0, 1, 1, 1, 0, 0, 0, 0]
    assert Gate("g", ("x",), Range(low=2)).member([1, 2, INF, NAN]).tolist() == [0, 1, 1, 0]
    assert Gate("g", ("x",), Range(high=2)).member([1, 2, 3, NAN]).tolist() == [1, 1, 0, 0]


def test_a_rectangle_holds_its_border():
    shape = Rectangle(1, 3, -1, 1)
    points = [(1, -1), (3, 1), (2, 0), (0.99, 0), (2, 1.01), (NAN, 0), (2, NAN)]
    assert inside(shape, points) == [1, 1, 1, 0, 0, 0, 0]
    assert inside(Rectangle(y_low=2), [(9, 2), (-9, 1)]) == [1, 0]


def test_quadrants_and_halves_share_out_all_points():
    points = [(4, 6), (5, 6), (6, 6), (4, 5), (5, 5), (6, 5), (4, 4), (5, 4), (6, 4)]
    expected = {1: [1, 0, 0, 1, 0, 0, 0, 0, 0], 2: [0, 1, 1, 0, 1, 1, 0, 0, 0]}
    expected |= {3: [0, 0, 0, 0, 0, 0, 0, 1, 1], 4: [0, 0, 0, 0, 0, 0, 1, 0, 0]}
    assert {number: inside(Quadrant(5, 5, number), points) for number in (1, 2, 3, 4)} == expected
    assert [inside(Quadrant(5, 5, number), [(NAN, 5)]) for number in (1, 2, 3, 4)] == [[0]] * 4
    below, above = (Gate("g", ("x",), Half(5, upper)).member([4.9, 5, 5.1, NAN]) for upper in (False, True))
    assert (below.tolist(), above.tolist()) == ([1, 0, 0, 0], [0, 1, 1, 0])


def test_an_oval_touches_its_rectangle_and_misses_the_corners():
    points = [(0, 2), (8, 2), (4, 0), (4, 4), (4, 2), (0, 0), (8, 4), (7.5, 3.5), (NAN, 2), (INF, 2)]
    assert inside(Oval(0, 8, 0, 4), points) == [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]


def test_an_oval_is_an_ellipse_on_the_axes_it_is_drawn_on():
    shape, scales = Oval(1, 100, 0, 2), (Scale("log"), LINEAR)
    # On the log axis the centre is 10, not 50.5; above it the ellipse is highest.
    assert inside(shape, [(10, 2), (50.5, 2), (1, 1), (100, 1), (0, 1), (-10, 1)], scales) == [
        1,
        0,
        1,
        1,
        0,
        0,
    ]
    assert inside(shape, [(50.5, 2), (10, 2)]) == [1, 0]


def test_a_linear_logarithmic_axis_is_the_formula_of_the_reference_page():
    values = np.array([-1e5, -1001, -1000, -3, 0, 3, 1000, 1001, 1e5, NAN, INF])
    h = 1000.0
    with np.errstate(all="ignore"):
        slow = [v / h if abs(v) <= h else math.copysign(1 + math.log(abs(v) / h), v) for v in values[:-2]]
    placed = Scale("linlog", h).place(values)
    np.testing.assert_allclose(placed[:-2], slow, rtol=1e-15)
    assert math.isnan(placed[-2])
    assert placed[-1] == INF
    assert (np.diff(placed[:-2]) > 0).all()


def test_slanted_edges_are_straight_on_the_axes_they_are_drawn_on():
    triangle = Polygon(((1, 0), (100, 0), (100, 2)))
    assert inside(triangle, [(10, 0.99), (10, 1.01)], (Scale("log"), LINEAR)) == [1, 0]
    assert inside(triangle, [(10, 0.99), (10, 0.1)]) == [0, 1]


def test_the_border_of_a_polygon_is_inside():
    shape = Polygon(((0, 0), (6, 0), (6, 6), (3, 3), (0, 6)))
    border = [(0, 0), (3, 0), (6, 6), (3, 3), (1, 5), (0, 3), (6, 1), (5, 5)]
    outside = [
        (3, 4),
        (3, 3.001),
        (-0.001, 3),
        (6.001, 1),
        (1, 5.001),
        (NAN, 3),
        (3, NAN),
        (INF, 3),
        (3, -INF),
    ]
    assert inside(shape, border) == [1] * len(border)
    assert inside(shape, outside) == [0] * len(outside)
    assert inside(Polygon(shape.vertices[::-1]), border) == [1] * len(border)
    closed = Polygon((*shape.vertices, shape.vertices[0]))
    assert inside(closed, border + outside) == inside(shape, border + outside)


def test_all_that_a_border_winds_around_is_inside():
    angles = 2 * np.pi * (np.arange(5) * 2 % 5) / 5
    star = Polygon(tuple(zip(np.cos(angles).tolist(), np.sin(angles).tolist(), strict=True)))
    assert inside(star, [(0, 0), (0.9, 0), (-0.7, 0)]) == [1, 1, 0]
    bow = Polygon(((0, 0), (2, 2), (2, 0), (0, 2)))
    assert inside(bow, [(0.5, 1), (1.5, 1), (1, 1.5), (1, 0.5), (1, 1)]) == [1, 1, 0, 0, 1]


def by_angles(vertices, x, y):
    """Slow twin: the angle that the border turns about the point; points on the border are inside."""
    total = 0.0
    for (x0, y0), (x1, y1) in zip(vertices, vertices[1:] + vertices[:1], strict=True):
        a, b, c, d = x0 - x, y0 - y, x1 - x, y1 - y
        if a * d - b * c == 0 and a * c + b * d <= 0:
            return True
        total += math.atan2(a * d - b * c, a * c + b * d)
    return abs(total) > math.pi


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=3, max_size=9).filter(
        lambda corners: len(set(corners)) > 2
    )
)
def test_polygons_agree_with_their_slow_twin(corners):
    """Whole-numbered corners, so that many points lie on edges and corners, exactly."""
    x, y = (axis.ravel().astype(float) for axis in np.meshgrid(np.arange(-1, 10), np.arange(-1, 10)))
    found = Gate("g", XY, Polygon(tuple(corners))).member(x, y)
    slow = [by_angles(corners, a, b) for a, b in zip(x, y, strict=True)]
    assert found.tolist() == slow


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Range(), "expected at least one end of a range, found none"),
        (lambda: Range(5, 2), "range: expected the low end below the high end, found 5 and 2"),
        (lambda: Range(NAN, 2), "range low: expected a number from -1e\\+100 to 1e\\+100, found nan"),
        (lambda: Range(0, 1e200), "range high: expected a number from"),
        (lambda: Half(INF, True), "at: expected a number from"),
        (lambda: Rectangle(), "expected at least one bound of a rectangle, found none"),
        (lambda: Rectangle(0, 1, 3, 2), "y: expected the low end below the high end"),
        (lambda: Quadrant(0, 0, 5), "expected a quadrant from 1 to 4, found 5"),
        (lambda: Oval(1, 1, 0, 2), "expected an oval with x_low below x_high, found 1 and 1"),
        (lambda: Oval(0, INF, 0, 2), "x_high: expected a number"),
        (lambda: Polygon(((0, 0), (1, 1))), "expected a polygon of at least 3 different vertices, found 2"),
        (lambda: Polygon(((0, 0), (1, 1), (0, 0))), "3 different vertices, found 2"),
        (lambda: Polygon(((0, 0), (1, NAN), (2, 0))), "vertex 2 y: expected a number"),
        (lambda: Polygon(((0, 0),) * 1001), "expected a polygon of at most 1000 vertices, found 1001"),
        (lambda: Scale("cubic"), "expected a scale among linear, log, linlog, found 'cubic'"),
        (lambda: Scale("linlog", 0), "expected a linear-logarithmic scale with a positive linear range"),
        (
            lambda: Gate("g", ("x", "y"), Range(0, 1)),
            "features for the axes of a range \\(1\\), found 2",
        ),
        (
            lambda: Gate("g", XY, Oval(0, 1, 0, 1), (LINEAR,)),
            "scales for the axes of a oval \\(2\\), found 1",
        ),
        (
            lambda: Gate("g", XY, Oval(0, 1, 0, 1), (Scale("log"), LINEAR)),
            "gate 'g': expected a point above 0 on a log axis, found 0",
        ),
    ],
)
def test_what_is_no_gate_is_refused(make, message):
    with pytest.raises(GateError, match=message):
        make()


@pytest.mark.parametrize("values", [[], [[1.0]], [[1.0], [1.0, 2.0]], [1.0, 2.0], [[1.0], [2.0], [3.0]]])
def test_a_gate_asks_for_one_array_an_axis(values):
    with pytest.raises(UsageError, match=r"gate 'g': expected 2 arrays of the same length \(x, y\), found"):
        Gate("g", XY, Rectangle(0, 1, 0, 1)).member(*values)
