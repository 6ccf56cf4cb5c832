"""Combined features: arithmetic on other columns (``ideas_features`` 2.2).

``Intensity_M01_DAPI|/|Area_M01`` divides two columns. Tokens, joined by ``|``,
are names of columns, numbers, ``+ - * / ( )`` and the functions ABS, COS, SIN,
SQR (square) and SQRT, which apply to the term that follows. Results that are
not finite are NaN (DOC).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = ["FUNCTIONS", "SIGNS", "CombinedFeature"]

FUNCTIONS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "ABS": np.abs,
    "COS": np.cos,
    "SIN": np.sin,
    "SQR": np.square,
    "SQRT": np.sqrt,
}
"""Functions of combined features; angles in radians."""

OPERATORS = ("+", "-", "*", "/")
SIGNS = frozenset({*OPERATORS, "(", ")"})
"""Tokens that are no names."""
MAX_DEPTH = 100


@dataclass(frozen=True, slots=True)
class CombinedFeature:
    """A column computed from others.

    Parameters
    ----------
    name : str
        Of the column.
    definition : str
        Tokens joined by ``|``. Product and quotient bind closer than sum and
        difference; a sign may stand before a term.

    Raises
    ------
    UsageError
        The definition is no formula; the token at fault is named.

    Examples
    --------
    >>> ratio = CombinedFeature("Density", "Intensity_M01_DAPI|/|SQRT|Area_M01")
    >>> ratio.columns
    ('Intensity_M01_DAPI', 'Area_M01')
    >>> ratio.values({"Intensity_M01_DAPI": np.array([6.0, 1.0]), "Area_M01": np.array([4.0, 0.0])}).tolist()
    [3.0, nan]
    """

    name: str
    definition: str

    def __post_init__(self) -> None:
        _Formula(self, None).whole()

    @property
    def tokens(self) -> tuple[str, ...]:
        """The definition split at ``|``."""
        return tuple(self.definition.split("|"))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns it needs, each once, in order."""
        words = SIGNS.union(FUNCTIONS)
        names = (token for token in self.tokens if token not in words and _number(token) is None)
        return tuple(dict.fromkeys(names))

    def values(self, columns: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Compute it: ``(n,)``, or ``()`` for a formula of numbers alone.

        Parameters
        ----------
        columns : mapping of str to ndarray (n,) of float64
            At least those of :attr:`columns`.
        """
        values = np.array(_Formula(self, columns).whole(), np.float64)
        values[~np.isfinite(values)] = np.nan
        return values


def _number(token: str) -> float | None:
    try:
        value = float(token)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


class _Formula:
    """Recursive descent over the tokens; without columns it only checks them."""

    def __init__(self, feature: CombinedFeature, columns: Mapping[str, NDArray[np.float64]] | None) -> None:
        self.feature, self.columns = feature, columns
        self.tokens = feature.tokens
        self.at = 0

    def whole(self) -> NDArray[np.float64]:
        with np.errstate(all="ignore"):
            values = self.sum(0)
        if self.at < len(self.tokens):
            self.fail("an operator or the end")
        return values

    def sum(self, depth: int) -> NDArray[np.float64]:
        values = self.product(depth)
        while (sign := self.peek()) in {"+", "-"}:
            self.at += 1
            other = self.product(depth)
            values = values + other if sign == "+" else values - other
        return values

    def product(self, depth: int) -> NDArray[np.float64]:
        values = self.term(depth)
        while (sign := self.peek()) in {"*", "/"}:
            self.at += 1
            other = self.term(depth)
            values = values * other if sign == "*" else values / other
        return values

    def term(self, depth: int) -> NDArray[np.float64]:
        token = self.peek()
        if depth > MAX_DEPTH:
            self.fail(f"at most {MAX_DEPTH} nested terms")
        self.at += 1
        if token in FUNCTIONS:
            return FUNCTIONS[token](self.term(depth + 1))
        if token in {"+", "-"}:
            values = self.term(depth + 1)
            return -values if token == "-" else values
        if token == "(":
            values = self.sum(depth + 1)
            if self.peek() != ")":
                self.fail("a closing parenthesis")
            self.at += 1
            return values
        if token is None or token in {"", ")", *OPERATORS}:
            self.at -= 1
            self.fail("a column, a number, a function or an opening parenthesis")
        number = _number(token)
        if number is not None:
            return np.array(number)
        return np.array(1.0) if self.columns is None else self.columns[token]

    def peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def fail(self, expected: str) -> NoReturn:
        found = "the end" if self.peek() is None else repr(self.peek())
        place = "|".join(self.tokens[: self.at])
        msg = f"combined feature {self.feature.name!r}: expected {expected} after {place!r}, found {found}"
        raise UsageError(msg)
