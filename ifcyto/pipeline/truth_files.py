"""Truth for training, from the files in which people keep it: labels, populations, analyses, studies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ifcyto.errors import GateError, UsageError
from ifcyto.gates.daf import read_daf_gating
from ifcyto.pipeline.gate import is_daf
from ifcyto.pipeline.labels import read_labels, read_truth
from ifcyto.pipeline.objects import read_objects
from ifcyto.pipeline.study import load_study

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["TruthFiles", "from_files", "from_study"]


@dataclass(frozen=True, slots=True)
class TruthFiles:
    """Samples and the labels of some of their objects.

    Parameters
    ----------
    samples : dict of str to pathlib.Path
    labels : dict of (sample, object) to str
    roles : dict of str to (str or int)
        Role to the channel, where a study says it.
    dna : str or None
        Role of the DNA channel, where a study says it.
    pixel_size_um : float or None
        Where a study says it.
    seed : int
    """

    samples: dict[str, Path]
    labels: dict[tuple[str, int], str]
    roles: dict[str, str | int]
    dna: str | None = None
    pixel_size_um: float | None = None
    seed: int = 0


def from_study(path: Path | str) -> TruthFiles:
    """Take the samples and the table of truth of a study; any labels are classes.

    Raises
    ------
    StudyError
        The study or its table is wrong.
    UsageError
        The study names no table of truth.
    """
    study = load_study(path)
    if study.labels is None:
        msg = f"{path}: expected a table of truth (labels = ... under [study]), found none"
        raise UsageError(msg)
    samples = {sample.id: sample.file for sample in study.samples}
    labels = read_truth(study.labels, samples=samples, known=None)
    return TruthFiles(
        samples,
        labels,
        dict(study.settings.channels),
        study.dna_role,
        study.settings.candidates.pixel_size_um,
        study.settings.study.seed,
    )


def from_files(
    source: Path | str,
    *,
    labels: Path | str | None = None,
    populations: Mapping[str, Path | str] | None = None,
    tagged: Sequence[str] = (),
) -> TruthFiles:
    """Take one input and the files that say what some of its objects are.

    Parameters
    ----------
    source : path-like
        A stack, any readable input, or a feature table.
    labels : path-like, optional
        A table ``object,label``.
    populations : mapping of str to path-like, optional
        Class to its ``.pop`` or CSV file of object numbers.
    tagged : sequence of str
        Classes that are populations of `source`, a DAF: tagged by hand, or drawn or combined
        and found by the features that it stores.

    Raises
    ------
    UsageError
        Nothing says what objects are, an object is in two classes, or the DAF has
        no such population or no object in it.
    StudyError, FormatError
        A file cannot be read.
    """
    path = Path(source)
    found: dict[int, str] = {}
    if labels is not None:
        found |= read_labels(Path(labels), known=None)
    for name, file in (populations or {}).items():
        _add(found, name, read_objects(file).tolist(), str(file))
    for name, numbers in _members(path, tagged).items():
        _add(found, name, numbers, str(path))
    if not found:
        msg = f"{path}: expected labels or populations that say what its objects are, found none"
        raise UsageError(msg)
    return TruthFiles({path.stem: path}, {(path.stem, number): name for number, name in found.items()}, {})


def _add(found: dict[int, str], name: str, numbers: Sequence[int], place: str) -> None:
    twice = sorted(number for number in set(numbers) if found.get(number, name) != name)
    if twice:
        shown = ", ".join(f"{number} ({found[number]})" for number in twice[:3])
        msg = f"{place}: {len(twice)} objects of {name!r} are in another class too: {shown}"
        raise UsageError(msg)
    found |= dict.fromkeys(numbers, name)


def _members(path: Path, names: Sequence[str]) -> dict[str, list[int]]:
    """Object numbers of populations of a DAF: tagged by hand, drawn or combined."""
    if not names:
        return {}
    if path.exists() and not is_daf(path):
        msg = f"{path}: expected a DAF for the population {names[0]!r}, found another file"
        raise UsageError(msg)
    gating = read_daf_gating(path)
    try:
        found = gating.populations(names)
    except GateError as error:
        msg = f"{path}: {error}"
        raise UsageError(msg) from error
    members = {name: found.object_numbers(name).tolist() for name in names}
    empty = [name for name, numbers in members.items() if not numbers]
    if empty:
        msg = f"{path}: expected objects in the population {empty[0]!r}, found none"
        raise UsageError(msg)
    return members
