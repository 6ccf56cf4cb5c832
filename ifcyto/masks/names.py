"""Names of masks and images in a text: where one ends, and which there are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifcyto.masks.faults import GrammarFault, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RESERVED", "Names", "mask_number", "name_run", "word_at"]

RESERVED = ("MC", "NMC", "None")
"""Masks that every file has, besides M01, M02, ...: their union, its complement, nothing."""

WORD_BREAK = re.compile(r"\s+(?:And|Or)(?![^\s()])")
WRONG_CASE = re.compile(r"(?<![^\s(,|])(?:and|or|not)(?![^\s(),])", re.IGNORECASE)


def mask_number(name: str) -> int | None:
    """Channel number of ``M01`` to ``M99``, None for other names.

    Examples
    --------
    >>> mask_number("M05"), mask_number("M00"), mask_number("MC")
    (5, None, None)
    """
    digits = name[1:]
    if name[:1] == "M" and len(digits) == 2 and digits.isascii() and digits.isdigit() and digits != "00":
        return int(digits)
    return None


def word_at(text: str, at: int, end: int, word: str) -> int | None:
    """Place after the operator `word` when it stands at `at` as a word of its own, else None."""
    after = at + len(word)
    if not text.startswith(word, at, end) or (
        after < end and not (text[after].isspace() or text[after] in "()")
    ):
        return None
    return after


def name_run(text: str, at: int, end: int, *, words: bool) -> int:
    """Where a name that starts at `at` ends when names are not known.

    At the next comma or closing bracket outside of brackets of its own, and, for
    masks (`words`), before the next And or Or; spaces at its end do not belong to it.
    """
    stop, depth = at, 0
    while stop < end and (depth or text[stop] not in ",)"):
        if not depth and words and WORD_BREAK.match(text, stop, end):
            break
        depth += {"(": 1, ")": -1}.get(text[stop], 0)
        stop += 1
    return at + len(text[at:stop].rstrip())


class Names:
    """The names that a text may hold.

    Parameters
    ----------
    images, masks : iterable of str
        Those that there are; an empty one allows any name.
    compounds : iterable of str
        Those of the masks that read as And, Or or Not of others: they stand for
        themselves only where nothing is joined to them.
    """

    def __init__(
        self, images: Iterable[str] = (), masks: Iterable[str] = (), compounds: Iterable[str] = ()
    ) -> None:
        self.images, self.masks, self.compounds = (
            tuple(sorted(set(names), key=len, reverse=True)) for names in (images, masks, compounds)
        )
        self.parts = tuple(name for name in self.masks if name not in self.compounds)

    def image(self, text: str, at: int, end: int) -> int:
        """Place after the image name at `at`.

        Raises
        ------
        GrammarFault
            There is no name, or no image of this name.
        """
        after = known(self.images, text, at, end, words=False) if self.images else None
        if after is not None:
            return after
        after = name_run(text, at, end, words=False)
        found = text[at:after]
        if not found:
            raise GrammarFault(at, f"expected the name of an image, found {rest(text, at, end)}")
        if self.images:
            raise GrammarFault(at, f"no image {found!r}{nearest(found, self.images) or listed(self.images)}")
        return after

    def mask(self, text: str, at: int, end: int) -> int | None:
        """Place after the known or reserved mask name at `at`, the longest; None when there is none."""
        after = known(self.parts, text, at, end, words=True)
        short = known(RESERVED, text, at, end, words=True)
        if (
            short is None
            and mask_number(text[at : min(at + 3, end)])
            and ends_at(text, at + 3, end, words=True)
        ):
            short = at + 3
        return max((place for place in (after, short) if place is not None), default=None)

    def compound(self, text: str, at: int, end: int) -> int | None:
        """Place after the known compound at `at`; None when there is none or something is joined to it."""
        return known(self.compounds, text, at, end, words=False)

    def other_mask(self, text: str, at: int, end: int) -> int:
        """Place after a mask name at `at` that is not known.

        Raises
        ------
        GrammarFault
            There is no name, the names are known and this is none, or an operator is misspelt.
        """
        after = name_run(text, at, end, words=True)
        found = text[at:after]
        if not found:
            raise GrammarFault(at, f"expected a mask, found {rest(text, at, end)}")
        wrong = WRONG_CASE.search(text, at, after)
        if wrong is not None:
            what = f"expected a mask, found {wrong[0]!r}: operators are And, Or, Not and stand between masks"
            raise GrammarFault(wrong.start(), f"{what}; a name with this word must be a known one")
        if self.masks:
            near = nearest(found, (*self.masks, *RESERVED))
            raise GrammarFault(at, f"no mask {found!r}{near or listed(self.masks)}")
        return after


def known(names: Iterable[str], text: str, at: int, end: int, *, words: bool) -> int | None:
    """Place after the first of `names` that stands at `at` and ends there."""
    for name in names:
        after = at + len(name)
        if text.startswith(name, at, end) and ends_at(text, after, end, words=words):
            return after
    return None


def ends_at(text: str, at: int, end: int, *, words: bool) -> bool:
    """Whether a name may end at `at`: a comma, a closing bracket, the end or (`words`) And or Or follows."""
    if words and WORD_BREAK.match(text, at, end):
        return True
    left = text[at:end].lstrip()
    return not left or left[0] in ",)"


def rest(text: str, at: int, end: int) -> str:
    """What stands at `at`, for messages."""
    found = re.match(r"[^,)]*", text[at:end])
    return repr((found[0].strip() if found else "")[:30] or text[at]) if at < end else "the end"


def listed(names: tuple[str, ...]) -> str:
    """The first names, for messages."""
    some = ", ".join(sorted(names)[:12])
    return f"; there are: {some}{', ...' if len(names) > 12 else ''}"
