"""Feature definitions: which feature, of which mask, image and number, under which name.

The stored grammar is IDEAS' own (``ideas_features`` 2.2): tokens joined by
``|``, such as ``H Contrast Mean|M04|BF|3|Granularity:|1|20``; the default name
joins the tokens with ``_``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifcyto.errors import UsageError
from ifcyto.features.registry import feature_spec
from ifcyto.features.spec import Takes

if TYPE_CHECKING:
    from ifcyto.features.spec import FeatureSpec

__all__ = ["FeatureDefinition", "brief", "define", "parse_definition"]

WEIGHTED = "IntensityWeighted"
SPINNER_TOKENS = 3
"""``label|min|max`` after a number: IDEAS' spinner, not an argument."""
SPOT_TOKENS = 6
"""``Spot Count|mask|4 or 8||True|8|4`` of newer files."""
LONGEST_SHOWN = 80
"""Characters of a user's text that a message repeats."""


@dataclass(frozen=True, slots=True)
class FeatureDefinition:
    """One column of a feature table.

    Parameters
    ----------
    name : str
        Of the column.
    spec : FeatureSpec
    arguments : tuple
        In the order of ``spec.takes``: mask and image names, numbers, booleans.
    """

    name: str
    spec: FeatureSpec
    arguments: tuple[str | int | bool, ...]

    @property
    def masks(self) -> tuple[str, ...]:
        """Names of the masks it needs, in order."""
        return self._of("m")

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images it needs, in order."""
        return self._of("i")

    @property
    def scalar(self) -> int | None:
        """Its number, if it takes one."""
        numbers = [int(value) for letter, value in self.lettered if letter == "s"]
        return numbers[0] if numbers else None

    @property
    def lettered(self) -> tuple[tuple[str, str | int | bool], ...]:
        """Each argument with its letter: m mask, i image, s scalar, b boolean."""
        return tuple(zip(self.spec.letters(len(self.arguments)), self.arguments, strict=True))

    def _of(self, letter: str) -> tuple[str, ...]:
        return tuple(str(value) for kind, value in self.lettered if kind == letter)

    def stored(self) -> str:
        """Write it in IDEAS' stored form.

        Examples
        --------
        >>> define("Area", "M01").stored()
        'Area|M01'
        """
        tokens = [self.spec.name]
        for letter, value in self.lettered:
            tokens.append(str(value).lower() if letter == "b" else str(value))
        scalar = self.spec.scalar
        if scalar is not None:
            tokens += [f"{scalar.label}:", str(scalar.low), str(scalar.high)]
        elif len(self.arguments) > len(self.spec.takes.arguments):
            tokens += ["", "True", "8", "4"]
        return "|".join(tokens)


def define(name: str, *arguments: str | int | bool, column: str = "") -> FeatureDefinition:
    """Define a feature from its name and arguments.

    Parameters
    ----------
    name : str
        As IDEAS writes it.
    *arguments
        Masks, images, numbers and booleans in the order of the feature's `takes`.
    column : str
        Name of the column; IDEAS' default name when empty.

    Raises
    ------
    UsageError
        No such feature, or other arguments than it takes.

    Examples
    --------
    >>> define("Area", "M01").name
    'Area_M01'
    """
    spec = feature_spec(name)
    letters = spec.takes.arguments
    count = len(arguments)
    connectivity = spec.name == "Spot Count" and count == len(letters) + 1
    if count != len(letters) and not connectivity:
        msg = f"{name}: expected {_described(spec)}, found {count}: {', '.join(map(str, arguments))}"
        raise UsageError(msg)
    if connectivity and arguments[-1] not in {4, 8}:
        msg = f"{name}: expected a connectivity of 4 or 8, found {brief(repr(arguments[-1]))}"
        raise UsageError(msg)
    for letter, value in zip(letters, arguments, strict=False):
        if letter == "s":
            _check_scalar(spec, value)
    words = [_word(value) for value in arguments]
    return FeatureDefinition(column or "_".join([name, *filter(None, words)]), spec, tuple(arguments))


def brief(text: str) -> str:
    """Text for a message, cut where it is too long.

    Examples
    --------
    >>> brief("Area_M01"), len(brief("x" * 1000))
    ('Area_M01', 80)
    """
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 4]} ..."


def _word(value: str | int | bool) -> str:  # noqa: FBT001 - a value, not a switch
    if isinstance(value, bool):
        return WEIGHTED if value else ""
    return str(value)


def _described(spec: FeatureSpec) -> str:
    words = {"m": "a mask", "i": "an image", "s": "a number", "b": "true or false"}
    listed = [words[letter] for letter in spec.takes.arguments]
    many = f"{len(listed)} argument{'s' if len(listed) > 1 else ''}"
    return f"{many} ({', '.join(listed)})" if listed else "no arguments"


def _check_scalar(spec: FeatureSpec, value: object) -> None:
    scalar = spec.scalar
    if scalar is None or (isinstance(value, int) and scalar.low <= value <= scalar.high):
        return
    msg = (
        f"{spec.name}: expected {scalar.label} as a whole number from {scalar.low} to {scalar.high}, "
        f"found {brief(repr(value))}"
    )
    raise UsageError(msg)


def parse_definition(text: str, *, column: str = "") -> FeatureDefinition:
    """Read a definition in IDEAS' stored form.

    Parameters
    ----------
    text : str
        Such as ``Gradient RMS|M04|BF``.
    column : str
        Name of the column; IDEAS' default name when empty.

    Raises
    ------
    UsageError
        It is no definition of a feature that ifcyto has.

    Examples
    --------
    >>> parse_definition("Diameter|Dilate(M01, 2)").name
    'Diameter_Dilate(M01, 2)'
    """
    name, *tokens = text.split("|")
    spec = feature_spec(name)
    if spec.takes in {Takes.IMAGE_SCALAR, Takes.MASK_IMAGE_SCALAR, Takes.MASK_SCALAR}:
        tokens = tokens[: len(tokens) - SPINNER_TOKENS] if len(tokens) > SPINNER_TOKENS else tokens
    if name == "Spot Count" and len(tokens) == SPOT_TOKENS:
        tokens = tokens[:2]
    letters = spec.takes.arguments + ("s" if name == "Spot Count" and len(tokens) == 2 else "")
    try:
        arguments = [_argument(*pair) for pair in zip(letters, tokens, strict=True)]
    except ValueError:
        msg = f"{name}: expected {_described(spec)}, found {brief(text)!r}"
        raise UsageError(msg) from None
    return define(name, *arguments, column=column)


def _argument(letter: str, token: str) -> str | int | bool:
    if letter == "s":
        return int(token)
    if letter == "b":
        if token.lower() not in {"true", "false"}:
            raise ValueError(token)
        return token.lower() == "true"
    return token
