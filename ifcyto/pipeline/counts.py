"""From judged objects to the rows of the tables: frequencies, tests, overlap, agreement, confusion.

Every function is pure; the order of the rows is the order of the study.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.compare.agreement import agreement
from ifcyto.compare.frequency import frequency
from ifcyto.compare.multiple import holm
from ifcyto.compare.overlap import overlap
from ifcyto.compare.ranks import rank_test
from ifcyto.pipeline.judged import POSITIVE
from ifcyto.pipeline.study_model import LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Literal

    from numpy.typing import NDArray

    from ifcyto.pipeline.judged import Judged

__all__ = [
    "OTHER",
    "Plan",
    "agreement_rows",
    "classification_rows",
    "confusion_rows",
    "frequency_rows",
    "overlap_rows",
    "references",
    "stage_order",
    "test_rows",
]

Row = dict[str, Any]

OTHER = "other"
"""Class of an object that is no BNE, or carries no label."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is counted and tested.

    Parameters
    ----------
    groups, stages, methods : tuple of str
        In the order of the tables.
    control : str or None
    cases : tuple of str
    interval, correction : str
        As in ``[compare]``.
    """

    groups: tuple[str, ...]
    stages: tuple[str, ...]
    methods: tuple[str, ...]
    control: str | None = None
    cases: tuple[str, ...] = ()
    interval: Literal["wilson", "clopper-pearson"] = "wilson"
    correction: Literal["holm", "none"] = "holm"


def stage_order(samples: Iterable[Judged]) -> tuple[str, ...]:
    """Stages in the order in which samples and objects bring them up."""
    found: dict[str, None] = {}
    for judged in samples:
        names, first = np.unique(judged.stages, return_index=True)
        found.update(dict.fromkeys(names[np.argsort(first)].tolist()))
    return tuple(stage for stage in found if stage)


def classification_rows(samples: Iterable[Judged]) -> Iterator[Row]:
    """One row an object, training samples included."""
    for judged in samples:
        blank = [""] * len(judged.objects)
        manual = blank if judged.manual is None else judged.manual.tolist()
        columns = (judged.objects, judged.stages, judged.spot_count, judged.candidate)
        for number, stage, spots, candidate, label in zip(
            *(column.tolist() for column in columns), manual, strict=True
        ):
            yield {
                "sample": judged.sample.id,
                "group": judged.sample.group,
                "object": number,
                "stage": stage,
                "spot_count": spots,
                "candidate": candidate,
                "spot": POSITIVE if candidate else "",
                "fbml": "",
                "cnn": "",
                "manual": label,
                "fbml_score": None,
                "cnn_probability": None,
            }


def frequency_rows(samples: Sequence[Judged], plan: Plan) -> list[Row]:
    """BNEs in percent of the cells of a stage, for every sample, stage and method that judged it."""
    rows = []
    for judged, stage, method in product(samples, plan.stages, plan.methods):
        positive = judged.positive(method)
        if positive is None:
            continue
        inside = judged.in_stage(stage)
        found = frequency(
            int(np.count_nonzero(positive & inside)), int(np.count_nonzero(inside)), method=plan.interval
        )
        rows.append(
            {
                "sample": judged.sample.id,
                "group": judged.sample.group,
                "stage": stage,
                "method": method,
                "cells": found.cells,
                "bne": found.positives,
                "percent": found.percent,
                "ci_low": found.ci_low,
                "ci_high": found.ci_high,
            }
        )
    return rows


def test_rows(frequencies: Sequence[Row], plan: Plan) -> tuple[list[Row], list[str]]:
    """Mann-Whitney tests of each case group against the control, per stage and method.

    Samples without cells in a stage have no percentage and are left out.

    Returns
    -------
    rows : list of dict
    notes : list of str
        Which samples were left out, and which tests could not be made.
    """
    rows: list[Row] = []
    notes = []
    for row in frequencies:
        if not row["cells"] and row["method"] == plan.methods[0]:
            notes.append(f"sample {row['sample']}: no cells in stage {row['stage']}; left out of its tests")
    if plan.control is None:
        return rows, notes
    for stage, method, case in product(plan.stages, plan.methods, plan.cases):
        x, y = (_percents(frequencies, stage, method, group) for group in (case, plan.control))
        if not x or not y:
            empty = case if not x else plan.control
            notes.append(
                f"stage {stage}, method {method}: no test of {case} against {plan.control}, "
                f"as no sample of {empty} has a frequency there"
            )
            continue
        found = rank_test(x, y)
        rows.append(
            {
                "stage": stage,
                "method": method,
                "case": case,
                "control": plan.control,
                "n_case": found.n_x,
                "n_control": found.n_y,
                "median_case": found.median_x,
                "median_control": found.median_y,
                "u": found.u,
                "p": found.p,
                "p_adjusted": found.p,
                "effect": found.effect,
                "exact": found.exact,
            }
        )
    if plan.correction == "holm":
        for method in plan.methods:
            family = [row for row in rows if row["method"] == method]
            for row, p in zip(
                family, holm([row["p"] for row in family]).tolist() if family else [], strict=True
            ):
                row["p_adjusted"] = p
    return rows, notes


def _percents(frequencies: Sequence[Row], stage: str, method: str, group: str) -> list[float]:
    wanted = (stage, method, group)
    return [
        row["percent"]
        for row in frequencies
        if (row["stage"], row["method"], row["group"]) == wanted and row["cells"]
    ]


def overlap_rows(samples: Sequence[Judged], plan: Plan) -> list[Row]:
    """Cells by who called them a BNE, for every group and stage that an observer looked at."""
    rows: list[Row] = []
    for group, stage in product(plan.groups, plan.stages):
        looked = [one for one in samples if one.sample.group == group and one.manual is not None]
        if not looked:
            continue
        sets = {name: _members(looked, name, stage) for name in ("manual", "spot")}
        for (manual, spot), count in sorted(overlap(sets).counts.items(), reverse=True):
            rows.append(
                {
                    "group": group,
                    "stage": stage,
                    "manual": manual,
                    "fbml": 0,
                    "cnn": 0,
                    "count": count,
                    "spot": spot,
                }
            )
    return rows


def _members(samples: Sequence[Judged], method: str, stage: str) -> set[tuple[str, int]]:
    members: set[tuple[str, int]] = set()
    for judged in samples:
        positive = judged.positive(method)
        if positive is not None:
            chosen = judged.objects[positive & judged.in_stage(stage)]
            members.update((judged.sample.id, number) for number in chosen.tolist())
    return members


def references(
    samples: Sequence[Judged], plan: Plan
) -> dict[str, list[tuple[str, NDArray[Any], NDArray[Any]]]]:
    """What the plain rule can be held against: reference to (sample, labels, called a BNE).

    ``manual`` covers the counted objects of the samples that an observer looked
    at; an untagged object is :data:`OTHER`. ``labels`` covers the objects of the
    table of truth and no others, in training samples too.
    """
    found: dict[str, list[tuple[str, NDArray[Any], NDArray[Any]]]] = {}
    for judged in samples:
        if judged.manual is not None and not judged.sample.training_only:
            counted = np.isin(judged.stages, plan.stages)
            labels = np.where(judged.manual == "", OTHER, judged.manual)[counted]
            found.setdefault("manual", []).append((judged.sample.id, labels, judged.candidate[counted]))
        if judged.truth is not None:
            known = judged.truth != ""
            found.setdefault("labels", []).append(
                (judged.sample.id, judged.truth[known], judged.candidate[known])
            )
    return {name: found[name] for name in ("manual", "labels") if name in found}


def agreement_rows(samples: Sequence[Judged], plan: Plan) -> list[Row]:
    """Scores of the plain rule against each reference: all samples together, then each."""
    rows: list[Row] = []
    for reference, parts in references(samples, plan).items():
        together = ("", np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts]))
        for sample, labels, called in [together, *parts]:
            found = agreement(
                np.where(labels == POSITIVE, POSITIVE, OTHER).tolist(),
                np.where(called, POSITIVE, OTHER).tolist(),
                classes=(POSITIVE, OTHER),
            )
            rows.extend(
                {
                    "method": "spot",
                    "reference": reference,
                    "class": score.label,
                    "support": score.support,
                    "tp": score.tp,
                    "fp": score.fp,
                    "fn": score.fn,
                    "precision": score.precision,
                    "recall": score.recall,
                    "f1": score.f1,
                    "sample": sample,
                }
                for score in found.scores
            )
    return rows


def confusion_rows(samples: Sequence[Judged], plan: Plan) -> list[Row]:
    """What the plain rule called the objects of every class of the reference."""
    rows: list[Row] = []
    for reference, parts in references(samples, plan).items():
        labels = np.concatenate([part[1] for part in parts])
        called = np.concatenate([part[2] for part in parts])
        for true in (*LABELS, OTHER):
            for predicted, mask in ((POSITIVE, called), (OTHER, ~called)):
                if not np.any(labels == true):
                    continue
                count = int(np.count_nonzero((labels == true) & mask))
                rows.append(
                    {
                        "model": "spot",
                        "split": "all",
                        "true": true,
                        "predicted": predicted,
                        "count": count,
                        "reference": reference,
                    }
                )
    return rows
