"""The form in which IDEAS stores masks: ``MC|And|Not|Dilate(Threshold(M01, DAPI, 30), 5)``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifcyto.masks.boolean import BooleanParser
from ifcyto.masks.expression import And, MaskCall, MaskName, Not, Or
from ifcyto.masks.faults import GrammarFault, nearest
from ifcyto.masks.library import MASKS
from ifcyto.masks.names import RESERVED, listed, mask_number
from ifcyto.masks.shown_form import ShownParser, to_shown
from ifcyto.masks.spec import Kind
from ifcyto.masks.values import call_of, number_at

if TYPE_CHECKING:
    from ifcyto.masks.expression import Expression, Operand
    from ifcyto.masks.names import Names
    from ifcyto.masks.spec import Argument, MaskSpec

__all__ = ["StoredParser", "to_stored"]

NO_NAME = re.compile(r"^\w*\(|(?<![^\s(,])(?:And|Or|Not)(?![^\s(),])")
"""What a name that is not known cannot have in it: a call, an operator."""


class StoredParser(BooleanParser):
    """Reads a definition whose words are separated by ``|``; places are tokens.

    An operand is the name of another mask. A name that is itself a mask
    expression in the shown form is read as such.

    Parameters
    ----------
    text : str
    names : Names
    """

    def __init__(self, text: str, names: Names) -> None:
        self.text, self.names = text, names
        self.tokens: list[str] = []
        self.starts: list[int] = []
        at = 0
        for part in text.split("|"):
            self.tokens.append(part.strip())
            self.starts.append(at + len(part) - len(part.lstrip()))
            at += len(part) + 1

    def parse(self) -> Expression:
        """Read the whole definition.

        Raises
        ------
        GrammarFault
            It is no mask definition.
        """
        if self.tokens[0] in MASKS and self.tokens[1:2] not in (["And"], ["Or"]):
            return self.call(MASKS[self.tokens[0]])
        self.refuse_misspelt_function()
        expression, at = self.alternatives(0, 0)
        if at < len(self.tokens):
            raise self.fault(at, f"expected And, Or or the end, found {self.tokens[at]!r}")
        return expression

    def refuse_misspelt_function(self) -> None:
        """Complain of what would otherwise be a strange list of masks."""
        name, *rest_of = self.tokens
        is_mask = name in self.names.masks or name in RESERVED or name in {"Not", "("} or mask_number(name)
        if rest_of and rest_of[0] not in {"And", "Or"} and not is_mask and nearest(name, MASKS):
            raise self.fault(0, f"no mask function {name!r}{nearest(name, MASKS)}")

    def after(self, at: int, word: str) -> int | None:
        """Place after an operator or bracket."""
        return at + 1 if self.tokens[at : at + 1] == [word] else None

    def fault(self, at: int, message: str) -> GrammarFault:
        """Fault at a token."""
        return GrammarFault(self.starts[at] if at < len(self.tokens) else len(self.text), message)

    def one_name(self, at: int, end: int) -> bool:
        """Whether it is one token."""
        return end == at + 1

    def operand(self, at: int, depth: int) -> tuple[Expression, int]:
        """Read the name of a mask."""
        token = self.tokens[at] if at < len(self.tokens) else ""
        if token in {"", "And", "Or", ")"}:
            raise self.fault(at, f"expected a mask, found {repr(token) if token else 'nothing'}")
        if token in self.names.masks:
            return MaskName(token), at + 1
        start = self.starts[at]
        try:
            inner = ShownParser(self.text, self.names, start + len(token))
            return inner.parse(start, depth + 1), at + 1
        except GrammarFault:
            # Commas and the like need no meaning here, as they would in the shown form.
            if self.names.masks or NO_NAME.search(token) or token.count("(") != token.count(")"):
                raise
        return MaskName(token), at + 1

    def call(self, spec: MaskSpec) -> MaskCall:
        """Read a function and its operands."""
        given = len(self.tokens) - 1
        most = len(spec.arguments)
        fewest = most - sum(argument.optional for argument in spec.arguments)
        if not fewest <= given <= most:
            names = ", ".join(spec.places)
            count = f"{most}" if fewest == most else f"{fewest} or {most}"
            what = f"expected {count} arguments of {spec.name} ({names}), found {given}"
            raise self.fault(most + 1 if given > most else given + 1, what)
        found = {
            place: (self.value(argument, place + 1), self.starts[place + 1])
            for place, argument in enumerate(spec.arguments[:given])
        }
        call = call_of(spec, found, len(self.text))
        for place, argument in enumerate(spec.arguments):
            if argument.kind is Kind.IMAGE and call.operands[place] is not None:
                self.known_image(place + 1)
        return call

    def known_image(self, at: int) -> None:
        """Complain of an image that there is not."""
        name, images = self.tokens[at], self.names.images
        if images and name not in images:
            raise self.fault(at, f"no image {name!r}{nearest(name, images) or listed(images)}")

    def value(self, argument: Argument, at: int) -> Operand:
        """Read one operand."""
        token, start = self.tokens[at], self.starts[at]
        if argument.kind is Kind.MASK:
            return self.operand(at, 0)[0]
        if argument.kind in {Kind.IMAGE, Kind.FIXED}:
            return token
        if argument.kind is Kind.CHOICE:
            codes = {str(code): code for code, _ in argument.words}
            if token in codes:
                return codes[token]
            said = ", ".join(f"{code} ({word})" if word else str(code) for code, word in argument.words)
            raise self.fault(at, f"expected a code for {argument.name}: {said}, found {token!r}")
        value, end = number_at(argument, self.text, start, start + len(token))
        if end < start + len(token):
            raise self.fault(at, f"expected {argument.described}, found {token!r}")
        return value


def to_stored(expression: Expression) -> str:
    """Print the stored form; operands that are expressions stand by their shown forms."""
    if isinstance(expression, MaskCall):
        return call_stored(expression)
    return flat(expression, None)


def flat(expression: Expression, within: type[Expression] | None) -> str:
    """Print word by word what the form allows `within` a node, the rest as the name of a mask."""
    match expression:
        case Not(operand):
            return f"Not|{flat(operand, Not)}"
        case And() if within in {None, Or}:
            return chain(expression)
        case Or() if within is None:
            return chain(expression)
    return to_shown(expression)


def chain(node: And | Or) -> str:
    """Print And or Or as it was written, or the plain way."""
    parts, place = [], 0
    for group in node.groups or (0,) * len(node.operands):
        some = node.operands[place : place + max(group, 1)]
        if group:
            parts.append(to_shown(some[0] if group == 1 else type(node)(some)))
        else:
            parts.append(flat(some[0], type(node)))
        place += len(some)
    return f"|{node.word}|".join(parts)


def call_stored(call: MaskCall) -> str:
    """Print a call; what was not given is left out at the end and empty elsewhere."""
    spec = MASKS[call.function]
    unused = dict(call.unused)
    tokens = [call.function]
    for place, argument in enumerate(spec.arguments):
        operand = call.operands[place]
        if operand is None:
            if not argument.optional:
                tokens.append(unused.get(place, str(argument.default or "")))
        elif isinstance(operand, (MaskName, MaskCall, Not, And, Or)):
            tokens.append(to_shown(operand))
        else:
            tokens.append(str(operand))
    return "|".join(tokens)
