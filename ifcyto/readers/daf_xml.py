"""The XML of a DAF, read as a stream of elements.

The parser takes the file in pieces and stops at the end of the root element,
so that a binary block after it is never searched and never parsed, and the
text ``</Assay>`` in a comment does no harm. No tree is built.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from ifcyto.readers.daf_elements import (
    as_real,
    as_reals,
    as_whole,
    feature_of,
    image_of,
    mask_of,
    population_of,
    region_of,
    statistic_of,
)
from ifcyto.readers.daf_faults import shown
from ifcyto.readers.daf_objects import ObjectColumns

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from ifcyto.readers.daf_faults import FaultLog
    from ifcyto.readers.daf_records import (
        DafFeature,
        DafImage,
        DafMask,
        DafPopulation,
        DafRegion,
        DafStatistic,
    )

__all__ = ["DafXml", "parse_xml"]

BOM = b"\xef\xbb\xbf"
CHUNK_BYTES = 1 << 20
INVALID_TOKEN = 4  # expat's error code for a byte that cannot stand where it does

Attributes = dict[str, str]


class DafXml:
    """Parser target: turns the elements of one DAF into records.

    Unknown elements and attributes are passed over. Elements count only below
    the parent that IDEAS gives them.
    """

    def __init__(self, log: FaultLog) -> None:
        self.log = log
        self.expat: Any = None
        self.base = 0
        self.root_end: int | None = None
        self.stack: list[str] = []
        self.assay: Attributes = {}
        self.sod: Attributes | None = None
        self.images: list[DafImage] = []
        self.masks: list[DafMask] = []
        self.features: list[DafFeature] = []
        self.values: list[tuple[int, array[float]]] = []
        self.objects = ObjectColumns()
        self.regions: list[DafRegion] = []
        self.populations: list[DafPopulation] = []
        self.statistics: list[DafStatistic] = []
        self.points: list[tuple[float, float]] = []
        self.tagged: list[int] = []
        self.handlers: dict[tuple[str, str], Callable[[Attributes], None]] = {
            ("Images", "image"): lambda a: self.images.append(image_of(a, self.fail)),
            ("masks", "mask"): lambda a: self.masks.append(mask_of(a)),
            ("DefinedFeatures", "UDF"): lambda a: self.features.append(feature_of(a)),
            ("FeatureValues", "UDFValues"): self.feature_values,
            ("Assay", "SOD"): self.start_sod,
            ("SOD", "SO"): lambda a: self.objects.add(a, self.fail),
            ("Regions", "Region"): lambda a: self.regions.append(region_of(a, self.fail)),
            ("Region", "axy"): self.point,
            ("Pops", "Pop"): lambda a: self.populations.append(population_of(a)),
            ("Pop", "ob"): self.tag_object,
            ("PopulationStatistics", "PopStatistic"): lambda a: self.statistics.append(
                statistic_of(a, self.fail)
            ),
        }

    def start(self, tag: str, attributes: Attributes) -> None:
        """Take the start of an element (called by the parser)."""
        if not self.stack:
            if tag != "Assay":
                self.log.stop(f"expected the root element Assay, found {shown(tag)}: this is not a DAF")
            self.assay = attributes
        else:
            handler = self.handlers.get((self.stack[-1], tag))
            if handler is not None:
                handler(attributes)
        self.stack.append(tag)

    def end(self, tag: str) -> None:
        """Take the end of an element (called by the parser)."""
        self.stack.pop()
        parent = self.stack[-1] if self.stack else ""
        if tag == "Region":
            if parent == "Regions" and self.points:
                self.regions[-1] = replace(self.regions[-1], points=tuple(self.points))
            self.points = []
        elif tag == "Pop":
            if parent == "Pops" and self.tagged:
                self.populations[-1] = replace(self.populations[-1], tagged=tuple(self.tagged))
            self.tagged = []
        elif not self.stack:
            self.root_end = self.offset

    def close(self) -> None:
        """End the document (the parser asks for it)."""

    @property
    def offset(self) -> int:
        """Byte offset of the element at hand."""
        return self.base + int(self.expat.CurrentByteIndex)

    def fail(self, message: str, where: str, object_number: int | None = None) -> None:
        """Report a fault at the element at hand."""
        self.log.report(message, where=where, offset=self.offset, object_number=object_number)

    def start_sod(self, attributes: Attributes) -> None:
        """Take the description of the CIF."""
        if self.sod is not None:
            self.log.stop("expected one SOD element, found a second one", offset=self.offset)
        self.sod = attributes

    def feature_values(self, attributes: Attributes) -> None:
        """Take the values of one feature."""
        index = as_whole(attributes, "fid", "UDFValues", self.fail)
        values = as_reals(attributes.get("fv", ""), f"UDFValues fid={index} fv", self.fail)
        self.values.append((index, values))

    def point(self, attributes: Attributes) -> None:
        """Take a corner or vertex of the region at hand."""
        x = as_real(attributes, "x", "axy", self.fail)
        self.points.append((x, as_real(attributes, "y", "axy", self.fail)))

    def tag_object(self, attributes: Attributes) -> None:
        """Take one object number of a tagged population."""
        number = as_whole(attributes, "O", "ob", self.fail)
        if number >= 0:
            self.tagged.append(number)


def parse_xml(file: BinaryIO, log: FaultLog) -> tuple[DafXml, int]:
    """Parse the XML of an open DAF.

    Returns
    -------
    content : DafXml
    end : int
        Byte offset just behind the root element.

    Raises
    ------
    FormatError
        The XML is broken, ends early, declares a DTD or entities, or has another root.
    """
    file.seek(0)
    base = len(BOM) if file.read(len(BOM)) == BOM else 0
    content = _parse_as("utf-8", file, base, log)
    if content is None:
        log.notes.append("the XML is not valid UTF-8; it was read as Windows-1252")
        del log.faults[:]
        content = _parse_as("windows-1252", file, base, log)
    if content is None or content.root_end is None:
        log.stop("expected the end tag </Assay>, found the end of the file: it is cut short")
    file.seek(content.root_end)
    close = file.read(4096).find(b">")
    if close < 0:
        log.stop("expected a complete end tag </Assay>", offset=content.root_end)
    return content, content.root_end + close + 1


def _parse_as(encoding: str, file: BinaryIO, base: int, log: FaultLog) -> DafXml | None:
    """Parse up to the end of the root; None when UTF-8 turns out to be wrong."""
    content = DafXml(log)
    parser = DefusedXMLParser(target=content, encoding=encoding, forbid_dtd=True)
    content.expat, content.base = parser.parser, base
    file.seek(base)
    try:
        while content.root_end is None and (chunk := file.read(CHUNK_BYTES)):
            parser.feed(chunk)
        if content.root_end is None:
            parser.close()
    except ParseError as error:
        if content.root_end is None:
            at = base + max(content.expat.ErrorByteIndex, 0)
            if encoding == "utf-8" and error.code == INVALID_TOKEN and _not_ascii(file, at):
                return None
            log.stop(f"expected well-formed XML, found a fault: {error}", offset=at)
    except DefusedXmlException:
        msg = "expected plain XML, found a document type declaration or an entity: refused as unsafe"
        log.stop(msg, offset=content.offset)
    finally:
        content.expat = None
    return content


def _not_ascii(file: BinaryIO, at: int) -> bool:
    file.seek(at, os.SEEK_SET)
    return any(byte > 0x7F for byte in file.read(1))
