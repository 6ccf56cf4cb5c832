"""Grad-CAM against class activation maps, occlusion against a slow plain twin."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ifcyto.classify.cnn.backend import keras
from ifcyto.classify.cnn.explain import grad_cam, map_layers, occlusion
from ifcyto.classify.cnn.network import build_network, last_maps
from ifcyto.errors import UsageError


@pytest.fixture(scope="module")
def network():
    images = keras.Input((8, 8, 2))
    x = keras.layers.Conv2D(
        3,
        3,
        padding="same",
        activation="relu",
        name="conv",
        kernel_initializer=keras.initializers.GlorotUniform(seed=1),
    )(images)
    x = keras.layers.Conv2D(
        5, 3, padding="same", name="second", kernel_initializer=keras.initializers.GlorotUniform(seed=2)
    )(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(
        images,
        keras.layers.Dense(3, name="logits", kernel_initializer=keras.initializers.GlorotUniform(seed=3))(x),
    )


@pytest.fixture
def images(rng) -> np.ndarray:
    return rng.normal(size=(4, 8, 8, 2)).astype(np.float32)


def test_grad_cam_is_the_class_activation_map_of_a_network_that_ends_in_a_mean(network, images):
    """Zhou et al. 2016: there the weights of the last layer are the weights of its maps."""
    codes = np.array([0, 1, 2, 1])
    maps = keras.Model(network.inputs, network.get_layer("second").output).predict_on_batch(images)
    weights = network.layers[-1].get_weights()[0]
    expected = [
        np.maximum(sum(maps[i, :, :, k] * weights[k, code] / 64 for k in range(5)), 0)
        for i, code in enumerate(codes)
    ]
    found = grad_cam(network, images, codes)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.max() > 0


def test_grad_cam_of_an_inner_layer_against_finite_differences(network, images):
    before = keras.Model(network.inputs, network.get_layer("conv").output)
    after = keras.Sequential([keras.Input((8, 8, 3)), network.get_layer("second"),
                              keras.layers.GlobalAveragePooling2D(), network.layers[-1]])  # fmt: skip
    maps = before.predict_on_batch(images[:1])
    alphas = []
    for k in range(3):  # the network is linear behind this layer: a difference is the sum of slopes
        more = maps.copy()
        more[..., k] += 1
        alphas.append((after.predict_on_batch(more) - after.predict_on_batch(maps))[0, 2] / 64)
    expected = np.maximum((maps[0] * alphas).sum(axis=-1), 0)
    found = grad_cam(network, images[:1], np.array([2]), layer="conv")
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@pytest.mark.parametrize(("window", "step", "channel"), [(3, 2, None), (2, 2, 1), (8, 8, 0)])
def test_occlusion_equals_a_slow_twin(network, images, window, step, channel):
    def share(image, code):
        powers = np.exp(network.predict_on_batch(image[None])[0].astype(float) / 2)
        return powers[code] / powers.sum()

    starts = sorted({*range(0, 9 - window, step), 8 - window})
    for image, code in zip(images[:2], (2, 0), strict=True):
        drops: dict[tuple[int, int], list[float]] = {}
        for row in starts:
            for column in starts:
                hidden = image.copy()
                for i in range(row, row + window):
                    for j in range(column, column + window):
                        hidden[i, j, slice(None) if channel is None else channel] = 0
                drop = share(image, code) - share(hidden, code)
                for i in range(row, row + window):
                    for j in range(column, column + window):
                        drops.setdefault((i, j), []).append(drop)
        expected = np.array([[np.mean(drops[i, j]) for j in range(8)] for i in range(8)])
        found = occlusion(
            network, image[None], np.array([code]), window=window, step=step, channel=channel, temperature=2
        )
        np.testing.assert_allclose(found[0], expected, atol=1e-6)


def test_what_a_network_learned_lies_where_it_is(learned, crops):
    found, parts = learned
    rows = np.flatnonzero((crops[1] == 1) & (parts == 2))
    images = crops[0].scaled(rows, found.scale)
    heat = occlusion(found.network, images, np.ones(len(rows), np.int64), window=4, step=2).mean(axis=0)
    assert heat[4:8, 4:8].mean() > 2 * abs(heat[[0, -1]]).mean()


def test_every_layer_with_maps_can_be_asked_for():
    network = build_network("vgg_small", (16, 16, 2), 2)
    layers = map_layers(network)
    assert layers["block1_conv1"] == (16, 16, 32)
    assert last_maps(network) == "block4_conv2_relu"
    assert "logits" not in layers


def test_what_is_not_there_is_refused(network, images):
    codes = np.zeros(4, np.int64)
    with pytest.raises(
        UsageError, match=r"expected a layer that gives maps \(conv, second\), found 'logits'"
    ):
        grad_cam(network, images, codes, layer="logits")
    with pytest.raises(UsageError, match="expected classes from 0 to 2, found 3 to 3"):
        grad_cam(network, images, codes + 3)
    with pytest.raises(UsageError, match=r"expected images \(n, \(8, 8, 2\)\)"):
        grad_cam(network, images[:, 1:], codes)
    with pytest.raises(UsageError, match="expected 1 <= step <= window <= 8"):
        occlusion(network, images, codes, window=9)
    with pytest.raises(UsageError, match="expected a channel from 0 to 1, found 2"):
        occlusion(network, images, codes, channel=2)
