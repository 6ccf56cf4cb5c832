"""The form in which IDEAS shows masks: ``MC And Not Dilate(Threshold(M01, DAPI, 30), 5)``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifcyto.masks.boolean import BooleanParser
from ifcyto.masks.expression import And, MaskCall, MaskName, Not, Or
from ifcyto.masks.faults import GrammarFault, nearest
from ifcyto.masks.library import MASKS
from ifcyto.masks.names import Names, rest, word_at
from ifcyto.masks.spec import Kind
from ifcyto.masks.values import call_of, choice_at, number_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifcyto.masks.expression import Expression, Operand
    from ifcyto.masks.spec import Argument, MaskSpec

__all__ = ["ShownParser", "names_of"]

CALL = re.compile(r"([A-Za-z_]\w*)(\s*)\(")
OPERATOR = re.compile(r"(?<!\S)(?:And|Or|Not)(?![^\s()])")


class ShownParser(BooleanParser):
    """Reads the shown form that stands in ``text[start:end]``; places are characters.

    Parameters
    ----------
    text : str
    names : Names
    end : int, optional
        End of the part to read; the end of the text if None.
    """

    def __init__(self, text: str, names: Names, end: int | None = None) -> None:
        self.text, self.names, self.end = text, names, len(text) if end is None else end
        self._read: dict[int, tuple[Expression, int] | GrammarFault] = {}

    def parse(self, start: int = 0, depth: int = 0) -> Expression:
        """Read the whole part from `start` on.

        Raises
        ------
        GrammarFault
            It is no mask expression.
        """
        expression, at = self.alternatives(start, depth)
        at = self.skip(at)
        if at < self.end:
            raise self.fault(at, f"expected And, Or or the end, found {rest(self.text, at, self.end)}")
        return expression

    def skip(self, at: int) -> int:
        """Place of the next character that is no space."""
        while at < self.end and self.text[at].isspace():
            at += 1
        return at

    def after(self, at: int, word: str) -> int | None:
        """Place after an operator or bracket."""
        at = self.skip(at)
        if word in "()":
            return at + 1 if self.text.startswith(word, at, self.end) else None
        return word_at(self.text, at, self.end, word)

    def fault(self, at: int, message: str) -> GrammarFault:
        """Fault at a character."""
        return GrammarFault(self.skip(at), message)

    def one_name(self, at: int, end: int) -> bool:
        """Nothing is said of names in a stored definition."""
        return False

    def alternatives(self, at: int, depth: int) -> tuple[Expression, int]:
        """Read an expression once, however many layouts of a function ask for it."""
        at = self.skip(at)
        if at not in self._read:
            try:
                after = self.names.compound(self.text, at, self.end)
                self._read[at] = (
                    super().alternatives(at, depth)
                    if after is None
                    else (MaskName(self.text[at:after]), after)
                )
            except GrammarFault as fault:
                self._read[at] = fault
        kept = self._read[at]
        if isinstance(kept, GrammarFault):
            raise kept
        return kept

    def operand(self, at: int, depth: int) -> tuple[Expression, int]:
        """Read a known name, a call, or another name."""
        at = self.skip(at)
        after = self.names.mask(self.text, at, self.end)
        call = CALL.match(self.text, at, self.end) if after is None else None
        if call is not None and (call[1] in MASKS or not call[2]):
            if call[1] not in MASKS:
                near = nearest(call[1], MASKS) or f"; there are: {', '.join(sorted(MASKS))}"
                raise GrammarFault(at, f"no mask function {call[1]!r}{near}")
            return self.call(MASKS[call[1]], call.end(), depth)
        if after is None:
            after = self.names.other_mask(self.text, at, self.end)
        return MaskName(self.text[at:after]), after

    def call(self, spec: MaskSpec, at: int, depth: int) -> tuple[Expression, int]:
        """Read the operands of a function in the first layout that fits."""
        faults = []
        for form in spec.forms:
            try:
                return self.in_form(spec, form, at, depth)
            except GrammarFault as fault:
                faults.append(fault)
        raise max(faults, key=lambda fault: fault.place)

    def in_form(
        self, spec: MaskSpec, form: tuple[tuple[int, ...], ...], at: int, depth: int
    ) -> tuple[Expression, int]:
        """Read the operands of a function in one layout."""
        operands: dict[int, tuple[Operand, int]] = {}
        for field, places in enumerate(form):
            if field:
                at = self.separator(",", at, f"{spec.usage} has more arguments")
            for part, place in enumerate(places):
                if part:
                    at = self.separator("-", at, f"{spec.usage} takes two numbers here")
                at = self.skip(at)
                operand, after = self.value(spec.arguments[place], at, depth)
                operands[place] = operand, at
                at = after
        end = self.separator(")", at, f"that is all that {spec.usage} takes")
        return call_of(spec, operands, end), end

    def separator(self, mark: str, at: int, why: str) -> int:
        """Place after a comma, hyphen or bracket that must stand here."""
        at = self.skip(at)
        if self.text.startswith(mark, at, self.end):
            return at + 1
        raise GrammarFault(at, f"expected {mark!r} ({why}), found {rest(self.text, at, self.end)}")

    def value(self, argument: Argument, at: int, depth: int) -> tuple[Operand, int]:
        """Read one operand and the place after it."""
        if argument.kind is Kind.MASK:
            return self.alternatives(at, depth + 1)
        if argument.kind is Kind.IMAGE:
            after = self.names.image(self.text, at, self.end)
            return self.text[at:after], after
        if argument.kind is Kind.CHOICE:
            return choice_at(argument, self.text, at, self.end)
        return number_at(argument, self.text, at, self.end)


def names_of(images: Iterable[str], masks: Iterable[str]) -> Names:
    """Names that a text may hold, with the masks that read as operations on others set apart."""
    masks = set(masks)
    plain = Names(images, [name for name in masks if not OPERATOR.search(name)])
    compounds = [name for name in masks if OPERATOR.search(name) and reads(name, plain)]
    return Names(images, masks, compounds)


def reads(name: str, names: Names) -> bool:
    """Whether a name is an operation on masks that there are."""
    try:
        return isinstance(ShownParser(name, names).parse(), (And, Or, Not))
    except GrammarFault:
        return False


def to_shown(expression: Expression) -> str:
    """Print the shown form."""
    match expression:
        case MaskName(name):
            return name
        case MaskCall():
            return call_shown(expression)
        case Not(operand):
            return f"Not {bracketed(operand, (And, Or))}"
        case And(operands):
            return " And ".join(bracketed(operand, (Or,)) for operand in operands)
        case Or(operands):
            return " Or ".join(map(to_shown, operands))


def bracketed(expression: Expression, kinds: tuple[type, ...]) -> str:
    """Print with brackets when the expression is one of `kinds`."""
    text = to_shown(expression)
    return f"({text})" if isinstance(expression, kinds) else text


def call_shown(call: MaskCall) -> str:
    """Print a call in the first layout that loses nothing."""
    spec = MASKS[call.function]
    for form in spec.forms:
        left_out = set(spec.places.values()).difference(*form)
        if all(
            call.operands[place] == spec.arguments[place].default or not spec.depends_on(place, call.operands)
            for place in left_out
        ):
            break
    fields = ("-".join(operand_shown(spec, call, place) for place in places) for places in form)
    return f"{call.function}({', '.join(fields)})"


def operand_shown(spec: MaskSpec, call: MaskCall, place: int) -> str:
    """Print one operand."""
    operand = call.operands[place]
    if spec.arguments[place].kind is Kind.CHOICE:
        return spec.arguments[place].word_of(operand)
    if isinstance(operand, (MaskName, MaskCall, Not, And, Or)):
        return to_shown(operand)
    return str(operand)
