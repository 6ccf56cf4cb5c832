"""What is known of every object of a sample once its spots are counted: the study's unit of counting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import StudyError
from ifcyto.pipeline.labels import read_labels, read_stages

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.pipeline.study import Sample

__all__ = ["ALL", "POSITIVE", "Judged", "judge"]

ALL = "All"
"""Stage of every object of a sample without a table of stages."""

POSITIVE = "BNE"
"""The class that is counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One sample with the verdicts on its objects.

    Parameters
    ----------
    sample : Sample
    objects : ndarray (N,) of int64
        Object numbers, in file order.
    spot_count : ndarray (N,) of int64
    candidate : ndarray (N,) of bool
        Whose Spot Count is that of a candidate.
    stages : ndarray (N,) of str
        Stage, empty where the object belongs to none.
    manual : ndarray (N,) of str, or None
        The observer's label, empty where untagged; None when nobody looked.
    truth : ndarray (N,) of str, or None
        Label in the table of truth; None when it has none for this sample.
    fbml : ndarray (N,) of str, or None
        Class by the feature-based classifier, empty where it did not judge (no
        candidate); None when it did not run.
    fbml_score : ndarray (N,) of float64, or None
        Its value for a BNE against the likeliest other class; NaN where it did not judge.
    notes : tuple of str
        What a reader of the results must know.
    cnn : ndarray (N,) of str, or None
        Class by the network, as `fbml`.
    cnn_probability : ndarray (N,) of float64, or None
        Probability of a BNE by the network; NaN where it did not judge.
    """

    sample: Sample
    objects: NDArray[np.int64]
    spot_count: NDArray[np.int64]
    candidate: NDArray[np.bool_]
    stages: NDArray[np.str_]
    manual: NDArray[np.str_] | None = None
    truth: NDArray[np.str_] | None = None
    fbml: NDArray[np.str_] | None = None
    fbml_score: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()
    cnn: NDArray[np.str_] | None = None
    cnn_probability: NDArray[np.float64] | None = None

    def positive(self, method: str) -> NDArray[np.bool_] | None:
        """Objects that `method` calls a BNE; None when it did not judge this sample."""
        if method == "spot":
            return self.candidate
        if method == "manual" and self.manual is not None:
            tagged: NDArray[np.bool_] = self.manual == POSITIVE
            return tagged
        if method == "fbml" and self.fbml is not None:
            called: NDArray[np.bool_] = self.fbml == POSITIVE
            return called
        if method == "cnn" and self.cnn is not None:
            seen: NDArray[np.bool_] = self.cnn == POSITIVE
            return seen
        return None

    def in_stage(self, stage: str) -> NDArray[np.bool_]:
        """Objects of the stage."""
        found: NDArray[np.bool_] = self.stages == stage
        return found


def judge(
    sample: Sample,
    objects: NDArray[np.int64],
    spot_count: NDArray[np.int64],
    *,
    spots: int,
    truth: Mapping[tuple[str, int], str] | None = None,
    fbml: Mapping[int, tuple[str, float]] | None = None,
    cnn: Mapping[int, tuple[str, float]] | None = None,
    gated: Path | None = None,
    expected: Sequence[str] = (),
) -> Judged:
    """Bring together the spots, the stages and the tags of one sample, by object number.

    Parameters
    ----------
    sample : Sample
        Its tables are read here.
    objects, spot_count : ndarray (N,)
        Object numbers and their Spot Counts.
    spots : int
        Spot Count of a candidate.
    truth : mapping of (sample, object) to label, optional
    fbml : mapping of object to (class, value), optional
        What the feature-based classifier says of the objects that it judged.
    cnn : mapping of object to (class, probability of a BNE), optional
        What the network says of the objects that it judged.
    gated : pathlib.Path, optional
        Table of the stages that the sample's gates make.
    expected : sequence of str
        Names of these stages: one without an object is worth a note.

    Raises
    ------
    StudyError
        A table is wrong, or none of its objects is in the sample.
    """
    notes: list[str] = []
    stages = np.full(len(objects), ALL)
    source = gated or sample.stages
    if source is not None:
        name = (sample.gating or source).name
        table = read_stages(source)
        _compare_numbers(sample, name, table, objects, notes)
        empty = sorted(set(expected) - set(table.values())) if gated else []
        notes += [f"sample {sample.id}: the population {stage!r} of {name} is EMPTY" for stage in empty]
        stages = _aligned(objects, table)
        outside = int(np.count_nonzero(stages == ""))
        if outside:
            notes.append(
                f"sample {sample.id}: {outside} of {len(objects)} objects belong to no stage "
                f"({name}) and are not counted"
            )
    manual = None
    if sample.manual is not None:
        tags = read_labels(sample.manual)
        _compare_numbers(sample, sample.manual.name, tags, objects, notes)
        manual = _aligned(objects, tags)
    known = {number: label for (name, number), label in (truth or {}).items() if name == sample.id}
    _compare_numbers(sample, "the table of truth", known, objects, notes)
    labels = _aligned(objects, known) if known else None
    classes, scores = _verdicts(objects, fbml)
    seen, shares = _verdicts(objects, cnn)
    return Judged(
        sample,
        objects,
        spot_count,
        spot_count == spots,
        stages,
        manual,
        labels,
        classes,
        scores,
        tuple(notes),
        seen,
        shares,
    )


def _verdicts(
    objects: NDArray[np.int64], found: Mapping[int, tuple[str, float]] | None
) -> tuple[NDArray[np.str_] | None, NDArray[np.float64] | None]:
    """Class and number that a method gave every object, empty and NaN where it gave none."""
    if found is None:
        return None, None
    numbers = [found.get(number, ("", float("nan")))[1] for number in objects.tolist()]
    labels = _aligned(objects, {number: label for number, (label, _) in found.items()})
    return labels, np.array(numbers, np.float64)


def _aligned(objects: NDArray[np.int64], table: Mapping[int, str]) -> NDArray[np.str_]:
    """Value of every object, empty where the table has none: joined by number, never by row."""
    return np.array([table.get(number, "") for number in objects.tolist()], dtype=np.str_)


def _compare_numbers(
    sample: Sample, name: str, numbers: Collection[int], objects: NDArray[np.int64], notes: list[str]
) -> None:
    missing = sorted(set(numbers) - set(objects.tolist()))
    if not missing:
        return
    first = ", ".join(map(str, missing[:3])) + (" ..." if len(missing) > 3 else "")
    if len(missing) == len(numbers):
        msg = (
            f"sample {sample.id}: none of the {len(numbers)} objects of {name} ({first}) is in "
            f"{sample.file.name}; check that the two belong together"
        )
        raise StudyError(msg)
    notes.append(
        f"sample {sample.id}: {len(missing)} objects of {name} are not in {sample.file.name}: {first}"
    )
