"""Judging objects of a stack: by number, in batches, with the model's own scale, channels and thresholds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ifcyto.classify.cnn.backend import keras
from ifcyto.classify.cnn.crops import cut
from ifcyto.classify.cnn.folder import CnnModel, ModelChannel
from ifcyto.classify.cnn.network import embedding_of
from ifcyto.classify.cnn.predict import label_objects, predict_rows
from ifcyto.errors import UsageError
from ifcyto.stack.cell_stack import CellStack

CHANNELS = (ModelChannel("BF", "Ch05", 5), ModelChannel("DRAQ5", "DNA", 1))


@pytest.fixture(scope="module")
def model(learned) -> CnnModel:
    found, _ = learned
    return CnnModel(found.network, "vgg_small", ("dark", "bright"), CHANNELS, 12, found.scale, 0.5)


def test_every_object_gets_its_class_whatever_the_batch(model, stack_path):
    path, codes = stack_path
    seen = []
    with CellStack.open(path) as stack:
        found = predict_rows(model, stack, embedding=True, batch=7, progress=lambda *now: seen.append(now))
        part = predict_rows(model, stack, np.array([30, 3]), batch=64)
        crops = cut(stack, np.arange(40), ["BF", "DNA"], 12)
    assert found.objects.tolist() == list(range(1, 80, 2))
    assert (found.labels == np.array(["dark", "bright"])[codes]).mean() > 0.9
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert part.objects.tolist() == [61, 7]
    np.testing.assert_allclose(part.probabilities, found.probabilities[[30, 3]], atol=1e-5)
    assert part.embedding is None
    assert seen == [(28, 40), (40, 40)]
    # Keras' own predict on images that plain numpy scales
    above = crops.images - crops.background[:, :, None, None]
    images = np.moveaxis(above / model.scale[:, None, None], 1, -1).astype(np.float32)
    logits = model.network.predict_on_batch(images)
    powers = np.exp(logits.astype(float))
    np.testing.assert_allclose(found.probabilities, powers / powers.sum(axis=1, keepdims=True), atol=1e-5)
    inner = keras.Model(model.network.inputs, embedding_of(model.network))
    np.testing.assert_allclose(found.embedding, inner.predict_on_batch(images), atol=1e-4)


def test_an_empty_choice_gives_nothing(model, stack_path):
    with CellStack.open(stack_path[0]) as stack:
        found = predict_rows(model, stack, np.empty(0, np.int64))
    assert len(found.objects) == len(found.labels) == 0
    assert found.probabilities.shape == (0, 2)


def test_temperature_and_thresholds_of_the_model_are_used(model, stack_path):
    with CellStack.open(stack_path[0]) as stack:
        plain = predict_rows(model, stack)
        careful = predict_rows(replace(model, temperature=4.0, thresholds={"bright": 0.99}), stack)
    odds = [np.log(found.probabilities[:, 1] / found.probabilities[:, 0]) for found in (plain, careful)]
    np.testing.assert_allclose(odds[1], odds[0] / 4, rtol=1e-6, atol=1e-9)
    sure = careful.probabilities[:, 1]
    expected = np.where(sure < 0.5, "dark", np.where(sure < 0.99, "Unknown", "bright"))
    assert careful.labels.tolist() == expected.tolist()
    assert "Unknown" in expected


def test_labels_against_plain_reading():
    shares = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4]])
    assert label_objects(shares, ["a", "b", "c"], {"a": 0.5, "b": 0.61}).tolist() == ["a", "Unknown", "c"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "the model needs the channel 'BF'"),
        ({"BF": 9}, "expected one channel for 9, found no channel"),
        ({"BF": 1}, "expected a channel of its own for each"),
        ({"Bf": 5}, r"expected channels of the model \(BF, DRAQ5\), found Bf"),
        ([5], r"expected 2 channels \(BF, DRAQ5\), found 1"),
        ({"BF": "SSC"}, "the model needs the channel 'BF'"),
    ],
    ids=str,
)
def test_channels_that_are_not_there_are_refused(model, tmp_path, given, expected):
    from ifcyto.cells import Cell, Channel
    from ifcyto.stack.write import write_stack

    cells = [Cell(0, np.zeros((2, 4, 4), np.int16))]
    path = write_stack(cells, tmp_path / "s.h5", channels=[Channel(1, "DNA"), Channel(5, "Ch5")])
    with CellStack.open(path) as stack, pytest.raises(UsageError, match=expected):
        predict_rows(model, stack, channels=given)


def test_channels_are_found_by_label_then_name_or_as_given(model, stack_path):
    with CellStack.open(stack_path[0]) as stack:
        assert model.channels_in(stack) == [5, 1]
        assert model.channels_in(stack, {"BF": 2}) == [2, 1]
        assert model.channels_in(stack, ["DNA", "BF"]) == [1, 5]


def test_another_pixel_size_is_refused(model, stack_path):
    with (
        CellStack.open(stack_path[0]) as stack,
        pytest.raises(
            UsageError, match=r"expected pixels of 0\.33 um, .* found 0\.5 um: another magnification"
        ),
    ):
        predict_rows(replace(model, pixel_size_um=0.33), stack)
