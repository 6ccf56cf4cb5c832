"""What is shown, in which order, and what a blinded reader does not see."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from ifcyto.errors import StudyError, UsageError
from ifcyto.review.objects import (
    ReviewObjects,
    arrange,
    by_likeness,
    from_results,
    matching,
    shuffled,
)

HEADER = "sample,group,object,stage,spot_count,candidate,spot,fbml,cnn,manual,fbml_score,cnn_probability\n"
TABLE = HEADER + (
    "A,MDS,1,ProE,2,1,BNE,BNE,,BNE,1.5,\n"
    "A,MDS,2,ProE,1,0,,,,,,\n"
    "A,MDS,5,BasoE,2,1,BNE,Doublet,,,-2.0,\n"
    "B,NBM,1,,2,1,BNE,Unknown,,Doublet,,\n"
)


@pytest.fixture
def found(tmp_path):
    (tmp_path / "classifications.csv").write_text(TABLE)
    return from_results(tmp_path / "classifications.csv")


def test_candidates_of_a_run(found):
    assert [found.key(row) for row in range(3)] == [("A", 1), ("A", 5), ("B", 1)]
    assert set(found.words) == {"stage", "group", "called BNE by", "spot", "fbml", "manual"}
    assert found.words["called BNE by"].tolist() == ["spot and fbml and manual", "spot only", "spot only"]
    assert found.numbers["disagreement"].tolist() == [0, 1, 1]
    assert found.seen(blinded=True) == (("stage",), ())
    assert "fbml_score" in found.seen(blinded=False)[1]


def test_a_study_without_candidates_is_empty(tmp_path):
    (tmp_path / "c.csv").write_text(HEADER)
    assert len(from_results(tmp_path / "c.csv")) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("candidate\n1\n", "expected the columns of"),
        (HEADER + "A,MDS,x,ProE,2,1,,,,,,\n", "numbers"),
        (None, "run"),
    ],
)
def test_what_is_no_table_of_a_run_is_refused(tmp_path, text, message):
    if text is not None:
        (tmp_path / "c.csv").write_text(text)
    with pytest.raises(StudyError, match=message):
        from_results(tmp_path / "c.csv")


def test_filters_are_joined_and_missing_values_never_pass(found):
    assert matching(found, {"stage": {"ProE", "BasoE"}, "sample": {"A"}}).tolist() == [True, True, False]
    assert matching(found, ranges={"fbml_score": (-5, 5)}).tolist() == [True, True, False]
    assert matching(found, {"called BNE by": {"spot only"}}).tolist() == [False, True, True]
    with pytest.raises(UsageError, match="expected a column among"):
        matching(found, {"age": {"1"}})


@pytest.mark.parametrize("column", ["spot", "called BNE by", "fbml", "manual"])
def test_a_blinded_reader_can_neither_filter_nor_sort_by_verdicts(found, column):
    with pytest.raises(UsageError, match="blinded"):
        matching(found, {column: {"BNE"}}, blinded=True)
    with pytest.raises(UsageError, match="blinded"):
        arrange(found, np.arange(3), column, blinded=True)
    with pytest.raises(UsageError, match="blinded"):
        arrange(found, np.arange(3), "fbml_score", blinded=True)


def test_order_puts_what_is_missing_last(found):
    assert arrange(found, np.arange(3), "fbml_score").tolist() == [1, 0, 2]
    assert arrange(found, np.arange(3), "fbml_score", descending=True).tolist() == [0, 1, 2]
    assert arrange(found, np.arange(3), "stage").tolist() == [1, 0, 2]


def test_likeness_is_the_distance_of_standardised_features(rng):
    values = rng.normal(size=(40, 5)) * [1, 100, 1e-6, 1, 1]
    values[:, 4] = 3.0
    rows = rng.permutation(40)[:25]
    with np.errstate(invalid="ignore"):
        scaled = (values[:, :4] - values[:, :4].mean(0)) / values[:, :4].std(0)
    distance = cdist(scaled[rows], scaled[[rows[3]]])[:, 0]
    assert by_likeness(values, rows, int(rows[3])).tolist() == rows[np.argsort(distance)].tolist()
    values[rows[5], 0] = np.nan
    assert by_likeness(values, rows, int(rows[3]))[0] == rows[3]


def test_a_seed_is_one_order_of_the_same_rows():
    rows = np.array([5, 9, 2, 7])
    assert sorted(shuffled(rows, 1)) == [2, 5, 7, 9]
    assert shuffled(rows, 1).tolist() == shuffled(rows[::-1], 1).tolist()
    assert len({tuple(shuffled(rows, seed)) for seed in range(20)}) > 5


def test_columns_have_one_length():
    with pytest.raises(ValueError, match="columns of 2 objects"):
        ReviewObjects(np.array(["a", "b"]), np.arange(2), {"x": np.array(["1"])})
