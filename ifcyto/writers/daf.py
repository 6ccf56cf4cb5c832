"""Write a copy of an IDEAS analysis file (DAF) with features and tagged populations added.

The original is never touched. In the copy, every byte that was there before is there
still, in its order; only the number of features in the binary block of IDEAS 6.2 is
another. What is added stands at the end of ``DefinedFeatures``, of the values and of
``Pops`` (``formats``, "DAF"; ``gating.md``, "Population types").

Whether IDEAS opens the copy is not known: no IDEAS was at hand. A DAF holds a checksum
beside the name of its CIF. How it is made is not known (see `ifcyto.readers.daf`); it is
copied as it is, and two real files that differ in all else hold the same one.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ifcyto._output import refuse_existing, replacing
from ifcyto.errors import FormatError, UsageError
from ifcyto.readers.daf_binary import BLOCK_MARK
from ifcyto.readers.daf_document import read_daf
from ifcyto.writers.daf_places import Edit, add_elements, copy_with, escaped, find_places, redactions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.readers.daf_records import DafDocument
    from ifcyto.writers.daf_places import DafPlaces

__all__ = ["AddedFeature", "DafCopy", "write_daf_copy"]

ILLEGAL = re.compile("[\x00-\x1f\x7f\ufffe\uffff|]|[\ud800-\udfff]")
"""What a name may not hold: XML has no place for it, or it separates tokens."""
COLOURS = (
    ("Lime", "Green"), ("Red", "Red"), ("CornflowerBlue", "CornflowerBlue"), ("Gold", "Gold"),
    ("Magenta", "Magenta"), ("Cyan", "Teal"), ("DarkOrange", "DarkOrange"), ("Plum", "DarkOrchid"),
)  # fmt: skip
"""Of populations, on a dark and on a light ground; all of them occur in real files."""
HEADER = struct.Struct("<3I")
NOT_THE_SAME = "the copy does not say what its original says, and was not kept: please report it"


@dataclass(frozen=True, slots=True, eq=False)
class AddedFeature:
    """A feature to add.

    Parameters
    ----------
    name : str
    values : ndarray (n,) of float64
        One an object, NaN where not known.
    definition : str
        In IDEAS' stored form; the name when IDEAS has no such feature.
    user_type : str
        What it takes, in IDEAS' words.
    """

    name: str
    values: NDArray[np.float64]
    definition: str = ""
    user_type: str = "No Parameters"


@dataclass(frozen=True, slots=True)
class DafCopy:
    """What a copy holds that its original does not."""

    path: Path
    features: tuple[str, ...]
    populations: tuple[str, ...]
    redacted: int = 0


def write_daf_copy(
    original: Path | str,
    path: Path | str,
    *,
    objects: NDArray[np.int64] | None = None,
    features: Sequence[AddedFeature] = (),
    tagged: Mapping[str, Sequence[int]] | None = None,
    redact: Callable[[str, str], str] | None = None,
    overwrite: bool = False,
) -> DafCopy:
    """Write the copy; it is read back and compared before it gets its name.

    Parameters
    ----------
    original : path-like
        A DAF, of IDEAS 6.0 (values in XML) or 6.2 (values in a binary block).
    path : path-like
        The copy.
    objects : ndarray (n,) of int64, optional
        Object numbers of the features' values; those of the DAF in its order by default.
        Objects of the DAF that are not among them get NaN.
    features : sequence of AddedFeature
    tagged : mapping of str to sequence of int, optional
        Population to object numbers.
    redact : callable, optional
        ``redact(name, text)`` gives what may stay of an attribute or a text; for names
        of persons and folders. Everything stays by default.
    overwrite : bool
        Replace an existing copy; never the original.

    Returns
    -------
    DafCopy

    Raises
    ------
    FormatError
        The original is damaged or has no place for what is added.
    UsageError
        The copy is the original, nothing is added, a name is taken or not allowed, or
        objects are not in the DAF.
    OutputError
        The copy exists and `overwrite` is False, or cannot be written.
    """
    original, path = Path(original), Path(path)
    if path.resolve() == original.resolve() or (path.exists() and path.samefile(original)):
        msg = f"{path}: expected another name than that of the original, which is never changed"
        raise UsageError(msg)
    refuse_existing(path, overwrite=overwrite)
    document = read_daf(original)
    sets = {name: sorted({int(number) for number in numbers}) for name, numbers in (tagged or {}).items()}
    _check(original, document, features, sets)
    columns = _aligned(original, document, features, objects)
    with original.open("rb") as file:
        places = find_places(file)
        edits = _feature_edits(original, file, places, document, features, columns)
        if sets:
            base = next((pop.name for pop in document.populations if pop.type == "B"), "All")
            edits.append(_add(original, file, places, "populations", _populations(sets, base)))
        hidden = [] if redact is None else redactions(file, places, redact)
        with replacing(path, overwrite=overwrite) as temporary:
            copy_with(file, temporary, [*edits, *hidden])
            after = read_daf(temporary)
            _compare(document, after, features, columns, sets, path)
            if not hidden:
                _compare_definitions(document, after, path)
    return DafCopy(path, tuple(feature.name for feature in features), tuple(sets), len(hidden))


def _check(
    path: Path, document: DafDocument, features: Sequence[AddedFeature], tagged: Mapping[str, Sequence[int]]
) -> None:
    """Refuse names that are taken or not allowed, and objects that are not there."""
    if not features and not tagged:
        msg = f"{path}: expected features or populations to add, found neither"
        raise UsageError(msg)
    for what, names, known in (
        ("feature", [feature.name for feature in features], {feature.name for feature in document.features}),
        ("population", list(tagged), {population.name for population in document.populations}),
    ):
        for name in names:
            if not name.strip() or ILLEGAL.search(name):
                msg = f"{path}: expected a {what} whose name has no | or control letter, found {name[:60]!a}"
                raise UsageError(msg)
            if name in known or names.count(name) > 1:
                msg = f"{path}: a {what} {name!r} is there already: what was there is never replaced"
                raise UsageError(msg)
    there = set(document.objects.object_numbers.tolist())
    for name, numbers in tagged.items():
        strange = [number for number in numbers if number not in there]
        if strange:
            msg = (
                f"{path}: population {name!r}: {len(strange)} of {len(numbers)} objects are not in the DAF: "
                f"{strange[0]}"
            )
            raise UsageError(msg)


def _aligned(
    path: Path,
    document: DafDocument,
    features: Sequence[AddedFeature],
    objects: NDArray[np.int64] | None,
) -> list[NDArray[np.float64]]:
    """Values of each feature in the order of the DAF; joined by object number."""
    numbers = document.objects.object_numbers
    given = numbers if objects is None else np.asarray(objects, np.int64)
    row = {number: place for place, number in enumerate(numbers.tolist())}
    strange = [number for number in given.tolist() if number not in row]
    if strange or len(set(given.tolist())) < len(given):
        what = f"{len(strange)} objects are not in the DAF: {strange[0]}" if strange else "objects repeat"
        msg = f"{path}: expected values of the {len(numbers)} objects of the DAF; {what}"
        raise UsageError(msg)
    places = np.array([row[number] for number in given.tolist()], np.int64)
    columns = []
    for feature in features:
        if feature.values.shape != given.shape:
            msg = f"feature {feature.name!r}: expected {len(given)} values, found {feature.values.shape}"
            raise UsageError(msg)
        column = np.full(len(numbers), np.nan)
        column[places] = np.where(np.isfinite(feature.values), feature.values, np.nan)
        columns.append(column)
    return columns


def _feature_edits(
    path: Path,
    file: BinaryIO,
    places: DafPlaces,
    document: DafDocument,
    features: Sequence[AddedFeature],
    columns: Sequence[NDArray[np.float64]],
) -> list[Edit]:
    if not features:
        return []
    first = len(document.features)
    elements = [
        b'<UDF name="%b" type="single" userfeaturetype="%b" def="%b" />'
        % (escaped(feature.name), escaped(feature.user_type), escaped(feature.definition or feature.name))
        for feature in features
    ]
    edits = [_add(path, file, places, "features", elements)]
    if not document.binary:
        values = [
            b'<UDFValues fid="%d" fv="%b" />' % (first + i, b"|".join(map(_number, column.tolist())))
            for i, column in enumerate(columns)
        ]
        return [*edits, _add(path, file, places, "values", values)]
    start = places.end + len(BLOCK_MARK)
    file.seek(start)
    version, n_features, n_objects = HEADER.unpack(file.read(HEADER.size))
    last = start + HEADER.size + n_features * (4 + 8 * n_objects)
    blocks = b"".join(
        struct.pack("<I", first + i) + column.astype("<f8").tobytes() for i, column in enumerate(columns)
    )
    counts = HEADER.pack(version, n_features + len(columns), n_objects)
    return [*edits, Edit(start, HEADER.size, counts), Edit(last, 0, blocks)]


def _add(path: Path, file: BinaryIO, places: DafPlaces, kind: str, elements: Sequence[bytes]) -> Edit:
    if kind not in places.containers:
        raise FormatError(path, f"expected a place for {kind}, found no such element: nothing can be added")
    return add_elements(file, places.containers[kind], elements)


def _populations(tagged: Mapping[str, Sequence[int]], base: str) -> list[bytes]:
    elements = []
    for i, (name, numbers) in enumerate(tagged.items()):
        dark, light = COLOURS[i % len(COLOURS)]
        start = b'<Pop name="%b" type="T" base="%b" color="%b" lightModeColor="%b" style="Simple Dot">' % (
            escaped(name), escaped(base), dark.encode(), light.encode(),
        )  # fmt: skip
        elements.append(start + b"".join(b'<ob O="%d" />' % number for number in numbers) + b"</Pop>")
    return elements


def _number(value: float) -> bytes:
    return b"NaN" if value != value else repr(value).removesuffix(".0").encode()


def _compare(
    before: DafDocument,
    after: DafDocument,
    features: Sequence[AddedFeature],
    columns: Sequence[NDArray[np.float64]],
    tagged: Mapping[str, Sequence[int]],
    path: Path,
) -> None:
    """Make sure that the copy says what the original says, and what was added."""
    n, known = len(before.feature_names), len(before.populations)
    values = np.column_stack([before.feature_values, *columns]) if columns else before.feature_values
    same = (
        after.feature_names[:n] == before.feature_names
        and after.feature_names[n:] == tuple(feature.name for feature in features)
        and np.array_equal(after.feature_values, values, equal_nan=True)
        and np.array_equal(after.objects.object_numbers, before.objects.object_numbers)
        and np.array_equal(after.objects.image_offsets, before.objects.image_offsets)
        and {pop.name: list(pop.tagged) for pop in after.populations[known:]} == dict(tagged)
    )
    if not same:
        raise FormatError(path, NOT_THE_SAME)


def _compare_definitions(before: DafDocument, after: DafDocument, path: Path) -> None:
    """Make sure that all that was defined is defined as before."""
    n, known = len(before.features), len(before.populations)
    same = after.features[:n] == before.features and after.populations[:known] == before.populations
    rest = ("images", "masks", "regions", "statistics", "source_file", "checksum")
    if not same or any(repr(getattr(after, name)) != repr(getattr(before, name)) for name in rest):
        raise FormatError(path, NOT_THE_SAME)
