"""The declarations of mask functions agree with the functions and with themselves."""

from __future__ import annotations

import inspect

import pytest

from ifcyto.errors import UsageError
from ifcyto.features.spec import Confidence
from ifcyto.masks.library import COMPONENT_FEATURES, MASKS, mask_spec
from ifcyto.masks.spec import Kind

IDEAS = {
    *(
        "AdaptiveErode",
        "Component",
        "Dilate",
        "Erode",
        "Fill",
        "Inspire",
        "Intensity",
        "Interface",
        "LevelSet",
    ),
    *(
        "Morphology",
        "Object",
        "Peak",
        "Range",
        "Skeleton",
        "Spot",
        "System",
        "Threshold",
        "Valley",
        "Watershed",
    ),
}


def test_all_functions_of_ideas_and_one_of_ours():
    assert set(MASKS) == IDEAS | {"Nuclei"}
    assert [name for name, spec in MASKS.items() if spec.confidence is Confidence.OWN] == ["Nuclei"]


@pytest.mark.parametrize("spec", MASKS.values(), ids=list(MASKS))
def test_functions_take_the_declared_arguments(spec):
    taken = list(inspect.signature(spec.load()).parameters)
    assert taken == ["work", *(a.name for a in spec.arguments if a.kind is not Kind.FIXED)]


@pytest.mark.parametrize("spec", MASKS.values(), ids=list(MASKS))
def test_declarations_are_whole(spec):
    kinds = [argument.kind for argument in spec.arguments]
    masks = kinds.count(Kind.MASK)
    # Steps hand masks over before all else.
    assert kinds[:masks] == [Kind.MASK] * masks
    assert spec.formula
    assert spec.source
    assert {place for field in spec.forms[-1] for place in field} == {
        place for place, kind in enumerate(kinds) if kind is not Kind.FIXED
    }
    assert [len(form) for form in spec.forms] == sorted({len(form) for form in spec.forms})
    for argument in spec.arguments:
        assert (argument.low is None) == (argument.kind not in {Kind.INTEGER, Kind.DECIMAL})
        assert bool(argument.words) == (argument.kind is Kind.CHOICE)
        if argument.only_for is not None:
            choice, codes = argument.only_for
            assert codes < {code for code, _ in spec.arguments[spec.places[choice]].words}


def test_codes_of_component_features():
    codes = dict(COMPONENT_FEATURES)
    assert len(codes) == len(set(codes.values())) == 16
    assert (codes[0], codes[29], codes[64]) == ("Area", "Bright Detail Similarity R3", "Thickness Max")


def test_a_number_is_accepted_within_its_limits_only():
    n = MASKS["Dilate"].arguments[1]
    assert [n.accepts(value) for value in (0, 19, 20, -1, True, None, "3")] == [True, True, *[False] * 5]


def test_unknown_functions_are_told_with_the_nearest():
    with pytest.raises(UsageError, match=r"no mask function 'Watreshed'; did you mean 'Watershed'"):
        mask_spec("Watreshed")
