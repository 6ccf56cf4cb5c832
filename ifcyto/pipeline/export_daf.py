"""Features, classes and populations back into a copy of an IDEAS analysis."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError
from ifcyto.features.registry import feature_spec
from ifcyto.features.spec import Confidence
from ifcyto.features.table import read_table
from ifcyto.pipeline.export import ExportResult
from ifcyto.pipeline.feature_files import read_features, tagged, with_labels
from ifcyto.pipeline.personal import text_without_personal
from ifcyto.pipeline.sources import is_stack, refuse_input_as_output
from ifcyto.readers.daf_document import read_daf
from ifcyto.writers.daf import AddedFeature, write_daf_copy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.readers.columns import FeatureColumns
    from ifcyto.readers.daf_records import DafDocument

__all__ = ["CAUTION", "CLASS_NUMBER", "CLASS_PROBABILITY", "export_daf"]

CLASS_NUMBER = "Class Number"
CLASS_PROBABILITY = "Class Probability"
CAUTION = (
    "the rule of the checksum in a DAF is not known: it was copied as it is; "
    "the copy was read back by ifcyto, it was not tried in IDEAS"
)
OWN_MASK = re.compile(r"M\d\d")
COMBINED = "Combined"


def export_daf(
    original: Path | str,
    output: Path | str,
    *,
    features: Path | str | None = None,
    labels: Path | str | None = None,
    populations: Mapping[str, Sequence[int]] | None = None,
    prefix: str = "",
    keep_personal: bool = False,
    overwrite: bool = False,
) -> ExportResult:
    """Write a copy of a DAF with our features, classes and tagged populations added.

    Parameters
    ----------
    original : path-like
        The DAF; it is never changed.
    output : path-like
        The copy; see :func:`ifcyto.writers.daf.write_daf_copy`.
    features : path-like, optional
        Features to add; see :func:`ifcyto.pipeline.feature_files.read_features`. Those
        that the DAF has already are left as they are.
    labels : path-like, optional
        CSV file ``object,label[,probability]``; by default the classes in `features`. Every
        class becomes a tagged population and a number in the feature ``Class Number``.
    populations : mapping of str to sequence of int, optional
        Further populations, by name, with their object numbers.
    prefix : str
        Goes before the names of all populations and of the two features of classes.
    keep_personal : bool
        Keep names of persons and folders that the DAF holds.
    overwrite : bool
        Replace an existing copy.

    Returns
    -------
    ExportResult
        A note says what is not known of the checksum.

    Raises
    ------
    FormatError, StudyError
        An input is damaged.
    UsageError
        There is nothing to add, a population is there already, objects are not in the
        DAF, or the copy is an input.
    OutputError
        The output exists and `overwrite` is False, or cannot be written.
    """
    original, output = Path(original), Path(output)
    sources = [Path(path) for path in (original, features, labels) if path is not None]
    refuse_input_as_output(sources, output)
    document = read_daf(original)
    table = _classes_of(document, features, labels)
    notes = [*(table.notes if table is not None else ())]
    sets = {f"{prefix}{name}": list(numbers) for name, numbers in (populations or {}).items()}
    added: list[AddedFeature] = []
    if table is not None:
        for name, numbers in tagged(table).items():
            if f"{prefix}{name}" in sets:
                msg = f"{output}: expected each population once, found {name!r} as a class and as a list"
                raise UsageError(msg)
            sets[f"{prefix}{name}"] = numbers
        added = [*_measured(document, table, features, notes), *_class_features(table, prefix, notes)]
        absent = len(document.objects) - len(table)
        if added and absent > 0:
            notes.append(f"{absent:,} objects of the DAF have no values: their features are NaN")
    taken = [name for name in sets if name in {population.name for population in document.populations}]
    if taken:
        msg = f"{original}: population {taken[0]!r} is there already; give a prefix for ours (--prefix)"
        raise UsageError(msg)
    copy = write_daf_copy(
        original,
        output,
        objects=None if table is None else table.objects,
        features=added,
        tagged=sets,
        redact=None if keep_personal else text_without_personal,
        overwrite=overwrite,
    )
    if copy.redacted:
        notes.append(
            f"{copy.redacted} names of persons or folders were taken out (--keep-personal keeps them)"
        )
    notes.append(f"added {len(copy.features):,} features and {len(copy.populations):,} tagged populations")
    return ExportResult(output, len(document.objects), (*notes, CAUTION))


def _classes_of(
    document: DafDocument, features: Path | str | None, labels: Path | str | None
) -> FeatureColumns | None:
    """Features with classes; of labels alone, classes without features."""
    if features is None and labels is None:
        return None
    table = read_features(document.path if features is None else features)
    return table if labels is None else with_labels(table, labels)


def _class_features(table: FeatureColumns, prefix: str, notes: list[str]) -> list[AddedFeature]:
    if not any(table.labels):
        return []
    code = {"": 0, **{name: i for i, name in enumerate(tagged(table), start=1)}}
    numbers = np.array([code[label] for label in table.labels], np.float64)
    legend = ", ".join(f"{i} {name}" for name, i in code.items() if i)
    notes.append(f"{prefix}{CLASS_NUMBER}: {legend}; 0 not judged")
    added = [AddedFeature(f"{prefix}{CLASS_NUMBER}", numbers)]
    if table.probabilities is not None:
        added.append(AddedFeature(f"{prefix}{CLASS_PROBABILITY}", table.probabilities))
    return added


def _measured(
    document: DafDocument, table: FeatureColumns, path: Path | str | None, notes: list[str]
) -> list[AddedFeature]:
    """Features of a table that the DAF does not have."""
    if path is None:
        return []
    known = {feature.name for feature in document.features}
    there = [name for name in table.names if name in known]
    if there:
        notes.append(f"{len(there):,} features are in the DAF already: its own values stay")
    stored = _stored(document, Path(path))
    return [
        AddedFeature(name, table.values[:, i], *stored.get(name, ()))
        for i, name in enumerate(table.names)
        if name not in known
    ]


def _stored(document: DafDocument, path: Path) -> dict[str, tuple[str, str]]:
    """Definition and type of the features that IDEAS has too, of masks and images that the DAF has."""
    if not is_stack(path):
        return {}
    masks = {mask.name for mask in document.masks}
    images = {image.name for image in document.images}
    found = {}
    for name, row in read_table(path).var.astype(str).iterrows():
        if row["feature"] == COMBINED or row["confidence"] in {str(Confidence.OWN), "not known"}:
            continue
        known_masks = all(m in masks or OWN_MASK.fullmatch(m) for m in row["mask"].split("|") if m)
        if known_masks and all(image in images for image in row["image"].split("|") if image):
            found[str(name)] = (row["definition"], str(feature_spec(row["feature"]).takes))
    return found
