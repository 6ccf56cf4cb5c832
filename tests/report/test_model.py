from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from ifcyto.report.model import (
    Citation,
    Column,
    FigureRef,
    KeyNumber,
    Provenance,
    Report,
    Run,
    Section,
    Table,
)


def test_a_report_goes_to_json_and_back_without_losing_a_number():
    table = Table(
        "t", (Column("a"), Column("b", "%", "number", 1)), (("x", 0.1), ("y", float("nan")), ("z", None))
    )
    figure = FigureRef(Path("figures") / "v.png", "caption", "alt")
    report = Report(
        "title",
        key_numbers=(KeyNumber("n", 11),),
        sections=(Section("one", "One", ("plain", ("a ", Run("b"))), (figure,), (table,)),),
        cite=(Citation("someone", "10.1/x"),),
        provenance=Provenance("now", inputs=(("a.cif", "00ff"),)),
    )
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain == report.to_dict()
    assert plain["sections"][0]["tables"][0]["rows"] == [["x", 0.1], ["y", None], ["z", None]]
    assert plain["sections"][0]["figures"][0]["png"] == "figures/v.png"
    assert plain["sections"][0]["text"][1][1] == {"text": "b", "style": "strong", "target": ""}
    assert plain["provenance"]["inputs"] == [["a.cif", "00ff"]]
    assert set(plain) == {field.name for field in dataclasses.fields(Report)}


def test_reports_are_values():
    assert Report("a", warnings=("w",)) == Report("a", warnings=("w",))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Report("a").title = "b"


@pytest.mark.parametrize(
    "anchor", ["", "Results", "a b", "1st", 'x"><script>', "a--b", "a-", "provenance", "top"]
)
def test_anchors_are_plain_and_free(anchor):
    with pytest.raises(ValueError, match="anchor"):
        Section(anchor, "title")


def test_anchors_are_unique():
    with pytest.raises(ValueError, match=r"\['a'\] more than once"):
        Report("t", sections=(Section("a", "1"), Section("b", "2"), Section("a", "3")))


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "http://example.org", "https://example.org", "", "data:text/html,x", "#A B"],
)
def test_links_lead_to_sections_and_dois_only(target):
    with pytest.raises(ValueError, match="expected a link to"):
        Run("x", "link", target)


def test_what_is_no_link_has_no_target():
    with pytest.raises(ValueError, match="found strong to '#a'"):
        Run("x", "strong", "#a")
    assert Run("x", "link", "https://doi.org/10.1038/s41598").target.endswith("s41598")


def test_rows_fit_their_columns():
    with pytest.raises(ValueError, match="row 1: expected 2 values, found 1"):
        Table("t", (Column("a"), Column("b")), ((1, 2), (1,)))


def test_a_figure_needs_words():
    with pytest.raises(ValueError, match=r"v\.png: expected words"):
        FigureRef(Path("v.png"), "caption", "  ")
