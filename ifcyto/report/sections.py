"""Results in, the sections of a report out; everything said here stands in ``results.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report.comparison import SHORT_NAMES, extra_test_tables
from ifcyto.report.model import Column, Section, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.report.model import FigureRef

__all__ = [
    "INTERVALS",
    "agreement_section",
    "candidates_section",
    "frequencies_section",
    "methods_section",
    "overlap_section",
    "reference_name",
    "spots_section",
    "tests_section",
]

METHOD_NAMES = {
    "spot": "plain rule (Spot Count)",
    "manual": "manual tags",
    "fbml": "feature-based machine learning",
    "cnn": "convolutional network",
}

NBSP = "\N{NO-BREAK SPACE}"

INTERVALS = {"wilson": "Wilson", "clopper-pearson": "Clopper-Pearson"}

_PERCENT = Column("BNE", "%", "number", 2)


def reference_name(name: str) -> str:
    """A reference in words."""
    return "manual tags" if name == "manual" else "the table of truth"


def frequencies_section(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section:
    """Table of frequencies and the violins."""
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
    rows = _rows([_spoken(row) for row in results["frequencies"]], keys)
    table = Table("Frequency of BNEs in every sample", columns, rows, "frequencies.csv")
    empty = sorted({row["stage"] for row in results["frequencies"]} - _filled(results))
    return Section(
        "frequencies",
        "Frequencies",
        ("A frequency is the number of BNEs in percent of all cells of that stage in that sample.",),
        figures,
        (table,),
        (f"95 % confidence intervals: {INTERVALS[results['interval']]}.",),
        tuple(f"Stage {stage} holds no cell in any sample." for stage in empty),
    )


def _filled(results: Mapping[str, Any]) -> set[str]:
    return {row["stage"] for row in results["frequencies"] if row["cells"]}


def tests_section(results: Mapping[str, Any]) -> Section:
    """Table of the Mann-Whitney tests, or why there are none."""
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
        Column("n"),
        Column("median", "%", "number", 2),
        Column("control", "%", "number", 2),
        Column("U", kind="number", digits=1),
        Column("p", kind="p"),
        Column("adjusted", kind="p"),
        Column("effect", kind="number", digits=2),
    )
    keys = ("median_case", "median_control", "u", "p", "p_adjusted", "effect")
    rows = tuple(
        (
            *(_spoken(row)[key] for key in ("stage", "method", "case")),
            f"{row['n_case']}{NBSP}/{NBSP}{row['n_control']}",
            *(row[key] for key in keys),
        )
        for row in results["tests"]
    )
    exact = all(row["exact"] for row in results["tests"])
    correction = {
        "holm": "Adjusted: Holm's correction over the stages and case groups of one method.",
        "bh": "Adjusted: Benjamini and Hochberg's correction over the stages and case groups of one method.",
        "none": "The p values are not adjusted, as the study asks.",
    }[results["correction"]]
    table = Table(f"Mann-Whitney tests against {results['control']}", columns, rows, "tests.csv")
    return Section(
        "tests",
        "Tests",
        ("Two-sided Mann-Whitney U tests of the samples' frequencies, case against control.",),
        (),
        (table, *extra_test_tables(results)),
        (
            "All p values are exact." if exact else "Some p values are normal approximations; see tests.csv.",
            correction,
            "n: samples of case and control. Median: of the case samples, and of the control samples.",
            "Effect: rank-biserial correlation; 1 when every case lies above every control, -1 below. Shift: "
            "median of all differences of a case and a control (Hodges-Lehmann).",
        ),
    )


def spots_section(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section:
    """Spot counts of every sample."""
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


def candidates_section(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section:
    """Contact sheets of the candidates."""
    if figures:
        text = "A seeded random choice of candidates; the outline is the nuclear mask."
    elif any(sample["candidates"] for sample in results["samples"]):
        text = "The study asks for no contact sheets."
    else:
        text = "No object has the Spot Count of a candidate."
    return Section("candidates", "Candidates", (text,), figures)


def agreement_section(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section:
    """Precision, recall and F1 of each method against each reference."""
    rows = [row for row in results["agreement"] if row["class"] == "BNE"]
    if not rows:
        return Section(
            "agreement",
            "Agreement",
            ("No manual tags and no table of truth were given, so no method can be judged.",),
        )
    columns = (
        Column("method"),
        Column("reference"),
        Column("sample"),
        *(Column(name, kind="integer") for name in ("true BNE", "found", "false", "missed")),
        *(Column(name, kind="number", digits=3) for name in ("precision", "recall", "F1")),
    )
    values = tuple(
        (
            SHORT_NAMES[row["method"]],
            reference_name(row["reference"]),
            row["sample"] or "all",
            *(row[key] for key in ("support", "tp", "fp", "fn", "precision", "recall", "f1")),
        )
        for row in rows
    )
    notes = ["An object without a manual tag is no BNE, nor is one that the observer called Unknown."]
    notes += ["The table of truth counts only for the objects that it lists."]
    return Section(
        "agreement",
        "Agreement",
        ("Class BNE against all others.",),
        figures,
        (Table("Each method against each reference", columns, values, "agreement.csv"),),
        tuple(notes),
    )


def overlap_section(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section | None:
    """Who called which cells a BNE; None where no observer looked."""
    if not results["spot_overlap"]:
        return None
    columns = (Column("group"), Column("stage"), Column("manual"), Column("plain rule"),
               Column("cells", kind="integer"))  # fmt: skip
    rows = tuple(
        (row["group"], row["stage"], bool(row["manual"]), bool(row["spot"]), row["count"])
        for row in results["spot_overlap"]
    )
    tables = [Table("BNEs by manual tags and plain rule", columns, rows, "spot_overlap.csv")]
    if any(results["methods"][name]["ran"] for name in ("fbml", "cnn")):
        sets = ("manual", "fbml", "cnn")
        heads = (*(Column(name) for name in ("group", "stage", *sets)), Column("cells", kind="integer"))
        regions = tuple(
            (row["group"], row["stage"], *(bool(row[name]) for name in sets), row["count"])
            for row in results["overlap"]
        )
        tables.append(Table("BNEs by manual tags and trained methods", heads, regions, "overlap.csv"))
    return Section(
        "overlap",
        "Overlap",
        ("Cells by who called them a BNE, in the samples that an observer looked at.",),
        figures,
        tuple(tables),
    )


def methods_section(results: Mapping[str, Any]) -> Section:
    """What ran, why the others did not, and the settings."""
    columns = (Column("method"), Column("ran"), Column("remark"))
    rows = tuple(
        (METHOD_NAMES[name], bool(state["ran"]), state["why"]) for name, state in results["methods"].items()
    )
    settings = tuple(
        (key, "as the files say" if value is None else str(value)) for key, value in results["rule"].items()
    )
    return Section(
        "methods",
        "Methods of this run",
        tables=(
            Table("What ran, and why the others did not", columns, rows),
            Table(
                "Settings of the plain rule",
                (Column("setting"), Column("value")),
                settings,
            ),
        ),
        notes=("The nuclear mask is an approximation of a user-made IDEAS mask, not IDEAS' own algorithm.",),
    )


def _spoken(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its method in words."""
    return {**row, "method": SHORT_NAMES.get(row["method"], row["method"])}


def _rows(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(row[key] for key in keys) for row in rows)
