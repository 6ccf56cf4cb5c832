"""The section on a network says what its record holds, and warns where it must; so do the methods."""

from __future__ import annotations

import copy
import typing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ifcyto.pipeline.study_model import CnnTable
from ifcyto.report.heat_maps import heat_maps_section
from ifcyto.report.model import FigureRef
from ifcyto.report.network import network_section
from ifcyto.report.network_methods import network_citations, network_methods
from ifcyto.report.network_text import ARCHITECTURES, network_accuracy, varied_text

OPTIONS: dict[str, Any] = {
    "architecture": "vgg16_bn", "size": 48, "epochs": 30, "batch": 32, "rate": None, "schedule": "cosine",
    "stop": "patience", "patience": 20, "balance": "resample", "focal": 0.0, "smoothing": 0.05,
    "augmentation": {"rotate": "free", "flip": True, "shift": 0.06, "scale": 0.1, "intensity": 0.1,
                     "focus": 0.3},
    "weights": None, "validation": 0.1, "test": 0.1, "folds": 0, "precision": "auto", "seed": 3, "views": 1,
}  # fmt: skip
RECORD: dict[str, Any] = {
    "method": "cnn", "architecture": "vgg16_bn", "classes": ["BNE", "Doublet", "Irregular"],
    "channels": ["BF", "DRAQ5"], "n_truth": {"BNE": 1000, "Doublet": 200, "Irregular": 300},
    "samples": ["M1", "M2", "M3"], "grouped": True, "options": OPTIONS,
    "parts": {"training": {"BNE": 800, "Doublet": 160, "Irregular": 240},
              "validation": {"BNE": 100, "Doublet": 20, "Irregular": 30},
              "test": {"BNE": 100, "Doublet": 20, "Irregular": 30}},
    "history": {"rate": [1e-4, 5e-4, 2e-4], "loss": [1.0, 0.7, 0.5], "accuracy": [0.4, 0.6, 0.8],
                "val_loss": [1.1, 0.62, 0.9], "val_accuracy": [0.3, 0.7, 0.6],
                "val_balanced_accuracy": [0.3, 0.65, 0.6]},
    "best_epoch": 2, "reason": "validation has not improved for 20 epochs", "precision": "float32",
    "weights": 1234567,
    "matrices": {"training": [[790, 5, 5], [0, 160, 0], [10, 0, 230]],
                 "validation": [[95, 2, 3], [1, 19, 0], [3, 0, 27]],
                 "test": [[90, 4, 6], [0, 20, 0], [9, 0, 21]]},
    "balanced_accuracy_of": {"training": 0.98, "validation": 0.93, "test": 0.8667},
    "judged": "test", "matrix": [[90, 4, 6], [0, 20, 0], [9, 0, 21]],
    "scores": [{"class": "BNE", "precision": 0.909, "recall": 0.9, "f1": 0.905},
               {"class": "Doublet", "precision": 0.833, "recall": 1.0, "f1": 0.909},
               {"class": "Irregular", "precision": 0.778, "recall": 0.7, "f1": 0.737}],
    "notes": [],
}  # fmt: skip
FOLDS = {
    "judged": "folds",
    "folds": {"balanced_accuracy": [0.8, 0.9], "best_epochs": [7, 9]},
    "balanced_accuracy": {"mean": 0.85, "sd": 0.0707},
}
CALIBRATION = {
    "temperature": 1.731, "fitted_on": "validation", "objects": 150, "why_not": "",
    "judged": [{"of": "test", "objects": 150, "ece_before": 0.12, "nll_before": 0.5, "ece_after": 0.03,
                "nll_after": 0.4, "ece_by_chance": 0.06}],
}  # fmt: skip
ROW = {
    "class": "BNE",
    "precision": 0.97,
    "precision_low": 0.9,
    "precision_high": 0.99,
    "kept": 80,
    "judged": 99,
}
THRESHOLDS = {
    "wanted_precision": 0.95, "chosen_on": "validation", "given": [], "limits": {"BNE": 0.81},
    "classes": [{**ROW, "threshold": 0.81, "coverage": 0.8}],
    "test": {"objects": 150, "unknown": 19, "classes": [{**ROW, "precision": 0.96}]},
}  # fmt: skip


@pytest.fixture
def record() -> dict[str, Any]:
    return copy.deepcopy(RECORD)


def words(record: dict[str, Any]) -> str:
    return " ".join(map(str, network_section(record).text))


def table(record: dict[str, Any], caption: str):
    return next(one for one in network_section(record).tables if one.caption.startswith(caption))


