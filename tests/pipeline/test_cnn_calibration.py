"""Temperature and thresholds of a network, on tables of logits: no network is needed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from ifcyto.classify.cnn.split import TEST, TRAINING, VALIDATION
from ifcyto.classify.scorer import softmax
from ifcyto.errors import UsageError
from ifcyto.pipeline.cnn_calibration import FEWEST, calibrate, calibration_record
from ifcyto.pipeline.cnn_thresholds import (
    choose_class_thresholds,
    given_thresholds,
    judge_thresholds,
    told_short,
)


def drawn(rng, n: int, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits of three classes that are `factor` times too bold, and classes drawn with the true ones."""
    true = rng.normal(size=(n, 3)) * 2
    powers = np.exp(true)
    shares = (powers / powers.sum(axis=1, keepdims=True)).cumsum(axis=1)
    codes = np.minimum((rng.random((n, 1)) > shares).sum(axis=1), 2)
    return (factor * true).astype(np.float32), codes


def plain_loss(logits: np.ndarray, codes: np.ndarray, temperature: float) -> float:
    total = 0.0
    for row, code in zip(logits.astype(float) / temperature, codes, strict=True):
        total += np.log(sum(np.exp(value - row.max()) for value in row)) + row.max() - row[code]
    return total / len(codes)


def plain_ece(logits: np.ndarray, codes: np.ndarray, temperature: float) -> float:
    powers = np.exp(logits.astype(float) / temperature)
    shares = powers / powers.sum(axis=1, keepdims=True)
    error = 0.0
    for low in range(10):
        inside = [i for i, row in enumerate(shares) if low / 10 < row.max() <= (low + 1) / 10]
        if inside:
            said = np.mean([shares[i].max() for i in inside])
            right = np.mean([shares[i].argmax() == codes[i] for i in inside])
            error += len(inside) / len(codes) * abs(said - right)
    return float(error)


@pytest.mark.parametrize("factor", [0.4, 3.0, 40.0])
def test_the_temperature_is_that_of_the_validation_part_alone(rng, factor):
    logits, codes = drawn(rng, 600, factor)
    parts = np.repeat([TRAINING, VALIDATION, TEST], 200)
    logits[parts != VALIDATION] *= 5  # bolder where the fit must not look
    logits[200] = np.nan
    found = calibrate(logits, codes, parts)
    rows = np.arange(201, 400)
    best = minimize_scalar(
        lambda log: plain_loss(logits[rows], codes[rows], np.exp(log)),
        bounds=(-2, 4), method="bounded", options={"xatol": 1e-8},
    )  # fmt: skip
    if factor == 40.0:
        assert found.temperature == 1
        assert found.why == "the fit on 199 validation objects went to 20, an end of its range"
        return
    assert found.temperature == pytest.approx(np.exp(best.x), rel=1e-4)
    assert (found.objects, found.why) == (199, "")


def test_few_objects_and_faultless_ones_give_no_temperature(rng):
    logits, codes = drawn(rng, 200, 3.0)
    parts = np.where(np.arange(200) < FEWEST - 1, VALIDATION, TRAINING)
    few = calibrate(logits, codes, parts)
    assert few.temperature == 1
    assert few.why == "39 validation objects are too few to calibrate on, 40 are needed"
    parts[FEWEST - 1] = VALIDATION
    assert calibrate(logits, codes, parts).temperature > 1
    right = calibrate(logits, logits.argmax(axis=1), np.full(200, VALIDATION))
    assert right.temperature == 1
    assert right.why.endswith(
        " 200 validation objects went to 0.05, an end of its range, as every one of them is right"
    )


def test_the_record_judges_where_neither_network_nor_fit_has_looked(rng):
    logits, codes = drawn(rng, 900, 2.0)
    parts = np.repeat([TRAINING, VALIDATION, TEST], 300)
    folds = (logits + rng.normal(size=logits.shape)).astype(np.float32)
    found = calibrate(logits, codes, parts)
    record = calibration_record(found, logits, codes, parts, folds)
    assert json.loads(json.dumps(record)) == record
    assert [(one["of"], one["objects"]) for one in record["judged"]] == [("test", 300), ("folds", 900)]
    for one, values, rows in zip(record["judged"], (logits, folds), (parts == TEST, parts >= 0), strict=True):
        for name, heat in (("before", 1.0), ("after", found.temperature)):
            assert one[f"ece_{name}"] == pytest.approx(plain_ece(values[rows], codes[rows], heat))
            assert one[f"nll_{name}"] == pytest.approx(plain_loss(values[rows], codes[rows], heat))
    test = record["judged"][0]
    assert test["ece_after"] < test["ece_by_chance"] < test["ece_before"]


def test_without_other_objects_every_fifth_is_judged_by_the_rest(rng):
    logits, codes = drawn(rng, 400, 3.0)
    parts = np.repeat([TRAINING, VALIDATION], 200)
    record = calibration_record(calibrate(logits, codes, parts), logits, codes, parts)
    (one,) = record["judged"]
    assert (one["of"], one["objects"]) == ("validation", 200)
    fitted = plain_loss(logits[200:], codes[200:], record["temperature"])
    assert fitted < one["nll_after"] < one["nll_before"]  # not as good as on the objects of the fit


