"""From judged objects to the rows of the tables: classifications, frequencies, tests.

Every function is pure; the order of the rows is the order of the study.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.compare.effect import rank_effect, shift
from ifcyto.compare.frequency import frequency
from ifcyto.compare.multiple import adjusted
from ifcyto.compare.ranks import rank_test
from ifcyto.pipeline.judged import POSITIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Literal

    from ifcyto.pipeline.judged import Judged

__all__ = ["Plan", "classification_rows", "frequency_rows", "percents", "rank_rows", "stage_order"]

Row = dict[str, Any]

MATURATION = ("proe", "basoe", "polye", "polyorthoe", "orthoe")
"""Stages of erythroblasts from young to ripe, in lower case."""


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
    precision : float
        As in ``[compare]``.
    """

    groups: tuple[str, ...]
    stages: tuple[str, ...]
    methods: tuple[str, ...]
    control: str | None = None
    cases: tuple[str, ...] = ()
    interval: Literal["wilson", "clopper-pearson"] = "wilson"
    correction: Literal["holm", "bh", "none"] = "holm"
    precision: float = 0.25


def stage_order(samples: Iterable[Judged]) -> tuple[str, ...]:
    """Stages that occur: those of erythroid maturation first, in its order, then as objects bring them up."""
    found: dict[str, None] = {}
    for judged in samples:
        names, first = np.unique(judged.stages, return_index=True)
        found.update(dict.fromkeys(names[np.argsort(first)].tolist()))
    known = {stage: place for place, stage in enumerate(MATURATION)}
    stages = [stage for stage in found if stage]
    return tuple(sorted(stages, key=lambda stage: known.get(stage.casefold(), len(known))))


def classification_rows(samples: Iterable[Judged]) -> Iterator[Row]:
    """One row an object, training samples included."""
    for judged in samples:
        blank = [""] * len(judged.objects)
        manual = blank if judged.manual is None else judged.manual.tolist()
        fbml = blank if judged.fbml is None else judged.fbml.tolist()
        scores = [None] * len(blank) if judged.fbml_score is None else judged.fbml_score.tolist()
        cnn = blank if judged.cnn is None else judged.cnn.tolist()
        nothing = [None] * len(blank)
        shares = nothing if judged.cnn_probability is None else judged.cnn_probability.tolist()
        columns = (judged.objects, judged.stages, judged.spot_count, judged.candidate)
        for number, stage, spots, candidate, label, called, score, seen, share in zip(
            *(column.tolist() for column in columns), manual, fbml, scores, cnn, shares, strict=True
        ):
            yield {
                "sample": judged.sample.id,
                "group": judged.sample.group,
                "object": number,
                "stage": stage,
                "spot_count": spots,
                "candidate": candidate,
                "spot": POSITIVE if candidate else "",
                "fbml": called,
                "cnn": seen,
                "manual": label,
                "fbml_score": score if called else None,
                "cnn_probability": share if seen else None,
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


def rank_rows(frequencies: Sequence[Row], plan: Plan) -> tuple[list[Row], list[str]]:
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
        x, y = (percents(frequencies, stage, method, group) for group in (case, plan.control))
        if not x or not y:
            empty = case if not x else plan.control
            notes.append(
                f"stage {stage}, method {method}: no test of {case} against {plan.control}, "
                f"as no sample of {empty} has a frequency there"
            )
            continue
        found = rank_test(x, y)
        effect, moved = rank_effect(found.u, found.n_x, found.n_y), shift(x, y)
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
                "effect_low": effect.effect_low,
                "effect_high": effect.effect_high,
                "auc": effect.auc,
                "shift": moved.shift,
                "shift_low": moved.low,
                "shift_high": moved.high,
            }
        )
    for method in plan.methods:
        family = [row for row in rows if row["method"] == method]
        corrected = adjusted([row["p"] for row in family], plan.correction).tolist()
        for row, p in zip(family, corrected, strict=True):
            row["p_adjusted"] = p
    return rows, notes


def percents(frequencies: Sequence[Row], stage: str, method: str, group: str) -> list[float]:
    """Percentages of the samples of a group that have cells in the stage."""
    wanted = (stage, method, group)
    return [
        row["percent"]
        for row in frequencies
        if (row["stage"], row["method"], row["group"]) == wanted and row["cells"]
    ]
