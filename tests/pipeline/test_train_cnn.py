"""Networks from tagged objects of files: parts, repeats, records, resumption, and the way to labels."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

pytest.importorskip("tensorflow")

from ifcyto.cells import Cell, Channel
from ifcyto.classify.cnn.backend import keras
from ifcyto.classify.cnn.crops import cut
from ifcyto.classify.cnn.folder import read_cnn_model
from ifcyto.classify.cnn.options import Augmentation, CnnOptions
from ifcyto.classify.cnn.split import PARTS, TEST, VALIDATION
from ifcyto.errors import UsageError
from ifcyto.pipeline import cnn_calibration
from ifcyto.pipeline.classify import classify_any, write_labels
from ifcyto.pipeline.classify_cnn import classify_images
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.explain import explain, write_explained
from ifcyto.pipeline.train_cnn import train_cnn
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.write import write_stack

QUICK = CnnOptions(size=8, epochs=2, batch=16, seed=3)
CHANNELS = [Channel(1, "BF", pixel_size_um=0.5), Channel(2, "CD235a", pixel_size_um=0.5),
            Channel(5, "DRAQ5", pixel_size_um=0.5)]  # fmt: skip


class StopError(Exception):
    """Stands for a kill."""


@pytest.fixture(scope="module")
def own():
    """A network that compiles quickly."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(
                4, 3, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(seed=1)
            ),
            layers.GlobalMaxPooling2D(),
            layers.Dense(2, kernel_initializer=keras.initializers.GlorotUniform(seed=2)),
        ]
    )


