"""Size features against the identities of real IDEAS output and plain numpy."""

from __future__ import annotations

import numpy as np

from ifcyto.features.registry import FEATURES
from ifcyto.features.workspace import evaluate


def test_area_is_pixels_times_pixel_size(real_work, objects):
    for mask in ("M01", "M05", "MC"):
        values = evaluate(real_work, FEATURES["Area"], (mask,))
        assert values.tolist() == [0.25 * inside.sum() for _, inside in objects(real_work, mask)]


def test_diameter_uses_3_14(real_work):
    area, diameter = (evaluate(real_work, FEATURES[name], ("M01",)) for name in ("Area", "Diameter"))
    assert np.array_equal(diameter, 2 * np.sqrt(area / 3.14))


def test_an_empty_mask_has_area_0_and_no_diameter(odd_work):
    assert evaluate(odd_work, FEATURES["Area"], ("M01",))[0] == 0
    assert np.isnan(evaluate(odd_work, FEATURES["Diameter"], ("M01",))[0])
