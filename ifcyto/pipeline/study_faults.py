"""Say what is wrong in a study file: key, line, what was expected, the nearest valid key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ifcyto.errors import StudyError
from ifcyto.pipeline import study_model as model
from ifcyto.pipeline.labels import nearest
from ifcyto.pipeline.toml_lines import line_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydantic import ValidationError

__all__ = ["LATER", "StudyText", "first_fault"]

LATER: dict[tuple[str, ...], str] = {}
"""Keys of later versions, by their place without list positions."""


@dataclass(frozen=True, slots=True)
class StudyText:
    """A study file and where its keys stand, to say where a fault is."""

    path: Path
    lines: dict[tuple[str | int, ...], int]

    def fault(self, place: Sequence[str | int], what: str) -> StudyError:
        """Error that names the file, the line and the key."""
        line = line_of(self.lines, place)
        key = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
        return StudyError(f"{self.path}: {f'line {line}: ' if line else ''}{key}: {what}")


def first_fault(error: ValidationError, text: StudyText) -> StudyError:
    """The fault that stands first in the file, in the words of the field."""
    faults = error.errors(include_url=False)
    faults.sort(
        key=lambda fault: (line_of(text.lines, fault["loc"]) or 0, fault["type"] != "extra_forbidden")
    )
    fault = faults[0]
    place = _place(fault["loc"])
    more = len({_place(other["loc"]) for other in faults}) - 1
    return text.fault(place, _words(fault, place) + (f" (and {more} more)" if more else ""))


def _place(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Place of a key, without the marks that pydantic adds for members of a union."""
    return loc[:2] if loc[:1] == ("channels",) else loc


def _words(fault: Any, place: tuple[str | int, ...]) -> str:
    found = " ".join(repr(fault["input"]).split())[:60]
    if fault["type"] == "missing":
        return "expected this key, found none"
    if place[0] == "channels" and len(place) > 1:
        return f"expected a channel's number (from 1) or its name in the files, found {found}"
    if fault["type"] == "extra_forbidden":
        later = LATER.get(tuple(str(part) for part in place if not isinstance(part, int)))
        known = _keys_beside(place)
        listed = "" if nearest(str(place[-1]), known) else f"; known here: {', '.join(known)}"
        return later or f"unknown key{nearest(str(place[-1]), known)}{listed}"
    if fault["type"] == "string_pattern_mismatch":
        return f"expected a name that can be part of a file name, found {found}"
    said = fault["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"expected {said}, found {found}"


def _keys_beside(place: tuple[str | int, ...]) -> list[str]:
    """Keys that are allowed where `place` stands."""
    tables: dict[str | int, Any] = {
        "study": model.StudyTable,
        "samples": model.SampleTable,
        "candidates": model.CandidatesTable,
        "compare": model.CompareTable,
        "report": model.ReportTable,
    }
    table = model.StudyFile if len(place) == 1 else tables[place[0]]
    return list(table.model_fields)
