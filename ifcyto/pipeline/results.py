"""Everything a study found, as one document: ``results.json``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import StudyError
from ifcyto.pipeline.comparisons import (
    agreement_rows,
    confusion_rows,
    cross_validation_rows,
    overlap_rows,
)
from ifcyto.pipeline.corrected import corrected_rows, corrected_test_rows
from ifcyto.pipeline.counts import Plan, frequency_rows, rank_rows, stage_order
from ifcyto.pipeline.group_tables import flag_rows, group_rows, precision_rows
from ifcyto.pipeline.judged import ALL
from ifcyto.pipeline.labels import nearest
from ifcyto.pipeline.rater_tables import bland_altman_rows, error_rows, kappa_rows, upset_rows
from ifcyto.pipeline.tables import DIGITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.pipeline.judged import Judged
    from ifcyto.pipeline.study import Study

__all__ = ["FORMAT", "VERSION", "Findings", "find", "make_plan"]

FORMAT = "ifcyto results"
VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """The judged samples and what follows from them.

    Parameters
    ----------
    samples : tuple of Judged
        In the order of the study, training samples included.
    plan : Plan
        What was counted and tested.
    document : dict
        Content of ``results.json``.
    """

    samples: tuple[Judged, ...]
    plan: Plan
    document: dict[str, Any]

    @property
    def counted(self) -> tuple[Judged, ...]:
        """Samples that are not for training only."""
        return tuple(judged for judged in self.samples if not judged.sample.training_only)


def make_plan(study: Study, samples: Sequence[Judged]) -> Plan:
    """Decide which stages and methods there are.

    Raises
    ------
    StudyError
        A stage that ``[compare]`` asks for is in no counted sample.
    """
    counted = [judged for judged in samples if not judged.sample.training_only]
    table = study.settings.compare
    found = stage_order(counted)
    for stage in table.stages or ():
        if stage not in found:
            msg = (
                f"{study.path}: compare.stages: no counted object is of stage {stage!r}"
                f"{nearest(stage, found)}; found {', '.join(found) or 'no stages'}"
            )
            raise StudyError(msg)
    tagged = any(judged.manual is not None for judged in counted)
    trained = any(judged.fbml is not None for judged in counted)
    seen = any(judged.cnn is not None for judged in counted)
    there = {"spot": True, "manual": tagged, "fbml": trained, "cnn": seen}
    methods = tuple(name for name in dict.fromkeys(table.methods) if there[name])
    return Plan(
        groups=study.groups,
        stages=found if table.stages is None else tuple(dict.fromkeys(table.stages)),
        methods=methods,
        control=study.control,
        cases=study.cases,
        interval=table.interval,
        correction=table.correction,
        precision=table.precision,
    )


def find(
    study: Study,
    samples: Sequence[Judged],
    *,
    notes: Sequence[str] = (),
    training: Mapping[str, Any] | None = None,
    untrained: str = "",
    network: Mapping[str, Any] | None = None,
    no_network: str = "not asked for in [compare]",
) -> Findings:
    """Count and compare everything.

    Parameters
    ----------
    study : Study
    samples : sequence of Judged
        In the order of the study.
    notes : sequence of str
        What is to be said beside what is noticed here.
    training : mapping, optional
        Record of the training of the feature-based classifier.
    untrained : str
        Why there is none.
    network : mapping, optional
        Record of the training of the network.
    no_network : str
        Why there is none.

    Returns
    -------
    Findings
    """
    plan = make_plan(study, samples)
    counted = [judged for judged in samples if not judged.sample.training_only]
    frequencies = frequency_rows(counted, plan)
    tests, left_out = rank_rows(frequencies, plan)
    corrected = corrected_rows(counted, plan)
    said = [*notes, *(note for judged in samples for note in judged.notes)]
    said += [*_stage_notes(counted, plan), *left_out]
    document = {
        "format": FORMAT,
        "version": VERSION,
        "title": study.settings.study.title,
        "seed": study.settings.study.seed,
        "control": study.control,
        "cases": list(plan.cases),
        "groups": list(plan.groups),
        "stages": list(plan.stages),
        "interval": plan.interval,
        "correction": plan.correction,
        "rule": _rule(study),
        "methods": _methods(study, plan, untrained, no_network),
        "training": None if training is None else dict(training),
        "network": None if network is None else dict(network),
        "samples": [_sample(judged, plan) for judged in samples],
        "frequencies": frequencies,
        "tests": tests,
        "overlap": overlap_rows(counted, plan, ("manual", "fbml", "cnn")),
        "spot_overlap": overlap_rows(counted, plan, ("manual", "spot")),
        "agreement": agreement_rows(samples, plan),
        "confusion": confusion_rows(samples, plan)
        + ([] if training is None else cross_validation_rows("fbml", training))
        + ([] if network is None else cross_validation_rows("cnn", network)),
        "group_tests": group_rows(frequencies, plan),
        "flags": flag_rows(frequencies, plan),
        "precision": precision_rows(frequencies, plan),
        "errors": error_rows(counted, plan),
        "kappa": kappa_rows(counted, plan),
        "bland_altman": bland_altman_rows(frequencies, plan),
        "upset": upset_rows(counted, plan),
        "corrected": corrected,
        "corrected_tests": corrected_test_rows(corrected, plan),
        "notes": said,
    }
    return Findings(tuple(samples), plan, _rounded(document))


def _stage_notes(counted: Sequence[Judged], plan: Plan) -> list[str]:
    notes = []
    if not plan.stages:
        notes.append("no counted object belongs to any stage: there are no frequencies")
    if plan.control and not plan.cases:
        notes.append(
            f"no counted sample is of another group than the control {plan.control}: nothing is tested"
        )
    whole = [
        judged.sample.id
        for judged in counted
        if judged.sample.stages is None and judged.sample.gating is None
    ]
    if whole and len(whole) < len(counted):
        notes.append(
            f"samples {', '.join(whole)} have no table of stages: all their objects are of the stage "
            f"{ALL!r}, which the others do not have"
        )
    return notes


def _rule(study: Study) -> dict[str, Any]:
    rule = study.settings.candidates.model_dump()
    return {**rule, "channel": study.dna_role, "expression": study.mask}


def _methods(study: Study, plan: Plan, untrained: str, no_network: str) -> dict[str, dict[str, Any]]:
    asked = study.settings.compare.methods
    why = {"spot": "", "manual": "no sample has manual tags", "fbml": untrained, "cnn": no_network}
    methods: dict[str, dict[str, Any]] = {}
    for name, reason in why.items():
        ran = name in plan.methods
        missing = reason if name in asked else "not asked for in [compare]"
        methods[name] = {"ran": ran, "why": "" if ran else missing}
    return methods


def _sample(judged: Judged, plan: Plan) -> dict[str, Any]:
    counted = np.isin(judged.stages, plan.stages)
    spots = Counter(judged.spot_count[counted].tolist())
    return {
        "id": judged.sample.id,
        "group": judged.sample.group,
        "file": judged.sample.file.name,
        "training_only": judged.sample.training_only,
        "objects": len(judged.objects),
        "counted": int(counted.sum()),
        "candidates": int((counted & judged.candidate).sum()),
        "tagged": None if judged.manual is None else int(np.count_nonzero(judged.manual != "")),
        "spot_counts": {str(number): spots[number] for number in sorted(spots)},
    }


def _rounded(value: Any) -> Any:
    """Numbers as the tables write them; NaN as None."""
    if isinstance(value, float):
        return None if np.isnan(value) else float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, (list, tuple)) else value
