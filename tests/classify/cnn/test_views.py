"""Eight orientations of an image: exact moves of its pixels, and one answer for all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifcyto.classify.cnn.crops import Crops
from ifcyto.classify.cnn.options import JUDGING, CnnOptions
from ifcyto.classify.cnn.split import three_parts
from ifcyto.classify.cnn.views import orientations
from ifcyto.errors import UsageError


def by_hand(images: np.ndarray) -> list[np.ndarray]:
    """The eight orientations in numpy's own words."""
    turned = [np.rot90(images, k, axes=(1, 2)) for k in (0, 1, 2, 3)]
    return turned + [np.rot90(np.flip(images, 2), k, axes=(1, 2)) for k in (0, 1, 2, 3)]


def test_the_eight_are_all_moves_that_keep_pixels_whole(rng):
    images = rng.normal(size=(3, 5, 5, 2)).astype(np.float32)
    found = list(orientations(images, 8))
    assert np.array_equal(found[0], images)
    # with coordinates: each of the swaps and signs of (row, column)
    row, column = np.mgrid[:5, :5]
    for swap in (False, True):
        for up in (row, 4 - row):
            for across in (column, 4 - column):
                places = (across, up) if swap else (up, across)
                expected = images[:, places[0], places[1]]
                assert sum(np.array_equal(view, expected) for view in found) == 1
    assert [view.tolist() for view in orientations(images, 1)] == [images.tolist()]


@pytest.mark.parametrize(
    ("shape", "views", "message"),
    [
        ((1, 4, 4, 1), 3, "expected 1 or 8 views, found 3"),
        ((1, 4, 5, 1), 8, "expected square images for 8 views, found 4 x 5 pixels: ask for 1 view"),
    ],
)
def test_what_cannot_be_turned_is_refused(shape, views, message):
    with pytest.raises(UsageError, match=message):
        list(orientations(np.zeros(shape, np.float32), views))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"views": 4}, "expected 1 or 8 views, found 4"),
        ({"wanted_precision": 0.0}, r"expected a wanted precision above 0, up to 1, found 0\.0"),
        ({"wanted_precision": 95}, "a wanted precision above 0, up to 1, found 95"),
    ],
)
def test_options_that_cannot_be_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        CnnOptions(**settings)


def random_network(n_classes: int = 3):
    """A network with random weights: nothing in it cares for symmetry."""
    pytest.importorskip("tensorflow")
    from ifcyto.classify.cnn.backend import keras

    layers, start = keras.layers, keras.initializers.GlorotNormal
    images = x = keras.Input((6, 6, 2))
    x = layers.Conv2D(3, 3, activation="relu", kernel_initializer=start(seed=1))(x)
    x = layers.Dense(n_classes, kernel_initializer=start(seed=2))(layers.Flatten()(x))
    return keras.Model(images, x)


@pytest.fixture
def network():
    return random_network()


def test_the_mean_over_the_views_is_that_of_single_calls(network, rng):
    from ifcyto.classify.cnn.backend import keras
    from ifcyto.classify.cnn.network import embedding_of
    from ifcyto.classify.cnn.predict import Forward

    images = rng.normal(size=(7, 6, 6, 2)).astype(np.float32)
    logits, embedding = Forward(network, batch=3, views=8)(images)
    inner = keras.Model(network.inputs, embedding_of(network))
    alone = [network.predict_on_batch(np.ascontiguousarray(view)) for view in by_hand(images)]
    before = [inner.predict_on_batch(np.ascontiguousarray(view)) for view in by_hand(images)]
    np.testing.assert_allclose(logits, np.mean(alone, axis=0), atol=1e-5)
    np.testing.assert_allclose(embedding, np.mean(before, axis=0), atol=1e-5)
    kernel, bias = network.layers[-1].get_weights()
    np.testing.assert_allclose(logits, embedding @ kernel + bias, atol=1e-5)
    none = Forward(network, batch=3, views=8)(images[:0])
    assert [part.shape for part in none] == [(0, 3), (0, 48)]


