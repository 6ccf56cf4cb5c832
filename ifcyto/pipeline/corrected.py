"""Frequencies and tests before and after the observer's correction.

A method's BNEs are corrected by leaving out those that the observer did not
confirm; what the method missed stays missed.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.compare.frequency import frequency
from ifcyto.pipeline.counts import rank_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifcyto.pipeline.counts import Plan
    from ifcyto.pipeline.judged import Judged

__all__ = ["corrected_rows", "corrected_test_rows"]

Row = dict[str, Any]


def corrected_rows(samples: Sequence[Judged], plan: Plan) -> list[Row]:
    """Frequencies by each method before and after correction, of the samples that the observer looked at."""
    rows: list[Row] = []
    for judged, stage, method in product(samples, plan.stages, _correctable(plan)):
        called, tagged = judged.positive(method), judged.positive("manual")
        if called is None or tagged is None:
            continue
        inside = judged.in_stage(stage)
        cells, bne, confirmed = (
            int(np.count_nonzero(inside & part)) for part in (True, called, called & tagged)
        )
        before, after = (frequency(count, cells, method=plan.interval) for count in (bne, confirmed))
        rows.append(
            {
                "sample": judged.sample.id,
                "group": judged.sample.group,
                "stage": stage,
                "method": method,
                "cells": cells,
                "bne": bne,
                "percent": before.percent,
                "confirmed": confirmed,
                "corrected": after.percent,
                "corrected_low": after.ci_low,
                "corrected_high": after.ci_high,
            }
        )
    return rows


def corrected_test_rows(corrected: Sequence[Row], plan: Plan) -> list[Row]:
    """Tests of the corrected frequencies, with the p-values of the same samples before correction."""
    methods = _correctable(plan)
    if not methods:
        return []
    asked = replace(plan, methods=methods)
    before, _ = rank_rows(corrected, asked)
    after, _ = rank_rows([{**row, "percent": row["corrected"]} for row in corrected], asked)
    return [
        {**new, "p_before": old["p"], "p_adjusted_before": old["p_adjusted"]}
        for new, old in zip(after, before, strict=True)
    ]


def _correctable(plan: Plan) -> tuple[str, ...]:
    return tuple(method for method in plan.methods if method != "manual")
