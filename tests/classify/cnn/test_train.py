"""Training on tiny images: it learns, repeats itself, goes on after a kill, and never sees the test part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ifcyto.classify.cnn.backend import keras
from ifcyto.classify.cnn.batches import class_weights, epoch_order, training_batches
from ifcyto.classify.cnn.crops import training_scale
from ifcyto.classify.cnn.options import CnnOptions
from ifcyto.classify.cnn.schedule import COLUMNS
from ifcyto.classify.cnn.split import TEST, TRAINING, three_parts
from ifcyto.classify.cnn.train import train_network

QUICK = CnnOptions(size=12, epochs=3, batch=16)


class StopError(Exception):
    """Stands for a kill."""


def same(first, second) -> bool:
    pairs = zip(first.network.get_weights(), second.network.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def tiny():
    """A network that compiles quickly, with dropout."""
    return keras.Sequential(
        [
            keras.Input((12, 12, 2)),
            keras.layers.Conv2D(
                4, 3, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(seed=2)
            ),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dropout(0.2, seed=3),
            keras.layers.Dense(2, kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
        ]
    )


def test_it_learns_what_can_be_learned(crops, learned):
    found, parts = learned
    codes = crops[1]
    judged = found.logits.argmax(axis=1)
    assert (judged == codes)[parts == TEST].all()
    assert set(found.history) == set(COLUMNS)
    assert {len(values) for values in found.history.values()} == {4}
    assert found.history["val_loss"][found.best] == min(found.history["val_loss"])
    assert found.reason == "all 4 epochs are done"
    assert np.array_equal(found.scale, training_scale(crops[0], np.flatnonzero(parts == TRAINING)))


def test_the_same_seed_gives_the_same_weights_and_another_one_others(crops):
    images, codes = crops
    parts, _ = three_parts(codes)
    first, again, other = (
        train_network(images, codes, parts, 2, replace(QUICK, seed=seed), own=tiny()) for seed in (1, 1, 2)
    )
    assert same(first, again)
    assert first.history["loss"] == again.history["loss"]
    assert not same(first, other)


def test_a_killed_training_goes_on_and_ends_with_the_same_weights(crops, tmp_path):
    images, codes = crops
    parts, _ = three_parts(codes)
    whole = train_network(images, codes, parts, 2, QUICK, own=tiny())

    def kill(done: int, total: int) -> None:
        if done > 2 * total // 3:
            raise StopError

    with pytest.raises(StopError):
        train_network(images, codes, parts, 2, QUICK, own=tiny(), work=tmp_path, save_every=0, progress=kill)
    assert {path.name for path in tmp_path.iterdir()} == {
        "best-00002.keras",
        "last-00002.keras",
        "mean-00002.keras",
        "state.json",
    }
    seen = []
    resumed = train_network(
        images, codes, parts, 2, QUICK, own=tiny(), work=tmp_path, save_every=0,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert same(whole, resumed)
    assert resumed.history["loss"] == whole.history["loss"]
    assert seen[0] == (7, 9)  # two epochs of three batches were done
    assert seen[-1] == (9, 9)
    done = train_network(images, codes, parts, 2, QUICK, own=tiny(), work=tmp_path)
    assert same(whole, done)  # a complete training is not done again
    assert done.history["seconds"] == resumed.history["seconds"]


def test_without_an_average_the_weights_of_the_last_step_are_judged(crops, tmp_path):
    images, codes = crops
    parts, _ = three_parts(codes)
    how = replace(QUICK, average=0, epochs=1)
    plain = train_network(images, codes, parts, 2, how, own=tiny(), work=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "best-00001.keras",
        "last-00001.keras",
        "state.json",
    }
    last = keras.saving.load_model(tmp_path / "last-00001.keras").layers[-1].get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(plain.network.get_weights(), last, strict=True))
    mean = train_network(images, codes, parts, 2, replace(how, average=1), own=tiny())
    assert mean.history["loss"] == plain.history["loss"]
    assert not same(mean, plain)


def test_the_state_of_another_training_is_not_taken(crops, tmp_path):
    images, codes = crops
    parts, _ = three_parts(codes)

    def kill(done: int, total: int) -> None:
        if done > total // 3:
            raise StopError

    with pytest.raises(StopError):
        train_network(images, codes, parts, 2, QUICK, own=tiny(), work=tmp_path, save_every=0, progress=kill)
    seen = []
    other = replace(QUICK, smoothing=0.1)
    train_network(
        images, codes, parts, 2, other, own=tiny(), work=tmp_path, progress=lambda *now: seen.append(now)
    )
    assert seen[0] == (1, 9)


def test_test_images_and_labels_change_nothing(crops):
    images, codes = crops
    parts, _ = three_parts(codes)
    first = train_network(images, codes, parts, 2, QUICK, own=tiny())
    other = images.images.copy()
    other[parts == TEST] = 7
    flipped = np.where(parts == TEST, 1 - codes, codes)
    second = train_network(replace(images, images=other), flipped, parts, 2, QUICK, own=tiny())
    assert same(first, second)
    assert np.array_equal(first.scale, second.scale)


@pytest.mark.parametrize(
    "change",
    [
        {"balance": "weights"},
        {"balance": "none", "focal": 2.0},
        pytest.param({"precision": "mixed_bfloat16", "epochs": 1}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_losses_balances_and_precision_run_and_differ(crops, change):
    images, codes = crops
    rows = np.flatnonzero((codes == 0) | (np.arange(60) < 20))  # a rare class
    parts, _ = three_parts(codes[rows])
    how = replace(QUICK, **change)
    own = None if "precision" in change else tiny()
    found = train_network(images.take(rows), codes[rows], parts, 2, how, own=own)
    assert np.isfinite(found.history["loss"]).all()
    assert {str(weight.dtype) for weight in found.network.weights} == {"float32"}
    assert found.precision == change.get("precision", "float32")
    if own is not None:
        plain = train_network(images.take(rows), codes[rows], parts, 2, QUICK, own=tiny())
        assert found.history["loss"] != plain.history["loss"]


def test_an_epoch_draws_every_class_alike_and_depends_on_its_number_alone(rng):
    codes = np.repeat([0, 1, 2], [60, 6, 24])
    rows = rng.permutation(200)[:90]
    order = epoch_order(rows, codes, resample=True, seed=1, epoch=4)
    drawn = codes[np.argsort(rows)][np.searchsorted(np.sort(rows), order)]
    assert np.bincount(drawn).tolist() == [30, 30, 30]
    rare = order[drawn == 1]
    assert set(np.unique(rare, return_counts=True)[1]) == {5}
    assert np.array_equal(order, epoch_order(rows, codes, resample=True, seed=1, epoch=4))
    assert not np.array_equal(order, epoch_order(rows, codes, resample=True, seed=1, epoch=5))
    assert sorted(epoch_order(rows, codes, resample=False, seed=1, epoch=0)) == sorted(rows)


def test_class_weights_make_classes_count_alike():
    codes = np.repeat([0, 1, 3], [70, 20, 10])
    weights = class_weights(codes, 4)
    assert [weights[code] * n for code, n in ((0, 70), (1, 20), (3, 10))] == pytest.approx([100 / 3] * 3)


def test_batches_are_the_scaled_images_in_order(crops):
    images, codes = crops
    order = np.random.default_rng(1).permutation(60)[:21]
    targets = np.eye(2, dtype=np.float32)[codes]
    weights = np.arange(60, dtype=np.float32)
    scale = np.array([2, 4], np.float32)
    parts = list(training_batches(images, order, targets, weights, scale=scale, batch=8).as_numpy_iterator())
    assert [len(part[0]) for part in parts] == [8, 8, 5]
    np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), images.scaled(order, scale))
    np.testing.assert_array_equal(np.concatenate([part[1] for part in parts]), targets[order])
    np.testing.assert_array_equal(np.concatenate([part[2] for part in parts]), order)
