"""The window: it draws, its state goes round, and what is wrong is said in it."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

pytest.importorskip("napari.components", reason="the review extra is not installed")

from ifcyto.review.opening import ReviewOptions
from ifcyto.review.session import View

from .conftest import HEADER, colours, settle

pytestmark = pytest.mark.gui


def test_the_command_opens_a_window_and_leaves_none(qt, stack, tmp_path, monkeypatch):
    import napari

    from ifcyto.napari_plugin import launch

    seen = []
    monkeypatch.setattr(napari, "run", lambda: seen.append(napari.current_viewer()))
    launch.launch(stack, ReviewOptions(by="AB", labels=tmp_path / "l.csv"))
    (viewer,) = seen
    settle(qt, until=lambda: len(viewer.layers) == 6)
    assert viewer.title == "ifcyto review"
    viewer.close()


def test_cells_are_drawn(qt, window):
    settle(qt, 0.3)
    assert window.message.text() == ""
    shot = window.desk.viewer.screenshot(flash=False)
    plain = colours(shot)
    assert plain > 10
    window.desk.click(0)
    window.desk.tag("BNE")
    settle(qt, 0.1)
    tagged = window.desk.viewer.screenshot(flash=False)
    orange = (np.abs(tagged[..., :3].astype(int) - [0xD5, 0x5E, 0x00]) < 12).all(axis=-1)
    assert orange.sum() > 50
    assert not (np.abs(shot[..., :3].astype(int) - [0xD5, 0x5E, 0x00]) < 12).all(axis=-1).sum() > 10


def test_widgets_and_view_are_one_state(make, study):
    window = make(study)
    box = window.review_tab.filters
    assert {"tag", "sample", "stage", "fbml", "called BNE by"} <= set(box.words)
    for view in (
        View({"fbml": ("BNE",), "tag": ("untagged",)}, {}, None, "fbml_score", True),
        View({}, {"fbml_score": (0.25, 0.75)}, None, "", False),
        View({"called BNE by": ("spot and fbml",)}, {}),
    ):
        box.set_view(view)
        assert box.view() == view
        box.apply()
        assert window.desk.review.session.view == view
    assert window.desk.review.session.order.size == 16
    box.low.setText("abc")
    box.column.setCurrentIndex(1)
    box.apply()
    assert "expected a number as a limit, found 'abc'" in window.message.text()
    box.clear()
    assert window.desk.review.session.order.size == 24


def test_widgets_follow_pages_size_and_mode(window):
    tab, desk = window.review_tab, window.desk
    tab.page.setValue(3)
    assert desk.review.session.page == 2
    tab.per_page.setValue(5)
    tab.size.setValue(40)
    tab.mode.setCurrentIndex(1)
    assert (desk.gallery.size, desk.gallery.mode, desk.review.session.per_page) == (40, "overlay", 5)
    assert desk.gallery.made.tile == (40, 40)
    tab.outlined.click()
    assert desk.gallery.outlined
    desk.outline()
    assert not tab.outlined.isChecked()


def test_a_corrupted_file_of_labels_is_told_and_left_alone(make, stack, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_bytes(b"object,label\n3,BNE\n\xff\xfe\n")
    window = make(stack, labels=labels)
    assert "labels.csv: expected a CSV file in UTF-8" in window.message.text()
    assert window.desk.review is None
    assert labels.read_bytes() == b"object,label\n3,BNE\n\xff\xfe\n"
    assert not window.review_tab.isEnabled()


def test_a_stack_that_was_moved_is_told_and_nothing_lost(make, stack, tmp_path):
    moved = shutil.copyfile(stack, tmp_path / "moved.h5")
    window = make(moved)
    window.desk.click(0)
    window.desk.tag("BNE")
    window.desk.review.pages.close()
    moved.rename(tmp_path / "elsewhere.h5")
    window.desk.turn(1)
    assert "is not there: it was moved" in window.message.text()
    window.show_detail(3)
    assert "is not there: it was moved" in window.message.text()
    (tmp_path / "elsewhere.h5").rename(moved)
    window.desk.turn(-1)
    assert window.message.text() == ""
    assert window.desk.review.session.counts()["BNE"] == 1


def test_a_study_without_candidates_is_told(make, study, tmp_path):
    (tmp_path / "classifications.csv").write_text(HEADER)
    window = make(study, results=tmp_path)
    assert "There is no object to review" in window.message.text()
    window.desk.next_untagged()
    window.desk.move(1)
    window.desk.select_page()
    window.desk.tag("BNE")
    assert window.desk.review.session.counts()["untagged"] == 0


def test_a_study_that_was_not_run_and_a_file_that_is_none(make, study, tmp_path):
    window = make(study, results=tmp_path)
    assert "run the study first" in window.message.text()
    (tmp_path / "a.cif").write_text("nothing")
    again = make(tmp_path / "a.cif")
    assert "a.cif" in again.message.text()


def test_blinded_reviews_say_so_and_show_no_verdict(make, study):
    window = make(study, blinded=True, seed=3)
    assert "blinded (seed 3)" in window.review_tab.title.text()
    shown = {
        window.review_tab.filters.sort.itemText(i) for i in range(window.review_tab.filters.sort.count())
    }
    assert not {"group", "sample"} & set(window.review_tab.filters.words)
    assert not shown & {"fbml", "cnn", "fbml_score", "cnn_probability", "disagreement"}
    window.show_detail(0)
    assert [name for name, _ in window.detail_tab.values(0)] == ["stage"]


def test_opening_can_be_stopped(qt, stack, tmp_path):
    from ifcyto.napari_plugin.jobs import Job

    said = []
    job = Job(lambda progress: [progress("x", n, 10**9) for n in range(10**9)], said.append, said.append)
    job.start()
    job.stop()
    settle(qt, until=lambda: not job.running)
    assert said == ["Stopped; nothing was changed."]
