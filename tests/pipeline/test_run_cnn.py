"""A study with a table ``[cnn]``: trained, judged, counted, said; and what happens without TensorFlow."""

from __future__ import annotations

import csv
import json
import shutil
from importlib.util import find_spec

import numpy as np
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
    add(study, TABLE + 'weights = "vgg.h5"\nstop = "meet"\nviews = 8\nwanted_precision = 0.95\n')
    found = load_study(study)
    options = network_options(found)
    assert (options.size, options.epochs, options.stop, options.seed) == (16, 1, "meet", 7)
    assert (options.views, options.wanted_precision) == (8, 0.95)
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
        ("[cnn]\nviews = 2\n", r"cnn\.views: .*1 or 8"),
        ("[cnn]\nwanted_precision = 95\n", r"cnn\.wanted_precision: .*less than or equal to 1"),
        ("[cnn]\nfolds = 1\n", r"cnn\.folds: expected 0 or 2 to 20 folds, found 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(study, text, message):
    with pytest.raises(StudyError, match=message):
        found = load_study(add(study, "\n" + text))
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


def test_other_views_judge_the_trained_network_anew(results, tmp_path):
    study, out = results
    before, copy = study.read_text(), shutil.copytree(out, tmp_path / "out")
    try:
        add(study, "views = 8\n")
        run_study(study, copy, workers=1)
    finally:
        study.write_text(before)
    first, again = (json.loads((one / "models/cnn/training.json").read_text()) for one in (out, copy))
    assert again["history"] == first["history"]  # with the seconds of each epoch
    assert again["seconds"] == first["seconds"]
    assert (first["options"]["views"], again["options"]["views"]) == (1, 8)
    assert again["objects"] != first["objects"]


def test_a_forced_training_is_done_again(results, tmp_path):
    study, out = results
    copy = shutil.copytree(out, tmp_path / "out")
    run_study(study, copy, force={"train cnn"}, workers=1)
    first, again = (
        json.loads((one / "models/cnn/training.json").read_text())["history"] for one in (out, copy)
    )
    assert again["loss"] == first["loss"]
    assert again["seconds"] != first["seconds"]


def test_the_report_explains_the_cells_that_it_says(results, tmp_path):
    """Cells, chosen once more from the tables of the run; one map, made once more from its stack."""
    from ifcyto.pipeline.explain import explain

    _, out = results
    record = json.loads((out / "models" / "cnn" / "training.json").read_text())
    learned = {(row["sample"], row["object"]) for row in record["objects"] if row["part"] == "training"}
    labels = {
        (row["sample"], int(row["object"])): row["label"]
        for row in rows(out.parent / "study" / "training_labels.csv")
    }
    table = [
        row
        for row in rows(out / "classifications.csv")
        if row["cnn"] and (row["stage"] or row["group"] == "training")
    ]
    known = []
    for row in table:
        key = (row["sample"], int(row["object"]))
        truth = labels.get(key) or (row["manual"] or "none" if row["group"] != "training" else "")
        if key not in learned and truth not in {"", "Unknown"}:
            known.append((key, row["cnn"] == "BNE", truth == "BNE", float(row["cnn_probability"])))
    wrong = [one for one in known if one[1] != one[2]]
    right = [one for one in known if one[1] and one[2]]
    shown = rows(out / "tables" / "heat-maps-1.csv")
    keys = [(row["kind"].split(",")[0], (row["sample"], int(row["object"]))) for row in shown]
    assert {key for kind, key in keys if kind == "right"} == {
        one[0] for one in sorted(right, key=lambda one: -one[3])[:5]
    }
    assert {key for kind, key in keys if kind == "wrong"} == {
        one[0] for one in sorted(wrong, key=lambda one: -abs(one[3] - 0.5))[:5]
    }
    assert len({key for _, key in keys}) == len(keys) == len(shown) > 0
    with np.load(out / "work" / "explain" / "maps.npz") as maps:
        sample, number = keys[0][1]
        found = explain(
            out / "work" / "stacks" / f"{sample}.h5", out / "models" / "cnn", [number], of_class="BNE",
            window=2, step=1, images={"BF": 1, "DRAQ5": 5},
        )  # fmt: skip
        assert maps["images"][0].tolist() == found.images[0].tolist()
        np.testing.assert_allclose(maps["grad_cam"][0], found.grad_cam[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(maps["occlusion"][0], found.occlusion[0], atol=1e-5)
        assert float(shown[0]["most lost by hiding"]) == pytest.approx(maps["occlusion"][0].max(), rel=1e-6)
    page = (out / "report.html").read_text(encoding="utf-8")
    for text in (
        "Training of the network",
        "What the network looks at",
        "10.48550/arXiv.1409.1556",
        "10.1109/ICCV.2017.74",
    ):
        assert text in page


def test_the_report_and_results_hold_the_record(results):
    _, out = results
    record = json.loads((out / "models" / "cnn" / "training.json").read_text())
    network = json.loads((out / "results.json").read_text())["network"]
    assert not {"objects", "device", "seconds"} & set(network)
    assert "seconds" not in network["history"]
    assert network["parts"] == record["parts"]
    parts = rows(out / "tables" / "network-1.csv")
    assert {row["class"]: int(row["training"]) for row in parts} == record["parts"]["training"]
    matrix = rows(out / "tables" / "network-4.csv")
    assert [[int(row[f"called {name}"]) for name in record["classes"]] for row in matrix] == record["matrix"]
    settings = {row["setting"]: row["value"] for row in rows(out / "tables" / "network-6.csv")}
    assert settings["device"] == record["device"]
    history = rows(out / "models" / "cnn" / "history.csv")
    assert [float(row["val_loss"]) for row in history] == record["history"]["val_loss"]


def test_other_counts_do_not_explain_again(results):
    study, out = results
    before = study.read_text()
    try:
        study.write_text(before.replace("[compare]", '[compare]\ncorrection = "none"'))
        steps = {step.name: step.action for step in plan_study(study, out)}
        assert (steps["tables"], steps["explain"], steps["report"]) == ("do", "unchanged", "do")
        study.write_text(before + "\n[report]\nheat_maps = 2\n")
        steps = {step.name: (step.action, step.why) for step in plan_study(study, out)}
        assert steps["explain"] == ("do", "settings changed (heat_maps)")
        study.write_text(before + "\n[report]\nheat_maps = 0\n")
        assert "explain" not in {step.name for step in plan_study(study, out)}
    finally:
        study.write_text(before)