def test_one_view_changes_with_the_orientation_and_eight_do_not(network, rng):
    from ifcyto.classify.cnn.predict import Forward

    images = rng.normal(size=(4, 6, 6, 2)).astype(np.float32)
    one, eight = (Forward(network, batch=4, views=views) for views in (1, 8))
    as_they_lie = one(images)[0], eight(images)[0]
    for view in by_hand(images)[1:]:
        turned = np.ascontiguousarray(view)
        assert np.abs(one(turned)[0] - as_they_lie[0]).max() > 0.1
        np.testing.assert_allclose(eight(turned)[0], as_they_lie[1], atol=1e-6)


def test_objects_of_a_stack_are_judged_in_the_views_of_the_model(learned, stack_path):
    from ifcyto.classify.cnn.crops import cut
    from ifcyto.classify.cnn.folder import CnnModel, ModelChannel
    from ifcyto.classify.cnn.predict import predict_rows
    from ifcyto.stack.cell_stack import CellStack

    channels = (ModelChannel("BF", "Ch05", 5), ModelChannel("DRAQ5", "DNA", 1))
    network, scale = learned[0].network, learned[0].scale
    model = CnnModel(network, "vgg_small", ("dark", "bright"), channels, 12, scale, 0.5, 2.0, views=8)
    with CellStack.open(stack_path[0]) as stack:
        found = predict_rows(model, stack, np.arange(9), batch=4)
        images = cut(stack, np.arange(9), ["BF", "DNA"], 12).scaled(np.arange(9), scale)
    alone = [network.predict_on_batch(np.ascontiguousarray(view)) for view in by_hand(images)]
    powers = np.exp(np.mean(alone, axis=0, dtype=float) / 2.0)
    np.testing.assert_allclose(found.probabilities, powers / powers.sum(axis=1, keepdims=True), atol=1e-5)


def test_a_complete_training_is_judged_again_without_being_done_again(crops, tmp_path):
    own = random_network(2)
    from ifcyto.classify.cnn.train import train_network

    images, codes = crops[0].take(np.arange(30)), crops[1][:30]
    images = Crops(images.images[:, :, 3:9, 3:9], images.background)
    parts, _ = three_parts(codes)
    how = CnnOptions(size=8, epochs=2, batch=16)
    first = train_network(images, codes, parts, 2, how, own=own, work=tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    steps = []
    again = train_network(
        images, codes, parts, 2, replace(how, views=8, wanted_precision=0.9), own=own, work=tmp_path,
        progress=lambda *now: steps.append(now),
    )  # fmt: skip
    assert len(steps) == 1  # the last one: all is done
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert again.history == first.history
    scaled = images.scaled(np.arange(30), first.scale)
    alone = [first.network.predict_on_batch(np.ascontiguousarray(view)) for view in by_hand(scaled)]
    np.testing.assert_allclose(again.logits, np.mean(alone, axis=0), atol=1e-5)
    np.testing.assert_allclose(first.logits, alone[0], atol=1e-5)
    assert np.abs(again.logits - first.logits).max() > 1e-3


def test_what_is_made_of_a_training_does_not_make_it_another():
    pytest.importorskip("tensorflow")
    from ifcyto.classify.cnn.train import _key

    images = np.arange(3 * 2 * 4 * 4).reshape(3, 2, 4, 4).astype(np.int16)
    crops = Crops(images, np.array([[1, 2]] * 3, np.float32))
    large = CnnOptions(architecture="vgg16_bn", size=40, epochs=25, precision="mixed_bfloat16")
    others = (replace(large, views=8, wanted_precision=0.9), replace(large, average=0), CnnOptions())
    first, same, *different = (
        _key(crops, np.array([0, 1, 0]), np.array([0, 0, 1]), options, "float32")
        for options in (large, *others)
    )
    assert first == same
    assert len({first, *different}) == 3
    assert set(JUDGING) < set(CnnOptions().to_dict())
