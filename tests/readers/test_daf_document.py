"""The two real DAFs hold the same analysis in two encodings; both are read where they lie."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from ifcyto.errors import UsageError
from ifcyto.readers.daf_document import read_daf
from ifcyto.readers.daf_objects import DafObjects
from ifcyto.readers.daf_records import DafRegion

FILES = {"xml": "ut7_ideas60.daf", "binary": "ut7_ideas62.daf"}
CHANNELS = ["DAPI", "ARK2_AF488", "aTub_PE", "BF", "pH3_AF647", "DF"]


@pytest.fixture(scope="module")
def documents(shared_data):
    return {name: read_daf(shared_data / "amnis" / file) for name, file in FILES.items()}


@pytest.fixture(params=list(FILES))
def document(request, documents):
    return documents[request.param]


def test_everything_is_counted(document):
    found = {
        "objects": document.object_count,
        "values": document.feature_values.shape,
        "features": len(document.features),
        "masks": len(document.masks),
        "images": len(document.images),
        "regions": len(document.regions),
        "populations": len(document.populations),
        "statistics": len(document.statistics),
    }
    assert found == {
        "objects": 420,
        "values": (420, 196),
        "features": 196,
        "masks": 9,
        "images": 6,
        "regions": 24,
        "populations": 30,
        "statistics": 48,
    }
    assert document.notes == ()
    assert document.faults == ()


def test_the_file_describes_itself(documents):
    xml, binary = documents["xml"], documents["binary"]
    assert (xml.ideas_version, binary.ideas_version) == ("6.0.354.0", "6.2.183.0")
    assert (xml.binary, binary.binary) == (False, True)
    assert xml.source_file == binary.source_file == "example.cif"
    assert xml.checksum == binary.checksum == 7591110
    assert xml.date == "25/06/2020 00:28:09"
    assert xml.creation == "2020-06-24T22:26:42.6109360+02:00"


def test_both_encodings_give_the_same_values(documents):
    xml, binary = documents["xml"], documents["binary"]
    assert xml.feature_names == binary.feature_names
    differ = xml.feature_values != binary.feature_values
    # 194 of 196 features are bit-identical; two differ in one value by one unit in the last place.
    assert differ.any(axis=0).sum() == 2
    assert differ.sum() == 2
    apart = np.abs(xml.feature_values - binary.feature_values)
    assert (apart <= np.spacing(np.abs(binary.feature_values))).all()


@pytest.mark.parametrize("name", DafObjects.__slots__)
def test_both_encodings_give_the_same_objects(documents, name):
    xml, binary = (getattr(documents[key].objects, name) for key in FILES)
    assert xml.dtype == binary.dtype
    if name == "background_sd":  # one unit in the last place, as for the values
        assert (np.abs(xml - binary) <= np.spacing(binary)).all()
    else:
        np.testing.assert_array_equal(xml, binary)


@pytest.mark.parametrize("name", ["images", "masks", "features", "regions", "populations"])
def test_both_encodings_give_the_same_records(documents, name):
    assert getattr(documents["xml"], name) == getattr(documents["binary"], name)


def test_both_encodings_give_the_same_statistics_in_some_order(documents):
    xml, binary = (Counter(map(repr, documents[key].statistics)) for key in FILES)
    assert xml == binary


def test_object_facts(document):
    objects = document.objects
    np.testing.assert_array_equal(objects.object_numbers, np.arange(420))
    assert (objects.widths[0], objects.heights[0]) == (378, 75)
    assert (objects.image_offsets[0], objects.mask_offsets[0]) == (9550169, 9568871)
    assert (objects.mask_offsets > objects.image_offsets).all()
    assert objects.background_mean.shape == (420, 6)
    assert objects.background_mean[0, 0] == 37.738095238095241
    assert objects.background_sd[0, 0] == 1.7596248083215578
    np.testing.assert_array_equal(objects.saturation_count[0], [0, 0, 0, 296, 0, 0])


def test_values_are_aligned_with_names_and_objects(document):
    objects, feature = document.objects, document.feature
    np.testing.assert_array_equal(feature("Object Number"), objects.object_numbers)
    np.testing.assert_array_equal(feature("Flow Speed"), objects.flow_speed)
    np.testing.assert_array_equal(feature("Camera Line Number"), objects.camera_line)
    np.testing.assert_array_equal(feature("Camera Timer"), objects.camera_timer)
    np.testing.assert_allclose(feature("Raw Centroid X"), objects.centre_x / 2, rtol=2e-16)
    for channel, name in enumerate(CHANNELS):
        np.testing.assert_array_equal(feature(f"Bkgd Mean_{name}"), objects.background_mean[:, channel])
    np.testing.assert_array_equal(feature("Bkgd StdDev_BF"), objects.background_sd[:, 3])


def test_identities_between_features(document):
    names = [f.name for f in document.features if f.tokens[0] == "Diameter"]
    assert names
    for name in names:  # IDEAS takes 3.14
        area = document.feature(name.replace("Diameter", "Area"))
        np.testing.assert_allclose(document.feature(name), 2 * np.sqrt(area / 3.14), rtol=4e-16)
    for mask in ("M01", "M06"):
        quarters = document.feature(f"Area_{mask}") / 0.25
        np.testing.assert_array_equal(quarters, np.round(quarters))


def test_stored_statistics_follow_from_the_values(document):
    base = [row for row in document.statistics if row.population == "All" and row.count == 420]
    assert base
    for row in base:
        values = document.feature(row.feature)
        assert (row.min, row.max, row.nans) == (values.min(), values.max(), 0)
        np.testing.assert_allclose([row.mean, row.variance], [values.mean(), values.var(ddof=1)], rtol=1e-13)


def test_definitions_stay_as_written(document):
    features = {f.name: f for f in document.features}
    contrast = features["Gradient RMS_M04_BF"]
    assert contrast.definition == "Gradient RMS|M04|BF"
    assert contrast.tokens == ("Gradient RMS", "M04", "BF")
    assert (contrast.type, contrast.user_type) == ("single", "Mask and Image")
    masks = {m.name: m for m in document.masks}
    assert masks["Dilate(Threshold(M01, DAPI, 30), 5)"].tokens == ("Dilate", "Threshold(M01, DAPI, 30)", "5")
    assert [(i.name, i.physical_channel) for i in document.images] == list(
        zip(CHANNELS, range(6), strict=True)
    )
    assert (document.images[0].colour, document.images[0].display_max) == ("DarkOrchid", 750)


def test_regions_and_populations(document):
    regions = {r.label: r for r in document.regions}
    focused = regions["Focused"]
    assert isinstance(focused, DafRegion)
    assert focused.type == "line"
    assert [x for x, _ in focused.points] == [38.115, 97.951]
    assert regions["pH3+"].x_log_range == 1000
    assert regions["pH3+"].y_log_range is None
    assert all(len(r.points) == 2 for r in document.regions)
    populations = {p.name: p for p in document.populations}
    assert Counter(p.type for p in document.populations) == {"B": 1, "G": 26, "C": 3}
    assert populations["G2"].definition == "G2/M & Events|And|Not|Mphase"
    anaphase = populations["Anaphase & Mphase"]
    assert (anaphase.base, anaphase.region, anaphase.fx) == ("Mphase", "Anaphase", "Circularity_M04")
    assert anaphase.fy == "Spot Distance Min_Threshold(M01, DAPI, 30)"


def test_an_unknown_feature_is_named(document):
    with pytest.raises(UsageError, match="no feature 'Spot Count' among the 196"):
        document.feature("Spot Count")