def test_every_architecture_of_a_study_has_words():
    assert set(ARCHITECTURES) == set(typing.get_args(CnnTable.model_fields["architecture"].annotation))


def test_text_says_what_it_is_and_what_it_learned_from(record):
    text = words(record)
    assert (
        "VGG16 with batch normalisation, with 1,234,567 weights. It sees BF and DRAQ5 as images of 48 x"
        in text
    )
    assert "Of 1,500 truth images from 3 samples, of 3 classes, BNE (1,000), Doublet (200) and" in text
    assert (
        "it learned from 1,200, starting from random weights; 150 chose the epoch (validation), and 150"
        in text
    )
    record["options"]["weights"] = "imagenet"
    del record["parts"]["test"]
    assert "from weights of another task (imagenet); 150 chose the epoch (validation)." in words(record)


def test_text_says_how_images_were_varied(record):
    text = varied_text(record["options"])
    assert "turned by any angle, mirrored, shifted by up to 6 % of their side, scaled by up to 10 %" in text
    assert "every class was drawn equally often" in text
    off = {"rotate": "none", "flip": False, "shift": 0, "scale": 0, "intensity": 0, "focus": 0}
    text = varied_text(record["options"] | {"augmentation": off, "focal": 2.0, "balance": "weights"})
    assert "Training images were not varied; rare classes weighed more." in text
    assert "focal loss (gamma 2)" in text


@pytest.mark.parametrize(("span", "said"), [(1.0, "one epoch"), (2.5, "2.5 epochs")])
def test_text_says_over_what_the_weights_are_averaged(record, span, said):
    assert "exponential mean" not in varied_text(record["options"] | {"average": 0.0})
    record["options"] |= {"average": span}
    assert f"an exponential mean over about {said} of steps." in varied_text(record["options"])
    assert f"about {said} of steps" in network_methods(record, explained=False)
    assert "Polyak" in str(network_citations(record, explained=False))


def test_text_says_why_it_ended_and_on_what(record):
    text = words(record | {"device": "CPU", "seconds": 12.3})
    assert (
        "after 3 epochs: validation has not improved for 20 epochs. The weights of epoch 2 are in use" in text
    )
    assert "was lowest (0.620). All epochs took 12 s (CPU, float32)." in text
    assert "All epochs took" not in words(record)
    record["history"]["val_loss"] = [None, None, None]
    assert "No epoch has a validation loss." in words(record | {"best_epoch": 0})


def test_text_says_how_it_was_judged(record):
    text = words(record)
    assert (
        "judged by the test part, whose images had no part in the training. Balanced accuracy was 0.867;"
        in text
    )
    assert (
        "131 of 150 images were classified right. The most frequent mistake: Irregular called BNE (9 of 30)"
        in text
    )
    assert "each sample is judged unseen" in text
    folds = words(record | FOLDS)
    assert "2-fold cross-validation: 2 more networks were trained" in folds
    assert "Balanced accuracy was 0.850 (s.d. over the folds 0.071)" in folds
    assert "so that the scores are somewhat too good" in words(record | {"judged": "validation"})


def test_tables_are_the_record(record):
    section = network_section(record, history_file="models/cnn/history.csv")
    assert table(record, "Truth images by class and part, each sample whole").rows[0] == (
        "BNE",
        800,
        100,
        100,
        1000,
    )
    assert table(record, "Balanced accuracy").rows == (
        ("training", 1200, 1180, 2, 0.98), ("validation", 150, 141, 2, 0.93), ("test", 150, 131, 2, 0.8667),
    )  # fmt: skip
    assert table(record, "Each class in the test part").rows[2] == (
        "Irregular",
        30,
        21,
        27,
        0.778,
        0.7,
        0.737,
    )
    assert table(record, "Truth images by true class").rows[0] == ("BNE", 90, 4, 6)
    epochs = section.tables[-1]
    assert epochs.file == "models/cnn/history.csv"
    assert epochs.rows[1] == (2, 5e-4, 0.7, 0.6, 0.62, 0.7, 0.65)
    settings = dict(table(record, "Settings").rows)
    assert (settings["batch"], settings["augmentation: flip"], settings["architecture"]) == (
        "32",
        "yes",
        "vgg16_bn",
    )
    assert [one.caption for one in section.tables if "alibration" in one.caption] == []


def test_folds_stand_one_by_one_and_as_mean(record):
    rows = table(record | FOLDS, "Balanced accuracy").rows
    assert rows[3:] == (
        ("fold 1", None, None, 7, 0.8), ("fold 2", None, None, 9, 0.9),
        ("mean of the folds", 150, 131, None, 0.85), ("s.d. of the folds", None, None, None, 0.0707),
    )  # fmt: skip


