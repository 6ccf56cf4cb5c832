"""Results in, the sections of a report out; everything said here stands in ``results.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report.methods import CITATIONS, methods_text
from ifcyto.report.model import Column, KeyNumber, Provenance, Report, Section, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.report.model import FigureRef

__all__ = ["FILES", "build_report"]

FILES = (
    ("classifications.csv", "every object: stage, Spot Count, what each method called it"),
    ("frequencies.csv", "BNEs in percent, per sample, stage and method"),
    ("tests.csv", "Mann-Whitney tests of the groups"),
    ("overlap.csv", "cells by who called them a BNE"),
    ("agreement.csv", "precision, recall and F1 of the plain rule"),
    ("confusion.csv", "what the plain rule called the objects of each class"),
    ("results.json", "all of the above but the single objects, and the settings"),
    ("provenance.json", "versions, settings and SHA-256 of every input"),
)
"""Files beside the report and what they hold."""

METHOD_NAMES = {
    "spot": "plain rule (Spot Count)",
    "manual": "manual tags",
    "fbml": "feature-based machine learning",
    "cnn": "convolutional network",
}

_PERCENT = Column("BNE", "%", "number", 2)


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
        _frequencies(results, tuple(figures.get("frequencies", ()))),
        _tests(results),
        _spots(results, tuple(figures.get("spots", ()))),
        _candidates(results, tuple(figures.get("candidates", ()))),
        _agreement(results, tuple(figures.get("agreement", ()))),
        _overlap(results, tuple(figures.get("overlap", ()))),
        _methods(results),
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
        files=FILES,
    )


def _summary(results: Mapping[str, Any]) -> tuple[str, ...]:
    counted = [sample for sample in results["samples"] if not sample["training_only"]]
    groups = ", ".join(
        f"{name} ({sum(sample['group'] == name for sample in counted)})" for name in results["groups"]
    )
    stages = ", ".join(results["stages"]) or "none"
    first = f"Samples counted: {len(counted)}, by group: {groups or 'none'}. Stages: {stages}."
    spot = [test for test in results["tests"] if test["method"] == "spot"]
    if not spot:
        return (first, "No groups were compared." if not results["control"] else "No test was possible.")
    low = min(spot, key=lambda test: test["p"])
    kind = "exact" if low["exact"] else "approximate"
    second = (
        f"By the plain rule the clearest difference is in stage {low['stage']}: median "
        f"{low['median_case']:.2f} % in {low['case']} against {low['median_control']:.2f} % in {low['control']}, "
        f"{kind} Mann-Whitney p = {low['p']:.4g} (adjusted {low['p_adjusted']:.4g}). The rule calls every "
        "object with the asked number of nuclei a BNE; doublets and irregular nuclei are not told apart."
    )
    return (first, second)


def _key_numbers(results: Mapping[str, Any]) -> tuple[KeyNumber, ...]:
    counted = [sample for sample in results["samples"] if not sample["training_only"]]
    cells = sum(sample["counted"] for sample in counted)
    candidates = sum(sample["candidates"] for sample in counted)
    numbers = [
        KeyNumber("samples", len(counted), note=f"{len(results['groups'])} groups"),
        KeyNumber("cells counted", cells, note=f"{len(results['stages'])} stages"),
        KeyNumber("candidates", candidates, note=f"Spot Count = {results['rule']['spots']}"),
    ]
    scores = [row for row in results["agreement"] if row["class"] == "BNE" and not row["sample"]]
    if scores:
        row = scores[0]
        note = f"plain rule against {_reference(row['reference'])}"
        numbers += [
            KeyNumber("F1", row["f1"], note=note),
            KeyNumber("precision", row["precision"], note=f"{row['tp']} of {row['tp'] + row['fp']}"),
            KeyNumber("recall", row["recall"], note=f"{row['tp']} of {row['support']}"),
        ]
    return tuple(numbers)


def _reference(name: str) -> str:
    return "manual tags" if name == "manual" else "the table of truth"


def _frequencies(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section:
    columns = (
        Column("sample"),
        Column("group"),
        Column("stage"),
        Column("method"),
        Column("cells", kind="integer"),
        Column("BNE", kind="integer"),
        _PERCENT,
        Column("95 % from", "%", "number", 2),
        Column("to", "%", "number", 2),
    )
    keys = ("sample", "group", "stage", "method", "cells", "bne", "percent", "ci_low", "ci_high")
    table = Table(
        "Frequency of BNEs in every sample", columns, _rows(results["frequencies"], keys), "frequencies.csv"
    )
    empty = sorted({row["stage"] for row in results["frequencies"]} - _filled(results))
    return Section(
        "frequencies",
        "Frequencies",
        ("A frequency is the number of BNEs in percent of all cells of that stage in that sample.",),
        figures,
        (table,),
        (f"95 % confidence intervals: {results['interval']}.",),
        tuple(f"Stage {stage} holds no cell in any sample." for stage in empty),
    )


def _filled(results: Mapping[str, Any]) -> set[str]:
    return {row["stage"] for row in results["frequencies"] if row["cells"]}


def _tests(results: Mapping[str, Any]) -> Section:
    if not results["tests"]:
        why = (
            "The study names no control group, so nothing is tested."
            if not results["control"]
            else "No group had a frequency to be tested; the warnings say why."
        )
        return Section("tests", "Tests", (why,))
    columns = (
        Column("stage"),
        Column("method"),
        Column("case"),
        Column("control"),
        Column("n case", kind="integer"),
        Column("n control", kind="integer"),
        Column("median case", "%", "number", 2),
        Column("median control", "%", "number", 2),
        Column("U", kind="number", digits=1),
        Column("p", kind="p"),
        Column("p adjusted", kind="p"),
        Column("effect", kind="number", digits=2),
        Column("exact"),
    )
    keys = (
        *("stage", "method", "case", "control", "n_case", "n_control", "median_case", "median_control"),
        *("u", "p", "p_adjusted", "effect", "exact"),
    )
    correction = {
        "holm": "p adjusted: Holm's correction over the stages and case groups of one method.",
        "none": "The p values are not adjusted, as the study asks.",
    }[results["correction"]]
    return Section(
        "tests",
        "Tests",
        ("Two-sided Mann-Whitney U tests of the samples' frequencies, case against control.",),
        (),
        (Table("Mann-Whitney tests", columns, _rows(results["tests"], keys), "tests.csv"),),
        (
            correction,
            "Effect: rank-biserial correlation; 1 when every case lies above every control, -1 below.",
        ),
    )


def _spots(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section:
    counts = [sample["spot_counts"] for sample in results["samples"]]
    largest = max((int(number) for one in counts for number in one), default=0)
    numbers = [str(number) for number in range(largest + 1)]
    columns = (
        Column("sample"),
        Column("group"),
        Column("objects", kind="integer"),
        Column("counted", kind="integer"),
        *(Column(f"{number} spots" if number != "1" else "1 spot", kind="integer") for number in numbers),
    )
    rows = tuple(
        (
            *(sample[key] for key in ("id", "group", "objects", "counted")),
            *(sample["spot_counts"].get(number, 0) for number in numbers),
        )
        for sample in results["samples"]
    )
    return Section(
        "spot-count",
        "Spot Count",
        ("How many nuclei the nuclear mask of each counted object has.",),
        figures,
        (Table("Counted objects by Spot Count", columns, rows),),
        ("Counted: objects that belong to a stage of the study.",),
    )


def _candidates(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section:
    if figures:
        text = "A seeded random choice of candidates; the outline is the nuclear mask."
    elif any(sample["candidates"] for sample in results["samples"]):
        text = "The study asks for no contact sheets."
    else:
        text = "No object has the Spot Count of a candidate."
    return Section("candidates", "Candidates", (text,), figures)


def _agreement(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section:
    rows = [row for row in results["agreement"] if row["class"] == "BNE"]
    if not rows:
        return Section(
            "agreement",
            "Agreement",
            ("No manual tags and no table of truth were given, so the plain rule cannot be judged.",),
        )
    columns = (
        Column("reference"),
        Column("sample"),
        *(Column(name, kind="integer") for name in ("true BNE", "found", "false", "missed")),
        *(Column(name, kind="number", digits=3) for name in ("precision", "recall", "F1")),
    )
    values = tuple(
        (
            _reference(row["reference"]),
            row["sample"] or "all",
            *(row[key] for key in ("support", "tp", "fp", "fn", "precision", "recall", "f1")),
        )
        for row in rows
    )
    notes = ["An object without a manual tag is no BNE, nor is one that the observer called Unknown."]
    notes += ["The table of truth counts only for the objects that it lists."]
    return Section(
        "agreement",
        "Agreement of the plain rule",
        ("Class BNE against all others.",),
        figures,
        (Table("The plain rule against each reference", columns, values, "agreement.csv"),),
        tuple(notes),
    )


def _overlap(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section | None:
    if not results["overlap"]:
        return None
    columns = (Column("group"), Column("stage"), Column("manual"), Column("plain rule"),
               Column("cells", kind="integer"))  # fmt: skip
    rows = tuple(
        (row["group"], row["stage"], bool(row["manual"]), bool(row["spot"]), row["count"])
        for row in results["overlap"]
    )
    return Section(
        "overlap",
        "Overlap",
        ("Cells by who called them a BNE, in the samples that an observer looked at.",),
        figures,
        (Table("BNEs by manual tags and plain rule", columns, rows, "overlap.csv"),),
    )


def _methods(results: Mapping[str, Any]) -> Section:
    columns = (Column("method"), Column("ran"), Column("remark"))
    rows = tuple(
        (METHOD_NAMES[name], bool(state["ran"]), state["why"]) for name, state in results["methods"].items()
    )
    settings = tuple((key, str(value)) for key, value in results["rule"].items())
    return Section(
        "methods",
        "Methods of this run",
        tables=(
            Table("What ran, and why the others did not", columns, rows),
            Table(
                "Settings of the nuclear mask and the plain rule",
                (Column("setting"), Column("value")),
                settings,
            ),
        ),
        notes=("The nuclear mask is an approximation of a user-made IDEAS mask, not IDEAS' own algorithm.",),
    )


def _rows(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(row[key] for key in keys) for row in rows)


def _provenance(results: Mapping[str, Any], provenance: Mapping[str, Any]) -> Provenance:
    versions = {"ifcyto": provenance["ifcyto"], "Python": provenance["python"], **provenance["dependencies"]}
    return Provenance(
        generated=provenance["time"],
        settings=(("seed", str(results["seed"])), ("platform", provenance["platform"])),
        versions=tuple((name, str(version)) for name, version in versions.items()),
        inputs=tuple((source["name"], source["sha256"]) for source in provenance["sources"]),
    )
