"""Where the XML of a DAF can be added to, in bytes, so that all the rest is copied as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["DafPlaces", "Edit", "add_elements", "copy_with", "escaped", "find_places", "redactions"]

BOM = b"\xef\xbb\xbf"
CHUNK_BYTES = 1 << 20
CONTAINERS: dict[tuple[str, ...], str] = {
    ("Assay", "SOD", "DefinedFeatures"): "features",
    ("Assay", "SOD", "FeatureValues"): "values",
    ("Assay", "SOD", "Pops"): "populations",
}
LONGEST_TEXT = 1000
"""Characters of a text that is looked at for names and folders; lists of values are longer."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes to put in the place of others: `removed` of them, from `at` on."""

    at: int
    removed: int
    inserted: bytes


@dataclass(slots=True)
class DafPlaces:
    """What was found in the XML of a DAF.

    Parameters
    ----------
    containers : dict of str to (int, int)
        ``features``, ``values`` and ``populations``: offsets of the start tag and of the end
        tag, or of what follows where the element is closed in its start tag.
    tags : list of (int, dict)
        Offset of each start tag that has attributes, and these.
    texts : list of (int, str, str)
        Offset of each end tag after a text, the element's name, and the text.
    end : int
        Offset just behind the root.
    """

    containers: dict[str, tuple[int, int]] = field(default_factory=dict)
    tags: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    texts: list[tuple[int, str, str]] = field(default_factory=list)
    end: int = -1


def find_places(file: BinaryIO) -> DafPlaces:
    """Find the places of a DAF that was read before, and so is known to be sound.

    Parameters
    ----------
    file : binary file

    Returns
    -------
    DafPlaces
    """
    try:
        return _scan(file, "utf-8")
    except expat.ExpatError:
        return _scan(file, "windows-1252")


def _scan(file: BinaryIO, encoding: str) -> DafPlaces:
    places = DafPlaces()
    stack: list[str] = []
    starts: list[int] = []
    words: list[str] = []
    file.seek(0)
    base = len(BOM) if file.read(len(BOM)) == BOM else 0
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        stack.append(name)
        starts.append(base + parser.CurrentByteIndex)
        words.clear()
        short = {key: value for key, value in attributes.items() if len(value) <= LONGEST_TEXT}
        if short and name not in {"SO", "ob", "axy"}:
            places.tags.append((starts[-1], short))

    def end(name: str) -> None:
        at = base + parser.CurrentByteIndex
        kind = CONTAINERS.get(tuple(stack))
        if kind is not None:
            places.containers.setdefault(kind, (starts[-1], at))
        text = "".join(words)
        if text.strip() and len(text) <= LONGEST_TEXT:
            places.texts.append((at, name, text))
        words.clear()
        stack.pop()
        starts.pop()
        if not stack:
            places.end = at

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = words.append
    file.seek(base)
    try:
        while places.end < 0 and (chunk := file.read(CHUNK_BYTES)):
            parser.Parse(chunk, False)
    except expat.ExpatError:
        if places.end < 0:  # else it is the binary block, which is no XML
            raise
    file.seek(places.end)
    places.end += file.read(4096).index(b">") + 1
    return places


def add_elements(file: BinaryIO, place: tuple[int, int], elements: Sequence[bytes]) -> Edit:
    """Edit that adds elements at the end of another, indented as what is there.

    Parameters
    ----------
    file : binary file
    place : (int, int)
        Of :attr:`DafPlaces.containers`.
    elements : sequence of bytes
    """
    start, end = place
    file.seek(start)
    tag = file.read(4096)
    name = re.match(rb"<([^\s/>]+)", tag)
    assert name is not None
    file.seek(end)
    if file.read(2 + len(name[1])) != b"</" + name[1]:  # closed in its start tag: <Pops />
        stop = tag.index(b">") + 1
        opened = tag[:stop].removesuffix(b"/>").rstrip() + b">"
        return Edit(start, stop, opened + b"".join(elements) + b"</" + name[1] + b">")
    reach = min(end, 256)
    file.seek(end - reach)
    before = file.read(reach)
    line = re.search(rb"(\r?\n)([ \t]*)\Z", before)
    if line is None:
        return Edit(end, 0, b"".join(elements))
    newline, indent = line[1], line[2]
    return Edit(end, 0, b"".join(b"  " + element + newline + indent for element in elements))


def redactions(file: BinaryIO, places: DafPlaces, redact: Callable[[str, str], str]) -> list[Edit]:
    """Edits that take names and folders out of attributes and texts.

    Parameters
    ----------
    file : binary file
    places : DafPlaces
    redact : callable
        ``redact(name, text)`` gives the text that may stay.
    """
    edits = []
    for at, attributes in places.tags:
        for name, value in attributes.items():
            if (kept := redact(name, value)) != value:
                edits.append(_new_attribute(file, at, name, kept))
    for at, name, text in places.texts:
        if (kept := redact(name, text)) != text:
            edits.append(_new_text(file, at, kept))
    return edits


def _new_attribute(file: BinaryIO, at: int, name: str, kept: str) -> Edit:
    file.seek(at)
    tag = file.read(CHUNK_BYTES)
    pattern = rb"\s" + re.escape(name.encode()) + rb"\s*=\s*(\"[^\"]*\"|'[^']*')"
    found = re.search(pattern, tag)
    assert found is not None
    return Edit(at + found.start(1), len(found[1]), b'"' + escaped(kept) + b'"')


def _new_text(file: BinaryIO, at: int, kept: str) -> Edit:
    reach = min(at, 16 * LONGEST_TEXT)
    file.seek(at - reach)
    before = file.read(reach)
    length = len(before) - (before.rindex(b">") + 1)
    return Edit(at - length, length, escaped(kept))


def escaped(text: str) -> bytes:
    """Text as the value of an attribute: ASCII, so that it means the same in every encoding.

    Examples
    --------
    >>> escaped('G2/M & "\u00b5"')
    b'G2/M &amp; &quot;&#181;&quot;'
    """
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(letter, entity)
    return text.encode("ascii", "xmlcharrefreplace")


def copy_with(source: BinaryIO, target: Path, edits: Sequence[Edit]) -> None:
    """Copy a file with some bytes replaced; all others are the same.

    Parameters
    ----------
    source : binary file
    target : pathlib.Path
    edits : sequence of Edit
        In any order; they do not overlap.
    """
    at = 0
    with target.open("wb") as file:
        for edit in sorted(edits, key=lambda edit: edit.at):
            _copy(source, file, at, edit.at)
            file.write(edit.inserted)
            at = edit.at + edit.removed
        _copy(source, file, at, None)


def _copy(source: BinaryIO, target: BinaryIO, begin: int, end: int | None) -> None:
    source.seek(begin)
    left = -1 if end is None else end - begin
    while left and (part := source.read(CHUNK_BYTES if left < 0 else min(left, CHUNK_BYTES))):
        target.write(part)
        left -= len(part) if left > 0 else 0
