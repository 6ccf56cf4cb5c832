"""What a report holds: plain data, without any thought of how it will look.

The building blocks are in :mod:`ifcyto.report.blocks` and can be imported from here.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ifcyto.report.blocks import (
    Citation,
    Column,
    FigureRef,
    KeyNumber,
    Paragraph,
    Run,
    Table,
    Value,
)

__all__ = [
    "RESERVED_ANCHORS",
    "Citation",
    "Column",
    "FigureRef",
    "KeyNumber",
    "Paragraph",
    "Provenance",
    "Report",
    "Run",
    "Section",
    "Table",
    "Value",
]

RESERVED_ANCHORS = frozenset({"top", "main", "contents", "warnings", "methods-text", "cite", "provenance"})
"""Anchors that the page itself uses."""


@dataclass(frozen=True, slots=True)
class Section:
    """One chapter; shown in the order warnings, text, figures, tables, notes.

    Parameters
    ----------
    anchor : str
        Lower-case name in addresses: letters, digits and hyphens.
    title : str
        Heading.
    text : tuple of Paragraph
        What is to be said.
    figures, tables : tuple
        Numbered through the whole report.
    notes : tuple of str
        Small print: definitions, methods used.
    warnings : tuple of str
        What the reader must not overlook; also listed at the top of the page.
    """

    anchor: str
    title: str
    text: tuple[Paragraph, ...] = ()
    figures: tuple[FigureRef, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", self.anchor) or self.anchor in RESERVED_ANCHORS:
            wanted = "a free anchor of a-z, 0-9 and single '-'"
            msg = f"section {self.title!r}: expected {wanted}, found {self.anchor!r}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the numbers come from; every part may be empty.

    Parameters
    ----------
    generated : str
        Time of the run, as text: the page never reads a clock.
    settings : tuple of (str, str)
        Command, seed, thresholds, machine class.
    versions : tuple of (str, str)
        Software and its version.
    inputs : tuple of (str, str)
        File name and its SHA-256.
    """

    generated: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report.

    Parameters
    ----------
    title, subtitle : str
        Of the study.
    summary : tuple of Paragraph
        What was found, in a few sentences.
    key_numbers : tuple of KeyNumber
        Shown large at the top.
    sections : tuple of Section
        The body, in order; anchors are unique.
    warnings : tuple of str
        Warnings about the study as a whole.
    methods_text : tuple of str
        Paragraphs ready to paste into a paper.
    cite : tuple of Citation
        How to cite the software and the methods.
    provenance : Provenance
        Versions, inputs and settings.
    files : tuple of (str, str)
        Files beside the report, relative path and what it holds.

    Raises
    ------
    ValueError
        Two sections have one anchor.

    Examples
    --------
    >>> report = Report("BNE in MDS", sections=(Section("results", "Results", ("Two groups.",)),))
    >>> report.to_dict()["sections"][0]["text"]
    ['Two groups.']
    """

    title: str
    subtitle: str = ""
    summary: tuple[Paragraph, ...] = ()
    key_numbers: tuple[KeyNumber, ...] = ()
    sections: tuple[Section, ...] = ()
    warnings: tuple[str, ...] = ()
    methods_text: tuple[str, ...] = ()
    cite: tuple[Citation, ...] = ()
    provenance: Provenance = Provenance()
    files: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        anchors = [section.anchor for section in self.sections]
        twice = sorted({anchor for anchor in anchors if anchors.count(anchor) > 1})
        if twice:
            msg = f"expected sections with anchors of their own, found {twice} more than once"
            raise ValueError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Everything as dictionaries, lists, texts and numbers, ready for JSON.

        Values that JSON cannot hold (NaN, infinities) become None; paths become
        texts with forward slashes.
        """
        plain: dict[str, Any] = _plain(self)
        return plain


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
