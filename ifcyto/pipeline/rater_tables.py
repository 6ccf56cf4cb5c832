"""From judged objects to the tables that hold the methods and the observer side by side."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.compare.bland_altman import bland_altman
from ifcyto.compare.overlap import overlap, upset
from ifcyto.compare.raters import fleiss_kappa, pair_agreement
from ifcyto.pipeline.comparisons import judging, members, references
from ifcyto.pipeline.judged import POSITIVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.pipeline.counts import Plan
    from ifcyto.pipeline.judged import Judged

__all__ = ["bland_altman_rows", "error_rows", "kappa_rows", "rating", "upset_rows"]

Row = dict[str, Any]

TOGETHER = "+"
"""Between the names of methods that stand in one field."""


def rating(samples: Sequence[Judged], plan: Plan) -> tuple[str, ...]:
    """Who says BNE or not: the methods that ran, then the observer where there are manual tags."""
    tagged = any(judged.manual is not None for judged in samples)
    return (*judging(plan), *(("manual",) if tagged else ()))


def error_rows(samples: Sequence[Judged], plan: Plan) -> list[Row]:
    """True and false positives of each method against the manual tags, and whose they are.

    One row a method and sample that the observer looked at. A share is the part
    of all false ones of the method that lie in this sample.
    """
    group = {judged.sample.id: judged.sample.group for judged in samples}
    rows: list[Row] = []
    for method in judging(plan):
        own = [
            {"method": method, "sample": sample, "group": group[sample], **_errors(labels, called)}
            for sample, labels, called in references(samples, plan, method).get("manual", [])
        ]
        for kind in ("fp", "fn"):
            total = sum(row[kind] for row in own)
            for row in own:
                row[f"{kind}_share"] = row[kind] / total if total else None
        rows += own
    return rows


def _errors(labels: NDArray[np.str_], called: NDArray[np.bool_]) -> Row:
    true = labels == POSITIVE
    tp, fp, fn = (int(np.count_nonzero(part)) for part in (true & called, ~true & called, true & ~called))
    doublets, irregular = (
        int(np.count_nonzero(called & (labels == label))) for label in ("Doublet", "Irregular")
    )
    return {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "precision": tp / (tp + fp) if tp + fp else None,
        "recall": tp / (tp + fn) if tp + fn else None,
        "fp_doublet": doublets,
        "fp_irregular": irregular,
        "fp_other": fp - doublets - irregular,
    }


def kappa_rows(samples: Sequence[Judged], plan: Plan) -> list[Row]:
    """Agreement of every two raters, and of all of them where there are more.

    Over all counted stages (an empty stage) and each one; among all cells, and
    among the candidates only, where the plain rule always says yes and is left
    out. Each row covers the samples that all its raters judged.
    """
    raters = rating(samples, plan)
    rows: list[Row] = []
    for stage, among in product(("", *plan.stages), ("cells", "candidates")):
        asked = raters if among == "cells" else tuple(name for name in raters if name != "spot")
        place = {"stage": stage, "among": among}
        for first, second in combinations(asked, 2):
            said = _verdicts(samples, plan, (first, second), stage, candidates=among == "candidates")
            rows.append(_pair_row({"kind": "cohen", **place, "first": first, "second": second}, said))
        if len(asked) > 2:
            said = _verdicts(samples, plan, asked, stage, candidates=among == "candidates")
            head = {"kind": "fleiss", **place, "first": TOGETHER.join(asked), "second": ""}
            rows.append(_all_row(head, said))
    return rows


def _verdicts(
    samples: Sequence[Judged], plan: Plan, raters: Sequence[str], stage: str, *, candidates: bool
) -> NDArray[np.bool_]:
    """Yes or no of each rater (row) on every object (column) of the samples that all of them judged."""
    parts = [np.zeros((len(raters), 0), bool)]
    for judged in _judged_by(samples, raters):
        chosen = judged.in_stage(stage) if stage else np.isin(judged.stages, plan.stages)
        if candidates:
            chosen = chosen & judged.candidate
        parts.append(np.array([judged.positive(rater) for rater in raters])[:, chosen])
    return np.concatenate(parts, axis=1)


def _judged_by(samples: Sequence[Judged], raters: Sequence[str]) -> Iterator[Judged]:
    return (one for one in samples if all(one.positive(rater) is not None for rater in raters))


def _pair_row(head: Row, said: NDArray[np.bool_]) -> Row:
    found = pair_agreement(said[0], said[1])
    return {
        **head,
        "objects": found.objects,
        "both": found.both,
        "first_only": found.first_only,
        "second_only": found.second_only,
        "neither": found.neither,
        "kappa": found.kappa.kappa,
        "kappa_low": found.kappa.low,
        "kappa_high": found.kappa.high,
        "jaccard": found.jaccard,
        "jaccard_low": found.jaccard_low,
        "jaccard_high": found.jaccard_high,
        "mcnemar_p": found.mcnemar_p,
    }


def _all_row(head: Row, said: NDArray[np.bool_]) -> Row:
    n = len(said)
    times = np.bincount(said.sum(0), minlength=n + 1)
    found = fleiss_kappa([[yes, n - yes] for yes in range(n + 1)], times=times)
    nothing = dict.fromkeys(("both", "first_only", "second_only", "neither"))
    beyond = dict.fromkeys(("jaccard", "jaccard_low", "jaccard_high", "mcnemar_p"))
    kappa = {"kappa": found.kappa, "kappa_low": found.low, "kappa_high": found.high}
    return {**head, "objects": said.shape[1], **nothing, **kappa, **beyond}


def bland_altman_rows(frequencies: Sequence[Row], plan: Plan) -> list[Row]:
    """Difference of the frequencies by every two methods, the observer always second."""
    methods = sorted(plan.methods, key=lambda name: name == "manual")
    rows: list[Row] = []
    for stage, (first, second) in product(plan.stages, combinations(methods, 2)):
        one, other = _by_sample(frequencies, stage, first), _by_sample(frequencies, stage, second)
        shared = [sample for sample in one if sample in other]
        if not shared:
            continue
        found = bland_altman([one[s] for s in shared], [other[s] for s in shared])
        limits = ("lower", "lower_low", "lower_high", "upper", "upper_low", "upper_high")
        rows.append(
            {
                "stage": stage,
                "first": first,
                "second": second,
                **{key: getattr(found, key) for key in ("n", "bias", "bias_low", "bias_high", "sd", *limits)},
            }
        )
    return rows


def _by_sample(frequencies: Sequence[Row], stage: str, method: str) -> Mapping[str, float]:
    return {
        row["sample"]: row["percent"]
        for row in frequencies
        if (row["stage"], row["method"]) == (stage, method) and row["cells"]
    }


def upset_rows(samples: Sequence[Judged], plan: Plan) -> list[Row]:
    """Cells by which of all raters called them a BNE, the largest region first, empty ones left out.

    All groups and stages together (both empty), then each; of the samples that
    all raters judged.
    """
    raters = rating(samples, plan)
    rows: list[Row] = []
    for group, stage in (("", ""), *product(plan.groups, plan.stages)):
        looked = [one for one in _judged_by(samples, raters) if group in ("", one.sample.group)]
        stages = (stage,) if stage else plan.stages
        sets = {
            rater: set[tuple[str, int]]().union(*(members(looked, rater, s) for s in stages))
            for rater in raters
        }
        rows += [
            {
                "group": group,
                "stage": stage,
                "methods": TOGETHER.join(one.names),
                "degree": one.degree,
                "count": one.count,
            }
            for one in upset(overlap(sets))
        ]
    return rows
