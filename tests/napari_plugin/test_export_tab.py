"""What leaves the window: pixels, figures, lists, reports, and the comparison of two readers."""

from __future__ import annotations

import pytest

pytest.importorskip("napari.components", reason="the review extra is not installed")

from .conftest import tab

pytestmark = pytest.mark.gui


def test_the_exported_page_is_what_the_gallery_shows_byte_for_byte(window, tmp_path):
    from ifcyto.writers.page_tiff import read_page_tiff

    desk, export = window.desk, tab(window, "Export")
    desk.turn(1)
    desk.click(14)
    desk.tag("BNE")
    desk.gallery.layers()[0].contrast_limits = (100, 200)  # looks do not change pixels
    assert export.write_pixels(tmp_path / "page.tif")
    planes, channels, cells = read_page_tiff(tmp_path / "page.tif")
    assert planes.tobytes() == b"".join(layer.data.tobytes() for layer in desk.viewer.layers[:3])
    assert channels == ("BF", "CD235a", "DRAQ5")
    captions = desk.viewer.layers["object numbers"].features["caption"]
    assert [f"#{cell.object}" for cell in cells] == [text.split()[0] for text in captions[:12]]
    assert [cell.label for cell in cells] == ["", "", "BNE", *[""] * 9]
    corner = [desk.gallery.made.corner(place) for place in range(12)]
    assert [(cell.row, cell.column) for cell in cells] == corner
    assert "Written" in export.said.text()


def test_figures_lists_and_reports_are_written_or_the_reason_is_told(window, tmp_path):
    desk, export = window.desk, tab(window, "Export")
    assert export.write_figure(tmp_path / "page.png")
    assert (tmp_path / "page.pdf").stat().st_size > 1000
    plain = (tmp_path / "page.png").read_bytes()
    desk.outline()
    assert export.write_figure(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes() != plain  # with the outlines that are shown
    assert not export.write_selection(tmp_path / "s.pop")
    assert "expected selected cells, found none" in window.message.text()
    desk.click(3)
    assert export.write_selection(tmp_path / "s.pop")
    assert export.write_report(tmp_path / "r.html")
    assert window.message.text() == ""
    (tmp_path / "file").touch()
    assert not export.write_report(tmp_path / "file" / "r.html")
    assert "cannot be written" in window.message.text()


def test_two_readers_are_compared_and_their_disagreements_shown(make, stack, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("object,label\n0,BNE\n1,Doublet\n2,BNE\n17,BNE\n")
    window = make(stack, labels=tmp_path / "l.csv")
    readers = tab(window, "Readers")
    desk = window.desk
    desk.review.session.tag("BNE", [0, 2])
    desk.review.session.tag("Irregular", [17])
    desk.review.session.tag("Doublet", [5])
    assert readers.load(other)
    said = readers.said.text()
    assert "3 objects tagged by both, 1 of them differently; 1 by you alone, 1 by the other" in said
    assert readers.differences.item(0, 1).text() == "17"
    assert readers.show_disagreements()
    assert desk.gallery.rows.tolist() == [17]
    assert not readers.load(tmp_path / "gone.csv")
    assert "found nothing" in window.message.text()
    assert not readers.load(tmp_path / "l.csv")
    assert "found the file of this review" in window.message.text()
    other.write_text("rubbish")
    assert not readers.load(other)
    assert tab(window, "Export").write_report(tmp_path / "r.html")
    assert "Cohen's kappa" in (tmp_path / "r.html").read_text()
