"""What leaves a review is what was seen and tagged."""

from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest
from PIL import Image

from ifcyto.errors import OutputError, UsageError
from ifcyto.pipeline.convert import convert
from ifcyto.review.export import looks_of, report_rows, write_figure, write_report, write_selection
from ifcyto.review.objects import ReviewObjects
from ifcyto.review.opening import ReviewOptions, open_review
from ifcyto.review.second_reader import compare_readers
from ifcyto.review.session import Session
from ifcyto.review.tag_file import Tag, TagFile
from ifcyto.samples.demo import write_demo_cif


@pytest.fixture
def review(tmp_path):
    convert(write_demo_cif(tmp_path / "demo.cif", n_cells=8), tmp_path / "demo.h5")
    found = open_review(tmp_path / "demo.h5", ReviewOptions(by="AB"))
    found.session.tag("BNE", [1, 4])
    found.session.tag("Doublet", [2])
    yield found
    found.close()


@pytest.fixture
def many(tmp_path):
    objects = ReviewObjects(
        np.array(["A", "A", "B", "B"]),
        np.array([1, 2, 1, 9]),
        {"stage": np.array(["ProE", "", "ProE", "BasoE"])},
    )
    return Session(objects, TagFile(tmp_path / "many.csv", by="=AB", samples=True))


def test_a_figure_shows_the_cells_and_is_the_same_each_time(review, tmp_path):
    (tmp_path / "out").mkdir()
    png, pdf = write_figure(tmp_path / "out" / "page.png", review, [4, 1], size=48, ranges={"BF": (0, 1000)})
    assert pdf.read_bytes().startswith(b"%PDF")
    with Image.open(png) as picture:
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 100
    first = png.read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        write_figure(png, review, [4, 1], size=48)
    write_figure(png, review, [4, 1], size=48, ranges={"BF": (0, 1000)}, overwrite=True)
    assert png.read_bytes() == first
    with pytest.raises(UsageError, match="one cell or more to draw"):
        write_figure(png, review, [], size=48)
    with pytest.raises(UsageError, match="expected a plain file name"):
        write_figure(tmp_path / "ö ö.png", review, [1], size=48)
    assert [look.colour for look in looks_of(review)] == [None, "#FFB000", "#FF4DFF"]


def test_selections_as_population_and_as_table(review, many, tmp_path):
    assert write_selection(tmp_path / "s.pop", review.session, [4, 1]).read_bytes() == b"\r\n1\r\n4\r\n"
    assert (
        write_selection(tmp_path / "s.csv", review.session, [4, 0]).read_text() == "object,label\n4,BNE\n0,\n"
    )
    many.tag("BNE", [3])
    assert (
        write_selection(tmp_path / "m.csv", many, [3, 0]).read_text()
        == "sample,object,label\nB,9,BNE\nA,1,\n"
    )
    assert write_selection(tmp_path / "m.pop", many, [3, 2]).read_bytes() == b"\r\n1\r\n9\r\n"
    with pytest.raises(UsageError, match="objects of one sample, found several"):
        write_selection(tmp_path / "x.pop", many, [0, 3])
    with pytest.raises(UsageError, match=r"ends in \.pop or \.csv"):
        write_selection(tmp_path / "x.txt", many, [0])
    with pytest.raises(OutputError, match="exists already"):
        write_selection(tmp_path / "m.csv", many, [0])


def test_the_report_counts_classes_of_all_of_samples_and_of_stages(review, many, tmp_path):
    many.tag("BNE", [0, 3])
    many.tag("Doublet", [1])
    rows = report_rows(many)
    assert [row[:4] for row in rows if row[0] == "all"] == [
        ("all", "", name, n)
        for name, n in (("BNE", 2), ("Doublet", 1), ("Irregular", 0), ("Unknown", 0), ("untagged", 1))
    ]
    assert ("stage", "ProE", "BNE", 1, 50.0) in rows
    assert ("sample", "B", "untagged", 1, 50.0) in rows
    path = write_report(tmp_path / "r.csv", dataclasses.replace(review, session=many))
    with path.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    other = {key: Tag("BNE") for key in many.tags.tags}
    named = dataclasses.replace(review, session=many, title="<b>study")
    page = write_report(tmp_path / "r.html", named, compare_readers(many.tags.tags, other)).read_text()
    assert "&lt;b&gt;study" in page
    assert "<b>study" not in page
    assert "3 objects tagged by both; 1 of them differently" in page
    with pytest.raises(UsageError, match=r"ends in \.csv or \.html"):
        write_report(tmp_path / "r.txt", review)


def test_a_blinded_report_names_no_sample(many):
    many.blinded = True
    assert {row[0] for row in report_rows(many)} == {"all"}
