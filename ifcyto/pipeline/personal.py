"""Keep the names of persons and folders out of what we write and show.

Instruments store the operator's name and the paths of their files among their
metadata. Fields are recognised by their name and by values that look like an
absolute path; this is a safeguard, not a proof of anonymity.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifcyto.readers.cif_metadata import PERSONAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["text_without_personal", "without_personal"]

NAMES = re.compile(
    r"operator|user(name)?$|author|investigator|patient|computer|path|folder|directory|dir$|file(name)?$",
    re.IGNORECASE,
)
NUMBERS = re.compile(r"[-+.,eE\d\s]*")
PATHS = re.compile(r"(^|[\s\"'=>])([A-Za-z]:[\\/]|\\\\\w|/(home|Users|mnt|media|data|Volumes)/)")
FREE_TEXT = ("description",)
PERSONS = re.compile(r"operator|user(name)?$|author|investigator|patient|computer", re.IGNORECASE)
WORDS = re.compile(r"[^\W\d_]{2,}")
OPERATIONS = frozenset({"And", "Or", "Not"})


def without_personal(metadata: Mapping[str, Any]) -> dict[str, Any]:
    r"""Leave out fields that may name a person or a folder.

    Parameters
    ----------
    metadata : mapping
        Text by name; nested mappings and lists are gone through as well.

    Returns
    -------
    dict

    Examples
    --------
    >>> without_personal({"operator": "A. Name", "Imaging/Magnification": "40", "log": "C:\\runs\\a.log"})
    {'Imaging/Magnification': '40'}
    """
    return {name: _clean(value) for name, value in metadata.items() if not _personal(name, value)}


def text_without_personal(name: str, text: str) -> str:
    r"""What may stay of one text of a file: nothing of a person, of a path its last part.

    Parameters
    ----------
    name : str
        Name of the attribute or element that holds the text.
    text : str

    Examples
    --------
    >>> text_without_personal("file", "C:\\Users\\A. Name\\MDS01.cif")
    'MDS01.cif'
    >>> text_without_personal("Operator", "A. Name"), text_without_personal("name", "BNE")
    ('', 'BNE')
    """
    if PERSONS.search(name) and WORDS.search(text) and text not in OPERATIONS:
        return ""
    found = PATHS.search(text)
    if found is None:
        return text
    whole = not text[: found.start(2)].strip()
    return re.split(r"[\\/]", text.rstrip("\\/ "))[-1] if whole else ""


def _personal(name: str, value: Any) -> bool:
    leaf = name.rpartition("/")[2]
    if name in PERSONAL or leaf in FREE_TEXT:
        return True
    if not isinstance(value, str):
        return False
    if NUMBERS.fullmatch(value):
        return False  # a switch or a setting
    return bool(NAMES.search(leaf) or PATHS.search(value))


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return without_personal(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
