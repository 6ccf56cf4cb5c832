"""And, Or, Not and brackets, for both forms of a mask definition."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ifcyto.masks.expression import And, Not, Or

if TYPE_CHECKING:
    from ifcyto.masks.expression import Expression
    from ifcyto.masks.faults import GrammarFault

__all__ = ["MAX_DEPTH", "BooleanParser"]

MAX_DEPTH = 50
"""Levels of brackets, calls and Not within each other that a definition may have."""


class BooleanParser(ABC):
    """Reads operators; Not binds closest, then And, then Or.

    The precedence is ifcyto's: that of IDEAS is not published. A *place* is a
    character or a token, as the subclass likes.
    """

    @abstractmethod
    def after(self, at: int, word: str) -> int | None:
        """Place after the operator or bracket `word` when it stands at `at`, else None."""

    @abstractmethod
    def operand(self, at: int, depth: int) -> tuple[Expression, int]:
        """Mask that is no operation at `at`, and the place after it."""

    @abstractmethod
    def fault(self, at: int, message: str) -> GrammarFault:
        """Fault at the place `at`."""

    @abstractmethod
    def one_name(self, at: int, end: int) -> bool:
        """Whether what stands from `at` to `end` is one name in a stored definition."""

    def alternatives(self, at: int, depth: int) -> tuple[Expression, int]:
        """Read ``A Or B Or ...``."""
        if depth > MAX_DEPTH:
            raise self.fault(at, f"expected no more than {MAX_DEPTH} masks within each other, found more")
        return self._chain(at, depth, Or)

    def _chain(self, at: int, depth: int, node: type[And | Or]) -> tuple[Expression, int]:
        operands, named = [], []
        while True:
            operand, end = self._chain(at, depth, And) if node is Or else self._negation(at, depth)
            operands.append(operand)
            named.append(self.one_name(at, end))
            after = self.after(end, node.word)
            if after is None:
                break
            at = after
        return (operand if len(operands) == 1 else node.of(operands, named=named)), end

    def _negation(self, at: int, depth: int) -> tuple[Expression, int]:
        count = 0
        while (after := self.after(at, "Not")) is not None:
            at, count = after, count + 1
        if depth + count > MAX_DEPTH:
            raise self.fault(at, f"expected no more than {MAX_DEPTH} masks within each other, found more")
        inside = self.after(at, "(")
        if inside is None:
            operand, end = self.operand(at, depth + count)
        else:
            operand, end = self.alternatives(inside, depth + count + 1)
            closed = self.after(end, ")")
            if closed is None:
                raise self.fault(end, "expected And, Or or a closing bracket")
            end = closed
        for _ in range(count):
            operand = Not(operand)
        return operand, end
