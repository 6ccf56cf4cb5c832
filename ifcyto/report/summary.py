"""What a report says first: the clearest difference by each method, and the key numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report import sections as parts
from ifcyto.report.comparison import SHORT_NAMES
from ifcyto.report.model import KeyNumber
from ifcyto.report.training_text import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["key_numbers", "summary"]

TRAINED = {"fbml": "feature-based classifier", "cnn": "network"}
"""Methods that learn from the table of truth; the first that ran gives the key numbers."""


def summary(results: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences at the top of a report.

    Parameters
    ----------
    results : mapping
        Content of ``results.json`` (``data_schemas/results.md``).

    Returns
    -------
    tuple of str
        Samples, then the clearest difference by each trained method, or else by the plain rule.
    """
    counted = [sample for sample in results["samples"] if not sample["training_only"]]
    groups = ", ".join(
        f"{name} ({sum(sample['group'] == name for sample in counted)})" for name in results["groups"]
    )
    stages = ", ".join(results["stages"]) or "none"
    first = f"Samples counted: {len(counted)}, by group: {groups or 'none'}. Stages: {stages}."
    methods = _trained(results) or ["spot"]
    every = {name: [test for test in results["tests"] if test["method"] == name] for name in methods}
    tested = {name: tests for name, tests in every.items() if tests}
    if not tested:
        return (first, "No groups were compared." if not results["control"] else "No test was possible.")
    return (first, *(_clearest(name, tests) for name, tests in tested.items()), _remark(list(tested)))


def _trained(results: Mapping[str, Any]) -> list[str]:
    return [name for name in TRAINED if results["methods"][name]["ran"]]


def _clearest(name: str, tests: Sequence[Mapping[str, Any]]) -> str:
    low = min(tests, key=lambda test: test["p"])
    kind = "exact" if low["exact"] else "approximate"
    return (
        f"By the {TRAINED.get(name, 'plain rule')} the clearest difference is in stage {low['stage']}: "
        f"median {low['median_case']:.2f} % in {low['case']} against "
        f"{low['median_control']:.2f} % in {low['control']}, "
        f"{kind} Mann-Whitney p = {low['p']:.4g} (adjusted {low['p_adjusted']:.4g})."
    )


def _remark(methods: Sequence[str]) -> str:
    if len(methods) > 1:
        return "Both were trained on the table of truth of this study and judge the candidates only."
    if methods[0] in TRAINED:
        return (
            f"The {TRAINED[methods[0]]} was trained on the table of truth of this study and judges the "
            "candidates only."
        )
    return (
        "The rule calls every object with the asked number of nuclei a BNE; doublets and irregular "
        "nuclei are not told apart."
    )


def key_numbers(results: Mapping[str, Any]) -> tuple[KeyNumber, ...]:
    """Numbers at the top of a report: samples, cells, candidates, and how well BNEs are told.

    Parameters
    ----------
    results : mapping
        Content of ``results.json``.

    Returns
    -------
    tuple of KeyNumber
        Without scores where nothing is tagged; with the F1 of each trained method where there are two.
    """
    counted = [sample for sample in results["samples"] if not sample["training_only"]]
    cells = sum(sample["counted"] for sample in counted)
    candidates = sum(sample["candidates"] for sample in counted)
    numbers = [
        KeyNumber("samples", len(counted), note=number_of(len(results["groups"]), "group")),
        KeyNumber("cells counted", cells, note=number_of(len(results["stages"]), "stage")),
        KeyNumber("candidates", candidates, note=f"Spot Count = {results['rule']['spots']}"),
    ]
    scores = [row for row in results["agreement"] if row["class"] == "BNE" and not row["sample"]]
    if not scores:
        return tuple(numbers)
    by_method = {row["method"]: row for row in reversed(scores)}  # the first reference of each method
    ran = [by_method[name] for name in _trained(results) if name in by_method] or scores[:1]
    for row in ran:
        note = f"{SHORT_NAMES[row['method']]} against {parts.reference_name(row['reference'])}"
        numbers.append(KeyNumber("F1", _score(row["f1"]), note=note))
    first = ran[0]
    hits, called = first["tp"], first["tp"] + first["fp"]
    of = "" if len(ran) == 1 else f", {SHORT_NAMES[first['method']]}"
    numbers += [
        KeyNumber("precision", _score(first["precision"]), note=f"{hits} of {called}{of}"),
        KeyNumber("recall", _score(first["recall"]), note=f"{hits} of {first['support']}{of}"),
    ]
    return tuple(numbers)


def _score(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"
