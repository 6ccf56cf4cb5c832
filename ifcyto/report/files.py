"""Which file holds the numbers of which table: every table of a report has one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ifcyto.report.model import Column, Table

if TYPE_CHECKING:
    from ifcyto.report.model import Report

__all__ = ["FOLDER", "key_table", "named", "own_tables"]

FOLDER = "tables"
"""Folder, beside the report, of the tables that no other file holds."""

KEY_NUMBERS = f"{FOLDER}/key-numbers.csv"


def named(report: Report) -> Report:
    """Give a file to every table that has none: ``tables/<section>-<place>.csv``.

    Examples
    --------
    >>> from ifcyto.report.model import Report, Section
    >>> bare = Report("t", sections=(Section("a", "A", tables=(Table("x", (), ()),)),))
    >>> named(bare).sections[0].tables[0].file
    'tables/a-1.csv'
    """
    sections = tuple(
        replace(
            section,
            tables=tuple(
                table if table.file else replace(table, file=f"{FOLDER}/{section.anchor}-{place}.csv")
                for place, table in enumerate(section.tables, start=1)
            ),
        )
        for section in report.sections
    )
    return replace(report, sections=sections)


def own_tables(report: Report) -> list[Table]:
    """Tables of which the report is the only source, to be written beside it, key numbers first."""
    tables = [table for section in report.sections for table in section.tables]
    mine = [table for table in tables if table.file.startswith(f"{FOLDER}/")]
    return [key_table(report), *mine] if report.key_numbers else mine


def key_table(report: Report) -> Table:
    """The numbers at the top of the page as a table."""
    columns = (Column("label"), Column("value"), Column("unit"), Column("note"))
    rows = tuple((key.label, key.value, key.unit, key.note) for key in report.key_numbers)
    return Table("Key numbers", columns, rows, KEY_NUMBERS)
