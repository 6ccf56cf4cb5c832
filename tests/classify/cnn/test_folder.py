"""Folders of networks come back bit by bit; changed and hostile ones are refused and never run."""

from __future__ import annotations

import hashlib
import json
import zipfile

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ifcyto.classify.cnn.backend import keras
from ifcyto.classify.cnn.folder import CnnModel, ModelChannel, read_cnn_model, write_cnn_model
from ifcyto.classify.cnn.network import build_network
from ifcyto.classify.model_folder import read_model
from ifcyto.errors import FormatError, OutputError

CHANNELS = (ModelChannel("BF", "Ch01", 1), ModelChannel("DNA", "DRAQ5", 5))


def model(**change) -> CnnModel:
    parts = {
        "network": build_network("vgg_small", (8, 8, 2), 3, seed=2),
        "architecture": "vgg_small",
        "classes": ("BNE", "Doublet", "Größe"),
        "channels": CHANNELS,
        "size": 8,
        "scale": np.array([1 / 3, 77.7], np.float32),
        "pixel_size_um": 1 / 3,
        "temperature": 1.25,
        "thresholds": {"BNE": 0.8},
        "training": {"history": {"loss": [0.5, 0.25], "val_loss": [1.0, 0.1 + 0.2]}},
        "provenance": {"seed": 7},
        "views": 8,
    }
    return CnnModel(**{**parts, **change})


@pytest.fixture(scope="module")
def given() -> CnnModel:
    return model()


@pytest.fixture
def folder(tmp_path, given):
    write_cnn_model(tmp_path / "new" / "m", given)
    return tmp_path / "new" / "m"


def change_json(folder, **change) -> None:
    document = json.loads((folder / "model.json").read_text())
    for key, value in change.items():
        document.pop(key) if value is None else document.update({key: value})
    (folder / "model.json").write_text(json.dumps(document))


def rewrite(folder, change) -> None:
    """Change the network's plan, and the digest with it."""
    path = folder / "network.keras"
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    config = json.loads(parts["config.json"])
    change(config)
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, data in parts.items():
            file.writestr(name, data)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    change_json(folder, network={"file": "network.keras", "sha256": digest})


def test_everything_comes_back_bit_by_bit(folder, given):
    again = read_cnn_model(str(folder))
    pairs = zip(given.network.get_weights(), again.network.get_weights(), strict=True)
    assert all(a.tobytes() == b.tobytes() for a, b in pairs)
    for name in (
        "classes",
        "channels",
        "size",
        "pixel_size_um",
        "temperature",
        "thresholds",
        "views",
        "training",
    ):
        assert getattr(again, name) == getattr(given, name), name
    assert again.scale.tobytes() == given.scale.tobytes()
    images = np.random.default_rng(1).normal(size=(4, 8, 8, 2)).astype(np.float32)
    assert np.array_equal(*(one.network.predict_on_batch(images) for one in (given, again)))
    assert sorted(path.name for path in folder.iterdir()) == [
        "history.csv", "model.json", "network.keras", "training.json",
    ]  # fmt: skip
    assert (
        folder / "history.csv"
    ).read_text() == "epoch,loss,val_loss\n1,0.5,1.0\n2,0.25,0.30000000000000004\n"


