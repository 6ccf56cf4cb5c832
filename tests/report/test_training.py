"""The section on a training says what its record holds, and warns where it must."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest

from ifcyto.figures.style import save_figure
from ifcyto.figures.training import ranking_bars
from ifcyto.report.model import FigureRef, Report
from ifcyto.report.render import render_report
from ifcyto.report.training import training_section

RECORD: dict[str, Any] = {
    "method": "lda",
    "classes": ["BNE", "Doublet", "Irregular"],
    "n_truth": {"BNE": 147, "Doublet": 350, "Irregular": 1261},
    "samples": ["M1", "M2", "M3"],
    "options": {"method": "lda", "n_features": None, "max_correlation": 0.9, "folds": 5, "seed": 0},
    "balanced_accuracy": {"mean": 0.9124, "sd": 0.0213},
    "scores": [
        {"class": "BNE", "precision": 0.913, "recall": 0.782, "f1": 0.842},
        {"class": "Doublet", "precision": 0.997, "recall": 0.997, "f1": 0.997},
        {"class": "Irregular", "precision": None, "recall": 0.9, "f1": math.nan},
    ],
    "matrix": [[115, 1, 31], [0, 349, 1], [11, 0, 1250]],
    "ranking": [
        {"name": "Area_M05", "ratio": 3.5, "chosen": True},
        {"name": "Length_M05", "ratio": 3.25, "chosen": False},
        {"name": "Aspect Ratio_M05", "ratio": 1.125, "chosen": True},
    ],
    "chosen": ["Aspect Ratio_M05", "Area_M05"],
    "dropped": {},
    "learning_curve": {
        "sizes": [100.0, 200.0, 400.0, 800.0],
        "mean": [0.7, 0.8, 0.86, 0.9],
        "sd": [0.05, 0.04, 0.03, 0.02],
    },
    "notes": [],
}
NOT_CONSIDERED = "Features that were not considered"


@pytest.fixture
def record() -> dict[str, Any]:
    return copy.deepcopy(RECORD)


def words(record: dict[str, Any]) -> str:
    return " ".join(map(str, training_section(record).text))


def table(record: dict[str, Any], caption: str):
    return next(one for one in training_section(record).tables if one.caption.startswith(caption))


def test_text_says_what_was_trained_on_what(record):
    text = words(record)
    assert "linear discriminant analysis with shrinkage on 1,758 truth images from 3 samples" in text
    assert "3 classes: BNE (147), Doublet (350) and Irregular (1,261). It uses 2 features." in text
    record |= {"method": "svm", "chosen": ["Area_M05"], "samples": ["M1"]}
    assert "trained by svm on 1,758 truth images from 1 sample, " in words(record)
    assert "It uses 1 feature." in words(record)


def test_text_says_that_the_validation_was_nested_and_what_was_fixed(record):
    text = words(record)
    assert "nested 5-fold cross-validation" in text
    assert "made from the other 4 alone" in text
    assert "correlation above 0.9, the number of features and the weights" in text
    record["options"] |= {"n_features": 12, "max_correlation": 0.85}
    assert "correlation above 0.85 and the weights" in words(record)


def test_text_says_whether_samples_were_kept_whole(record):
    assert "each sample is judged unseen" in words(record)
    record["grouped"] = False
    assert "Images of one sample stand in several parts; in a sample that it has not seen" in words(record)
    record |= {"samples": ["M1"]}
    del record["grouped"]
    assert "All images come from one sample; in a sample" in words(record)


def test_text_says_what_the_validation_found(record):
    text = words(record)
    assert "Balanced accuracy was 0.912 (s.d. over the folds 0.021); 1,714 of 1,758 images" in text
    assert "The most frequent mistake: BNE called Irregular (31 of 147)." in text
    record["balanced_accuracy"]["sd"] = math.nan
    record["matrix"] = [[147, 0, 0], [0, 350, 0], [0, 0, 1261]]
    text = words(record)
    assert "Balanced accuracy was 0.912; 1,758 of 1,758" in text
    assert "mistake" not in text
    record["balanced_accuracy"]["mean"] = None
    assert "could not be computed" in words(record)


def test_a_rising_curve_says_how_many_more_images_would_add_what(record):
    text = words(record)
    assert "From 400 to 800 images balanced accuracy went from 0.860 to 0.900. " in text
    assert "about 800 more truth images can be expected to add 0.040 at most" in text
    assert "scatter" not in text
    record["learning_curve"]["sd"][-1] = 0.05
    assert "within the scatter of the curve (s.d. 0.050)" in words(record)
    record["learning_curve"]["sd"][-1] = None
    assert "scatter" not in words(record)


def test_half_of_the_truth_is_read_between_the_points(record):
    curve = {"sizes": [100, 400], "mean": [0.5, 0.9], "sd": [0.0, 0.0]}
    assert "From 200 to 400 images balanced accuracy went from 0.700 to 0.900" in words(
        record | {"learning_curve": curve}
    )
    curve = {"sizes": [300, 387], "mean": [0.5, 0.9], "sd": [0.0, 0.0]}
    text = words(record | {"learning_curve": curve})
    assert "From 300 to 387 images" in text
    assert "about 110 more truth images" in text  # 387 * 387 / 300 - 387 = 112


@pytest.mark.parametrize("last", [0.9099, 0.9, 0.85])
def test_a_flat_curve_asks_for_no_more_images(record, last):
    record["learning_curve"] = {"sizes": [200, 400], "mean": [0.9, last], "sd": [0.01, 0.01]}
    assert "is flat, and more images of the same kind will hardly help" in words(record)
    assert "more truth images" not in words(record)


def test_curves_that_tell_nothing_say_so(record):
    record["learning_curve"] = {"sizes": [200, 400], "mean": [None, 0.9], "sd": [None, 0.01]}
    assert "fewer than two points" in words(record)
    record["learning_curve"] = None
    assert "curve" not in words(record)
    assert len(training_section(record).text) == 3


def test_table_of_classes(record):
    rows = table(record, "Each class").rows
    assert rows[0] == ("BNE", 147, 115, 126, 0.913, 0.782, 0.842)
    assert rows[1][:4] == ("Doublet", 350, 349, 350)
    assert rows[2][4] is None


def test_table_of_the_matrix(record):
    matrix = table(record, "Truth images by true class")
    assert [column.title for column in matrix.columns][1:] == [
        "called BNE", "called Doublet", "called Irregular"
    ]  # fmt: skip
    assert matrix.rows == (("BNE", 115, 1, 31), ("Doublet", 0, 349, 1), ("Irregular", 11, 0, 1250))


def test_table_of_features_is_by_rank(record):
    features = table(record, "Features that the classifier uses")
    assert features.rows == ((1, "Area_M05", 3.5), (3, "Aspect Ratio_M05", 1.125))
    assert features.file == ""
    section = training_section(record, ranking_file="model/ranking.csv")
    ranked = next(one for one in section.tables if one.caption.startswith("Features that the"))
    assert ranked.file == "model/ranking.csv"


def test_what_the_text_says_of_the_whole_stands_in_tables(record):
    whole, curve = table(record, "The cross-validation as a whole"), table(record, "Learning curve")
    right = sum(row[i] for i, row in enumerate(record["matrix"]))
    accuracy = record["balanced_accuracy"]
    assert whole.rows == (
        (
            "whole",
            sum(record["n_truth"].values()),
            len(record["chosen"]),
            5,
            right,
            accuracy["mean"],
            accuracy["sd"],
        ),
    )
    sizes = record["learning_curve"]
    assert curve.rows == tuple(zip(sizes["sizes"], sizes["mean"], sizes["sd"], strict=True))
    record["learning_curve"] = None
    assert not any(one.caption == "Learning curve" for one in training_section(record).tables)


def test_directions_of_weights_are_named(record):
    record["directions"] = {"Area_M05": ["BNE", "Irregular"]}
    features = table(record, "Features that the classifier uses")
    assert features.rows == (
        (1, "Area_M05", 3.5, "BNE", "Irregular"),
        (3, "Aspect Ratio_M05", 1.125, None, None),
    )
    assert "beside the other features" in training_section(record).notes[-1]
    assert "beside the other features" not in training_section(RECORD).notes[-1]


def test_long_lists_of_features_are_cut_and_said(record):
    record["chosen"] = [f"f{i}" for i in range(45)]
    features = table(record, "Features that the classifier uses")
    assert len(features.rows) == 30
    assert features.caption.endswith("the first 30 of 45")
    assert features.rows[0] == (None, "f0", None)  # not ranked


def test_dropped_features_are_counted_by_reason(record):
    assert NOT_CONSIDERED not in [one.caption for one in training_section(record).tables]
    record["dropped"] = {
        "Time": "tells when or where the object was recorded",
        **{f"Length_M0{i}": f"missing in {i} of 758 objects" for i in range(1, 6)},
        "Area_M09": "constant: -1.5e-07",
        "Spot Count_M1": "missing in all objects",
        "Spot Count_M2": "missing in all objects",
    }
    assert table(record, NOT_CONSIDERED).rows == (
        ("missing in … of … objects", 5, "Length_M01, Length_M02, Length_M03, ..."),
        ("missing in all objects", 2, "Spot Count_M1, Spot Count_M2"),
        ("tells when or where the object was recorded", 1, "Time"),
        ("constant: -1.5e-07", 1, "Area_M09"),
    )
    record["dropped"] = {f"f{i}": f"like {chr(97 + i)}" for i in range(14)}
    rows = table(record, NOT_CONSIDERED).rows
    assert len(rows) == 11
    assert rows[-1] == ("other reasons", 4, "f10, f11, f12, ...")


def test_notes_of_the_training_are_warnings(record):
    record["notes"] = ["class BNE has 12 objects, fewer than 25"]
    assert training_section(record).warnings == ("class BNE has 12 objects, fewer than 25",)


@pytest.mark.parametrize(("mean", "sd", "warned"), [(0.4, 0.1, True), (0.3, None, True), (0.4, 0.02, False)])
def test_a_classifier_that_guesses_is_a_warning(record, mean, sd, warned):
    record["balanced_accuracy"] = {"mean": mean, "sd": sd}
    warnings = training_section(record).warnings
    assert bool(warnings) == warned
    assert all("guessing 0.333. Do not use its classes." in warning for warning in warnings)


def test_two_classifiers_stand_in_one_report(record, tmp_path):
    drawn = ranking_bars(["Area_M05", "Length_M05"], [3.5, 3.25], ["Area_M05"])
    png, pdf = save_figure(drawn, tmp_path, "ranking")
    figure = FigureRef(png, "Ranking of the features.", "words", pdf)
    first = training_section(record, (figure,))
    second = training_section(record, anchor="training-two", title="Second step")
    report = Report("t", sections=(first, second))
    page = render_report(report, tmp_path / "report.html").read_text(encoding="utf-8")
    assert first.figures == (figure,)
    for text in ("Training of the classifier", "Second step", "Ranking of the features.", "0.842", "1,250"):
        assert text in page
    assert page.count("Each class in the cross-validation") == 2
    json.dumps(report.to_dict(), allow_nan=False)


def test_two_steps_are_told_one_after_the_other(record):
    first = {**record, "classes": ["True 2N", "not True 2N"], "n_truth": {"True 2N": 5, "not True 2N": 6}}
    section = training_section({**record, "steps": [first, record]})
    text = " ".join(section.text)
    assert "It works in two steps: first True 2N or not True 2N (balanced accuracy" in text
    assert ("Step 1: From" in text, "Step 2: From" in text) == (True, True)
    captions = [table.caption for table in section.tables]
    assert [caption[:8] for caption in captions if "Features that the" in caption] == ["Step 1: ", "Step 2: "]
