"""What a user may ask for: lists, files, templates; and that templates keep order and names."""

from __future__ import annotations

import json
import os
from itertools import combinations

import numpy as np
import pytest

from ifcyto.cells import Channel
from ifcyto.errors import UsageError
from ifcyto.pipeline.feature_choice import plan_features
from ifcyto.pipeline.measure import MeasureOptions, measure
from ifcyto.readers.daf_document import read_daf

SIX = [
    Channel(number, f"Ch{number:02d}", brightfield=number == 5, pixel_size_um=0.5) for number in range(1, 7)
]


def template(path, features, masks=(), images=(("DAPI", 0), ("BF", 4))):
    """A DAF that only defines things."""
    udf = "".join(f'<UDF name="{n}" type="{t}" userfeaturetype="x" def="{d}"/>' for n, t, d in features)
    mask = "".join(f'<mask type="C" name="{n}" def="{d}"/>' for n, d in masks)
    image = "".join(f'<image name="{n}" physicalChannel="{c}"/>' for n, c in images)
    path.write_text(
        f'<?xml version="1.0"?>\n<Assay IDEAS_version="6.0"><SOD file="a.cif" objcount="0"><Images>{image}'
        f"</Images><masks>{mask}</masks><DefinedFeatures>{udf}</DefinedFeatures></SOD></Assay>"
    )
    return path


@pytest.mark.parametrize("name", ["ut7_ideas60.daf", "ut7_ideas62.daf"])
def test_a_real_template_keeps_its_order_and_its_names(shared_data, name):
    path = shared_data / "amnis" / name
    document = read_daf(path)
    plan = plan_features(SIX, path)
    assert [column.name for column in plan.columns] == [feature.name for feature in document.features]
    # Images are found by the number of the channel: image BF of this file is channel 4.
    assert plan.images.place("BF") == 3
    used = plan.masks()
    defined = {mask.name: mask.name for mask in document.masks if "(" in mask.name}
    assert {name: used[name] for name in used.keys() & defined.keys()} == {
        name: shown for name, shown in defined.items() if name in used
    }
    assert len(used.keys() & defined.keys()) >= 3


def test_a_real_template_computes_on_other_real_cells(shared_data):
    table = measure(shared_data / "amnis" / "example.cif", shared_data / "amnis" / "ut7_ideas62.daf")
    assert table.shape == (111, 196)
    values = dict(zip(table.var_names, table.X.T, strict=True))
    # Channels 2 and 6 of this file are dark: their masks are empty in every cell.
    assert not values["Area_M02"].any()
    assert not values["Area_M06"].any()
    nothing = [name for name, column in values.items() if not np.isfinite(column).any()]
    assert all("M02" in name or "M06" in name for name in nothing), nothing


def test_combined_features_come_after_what_they_need(tmp_path):
    features = [
        ("Twice", "combined", "Density|*|2"),
        ("Density", "combined", "Intensity_M01_DAPI|/|Area_M01"),
        ("Area_M01", "single", "Area|M01"),
        ("Intensity_M01_DAPI", "single", "Intensity|M01|DAPI"),
    ]
    plan = plan_features(SIX, template(tmp_path / "t.daf", features))
    assert [column.name for column in plan.columns] == [name for name, _, _ in features]
    order = [column.name for column in plan.order]
    assert order.index("Twice") > order.index("Density") > order.index("Area_M01")


def test_combined_values_are_those_of_the_columns(tmp_path, shared_data):
    features = [
        ("Density", "combined", "Intensity_M01_DAPI|/|Area_M01"),
        ("Area_M01", "single", "Area|M01"),
        ("Intensity_M01_DAPI", "single", "Intensity|M01|DAPI"),
    ]
    path = template(tmp_path / "t.daf", features)
    table = measure(shared_data / "amnis" / "example.cif", path)
    with np.errstate(invalid="ignore", divide="ignore"):
        assert np.allclose(table.X[:, 0], table.X[:, 2] / table.X[:, 1], equal_nan=True)


