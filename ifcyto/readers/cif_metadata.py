"""What the first directory of a CIF or RIF file says: channels, versions, vendor metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from ifcyto.cells import Channel
from ifcyto.errors import Fault
from ifcyto.readers.tiffdirs import PIXEL_SIZE_UM, TAG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

    from ifcyto.readers.tiffdirs import Entry

__all__ = ["MAX_CHANNELS", "PERSONAL", "CifMetadata", "choose_channels", "read_metadata"]

MAX_CHANNELS = 12
"""Channels of the largest instrument (two cameras of six)."""

PERSONAL = ("operator", "source_path", "template_path")
"""Text tags that name a person or a folder: kept out of exports unless asked."""

_TEXTS = (
    "time_of_day",
    "operator",
    "instrument",
    "source_path",
    "template_path",
    "ideas_version",
    "inspire_version",
)


@dataclass
class CifMetadata:
    """The first directory, read. `values` holds texts by name, ``Section/Leaf`` for the XML."""

    values: dict[str, Any] = field(default_factory=dict)
    daf: str = ""
    faults: list[Fault] = field(default_factory=list)


def read_metadata(entries: Mapping[int, Entry]) -> CifMetadata:
    """Turn the first directory into texts; broken XML becomes a fault.

    The roots of the two XML documents have random names, so elements are found
    by their place below the root.
    """
    found = CifMetadata()
    for name in _TEXTS:
        if TAG[name] in entries and entries[TAG[name]].text:
            found.values[name] = entries[TAG[name]].text
    for name in ("instrument_xml", "acquisition_xml"):
        if TAG[name] not in entries:
            continue
        try:
            root = ElementTree.fromstring(entries[TAG[name]].text.strip(), forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError) as error:
            text = str(error) or type(error).__name__
            found.faults.append(Fault(f"expected readable XML, found: {text}", where=f"tag {TAG[name]}"))
            continue
        _collect(root, found)
    return found


def _collect(root: Element, found: CifMetadata) -> None:
    stack: list[tuple[str, Element]] = [("", child) for child in reversed(root)]
    while stack:
        prefix, element = stack.pop()
        path = f"{prefix}{element.tag}"
        if element.tag == "DafFile":
            inner = list(element)
            found.daf = ElementTree.tostring(inner[0], "unicode") if inner else (element.text or "").strip()
        elif len(element):
            stack.extend((f"{path}/", child) for child in reversed(element))
        elif element.text and element.text.strip():
            found.values[path] = element.text.strip()


def choose_channels(
    metadata: Mapping[str, Any],
    *,
    declared: int | None,
    per_object: int | None,
    widths_divide: Mapping[int, bool],
) -> tuple[tuple[Channel, ...], list[str]]:
    """Decide how many channels there are and what they are called.

    Parameters
    ----------
    metadata : mapping
        Texts by name, from :func:`read_metadata`.
    declared : int or None
        Tag ``channel_count``.
    per_object : int or None
        Number of background values of the first object.
    widths_divide : mapping of int to bool
        Whether a number of channels divides the width of every object.

    Returns
    -------
    channels, notes
        Channels in the order of the images; sentences for the user where the
        sources disagree. No channel at all means that nothing fits.
    """
    used = [
        i + 1
        for i, flag in enumerate(_words(metadata, "ChannelInUseIndicators_0_11"))
        if flag not in {"0", ""}
    ]
    claims = {
        "channel count tag": declared,
        "channels in use": len(used) or None,
        "background values": per_object,
    }
    fits = [n for n in claims.values() if n and 0 < n <= MAX_CHANNELS and widths_divide.get(n, False)]
    if not fits:
        return (), []
    count = fits[0]
    notes = []
    if len({n for n in claims.values() if n}) > 1:
        said = ", ".join(f"{name} {n}" for name, n in claims.items() if n)
        notes.append(f"the file disagrees about its number of channels ({said}): {count} is used")
    numbers = used if len(used) == count else list(range(1, count + 1))
    names = _names(metadata, numbers)
    lit = _words(metadata, "BfLedIndicators_0_11")
    try:
        magnification = round(float(_value(metadata, "Magnification")))
    except ValueError:
        magnification = 0
    pixel = PIXEL_SIZE_UM.get(magnification)
    if pixel is None:
        notes.append(f"magnification {magnification or 'unknown'}: no pixel size is known for it")
    channels = tuple(
        Channel(
            number=number,
            name=names.get(number, f"Ch{number:02d}"),
            brightfield=number <= len(lit) and lit[number - 1] not in {"0", ""},
            pixel_size_um=pixel,
        )
        for number in numbers
    )
    if 0 < len(names) < count:
        notes.append(f"{len(names)} of {count} channels have a name")
    return channels, notes


def _value(metadata: Mapping[str, Any], leaf: str) -> str:
    for name in (f"Imaging/{leaf}", f"Illumination/{leaf}", leaf):
        if name in metadata:
            return str(metadata[name])
    return ""


def _words(metadata: Mapping[str, Any], leaf: str) -> list[str]:
    return _value(metadata, leaf).split()


def _names(metadata: Mapping[str, Any], numbers: list[int]) -> dict[int, str]:
    names = {}
    for number in numbers:
        name = _value(metadata, f"ChannelName{number}").strip()
        if name:
            names[number] = name
    text = _value(metadata, "ChannelNames_0_11")
    parts = (
        [part.strip() for part in re.split(r"[|;\t]", text)] if re.search(r"[|;\t]", text) else text.split()
    )
    if parts and not names:
        places = numbers if len(parts) == len(numbers) else range(1, len(parts) + 1)
        names = {
            number: part for number, part in zip(places, parts, strict=False) if part and number in numbers
        }
    return names
