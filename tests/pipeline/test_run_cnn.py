"""A study with a table ``[cnn]``: trained, judged, counted, said; and what happens without TensorFlow."""

from __future__ import annotations

import csv
import json
from importlib.util import find_spec

import pytest

from ifcyto.errors import MissingExtraError, StudyError
from ifcyto.pipeline import cnn as cnn_room
from ifcyto.pipeline.cnn import network_channels, network_options, read_network_verdicts
from ifcyto.pipeline.run import plan_study, run_study
from ifcyto.pipeline.study import load_study
from ifcyto.samples.demo import write_demo_study

TABLE = '\n[cnn]\nsize = 16\nepochs = 1\naugmentation = "none"\nchannels = ["BF", "DRAQ5"]\n'
METHODS = '[compare]\nmethods = ["spot", "manual", "cnn"]\n'


def add(path, text):
    path.write_text(path.read_text() + text)
    return path


@pytest.fixture
def study(tmp_path):
    return write_demo_study(tmp_path / "study", samples_per_group=2, cells_per_sample=40, truth_cells=60)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_asks_for_the_network_unless_the_methods_are_listed(study):
    assert load_study(study).settings.compare.methods == ["spot", "fbml", "manual"]
    add(study, "\n[cnn]\n")
    assert load_study(study).settings.compare.methods == ["spot", "fbml", "manual", "cnn"]
    add(study, '\n[compare]\nmethods = ["spot"]\n')
    assert load_study(study).settings.compare.methods == ["spot"]


def test_settings_become_options(study):
    add(study, TABLE + 'weights = "vgg.h5"\nstop = "meet"\n')
    found = load_study(study)
    options = network_options(found)
    assert (options.size, options.epochs, options.stop, options.seed) == (16, 1, "meet", 7)
    assert options.weights == str(study.parent / "vgg.h5")
    assert options.augmentation.rotate == "none"
    assert network_channels(found) == {"BF": 1, "DRAQ5": 5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[cnn]\nchannels = ["SSC"]\n',
            r"cnn\.channels: expected roles among BF, CD235a, DRAQ5, found 'SSC'",
        ),
        ("[cnn]\nfolds = 1\n", r"cnn\.folds: expected 0 or 2 to 20 folds, found 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(study, text, message):
    found = load_study(add(study, "\n" + text))
    with pytest.raises(StudyError, match=message):
        network_channels(found)
        network_options(found)


def test_without_tensorflow_a_study_that_asks_stops_at_once(study, tmp_path, monkeypatch):
    monkeypatch.setattr(cnn_room, "find_spec", lambda name: None if name == "tensorflow" else find_spec(name))
    add(study, TABLE)
    with pytest.raises(
        MissingExtraError, match=r'tensorflow is not installed: run  pip install "ifcyto\[cnn\]"'
    ):
        run_study(study, tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    pytest.importorskip("tensorflow")
    place = tmp_path_factory.mktemp("run")
    path = write_demo_study(place / "study", samples_per_group=2, cells_per_sample=30, truth_cells=60)
    add(path, f"\n{METHODS}{TABLE}")
    run_study(path, place / "out", workers=1)
    return path, place / "out"


def test_the_network_judges_the_candidates_and_nothing_else(results):
    _, out = results
    table = rows(out / "classifications.csv")
    judged = [row for row in table if row["cnn"]]
    assert {row["cnn"] for row in judged} <= {"BNE", "Doublet", "Irregular", "Unknown"}
    for row in table:
        assert bool(row["cnn"]) == (row["candidate"] == "1") == bool(row["cnn_probability"])
        if row["cnn_probability"]:
            assert 0 <= float(row["cnn_probability"]) <= 1
    sample = judged[0]["sample"]
    kept = read_network_verdicts(out / "work" / "cnn" / f"{sample}.csv")
    label, share = kept[int(judged[0]["object"])]
    assert label == judged[0]["cnn"]
    assert share == pytest.approx(float(judged[0]["cnn_probability"]), abs=1e-5)


def test_it_is_counted_compared_and_said(results):
    _, out = results
    assert sorted(path.name for path in (out / "models" / "cnn").iterdir()) == [
        "history.csv", "model.json", "network.keras", "training.json",
    ]  # fmt: skip
    document = json.loads((out / "results.json").read_text())
    assert document["methods"]["cnn"] == {"ran": True, "why": ""}
    assert document["network"]["channels"] == ["BF", "DRAQ5"]
    frequencies = [row for row in rows(out / "frequencies.csv") if row["method"] == "cnn"]
    table = [row for row in rows(out / "classifications.csv") if row["cnn"] == "BNE"]
    counted = sum(int(row["bne"]) for row in frequencies)
    assert counted == sum(row["group"] != "training" for row in table)
    assert {row["method"] for row in rows(out / "agreement.csv")} == {"spot", "cnn"}
    matrix = [row for row in rows(out / "confusion.csv") if row["model"] == "cnn" and row["split"] == "test"]
    assert sum(int(row["count"]) for row in matrix) == sum(document["network"]["parts"]["test"].values())


def test_another_run_does_nothing_and_a_threshold_only_judges_again(results):
    study, out = results
    done = {step.name: step.action for step in plan_study(study, out)}
    assert done.pop("train fbml") == "blocked"
    assert set(done.values()) == {"unchanged"}
    before = study.read_text()
    try:
        add(study, "threshold = 0.99\n")
        steps = {step.name: (step.action, step.why) for step in plan_study(study, out)}
        assert steps["train cnn"][0] == "unchanged"
        assert steps["cnn MDS01"] == ("do", "settings changed (threshold)")
        assert steps["tables"][0] == "do"
    finally:
        study.write_text(before)
