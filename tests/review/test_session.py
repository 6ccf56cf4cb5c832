"""A reader at work: pages, selection, tags, undo; everything that is told is on disk."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifcyto.errors import OutputError, UsageError
from ifcyto.pipeline.labels import read_labels
from ifcyto.review.objects import ReviewObjects
from ifcyto.review.session import DEFAULT_CLASSES, Session, TagClass, View
from ifcyto.review.tag_file import TagFile


def objects(n=25):
    return ReviewObjects(
        np.array([""] * n),
        np.arange(n) * 3,
        {"stage": np.array(["ProE", "BasoE"])[np.arange(n) % 2], "fbml": np.array(["BNE"] * n)},
        {"Area_M05": np.arange(n)[::-1].astype(float)},
        frozenset({"fbml"}),
    )


@pytest.fixture
def session(tmp_path):
    return Session(objects(), TagFile(tmp_path / "l.csv", by="AB", samples=False), per_page=10)


def test_pages_and_selection(session):
    assert session.n_pages == 3
    session.go_to(99)
    assert session.page == 2
    assert session.rows_on_page().tolist() == [20, 21, 22, 23, 24]
    session.select(21)
    session.select(23, add=True)
    session.select(21, add=True)
    assert session.selection == {23}
    session.move(1)
    session.move(1)
    assert session.selection == {24}
    session.go_to(1)
    session.move(-1)
    assert (session.page, session.selection) == (0, {9})
    session.move(1)
    assert (session.page, session.selection) == (1, {10})
    session.select_page()
    assert session.selection == set(range(10, 20))


def test_pages_of_another_size_hold_the_same_first_object(session):
    session.go_to(1)
    session.set_per_page(4)
    assert (session.page, session.rows_on_page().tolist()) == (2, [8, 9, 10, 11])
    session.set_per_page(100)
    assert (session.page, session.n_pages) == (0, 1)
    with pytest.raises(UsageError, match="one object a page or more, found 0"):
        session.set_per_page(0)


def test_a_run_of_objects_is_selected_in_the_order_that_is_shown(session):
    session.show(View({}, {}, sort="Area_M05"))
    session.select_to(20, 23)
    assert session.selection == {20, 21, 22, 23}
    session.select_to(3, None)
    assert session.selection == {3}


def test_columns_that_are_learnt_filter_and_sort(session):
    session.add_columns({"cluster": np.array(["01", "02", "", "01", "02"] * 5)}, {"Ratio": np.arange(25.0)})
    session.show(View({"cluster": ("02",)}, {}, sort="Ratio", descending=True))
    assert session.order.tolist() == [24, 21, 19, 16, 14, 11, 9, 6, 4, 1]
    session.select_shown()
    session.tag("Doublet")
    assert session.counts()["Doublet"] == 10
    with pytest.raises(ValueError, match="other lengths"):
        session.add_columns({"cluster": np.array(["01"])})


def test_the_first_step_selects_the_first_of_the_page(session):
    session.go_to(1)
    session.move(1)
    assert session.selection == {10}


def test_views_filter_sort_and_fail_without_a_change(session):
    session.show(View({"stage": {"ProE"}}, {"Area_M05": (10, 20)}, sort="Area_M05"))
    assert session.order.tolist() == [14, 12, 10, 8, 6, 4]
    with pytest.raises(UsageError, match="expected a column"):
        session.show(View({"age": {"1"}}, {}))
    assert session.order.tolist() == [14, 12, 10, 8, 6, 4]
    session.show_rows([4, 2, 9])
    assert session.order.tolist() == [4, 2, 9]
    session.tag("BNE", [2])
    session.show(View({"tag": {"BNE"}}, {}))
    assert session.order.tolist() == [2]
    session.show(View({"tag": {"untagged"}}, {}))
    assert len(session.order) == 24


def test_tags_undo_and_redo_are_on_disk(session, tmp_path):
    session.selection = {0, 1, 2}
    session.tag("BNE")
    session.tag("Doublet", [1])
    assert read_labels(tmp_path / "l.csv") == {0: "BNE", 3: "Doublet", 6: "BNE"}
    assert session.undo()
    assert read_labels(tmp_path / "l.csv") == {0: "BNE", 3: "BNE", 6: "BNE"}
    assert session.undo()
    assert not session.undo()
    assert read_labels(tmp_path / "l.csv") == {}
    assert session.redo()
    assert session.redo()
    assert not session.redo()
    assert read_labels(tmp_path / "l.csv") == {0: "BNE", 3: "Doublet", 6: "BNE"}
    assert session.counts() == {"BNE": 2, "Doublet": 1, "Irregular": 0, "Unknown": 0, "untagged": 22}
    session.undo()
    session.tag("Unknown", [24])
    assert not session.redo()
    with pytest.raises(UsageError, match="expected a class among BNE, Doublet"):
        session.tag("Elephant")


def test_a_review_goes_on_where_it_stopped(session, tmp_path):
    for row in range(12):
        session.tag("BNE", [row])
    later = Session(objects(), TagFile(tmp_path / "l.csv", by="CD", samples=False), per_page=10)
    assert later.counts()["BNE"] == 12
    assert later.go_to_untagged()
    assert (later.page, later.selection) == (1, {12})
    later.tag("Doublet", range(25))
    assert not later.go_to_untagged()


def test_undo_turns_to_what_it_undoes(session):
    session.tag("BNE", [3])
    session.go_to(2)
    session.undo()
    assert (session.page, session.selection) == (0, {3})


def test_a_refusing_disk_changes_nothing(session, monkeypatch):
    session.tag("BNE", [3])

    def full(_file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError):
        session.tag("Doublet", [4])
    with pytest.raises(OutputError):
        session.undo()
    assert (session.label(3), session.label(4)) == ("BNE", None)
    monkeypatch.undo()
    assert session.undo()
    assert session.label(3) is None


def test_a_blinded_reader_sees_an_order_of_the_seed(tmp_path):
    tags = TagFile(tmp_path / "l.csv", by="AB", samples=False)
    blind = [Session(objects(), tags, blinded=True, seed=seed).order.tolist() for seed in (1, 1, 2)]
    assert blind[0] == blind[1] != blind[2]
    assert sorted(blind[0]) == list(range(25))
    with pytest.raises(UsageError, match="blinded"):
        Session(objects(), tags, blinded=True).show(View({"fbml": {"BNE"}}, {}))


def test_nothing_to_review_is_no_fault(tmp_path):
    empty = Session(objects(0), TagFile(tmp_path / "l.csv", by="AB", samples=False))
    empty.move(1)
    empty.select_page()
    empty.tag("BNE")
    assert (empty.n_pages, empty.counts()["untagged"], empty.undo(), empty.go_to_untagged()) == (
        1,
        0,
        False,
        False,
    )
    assert not (tmp_path / "l.csv").exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("", "#000000", "1"), "the name of a class"),
        (("=cmd", "#000000", "1"), "the name of a class"),
        (("BNE", "red", "1"), "a colour #RRGGBB"),
        (("BNE", "#000000", "0"), "a key from 1 to 9"),
    ],
)
def test_classes_that_cannot_be(values, message):
    with pytest.raises(UsageError, match=message):
        TagClass(*values)


def test_classes_differ_in_name_and_key(session):
    with pytest.raises(UsageError, match="different keys"):
        session.set_classes([TagClass("A", "#000000", "1"), TagClass("B", "#000000", "1")])
    assert session.classes == DEFAULT_CLASSES


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.tuples(st.sampled_from(["BNE", "Doublet", None]), st.sets(st.integers(0, 5))), max_size=12)
)
def test_undoing_everything_is_the_beginning_and_redoing_the_end(steps):
    import tempfile
    from pathlib import Path

    path = Path(tempfile.mkdtemp()) / "l.csv"
    session = Session(objects(6), TagFile(path, by="AB", samples=False))
    twin = {}
    for label, rows in steps:
        session.tag(label, rows)
        twin |= dict.fromkeys(rows, label)
    end = {row: label for row, label in twin.items() if label}
    assert {row: session.label(row) for row in range(6) if session.label(row)} == end
    while session.undo():
        pass
    assert session.counts()["untagged"] == 6
    while session.redo():
        pass
    assert {
        number // 3: label for number, label in (read_labels(path) if path.exists() else {}).items()
    } == end
