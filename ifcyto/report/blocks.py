"""What a section of a report is built from: texts, numbers, tables, figures, citations.

Texts are plain: nothing in them is ever taken as markup. Where a word must be
stressed or linked, a paragraph is a tuple of texts and :class:`Run` objects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Citation", "Column", "FigureRef", "KeyNumber", "Paragraph", "Run", "Table", "Value"]

Value = str | int | float | bool | None
"""What a table's cell can hold."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a paragraph with a style of its own.

    Parameters
    ----------
    text : str
        What is read.
    style : {"strong", "emphasis", "code", "link"}
        How it is read.
    target : str
        For links only: ``#anchor`` of a section, or an address that begins with
        ``https://doi.org/``. A report links to nothing else.
    """

    text: str
    style: Literal["strong", "emphasis", "code", "link"] = "strong"
    target: str = ""

    def __post_init__(self) -> None:
        is_link = re.fullmatch(r"#[a-z][a-z0-9-]*|https://doi\.org/10\.\S+", self.target) is not None
        if is_link != (self.style == "link") or (self.target and not is_link):
            allowed = "'#anchor' or 'https://doi.org/10...'"
            msg = f"expected a link to {allowed}, found {self.style} to {self.target!r}"
            raise ValueError(msg)


Paragraph = str | tuple[str | Run, ...]
"""Plain text, or pieces of text some of which have a style."""


@dataclass(frozen=True, slots=True)
class KeyNumber:
    """One of the few numbers at the top of the page.

    Parameters
    ----------
    label : str
        What is counted or measured.
    value : int, float or str
        The number; a text is shown as it is.
    unit : str
        Written behind it.
    note : str
        A short remark below it, such as an interval.
    """

    label: str
    value: Value
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """Heading of a table's column and how its values are written.

    Parameters
    ----------
    title : str
        Heading.
    unit : str
        Unit of the values, written beside the heading.
    kind : {"text", "integer", "number", "p"}
        ``integer`` has thousands separators; ``number`` has `digits` decimals; ``p``
        is written as ``0.0223`` or ``< 0.0001``.
    digits : int
        Decimals of a ``number``.
    """

    title: str
    unit: str = ""
    kind: Literal["text", "integer", "number", "p"] = "text"
    digits: int = 2


@dataclass(frozen=True, slots=True)
class Table:
    """A table; ``None`` and NaN are shown as a dash.

    Parameters
    ----------
    caption : str
        What the rows are.
    columns : tuple of Column
        One per value of a row.
    rows : tuple of tuple
        Numbers stay numbers: they are formatted by the page only.
    file : str
        Path, relative to the report, of the file that holds the same numbers in
        full; empty if there is none.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    file: str = ""

    def __post_init__(self) -> None:
        for i, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                msg = (
                    f"table {self.caption!r}, row {i}: expected {len(self.columns)} values, found {len(row)}"
                )
                raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class FigureRef:
    """A drawn figure.

    Parameters
    ----------
    png : pathlib.Path
        The picture, which the page embeds unless there is a smaller one.
    caption : str
        What is shown, for the reader.
    alt : str
        The same in words, for those who cannot see it; must not be empty.
    vector : pathlib.Path, optional
        The same figure for print; named, and linked when it lies below the report.
    screen : pathlib.Path, optional
        The same as a small WebP picture, which the page embeds in place of the PNG.
    """

    png: Path
    caption: str
    alt: str
    vector: Path | None = None
    screen: Path | None = None

    def __post_init__(self) -> None:
        if not self.alt.strip():
            msg = f"figure {self.png.name}: expected words that replace the picture (alt), found none"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Citation:
    """A work to cite; `doi` without the address before it."""

    text: str
    doi: str = ""
