"""Combined populations: ``Focused|And|Not|Mphase``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from ifcyto.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "WORDS", "Combination"]

WORDS = frozenset({"And", "Or", "Not", "(", ")"})
"""Tokens that are no names."""
MAX_DEPTH = 100
"""Brackets and negations within one another."""
MAX_LENGTH = 10_000
"""Characters of a definition."""


@dataclass(frozen=True, slots=True)
class Combination:
    """A boolean combination of populations.

    Parameters
    ----------
    definition : str
        Names of populations, ``And``, ``Or``, ``Not`` and brackets, joined by ``|``. Names
        may hold blanks, ``&`` and ``/``. Not binds closer than And, And closer than Or
        (INFERRED: real files hold no definition that decides it).

    Raises
    ------
    GateError
        The definition is none; the token at fault is named.

    Examples
    --------
    >>> both = Combination("Focused|And|Not|(|Doublets|Or|Debris|)")
    >>> both.names
    ('Focused', 'Doublets', 'Debris')
    >>> sets = {"Focused": [1, 1, 1], "Doublets": [0, 1, 0], "Debris": [0, 0, 1]}
    >>> both.member({name: np.array(values, bool) for name, values in sets.items()}).tolist()
    [True, False, False]
    """

    definition: str

    def __post_init__(self) -> None:
        if len(self.definition) > MAX_LENGTH:
            msg = f"expected a definition of at most {MAX_LENGTH} characters, found {len(self.definition)}"
            raise GateError(msg)
        _Reading(self, None).whole()

    @property
    def tokens(self) -> tuple[str, ...]:
        """The definition split at ``|``, its only separator."""
        return tuple(token.strip() for token in self.definition.split("|"))

    @property
    def names(self) -> tuple[str, ...]:
        """Populations that it refers to, each once, in order."""
        return tuple(dict.fromkeys(token for token in self.tokens if token not in WORDS))

    def member(self, members: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Which objects ``(n,)`` it holds.

        Parameters
        ----------
        members : mapping of str to ndarray (n,) of bool
            At least the populations of :attr:`names`.
        """
        return _Reading(self, members).whole()


class _Reading:
    """Recursive descent over the tokens; without members it only checks them."""

    def __init__(self, combination: Combination, members: Mapping[str, NDArray[np.bool_]] | None) -> None:
        self.tokens = combination.tokens
        self.members = members
        self.at = 0

    def whole(self) -> NDArray[np.bool_]:
        found = self.either(0)
        if self.at < len(self.tokens):
            self.fail("And, Or or the end")
        return found

    def either(self, depth: int) -> NDArray[np.bool_]:
        found = self.both(depth)
        while self.peek() == "Or":
            self.at += 1
            found = found | self.both(depth)
        return found

    def both(self, depth: int) -> NDArray[np.bool_]:
        found = self.single(depth)
        while self.peek() == "And":
            self.at += 1
            found = found & self.single(depth)
        return found

    def single(self, depth: int) -> NDArray[np.bool_]:
        token = self.peek()
        if depth > MAX_DEPTH:
            self.fail(f"at most {MAX_DEPTH} brackets within one another")
        if token in {None, "", "And", "Or", ")"}:
            self.fail("a population, Not or an opening bracket")
        self.at += 1
        if token == "Not":
            return ~self.single(depth + 1)
        if token == "(":
            found = self.either(depth + 1)
            if self.peek() != ")":
                self.fail("And, Or or a closing bracket")
            self.at += 1
            return found
        return np.zeros((), bool) if self.members is None else self.members[str(token)]

    def peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def fail(self, expected: str) -> NoReturn:
        found = "the end" if self.peek() is None else repr(str(self.peek())[:60])
        before = "|".join(self.tokens[: self.at])
        place = f"after {before[-60:]!r}" if before else "at the beginning"
        msg = f"expected {expected} {place}, found {found}"
        raise GateError(msg)