def test_calibration_and_thresholds_are_shown_where_there_are_some(record):
    record |= {"calibration": CALIBRATION, "thresholds": THRESHOLDS, "least_probability": 0.5}
    record["options"]["views"] = 8
    text = words(record)
    assert "looks at each image in 8 orientations" in text
    assert "a temperature of 1.731, fitted on 150 validation images" in text
    assert "less probable than this is Unknown: BNE 0.810. The study asks for a probability of 0.5" in text
    assert table(record, "Probabilities before").rows == (("test", 150, 0.12, 0.03, 0.06, 0.5, 0.4),)
    assert table(record, "Objects that keep their class at the thresholds; wanted precision 0.95").rows == (
        ("validation", "BNE", 0.81, 99, 80, 0.97, 0.9, 0.99),
        ("test", "BNE", 0.81, 99, 80, 0.96, 0.9, 0.99),
    )
    record["calibration"] = {**CALIBRATION, "why_not": "too few", "temperature": 1.0}
    assert "temperature of" not in words(record)
    assert table(record, "Probabilities as they are")


def test_warnings(record):
    assert network_section(record).warnings == ()
    record["notes"] = ["class BNE has 12 objects"]
    record["best_epoch"] = 3
    found = network_section(record).warnings
    assert found[0] == "class BNE has 12 objects"
    assert "lowest in the last of 3 epochs" in found[1]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("accuracy", "n", "warned"), [(0.4, 5, True), (0.4, 5000, False), (0.33, 5000, True)]
)
def test_a_network_that_guesses_is_a_warning(record, accuracy, n, warned):
    record["matrix"] = [[n, 0, 0], [0, n, 0], [0, 0, n]]
    record["balanced_accuracy_of"]["test"] = accuracy
    assert any(
        "The network can hardly be told from guessing" in text for text in network_section(record).warnings
    ) == (warned)


def test_the_scatter_of_guessing_is_that_of_a_simulation(record, rng):
    sizes = [9, 30, 14]
    record["matrix"] = [[n, 0, 0] for n in sizes]
    recalls = [rng.binomial(n, 1 / 3, 20000) / n for n in sizes]
    assert network_accuracy(record)[1] == pytest.approx(np.mean(recalls, axis=0).std(), rel=0.03)


def test_methods_and_works_of_a_network(record):
    text = network_methods(record, explained=True)
    assert "VGG16 with batch normalisation (1,234,567 weights; Keras on TensorFlow)" in text
    assert "trained from random weights on tagged objects (800 BNE, 160 Doublet, 240 Irregular)" in text
    assert (
        "The highest learning rate was 0.0005. Its balanced accuracy for 150 objects that had no part in"
        in text
    )
    assert text.endswith("Heat maps of single cells are Grad-CAM and occlusion maps of the class BNE.")
    calibrated = record | {"calibration": CALIBRATION} | FOLDS
    text = network_methods(calibrated, explained=False)
    assert "in cross-validation is 0.850 (s.d. 0.071, 2 folds)" in text
    assert text.endswith("temperature scaling (T = 1.731).")
    works = [work.doi for work in network_citations(calibrated, explained=True)]
    assert works == [
        "10.48550/arXiv.1409.1556", "10.48550/arXiv.1706.04599", "10.1109/ICCV.2017.74",
        "10.1007/978-3-319-10590-1_53",
    ]  # fmt: skip
    assert [work.doi for work in network_citations(record, explained=False)] == works[:1]
    assert network_citations(None, explained=True) == ()


CELL = {
    "kind": "right", "sample": "M1", "object": 17, "label": "BNE", "probability": 0.98, "truth": "BNE",
    "other": "", "drop": 0.4,
}  # fmt: skip


def test_heat_maps_say_what_they_are_and_which_kind_is_missing():
    figure = FigureRef(Path("a.png"), "caption", "words")
    section = heat_maps_section([CELL, CELL | {"kind": "unsure"}], (figure,), views=8)
    assert "A heat map says what this network's score rests on. It does not say whether" in str(section.text)
    assert section.text[1].endswith("There is none of the kind: wrong.")
    assert section.tables[0].rows[0] == ("right, most certain", "M1", 17, "BNE", 0.98, "BNE", "", 0.4)
    assert section.figures == (figure,)
    assert "of 8 orientations" in section.notes[-1]
    untagged = heat_maps_section([CELL | {"kind": "certain", "truth": ""}])
    assert "Nobody tagged these cells" in untagged.text[1]
    assert heat_maps_section([]) is None
