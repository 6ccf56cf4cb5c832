"""Augmentation: exact where only pixels move, background outside, nothing outside training."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve

pytest.importorskip("tensorflow")

from ifcyto.classify.cnn.augment import Focus, Intensity, Move, augmentation_layers
from ifcyto.classify.cnn.backend import keras
from ifcyto.classify.cnn.options import Augmentation


@pytest.fixture
def images(rng) -> np.ndarray:
    return rng.normal(size=(40, 9, 9, 2)).astype(np.float32)


def test_right_angles_and_mirrors_give_the_eight_symmetries_exactly(images):
    one = np.repeat(images[:1], 200, axis=0)
    found = Move(rotate="right", flip=True, seed=1)(one, training=True).numpy()
    symmetries = [np.rot90(image, k) for image in (one[0], one[0][:, ::-1]) for k in range(4)]
    seen = {
        next(i for i, wanted in enumerate(symmetries) if np.allclose(image, wanted, atol=1e-5))
        for image in found
    }
    assert seen == set(range(8))


def test_outside_training_nothing_changes(images):
    for layer in augmentation_layers(Augmentation(), seed=1):
        assert np.array_equal(layer(images, training=False), images)
        assert not np.array_equal(layer(images, training=True), images)
    assert augmentation_layers(Augmentation.none(), seed=1) == []


def test_what_comes_in_from_outside_is_background():
    ones = np.ones((50, 9, 9, 1), np.float32)
    found = Move(rotate="none", flip=False, shift=0.5, seed=2)(ones, training=True).numpy()
    assert found.min() == 0
    assert found.max() == pytest.approx(1)
    assert found[:, 4, 4].min() > 0.1


def test_scale_and_free_rotation_keep_the_middle():
    images = np.zeros((60, 33, 33, 1), np.float32)
    images[:, 12:21, 12:21] = 1
    found = Move(rotate="free", flip=True, scale=0.2, seed=3)(images, training=True).numpy()
    areas = found.sum(axis=(1, 2, 3))
    assert 81 * 0.8**2 * 0.95 < areas.min() < 75
    assert 87 < areas.max() < 81 * 1.2**2 * 1.05
    places = np.arange(33) - 16
    assert abs((found.sum(axis=(2, 3)) * places).sum(axis=1) / areas).max() < 1e-3


def test_intensity_is_one_factor_a_channel(images):
    ratio = Intensity(0.3, seed=4)(images, training=True).numpy() / images
    flat = ratio.reshape(40, 81, 2)
    np.testing.assert_allclose(flat, np.broadcast_to(flat[:, :1], flat.shape), rtol=1e-4)
    assert 0.7 <= ratio.min() < 0.75
    assert 1.25 < ratio.max() <= 1.3001
    assert np.abs(flat[:, 0, 0] - flat[:, 0, 1]).max() > 0.1


def test_focus_moves_towards_a_smoothed_image_or_away(images):
    line = np.array([1, 4, 6, 4, 1]) / 16
    found = Focus(1.0, seed=5)(images, training=True).numpy()
    parts = []
    for image, result in zip(images, found, strict=True):
        smooth = convolve(image, np.multiply.outer(line, line)[:, :, None], mode="constant")
        part = ((result - image) * (smooth - image)).sum() / np.square(smooth - image).sum()
        np.testing.assert_allclose(result, image + part * (smooth - image), atol=1e-4)
        parts.append(part)
    assert -0.5 <= min(parts) < -0.2
    assert 0.5 < max(parts) <= 1


def test_the_same_seed_varies_alike_and_layers_come_back_from_disk(images, tmp_path):
    first, again = (Move(shift=0.1, seed=6)(images, training=True).numpy() for _ in range(2))
    assert np.array_equal(first, again)
    inputs = x = keras.Input((9, 9, 2))
    for layer in augmentation_layers(Augmentation(), seed=7):
        x = layer(x)
    keras.Model(inputs, x).save(tmp_path / "a.keras")
    layers = keras.saving.load_model(tmp_path / "a.keras", safe_mode=True).layers[1:]
    assert [type(layer) for layer in layers] == [Move, Focus, Intensity]
    assert layers[0].get_config()["shift"] == Augmentation().shift
