"""On which line of a TOML file a key stands; ``tomllib`` does not tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["key_lines", "line_of"]

Place = tuple[str | int, ...]

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_DOTTED})\s*\]\]?")
_KEY = re.compile(rf"^\s*({_DOTTED})\s*=(.*)$")


def key_lines(text: str) -> dict[Place, int]:
    r"""Lines (from 1) of the keys and table headers of a valid TOML text.

    Keys inside inline tables and arrays are not listed; :func:`line_of` falls
    back on the line of what holds them.

    Examples
    --------
    >>> key_lines('[study]\nseed = 7\n[[samples]]\nid = "a"\n[[samples]]\nid = "b"')[("samples", 1, "id")]
    6
    """
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    closing = ""  # what ends the multi-line string that is open
    depth = 0  # of open brackets of a multi-line array
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            closing = "" if closing in line else closing
        elif depth:
            depth += _brackets(line)
        elif header := _HEADER.match(line):
            table = _names(header[2])
            if header[1] == "[[":
                index = counts.get(table, 0)
                counts[table] = index + 1
                lines.setdefault(table, number)
                table = (*table, index)
            elif table[:-1] in counts:
                table = (*table[:-1], counts[table[:-1]] - 1, table[-1])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_names(key[1])), number)
            closing = next((q for q in ('"""', "'''") if key[2].count(q) % 2), "")
            depth = 0 if closing else _brackets(key[2])
    return lines


def line_of(lines: dict[Place, int], place: Sequence[str | int]) -> int | None:
    """Line of a key, or of the nearest table or key that holds it; None for the file as a whole."""
    for end in range(len(place), 0, -1):
        if tuple(place[:end]) in lines:
            return lines[tuple(place[:end])]
    return None


def _names(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _brackets(text: str) -> int:
    """Opening minus closing brackets, strings and comments left out."""
    bare = re.sub(r"""\"(?:[^"\\]|\\.)*\"|'[^']*'|#.*""", "", text)
    return sum(bare.count(c) for c in "[{") - sum(bare.count(c) for c in "]}")
