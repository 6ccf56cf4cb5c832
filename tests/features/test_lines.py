"""Lines of a list of features: which of the forms each is, and what is said of the others."""

from __future__ import annotations

import pytest

from ifcyto.errors import UsageError
from ifcyto.features.combine import CombinedFeature
from ifcyto.features.lines import parse_line


def read(text):
    return parse_line(text, images=["BF", "DRAQ5"], check_mask=lambda mask: None)


@pytest.mark.parametrize(
    ("text", "name", "stored"),
    [
        ("Area_M01", "Area_M01", "Area|M01"),
        ("Area|M01", "Area_M01", "Area|M01"),
        ("Area | M01", "Area_M01", "Area|M01"),
        ("Time", "Time", "Time"),
        (
            "Nucleus area = Area|Threshold(M05, DRAQ5, 50)",
            "Nucleus area",
            "Area|Threshold(M05, DRAQ5, 50)",
        ),
        ("size=Area_M01", "size", "Area|M01"),
        ("when = Time", "when", "Time"),
        ("Area_X = Y = Area|X = Y", "Area_X = Y", "Area|X = Y"),
        ("Area|Cells >= 5", "Area_Cells >= 5", "Area|Cells >= 5"),
        ("Large >= 5 = Area|M01", "Large >= 5", "Area|M01"),
    ],
)
def test_a_single_feature_goes_by_its_own_name_or_the_users(text, name, stored):
    column = read(text)
    assert (column.name, column.stored()) == (name, stored)


@pytest.mark.parametrize(
    ("text", "definition"),
    [
        ("D = Intensity_M01_BF|/|Area_M01", "Intensity_M01_BF|/|Area_M01"),
        ("D = Intensity_M01_BF | / | Area_M01", "Intensity_M01_BF|/|Area_M01"),
        ("D = Time|/|60", "Time|/|60"),
        ("D = SQRT|Area_M01", "SQRT|Area_M01"),
        ("D = (|Size|)", "(|Size|)"),
    ],
)
def test_signs_and_functions_make_a_combined_feature(text, definition):
    assert read(text) == CombinedFeature("D", definition)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Area_M01|/|2", r"expected a name for a combined feature: NAME = Area_M01\|/\|2"),
        ("= Area|M01", "expected NAME = DEFINITION"),
        ("Size =", "expected NAME = DEFINITION"),
        ("a\x00b = Area|M01", "expected NAME = DEFINITION"),
        ("Size = Aera|M01", "did you mean 'Area'"),
        ("Size = Area_M01|Area_M01", "no feature 'Area_M01'"),
        ("D = Area_M01|/|", "expected a column"),
        ("x" * 5000 + " = ", "^.{,300}$"),
    ],
)
def test_other_lines_say_what_was_expected(text, message):
    with pytest.raises(UsageError, match=message):
        read(text)
