"""Which candidates are explained, against a plain selection from lists of rows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ifcyto.pipeline.heat_cells import KINDS, choose_cells
from ifcyto.pipeline.judged import Judged

CLASSES = ["BNE", "Doublet", "Irregular"]
STAGES = ("ProE", "BasoE")


def sample(
    rng: Any,
    name: str,
    *,
    n: int = 150,
    tags: bool = True,
    truth: bool = False,
    pool: bool = False,
    fbml: bool = True,
) -> Judged:
    """Random verdicts on two thirds of the objects; probabilities come twice, so that there are equals."""
    candidate = rng.random(n) < 0.66
    share = np.where(candidate, rng.integers(0, 21, n) / 20, np.nan)
    label = np.where(candidate, np.where(share > 0.5, "BNE", rng.choice(CLASSES[1:], n)), "")
    other = np.where(candidate, rng.choice(CLASSES, n), "") if fbml else None
    manual = rng.choice([*CLASSES, "", "Unknown"], n) if tags else None
    known = np.where(rng.random(n) < 0.5, rng.choice(CLASSES, n), "") if truth else None
    stages = np.full(n, "All") if pool else rng.choice([*STAGES, "PolyE", ""], n)
    return Judged(
        SimpleNamespace(id=name, training_only=pool), np.arange(n) * 3 + 1, np.where(candidate, 2, 1),
        candidate, stages, manual, known, other, None, (), label, share,
    )  # fmt: skip


def rows_of(samples: list[Judged], learned: set[tuple[str, int]]) -> list[dict[str, Any]]:
    """Every candidate that may be chosen, as a plain row, in the order of the study."""
    rows = []
    for one in samples:
        for i, number in enumerate(one.objects.tolist()):
            truth = ""
            if one.truth is not None and one.truth[i]:
                truth = one.truth[i]
            elif one.manual is not None:
                truth = {"": "none", "Unknown": ""}.get(one.manual[i], one.manual[i])
            inside = one.sample.training_only or one.stages[i] in STAGES
            if one.candidate[i] and inside and (one.sample.id, number) not in learned:
                rows.append({"key": (one.sample.id, number), "p": float(one.cnn_probability[i]),
                             "truth": truth, "says": one.cnn[i] == "BNE",
                             "other": one.fbml is None or one.fbml[i] == "BNE"})  # fmt: skip
    return rows


def best(rows: list[dict[str, Any]], value: Any, most: int) -> list[tuple[str, int]]:
    """The highest, one after the other; of equals the first."""
    left, found = list(rows), []
    while left and len(found) < most:
        top = next(row for row in left if value(row) == max(map(value, left)))
        found.append(top["key"])
        left.remove(top)
    return found


def by_kind(cells: Any) -> dict[str, list[tuple[str, int]]]:
    return {kind: [(c.sample, c.object) for c in cells if c.kind == kind] for kind in KINDS}


@pytest.mark.parametrize("most", [1, 4, 500])
def test_where_the_class_is_known_right_wrong_and_unsure_ones_are_taken(rng, most):
    samples = [
        sample(rng, "A"), sample(rng, "B", tags=False), sample(rng, "pool", tags=False, truth=True, pool=True)
    ]  # fmt: skip
    learned = {("pool", int(number)) for number in samples[2].objects[::2]} | {("A", 1), ("A", 4)}
    rows = [row for row in rows_of(samples, learned) if row["truth"]]
    right = best([r for r in rows if r["says"] and r["truth"] == "BNE"], lambda r: r["p"], most)
    wrong = best([r for r in rows if r["says"] != (r["truth"] == "BNE")], lambda r: abs(r["p"] - 0.5), most)
    rest = [r for r in rows if r["key"] not in {*right, *wrong}]
    found = by_kind(choose_cells(samples, STAGES, learned, most=most))
    assert found["right"] == right
    assert found["wrong"] == wrong
    assert found["unsure"] == best(rest, lambda r: -abs(r["p"] - 0.5), most)
    assert not found["certain"] + found["disputed"]
    assert len(right) == len(wrong) == most or most == 500
    assert not learned & {key for keys in found.values() for key in keys}


@pytest.mark.parametrize("fbml", [True, False])
def test_where_nobody_knows_certain_disputed_and_unsure_ones_are_taken(rng, fbml):
    samples = [sample(rng, "A", tags=False, fbml=fbml), sample(rng, "B", tags=False, fbml=fbml)]
    rows = rows_of(samples, set())
    certain = best([r for r in rows if r["says"]], lambda r: r["p"], 3)
    disputed = best(
        [r for r in rows if r["says"] != r["other"] and r["key"] not in certain],
        lambda r: abs(r["p"] - 0.5),
        3,
    )
    rest = [r for r in rows if r["key"] not in {*certain, *disputed}]
    found = by_kind(choose_cells(samples, STAGES, set(), most=3))
    assert found == {
        "right": [], "wrong": [], "certain": certain, "disputed": disputed,
        "unsure": best(rest, lambda r: -abs(r["p"] - 0.5), 3),
    }  # fmt: skip
    if not fbml:  # the plain rule calls every candidate a BNE
        assert all(not next(r for r in rows if r["key"] == key)["says"] for key in disputed)


def test_samples_that_the_network_did_not_judge_have_none(rng):
    one = sample(rng, "A")
    none = Judged(one.sample, one.objects, one.spot_count, one.candidate, one.stages)
    assert choose_cells([none], STAGES, set(), most=3) == []
