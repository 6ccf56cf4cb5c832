"""What the instrument says of objects, against stored features and where it says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.features.system import SPECS
from ifcyto.features.workspace import evaluate
from ifcyto.readers.daf_document import read_daf

FEATURES = {spec.name: spec for spec in SPECS}
PIXEL = (np.zeros((1, 1, 1), np.int16), np.ones((1, 1, 1)))


def test_stored_features_are_the_stored_facts(make_work, shared_data):
    daf = read_daf(shared_data / "amnis" / "ut7_ideas62.daf")
    objects = daf.objects
    facts = [
        {"camera_line": line, "camera_timer": timer, "flow_speed": speed}
        for line, timer, speed in zip(
            objects.camera_line, objects.camera_timer, objects.flow_speed, strict=True
        )
    ]
    work = make_work([PIXEL] * len(objects), facts=facts)
    for name in ("Camera Line Number", "Camera Timer", "Flow Speed", "Object Number"):
        assert np.array_equal(evaluate(work, FEATURES[name], ()), daf.feature(name))
    np.testing.assert_allclose(evaluate(work, FEATURES["Time"], ()), daf.feature("Time"), rtol=3e-16)


def test_a_stored_time_comes_first(make_work):
    facts = [{"time": 1.25, "camera_timer": 7}, {"camera_timer": 2_500_000}, {}]
    time = evaluate(make_work([PIXEL] * 3, facts=facts), FEATURES["Time"], ())
    assert time[:2].tolist() == [1.25, 2.5]
    assert np.isnan(time[2])


@pytest.mark.parametrize("name", ["Camera Line Number", "Camera Timer", "Flow Speed", "Time"])
def test_a_source_that_says_nothing_gives_nan(make_work, name):
    assert np.isnan(evaluate(make_work([PIXEL] * 2), FEATURES[name], ())).all()


def test_what_one_object_lacks_is_nan(make_work):
    facts = [{"camera_line": 0, "flow_speed": 60.0}, {}]
    work = make_work([PIXEL] * 2, facts=facts)
    for name in ("Camera Line Number", "Flow Speed"):
        first, second = evaluate(work, FEATURES[name], ())
        assert np.isfinite(first)
        assert np.isnan(second)


def test_objects_keep_their_numbers(real_work):
    assert np.array_equal(evaluate(real_work, FEATURES["Object Number"], ()), real_work.planes.object_numbers)