def test_masks_of_a_template_may_build_on_each_other(tmp_path, shared_data):
    masks = [("Wide", "Dilate|M01|2"), ("Rim", "Wide|And|Not|M01")]
    features = [(f"Area_{name}", "single", f"Area|{name}") for name in ("Wide", "Rim", "M01")]
    table = measure(shared_data / "amnis" / "example.cif", template(tmp_path / "t.daf", features, masks))
    assert np.array_equal(table.X[:, 0] - table.X[:, 1], table.X[:, 2])
    assert (table.X[:, 1] > 0).all()


def test_unknown_features_are_listed_or_left_out_with_what_needs_them(tmp_path):
    features = [
        ("Objects/mL", "single", "Objects/mL"),
        ("Area_M01", "single", "Area|M01"),
        ("Share", "combined", "Area_M01|/|Objects/mL"),
        ("Half", "combined", "Share|/|2"),
    ]
    path = template(tmp_path / "t.daf", features)
    with pytest.raises(UsageError, match=r"1 of 4 features are not in ifcyto: Objects/mL.*--skip-unknown"):
        plan_features(SIX, path)
    plan = plan_features(SIX, path, skip_unknown=True)
    assert [column.name for column in plan.columns] == ["Area_M01"]
    assert plan.notes == (
        "left out, not in ifcyto: Objects/mL",
        "left out, computed from what is left out: Share, Half",
    )


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([("A", "combined", "B|+|1"), ("B", "combined", "A|+|1")], "in a circle: A, B"),
        ([("A", "combined", "Aera_M01|+|1"), ("Area_M01", "single", "Area|M01")], "did you mean 'Area_M01'"),
        ([("A", "single", "Area|Nucleus")], "Nucleus"),
        ([("A", "single", "Intensity|M01|GFP")], "expected one image 'GFP'"),
    ],
)
def test_a_template_that_does_not_fit_is_refused(tmp_path, features, message):
    with pytest.raises(UsageError, match=message):
        plan_features(SIX, template(tmp_path / "t.daf", features))


def test_a_file_of_names_may_hold_comments_and_definitions(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("# size\nArea_M01\n\nIntensity|MC|Ch05\n  Spot Count_M05_8\n")
    plan = plan_features(SIX, path)
    assert [column.name for column in plan.columns] == ["Area_M01", "Intensity_MC_Ch05", "Spot Count_M05_8"]


def test_a_list_names_its_own_columns_and_computes_on_them(shared_data):
    lines = [
        "Ratio = Density|*|Core area",
        "Core area = Area|Threshold(M01, Ch01, 50)",
        "Density = Intensity_M01_Ch01|/|Area_M01",
        "Sum = Object Number|+|2",
        "Two = 1|+|1",
        "Intensity_M01_Ch01",
    ]
    table = measure(shared_data / "amnis" / "example.cif", lines)
    assert table.var_names.tolist() == ["Ratio", "Core area", "Density", "Sum", "Two", "Intensity_M01_Ch01"]
    plain = ["Area_Threshold(M01, Ch01, 50)", "Area_M01", "Intensity_M01_Ch01"]
    core, area, intensity = measure(shared_data / "amnis" / "example.cif", plain).X.T
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = [intensity / area * core, core, intensity / area, np.arange(111) + 2, np.full(111, 2)]
    for column, values in enumerate(expected):
        np.testing.assert_allclose(table.X[:, column], values, rtol=1e-12)
    assert json.loads(table.uns["ifcyto"]["masks"]).keys() == {"Threshold(M01, Ch01, 50)", "M01"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "expected at least one feature, found none"),
        (["A = Densty|+|1", "Density = Area|M01"], "'A': no column 'Densty'; did you mean 'Density'"),
        (["A = Aera_M01|+|1"], "'A': no feature 'Aera'; did you mean 'Area'"),
        (["A = Area_M07|+|1"], "'A': .*expected one channel with the mask M07"),
        (["A = B|+|1", "B = A|+|1"], "in a circle: A, B"),
        (["A = Area|M01", "A = Area|M02"], "'A' twice"),
        (["Area_Treshold(M01, Ch01, 5)"], "did you mean 'Threshold'"),
    ],
)
def test_a_list_that_cannot_be_computed_is_refused(lines, message):
    with pytest.raises(UsageError, match=message):
        plan_features(SIX, lines)


