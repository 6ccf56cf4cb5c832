"""Which features a user asks for: a set, names, a file of names, or an IDEAS template (DAF)."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ifcyto.errors import UsageError
from ifcyto.features.combine import CombinedFeature
from ifcyto.features.define import parse_definition
from ifcyto.features.lines import parse_line
from ifcyto.features.names import parse_name
from ifcyto.features.registry import FEATURES
from ifcyto.features.sets import SETS, feature_set, image_names
from ifcyto.masks.channels import ImageNames
from ifcyto.masks.evaluate import MaskBook
from ifcyto.masks.faults import nearest
from ifcyto.masks.grammar import shown
from ifcyto.masks.nuclei import bne_mask
from ifcyto.pipeline.feature_plan import Column, make_plan
from ifcyto.pipeline.study import DNA_ROLES
from ifcyto.readers.daf import DafReader
from ifcyto.readers.daf_document import read_daf

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ifcyto.cells import Channel
    from ifcyto.features.define import FeatureDefinition
    from ifcyto.pipeline.feature_plan import FeaturePlan
    from ifcyto.readers.daf_records import DafDocument

__all__ = ["FeatureChoice", "plan_features"]

FeatureChoice = str | Path | Sequence[str | Column]
"""A set (``basic``, ``ideas``, ``fbml``, ``beyond``), names of columns, a file of names, or a DAF."""

HEAD = 4096
"""Bytes that tell a DAF from a list of names."""
LONGEST_LIST = 4_000_000
"""Bytes; a larger file is no list of names."""


def plan_features(
    channels: Sequence[Channel],
    features: FeatureChoice = "ideas",
    *,
    masks: Mapping[str, str] | None = None,
    images: Mapping[str, str | int] | None = None,
    dna: str | None = None,
    skip_unknown: bool = False,
) -> FeaturePlan:
    """Resolve a choice of features for these channels.

    Parameters
    ----------
    channels : sequence of Channel
    features : str, path or sequence of str or Column
        A set; a DAF (its features, in its order and under its names); a text file
        with one column a line (``#`` begins a comment); or a list of such lines. A line
        is a name (``Area_M01``), a definition (``Area|M01``), or ``NAME = DEFINITION``,
        which puts it under a name of the user's own: ``Nucleus area = Area|Threshold(M05,
        DRAQ5, 50)``. Combined features need a name: ``Density = Intensity_M05_DRAQ5|/|Nucleus
        area``, tokens joined by ``|``. They refer to columns of the list, or to any other
        column by IDEAS' name; that one is computed, but is not in the table.
    masks : mapping of str to str, optional
        Further masks, by name, in either form of IDEAS' grammar.
    images : mapping of str to str or int, optional
        Names of images in the definitions to names or numbers of channels.
    dna : str, optional
        Name of the DNA image, for the nuclear mask of ``fbml``; by default the one
        that is named after a DNA dye.
    skip_unknown : bool
        Leave out features that ifcyto does not have, with a note.

    Raises
    ------
    UsageError
        A feature, a mask or an image is not there (the nearest names are given), or
        there is no feature at all.
    FormatError
        A file cannot be read.
    """
    given = _given(channels, images)
    names = ImageNames(channels, given)
    book = MaskBook(channels, masks or {}, images=given)
    for mask in masks or {}:
        book.check(mask)
    if dna:
        names.place(dna)
    if isinstance(features, str) and features in SETS:
        return _from_set(features, channels, book, names, dna or _dna_image(channels))
    if isinstance(features, (str, Path)) and _is_daf(Path(features)):
        return _from_daf(read_daf(Path(features)), channels, masks, images, skip_unknown=skip_unknown)
    lines = _read_lines(Path(features)) if isinstance(features, (str, Path)) else list(features)
    return _from_lines(lines, book, names)


def _from_set(
    name: str, channels: Sequence[Channel], book: MaskBook, images: ImageNames, dna: str
) -> FeaturePlan:
    """Take the features of a named set."""
    for place, image in enumerate(image_names(channels)):
        if images.place(image) != place:
            msg = (
                f"image {image!r}: expected another name for {channels[images.place(image)].label}: "
                f"the columns of the set {name!r} go by this name of {channels[place].label}"
            )
            raise UsageError(msg)
    nuclei = shown(bne_mask("MC", dna)) if dna else ""
    named = [channel for channel in channels if channel.role] or channels
    columns = feature_set(name, named, nuclear_mask=nuclei, dna=dna)
    lacks = name == "fbml" and not dna
    notes = ["the DNA image is not known (--dna): there are no features of the nuclear mask"] if lacks else []
    return make_plan(columns, book, images, notes)


def _from_lines(lines: Sequence[str | Column], book: MaskBook, images: ImageNames) -> FeaturePlan:
    """Take the features of a list, and what its combined features need besides."""
    read = partial(parse_line, images=list(images), check_mask=book.check)
    columns = [read(line) if isinstance(line, str) else line for line in lines]
    names = {column.name for column in columns}
    inputs: dict[str, FeatureDefinition] = {}
    for column in columns:
        if isinstance(column, CombinedFeature):
            for name in column.columns:
                if name not in names and name not in inputs:
                    inputs[name] = _input_of(column, name, names, book, images)
    return make_plan(columns, book, images, inputs=list(inputs.values()))


def _input_of(
    column: CombinedFeature, name: str, names: Collection[str], book: MaskBook, images: ImageNames
) -> FeatureDefinition:
    """Feature of IDEAS' name that a combined one needs and the list does not hold."""
    try:
        return parse_name(name, images=list(images), check_mask=book.check)
    except UsageError as error:
        near = nearest(name, names)
        reason = f"no column {name!r}{near}" if near else str(error)
        msg = f"combined feature {column.name!r}: {reason}"
        raise UsageError(msg) from None


