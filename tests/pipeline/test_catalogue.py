"""The list of features: complete, and the page of the docs is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from ifcyto.errors import UsageError
from ifcyto.features.registry import FEATURES
from ifcyto.masks.library import MASKS
from ifcyto.pipeline.catalogue import feature_page, feature_rows, feature_text, mask_rows

PAGE = Path(__file__).resolve().parents[2] / "docs" / "features.md"


def test_everything_is_listed():
    assert [row[0] for row in feature_rows()[1:]] == list(FEATURES)
    assert len(mask_rows()) == len(MASKS) + 1


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_each_feature_says_what_it_is(name):
    spec = FEATURES[name]
    text = feature_text(name)
    assert spec.formula in text
    assert spec.source
    if spec.confidence.is_approximation:
        assert "approximation" in (spec.function.__doc__ or "").lower(), f"{name}: its docstring must say so"


def test_an_unknown_feature_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match="did you mean 'Area'"):
        feature_text("Arae")


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == feature_page()
