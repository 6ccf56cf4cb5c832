"""Words of Gating-ML 2.0 that the reader and the writer share."""

from __future__ import annotations

import re

__all__ = ["DATATYPES", "GATING", "ID", "OWN", "OWN_TEXTS", "TRANSFORMS", "legal_id"]

GATING = "http://www.isac-net.org/std/Gating-ML/v2.0/gating"
DATATYPES = "http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"
TRANSFORMS = "http://www.isac-net.org/std/Gating-ML/v2.0/transformations"
OWN = "urn:ifcyto:gating"
"""Namespace of what we add in ``custom_info``; others pass over it."""
OWN_TEXTS = ("colour", "light_colour", "comment")

ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
"""Identifiers in ASCII; XML allows more letters, some programs do not."""


def legal_id(name: str, taken: set[str]) -> str:
    """Identifier for a name, not among `taken`, to which it is added.

    Examples
    --------
    >>> known = set()
    >>> legal_id("G2/M & Events", known), legal_id("G2_M__Events", known), legal_id("3", known)
    ('G2_M_Events', 'G2_M__Events', '_3')
    """
    plain = re.sub(r"[^A-Za-z0-9_.\-]+", "_", name) if not ID.fullmatch(name) else name
    plain = plain if ID.match(plain) else f"_{plain}"
    found, n = plain, 1
    while found.casefold() in taken:
        n += 1
        found = f"{plain}_{n}"
    taken.add(found.casefold())
    return found
