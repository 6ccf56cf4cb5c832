"""Sections that hold the methods side by side: single samples, agreement of raters, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ifcyto.report.model import Column, Section, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.report.model import FigureRef

__all__ = ["errors_section", "extra_test_tables", "methods_compared_section", "single_samples_section"]

SHORT_NAMES = {"spot": "plain rule", "manual": "manual tags", "fbml": "feature-based", "cnn": "network"}
_COUNT: Final = "integer"


def single_samples_section(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section | None:
    """Each sample with its interval against the range of the controls; None without any."""
    flags, precision = results.get("flags", []), results.get("precision", [])
    if not flags and not precision and not figures:
        return None
    tables: list[Table] = []
    keys = ("sample", "group", "stage", "method")
    values: tuple[str, ...]
    if flags:
        outside = [row for row in flags if row["verdict"] in {"above", "unsure"}]
        columns = (
            *(Column(key) for key in keys),
            Column("BNE", "%", "number", 2),
            Column("95 % from", "%", "number", 2),
            Column("to", "%", "number", 2),
            Column("limit", "%", "number", 2),
            Column("verdict"),
        )
        values = ("percent", "ci_low", "ci_high", "limit", "verdict")
        rows = tuple((*_names(row, keys), *(row[key] for key in values)) for row in outside)
        tables.append(Table("Samples above the upper limit of the controls", columns, rows, "flags.csv"))
    if precision:
        columns = (
            *(Column(key) for key in keys),
            Column("cells", kind=_COUNT),
            Column("BNE", "%", "number", 2),
            Column("half interval", "%", "number", 2),
            Column("one cell", "%", "number", 3),
            Column("detectable", "%", "number", 3),
            Column("cells needed", kind=_COUNT),
        )
        values = ("cells", "percent", "half_width", "step", "detectable", "cells_needed")
        rows = tuple((*_names(row, keys), *(row[key] for key in values)) for row in precision)
        tables.append(Table("What the cells of each sample can show", columns, rows, "precision.csv"))
    text = ["Every sample with the 95 % interval of its frequency."]
    if flags:
        by_verdict = {name: sum(row["verdict"] == name for row in flags) for name in ("above", "unsure")}
        text.append(
            f"Of {len(flags):,} frequencies outside the control group {by_verdict['above']:,} lie above the "
            f"upper limit of the controls with their whole interval, and {by_verdict['unsure']:,} with their "
            "estimate only. This describes samples; it is no diagnosis."
        )
    elif not results["control"]:
        text.append("The study names no control group, so there is no range to hold a sample against.")
    return Section(
        "single-samples",
        "Single samples",
        tuple(text),
        figures,
        tuple(tables),
        (
            "Limit: the larger of the highest usual frequency among the controls and the upper bound of "
            "their pooled cells (see flags.csv). Detectable: the smallest true frequency of which at least "
            "one cell is found with 95 % probability. Cells needed: for the relative precision that the "
            "study asks for.",
        ),
    )


def _names(row: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(SHORT_NAMES.get(row[key], row[key]) if key == "method" else row[key] for key in keys)


def extra_test_tables(results: Mapping[str, Any]) -> list[Table]:
    """Shifts of the tests, all groups at once, and the tests after correction by the observer."""
    tables: list[Table] = []
    if results["tests"] and "shift" in results["tests"][0]:
        columns = (
            *(Column(name) for name in ("stage", "method", "case")),
            Column("shift", "%", "number", 2),
            Column("95 % from", "%", "number", 2),
            Column("to", "%", "number", 2),
            Column("effect", kind="number", digits=2),
            Column("95 % from", kind="number", digits=2),
            Column("to", kind="number", digits=2),
            Column("AUC", kind="number", digits=3),
        )
        keys: tuple[str, ...] = (
            "shift",
            "shift_low",
            "shift_high",
            "effect",
            "effect_low",
            "effect_high",
            "auc",
        )
        rows = tuple(
            (*_names(row, ("stage", "method", "case")), *(row[key] for key in keys))
            for row in results["tests"]
        )
        tables.append(Table("How large the differences are", columns, rows, "tests.csv"))
    if group_tests := results.get("group_tests"):
        columns = (
            *(Column(name) for name in ("stage", "method", "test", "first", "second")),
            *(Column(name, kind=_COUNT) for name in ("groups", "n", "df")),
            Column("statistic", kind="number", digits=2),
            Column("p", kind="p"),
            Column("adjusted", kind="p"),
        )
        keys = ("groups", "n", "df", "statistic", "p", "p_adjusted")
        names = ("stage", "method", "test", "first", "second")
        rows = tuple((*_names(row, names), *(row[key] for key in keys)) for row in group_tests)
        tables.append(Table("All groups at once, and every pair", columns, rows, "group_tests.csv"))
    if corrected := results.get("corrected_tests"):
        columns = (
            *(Column(name) for name in ("stage", "method", "case")),
            Column("median", "%", "number", 2),
            Column("control", "%", "number", 2),
            Column("p before", kind="p"),
            Column("p after", kind="p"),
            Column("adjusted", kind="p"),
        )
        keys = ("median_case", "median_control", "p_before", "p", "p_adjusted")
        rows = tuple(
            (*_names(row, ("stage", "method", "case")), *(row[key] for key in keys)) for row in corrected
        )
        title = "The same tests after the observer's check of what each method called a BNE"
        tables.append(Table(title, columns, rows, "corrected_tests.csv"))
    return tables


def methods_compared_section(
    results: Mapping[str, Any], figures: tuple[FigureRef, ...], areas: Sequence[Mapping[str, Any]] = ()
) -> Section | None:
    """Frequencies by one method against those by another, and agreement on single cells."""
    kappa, bland = results.get("kappa", []), results.get("bland_altman", [])
    if not figures and not kappa and not bland:
        return None
    tables: list[Table] = []
    if bland:
        columns = (
            *(Column(name) for name in ("stage", "first", "second")),
            Column("samples", kind=_COUNT),
            *(
                Column(name, "%", "number", 2)
                for name in ("bias", "95 % from", "to", "lower limit", "upper limit")
            ),
        )
        keys: tuple[str, ...] = ("n", "bias", "bias_low", "bias_high", "lower", "upper")
        rows = tuple((row["stage"], *_pair(row), *(row[key] for key in keys)) for row in bland)
        tables.append(
            Table("Bland-Altman: first less second method, in percent of cells", columns, rows,
                  "bland_altman.csv")
        )  # fmt: skip
    if kappa:
        columns = (
            *(Column(name) for name in ("stage", "among", "first", "second")),
            Column("objects", kind=_COUNT),
            *(Column(name, kind="number", digits=3) for name in ("kappa", "95 % from", "to", "Jaccard")),
            Column("McNemar p", kind="p"),
        )
        keys = ("objects", "kappa", "kappa_low", "kappa_high", "jaccard", "mcnemar_p")
        rows = tuple(
            (row["stage"] or "all", row["among"], *_pair(row), *(row[key] for key in keys)) for row in kappa
        )
        tables.append(Table("Agreement on single cells", columns, rows, "kappa.csv"))
    if areas:
        columns = (
            Column("score of"),
            *(Column(name, kind=_COUNT) for name in ("candidates", "BNE")),
            *(Column(name, kind="number", digits=3) for name in ("area under ROC", "average precision")),
        )
        keys = ("candidates", "bne", "auc", "average_precision")
        rows = tuple((*_names(row, ("method",)), *(row[key] for key in keys)) for row in areas)
        tables.append(Table("How well each score ranks the BNEs first, by the manual tags", columns, rows))
    return Section(
        "methods-compared",
        "Methods compared",
        ("How far two methods agree: on the frequency of each sample, and on single cells.",),
        figures,
        tuple(tables),
        (
            "Bias: mean difference of the two methods; limits of agreement: bias \N{PLUS-MINUS SIGN} 1.96 "
            "standard deviations, between which about 95 % of the differences lie if they are normal.",
            "Kappa: agreement beyond chance, 1 at most (Cohen for two raters, Fleiss for more). Jaccard: "
            "cells that both call a BNE, as a part of those that any does. McNemar: whether one says BNE "
            "more often.",
        )
        if tables
        else (),
    )


def _pair(row: Mapping[str, Any]) -> tuple[str, str]:
    first = ", ".join(SHORT_NAMES.get(name, name) for name in row["first"].split("+"))
    return first, SHORT_NAMES.get(row["second"], row["second"])


def errors_section(results: Mapping[str, Any], figures: tuple[FigureRef, ...]) -> Section | None:
    """Which samples carry the errors, and pictures of them; None where nothing is known of errors."""
    errors = results.get("errors", [])
    if not errors and not figures:
        return None
    tables: list[Table] = []
    if errors:
        columns = (
            *(Column(name) for name in ("method", "sample", "group")),
            *(Column(name, kind=_COUNT) for name in ("right", "false", "missed")),
            Column("precision", kind="number", digits=3),
            Column("recall", kind="number", digits=3),
            Column("share of false", kind="number", digits=3),
            Column("share of missed", kind="number", digits=3),
            *(Column(f"false: {name}", kind=_COUNT) for name in ("Doublet", "Irregular", "other")),
        )
        keys: tuple[str, ...] = ("tp", "fp", "fn", "precision", "recall", "fp_share", "fn_share")
        split = ("fp_doublet", "fp_irregular", "fp_other")
        rows = tuple(
            (*_names(row, ("method", "sample", "group")), *(row[key] for key in (*keys, *split)))
            for row in errors
        )
        tables.append(Table("Errors of each method in each sample", columns, rows, "errors.csv"))
    shown = "The study asks for no pictures of cells."
    if figures:
        shown = (
            "Pictures are a seeded random choice of each kind of cell, by who called it a BNE. The outline "
            "is the nuclear mask."
        )
    return Section("errors", "Cells and errors seen", (shown,), figures, tuple(tables))
