"""Suggestions and groups by a network: the same objects as its own probabilities and embedding give."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ifcyto.classify.cnn.backend import keras
from ifcyto.classify.cnn.folder import CnnModel, ModelChannel, write_cnn_model
from ifcyto.classify.groups import group_alike
from ifcyto.classify.suggest import suggest
from ifcyto.classify.training import TrainOptions
from ifcyto.errors import UsageError
from ifcyto.pipeline.classify_cnn import classify_images
from ifcyto.pipeline.group_objects import from_groups
from ifcyto.pipeline.measure import measure_to_file
from ifcyto.pipeline.suggest import from_model
from ifcyto.pipeline.to_tag import Wanted
from ifcyto.pipeline.train import train
from ifcyto.samples.demo import write_demo_cif

TAGS = {0: "BNE", 3: "Doublet", 6: "BNE"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A file of images and the folder of a small network; its weights are as they were drawn."""
    folder = tmp_path_factory.mktemp("suggest_cnn")
    layers, draw = keras.layers, keras.initializers.GlorotUniform
    images = keras.Input((16, 16, 2))
    found = layers.Conv2D(6, 3, activation="relu", kernel_initializer=draw(seed=1))(images)
    found = layers.GlobalAveragePooling2D()(found)
    network = keras.Model(images, layers.Dense(2, kernel_initializer=draw(seed=2))(found))
    channels = (ModelChannel("BF", "BF", 1), ModelChannel("DRAQ5", "DRAQ5", 5))
    model = CnnModel(network, "own", ("BNE", "Doublet"), channels, 16, np.array([60, 400], np.float32), None)
    write_cnn_model(folder / "m", model)
    return write_demo_cif(folder / "cells.cif", n_cells=60, seed=3), folder / "m"


def test_a_network_suggests_what_its_probabilities_say(place):
    cif, model = place
    judged = classify_images(cif, model, embedding=True)
    free = np.array([number not in TAGS for number in judged.objects.tolist()])
    for order in ("uncertain", "certain", "diverse"):
        found = from_model(cif, model, TAGS, Wanted(order, 8), seed=4)
        alone = suggest(
            judged.probabilities, judged.classes,
            order=order, n=8, tagged=~free, values=judged.embedding.astype(float), seed=4,
        )  # fmt: skip
        assert found.objects.tolist() == judged.objects[alone.rows].tolist()
        assert found.columns["p BNE"] == judged.probabilities[alone.rows, 0].tolist()
        assert len(set(found.objects.tolist()) - set(TAGS)) == 8


def test_groups_are_those_of_the_embedding(place):
    cif, model = place
    found = from_groups(cif, TAGS, model=model, groups=3, size=40, seed=1)
    assert len(found.objects) == 40
    assert not set(found.objects.tolist()) & set(TAGS)
    judged = classify_images(cif, model, objects=sorted(found.objects.tolist()), embedding=True)
    alike = group_alike(judged.embedding.astype(float), groups=3)
    assert found.objects.tolist() == judged.objects[alike.rows].tolist()
    assert found.columns["group"] == alike.group.tolist()
    assert np.isfinite([found.columns["x"], found.columns["y"]]).all()


def test_a_network_needs_images(place, tmp_path):
    cif, model = place
    table = measure_to_file(cif, tmp_path / "t.h5ad", ["Area_M01"]).output
    for ask in (from_model, lambda source, folder: from_groups(source, model=folder)):
        with pytest.raises(UsageError, match="found a feature table: a network needs a stack"):
            ask(table, model)


def test_no_tensorflow_for_a_classifier_on_features(place, tmp_path):
    cif, _ = place
    truth = {("s", number): ("BNE", "Doublet")[number % 2] for number in range(60)}
    options = TrainOptions(learning_curve=False)
    train({"s": cif}, truth, tmp_path / "m", features=["Area_M01", "Area_M05"], options=options)
    code = (
        "import sys\nfrom ifcyto.pipeline.suggest import from_model\n"
        "from ifcyto.pipeline.to_tag import Wanted\n"
        f"assert len(from_model({str(cif)!r}, {str(tmp_path / 'm')!r}, None, Wanted(n=5)).objects) == 5\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
