"""The whole report of a study: summary, key numbers, sections, provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report import sections as parts
from ifcyto.report.methods import CITATIONS, methods_text
from ifcyto.report.model import KeyNumber, Provenance, Report
from ifcyto.report.training import training_section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.report.model import FigureRef

__all__ = ["FILES", "build_report"]

FILES = (
    ("classifications.csv", "every object: stage, Spot Count, what each method called it"),
    ("frequencies.csv", "BNEs in percent, per sample, stage and method"),
    ("tests.csv", "Mann-Whitney tests of the groups"),
    ("overlap.csv", "cells that manual tags, feature-based classifier and network call a BNE"),
    ("spot_overlap.csv", "cells that manual tags and plain rule call a BNE"),
    ("agreement.csv", "precision, recall and F1 of the plain rule"),
    ("confusion.csv", "what each method called the objects of each class"),
    ("results.json", "all of the above but the single objects, and the settings"),
    ("provenance.json", "versions, settings and SHA-256 of every input"),
)
"""Files beside the report and what they hold."""


MODEL = ("models/fbml/training.json", "the training of the feature-based classifier; beside it the model")


def build_report(
    results: Mapping[str, Any], figures: Mapping[str, Sequence[FigureRef]], provenance: Mapping[str, Any]
) -> Report:
    """Arrange results and figures for a reader.

    Parameters
    ----------
    results : mapping
        Content of ``results.json`` (``data_schemas/results.md``).
    figures : mapping of str to sequence of FigureRef
        By section: ``frequencies``, ``spots``, ``candidates``, ``agreement``, ``overlap``.
    provenance : mapping
        Record made by :func:`ifcyto.provenance.provenance`.

    Returns
    -------
    Report
    """
    sections = [
        parts.frequencies_section(results, tuple(figures.get("frequencies", ()))),
        parts.tests_section(results),
        parts.spots_section(results, tuple(figures.get("spots", ()))),
        parts.candidates_section(results, tuple(figures.get("candidates", ()))),
        None
        if results["training"] is None
        else training_section(
            results["training"], tuple(figures.get("training", ())), ranking_file="models/fbml/ranking.csv"
        ),
        parts.agreement_section(results, tuple(figures.get("agreement", ()))),
        parts.overlap_section(results, tuple(figures.get("overlap", ()))),
        parts.methods_section(results),
    ]
    return Report(
        title=results["title"],
        subtitle="Binucleated erythroblasts (BNE) by imaging flow cytometry",
        summary=_summary(results),
        key_numbers=_key_numbers(results),
        sections=tuple(section for section in sections if section is not None),
        warnings=tuple(results["notes"]),
        methods_text=methods_text(results, provenance),
        cite=CITATIONS,
        provenance=_provenance(results, provenance),
        files=FILES if results["training"] is None else (*FILES, MODEL),
    )


def _summary(results: Mapping[str, Any]) -> tuple[str, ...]:
    counted = [sample for sample in results["samples"] if not sample["training_only"]]
    groups = ", ".join(
        f"{name} ({sum(sample['group'] == name for sample in counted)})" for name in results["groups"]
    )
    stages = ", ".join(results["stages"]) or "none"
    first = f"Samples counted: {len(counted)}, by group: {groups or 'none'}. Stages: {stages}."
    method = "fbml" if results["methods"]["fbml"]["ran"] else "spot"
    tests = [test for test in results["tests"] if test["method"] == method]
    if not tests:
        return (first, "No groups were compared." if not results["control"] else "No test was possible.")
    low = min(tests, key=lambda test: test["p"])
    kind = "exact" if low["exact"] else "approximate"
    name = "feature-based classifier" if method == "fbml" else "plain rule"
    remark = (
        "The classifier was trained on the table of truth of this study and judges the candidates only."
        if method == "fbml"
        else "The rule calls every object with the asked number of nuclei a BNE; doublets and irregular "
        "nuclei are not told apart."
    )
    second = (
        f"By the {name} the clearest difference is in stage {low['stage']}: median "
        f"{low['median_case']:.2f} % in {low['case']} against "
        f"{low['median_control']:.2f} % in {low['control']}, "
        f"{kind} Mann-Whitney p = {low['p']:.4g} (adjusted {low['p_adjusted']:.4g}). {remark}"
    )
    return (first, second)


def _key_numbers(results: Mapping[str, Any]) -> tuple[KeyNumber, ...]:
    counted = [sample for sample in results["samples"] if not sample["training_only"]]
    cells = sum(sample["counted"] for sample in counted)
    candidates = sum(sample["candidates"] for sample in counted)
    numbers = [
        KeyNumber("samples", len(counted), note=_number(len(results["groups"]), "group")),
        KeyNumber("cells counted", cells, note=_number(len(results["stages"]), "stage")),
        KeyNumber("candidates", candidates, note=f"Spot Count = {results['rule']['spots']}"),
    ]
    scores = [row for row in results["agreement"] if row["class"] == "BNE" and not row["sample"]]
    if scores:
        row = next((row for row in scores if row["method"] == "fbml"), scores[0])
        note = f"{parts.SHORT_NAMES[row['method']]} against {parts.reference_name(row['reference'])}"
        numbers += [
            KeyNumber("F1", _score(row["f1"]), note=note),
            KeyNumber("precision", _score(row["precision"]), note=f"{row['tp']} of {row['tp'] + row['fp']}"),
            KeyNumber("recall", _score(row["recall"]), note=f"{row['tp']} of {row['support']}"),
        ]
    return tuple(numbers)


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _score(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _provenance(results: Mapping[str, Any], provenance: Mapping[str, Any]) -> Provenance:
    versions = {"ifcyto": provenance["ifcyto"], "Python": provenance["python"], **provenance["dependencies"]}
    return Provenance(
        generated=provenance["time"],
        settings=(("seed", str(results["seed"])), ("platform", provenance["platform"])),
        versions=tuple((name, str(version)) for name, version in versions.items()),
        inputs=tuple((source["name"], source["sha256"]) for source in provenance["sources"]),
    )
