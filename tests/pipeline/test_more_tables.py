"""Tables on groups, raters and the observer's correction: hand counts, and studies with something missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from ifcyto.pipeline.comparisons import agreement_rows, overlap_rows
from ifcyto.pipeline.corrected import corrected_rows, corrected_test_rows
from ifcyto.pipeline.counts import Plan, frequency_rows, rank_rows
from ifcyto.pipeline.group_tables import flag_rows, group_rows, precision_rows
from ifcyto.pipeline.judged import Judged
from ifcyto.pipeline.rater_tables import bland_altman_rows, error_rows, kappa_rows, rating, upset_rows
from ifcyto.pipeline.results import find
from ifcyto.pipeline.study import Sample, load_study
from ifcyto.pipeline.tables import COLUMNS, table_text
from ifcyto.schemas import validate

PLAN = Plan(
    groups=("N", "I", "M"),
    stages=("A", "B"),
    methods=("spot", "fbml", "manual"),
    control="N",
    cases=("I", "M"),
)
RATERS = ("spot", "fbml", "manual")
CLASSES = np.array(["BNE", "Doublet", "Irregular"])


def sample(name: str, group: str, rng: np.random.Generator, cells: int = 200, rate: float = 0.1) -> Judged:
    """Cells in stages A and B and in none; the classifier and the observer each err a little."""
    stages = rng.choice(np.array(["A", "B", ""]), cells, p=[0.5, 0.4, 0.1])
    spots = np.where(rng.random(cells) < 3 * rate, 2, 1)
    candidate = spots == 2
    true = np.where(candidate, rng.choice(CLASSES, cells), "")
    fbml = np.where(candidate & (rng.random(cells) < 0.2), rng.choice(CLASSES, cells), true)
    manual = np.where(rng.random(cells) < 0.02, "BNE", true)
    return Judged(
        Sample(name, group, Path(f"{name}.cif")),
        np.arange(cells),
        spots,
        candidate,
        stages,
        manual,
        None,
        fbml,
    )


@pytest.fixture
def cohort(rng: np.random.Generator) -> list[Judged]:
    """Five controls and four samples of each of two other groups."""
    sizes = {"N": (5, 0.05), "I": (4, 0.08), "M": (4, 0.25)}
    return [sample(f"{g}{i}", g, rng, rate=rate) for g, (count, rate) in sizes.items() for i in range(count)]


def every_table(samples: list[Judged], plan: Plan) -> dict[str, list[dict[str, Any]]]:
    """All tables of these rooms; each row has the columns that it must have, and can be written."""
    frequencies = frequency_rows(samples, plan)
    corrected = corrected_rows(samples, plan)
    tables = {
        "tests": rank_rows(frequencies, plan)[0],
        "group_tests": group_rows(frequencies, plan),
        "flags": flag_rows(frequencies, plan),
        "precision": precision_rows(frequencies, plan),
        "errors": error_rows(samples, plan),
        "kappa": kappa_rows(samples, plan),
        "bland_altman": bland_altman_rows(frequencies, plan),
        "upset": upset_rows(samples, plan),
        "corrected": corrected,
        "corrected_tests": corrected_test_rows(corrected, plan),
    }
    for name, rows in tables.items():
        assert all(set(row) == set(COLUMNS[name]) for row in rows), name
        assert len(table_text(name, rows).splitlines()) == len(rows) + 1
    return tables


def test_all_groups_at_once_agree_with_scipy(cohort: list[Judged]) -> None:
    frequencies = frequency_rows(cohort, PLAN)
    rows = group_rows(frequencies, PLAN)
    assert [(r["stage"], r["method"], r["test"]) for r in rows[:5]] == [
        ("A", "spot", "kruskal-wallis"), *[("A", "spot", "dunn")] * 3, ("B", "spot", "kruskal-wallis"),
    ]  # fmt: skip
    whole = [row for row in rows if row["test"] == "kruskal-wallis"]
    assert len(whole) == 6
    for row in whole:
        values = [
            [
                f["percent"]
                for f in frequencies
                if (f["stage"], f["method"], f["group"]) == (row["stage"], row["method"], group)
            ]
            for group in PLAN.groups
        ]
        expected = stats.kruskal(*values)
        assert (row["statistic"], row["p"]) == pytest.approx((expected.statistic, expected.pvalue))
        assert (row["groups"], row["n"], row["df"]) == (3, 13, 2)
    spot = sorted(row["p"] for row in whole if row["method"] == "spot")
    adjusted = sorted(row["p_adjusted"] for row in whole if row["method"] == "spot")
    assert adjusted == pytest.approx([min(1, 2 * spot[0]), max(min(1, 2 * spot[0]), spot[1])])
    pairs = [(row["first"], row["second"], row["n"]) for row in rows[1:4]]
    assert pairs == [("N", "I", 9), ("N", "M", 9), ("I", "M", 8)]


def test_two_groups_are_left_to_the_exact_test(cohort: list[Judged]) -> None:
    plan = replace(PLAN, groups=("N", "M"))
    assert group_rows(frequency_rows(cohort, plan), plan) == []


def test_flags_hold_each_sample_against_the_controls(cohort: list[Judged]) -> None:
    frequencies = frequency_rows(cohort, PLAN)
    rows = flag_rows(frequencies, PLAN)
    assert {row["group"] for row in rows} == {"I", "M"}
    assert len(rows) == 8 * 2 * 3
    for row in rows:
        normal = [
            f["percent"]
            for f in frequencies
            if (f["group"], f["stage"], f["method"]) == ("N", row["stage"], row["method"])
        ]
        assert row["n_control"] == 5
        assert row["ranked_limit"] == max(normal)
        assert row["limit"] == max(row["ranked_limit"], row["pooled_limit"])
        assert row["share_above"] == pytest.approx(1 / 6)
        said = {"within": row["percent"] <= row["limit"], "above": row["ci_low"] > row["limit"]}
        assert said.get(row["verdict"], row["ci_low"] <= row["limit"] < row["percent"])
    assert {row["verdict"] for row in rows if row["group"] == "M"} >= {"above"}


def test_precision_says_what_the_cells_can_show(cohort: list[Judged]) -> None:
    for row in precision_rows(frequency_rows(cohort, PLAN), PLAN):
        assert row["step"] == 100 / row["cells"]
        assert row["detectable"] == pytest.approx(100 * (1 - 0.05 ** (1 / row["cells"])))
        if row["percent"]:
            enough = row["half_width"] <= row["wanted"] * row["percent"]
            assert (row["cells"] >= row["cells_needed"]) == enough
        else:
            assert row["cells_needed"] is None


def test_errors_by_sample_add_up_to_the_agreement(cohort: list[Judged]) -> None:
    rows = error_rows(cohort, PLAN)
    whole = {
        row["method"]: row
        for row in agreement_rows(cohort, PLAN)
        if (row["reference"], row["class"], row["sample"]) == ("manual", "BNE", "")
    }
    for method in ("spot", "fbml"):
        own = [row for row in rows if row["method"] == method]
        assert [row["sample"] for row in own] == [judged.sample.id for judged in cohort]
        for kind in ("tp", "fp", "fn"):
            assert sum(row[kind] for row in own) == whole[method][kind]
        assert sum(row["fp_share"] for row in own) == pytest.approx(1)
        assert all(row["fp"] == row["fp_doublet"] + row["fp_irregular"] + row["fp_other"] for row in own)
        assert sum(row["fp_doublet"] for row in own) > 0


def said_by(samples: list[Judged], rater: str, stages: tuple[str, ...]) -> np.ndarray:
    return np.concatenate([one.positive(rater)[np.isin(one.stages, stages)] for one in samples])


def test_kappas_agree_with_scikit_learn(cohort: list[Judged]) -> None:
    rows = kappa_rows(cohort, PLAN)
    cells = [row for row in rows if row["among"] == "cells"]
    assert [(r["kind"], r["first"], r["second"]) for r in cells if not r["stage"]] == [
        ("cohen", "spot", "fbml"), ("cohen", "spot", "manual"), ("cohen", "fbml", "manual"),
        ("fleiss", "spot+fbml+manual", ""),
    ]  # fmt: skip
    for row in cells:
        stages = (row["stage"],) if row["stage"] else PLAN.stages
        if row["kind"] == "fleiss":
            assert row["both"] is None
            assert row["kappa_low"] < row["kappa"] < row["kappa_high"]
            continue
        one, other = (said_by(cohort, row[key], stages) for key in ("first", "second"))
        assert row["objects"] == one.size
        assert row["kappa"] == pytest.approx(metrics.cohen_kappa_score(one, other))
        assert row["jaccard"] == pytest.approx(metrics.jaccard_score(one, other))
        only = int((one & ~other).sum()), int((other & ~one).sum())
        assert (row["first_only"], row["second_only"]) == only
        expected = stats.binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0
        assert row["mcnemar_p"] == pytest.approx(expected)
    among = [row for row in rows if row["among"] == "candidates"]
    assert {(row["first"], row["second"]) for row in among} == {("fbml", "manual")}
    assert among[0]["objects"] == said_by(cohort, "spot", PLAN.stages).sum()


def test_only_samples_that_both_judged_are_compared(cohort: list[Judged]) -> None:
    without = [replace(cohort[0], manual=None), *cohort[1:]]
    rows = {(row["first"], row["second"]): row["objects"] for row in kappa_rows(without, PLAN)[:4]}
    outside = int(np.isin(cohort[0].stages, PLAN.stages).sum())
    assert rows["spot", "fbml"] - rows["spot", "manual"] == outside
    assert rows["spot+fbml+manual", ""] == rows["spot", "manual"]


def test_differences_of_methods_over_samples(cohort: list[Judged]) -> None:
    frequencies = frequency_rows(cohort, replace(PLAN, methods=("manual", "spot")))
    rows = bland_altman_rows(frequencies, replace(PLAN, methods=("manual", "spot")))
    assert [(row["stage"], row["first"], row["second"], row["n"]) for row in rows] == [
        ("A", "spot", "manual", 13), ("B", "spot", "manual", 13),
    ]  # fmt: skip
    for row in rows:
        by = {
            method: np.array(
                [f["percent"] for f in frequencies if (f["stage"], f["method"]) == (row["stage"], method)]
            )
            for method in ("spot", "manual")
        }
        difference = by["spot"] - by["manual"]
        assert (row["bias"], row["sd"]) == pytest.approx((difference.mean(), difference.std(ddof=1)))


def test_regions_sum_to_the_totals_of_the_methods(cohort: list[Judged]) -> None:
    """The Venn of every group and stage, the UpSet table and the counts of BNEs say the same."""
    frequencies = frequency_rows(cohort, PLAN)
    venn = overlap_rows(cohort, PLAN, RATERS)
    columns = upset_rows(cohort, PLAN)
    for method in RATERS:
        for group in PLAN.groups:
            for stage in PLAN.stages:
                key = (group, stage)
                total = sum(
                    f["bne"] for f in frequencies if (f["group"], f["stage"], f["method"]) == (*key, method)
                )
                assert total == sum(r["count"] for r in venn if (r["group"], r["stage"]) == key and r[method])
                assert total == sum(
                    r["count"]
                    for r in columns
                    if (r["group"], r["stage"]) == key and method in r["methods"].split("+")
                )
        everywhere = sum(f["bne"] for f in frequencies if f["method"] == method)
        assert everywhere == sum(
            r["count"] for r in columns if not r["group"] and method in r["methods"].split("+")
        )
    assert all(row["count"] and row["degree"] == len(row["methods"].split("+")) for row in columns)


def test_correction_keeps_what_the_observer_confirms(cohort: list[Judged]) -> None:
    rows = corrected_rows(cohort, PLAN)
    assert {row["method"] for row in rows} == {"spot", "fbml"}
    for row in rows:
        judged = next(one for one in cohort if one.sample.id == row["sample"])
        confirmed = judged.positive(row["method"]) & judged.positive("manual") & judged.in_stage(row["stage"])
        assert row["confirmed"] == confirmed.sum() <= row["bne"]
        interval = stats.binomtest(row["confirmed"], row["cells"]).proportion_ci(method="wilson")
        assert (row["corrected_low"], row["corrected_high"]) == pytest.approx(
            (100 * interval.low, 100 * interval.high)
        )


def test_tests_after_correction_stand_beside_those_before(cohort: list[Judged]) -> None:
    rows = corrected_test_rows(corrected_rows(cohort, PLAN), PLAN)
    before, _ = rank_rows(frequency_rows(cohort, PLAN), PLAN)
    wanted = [row for row in before if row["method"] != "manual"]
    assert [row["p_before"] for row in rows] == [row["p"] for row in wanted]
    assert [row["p_adjusted_before"] for row in rows] == [row["p_adjusted"] for row in wanted]
    values = {}
    for row in corrected_rows(cohort, PLAN):
        if (row["stage"], row["method"]) == ("A", "fbml"):
            values.setdefault(row["group"], []).append(row["corrected"])
    found = next(row for row in rows if (row["stage"], row["method"], row["case"]) == ("A", "fbml", "M"))
    assert found["median_case"] == np.median(values["M"])
    assert found["u"] == stats.mannwhitneyu(values["M"], values["N"]).statistic


def test_one_group(cohort: list[Judged]) -> None:
    alone = [one for one in cohort if one.sample.group == "N"]
    for control in (None, "N"):
        tables = every_table(alone, replace(PLAN, groups=("N",), control=control, cases=()))
        assert all(not tables[name] for name in ("tests", "group_tests", "flags", "corrected_tests"))
        assert all(tables[name] for name in ("precision", "errors", "kappa", "bland_altman", "upset"))


def test_one_control(cohort: list[Judged]) -> None:
    kept = [one for one in cohort if one.sample.group != "N" or one.sample.id == "N0"]
    tables = every_table(kept, PLAN)
    assert {row["n_control"] for row in tables["flags"]} == {1}
    assert {row["share_above"] for row in tables["flags"]} == {0.5}
    assert all(
        np.isnan(row["shift_low"]) and row["effect_low"] < row["effect_high"] for row in tables["tests"]
    )
    assert {row["df"] for row in tables["group_tests"] if row["test"] == "kruskal-wallis"} == {2}


def test_without_manual_tags(cohort: list[Judged]) -> None:
    untagged = [replace(one, manual=None) for one in cohort]
    tables = every_table(untagged, replace(PLAN, methods=("spot", "fbml")))
    assert rating(untagged, PLAN) == ("spot", "fbml")
    assert not tables["errors"]
    assert not tables["corrected"]
    assert not tables["corrected_tests"]
    assert {(row["first"], row["second"]) for row in tables["kappa"]} == {("spot", "fbml")}
    assert {(row["first"], row["second"]) for row in tables["bland_altman"]} == {("spot", "fbml")}
    assert {row["methods"] for row in tables["upset"]} == {"spot", "spot+fbml"}


def test_tags_for_some_samples_only(cohort: list[Judged]) -> None:
    some = [one if i % 2 else replace(one, manual=None) for i, one in enumerate(cohort)]
    tables = every_table(some, PLAN)
    assert {row["sample"] for row in tables["errors"]} == {one.sample.id for one in some[1::2]}
    assert {row["n"] for row in tables["bland_altman"] if row["second"] == "manual"} == {6}
    assert all(row["n_case"] + row["n_control"] < 9 for row in tables["corrected_tests"])


def test_a_method_that_did_not_run(cohort: list[Judged]) -> None:
    untrained = [replace(one, fbml=None) for one in cohort]
    tables = every_table(untrained, replace(PLAN, methods=("spot", "manual")))
    for name in ("kappa", "bland_altman"):
        assert {(row["first"], row["second"]) for row in tables[name]} == {("spot", "manual")}, name
    assert {row["method"] for row in tables["corrected"]} == {"spot"}
    assert {row["kind"] for row in tables["kappa"]} == {"cohen"}


def test_only_manual_tags_are_counted(cohort: list[Judged]) -> None:
    untrained = [replace(one, fbml=None) for one in cohort]
    tables = every_table(untrained, replace(PLAN, methods=("manual",)))
    assert not tables["corrected"]
    assert not tables["bland_altman"]
    assert {row["method"] for row in tables["errors"]} == {"spot"}


def test_a_stage_without_cells(cohort: list[Judged]) -> None:
    emptied = [replace(one, stages=np.where(one.stages == "B", "", one.stages)) for one in cohort]
    tables = every_table(emptied, PLAN)
    for name in ("tests", "group_tests", "bland_altman", "corrected_tests"):
        assert {row["stage"] for row in tables[name]} == {"A"}, name
    assert {row["verdict"] for row in tables["flags"] if row["stage"] == "B"} == {""}
    assert {row["cells_needed"] for row in tables["precision"] if row["stage"] == "B"} == {None}
    assert {row["objects"] for row in tables["kappa"] if row["stage"] == "B"} == {0}
    assert not [row for row in tables["upset"] if row["stage"] == "B"]


def test_no_bne_anywhere(cohort: list[Judged]) -> None:
    """All values are tied: no difference, no flag, nothing to agree on."""
    none = [
        replace(
            one,
            spot_count=np.ones_like(one.spot_count),
            candidate=np.zeros_like(one.candidate),
            fbml=np.full_like(one.fbml, ""),
            manual=np.full_like(one.manual, ""),
        )
        for one in cohort
    ]
    tables = every_table(none, PLAN)
    assert {(row["p"], row["p_adjusted"], row["effect"], row["shift"]) for row in tables["tests"]} == {
        (1.0, 1.0, 0.0, 0.0)
    }
    assert {(row["statistic"], row["p"]) for row in tables["group_tests"]} == {(0.0, 1.0)}
    assert {row["verdict"] for row in tables["flags"]} == {"within"}
    assert all(row["limit"] > 0 for row in tables["flags"])
    assert {row["fp_share"] for row in tables["errors"]} == {None}
    assert all(np.isnan(row["kappa"]) for row in tables["kappa"])
    assert {row["sd"] for row in tables["bland_altman"]} == {0.0}
    assert not tables["upset"]


def test_no_counted_samples() -> None:
    tables = every_table([], Plan((), (), ("spot",)))
    assert not any(tables.values())


@pytest.mark.parametrize("correction", ["holm", "bh", "none"])
def test_the_document_holds_every_table_and_follows_its_schema(
    cohort: list[Judged], tmp_path: Path, correction: str
) -> None:
    text = f'[study]\ncontrol = "N"\n[channels]\nDRAQ5 = 1\n[compare]\ncorrection = "{correction}"\n'
    for one in cohort:
        name, group = one.sample.id, one.sample.group
        (tmp_path / f"{name}.cif").touch()
        text += f'[[samples]]\nid = "{name}"\ngroup = "{group}"\nfile = "{name}.cif"\n'
    (tmp_path / "study.toml").write_text(text)
    document = find(load_study(tmp_path / "study.toml"), cohort).document
    validate(document, "results")
    assert document["correction"] == correction
    for name in set(COLUMNS) - {"classifications"}:
        assert document[name], name
        assert all(set(row) == set(COLUMNS[name]) for row in document[name]), name
    assert document["precision"][0]["wanted"] == 0.25
