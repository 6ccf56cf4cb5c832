"""Read and print mask definitions as IDEAS writes them, in both of its forms.

The *shown* form stands in menus and names, ``Spot(M06, DF, Bright, 3, 2)``; the
*stored* form stands in files, ``Spot|M06|DF|0|3|2``, its operands being names of
other masks (``ideas_features`` 2.3, DOC; real definitions of IDEAS 6.0 and 6.2 come
back to the letter).

What is ifcyto's own: Not binds closer than And, And closer than Or (the rule of
IDEAS is not published); brackets may group; an Or within an And is shown in brackets
so that it can be read back; ``Watershed`` without IW has forms with numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifcyto.errors import UsageError
from ifcyto.masks.faults import GrammarFault, pointed
from ifcyto.masks.shown_form import ShownParser, names_of, to_shown
from ifcyto.masks.stored_form import StoredParser, to_stored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ifcyto.masks.expression import Expression
    from ifcyto.masks.names import Names

__all__ = ["MAX_LENGTH", "parse_mask", "read_mask", "shown", "stored"]

MAX_LENGTH = 10_000
"""Characters that a definition may have."""


def parse_mask(text: str, images: Iterable[str] = (), masks: Iterable[str] = ()) -> Expression:
    """Read a mask definition in either form.

    Parameters
    ----------
    text : str
        With a ``|`` it is the stored form, else the shown form.
    images, masks : iterable of str
        Names that there are, the longest that fits is taken. When an iterable is empty
        any name will do: it runs to the next comma or closing bracket outside of
        brackets of its own. ``M01`` to ``M99``, ``MC``, ``NMC`` and ``None`` are always masks.

    Returns
    -------
    Expression
        The same for both forms of one mask.

    Raises
    ------
    UsageError
        The text is no mask definition: it is shown with a caret under the place.

    Examples
    --------
    >>> parse_mask("Dilate(M01, 5)") == parse_mask("Dilate|M01|5")
    True
    >>> parse_mask("Not MC").operand.name
    'MC'
    >>> parse_mask("Dilate(M01, 50)")
    Traceback (most recent call last):
        ...
    ifcyto.errors.UsageError: expected n (whole number, 0 to 19), found '50'
      Dilate(M01, 50)
                  ^
    """
    return read_mask(text, names_of(images, masks))


def read_mask(text: str, names: Names) -> Expression:
    """Read a mask definition with names that were prepared once for many texts; see :func:`parse_mask`."""
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        found = f"{len(text)} characters" if isinstance(text, str) else f"{text!r}"
        msg = f"expected a mask definition: a text of at most {MAX_LENGTH} characters, found {found}"
        raise UsageError(msg)
    try:
        return StoredParser(text, names).parse() if "|" in text else ShownParser(text, names).parse()
    except GrammarFault as fault:
        raise pointed(text, fault) from None


def shown(expression: Expression) -> str:
    """Print a mask expression as IDEAS shows it.

    Examples
    --------
    >>> shown(parse_mask("Spot|M06|DF|0|3|2"))
    'Spot(M06, DF, Bright, 3, 2)'
    """
    return to_shown(expression)


def stored(expression: Expression) -> str:
    """Print a mask expression as IDEAS stores it.

    Operands stand by their names: an expression that is an operand stands in its
    shown form, under which IDEAS expects a mask of its own. Images that were never
    given, since the result does not depend on them, are empty.

    Examples
    --------
    >>> stored(parse_mask("MC And Not Dilate(M01, 5)"))
    'MC|And|Not|Dilate(M01, 5)'
    """
    return to_stored(expression)
