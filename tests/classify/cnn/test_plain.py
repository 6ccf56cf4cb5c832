"""What needs no keras: options, crops, parts and schedules."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ifcyto.classify.cnn.crops import Crops, cut, join, repeats, training_scale
from ifcyto.classify.cnn.options import Augmentation, CnnOptions
from ifcyto.classify.cnn.schedule import best_epoch, learning_rate, stop_reason
from ifcyto.classify.cnn.split import TEST, TRAINING, VALIDATION, fold_parts, three_parts
from ifcyto.classify.crossval import Objects, split
from ifcyto.classify.training import TrainOptions
from ifcyto.errors import UsageError
from ifcyto.stack.cell_stack import CellStack


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 4}, "expected a size from 8 to 512 pixels, found 4"),
        ({"balance": "luck"}, "expected balance among none, weights, resample, found 'luck'"),
        ({"folds": 1}, "expected 0 or 2 to 20 folds, found 1"),
        ({"smoothing": 1.0}, "label smoothing"),
        ({"schedule": "up"}, "a schedule among"),
        ({"validation": 0}, "a validation part above 0"),
    ],
)
def test_options_that_cannot_be_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        CnnOptions(**settings)


def test_augmentation_has_limits():
    with pytest.raises(UsageError, match=r"expected shift from 0 to 0\.5, found 2"):
        Augmentation(shift=2)
    assert CnnOptions(augmentation=Augmentation.none()).to_dict()["augmentation"]["rotate"] == "none"


def test_cuts_are_the_images_of_the_stack_with_their_background(stack_path):
    with CellStack.open(stack_path[0]) as stack:
        rows = np.array([5, 0, 39])
        found = cut(stack, rows, ["BF", "DNA"], 16)
        np.testing.assert_array_equal(found.images, stack.images(rows, ["BF", "DNA"], 16))
        assert found.background.tolist() == [[100, 100]] * 3


def test_scaling_against_plain_numpy(rng):
    images = rng.integers(-50, 900, (7, 2, 4, 5)).astype(np.int16)
    background = rng.integers(0, 99, (7, 2)).astype(np.float32)
    crops, rows = Crops(images, background), np.array([1, 4, 6])
    expected = []
    for c in range(2):
        values = [float(value) - background[r, c] for r in rows for value in images[r, c].ravel()]
        expected.append(math.sqrt(sum(value**2 for value in values) / len(values)))
    scale = training_scale(crops, rows)
    np.testing.assert_allclose(scale, expected, rtol=1e-6)
    scaled = crops.scaled(rows, scale)
    assert scaled.shape == (3, 4, 5, 2)
    assert scaled[1, 2, 3, 1] == pytest.approx(
        (images[4, 1, 2, 3] - background[4, 1]) / expected[1], rel=1e-6
    )


def test_an_empty_channel_has_the_scale_1():
    assert training_scale(Crops(np.full((2, 1, 3, 3), 9), np.full((2, 1), 9, np.float32)), np.arange(2)) == [
        1
    ]


def test_the_same_image_again_is_found(rng):
    crops = Crops(rng.integers(0, 2, (40, 1, 2, 2)).astype(np.int16), np.zeros((40, 1), np.float32))
    expected: dict[tuple, list[int]] = {}
    for row, image in enumerate(crops.images):
        expected.setdefault(tuple(image.ravel()), []).append(row)
    assert [group.tolist() for group in repeats(crops)] == [
        rows for rows in expected.values() if len(rows) > 1
    ]
    assert repeats(join([crops.take(np.array([0])), crops.take(np.array([0]))]))[0].tolist() == [0, 1]


def test_three_parts_are_stratified_and_seeded(rng):
    codes = rng.permutation(np.repeat([0, 1, 2, 3], [147, 350, 261, 2]))
    parts, whole = three_parts(codes, seed=5)
    counts = np.array([np.bincount(parts[codes == code], minlength=3) for code in range(4)])
    assert counts.tolist() == [[117, 15, 15], [280, 35, 35], [209, 26, 26], [2, 0, 0]]
    assert not whole
    assert np.array_equal(parts, three_parts(codes, seed=5)[0])
    assert not np.array_equal(parts, three_parts(codes, seed=6)[0])


@pytest.mark.parametrize("n_groups", [3, 7, 20])
def test_three_parts_keep_groups_whole(rng, n_groups):
    groups = np.array([f"MDS{i}" for i in range(n_groups)])[rng.integers(0, n_groups, 600)]
    codes = rng.integers(0, 3, 600)
    parts, whole = three_parts(codes, groups=groups, seed=1)
    assert whole
    assert set(parts) == {TRAINING, VALIDATION, TEST}
    for name in np.unique(groups):
        assert len(set(parts[groups == name])) == 1
    assert set(codes[parts == TRAINING]) == {0, 1, 2}


def test_two_files_are_mixed_and_a_class_of_one_file_among_three_trains():
    groups = np.repeat(["a", "b"], 30)
    assert not three_parts(np.arange(60) % 2, groups=groups)[1]
    groups = np.repeat(["a", "b", "c"], 20)
    codes = np.where(groups == "b", np.arange(60) % 2, 0)
    parts, _ = three_parts(codes, groups=groups)
    assert set(parts[groups == "b"]) == {TRAINING}


def test_classes_that_no_training_could_hold_are_refused():
    groups = np.repeat(["a", "b", "c"], 10)
    with pytest.raises(UsageError, match="leave some class without training objects"):
        three_parts(np.repeat([0, 1, 2], 10), groups=groups)


@pytest.mark.parametrize("grouped", [False, True])
def test_folds_are_those_of_the_feature_based_classifier(rng, grouped):
    codes = rng.integers(0, 3, 200)
    groups = rng.integers(0, 12, 200) if grouped else None
    found = fold_parts(codes, ("a", "b", "c"), 4, groups=groups, seed=3)
    objects = Objects(np.empty((200, 0)), codes, (), ("a", "b", "c"), groups)
    expected = split(objects, TrainOptions(folds=4, seed=3))
    assert [np.flatnonzero(parts == TEST).tolist() for parts in found] == [
        test.tolist() for _, test in expected
    ]
    for parts in found:
        assert set(codes[parts == TRAINING]) == {0, 1, 2}
        assert np.count_nonzero(parts == VALIDATION) > 5
        if groups is not None:
            assert not set(groups[parts == TRAINING]) & set(groups[parts != TRAINING])


def test_plateau_halves_the_rate_when_validation_stands_still():
    options = CnnOptions(schedule="plateau", patience=6)
    losses = [1.0, 0.9, 0.95, 0.96, 0.97, 0.98, 0.5]
    rates = [learning_rate(epoch, losses[:epoch], options, 1.0) for epoch in range(8)]
    assert rates == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25]


def history(**columns):
    return {"loss": [0.5] * 9, **columns}


def test_training_stops_where_validation_no_longer_improves():
    options = CnnOptions(patience=3, epochs=50)
    losses = [3.0, 2.0, 2.5, 2.1, 2.0]
    reasons = [stop_reason(history(val_loss=losses[:n]), options) for n in range(6)]
    assert reasons == [""] * 5 + ["validation has not improved for 3 epochs"]
    assert stop_reason(history(val_loss=losses), CnnOptions(stop="never", epochs=6)) == ""
    assert stop_reason(history(val_loss=losses), CnnOptions(epochs=5)) == "all 5 epochs are done"
    assert best_epoch(losses) == 1


def test_training_stops_where_training_and_validation_meet():
    curves = history(
        val_loss=[3.0, 2.0, 1.0, 0.9], accuracy=[0.5, 0.7, 0.8, 0.9], val_accuracy=[0.6, 0.7, 0.8, 0.9]
    )
    assert "have met" in stop_reason(curves, CnnOptions(stop="meet"))
    assert stop_reason(curves, CnnOptions()) == ""
    curves["val_accuracy"][2] = 0.81
    assert stop_reason(curves, CnnOptions(stop="meet")) == ""


def test_a_loss_that_is_no_number_stops():
    curves = {"loss": [1.0, math.nan], "val_loss": [1.0, math.nan]}
    assert "is no number: try a lower rate" in stop_reason(curves, CnnOptions())
    assert best_epoch(curves["val_loss"]) == 0
    assert best_epoch([math.nan]) == -1
