"""From the name of a column, such as ``Intensity_MC_DRAQ5``, to its definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifcyto.errors import UsageError
from ifcyto.features.define import WEIGHTED, brief, define
from ifcyto.features.registry import feature_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from ifcyto.features.define import FeatureDefinition

__all__ = ["parse_name"]

LONGEST_NUMBER = 9
"""Digits; a longer one is no number that a feature takes."""


def parse_name(
    name: str, *, images: Collection[str], check_mask: Callable[[str], None], column: str = ""
) -> FeatureDefinition:
    """Read a column's name as IDEAS makes it: feature, masks, images and numbers joined by ``_``.

    Parameters
    ----------
    name : str
    images : collection of str
        Names of the images; they may hold ``_``.
    check_mask : callable
        Raises UsageError, with the reason, for a text that is no mask: neither a name nor a definition.
    column : str
        Name of the column; `name` when empty.

    Raises
    ------
    UsageError
        No such feature, or what follows is not what it takes.

    Examples
    --------
    >>> column = parse_name("Area_M01", images=["BF"], check_mask=lambda text: None)
    >>> column.arguments
    ('M01',)
    """
    feature, *rest = name.split("_")
    spec = feature_spec(feature)
    letters = spec.takes.arguments
    forms = (letters, letters + "s") if feature == "Spot Count" else (letters,)
    for form in forms:
        for arguments in _splits(form, rest, images, lambda text: not _fault(check_mask, text)):
            return define(feature, *arguments, column=column or name)
    words = {"m": "a mask", "i": "an image", "s": "a number", "b": f"{WEIGHTED} or nothing"}
    expected = ", ".join(words[letter] for letter in letters) or "nothing"
    for arguments in _splits(letters, rest, images, bool):
        masks = [str(value) for letter, value in zip(letters, arguments, strict=True) if letter == "m"]
        reason = next(filter(None, (_fault(check_mask, mask) for mask in masks)))
        msg = f"{brief(name)}: no mask after {feature!r}: {reason}"
        raise UsageError(msg)
    msg = (
        f"{brief(name)}: expected after {feature!r}: {expected}; found {brief('_'.join(rest))!r} "
        f"(images: {', '.join(images)})"
    )
    raise UsageError(msg)


def _fault(check_mask: Callable[[str], None], text: str) -> str:
    """Why a text is no mask; nothing for a mask."""
    try:
        check_mask(text)
    except UsageError as error:
        return str(error)
    return ""


def _splits(
    letters: str, parts: list[str], images: Collection[str], is_mask: Callable[[str], bool]
) -> Iterator[list[str | int | bool]]:
    """Ways to read `parts`, joined by ``_``, as arguments of these kinds; the shortest first."""
    if not letters:
        if not parts:
            yield []
        return
    kind, others = letters[0], letters[1:]
    if kind == "b":
        weighted = bool(parts) and parts[0] == WEIGHTED
        for rest in _splits(others, parts[weighted:], images, is_mask):
            yield [weighted, *rest]
        return
    for end in range(1, len(parts) + 1):
        text = "_".join(parts[:end])
        if kind == "s":
            is_number = text.isdecimal() and len(text) <= LONGEST_NUMBER
            value: str | int | None = int(text) if is_number else None
        else:
            value = text if (text in images if kind == "i" else is_mask(text)) else None
        if value is not None:
            for rest in _splits(others, parts[end:], images, is_mask):
                yield [value, *rest]