def test_files_that_are_no_list_are_refused(tmp_path):
    path = tmp_path / "names.txt"
    for content, message in (
        (b"# nothing\n\n", "one a line, found none"),
        (b"\xff\xfe\x00", "expected text in UTF-8"),
        (b"Area_M01\n" * 500_000, "found a file of 4500000 bytes"),
    ):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=message):
            plan_features(SIX, path)
    with pytest.raises(UsageError, match="found what is no file"):
        plan_features(SIX, tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(UsageError, match="found what is no file"):
            plan_features(SIX, tmp_path / "pipe")


def test_the_users_masks_and_dna_image_are_checked_though_nothing_uses_them():
    with pytest.raises(UsageError, match="expected ','"):
        plan_features(SIX, "basic", masks={"A": "Dilate(M01"})
    with pytest.raises(UsageError, match="in a loop: A -> B -> A"):
        plan_features(SIX, "basic", masks={"A": "B", "B": "A"})
    with pytest.raises(UsageError, match="expected one image 'Ch9'"):
        plan_features(SIX, "basic", dna="Ch9")


def test_fbml_says_that_it_lacks_the_nuclear_mask():
    assert "--dna" in plan_features(SIX, "fbml").notes[0]
    assert plan_features(SIX, "fbml", dna="Ch01").notes == ()


def test_the_set_ideas_holds_every_triple_of_channels_that_are_not_brightfield():
    wanted = ["01", "02", "03", "04", "06"]
    for name in ("ideas", "fbml"):
        names = [column.name for column in plan_features(SIX, name).columns]
        triples = [column for column in names if column.startswith("Bright Detail Colocalization 3")]
        assert triples == [
            f"Bright Detail Colocalization 3_MC_Ch{a}_Ch{b}_Ch{c}" for a, b, c in combinations(wanted, 3)
        ]


def test_the_columns_of_a_set_are_those_of_the_channels_they_name():
    with pytest.raises(UsageError, match=r"'Ch01': expected another name for Ch05: .* set 'basic'"):
        plan_features(SIX, "basic", images={"Ch01": 5})
    assert plan_features(SIX, "basic", images={"DNA": 5}).images.place("DNA") == 4


def test_the_users_names_of_images_go_first(tmp_path):
    path = template(tmp_path / "t.daf", [("A", "single", "Intensity|M01|DAPI")])
    assert plan_features(SIX, path).images.place("DAPI") == 0
    assert plan_features(SIX, path, images={"DAPI": "Ch06"}).images.place("DAPI") == 5
    with pytest.raises(UsageError, match=r"expected one of the channels .* found number 9"):
        plan_features(SIX, path, images={"DAPI": 9})


def test_names_that_two_channels_share_give_way_to_numbers():
    channels = [Channel(1, "BF"), Channel(9, "BF")]
    plan = plan_features(channels, "basic")
    assert "Intensity_M09_Ch09" in [column.name for column in plan.columns]


def test_sets_take_the_channels_with_roles_and_find_the_dna_image(shared_data):
    cif = shared_data / "amnis" / "example.cif"
    options = MeasureOptions(roles={"BF": 5, "DNA": "Ch01"})
    names = measure(cif, "fbml", options=options).var_names
    assert {name.split("_")[-1] for name in names if name.startswith("Mean Pixel")} == {"BF", "DNA"}
    assert "Area_Nuclei(MC, DNA, 0.5, 5, 0.3, 0.7, 4, 0.3)" in names
    # MC is still the union over all channels of the file.
    whole = measure(cif, ["Area_MC"])
    assert measure(cif, ["Area_MC"], options=options).X.tolist() == whole.X.tolist()
    with pytest.raises(UsageError, match="GFP"):
        measure(cif, "fbml", options=MeasureOptions(roles={"GFP": "GFP"}))
