"""From judged objects to the rows of the tables that hold a method against an observer or the truth."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.compare.agreement import agreement
from ifcyto.compare.overlap import overlap
from ifcyto.pipeline.judged import POSITIVE
from ifcyto.pipeline.study_model import LABELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.pipeline.counts import Plan
    from ifcyto.pipeline.judged import Judged

__all__ = [
    "OTHER",
    "agreement_rows",
    "confusion_rows",
    "cross_validation_rows",
    "judging",
    "members",
    "overlap_rows",
    "references",
]

Row = dict[str, Any]
Part = tuple[str, "NDArray[Any]", "NDArray[Any]"]

LEARNS = frozenset({"fbml", "cnn"})
"""Methods that are trained on the table of truth."""

OTHER = "other"
"""Class of an object that is no BNE, or carries no label."""


def overlap_rows(samples: Sequence[Judged], plan: Plan, methods: Sequence[str]) -> list[Row]:
    """Cells by which of `methods` called them a BNE, for every group and stage that an observer looked at.

    One row a region but the one outside all sets; the set of a method that did not run is empty.
    """
    rows: list[Row] = []
    for group, stage in product(plan.groups, plan.stages):
        looked = [one for one in samples if one.sample.group == group and one.manual is not None]
        if not looked:
            continue
        found = overlap({method: members(looked, method, stage) for method in methods})
        for region, count in sorted(found.counts.items(), reverse=True):
            flags = dict(zip(methods, region, strict=True))
            rows.append({"group": group, "stage": stage, **flags, "count": count})
    return rows


def members(samples: Sequence[Judged], method: str, stage: str) -> set[tuple[str, int]]:
    """Sample and object number of the cells of a stage that `method` called a BNE."""
    found: set[tuple[str, int]] = set()
    for judged in samples:
        positive = judged.positive(method)
        if positive is not None:
            chosen = judged.objects[positive & judged.in_stage(stage)]
            found.update((judged.sample.id, number) for number in chosen.tolist())
    return found


def references(samples: Sequence[Judged], plan: Plan, method: str = "spot") -> dict[str, list[Part]]:
    """What a method can be held against: reference to (sample, labels, called a BNE).

    ``manual`` covers the counted objects of the samples that an observer looked
    at; an untagged object is :data:`OTHER`. ``labels`` covers the objects of the
    table of truth and no others, in training samples too; a method that learned
    from that table is not held against it here.
    """
    found: dict[str, list[Part]] = {}
    for judged in samples:
        called = judged.positive(method)
        if called is None:
            continue
        if judged.manual is not None and not judged.sample.training_only:
            counted = np.isin(judged.stages, plan.stages)
            labels = np.where(judged.manual == "", OTHER, judged.manual)[counted]
            found.setdefault("manual", []).append((judged.sample.id, labels, called[counted]))
        if judged.truth is not None and method not in LEARNS:
            known = judged.truth != ""
            found.setdefault("labels", []).append((judged.sample.id, judged.truth[known], called[known]))
    return {name: found[name] for name in ("manual", "labels") if name in found}


def agreement_rows(samples: Sequence[Judged], plan: Plan) -> list[Row]:
    """Scores of each method against each reference: all samples together, then each."""
    return [row for method in judging(plan) for row in _agreement_rows(samples, plan, method)]


def judging(plan: Plan) -> tuple[str, ...]:
    """Methods of a plan that can be held against a reference: the plain rule always, others that ran."""
    return ("spot", *(method for method in plan.methods if method in LEARNS))


def _agreement_rows(samples: Sequence[Judged], plan: Plan, method: str) -> list[Row]:
    rows: list[Row] = []
    for reference, parts in references(samples, plan, method).items():
        together = ("", np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts]))
        for sample, labels, called in [together, *parts]:
            found = agreement(
                np.where(labels == POSITIVE, POSITIVE, OTHER).tolist(),
                np.where(called, POSITIVE, OTHER).tolist(),
                classes=(POSITIVE, OTHER),
            )
            rows.extend(
                {
                    "method": method,
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
    """What each method called the objects of every class of the reference."""
    return [row for method in judging(plan) for row in _confusion_rows(samples, plan, method)]


def cross_validation_rows(model: str, record: Mapping[str, Any]) -> list[Row]:
    """Confusion of a trained method with its table of truth: objects judged without being learned from.

    By folds, or of a network without folds by its test or validation part.
    """
    classes = record["classes"]
    judged = record.get("judged", "folds")
    return [
        {
            "model": model,
            "split": "cross-validation" if judged == "folds" else judged,
            "true": true,
            "predicted": predicted,
            "count": record["matrix"][i][j],
            "reference": "labels",
        }
        for i, true in enumerate(classes)
        for j, predicted in enumerate(classes)
    ]


def _confusion_rows(samples: Sequence[Judged], plan: Plan, method: str) -> list[Row]:
    rows: list[Row] = []
    for reference, parts in references(samples, plan, method).items():
        labels = np.concatenate([part[1] for part in parts])
        called = np.concatenate([part[2] for part in parts])
        for true in (*LABELS, OTHER):
            for predicted, mask in ((POSITIVE, called), (OTHER, ~called)):
                if not np.any(labels == true):
                    continue
                count = int(np.count_nonzero((labels == true) & mask))
                rows.append(
                    {
                        "model": method,
                        "split": "all",
                        "true": true,
                        "predicted": predicted,
                        "count": count,
                        "reference": reference,
                    }
                )
    return rows
