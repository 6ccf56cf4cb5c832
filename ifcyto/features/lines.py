"""One line of a list of features: a column's name, its definition, or a name for a definition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifcyto.errors import UsageError
from ifcyto.features.combine import FUNCTIONS, SIGNS, CombinedFeature
from ifcyto.features.define import brief, parse_definition
from ifcyto.features.names import parse_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ifcyto.features.define import FeatureDefinition

__all__ = ["parse_line"]

NAMED = re.compile(r"(?P<name>[^|]*)(?<![<>=!])=(?!=)(?P<definition>.*)", re.DOTALL)
"""The name ends at the last equals sign before the first ``|``; ``>=`` and the like are none."""


def parse_line(
    text: str, *, images: Collection[str], check_mask: Callable[[str], None]
) -> FeatureDefinition | CombinedFeature:
    """Read one line of a list of features.

    Parameters
    ----------
    text : str
        ``Area_M01`` (IDEAS' name), ``Area|M01`` (IDEAS' stored form), or either after
        ``NAME =``; ``NAME =`` also defines a combined feature, whose tokens are joined
        by ``|``. Spaces around ``=`` and ``|`` do not count.
    images : collection of str
        Names of the images.
    check_mask : callable
        As :func:`ifcyto.features.names.parse_name` takes it.

    Raises
    ------
    UsageError
        It is none of these; a combined feature has no name; or a name is empty or
        cannot be shown.

    Examples
    --------
    >>> read = lambda text: parse_line(text, images=["DAPI"], check_mask=lambda mask: None)
    >>> read("Nucleus area = Area|Threshold(M01, DAPI, 50)").name
    'Nucleus area'
    >>> read("Density = Intensity_M01_DAPI|/|Area_M01").columns
    ('Intensity_M01_DAPI', 'Area_M01')
    """
    named = NAMED.fullmatch(text)
    name, definition = (named["name"].strip(), named["definition"].strip()) if named else ("", text)
    if named and not (name and name.isprintable() and definition):
        msg = f"expected NAME = DEFINITION with a name of letters, digits and signs, found {brief(text)!r}"
        raise UsageError(msg)
    tokens = [token.strip() for token in definition.split("|")]
    if not SIGNS.isdisjoint(tokens) or tokens[0] in FUNCTIONS:
        if not name:
            msg = f"expected a name for a combined feature: NAME = {brief(text)}"
            raise UsageError(msg)
        return CombinedFeature(name, "|".join(tokens))
    if len(tokens) > 1:
        return parse_definition("|".join(tokens), column=name)
    return parse_name(definition, images=images, check_mask=check_mask, column=name)