def test_a_network_of_no_numbers_is_recorded_all_the_same():
    logits, parts = np.full((60, 2), np.nan, np.float32), np.full(60, VALIDATION)
    found = calibrate(logits, np.zeros(60, int), parts)
    assert (found.temperature, found.objects) == (1, 0)
    assert calibration_record(found, logits, np.zeros(60, int), parts)["judged"] == []


def small_table() -> tuple[np.ndarray, np.ndarray]:
    """Twenty objects that are called a, twelve that are called b and three that are called c.

    From the surest on, a is right 12 times, wrong, right, wrong twice, right 4 times: 13 of the first 14
    are right. Of b every second one is right, of c each.
    """
    rows = [(0.99 - 0.02 * i, i in {12, 14, 15}) for i in range(20)]
    shares = [(p, (1 - p) / 2, (1 - p) / 2) for p, _ in rows]
    codes = [1 if wrong else 0 for _, wrong in rows]
    shares += [((0.1 - 0.005 * i), 0.85 - 0.01 * i, 0.05 + 0.015 * i) for i in range(12)]
    codes += [1 if i % 2 else 2 for i in range(12)]
    shares += [(0.1, 0.1, 0.8)] * 3
    codes += [2] * 3
    return np.array(codes), np.array(shares)


def test_thresholds_of_a_small_table_by_hand():
    codes, shares = small_table()
    found = choose_class_thresholds(codes, shares, ["a", "b", "c"], precision=0.92)
    # 14 kept: 13 right, 0.929; one more: 13 of 15; all 20: 17 right, 0.85
    assert found.limits == {"a": pytest.approx(0.99 - 0.02 * 13)}
    row = found.rows[0]
    assert (row["kept"], row["judged"], row["precision"]) == (14, 20, pytest.approx(13 / 14))
    assert len(found.notes) == 2
    assert found.notes[0].startswith("b has no threshold: no threshold gives a precision of b of 0.92")
    assert found.notes[1] == "c has no threshold: expected 10 classified objects of c or more, found 3"


def test_a_class_that_is_precise_enough_needs_no_threshold_and_given_ones_stay():
    codes, shares = small_table()
    found = choose_class_thresholds(codes, shares, ["a", "b", "c"], precision=0.8, given={"b": 0.5})
    assert found.limits == {"b": 0.5}
    assert [(row["class"], row["threshold"], row["kept"]) for row in found.rows] == [("a", 0.0, 20)]
    assert [note.split()[0] for note in found.notes] == ["c"]


def test_what_thresholds_leave_is_counted_by_hand():
    codes, shares = small_table()
    shares[-1] = np.nan
    found = judge_thresholds(codes, shares, ["a", "b", "c"], {"a": 0.985, "b": 1.0})
    assert (found["objects"], found["unknown"]) == (35, 19 + 12 + 1)
    kept = {row["class"]: (row["kept"], row["precision"]) for row in found["classes"]}
    assert kept == {"a": (1, 1.0), "b": (0, None), "c": (2, 1.0)}
    assert json.loads(json.dumps(found)) == found


def test_classes_that_miss_the_wanted_precision_on_other_objects_are_named():
    codes, shares = small_table()
    found = judge_thresholds(codes, shares, ["a", "b", "c"], {})
    # of a 17 of 20 are right, up to 0.948; of b 6 of 12, up to 0.746; of c 3 of 3
    assert told_short(found, ["a", "c"], 0.9) == ()
    (note,) = told_short(found, ["a", "b"], 0.9)
    assert note.startswith("b: 0.500 (0.254 to 0.746) of the 12 test objects that keep the class are right")
    assert [text[0] for text in told_short(found, ["a", "b"], 0.95)] == ["a", "b"]
    assert told_short(judge_thresholds(codes, shares, ["a", "b", "c"], {"b": 1.0}), ["b"], 0.9) == ()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"d": 0.5}, "expected classes among a, b, found 'd'"),
        ({"a": 1.5}, r"expected a probability from 0 to 1 for a, found 1\.5"),
        (-0.1, "expected a probability from 0 to 1 for a"),
    ],
    ids=str,
)
def test_thresholds_that_cannot_be_are_refused(asked, message):
    with pytest.raises(UsageError, match=message):
        given_thresholds(asked, ["a", "b"])


def test_probabilities_at_a_temperature_are_those_of_the_logits(rng):
    """The fit of logits and that of their probabilities are the same."""
    from ifcyto.classify.temperature import fit_logits, fit_temperature

    logits, codes = drawn(rng, 300, 2.0)
    plain = logits.astype(float)
    assert fit_logits(plain, codes).temperature == pytest.approx(
        fit_temperature(softmax(plain), codes).temperature, rel=1e-6
    )
