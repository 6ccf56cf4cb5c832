"""Rows of the tables against hand counts and scipy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ifcyto.pipeline.comparisons import agreement_rows, confusion_rows, overlap_rows
from ifcyto.pipeline.counts import Plan, classification_rows, frequency_rows, rank_rows, stage_order
from ifcyto.pipeline.judged import Judged
from ifcyto.pipeline.study import Sample
from ifcyto.pipeline.tables import COLUMNS, as_text, table_text
from ifcyto.schemas import load_schema, schema_path

PLAN = Plan(groups=("N", "M"), stages=("A", "B"), methods=("spot", "manual"), control="N", cases=("M",))


def judged(name: str, group: str, stages: str, spots: str, manual: list[str] | None = None, **more) -> Judged:
    """One letter and one digit an object."""
    counts = np.array([int(digit) for digit in spots])
    return Judged(
        Sample(name, group, Path(f"{name}.cif"), training_only=more.pop("training_only", False)),
        np.arange(len(counts)) * 10,
        counts,
        counts == 2,
        np.array([stage.strip() for stage in stages], dtype=np.str_),
        None if manual is None else np.array(manual, dtype=np.str_),
        **more,
    )


def test_stage_order_is_maturation_then_appearance() -> None:
    sample = judged("s", "N", "    ", "1111")
    names = np.array(["z", "PolyOrthoE", "", "ProE"])
    mixed = Judged(sample.sample, sample.objects, sample.spot_count, sample.candidate, names)
    assert stage_order([judged("t", "N", "b a", "111"), mixed]) == ("ProE", "PolyOrthoE", "b", "a", "z")


def test_frequencies_count_the_stage_and_leave_out_methods_that_did_not_judge() -> None:
    rows = frequency_rows(
        [judged("n", "N", "AAAAB ", "122322"), judged("m", "M", "AA", "21", ["BNE", "BNE"])], PLAN
    )
    key = [(r["sample"], r["stage"], r["method"], r["cells"], r["bne"]) for r in rows]
    assert key == [
        ("n", "A", "spot", 4, 2),
        ("n", "B", "spot", 1, 1),
        ("m", "A", "spot", 2, 1),
        ("m", "A", "manual", 2, 2),
        ("m", "B", "spot", 0, 0),
        ("m", "B", "manual", 0, 0),
    ]
    interval = stats.binomtest(2, 4).proportion_ci(method="wilson")
    assert (rows[0]["percent"], rows[0]["ci_low"], rows[0]["ci_high"]) == pytest.approx(
        (50.0, 100 * interval.low, 100 * interval.high)
    )
    assert as_text(rows[4]["percent"]) == ""


def test_tests_agree_with_scipy_and_are_adjusted_by_holm(rng: np.random.Generator) -> None:
    frequencies = [
        {"sample": f"{g}{i}", "group": g, "stage": s, "method": "spot", "cells": 9, "percent": float(v)}
        for s, shift in (("A", 3.0), ("B", 0.5))
        for g, size, by in (("N", 5, 0.0), ("M", 6, shift))
        for i, v in enumerate(rng.normal(10 + by, 1, size))
    ]
    rows, notes = rank_rows(frequencies, PLAN)
    spot = [row for row in rows if row["method"] == "spot"]
    assert [(row["stage"], row["n_case"], row["n_control"], row["exact"]) for row in spot] == [
        ("A", 6, 5, True),
        ("B", 6, 5, True),
    ]
    for row in spot:
        values = [
            [f["percent"] for f in frequencies if f["stage"] == row["stage"] and f["group"] == group]
            for group in ("M", "N")
        ]
        truth = stats.mannwhitneyu(*values, method="exact")
        assert (row["u"], row["p"]) == pytest.approx((truth.statistic, truth.pvalue))
        assert row["median_case"] == np.median(values[0])
    low, high = sorted(spot, key=lambda row: row["p"])
    assert low["p_adjusted"] == pytest.approx(min(1, 2 * low["p"]))
    assert high["p_adjusted"] == pytest.approx(max(high["p"], low["p_adjusted"]))
    assert [note for note in notes if "method manual" in note] == [
        f"stage {stage}, method manual: no test of M against N, as no sample of M has a frequency there"
        for stage in "AB"
    ]


def test_effect_and_shift_stand_beside_the_test(rng: np.random.Generator) -> None:
    values = {"N": rng.integers(0, 9, 6) / 10, "M": rng.integers(3, 14, 7) / 10}
    frequencies = [
        {"sample": f"{g}{i}", "group": g, "stage": "A", "method": "spot", "cells": 9, "percent": float(v)}
        for g, found in values.items()
        for i, v in enumerate(found)
    ]
    row = rank_rows(frequencies, Plan(("N", "M"), ("A",), ("spot",), "N", ("M",)))[0][0]
    assert set(row) == set(COLUMNS["tests"])
    assert row["auc"] == row["u"] / 42 == (row["effect"] + 1) / 2
    assert row["effect_low"] < row["effect"] < row["effect_high"]
    assert row["shift"] == np.median(np.subtract.outer(values["M"], values["N"]))
    assert row["shift_low"] <= row["shift"] <= row["shift_high"]


def test_correction_of_benjamini_and_hochberg(rng: np.random.Generator) -> None:
    frequencies = [
        {"sample": f"{g}{i}", "group": g, "stage": s, "method": "spot", "cells": 9, "percent": float(v)}
        for s, shift in (("A", 3.0), ("B", 0.5))
        for g, by in (("N", 0.0), ("M", shift))
        for i, v in enumerate(rng.normal(10 + by, 1, 6))
    ]
    rows, _ = rank_rows(frequencies, Plan(("N", "M"), ("A", "B"), ("spot",), "N", ("M",), correction="bh"))
    expected = stats.false_discovery_control([row["p"] for row in rows])
    assert [row["p_adjusted"] for row in rows] == pytest.approx(expected.tolist())


def test_without_correction_p_stays() -> None:
    plan = Plan(("N", "M"), ("A",), ("spot",), "N", ("M",), correction="none")
    rows = frequency_rows([judged(f"{g}{i}", g, "AA", "21") for g in "NM" for i in range(3)], plan)
    assert [row["p"] == row["p_adjusted"] for row in rank_rows(rows, plan)[0]] == [True]


def test_a_sample_without_cells_is_left_out_of_the_test_and_said() -> None:
    samples = [judged("n1", "N", "AA", "12"), judged("n2", "N", "BB", "12"), judged("m1", "M", "AB", "22")]
    rows, notes = rank_rows(frequency_rows(samples, PLAN), PLAN)
    assert {row["stage"]: row["n_control"] for row in rows} == {"A": 1, "B": 1}
    assert "sample n2: no cells in stage A; left out of its tests" in notes
    assert "sample n1: no cells in stage B; left out of its tests" in notes


def test_without_a_control_there_are_no_tests() -> None:
    plan = Plan(("N",), ("A",), ("spot",))
    assert rank_rows(frequency_rows([judged("n", "N", "A", "2")], plan), plan) == ([], [])


MANUAL = judged("n", "N", "AAAAAB ", "2212322", ["BNE", "Doublet", "BNE", "", "", "BNE", "BNE"])


def test_overlap_counts_cells_of_the_group_and_stage() -> None:
    samples = [MANUAL, judged("m", "M", "AA", "22")]
    rows = overlap_rows(samples, PLAN, ("manual", "spot"))
    counts = {(row["group"], row["stage"], row["manual"], row["spot"]): row["count"] for row in rows}
    assert counts == {
        ("N", "A", 1, 1): 1, ("N", "A", 1, 0): 1, ("N", "A", 0, 1): 2,
        ("N", "B", 1, 1): 1, ("N", "B", 1, 0): 0, ("N", "B", 0, 1): 0,
    }  # fmt: skip
    rows = overlap_rows(samples, PLAN, ("manual", "fbml", "cnn"))
    assert [len([row for row in rows if row["stage"] == stage]) for stage in "AB"] == [7, 7]
    assert sum(row["count"] for row in rows if not row["manual"]) == 0
    assert [row["count"] for row in rows if (row["manual"], row["fbml"], row["cnn"]) == (1, 0, 0)] == [2, 1]


def test_agreement_against_tags_and_against_truth() -> None:
    truth = np.array(["", "BNE", "Irregular", "", "", "", ""])
    sample = Judged(MANUAL.sample, MANUAL.objects, MANUAL.spot_count, MANUAL.candidate, MANUAL.stages,
                    MANUAL.manual, truth)  # fmt: skip
    rows = agreement_rows([sample], PLAN)
    found = {
        (r["reference"], r["class"], r["sample"]): (r["support"], r["tp"], r["fp"], r["fn"]) for r in rows
    }
    assert found["manual", "BNE", ""] == (3, 2, 2, 1)
    assert found["manual", "other", "n"] == (3, 1, 1, 2)
    assert found["labels", "BNE", ""] == (1, 1, 0, 0)
    bne = rows[0]
    assert (bne["precision"], bne["recall"], bne["f1"]) == pytest.approx((1 / 2, 2 / 3, 4 / 7))


def test_confusion_keeps_the_true_classes_apart() -> None:
    rows = confusion_rows([MANUAL], PLAN)
    counts = {(row["true"], row["predicted"]): row["count"] for row in rows}
    assert counts == {
        ("BNE", "BNE"): 2, ("BNE", "other"): 1, ("Doublet", "BNE"): 1, ("Doublet", "other"): 0,
        ("other", "BNE"): 1, ("other", "other"): 1,
    }  # fmt: skip


def test_training_samples_are_not_held_against_tags() -> None:
    training = judged("t", "x", "A", "2", ["BNE"], training_only=True)
    assert agreement_rows([training], PLAN) == []
    assert len(list(classification_rows([training]))) == 1


def test_classifications_say_bne_only_of_candidates() -> None:
    rows = list(classification_rows([MANUAL]))
    assert [row["spot"] for row in rows] == ["BNE", "BNE", "", "BNE", "", "BNE", "BNE"]
    assert rows[5]["object"] == 50
    text = table_text("classifications", rows[:1])
    assert text.splitlines()[1] == "n,N,0,A,2,1,BNE,,,BNE,,"


CONTRACT = {
    "classifications": "sample,group,object,stage,spot_count,candidate,spot,fbml,cnn,manual,"
    "fbml_score,cnn_probability",
    "frequencies": "sample,group,stage,method,cells,bne,percent,ci_low,ci_high",
    "tests": "stage,method,case,control,n_case,n_control,median_case,median_control,"
    "u,p,p_adjusted,effect,exact",
    "overlap": "group,stage,manual,fbml,cnn,count",
    "spot_overlap": "group,stage,manual,spot,count",
    "agreement": "method,reference,class,support,tp,fp,fn,precision,recall,f1",
    "confusion": "model,split,true,predicted,count",
    "group_tests": "stage,method,test,groups,n,statistic,df,p,p_adjusted",
    "flags": "sample,group,stage,method,cells,bne,percent,ci_low,ci_high,n_control,limit,verdict",
    "precision": "sample,group,stage,method,cells,percent,half_width,step,detectable,wanted,cells_needed",
    "errors": "method,sample,group,tp,fp,fn,precision,recall,fp_share,fn_share",
    "kappa": "kind,stage,among,first,second,objects,kappa,kappa_low,kappa_high",
    "bland_altman": "stage,first,second,n,bias,bias_low,bias_high,sd",
    "upset": "group,stage,methods,degree,count",
    "corrected": "sample,group,stage,method,cells,bne,percent,confirmed,corrected",
    "corrected_tests": "stage,method,case,control,n_case,n_control,median_case,median_control,u,p",
}


@pytest.mark.parametrize("name", CONTRACT)
def test_leading_columns_are_the_contract(name: str) -> None:
    assert (",".join(COLUMNS[name]) + ",").startswith(CONTRACT[name] + ",")
    page = schema_path("results").with_name("results.md").read_text("utf-8")
    assert f"## {name}.csv\n`{','.join(COLUMNS[name])}`\n" in page
    properties = load_schema("results")["properties"]
    if name != "classifications":
        row = properties[name]["items"]
        assert list(row["properties"]) == list(COLUMNS[name])
        assert row["required"] == list(COLUMNS[name])[: len(row["required"])]
        assert len(row["required"]) >= len(CONTRACT[name].split(","))


def test_every_table_is_declared() -> None:
    assert set(CONTRACT) == set(COLUMNS)
