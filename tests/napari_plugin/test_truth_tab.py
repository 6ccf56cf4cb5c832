"""Building a truth in the window: groups, suggestions, the confusion to click."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari.components", reason="the review extra is not installed")

from .conftest import settle, tab

pytestmark = pytest.mark.gui


def test_truth_is_built_from_tags(qt, with_table, tmp_path):
    truth, desk = tab(with_table, "Truth"), with_table.desk

    def wait(action):
        action()
        settle(qt, until=lambda: not truth.job.running)

    truth.groups.setValue(3)
    wait(truth.group)
    assert "3 groups of 29 objects" in truth.said.text()
    assert "cluster" in with_table.review_tab.filters.words
    wait(truth.suggest)
    assert "tags of two classes or more, found none" in with_table.message.text()
    session = desk.review.session
    area = session.objects.numbers["Area_M05"]
    large = area > np.median(area)
    session.tag("Doublet", np.flatnonzero(large)[:8].tolist())
    session.tag("Irregular", np.flatnonzero(~large)[:8].tolist())
    truth.count.setValue(5)
    wait(truth.suggest)
    assert "on 16 tags. 5 objects are suggested" in truth.said.text()
    assert desk.gallery.rows.tolist() == truth.found.tagging.suggestions.rows.tolist()
    truth.matrix.cellClicked.emit(0, 1)
    assert set(desk.gallery.rows.tolist()) <= set(np.flatnonzero(large)[:8].tolist())
    assert str(len(desk.gallery.rows)) == truth.matrix.item(0, 1).text()
    (tmp_path / "file").touch()
    wait(lambda: truth.save(tmp_path / "file" / "fbml"))
    assert "file" in with_table.message.text()


def test_measuring_can_be_stopped_and_changes_nothing(qt, window):
    truth = tab(window, "Truth")
    truth.measure()
    truth.stop()
    settle(qt, until=lambda: not truth.job.running)
    assert window.desk.review.session.objects.numbers == {}
    assert "Stopped" in window.message.text()
