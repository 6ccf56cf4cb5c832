"""What is wrong in the text of a mask, and where."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["GrammarFault", "nearest", "pointed"]

BEFORE, AFTER = 60, 40
"""Characters shown before and after the place when the text is long."""


class GrammarFault(Exception):
    """Something unexpected at a place of a text; never leaves this room.

    Parameters
    ----------
    place : int
        0-based character.
    message : str
        What was expected and what was found.
    """

    def __init__(self, place: int, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


def nearest(name: str, names: Iterable[str]) -> str:
    """``; did you mean 'Spot'?`` for a misspelt name, or nothing.

    Examples
    --------
    >>> nearest("Treshold", ["Threshold", "Dilate"])
    "; did you mean 'Threshold'?"
    """
    near = get_close_matches(name, list(dict.fromkeys(names)), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def pointed(text: str, fault: GrammarFault) -> UsageError:
    """Error with the text on one line and a caret under the place on the next.

    Examples
    --------
    >>> print(pointed("Fil(M01)", GrammarFault(0, "no mask function 'Fil'")))
    no mask function 'Fil'
      Fil(M01)
      ^
    """
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    begin, end = max(0, fault.place - BEFORE), min(len(line), fault.place + AFTER)
    left, right = "..." if begin else "", "..." if end < len(line) else ""
    caret = " " * (len(left) + fault.place - begin) + "^"
    return UsageError(f"{fault.message}\n  {left}{line[begin:end]}{right}\n  {caret}")
