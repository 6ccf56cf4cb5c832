"""Column names against every name and definition of a real file."""

from __future__ import annotations

import pytest

from ifcyto.errors import UsageError
from ifcyto.features.names import parse_name
from ifcyto.readers.daf_document import read_daf

MASKS = {"M01", "M04", "M05", "MC"}


def known_only(masks):
    """Check that takes the names of these masks alone."""

    def check(text):
        if text not in masks:
            raise UsageError(f"no mask {text!r}")

    return check


def test_every_real_name_means_its_definition(shared_data):
    document = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    images = [image.name for image in document.images]
    masks = {mask.name for mask in document.masks} | {f"M{n:02d}" for n in range(1, 7)}
    features = [feature for feature in document.features if feature.type == "single"]
    assert len(features) == 196
    for feature in features:
        ours = parse_name(feature.name, images=images, check_mask=known_only(masks))
        assert (ours.name, ours.stored()) == (feature.name, feature.definition)


def test_a_connectivity_may_follow_a_spot_count():
    column = parse_name("Spot Count_M04_8", images=["BF"], check_mask=known_only(MASKS))
    assert column.arguments == ("M04", 8)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Aria_M01", "did you mean 'Area'"),
        ("Area", "expected after 'Area': a mask; found ''"),
        ("Area_M09", "^Area_M09: no mask after 'Area': no mask 'M09'$"),
        ("Area_", "expected after 'Area': a mask; found ''"),
        ("Area_M01_BF", "after 'Area': no mask 'M01_BF'"),
        ("Intensity_M09_BF", "after 'Intensity': no mask 'M09'"),
        ("Intensity Concentration Ratio_M01_M09_A_B", "no mask 'M09'"),
        ("Intensity_MC_GFP", r"a mask, an image; found 'MC_GFP' \(images: BF, A_B\)"),
        ("H Energy Mean_M01_A_B_x", "a mask, an image, a number"),
        ("H Energy Mean_M01_BF_" + "9" * 5000, "^.{,300}$"),
    ],
)
def test_wrong_names_say_what_was_expected(name, message):
    with pytest.raises(UsageError, match=message):
        parse_name(name, images=["BF", "A_B"], check_mask=known_only(MASKS))
