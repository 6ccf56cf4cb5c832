"""Plans of networks: shapes, seeds, ImageNet weights and a user's own."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ifcyto.classify.cnn.backend import choose_precision, keras
from ifcyto.classify.cnn.network import (
    ARCHITECTURES,
    build_network,
    embedding_of,
    last_maps,
    own_network,
)
from ifcyto.classify.cnn.pretrained import adapt_kernel, load_imagenet
from ifcyto.errors import UsageError

TWICE = ("vgg_small", "vgg16_bn")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_network_gives_logits_of_any_channels(name):
    network = build_network(name, (16, 16, 2), 3)
    assert network.input_shape == (None, 16, 16, 2)
    assert network.output_shape == (None, 3)
    last = network.layers[-1]
    assert (last.name, last.activation) == ("logits", keras.activations.linear)
    assert len(embedding_of(network).shape) == 2
    assert len(network.get_layer(last_maps(network)).output.shape) == 4
    assert ARCHITECTURES[name].about


def test_the_plan_of_vgg16_is_that_of_its_paper():
    """Widths of the 13 convolutions, from table 1 of Simonyan & Zisserman 2015."""
    widths = [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6
    for name in ("vgg16", "vgg16_bn"):
        layers = build_network(name, (32, 32, 3), 3).layers
        assert [x.filters for x in layers if isinstance(x, keras.layers.Conv2D)] == widths
    normalised = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(normalised) == 15  # of the 13 convolutions and the 2 dense layers
    assert 1e6 < build_network("vgg_small", (64, 64, 3), 3).count_params() < 1.3e6


@pytest.mark.parametrize("name", TWICE)
def test_the_same_seed_gives_the_same_weights_and_other_generators_are_left_alone(name):
    np.random.seed(4)  # noqa: NPY002 - what a user's program may do
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first, again, other = (build_network(name, (8, 8, 1), 2, seed=seed).get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_bfloat16_keeps_weights_and_logits_in_float32():
    network = build_network("vgg_small", (8, 8, 1), 2, precision="mixed_bfloat16")
    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert network.output.dtype == "float32"
    assert embedding_of(network).dtype == "bfloat16"
    assert keras.mixed_precision.dtype_policy().name == "float32"
    assert choose_precision("mixed_bfloat16") == "mixed_bfloat16"
    with pytest.raises(UsageError, match="expected a precision among auto, float32, mixed_bfloat16"):
        choose_precision("float8")


def test_small_images_are_enlarged_where_the_plan_needs_it():
    network = build_network("inceptionv3", (64, 64, 2), 3)
    assert network.get_layer("enlarged").output.shape == (None, 75, 75, 2)
    assert "enlarged" not in {layer.name for layer in build_network("vgg16", (32, 32, 2), 3).layers}


def test_unknown_networks_are_refused():
    with pytest.raises(UsageError, match=r"expected a network among vgg16, .*, found 'alexnet'"):
        build_network("alexnet", (8, 8, 1), 2)


@pytest.fixture(scope="module")
def vgg_weights(tmp_path_factory):
    """Random weights in the form in which keras gives those of ImageNet."""
    donor = keras.applications.VGG16(include_top=False, weights=None, input_shape=(75, 75, 3))
    path = tmp_path_factory.mktemp("weights") / "vgg16_notop.weights.h5"
    donor.save_weights(path)
    return path, donor


@pytest.mark.parametrize("name", ["vgg16", "vgg16_bn"])
@pytest.mark.parametrize("channels", [3, 2])
def test_imagenet_weights_go_into_every_convolution(vgg_weights, name, channels):
    path, donor = vgg_weights
    network = build_network(name, (32, 32, channels), 3)
    assert load_imagenet(network, name, path) == 13
    ours = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    theirs = [layer for layer in donor.layers if isinstance(layer, keras.layers.Conv2D)]
    for place, (mine, given) in enumerate(zip(ours, theirs, strict=True)):
        kernel = given.get_weights()[0]
        expected = adapt_kernel(kernel, channels) if place == 0 else kernel
        np.testing.assert_array_equal(mine.get_weights()[0], expected)


def test_an_adapted_first_layer_sees_grey_images_as_before(rng):
    kernel = rng.normal(size=(3, 3, 3, 4)).astype(np.float32)
    grey = rng.normal(size=(1, 8, 8, 1)).astype(np.float32)
    wanted, found = (
        keras.ops.conv(np.repeat(grey, n, axis=3), adapt_kernel(kernel, n), padding="same").numpy()
        for n in (3, 5)
    )
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_imagenet_weights_that_cannot_be_had_are_refused(tmp_path):
    small = build_network("vgg_small", (8, 8, 1), 2)
    with pytest.raises(UsageError, match="no ImageNet weights for vgg_small; there are for vgg16, vgg16_bn"):
        load_imagenet(small, "vgg_small", "imagenet")
    network = build_network("vgg16_bn", (32, 32, 2), 2)
    with pytest.raises(UsageError, match="found no such file"):
        load_imagenet(network, "vgg16_bn", tmp_path / "none.h5")
    (tmp_path / "bad.weights.h5").write_bytes(b"no weights")
    with pytest.raises(UsageError, match="cannot be had from"):
        load_imagenet(network, "vgg16_bn", tmp_path / "bad.weights.h5")


def own(activation: str | None = None):
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation=activation),
        ]
    )


def test_a_users_network_loses_its_softmax(tmp_path, rng):
    given = own("softmax")
    images = rng.normal(size=(5, 8, 8, 2)).astype(np.float32)
    shares = given.predict_on_batch(images)
    given.save(tmp_path / "own.keras")
    network = own_network(tmp_path / "own.keras", (8, 8, 2), 3)
    logits = network.predict_on_batch(images)
    powers = np.exp(logits)
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), shares, atol=1e-6)
    assert embedding_of(network).shape == (None, 144)


def test_users_networks_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(
        UsageError, match=r"expected images \(8, 8, 2\) and 4 classes, found \(8, 8, 2\) and 3"
    ):
        own_network(own(), (8, 8, 2), 4)
    with pytest.raises(UsageError, match="expected a dense layer at the end, found Softmax"):
        own_network(keras.Sequential([own(), keras.layers.Softmax()]), (8, 8, 2), 3)
    (tmp_path / "bad.keras").write_bytes(b"PK no zip")
    with pytest.raises(UsageError, match="cannot be read as a Keras model"):
        own_network(tmp_path / "bad.keras", (8, 8, 2), 3)