def _dna_image(channels: Sequence[Channel]) -> str:
    """Name of the one image that is named after a DNA dye, or nothing."""
    known = {role.casefold() for role in DNA_ROLES}
    found = [name for name in image_names(channels) if name.casefold() in known]
    return found[0] if len(found) == 1 else ""


def _is_daf(path: Path) -> bool:
    """Look at the content, not at the name."""
    if not path.is_file():
        return False  # reading its lines says so; a pipe would wait for a writer
    try:
        with path.open("rb") as file:
            return DafReader.sniff(path, file.read(HEAD))
    except OSError:
        return False  # as above


def _read_lines(path: Path) -> list[str]:
    if not path.is_file():
        near = get_close_matches(str(path), SETS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        found = "what is no file" if path.exists() else "no such file"
        msg = (
            f"{path}: expected a feature set ({', '.join(SETS)}), a DAF or a file of names, "
            f"found {found}{hint}"
        )
        raise UsageError(msg)
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8-sig") if size <= LONGEST_LIST else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "expected text in UTF-8, found other bytes"
        msg = f"{path}: cannot be read as a list of features: {reason}"
        raise UsageError(msg) from error
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    if not lines:
        found = f"a file of {size} bytes" if size > LONGEST_LIST else "none"
        msg = f"{path}: expected a list of features, one a line, found {found}"
        raise UsageError(msg)
    return lines


def _given(channels: Sequence[Channel], images: Mapping[str, str | int] | None) -> dict[str, int]:
    """Place of the name under which each channel's columns go, and of each name that the user maps."""
    own = ImageNames(channels)
    numbers = {channel.number: i for i, channel in enumerate(channels)}
    given = {name: i for i, name in enumerate(image_names(channels))}
    for name, wanted in (images or {}).items():
        if isinstance(wanted, int) and wanted not in numbers:
            there = ", ".join(channel.label for channel in channels)
            msg = f"image {name!r}: expected one of the channels {there}, found number {wanted}"
            raise UsageError(msg)
        given[name] = numbers[wanted] if isinstance(wanted, int) else own.place(wanted)
    return given


def _from_daf(
    document: DafDocument,
    channels: Sequence[Channel],
    masks: Mapping[str, str] | None,
    images: Mapping[str, str | int] | None,
    *,
    skip_unknown: bool,
) -> FeaturePlan:
    """Take the features, masks and images that a DAF defines."""
    mapped: dict[str, str | int] = {**_daf_images(document, channels), **(images or {})}
    definitions = {mask.name: mask.definition for mask in document.masks} | dict(masks or {})
    given = _given(channels, mapped)
    names = ImageNames(channels, given)
    book = MaskBook(channels, definitions, images=given)
    columns: list[Column] = []
    unknown = []
    for feature in document.features:
        if feature.type != "single":
            columns.append(CombinedFeature(feature.name, feature.definition))
        elif feature.tokens[0] in FEATURES:
            columns.append(parse_definition(feature.definition, column=feature.name))
        else:
            unknown.append(feature.name)
    if unknown and not skip_unknown:
        msg = (
            f"{document.path}: {len(unknown)} of {len(document.features)} features are not in ifcyto: "
            f"{', '.join(unknown[:5])}{' ...' if len(unknown) > 5 else ''}; "
            "leave them out with --skip-unknown"
        )
        raise UsageError(msg)
    notes = [f"left out, not in ifcyto: {', '.join(unknown)}"] if unknown else []
    if skip_unknown:
        columns, lost = _without_orphans(columns)
        notes += [f"left out, computed from what is left out: {', '.join(lost)}"] if lost else []
    if not columns:
        msg = f"{document.path}: expected features that ifcyto has, found none"
        raise UsageError(msg)
    return make_plan(columns, book, names, notes)


def _daf_images(document: DafDocument, channels: Sequence[Channel]) -> dict[str, str | int]:
    """Channel of each image of a DAF: of the same name, else of the same number."""
    names = set(image_names(channels))
    numbers = {channel.number for channel in channels}
    found: dict[str, str | int] = {}
    for image in document.images:
        number = image.physical_channel + 1
        if image.base_image or image.name in names:
            continue
        if number in numbers:
            found[image.name] = number
    return found


def _without_orphans(columns: list[Column]) -> tuple[list[Column], list[str]]:
    """Drop combined columns that need a column that is not there, again and again."""
    lost: list[str] = []
    while True:
        names = {column.name for column in columns}
        orphans = [
            column.name
            for column in columns
            if isinstance(column, CombinedFeature) and not names.issuperset(column.columns)
        ]
        if not orphans:
            return columns, lost
        lost += orphans
        columns = [column for column in columns if column.name not in orphans]
