from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from ifcyto.compare.evaluation import EvaluateOptions, evaluate_labels
from ifcyto.errors import UsageError

NAMES = ["BNE", "Doublet", "Irregular"]
QUICK = EvaluateOptions(resamples=100)


@pytest.fixture
def judged(rng):
    """Truth, labels and probabilities of 600 objects: drawn with the probabilities, then made too sure."""
    logits = rng.normal(size=(600, 3)) * 2
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array(NAMES)[np.minimum((rng.random((600, 1)) > p.cumsum(axis=1)).sum(axis=1), 2)]
    bold = p**2 / (p**2).sum(axis=1, keepdims=True)
    return truth, np.array(NAMES)[p.argmax(axis=1)], bold


@pytest.fixture
def found(judged):
    truth, labels, p = judged
    return evaluate_labels(truth, labels, NAMES, probabilities=p)


def test_every_score_is_that_of_scikit_learn(judged, found):
    truth, labels, p = judged
    for k, name in enumerate(NAMES):
        of = {kind: value.value for kind, value in found.of_class[name].items()}
        assert of["roc_auc"] == pytest.approx(metrics.roc_auc_score(truth == name, p[:, k]))
        assert of["average_precision"] == pytest.approx(
            metrics.average_precision_score(truth == name, p[:, k])
        )
        assert of["f1"] == pytest.approx(metrics.f1_score(truth == name, labels == name))
        score = found.strict.agreement.score(name)
        assert (of["precision"], of["recall"]) == pytest.approx((score.precision, score.recall))
    overall = {name: value.value for name, value in found.intervals.items()}
    assert overall == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(truth, labels),
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, labels),
            "macro_f1": metrics.f1_score(truth, labels, average="macro"),
            "weighted_f1": metrics.f1_score(truth, labels, average="weighted"),
        }
    )
    assert overall["balanced_accuracy"] == pytest.approx(found.strict.balanced_accuracy)
    assert found.calibration.nll == pytest.approx(metrics.log_loss(truth, p, labels=NAMES))


def test_intervals_hold_their_values(found):
    values = [*found.intervals.values(), *(v for of in found.of_class.values() for v in of.values())]
    assert len(values) == 4 + 3 * 5
    for value in values:
        assert value.low < value.value < value.high
    accuracy = found.intervals["accuracy"]
    error = math.sqrt(accuracy.value * (1 - accuracy.value) / 600)
    assert (accuracy.high - accuracy.low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.15)


def test_probabilities_that_are_too_sure_are_found_out(found):
    calibration = found.calibration
    assert calibration.temperature.temperature == pytest.approx(2, rel=0.2)
    assert calibration.given.ece > calibration.expected_high
    assert calibration.scaled_ece < calibration.expected_high
    assert calibration.scaled_nll < calibration.nll
    assert list(calibration.of_class) == NAMES


def test_the_papers_matrix(truth):
    row = truth["paper_confusion"]
    names = row["classes"]
    cells = [
        (a, b) for i, a in enumerate(names) for j, b in enumerate(names) for _ in range(row["matrix"][i][j])
    ]
    tolerant = EvaluateOptions(tolerable=((names[0], names[2]),), resamples=100)
    found = evaluate_labels([a for a, _ in cells], [b for _, b in cells], names, options=tolerant)
    bne = found.strict.agreement.score(names[0])
    assert [round(100 * v, 1) for v in (bne.accuracy, bne.specificity, bne.recall, bne.precision)] == [
        94.3, 98.2, 78.2, 91.3,
    ]  # fmt: skip
    assert found.tolerant.accuracy == 745 / 758
    assert "roc_auc" not in found.of_class[names[0]]
    assert found.calibration is None


def test_unknown_objects_cost_recall_and_leave_no_precision(judged):
    truth, labels, p = judged
    labels, p = labels.copy(), p.copy()
    labels[:60] = "Unknown"
    p[:20] = np.nan
    found = evaluate_labels(truth, labels, NAMES, probabilities=p, options=QUICK)
    assert found.classes == (*NAMES, "Unknown")
    assert (found.objects, found.judged) == (600, 540)
    assert found.judged_accuracy == (truth == labels)[60:].mean()
    assert found.intervals["accuracy"].value == (truth == labels).mean()
    assert found.calibration.given.count.sum() == 580
    assert found.of_class["BNE"]["roc_auc"].value == pytest.approx(
        metrics.roc_auc_score(truth[20:] == "BNE", p[20:, 0])
    )
    assert found.notes == (
        "60 of 600 objects are Unknown; they count as not found",
        "20 of 600 objects have no probabilities and are left out of curves, areas and calibration",
    )


def test_by_sample_and_again(judged):
    truth, labels, p = judged
    groups = np.arange(600) // 60
    first, again = (
        evaluate_labels(truth, labels, NAMES, probabilities=p, groups=groups, options=QUICK) for _ in range(2)
    )
    assert first.intervals == again.intervals
    assert first.grouped
    assert first.intervals != evaluate_labels(truth, labels, NAMES, options=QUICK).intervals
    with pytest.raises(UsageError, match="2 groups or more"):
        evaluate_labels(truth, labels, NAMES, groups=np.zeros(600), options=QUICK)


def test_only_the_probability_of_the_label(judged):
    truth, labels, p = judged
    found = evaluate_labels(truth, labels, NAMES, probability=p.max(axis=1), options=QUICK)
    assert found.calibration.given.count.sum() == 600
    assert found.calibration.of_class == {}
    assert math.isnan(found.calibration.brier)


def test_one_class_only(judged):
    _, labels, p = judged
    found = evaluate_labels(["BNE"] * 600, labels, NAMES, probabilities=p, options=QUICK)
    assert found.intervals["accuracy"].value == (labels == "BNE").mean()
    assert math.isnan(found.of_class["BNE"]["roc_auc"].value)
    assert math.isnan(found.of_class["BNE"]["roc_auc"].high)
    assert math.isnan(found.of_class["Doublet"]["recall"].value)
    assert "cannot be told" in found.notes[0]
    two = evaluate_labels(["BNE"] * 595 + ["Doublet"] * 5, labels, NAMES, options=QUICK)
    assert two.notes == (
        "no object is Irregular by truth: nothing is said of finding them",
        "few objects by truth: Doublet (5); their scores and intervals are rough",
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"truth": [], "labels": []}, "objects whose class is known, found none"),
        ({"truth": ["BNE", "Unknown"]}, "found the class 'Unknown'"),
        ({"truth": ["BNE", "Mitosis"]}, "found 'Mitosis' at position 1"),
        ({"labels": ["BNE"]}, "found 2 and 1"),
        ({"probabilities": [[0.5, 0.5]]}, r"expected probabilities \(2, 3\), found \(1, 2\)"),
        ({"probabilities": [[0.5, 0.5, 0.5], [1, 0, 0]]}, "a sum of 1"),
        ({"probabilities": [[0.5, 0.5, np.nan], [1, 0, 0]]}, "values from 0 to 1"),
    ],
)
def test_what_cannot_be_evaluated(change, expected):
    given = {"truth": ["BNE", "Doublet"], "labels": ["BNE", "BNE"], "classes": NAMES} | change
    with pytest.raises(UsageError, match=expected):
        evaluate_labels(**given, options=QUICK)
