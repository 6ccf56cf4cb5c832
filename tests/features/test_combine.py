"""Combined features against Python's own arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ifcyto.errors import UsageError
from ifcyto.features.combine import CombinedFeature

COLUMNS = {"Area_M01": np.array([4.0, 9.0, 0.0]), "Mean Pixel_M04_BF": np.array([-2.0, 5.0, 1.0])}


@pytest.mark.parametrize(
    ("definition", "twin"),
    [
        ("Area_M01|+|Mean Pixel_M04_BF|*|2", lambda a, m: a + m * 2),
        ("(|Area_M01|+|Mean Pixel_M04_BF|)|*|2", lambda a, m: (a + m) * 2),
        ("Area_M01|-|1|-|1", lambda a, m: a - 1 - 1),
        ("8|/|2|/|2|+|Area_M01", lambda a, m: 2 + a),
        ("ABS|Mean Pixel_M04_BF|+|1", lambda a, m: abs(m) + 1),
        ("SQRT|(|Area_M01|+|SQR|3|)", lambda a, m: math.sqrt(a + 9)),
        ("COS|Area_M01|*|SIN|Area_M01", lambda a, m: math.cos(a) * math.sin(a)),
        ("-|Mean Pixel_M04_BF|/|1e1", lambda a, m: -m / 10),
        ("Mean Pixel_M04_BF|/|Area_M01", lambda a, m: m / a if a else math.nan),
        ("SQRT|Mean Pixel_M04_BF", lambda a, m: math.sqrt(m) if m >= 0 else math.nan),
    ],
)
def test_formulas_give_what_python_gives(definition, twin):
    values = CombinedFeature("x", definition).values(COLUMNS)
    expected = [twin(a, m) for a, m in zip(*COLUMNS.values(), strict=True)]
    np.testing.assert_allclose(values, expected, rtol=1e-15)


def test_numbers_alone_and_a_division_by_zero_need_no_objects():
    assert CombinedFeature("x", "1|+|1").values({}).tolist() == 2
    assert CombinedFeature("x", "Area_M01|/|0").values(COLUMNS).tolist() == pytest.approx(
        [math.nan] * 3, nan_ok=True
    )


def test_columns_are_named_once_in_order():
    feature = CombinedFeature("x", "Mean Pixel_M04_BF|/|(|Area_M01|+|Mean Pixel_M04_BF|*|2|)")
    assert feature.columns == ("Mean Pixel_M04_BF", "Area_M01")


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("", "expected a column.* after '', found ''"),
        ("Area_M01|+", r"after 'Area_M01\|\+', found the end"),
        ("Area_M01|Area_M01", "expected an operator or the end after 'Area_M01', found 'Area_M01'"),
        ("(|Area_M01", "expected a closing parenthesis"),
        ("Area_M01|)", "expected an operator or the end"),
        ("*|Area_M01", r"found '\*'"),
        ("|".join(["("] * 5000), "at most 100 nested terms"),
    ],
)
def test_bad_formulas_name_the_token(definition, message):
    with pytest.raises(UsageError, match=message):
        CombinedFeature("x", definition)
