"""The top of a report speaks of every trained method, and of the plain rule where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from ifcyto.report.summary import key_numbers, summary

SAMPLES = [
    {"group": group, "training_only": group == "T", "counted": 10, "candidates": 2}
    for group in ("N", "M", "T")
]
TEST = {
    "stage": "ProE", "case": "M", "control": "N", "median_case": 2.0, "median_control": 1.0, "p": 0.5,
    "p_adjusted": 0.75, "exact": True,
}  # fmt: skip
TESTS = [
    {**TEST, "method": "spot"},
    {**TEST, "method": "fbml", "stage": "BasoE", "p": 0.04, "p_adjusted": 0.08},
    {**TEST, "method": "fbml"},
    {**TEST, "method": "cnn", "p": 0.25, "exact": False},
]
SCORE = {
    "class": "BNE", "sample": "", "reference": "manual", "support": 4, "tp": 3, "fp": 1, "precision": 0.75,
    "recall": 0.75, "f1": 0.75,
}  # fmt: skip


def results(*ran: str, tests: list[dict[str, Any]] = TESTS) -> dict[str, Any]:
    every = ("spot", *ran)
    return {
        "samples": SAMPLES, "groups": ["N", "M"], "stages": ["ProE", "BasoE"], "control": "N",
        "rule": {"spots": 2},
        "methods": {name: {"ran": name in every} for name in ("spot", "fbml", "cnn")},
        "tests": [test for test in tests if test["method"] in every],
        "agreement": [
            {**SCORE, "method": name, "reference": where, "sample": sample, "f1": f1}
            for name, f1 in zip(every, (0.5, 0.8, 0.9), strict=False)
            for where, sample in (("manual", ""), ("truth", ""), ("manual", "one"))
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ran", "named"),
    [
        ((), ["plain rule"]),
        (("fbml",), ["feature-based classifier"]),
        (("cnn",), ["network"]),
        (("fbml", "cnn"), ["feature-based classifier", "network"]),
    ],
)
def test_the_clearest_difference_by_each_trained_method(ran: tuple[str, ...], named: list[str]) -> None:
    first, *middle, last = summary(results(*ran))
    assert first == "Samples counted: 2, by group: N (1), M (1). Stages: ProE, BasoE."
    assert [text.split(" the clearest")[0].removeprefix("By the ") for text in middle] == named
    said = {
        (): "The rule calls every object", ("fbml",): "The feature-based classifier was trained",
        ("cnn",): "The network was trained", ("fbml", "cnn"): "Both were trained",
    }  # fmt: skip
    assert said[ran] in last


def test_the_lowest_p_is_the_clearest() -> None:
    _, features, network, _ = summary(results("fbml", "cnn"))
    assert features == (
        "By the feature-based classifier the clearest difference is in stage BasoE: median 2.00 % in M "
        "against 1.00 % in N, exact Mann-Whitney p = 0.04 (adjusted 0.08)."
    )
    assert "stage ProE" in network
    assert "approximate Mann-Whitney p = 0.25" in network


def test_a_method_without_tests_has_no_sentence() -> None:
    only = [test for test in TESTS if test["method"] == "cnn"]
    found = summary(results("fbml", "cnn", tests=only))
    assert [text[:14] for text in found] == ["Samples counte", "By the network", "The network wa"]
    assert summary(results("fbml", tests=[]))[1:] == ("No test was possible.",)


@pytest.mark.parametrize(
    ("ran", "expected"),
    [
        ((), [("F1", "0.500", "plain rule against manual tags"), ("precision", "0.750", "3 of 4")]),
        (("cnn",), [("F1", "0.800", "network against manual tags"), ("precision", "0.750", "3 of 4")]),
        (
            ("fbml", "cnn"),
            [
                ("F1", "0.800", "feature-based against manual tags"),
                ("F1", "0.900", "network against manual tags"),
                ("precision", "0.750", "3 of 4, feature-based"),
            ],
        ),
    ],
)
def test_scores_of_each_trained_method(ran: tuple[str, ...], expected: list[tuple[str, str, str]]) -> None:
    found = [(number.label, number.value, number.note) for number in key_numbers(results(*ran))]
    assert found[:3] == [
        ("samples", 2, "2 groups"), ("cells counted", 20, "2 stages"), ("candidates", 4, "Spot Count = 2"),
    ]  # fmt: skip
    assert found[3:-1] == expected
    assert found[-1][0] == "recall"