def test_a_changed_network_is_refused(folder):
    path = folder / "network.keras"
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"network\.keras: expected the SHA-256 .* it was changed"):
        read_cnn_model(folder)
    path.unlink()
    with pytest.raises(FormatError, match=r"network\.keras: expected the network, found no file"):
        read_cnn_model(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "is of version 2, this ifcyto reads up to 1"),
        ({"method": "linear"}, "expected a model of the method network, found 'linear'"),
        ({"format": "x"}, "is no sound model"),
        (
            {"classes": ["BNE", "Doublet"], "thresholds": {}},
            r"images \(8, 8, 2\) and 2 classes, found .* and 3",
        ),
        ({"size": 16}, r"expected a network of images \(16, 16, 2\)"),
        ({"channels": [{"label": "BF", "name": "a", "number": 1}], "scale": [1]}, r"images \(8, 8, 1\)"),
        ({"channels": [{"label": "BF", "name": "a", "number": 1}] * 2}, "each channel once"),
        ({"scale": [1.0]}, "2 scales, one a channel, found 1"),
        ({"scale": [1.0, 0.0]}, r"scale\[1\]"),
        ({"scale": [1.0, float("inf")]}, "finite numbers"),
        ({"thresholds": {"Other": 0.5}}, "thresholds of classes, found Other"),
        ({"output": "probabilities"}, "output"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": -1.5}, "temperature"),
        ({"temperature": float("nan")}, "finite numbers"),
        ({"thresholds": {"BNE": 1.5}}, "thresholds"),
        ({"views": 3}, "views"),
        ({"views": "8"}, "views"),
        ({"provenance": None}, "'provenance' is a required property"),
    ],
    ids=str,
)
def test_unsound_documents_are_refused_with_file_and_key(folder, change, message):
    change_json(folder, **change)
    with pytest.raises(FormatError, match=message):
        read_cnn_model(folder)


def test_a_folder_of_before_there_were_views_has_one(folder):
    change_json(folder, views=None)
    assert "views" not in json.loads((folder / "model.json").read_text())
    assert read_cnn_model(folder).views == 1


def layer(config, kind):
    return next(one for one in config["config"]["layers"] if one["class_name"] == kind)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: layer(c, "ReLU").update(module="os", class_name="system"),
        lambda c: layer(c, "ReLU").update(module="subprocess", class_name="Popen"),
        lambda c: layer(c, "ReLU").update(module="keras.src.utils.file_utils", class_name="get_file"),
        lambda c: layer(c, "ReLU").update(class_name="Lambda"),
        lambda c: layer(c, "ReLU").update(registered_name="own>Layer"),
        lambda c: layer(c, "ReLU")["config"].update(
            negative_slope={"class_name": "__lambda__", "config": {}}
        ),
        lambda c: layer(c, "ReLU")["config"].update(
            negative_slope={"class_name": "function", "config": "system", "module": "builtins"}
        ),
        lambda c: layer(c, "ReLU").update(class_name="TFSMLayer"),
    ],
)
def test_networks_with_parts_that_are_not_keras_own_are_refused(folder, change):
    rewrite(folder, change)
    with pytest.raises(FormatError, match="expected layers of Keras alone, found"):
        read_cnn_model(folder)


def test_a_file_that_is_no_network_is_refused(folder):
    (folder / "network.keras").write_bytes(b"PK nothing")
    digest = hashlib.sha256(b"PK nothing").hexdigest()
    change_json(folder, network={"file": "network.keras", "sha256": digest})
    with pytest.raises(FormatError, match="expected a network in Keras' format"):
        read_cnn_model(folder)


def test_a_network_with_a_lambda_is_not_written(tmp_path):
    inputs = keras.Input((8, 8, 2))
    x = keras.layers.Lambda(lambda images: images + 1)(inputs)
    network = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(x)))
    with pytest.raises(ValueError, match=r"expected layers of Keras alone, found keras\.layers\.Lambda"):
        write_cnn_model(tmp_path / "m", model(network=network))
    assert list(tmp_path.iterdir()) == []


def test_the_other_reader_says_what_it_expected(folder):
    with pytest.raises(FormatError, match="expected a method among linear, trees, steps, found 'network'"):
        read_model(folder)


def test_other_things_are_not_replaced(folder, given):
    with pytest.raises(OutputError, match="exists already"):
        write_cnn_model(folder, given)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other things than a model"):
        write_cnn_model(folder, given, overwrite=True)
    (folder / "notes.txt").unlink()
    write_cnn_model(folder, given, overwrite=True)
    assert read_cnn_model(folder).size == 8


def test_a_network_of_another_shape_is_no_model():
    with pytest.raises(ValueError, match=r"expected a network of images \(9, 9, 2\)"):
        model(size=9)
