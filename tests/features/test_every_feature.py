"""What holds of every feature in the registry, on odd objects, odd pixels and real cells."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.errors import UsageError
from ifcyto.features.registry import FEATURES, feature_spec
from ifcyto.features.spec import Confidence
from ifcyto.features.workspace import evaluate

SPECS = list(FEATURES.values())
GROUPS = {
    "Size", "Location", "Shape", "Texture", "Signal Strength", "Comparison", "System", "Beyond IDEAS",
}  # fmt: skip


def arguments(spec, masks=("M01", "M02"), images=(0, 1)):
    """Arguments of the right kinds."""
    given = {
        "m": iter(masks),
        "i": iter((*images, images[0])),
        "s": iter([spec.scalar.default if spec.scalar else 4]),
        "b": iter([True, True]),
    }
    return tuple(next(given[letter]) for letter in spec.takes.arguments)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_the_declaration_is_complete(spec):
    assert spec.group in GROUPS
    assert spec.formula
    assert spec.source
    assert spec.function.__doc__
    assert (spec.group == "Beyond IDEAS") == (spec.confidence == Confidence.OWN)
    assert "_" not in spec.name, "names of columns are split at the first _"
    assert np.dtype(spec.dtype).kind in "fiu"
    assert np.isnan(spec.empty) or spec.empty == 0


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_odd_objects_give_numbers_or_nan_and_no_warning(spec, odd_work):
    values = evaluate(odd_work, spec, arguments(spec))
    assert values.shape == (len(odd_work),)
    assert values.dtype == np.float64
    assert not np.isinf(values).any()
    if "m" in spec.takes.arguments:
        empty = values[odd_work.count("M01") == 0]
        assert len(empty) == 1
        assert np.array_equal(empty, [spec.empty], equal_nan=True)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_pixels_that_are_no_numbers_give_nan_and_spoil_no_other_object(spec, make_work):
    rng = np.random.default_rng(3)
    mask = np.zeros((2, 15, 13), np.uint8)
    mask[:, 3:12, 2:11] = 1
    pairs = [(rng.normal(300, 80, (2, 15, 13)), mask) for _ in range(3)]
    known = {name: np.full(2, 5.0) for name in ("background_mean", "background_sd", "saturation_count")}
    sound = evaluate(make_work(pairs, facts=[known] * 3), spec, arguments(spec))
    pairs[1][0][:, 6, 6] = np.nan, np.inf
    spoilt = evaluate(make_work(pairs, facts=[known] * 3), spec, arguments(spec))
    assert np.array_equal(spoilt[[0, 2]], sound[[0, 2]], equal_nan=True)
    letters = spec.takes.arguments
    if "m" in letters and "i" in letters:
        assert np.isnan(spoilt[1])
    else:
        assert not np.isinf(spoilt[1])


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_pixels_beyond_all_bounds_give_numbers_or_nan_and_no_warning(spec, make_work):
    rng = np.random.default_rng(4)
    mask = np.zeros((2, 15, 13), np.uint8)
    mask[:, 3:12, 2:11] = 1
    sizes = (1e300, -1e300, 1e-300)
    work = make_work([(rng.random((2, 15, 13)) * size, mask) for size in sizes])
    values = evaluate(work, spec, arguments(spec))
    assert values.shape == (3,)
    assert not np.isinf(values).any()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_an_object_has_the_same_values_in_any_company(spec, real_work, make_work):
    """The first real cells by themselves, and among the others."""
    masks, images = ("M01", "M05"), (0, 4)
    together = evaluate(real_work, spec, arguments(spec, masks, images))
    bounds, heights, widths = real_work.geometry
    pairs, facts = [], []
    for i in (0, 7, 30):
        shape, part = (heights[i], widths[i]), slice(bounds[i], bounds[i + 1])
        planes = real_work.planes
        pairs.append(
            tuple(
                np.stack([read(c)[part].reshape(shape) for c in range(6)])
                for read in (planes.image, planes.stored_mask)
            )
        )
        facts.append({name: column[i] for name, column in planes.facts.items()})
    pairs = [(images_.astype(np.int16), masks_) for images_, masks_ in pairs]
    alone = evaluate(make_work(pairs, facts=facts), spec, arguments(spec, masks, images))
    if spec.name != "Object Number":  # objects are numbered anew
        np.testing.assert_allclose(alone, together[[0, 7, 30]], rtol=1e-12, atol=1e-9)


def test_misspelt_names_get_a_hint():
    with pytest.raises(UsageError, match="did you mean 'Bright Detail Intensity R3'"):
        feature_spec("Bright Detail Intensty R3")
    with pytest.raises(UsageError, match="no feature 'qqqq'"):
        feature_spec("qqqq")
