"""Truth building by features, on simulated cells whose kind is known."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.classify.model_folder import read_model
from ifcyto.classify.tagging import tagging_round
from ifcyto.classify.training import TrainOptions
from ifcyto.errors import UsageError
from ifcyto.pipeline.classify import classify
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.measure import measure
from ifcyto.review.asking import judge_errand
from ifcyto.review.grouping import GROUP, MAP, Grouping, grouped
from ifcyto.review.judging import looked_at
from ifcyto.review.opening import ReviewOptions, open_review
from ifcyto.review.rounds import Round
from ifcyto.review.truth import PROBABILITY, SUGGESTED, learn, measured, save_model, suggested
from ifcyto.review.truth_data import TruthData, truth_data
from ifcyto.samples.demo import write_demo_cif

FEATURES = ["Area_M05", "Aspect Ratio_M05", "Intensity_MC_DRAQ5", "Area_M01", "Circularity_M05"]


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    folder = tmp_path_factory.mktemp("truth")
    convert(write_demo_cif(folder / "demo.cif", n_cells=60), folder / "demo.h5")
    found = open_review(folder / "demo.h5", ReviewOptions(by="AB"))
    seen = []
    columns = measured(found, FEATURES, progress=lambda task, done, total: seen.append(done))
    assert seen
    found.session.add_columns(numbers=columns)
    yield found
    found.close()


def columns(review):
    numbers = review.session.objects.numbers
    return list(numbers), np.column_stack(list(numbers.values()))


def test_columns_are_those_of_measure(review):
    table = measure(review.pages.stacks[""], FEATURES)
    assert np.array_equal(columns(review)[1], np.asarray(table.X), equal_nan=True)


def test_groups_have_names_and_places(review):
    names, values = columns(review)
    seen = []
    rows = np.arange(0, 60, 2)
    found = grouped(rows, names, values[rows], groups=3, progress=lambda *told: seen.append(told))
    assert seen[0] == ("group", 0, 1)
    words = found.words(60)[GROUP]
    counts = [int((words == name).sum()) for name in ("01", "02", "03")]
    assert counts == sorted(counts, reverse=True)
    assert set(np.flatnonzero(words != "").tolist()) == set(found.rows.tolist()) <= set(rows.tolist())
    numbers = found.numbers(60)
    assert all((np.isfinite(numbers[name]) == (words != "")).all() for name in MAP)
    back = Grouping.from_answer(found.to_answer())
    assert all(np.array_equal(getattr(back, name), getattr(found, name)) for name in Grouping.__slots__)


def test_a_round_of_tagging_gives_suggestions_and_a_confusion(review, tmp_path):
    names, values = columns(review)
    with pytest.raises(UsageError, match="tags of two classes or more, found none"):
        learn(truth_data(review), names, values)
    large = np.nan_to_num(values[:, 0]) > np.nanmedian(values[:, 0])
    tagged = np.arange(0, 60, 2)
    review.session.tag("Doublet", tagged[large[tagged]].tolist())
    review.session.tag("Irregular", tagged[~large[tagged]].tolist())
    data, seen = truth_data(review), []
    found = learn(data, names, values, n=7, progress=lambda *told: seen.append(told))
    assert seen[-1][1] == seen[-1][2] > 1
    assert found.classes == ("Doublet", "Irregular")
    alone = tagging_round(values, data.labels, names, n=7, options=TrainOptions(learning_curve=False))
    assert found.tagging.suggestions.rows.tolist() == alone.suggestions.rows.tolist()
    assert found.matrix.tolist() == alone.training.cv.matrix.tolist()
    words, numbers = suggested(found)
    assert (words[SUGGESTED][alone.suggestions.rows] == alone.suggestions.labels).all()
    assert np.isfinite(numbers[PROBABILITY]).sum() == 7
    back = Round.from_answer(found.to_answer())
    assert (back.classes, back.said) == (found.classes, found.said)
    assert back.matrix.tolist() == found.matrix.tolist()
    assert back.tagging.doubtful.rows.tolist() == found.tagging.doubtful.rows.tolist()
    with pytest.raises(UsageError, match="measure the objects first"):
        learn(data, [], values[:, :0])
    result = save_model(review, tmp_path / "model", FEATURES)
    assert read_model(tmp_path / "model").scorer.classes == result.training.scorer.classes
    judged = classify(review.pages.stacks[""], tmp_path / "model")
    there = Round.from_answer(judge_errand(review, tmp_path / "model", n=60).run(lambda *told: None))
    free = np.flatnonzero((data.labels == "") & (judged.labels != "Unknown"))
    assert sorted(there.tagging.suggestions.rows.tolist()) == free.tolist()
    assert (there.predicted[tagged] == np.where(judged.labels == "Unknown", "", judged.labels)[tagged]).all()
    assert "may have learned from them" in there.said
    rows = np.array([8, 3, 40])
    seen_by, numbers = looked_at(data, rows, tmp_path / "model")
    assert np.array_equal(numbers, judged.values[rows], equal_nan=True)
    assert seen_by == tuple(column.name for column in judged.model.columns)


def test_unknown_is_a_tag_that_teaches_nothing_and_is_not_suggested(review):
    names, values = columns(review)
    free = [row for row in range(60) if review.session.label(row) is None]
    before = learn(truth_data(review), names, values, n=5)
    review.session.tag("Unknown", free[:20])
    found = learn(truth_data(review), names, values, n=5)
    review.session.undo()
    assert found.classes == before.classes
    assert found.matrix.tolist() == before.matrix.tolist()
    assert not set(found.tagging.suggestions.rows.tolist()) & set(free[:20])
    assert len(found.tagging.suggestions.rows) == 5


def test_what_goes_to_another_process_comes_back(review):
    data = truth_data(review)
    document, arrays = data.to_parts()
    back = TruthData.from_parts(document, arrays)
    assert back.truth() == data.truth()
    assert back.inputs() == {"sample": review.pages.stacks[""].resolve()}
    assert back.chosen(["DRAQ5"]) == [5]
    with pytest.raises(UsageError, match=r"expected names among .*DRAQ5.*, found 'SSC9'"):
        back.chosen(["SSC9"])
