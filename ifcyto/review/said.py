"""What went wrong, set so that a caret still stands under its place in a narrow window."""

from __future__ import annotations

import textwrap

__all__ = ["caret_place", "narrowed"]

INDENT = "  "
CUT = "..."


def narrowed(said: str, width: int) -> str:
    r"""Break a message into lines of at most `width` letters; a line with a caret under it is cut.

    Parameters
    ----------
    said : str
    width : int
        At least 20.

    Examples
    --------
    >>> print(narrowed("no mask function 'Fil'\n  Fil(M01) And Not Dilate(M02, 3)\n  ^", 22))
    no mask function 'Fil'
      Fil(M01) And No...
      ^
    """
    width = max(width, 20)
    lines = said.split("\n")
    if len(lines) < 3 or lines[-1].strip() != "^":
        return "\n".join(part for line in lines for part in textwrap.wrap(line, width) or [""])
    text, place = lines[-2], lines[-1].index("^")
    room = width - 2 * len(CUT)
    if len(text) > width:
        first = max(len(INDENT), min(place - room // 2, len(text) - room))
        left = CUT if first > len(INDENT) else INDENT
        right = CUT if first + room < len(text) else ""
        text, place = left + text[first : first + room] + right, len(left) + place - first
    head = [part for line in lines[:-2] for part in textwrap.wrap(line, width)]
    return "\n".join([*head, text, " " * place + "^"])


def caret_place(said: str, text: str) -> int | None:
    r"""Which letter of a text a message points at; None where it points at none.

    Examples
    --------
    >>> caret_place("expected a mask, found ')'\n  Fill()\n       ^", "Fill()")
    5
    """
    lines = said.split("\n")
    if len(lines) < 3 or lines[-1].strip() != "^":
        return None
    shown, place = lines[-2][len(INDENT) :], lines[-1].index("^") - len(INDENT)
    if shown.startswith(CUT):
        shown, place = shown.removeprefix(CUT), place - len(CUT)
    start = text.find(shown.removesuffix(CUT))
    return start + place if start >= 0 and 0 <= start + place <= len(text) else None
