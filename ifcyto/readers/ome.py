"""The little that is taken from an OME-XML description: channels and pixel size.

Elements and attributes are those of the OME schema 2016-06
(https://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from ifcyto.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

__all__ = ["OmeImage", "is_ome", "parse_ome"]

_MICRO = "\u00b5m"
"""The schema's default unit, with the micro sign; some files have the Greek letter."""

_MICROMETRES = {_MICRO: 1.0, "\u03bcm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6}


@dataclass(frozen=True, slots=True)
class OmeImage:
    """First image of an OME-XML document.

    Parameters
    ----------
    names : tuple of str
        Channel names, empty text where the document gives none.
    brightfield : tuple of bool
        Illumination said to be transmitted, per channel.
    size_c, size_z, size_t : int
        Planes along each axis.
    pixel_size_um : float or None
        When X and Y agree and the unit is a length.
    """

    names: tuple[str, ...]
    brightfield: tuple[bool, ...]
    size_c: int
    size_z: int
    size_t: int
    pixel_size_um: float | None


def is_ome(description: str) -> bool:
    """Say whether an image description claims to be OME-XML."""
    head = description[:4096].lstrip("\ufeff \t\r\n")
    return head.startswith(("<?xml", "<OME", "<!")) and "<OME" in head


def parse_ome(description: str, path: Path) -> OmeImage:
    """Read an OME-XML document; document types and entities are refused.

    Raises
    ------
    FormatError
        Not well-formed, a document type or entity, or no image in it.
    """
    try:
        root = fromstring(description.lstrip("\ufeff \t\r\n"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        words = " ".join(str(error).split()) or type(error).__name__
        raise FormatError(path, f"expected well-formed OME-XML, found {words}") from error
    pixels = next((node for node in root.iter() if _name(node) == "Pixels"), None)
    if pixels is None:
        raise FormatError(path, "expected an image in the OME-XML, found no Pixels element")
    channels = [node for node in pixels if _name(node) == "Channel"]
    return OmeImage(
        names=tuple(node.get("Name", "").strip() for node in channels),
        brightfield=tuple(node.get("IlluminationType") == "Transmitted" for node in channels),
        size_c=_size(pixels, "SizeC", path),
        size_z=_size(pixels, "SizeZ", path),
        size_t=_size(pixels, "SizeT", path),
        pixel_size_um=_pixel_size(pixels),
    )


def _name(node: Any) -> str:
    return str(node.tag).rpartition("}")[2]


def _size(pixels: Any, name: str, path: Path) -> int:
    text = pixels.get(name, "1")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise FormatError(path, f"expected a number as {name} in the OME-XML, found {text[:20]!r}")
    return int(text)


def _pixel_size(pixels: Any) -> float | None:
    sizes = set()
    for axis in "XY":
        try:
            size = float(pixels.get(f"PhysicalSize{axis}", "nan"))
        except ValueError:
            return None
        sizes.add(size * _MICROMETRES.get(pixels.get(f"PhysicalSize{axis}Unit", _MICRO), math.nan))
    size = sizes.pop()
    return size if not sizes and math.isfinite(size) and size > 0 else None