def stack(path, seed: int, n: int = 30):
    rng = np.random.default_rng(seed)
    cells = []
    for i in range(n):
        images = rng.normal(100, 5, (3, 12, 12))
        images[:, 4:8, 4:8] += 60 * (i % 2)
        cells.append(Cell(3 * i, images.astype(np.int16), None, {"background_mean": np.full(3, 100.0)}))
    return write_stack(cells, path, channels=CHANNELS)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Four samples and the truth of all their objects."""
    folder = tmp_path_factory.mktemp("cnn")
    samples = {f"S{i}": stack(folder / f"S{i}.h5", i) for i in range(4)}
    truth = {(name, 3 * i): ("one", "two")[i % 2] for name in samples for i in range(30)}
    return samples, truth


@pytest.fixture(scope="module")
def trained(study, own, tmp_path_factory):
    samples, truth = study
    folder = tmp_path_factory.mktemp("model") / "m"
    how = replace(QUICK, epochs=8, folds=2)
    return train_cnn(samples, truth, folder, channels={"DNA": "DRAQ5", "BF": 1}, options=how, own=own)


def test_the_record_tells_what_was_done(trained):
    record = json.loads((trained.folder / "training.json").read_text())
    assert record == trained.record
    assert record["grouped"] is True
    assert record["n_truth"] == {"one": 60, "two": 60}
    assert record["parts"] == {"training": {"one": 30, "two": 30}, "validation": {"one": 15, "two": 15},
                               "test": {"one": 15, "two": 15}}  # fmt: skip
    assert len(record["history"]["loss"]) == 8
    assert record["judged"] == "folds"
    assert np.sum(record["matrix"]) == 120
    assert len(record["folds"]["balanced_accuracy"]) == 2
    assert record["balanced_accuracy"]["mean"] == pytest.approx(np.mean(record["folds"]["balanced_accuracy"]))
    digests = [source["sha256"] for source in read_cnn_model(trained.folder).provenance["sources"]]
    assert len(set(digests)) == 4


def test_samples_are_kept_whole_in_the_parts_and_in_the_record(trained):
    for name in np.unique(trained.truth.samples):
        assert len(set(trained.parts[trained.truth.samples == name])) == 1
    for row, part in zip(trained.record["objects"], trained.parts, strict=True):
        assert row["part"] == PARTS[part]
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_the_matrix_is_that_of_the_objects(trained):
    classes = trained.record["classes"]
    matrix = np.zeros((2, 2), int)
    for row in trained.record["objects"]:
        matrix[classes.index(row["label"]), int(np.argmax(row["probabilities"]))] += 1
    assert matrix.tolist() == trained.record["matrix"]
    test = trained.parts == TEST
    right = np.array(classes)[trained.probabilities[test].argmax(axis=1)] == trained.truth.labels[test]
    assert np.trace(trained.record["matrices"]["test"]) == right.sum()


def test_no_work_is_left_behind(trained):
    assert [path.name for path in trained.folder.parent.iterdir()] == ["m"]


def test_the_model_classifies_its_own_truth_as_it_did(trained, study):
    samples, _ = study
    found = classify_images(samples["S1"], trained.folder, images={"DNA": 5}, embedding=True)
    mine = trained.truth.samples == "S1"
    assert found.objects.tolist() == trained.truth.objects[mine].tolist()
    np.testing.assert_allclose(found.probabilities, trained.probabilities[mine], atol=1e-4)
    assert found.embedding.shape == (30, 4)
    part = classify_images(samples["S1"], trained.folder, objects=[9, 3], images={"DNA": 5})
    assert part.objects.tolist() == [3, 9]


def test_labels_are_written_with_the_probability_of_every_class(trained, study, tmp_path):
    found = classify_any(study[0]["S0"], trained.folder, images={"DNA": "DRAQ5"})
    path = write_labels(found, tmp_path / "l.csv", source=study[0]["S0"], threshold={"two": 0.9})
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["object", "label", "probability", "by", "when", "p one", "p two"]
    for row in rows:
        share = {name: float(row[f"p {name}"]) for name in ("one", "two")}
        assert sum(share.values()) == pytest.approx(1)
        best = max(share, key=share.get)
        assert row["label"] == ("Unknown" if best == "two" and share["two"] < 0.9 else best)
        assert row["by"] == "ifcyto own"


def test_objects_are_explained_in_arrays(trained, study, tmp_path):
    call = {"images": {"DNA": 5}, "window": 4, "step": 2}
    found = explain(study[0]["S0"], trained.folder, [15, 3], **call)
    assert found.objects.tolist() == [3, 15]
    said = classify_images(study[0]["S0"], trained.folder, objects=[3, 15], images={"DNA": 5})
    assert found.classes.tolist() == said.labels.tolist()
    np.testing.assert_allclose(found.probability, said.probability, atol=1e-6)
    assert found.grad_cam.shape == found.occlusion.shape == (2, 8, 8)
    assert found.by_channel.shape == found.images.shape == (2, 2, 8, 8)
    other = explain(study[0]["S0"], trained.folder, [3, 15], of_class="one", **call)
    np.testing.assert_allclose(other.probability, said.probabilities[:, 0], atol=1e-6)
    path = write_explained(found, tmp_path / "e.npz", source=study[0]["S0"])
    with np.load(path, allow_pickle=False) as arrays:
        assert set(arrays) >= {
            "objects",
            "classes",
            "grad_cam",
            "occlusion",
            "by_channel",
            "images",
            "channels",
        }
        assert arrays["channels"].tolist() == ["DNA", "BF"]
        np.testing.assert_array_equal(arrays["occlusion"], found.occlusion)
    with pytest.raises(UsageError, match="expected a class among one, two, found 'three'"):
        explain(study[0]["S0"], trained.folder, [3], of_class="three", **call)
    with pytest.raises(UsageError, match="expected 1 to 1,000 objects to explain, found 0"):
        explain(study[0]["S0"], trained.folder, None, **call)


def test_image_files_are_as_good_as_stacks(demo_cif, tmp_path, own):
    truth = {("s", i): ("one", "two")[i % 2] for i in range(30)}
    found = [
        train_cnn({"s": path}, truth, tmp_path / name, channels=["BF", "DRAQ5"], options=QUICK, own=own)
        for name, path in (("a", demo_cif), ("b", convert(demo_cif, tmp_path / "s.h5").outputs[0]))
    ]
    first, second = ([w.tobytes() for w in one.model.network.get_weights()] for one in found)
    assert first == second
    labels = [classify_images(demo_cif, one.folder).probabilities.tolist() for one in found]
    assert labels[0] == labels[1]
    assert len(labels[0]) == 40


def test_a_killed_training_goes_on(study, own, tmp_path, monkeypatch):
    from ifcyto.classify.cnn import train

    monkeypatch.setattr(train, "SAVE_EVERY", 0)
    samples, truth = study
    seen = []

    def kill(task: str, done: int, total: int) -> None:
        if task == "train" and done == total:
            raise StopError

    def see(task: str, done: int, total: int) -> None:
        seen.append((task, done, total))

    call = {"channels": ["BF", "DRAQ5"], "options": QUICK, "own": own}
    with pytest.raises(StopError):
        train_cnn(samples, truth, tmp_path / "m", progress=kill, **call)
    assert not (tmp_path / "m").exists()
    again = train_cnn(samples, truth, tmp_path / "m", progress=see, **call)
    steps = [step for step in seen if step[0] == "train"]
    assert steps[0] == ("train", 5, 8)  # the first epoch of four batches is not done again
    whole = train_cnn(samples, truth, tmp_path / "whole", **call)
    pairs = zip(again.model.network.get_weights(), whole.model.network.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.fixture
def repeated(tmp_path):
    """A stack whose objects 0 and 90 have the same images."""
    path = stack(tmp_path / "a.h5", 1)
    from ifcyto.stack.cell_stack import CellStack

    with CellStack.open(path) as opened:
        cells = list(opened.read_batch().cells())
    cells.append(Cell(90, cells[0].images, None, cells[0].facts))
    return write_stack(cells, tmp_path / "r.h5", channels=CHANNELS)


def test_the_same_images_twice_are_refused_or_left_out(repeated, own, tmp_path):
    truth = {("s", 3 * i): ("one", "two")[i % 2] for i in range(30)}
    call = {"channels": ["BF", "DRAQ5"], "own": own}
    both = {**truth, ("s", 90): "one"}
    message = "1 images occur more than once and would be in training and in test: s object 0, s object 90"
    with pytest.raises(UsageError, match=message):
        for seed in range(20):  # in one of them the two lie apart
            train_cnn(
                {"s": repeated},
                both,
                tmp_path / f"{seed}",
                options=replace(QUICK, seed=seed, epochs=1),
                **call,
            )
    found = train_cnn({"s": repeated}, both, tmp_path / "m", options=QUICK, drop_repeats=True, **call)
    assert found.record["n_truth"] == {"one": 15, "two": 15}
    assert "1 objects whose images came again were left out" in found.record["notes"]
    wrong = {**truth, ("s", 90): "two"}
    message = r"tagged with different classes: s object 0 \(one\), s object 90 \(two\)"
    with pytest.raises(UsageError, match=message):
        train_cnn({"s": repeated}, wrong, tmp_path / "w", options=QUICK, drop_repeats=True, **call)


@pytest.mark.parametrize(
    ("samples", "truth", "channels", "message"),
    [
        ({"s": "S0"}, {("t", 0): "one", ("t", 3): "two"}, None, "at least|two or more objects"),
        ({"s": "S0"}, {("t", 3 * i): "ab"[i % 2] for i in range(4)}, None, "samples that are not given: t"),
        ({"s": "S0"}, {("s", i): "ab"[i % 2] for i in range(4)}, None, "objects are not in the stack: 1, 2"),
        (
            {"s": "S0"},
            {("s", 3 * i): "ab"[i % 2] for i in range(4)},
            ["SSC"],
            "one channel for 'SSC', found no",
        ),
        (
            {"s": "t.h5ad"},
            {("s", 3 * i): "ab"[i % 2] for i in range(4)},
            None,
            "expected images, found a feature",
        ),
    ],
)
def test_what_cannot_be_trained_on_is_refused(study, tmp_path, samples, truth, channels, message):
    (tmp_path / "t.h5ad").write_bytes(b"\x89HDF\r\n\x1a\n")
    paths = {name: study[0].get(file, tmp_path / file) for name, file in samples.items()}
    with pytest.raises(UsageError, match=message):
        train_cnn(paths, truth, tmp_path / "m", channels=channels, options=QUICK)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.h5ad"]


def test_samples_that_differ_are_refused(study, tmp_path):
    samples, _ = study
    other = [
        Channel(1, "BF", pixel_size_um=0.3),
        Channel(2, "x", pixel_size_um=0.3),
        Channel(5, "DRAQ5", pixel_size_um=0.3),
    ]
    cells = [Cell(i, np.full((3, 9, 9), i, np.int16)) for i in range(4)]
    paths = {"a": samples["S0"], "b": write_stack(cells, tmp_path / "b.h5", channels=other)}
    truth = {("a", 0): "one", ("a", 3): "two", ("b", 0): "one", ("b", 1): "two"}
    with pytest.raises(UsageError, match="samples a and b: expected the same pixel size"):
        train_cnn(paths, truth, tmp_path / "m", channels=["BF"], options=QUICK)


@pytest.fixture(scope="module")
def careful(study, own, tmp_path_factory):
    """Trained on a truth in which every seventh object is of the other class."""
    samples, truth = study
    noisy = {
        key: "one" if (label == "two") ^ (i % 7 == 3) else "two"
        for i, (key, label) in enumerate(truth.items())
    }
    how = replace(QUICK, epochs=6, rate=0.05, views=8, wanted_precision=0.86)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cnn_calibration, "FEWEST", 20)
        return train_cnn(
            samples, noisy, tmp_path_factory.mktemp("careful") / "m", channels=["DRAQ5", "BF"],
            options=how, own=own, thresholds={"two": 0.6},
        )  # fmt: skip


def plain_logits(model, path, numbers) -> np.ndarray:
    """Mean over the eight orientations, in numpy's own words and Keras' own prediction."""
    with CellStack.open(path) as opened:
        crops = cut(opened, opened.rows_of(numbers), [5, 1], 8)
    images = (crops.images - crops.background[:, :, None, None]) / model.scale[:, None, None]
    views = []
    for square in (images, np.flip(images, 3)):
        for k in range(4):
            turned = np.moveaxis(np.rot90(square, k, axes=(2, 3)), 1, -1)
            views.append(model.network.predict_on_batch(np.ascontiguousarray(turned, np.float32)))
    return np.mean(views, axis=0, dtype=float)


def plain_shares(logits, temperature) -> np.ndarray:
    powers = np.exp(logits / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_temperature_is_fitted_on_the_validation_part_of_the_network_that_is_kept(careful, study):
    model = read_cnn_model(careful.folder)
    truth, parts = careful.truth, careful.parts
    (name,) = set(truth.samples[parts == VALIDATION])
    mine = truth.samples == name
    logits = plain_logits(model, study[0][name], truth.objects[mine])
    codes = (truth.labels[mine] == "two").astype(int)

    def loss(log: float) -> float:
        return -np.log(plain_shares(logits, np.exp(log))[np.arange(30), codes]).mean()

    best = minimize_scalar(loss, bounds=(-2.9, 2.9), method="bounded", options={"xatol": 1e-9})
    assert model.temperature == pytest.approx(np.exp(best.x), rel=1e-3)
    assert model.temperature != 1
    assert model.views == 8
    record = careful.record["calibration"]
    assert (record["temperature"], record["objects"], record["why_not"]) == (model.temperature, 30, "")
    (test,) = record["judged"]
    assert (test["of"], test["objects"]) == ("test", 30)
    shares = plain_shares(logits, model.temperature)
    np.testing.assert_allclose(careful.probabilities[mine], shares, atol=1e-4)
    said = {row["object"]: row["probabilities"] for row in careful.record["objects"] if row["sample"] == name}
    np.testing.assert_allclose([said[number] for number in truth.objects[mine].tolist()], shares, atol=1e-4)


def test_thresholds_are_the_users_or_those_that_the_wanted_precision_needs(careful, study):
    model = read_cnn_model(careful.folder)
    rows = np.flatnonzero(careful.parts == VALIDATION)
    shares, labels = careful.probabilities[rows], careful.truth.labels[rows]
    called = sorted(
        (-share[0], label == "one") for share, label in zip(shares, labels, strict=True) if share[0] > 0.5
    )
    right = np.cumsum([hit for _, hit in called]) / np.arange(1, len(called) + 1)
    kept = [n for n in range(10, len(called) + 1) if right[n - 1] >= 0.86]
    expected = {"two": 0.6}
    if kept and kept[-1] < len(called):
        expected["one"] = pytest.approx(-called[kept[-1] - 1][0])
    assert model.thresholds == expected
    record = careful.record["thresholds"]
    assert record["limits"] == model.thresholds
    assert (record["given"], record["chosen_on"], record["wanted_precision"]) == (["two"], "validation", 0.86)
    test = careful.parts == TEST
    (name,) = set(careful.truth.samples[test])
    found = classify_images(study[0][name], careful.folder)
    limits = np.array([model.thresholds.get("one", 0), 0.6])
    best = found.probabilities.argmax(axis=1)
    expected = np.where(found.probability < limits[best], "Unknown", np.array(["one", "two"])[best])
    assert found.labels.tolist() == expected.tolist()
    assert record["test"]["unknown"] == np.count_nonzero(expected == "Unknown")


def test_folds_choose_thresholds_and_judge_the_temperature(trained, study, own, tmp_path):
    assert trained.model.temperature == 1
    assert "too few to calibrate on, 40 are needed" in trained.record["notes"][-1]
    assert [one["of"] for one in trained.record["calibration"]["judged"]] == ["test", "folds"]
    how = replace(
        QUICK, epochs=5, rate=0.05, folds=2, wanted_precision=0.9, augmentation=Augmentation.none(), views=8
    )
    found = train_cnn(study[0], study[1], tmp_path / "m", channels={"DNA": 5, "BF": 1}, options=how, own=own)
    record = found.record["thresholds"]
    assert record["chosen_on"] == "folds"
    assert len(record["classes"]) == 2
    for row in record["classes"]:  # all but the test part, 30 of 120
        by_folds = [
            one for one in found.record["objects"]
            if one["part"] != "test" and np.argmax(one["probabilities"]) == ("one", "two").index(row["class"])
        ]  # fmt: skip
        assert row["judged"] == len(by_folds)
    assert (
        "it is judged in 8 views and was not trained on turned and mirrored images"
        in found.record["notes"][-1]
    )


def test_a_threshold_of_no_class_is_refused_before_anything_is_done(study, own, tmp_path):
    with pytest.raises(UsageError, match="expected classes among one, two, found 'three'"):
        train_cnn(study[0], study[1], tmp_path / "m", own=own, options=QUICK, thresholds={"three": 0.5})
    assert list(tmp_path.iterdir()) == []
