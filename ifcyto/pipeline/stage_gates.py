"""Stages of a sample from gates: those of an analysis by its stored features, or a gates file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import GateError, StudyError, UsageError
from ifcyto.gates.daf import read_daf_gating
from ifcyto.gates.members import OBJECT_NUMBER, populate
from ifcyto.gates.portable import definitions
from ifcyto.pipeline.feature_choice import plan_features
from ifcyto.pipeline.gate import load_gates
from ifcyto.pipeline.measure import measure
from ifcyto.pipeline.measure_job import MeasureOptions, with_roles
from ifcyto.pipeline.tables import csv_text, write_text
from ifcyto.stack.cell_stack import CellStack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.gates.members import Populations
    from ifcyto.gates.tree import GateSet
    from ifcyto.pipeline.acquire import Input
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.study import Sample, Study

__all__ = ["DEFAULT_STAGES", "check_stage_gates", "stage_names", "write_stages"]

DEFAULT_STAGES = ("ProE", "BasoE", "PolyOrthoE")
"""Populations that are stages unless ``[compare]`` names others."""


def stage_names(study: Study) -> tuple[str, ...]:
    """Populations that are the stages of a study."""
    return tuple(dict.fromkeys(study.settings.compare.stages or DEFAULT_STAGES))


def check_stage_gates(study: Study, sample: Sample, found: Input) -> None:
    """Make sure, before any image is read, that the stages of a sample can be found.

    Raises
    ------
    StudyError
        A population is not there (the nearest names are given), or a feature of a gate
        cannot be computed of the sample's file.
    FormatError
        The file of gates is damaged or wrong.
    """
    names = stage_names(study)
    try:
        if sample.daf is not None:
            read_daf_gating(sample.daf).populations(names)
        elif sample.gates is not None:
            gates = load_gates(sample.gates)
            lines, masks = _lines(gates, names)
            if lines:
                channels = with_roles(found.book.channels, study.settings.channels)
                plan_features(channels, lines, masks=masks)
    except (GateError, UsageError) as error:
        raise _fault(study, sample, error) from error


def write_stages(
    study: Study, sample: Sample, found: Input, stack: Path, target: Path, *, workers: int, progress: Progress
) -> Path:
    """Find the stage of every object of a stack and write ``object,population``.

    Only the features that the gates need are measured. Objects of no stage have no row.

    Raises
    ------
    StudyError
        As :func:`check_stage_gates`; or the DAF holds other objects than the sample, or
        an object is in two stages.
    """
    names = stage_names(study)
    with CellStack.open(stack) as cells:
        objects = np.array(cells.object_numbers, np.int64)
    try:
        if sample.daf is not None:
            populations = read_daf_gating(sample.daf).populations(names)
            _check_objects(sample, sample.daf, objects, populations.objects, whole=not found.is_stack)
        else:
            gates = load_gates(sample.gates) if sample.gates is not None else None
            if gates is None:
                msg = f"sample {sample.id}: expected gates, found none"
                raise StudyError(msg)
            lines, masks = _lines(gates, names)
            columns = {}
            if lines:
                options = MeasureOptions(
                    masks=masks,
                    roles=study.settings.channels,
                    dna=study.dna_role,
                    pixel_size_um=found.pixel_size_um,
                )
                table = measure(stack, lines, options=options, workers=workers, progress=progress)
                columns = dict(zip(table.var_names.tolist(), np.asarray(table.X).T, strict=True))
            populations = populate(gates, columns, objects, only=names)
    except (GateError, UsageError) as error:
        raise _fault(study, sample, error) from error
    stages = _one_stage(sample, populations, names)
    rows = [(str(number), stages[number]) for number in objects.tolist() if number in stages]
    return write_text(target, csv_text(("object", "population"), rows))


def _lines(gates: GateSet, names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Features to measure for these populations, as lines of a list, and masks that must be defined."""
    columns = [name for name in gates.columns(names) if name != OBJECT_NUMBER]
    features, masks = definitions(gates, columns)
    listed = dict.fromkeys([*columns, *features])
    return [f"{name} = {features[name]}" if name in features else name for name in listed], masks


def _check_objects(
    sample: Sample, daf: Path, objects: NDArray[np.int64], known: NDArray[np.int64], *, whole: bool
) -> None:
    """Refuse a DAF of other objects; a stack may be a selection of its objects."""
    strange = objects[~np.isin(objects, known)]
    if len(strange) or (whole and len(objects) != len(known)):
        which = f", object {strange[0]} not among them" if len(strange) else ""
        msg = (
            f"sample {sample.id}: expected the {len(objects)} objects of {sample.file.name} in {daf.name}, "
            f"found {len(known)} objects{which}: the two do not belong together"
        )
        raise StudyError(msg)


def _one_stage(sample: Sample, populations: Populations, names: Sequence[str]) -> dict[int, str]:
    """Stage of every object that has one.

    Raises
    ------
    StudyError
        Two stages share objects.
    """
    stages: dict[int, str] = {}
    for name in names:
        members = populations.object_numbers(name).tolist()
        both = [number for number in members if number in stages]
        if both:
            other = stages[both[0]]
            few = ", ".join(map(str, both[:3])) + (" ..." if len(both) > 3 else "")
            msg = (
                f"sample {sample.id}: {_file(sample)}: {len(both)} objects of {name!r} are in another stage "
                f"too ({few}; the first in {other!r}): an object has one stage; part them, for example by "
                f"a population with the definition '{name}|And|Not|{other}'"
            )
            raise StudyError(msg)
        stages |= dict.fromkeys(members, name)
    return stages


def _file(sample: Sample) -> str:
    return "" if sample.gating is None else sample.gating.name


def _fault(study: Study, sample: Sample, error: GateError | UsageError) -> StudyError:
    """Error that says which sample it is, and how stages get their names."""
    said = str(error).removeprefix(f"{sample.gating}: ")
    hint = ""
    if said.startswith("no population") and study.settings.compare.stages is None:
        hint = "; stages = [...] under [compare] names the populations that are stages"
    return StudyError(f"{study.path}: sample {sample.id}: {_file(sample)}: {said}{hint}")
