"""From frequencies to the tables on groups and single samples: all groups at once, flags, precision."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

from ifcyto.compare.frequency import Frequency
from ifcyto.compare.many_groups import dunn_test, kruskal_test
from ifcyto.compare.multiple import adjusted
from ifcyto.compare.precision import cells_needed, resolution
from ifcyto.compare.reference_range import reference_limit, verdict
from ifcyto.pipeline.counts import percents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifcyto.pipeline.counts import Plan

__all__ = ["flag_rows", "group_rows", "precision_rows"]

Row = dict[str, Any]

FEWEST_GROUPS = 3
"""Two groups are compared by the exact test of ``tests.csv``."""


def group_rows(frequencies: Sequence[Row], plan: Plan) -> list[Row]:
    """Kruskal-Wallis test of all groups, then Dunn's test of every pair, per method and stage.

    Only where at least three groups have a frequency. The p-values of the first
    are adjusted over the stages of a method, those of the second over the pairs
    of groups.
    """
    rows: list[Row] = []
    for method in plan.methods:
        family: list[Row] = []
        for stage in plan.stages:
            values = {group: percents(frequencies, stage, method, group) for group in plan.groups}
            groups = {group: found for group, found in values.items() if found}
            if len(groups) < FEWEST_GROUPS:
                continue
            found = kruskal_test(groups)
            head = _test_row(
                stage,
                method,
                "kruskal-wallis",
                groups=len(groups),
                n=sum(found.n.values()),
                statistic=found.h,
            )
            family.append({**head, "df": found.df, "p": found.p})
            rows.append(family[-1])
            for pair in dunn_test(groups, correction=plan.correction):
                n = found.n[pair.first] + found.n[pair.second]
                row = _test_row(stage, method, "dunn", groups=2, n=n, statistic=pair.z)
                row |= {"p": pair.p, "p_adjusted": pair.p_adjusted}
                rows.append(
                    {**row, "first": pair.first, "second": pair.second, "difference": pair.difference}
                )
        corrected = adjusted([row["p"] for row in family], plan.correction).tolist()
        for row, p in zip(family, corrected, strict=True):
            row["p_adjusted"] = p
    return rows


def _test_row(stage: str, method: str, test: str, *, groups: int, n: int, statistic: float) -> Row:
    return {
        "stage": stage,
        "method": method,
        "test": test,
        "groups": groups,
        "n": n,
        "statistic": statistic,
        "df": None,
        "p": math.nan,
        "p_adjusted": math.nan,
        "first": "",
        "second": "",
        "difference": None,
    }


def flag_rows(frequencies: Sequence[Row], plan: Plan) -> list[Row]:
    """Every sample outside the control group against the range of the controls."""
    if plan.control is None:
        return []
    limits = {
        (stage, method): reference_limit(
            [
                _frequency(row)
                for row in frequencies
                if (row["stage"], row["method"], row["group"]) == (stage, method, plan.control)
            ]
        )
        for stage, method in product(plan.stages, plan.methods)
    }
    rows = []
    for row in frequencies:
        if row["group"] == plan.control:
            continue
        limit = limits[row["stage"], row["method"]]
        keys = ("sample", "group", "stage", "method", "cells", "bne", "percent", "ci_low", "ci_high")
        rows.append(
            {
                **{key: row[key] for key in keys},
                "n_control": limit.n,
                "limit": limit.limit,
                "ranked_limit": limit.ranked,
                "pooled_limit": limit.pooled,
                "share_above": limit.share_above,
                "verdict": verdict(_frequency(row), limit),
            }
        )
    return rows


def precision_rows(frequencies: Sequence[Row], plan: Plan) -> list[Row]:
    """What the cells of every sample and stage can show, and how many the wanted precision needs."""
    rows = []
    for row in frequencies:
        found, percent = resolution(row["cells"]), row["percent"]
        needed = cells_needed(percent, relative=plan.precision, method=plan.interval) if row["bne"] else None
        rows.append(
            {
                **{key: row[key] for key in ("sample", "group", "stage", "method", "cells", "percent")},
                "half_width": (row["ci_high"] - row["ci_low"]) / 2,
                "step": found.step,
                "detectable": found.detectable,
                "wanted": plan.precision,
                "cells_needed": needed,
            }
        )
    return rows


def _frequency(row: Row) -> Frequency:
    return Frequency(row["cells"], row["bne"], row["percent"], row["ci_low"], row["ci_high"])
