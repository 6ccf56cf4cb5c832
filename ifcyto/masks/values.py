"""Operands of mask functions: numbers and choices in a text, and whether a call has what it needs."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from ifcyto.errors import UsageError
from ifcyto.masks.expression import And, MaskCall, MaskName, Not, Or
from ifcyto.masks.faults import GrammarFault, nearest
from ifcyto.masks.names import rest
from ifcyto.masks.spec import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ifcyto.masks.expression import Operand
    from ifcyto.masks.spec import Argument, MaskSpec

__all__ = ["call_of", "check_call", "choice_at", "number_at"]

NUMBER = re.compile(r"([0-9]{1,9}|[0-9]{0,9}\.[0-9]{1,9})(?![0-9.])")


def number_at(argument: Argument, text: str, at: int, end: int) -> tuple[int | Decimal, int]:
    """Read a number and the place after it.

    Raises
    ------
    GrammarFault
        There is no number, it is not whole where it must be, or beyond the limits.
    """
    found = NUMBER.match(text, at, end)
    value: int | Decimal | None = None
    if found is not None:
        value = (
            Decimal(found[0]) if argument.kind is Kind.DECIMAL else None if "." in found[0] else int(found[0])
        )
    if found is None or value is None or not argument.accepts(value):
        raise GrammarFault(at, f"expected {argument.described}, found {rest(text, at, end)}")
    return value, found.end()


def choice_at(argument: Argument, text: str, at: int, end: int) -> tuple[int, int]:
    """Read the word of a choice; return its code and the place after it.

    Raises
    ------
    GrammarFault
        None of the words stands here.
    """
    for code, word in sorted(argument.words, key=lambda pair: -len(pair[1])):
        after = at + len(word)
        if word and text.startswith(word, at, end) and (after == end or not text[after].isalnum()):
            return code, after
    found = rest(text, at, end)
    near = nearest(found.strip("'"), (word for _, word in argument.words))
    raise GrammarFault(at, f"expected {argument.described}, found {found}{near}")


def call_of(spec: MaskSpec, found: Mapping[int, tuple[Operand, int]], end: int) -> MaskCall:
    """Call with what was read; what the result does not depend on is set apart.

    Parameters
    ----------
    spec : MaskSpec
    found : mapping of int to (operand, int)
        By place in stored order: the operand and the character where it stands.
    end : int
        Character after the call.

    Raises
    ------
    GrammarFault
        An operand on which the result depends is missing, or a range is upside down.
    """
    given = [found.get(place, (argument.default, end)) for place, argument in enumerate(spec.arguments)]
    operands = [operand for operand, _ in given]
    unused = []
    for place, argument in enumerate(spec.arguments):
        if not spec.depends_on(place, operands):
            written = str(operands[place]) if place in found else ""
            if written not in {"", argument.default}:
                unused.append((place, written))
            operands[place] = None
        elif not argument.optional and (operands[place] is None or operands[place] == ""):
            what = f"expected {argument.name}, on which the result of {spec.name} depends here, found none"
            raise GrammarFault(given[place][1], what)
    for low, high in (places for form in spec.forms for places in form if len(places) == 2):
        if operands[low] > operands[high]:  # type: ignore[operator]
            what = f"expected two numbers, the lower first, found {operands[low]}-{operands[high]}"
            raise GrammarFault(given[low][1], what)
    return MaskCall(spec.name, tuple(operands), tuple(unused))


def check_call(spec: MaskSpec, call: MaskCall) -> None:
    """See that the operands of a call that was not read from text are what the function takes.

    Raises
    ------
    UsageError
        One is missing, of the wrong kind, or beyond its limits.
    """
    if len(call.operands) != len(spec.arguments):
        msg = f"expected {len(spec.arguments)} operands for {spec.usage}, found {len(call.operands)}"
        raise UsageError(msg)
    for place, (argument, operand) in enumerate(zip(spec.arguments, call.operands, strict=True)):
        if operand is None and (argument.optional or not spec.depends_on(place, call.operands)):
            continue
        if argument.kind is Kind.MASK:
            good = isinstance(operand, (MaskName, MaskCall, Not, And, Or))
        elif argument.kind is Kind.IMAGE:
            good = isinstance(operand, str)
        else:
            good = argument.kind is not Kind.FIXED and argument.accepts(operand)
        if not good:
            msg = f"expected {argument.described} as {argument.name} of {spec.usage}, found {operand!r}"
            raise UsageError(msg)
