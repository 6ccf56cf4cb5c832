"""The tab of truth with a network, which is trained elsewhere: this process never loads TensorFlow."""

from __future__ import annotations

import os
import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest

pytest.importorskip("napari.components", reason="the review extra is not installed")

from ifcyto.review.opening import ReviewOptions
from ifcyto.review.truth_data import truth_data

pytestmark = pytest.mark.gui

LIMIT = 240.0
"""Seconds for a process that loads TensorFlow on a machine that is busy."""

without = pytest.mark.skipif(find_spec("tensorflow") is not None, reason="TensorFlow is installed")
needed = pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")


@pytest.fixture
def tab(qt, viewer, stack, tmp_path):
    """The tab of a review whose first 16 cells are tagged, in a window of its own."""
    from ifcyto.napari_plugin.desk import Desk
    from ifcyto.napari_plugin.truth_widget import TruthTab
    from ifcyto.review.opening import open_review

    desk = Desk(viewer)
    made = TruthTab(desk)
    desk.take(open_review(stack, ReviewOptions(by="AB", labels=tmp_path / "labels.csv", per_page=12)))
    for row in range(16):
        desk.review.session.tag(("BNE", "Doublet")[row % 2], [row])
    form = made.form
    for box, value in ((form.size, 8), (form.epochs, 2), (form.folds, 0), (form.count, 5)):
        box.setValue(value)
    form.channels.setText("BF, DRAQ5")
    choose(form.method, "a network")
    yield made
    made.stop()
    desk.close()
    made.close()


def choose(box, word):
    box.setCurrentIndex(box.findText(word))


def settle(app, until):
    end = time.monotonic() + LIMIT
    while not until():
        assert time.monotonic() < end
        app.processEvents()
        time.sleep(0.01)
    app.processEvents()


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@without
def test_without_tensorflow_the_window_says_how_to_install_it(tab):
    tab.suggest()
    assert 'run  pip install "ifcyto[cnn]"' in tab.desk.message
    assert tab.job is None
    assert tab.found is None


def test_the_model_must_be_chosen_and_read(tab, tmp_path):
    choose(tab.form.method, "the model")
    tab.suggest()
    assert "no model is chosen" in tab.desk.message
    tab.form.set_model(tmp_path)
    tab.suggest()
    assert "model.json" in tab.desk.message
    tab.save(tmp_path / "m")
    assert "is a folder already" in tab.desk.message


def test_groups_by_features_can_be_stopped_inside(qt, tab, monkeypatch):
    """The process is gone when the button comes up again, and nothing was changed."""
    session = tab.desk.review.session
    session.add_columns(numbers={f"f{i}": np.random.default_rng(i).normal(size=30) for i in range(4)})
    before = dict(session.objects.words), dict(session.objects.numbers)
    errands = []
    real = sys.modules["ifcyto.napari_plugin.truth_widget"].group_errand
    monkeypatch.setattr(
        "ifcyto.napari_plugin.truth_widget.group_errand",
        lambda *words, **named: errands.append(real(*words, **named)) or errands[0],
    )
    tab.group()
    settle(qt, until=lambda: errands[0].process is not None)
    tab.stop()
    assert gone(errands[0].process.pid)
    assert not errands[0].folder.exists()
    settle(qt, until=lambda: not tab.job.running)
    assert "Stopped; nothing was changed." in tab.desk.message
    assert (dict(session.objects.words), dict(session.objects.numbers)) == before


@needed
def test_a_network_is_trained_elsewhere_and_shown_here(qt, tab, tmp_path):
    tab.suggest()
    assert tab.job.running
    settle(qt, until=lambda: not tab.job.running)
    assert tab.desk.message == ""
    assert "tensorflow" not in sys.modules
    assert "on 2 tags held out. 5 objects are suggested" in tab.said.text()
    assert tab.desk.gallery.rows.tolist() == tab.found.tagging.suggestions.rows.tolist()
    tab.matrix.cellClicked.emit(0, 1)
    assert str(len(tab.desk.gallery.rows)) == tab.matrix.item(0, 1).text()
    kept = tab.form.model
    tab.save(tmp_path / "cnn")
    assert {path.name: path.read_bytes() for path in (tmp_path / "cnn").iterdir()} == {
        path.name: path.read_bytes() for path in kept.iterdir()
    }
    tab._work.end()
    assert not kept.exists()


@needed
def test_training_can_be_stopped_inside(qt, tab, tmp_path):
    """With TensorFlow loaded and the images read, before five thousand epochs."""
    tab.form.epochs.setValue(5000)
    told = []
    tab._progressed = lambda *words: told.append(words)
    before = truth_data(tab.desk.review).labels.tolist()
    tab.save(tmp_path / "cnn")
    settle(qt, until=lambda: told)
    process = tab.job._halt.__self__.process
    tab.stop()
    assert gone(process.pid)
    settle(qt, until=lambda: not tab.job.running)
    assert "Stopped; nothing was changed." in tab.desk.message
    assert tab.found is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.csv"]
    assert truth_data(tab.desk.review).labels.tolist() == before


def test_another_review_ends_the_work_on_the_one_before(qt, tab, opened, tmp_path):
    session = tab.desk.review.session
    session.add_columns(numbers={f"f{i}": np.random.default_rng(i).normal(size=30) for i in range(4)})
    tab.group()
    job = tab.job
    settle(qt, until=lambda: job._halt.__self__.process is not None)
    tab.desk.take(opened(labels=tmp_path / "other.csv"))
    assert gone(job._halt.__self__.process.pid)
    assert "what was under way was stopped" in tab.said.text()
    assert tab.desk.review.session.objects.words == {}
