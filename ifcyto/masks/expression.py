"""What a mask expression is: names, function calls, And, Or, Not.

The nodes are plain records. Reading them from text and printing them is the
matter of :mod:`ifcyto.masks.grammar`, computing them of :mod:`ifcyto.masks.evaluate`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

__all__ = ["And", "Expression", "MaskCall", "MaskName", "Not", "Operand", "Or", "nodes"]


@dataclass(frozen=True, slots=True)
class MaskName:
    """A mask by its name: ``M01``, ``MC``, or one that a user defined.

    Parameters
    ----------
    name : str
        Any text without ``|`` and without spaces at its ends, but And, Or, Not.

    Raises
    ------
    UsageError
        The name is empty or an operator, holds ``|`` or has a space at an end.
    """

    name: str

    def __post_init__(self) -> None:
        if self.name in {"", "And", "Or", "Not"} or self.name != self.name.strip() or "|" in self.name:
            msg = (
                "expected a mask name other than And, Or and Not, without '|' and without spaces at its "
                f"ends, found {self.name!r}"
            )
            raise UsageError(msg)


@dataclass(frozen=True, slots=True)
class MaskCall:
    """A mask function with its operands, in the order in which IDEAS stores them.

    Parameters
    ----------
    function : str
        Name in :data:`ifcyto.masks.library.MASKS`.
    operands : tuple
        One for each of the declared arguments: an expression, the name of an
        image, an int, a :class:`~decimal.Decimal`, the code of a choice; None
        for what is not given or what the result does not depend on.
    unused : tuple of (int, str)
        Place and stored text of operands on which the result does not depend.
        Kept for printing; two calls that differ in them alone are equal.

    Examples
    --------
    >>> MaskCall("Threshold", (MaskName("M01"), "DAPI", 30)).operands[2]
    30
    """

    function: str
    operands: tuple[Operand, ...]
    unused: tuple[tuple[int, str], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """All pixels of the image that are not in the operand."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class And:
    """Pixels that are in every operand.

    Parameters
    ----------
    operands : tuple of Expression
        Two or more.
    groups : tuple of int
        How a stored definition wrote them: 0 for one operand written out word by
        word, n for n operands under the name of one mask. Kept for printing; empty for the
        plain way. Two nodes that differ in this alone are equal.
    """

    operands: tuple[Expression, ...]
    groups: tuple[int, ...] = field(default=(), compare=False)

    word: ClassVar[str] = "And"

    @classmethod
    def of(cls, operands: Iterable[Expression], *, named: Iterable[bool] | None = None) -> Self:
        """Join operands; those that are And themselves are opened, since the result is the same.

        Parameters
        ----------
        operands : iterable of Expression
        named : iterable of bool, optional
            Whether each was written as the name of one mask.

        Examples
        --------
        >>> a, b, c = map(MaskName, ("M01", "M02", "M03"))
        >>> And.of([a, And.of([b, c])]) == And((a, b, c))
        True
        """
        return cls(*opened(cls, operands, named))


@dataclass(frozen=True, slots=True)
class Or:
    """Pixels that are in one operand or more; the parameters are those of :class:`And`."""

    operands: tuple[Expression, ...]
    groups: tuple[int, ...] = field(default=(), compare=False)

    word: ClassVar[str] = "Or"

    @classmethod
    def of(cls, operands: Iterable[Expression], *, named: Iterable[bool] | None = None) -> Self:
        """Join operands as :meth:`And.of` does."""
        return cls(*opened(cls, operands, named))


Expression: TypeAlias = MaskName | MaskCall | Not | And | Or
Operand: TypeAlias = Expression | str | int | Decimal | None


def opened(
    node: type[And | Or], operands: Iterable[Expression], named: Iterable[bool] | None
) -> tuple[tuple[Expression, ...], tuple[int, ...]]:
    """Operands with those of the same kind opened, and how they were written."""
    parts: list[Expression] = []
    sizes: list[int] = []
    for operand in operands:
        inner = operand.operands if isinstance(operand, node) else (operand,)
        parts.extend(inner)
        sizes.append(len(inner))
    if named is None:
        return tuple(parts), ()
    groups = (size if whole else 0 for size, whole in zip(sizes, named, strict=True))
    return tuple(parts), tuple(groups)


def nodes(expression: Expression) -> Iterator[Expression]:
    """Every part of an expression that is a mask, itself first, in the order of writing.

    Examples
    --------
    >>> [type(node).__name__ for node in nodes(Not(MaskCall("Fill", (MaskName("M01"),))))]
    ['Not', 'MaskCall', 'MaskName']
    """
    waiting: list[Operand] = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (MaskCall, And, Or)):
            waiting.extend(reversed(node.operands))
        elif isinstance(node, Not):
            waiting.append(node.operand)
        if isinstance(node, (MaskName, MaskCall, Not, And, Or)):
            yield node
