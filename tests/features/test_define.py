"""Definitions in IDEAS' grammar, against every definition of two real files."""

from __future__ import annotations

import pytest

from ifcyto.errors import UsageError
from ifcyto.features.define import define, parse_definition
from ifcyto.readers.daf_document import read_daf


@pytest.mark.parametrize("name", ["ut7_ideas60.daf", "ut7_ideas62.daf"])
def test_every_real_definition_is_read_named_and_written_back(shared_data, name):
    features = [f for f in read_daf(shared_data / "amnis" / name).features if f.type == "single"]
    assert len(features) == 196
    for feature in features:
        ours = parse_definition(feature.definition)
        assert ours.name == feature.name
        assert ours.stored() == feature.definition
        assert ours.spec.takes == feature.user_type, feature.name


def test_arguments_are_sorted_by_kind():
    ours = parse_definition("Delta Centroid XY|M02|A|true|M03|B|false")
    assert (ours.masks, ours.images, ours.arguments[2], ours.arguments[5]) == (
        ("M02", "M03"),
        ("A", "B"),
        True,
        False,
    )
    assert ours.name == "Delta Centroid XY_M02_A_IntensityWeighted_M03_B"
    assert define("H Energy Std", "M04", "BF", 5).scalar == 5


def test_newer_spot_counts_carry_their_connectivity():
    ours = parse_definition("Spot Count|M04|8||True|8|4")
    assert (ours.arguments, ours.name) == (("M04", 8), "Spot Count_M04_8")
    assert ours.stored() == "Spot Count|M04|8||True|8|4"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Aera|M01", "no feature 'Aera'; did you mean 'Area'"),
        ("Area", r"Area: expected 1 argument \(a mask\), found 'Area'"),
        ("Area|M01|BF", "found 'Area|M01|BF'"),
        ("Delta Centroid X|M02|A|yes|M03|B|true", "expected 6 arguments"),
        ("H Energy Mean|M01|BF|0|Granularity:|1|20", "whole number from 1 to 20, found 0"),
        ("H Energy Mean|M01|BF|x|Granularity:|1|20", "expected 3 arguments"),
        ("Spot Count|M04|6||True|8|4", "connectivity of 4 or 8, found 6"),
    ],
)
def test_wrong_definitions_say_what_was_expected(text, message):
    with pytest.raises(UsageError, match=message):
        parse_definition(text)
