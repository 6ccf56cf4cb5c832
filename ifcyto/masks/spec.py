"""What a mask function is: name, arguments, limits, how IDEAS shows it, and how sure we are of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ifcyto.features.spec import Confidence
    from ifcyto.masks.expression import Operand

__all__ = ["Argument", "Gives", "Kind", "MaskSpec", "choice", "number", "whole"]


class Kind(StrEnum):
    """What an argument is in the text of a definition."""

    MASK = "mask"
    IMAGE = "image"
    INTEGER = "whole number"
    DECIMAL = "number"
    CHOICE = "choice"
    """Stored as a code, shown as a word."""
    FIXED = "fixed text"
    """Stored always the same, never shown, without meaning for the result."""


class Gives(StrEnum):
    """What the function gets for a choice."""

    FLAG = "flag"
    """True for the code 1, False for 0."""
    CODE = "code"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Argument:
    """Declaration of one argument.

    Parameters
    ----------
    name : str
        As in the signature of the function; without spaces and hyphens.
    kind : Kind
    low, high : int, optional
        Limits of a number, both allowed.
    words : tuple of (int, str)
        Code and word of a choice, in the order of the documentation.
    gives : Gives
        What the function gets for a choice.
    default : int, str, optional
        What a shown form that leaves the argument out means; the place of an image on
        which the result does not depend; the stored text of a fixed argument.
    optional : bool
        May be missing at the end of a stored definition.
    only_for : tuple of (str, frozenset of int), optional
        Name of a choice and the codes for which the result depends on this argument.
    """

    name: str
    kind: Kind
    low: int | None = None
    high: int | None = None
    words: tuple[tuple[int, str], ...] = ()
    gives: Gives = Gives.FLAG
    default: int | str | None = None
    optional: bool = False
    only_for: tuple[str, frozenset[int]] | None = None

    @property
    def described(self) -> str:
        """What is expected here, for messages: ``percent (whole number, 0 to 100)``."""
        if self.kind is Kind.CHOICE:
            words = [word for _, word in self.words if word]
            return " or ".join(", ".join(words).rsplit(", ", 1))
        if self.kind in {Kind.MASK, Kind.IMAGE}:
            return f"{'an' if self.kind is Kind.IMAGE else 'a'} {self.kind}"
        return f"{self.name} ({self.kind}, {self.low} to {self.high})"

    def accepts(self, value: Operand) -> bool:
        """Whether a number or code is of the right kind and within the limits."""
        if self.kind is Kind.CHOICE:
            return value in dict(self.words)
        if self.low is None or self.high is None:
            return True
        if isinstance(value, Decimal):
            return self.kind is Kind.DECIMAL and value.is_finite() and self.low <= value <= self.high
        return type(value) is int and self.low <= value <= self.high

    def word_of(self, code: Operand) -> str:
        """Word of a code of this choice."""
        return dict(self.words)[code] if isinstance(code, int) else ""


def whole(name: str, low: int, high: int, default: int | None = None) -> Argument:
    """Declare a whole number."""
    return Argument(name, Kind.INTEGER, low, high, default=default)


def number(name: str, low: int, high: int) -> Argument:
    """Declare a number that may have decimals."""
    return Argument(name, Kind.DECIMAL, low, high)


def choice(name: str, zero: str, one: str, default: int | None = None) -> Argument:
    """Declare a choice between the codes 0 and 1, handed over as a boolean."""
    return Argument(name, Kind.CHOICE, words=((0, zero), (1, one)), default=default)


@dataclass(frozen=True)
class MaskSpec:
    """Declaration of one mask function.

    Parameters
    ----------
    name : str
        As IDEAS writes it.
    arguments : tuple of Argument
        In the order in which IDEAS stores them.
    function : str
        ``module:function`` with the signature ``function(work, *arguments) -> (P,) bool``:
        masks come as flat boolean arrays, images as places on the images' first
        axis. A text, so that reading definitions loads no compiled code.
    formula : str
        One line.
    source : str
        Section of ``ideas_features``, paper, or manual.
    confidence : Confidence
    layouts : tuple of str
        Shown forms: names of arguments separated by ``, `` (or ``-`` for two
        numbers), the shortest first. Empty when all are shown in stored order. An
        expression is printed in the first that loses nothing.

    Examples
    --------
    >>> from ifcyto.masks.library import MASKS
    >>> MASKS["Intensity"].usage
    'Intensity(start, image, low-high)'
    """

    name: str
    arguments: tuple[Argument, ...]
    function: str
    formula: str
    source: str
    confidence: Confidence
    layouts: tuple[str, ...] = ()

    @cached_property
    def places(self) -> dict[str, int]:
        """Place of each argument in stored order."""
        return {argument.name: place for place, argument in enumerate(self.arguments)}

    @cached_property
    def forms(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The layouts as places: forms, fields (parts between commas), arguments (joined by hyphens)."""
        layouts = self.layouts or (", ".join(self.places),)
        return tuple(
            tuple(tuple(self.places[name] for name in field.split("-")) for field in layout.split(", "))
            for layout in layouts
        )

    @property
    def usage(self) -> str:
        """The longest shown form: ``Threshold(start, image, percent)``."""
        return f"{self.name}({self.layouts[-1] if self.layouts else ', '.join(self.places)})"

    def depends_on(self, place: int, operands: Sequence[Operand]) -> bool:
        """Whether the result depends on the argument at `place`, given the choices in `operands`."""
        argument = self.arguments[place]
        if argument.kind is Kind.FIXED or argument.only_for is None:
            return argument.kind is not Kind.FIXED
        choice, codes = argument.only_for
        return operands[self.places[choice]] in codes

    def load(self) -> Callable[..., Any]:
        """Import the function."""
        module, name = self.function.split(":")
        function: Callable[..., Any] = getattr(import_module(module), name)
        return function
