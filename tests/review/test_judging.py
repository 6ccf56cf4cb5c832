"""Truth building by a network: what the other process does, held against the same work done by hand."""

from __future__ import annotations

import sys

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ifcyto.classify.cnn.options import CnnOptions
from ifcyto.classify.suggest import suggest
from ifcyto.errors import FormatError, OutputError, UsageError
from ifcyto.pipeline.classify_cnn import classify_images
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.train_cnn import train_cnn
from ifcyto.review.asking import Models, group_errand, judge_errand, network_errand
from ifcyto.review.errands import MADE
from ifcyto.review.grouping import Grouping
from ifcyto.review.judging import judge_by, looked_at
from ifcyto.review.opening import ReviewOptions, open_review
from ifcyto.review.rounds import Round
from ifcyto.review.truth_data import truth_data
from ifcyto.review.worker import TASKS
from ifcyto.samples.demo import write_demo_cif

SMALL = {"architecture": "vgg_small", "size": 8, "epochs": 2, "folds": 0}
CHANNELS = ["BF", "DRAQ5"]


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judging")
    convert(write_demo_cif(folder / "demo.cif", n_cells=50), folder / "demo.h5")
    found = open_review(folder / "demo.h5", ReviewOptions(by="AB", seed=5))
    for row, label in enumerate(["BNE", "Doublet"] * 12 + ["Unknown"] * 3):
        found.session.tag(label, [row])
    yield found
    found.close()


def done(errand, folder, progress=lambda *told: None):
    """The task of an errand, done in this process; the window's tests send one to another."""
    return TASKS[errand.task]({**errand.document, "folder": str(folder)}, errand.arrays, progress)


@pytest.fixture(scope="module")
def taught(review, tmp_path_factory):
    """What a network learned, its folder, and what was told on the way."""
    seen, folder = [], tmp_path_factory.mktemp("taught")
    errand = network_errand(review, SMALL, CHANNELS, folder / "kept", order="diverse", n=6)
    answer = done(errand, folder, lambda *told: seen.append(told))
    return Round.from_answer(answer), folder / MADE, seen


def test_the_network_is_that_of_the_command(review, taught, tmp_path):
    """The same weights, bit by bit, as training here; tags are judged by networks without them."""
    found, made, seen = taught
    data = truth_data(review)
    options = CnnOptions(**SMALL, seed=5)
    here = train_cnn(data.inputs(), data.truth(), tmp_path / "cnn", channels=[1, 5], options=options)
    assert sorted(path.name for path in made.iterdir()) == sorted(path.name for path in here.folder.iterdir())
    judged = [
        classify_images(review.pages.stacks[""], folder, embedding=True) for folder in (made, here.folder)
    ]
    assert np.array_equal(judged[0].probabilities, judged[1].probabilities)
    assert found.matrix.tolist() == here.record["matrix"]
    assert found.matrix.sum() == 2
    alone = suggest(
        judged[1].probabilities, found.classes,
        order="diverse", n=6, tagged=data.labels != "", values=judged[1].values.astype(float), seed=5,
    )  # fmt: skip
    assert found.tagging.suggestions.rows.tolist() == alone.rows.tolist()
    assert set(found.tagging.doubtful.rows.tolist()) == set(
        np.flatnonzero((found.predicted != "") & (found.predicted != found.labels)).tolist()
    )
    assert "on 2 tags held out" in found.said
    tasks = [task for task, _, _ in seen]
    assert {"read", "classify"} < set(tasks)
    assert any(task.startswith("train") for task in tasks)


def test_a_model_that_is_there_suggests_and_groups(review, taught):
    made, data = taught[1], truth_data(review)
    here = judge_by(data, made, n=5, seed=5)
    judged = classify_images(review.pages.stacks[""], made, embedding=True)
    alone = suggest(judged.probabilities, here.classes, n=5, tagged=data.labels != "")
    assert here.tagging.suggestions.rows.tolist() == alone.rows.tolist()
    assert here.matrix.sum() == 24
    assert "may have learned from them" in here.said
    errand = group_errand(review, (), np.zeros((50, 0)), model=made, groups=3)
    found = Grouping.from_answer(done(errand, made.parent))
    assert sorted(found.rows.tolist()) == list(range(50))
    rows = np.array([7, 2, 30])
    names, values = looked_at(data, rows, made)
    assert names is None
    assert values == pytest.approx(judged.embedding[rows], abs=1e-5)


def test_models_of_a_session_are_copied_out_and_go_with_it(taught, tmp_path):
    models = Models()
    place = models.new()
    place.mkdir()
    assert models.new() != place
    made = taught[1]
    kept = models.keep(made, tmp_path / "mine")
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == {
        path.name: path.read_bytes() for path in made.iterdir()
    }
    with pytest.raises(OutputError, match="exists already"):
        models.keep(made, tmp_path / "mine")
    models.close()
    assert not place.exists()


def test_what_cannot_be_is_said_before_a_process_is_started(review, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="found 'SSC9'"):
        network_errand(review, SMALL, ["SSC9"], tmp_path / "m")
    with pytest.raises(FormatError, match=r"model\.json"):
        judge_errand(review, tmp_path)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setattr("ifcyto.pipeline.cnn.find_spec", lambda name: None)
    with pytest.raises(Exception, match=r'tensorflow is not installed: run  pip install "ifcyto\[cnn\]"'):
        network_errand(review, SMALL, CHANNELS, tmp_path / "m")
