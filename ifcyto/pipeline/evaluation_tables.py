"""An evaluation as CSV tables and as the document of ``metrics.json``."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from ifcyto.compare.summary import percentages
from ifcyto.pipeline.tables import as_text, csv_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifcyto.compare.calibration import Reliability
    from ifcyto.compare.evaluation import EvaluateOptions, Evaluation
    from ifcyto.compare.summary import Summary
    from ifcyto.compare.thresholds import ThresholdChoice
    from ifcyto.pipeline.judgements import Pairs

__all__ = ["FORMAT", "GIVEN", "VERSION", "document_of", "tables_of"]

FORMAT = "ifcyto evaluation"
VERSION = 1

GIVEN = "class given"
"""In the table of calibration: the likeliest class, whichever it is."""

COUNTS = ("support", "tp", "fp", "fn", "tn")
SCORES = ("precision", "recall", "f1", "specificity", "npv", "accuracy")
WITH_INTERVAL = ("precision", "recall", "f1", "roc_auc", "average_precision")
METRICS = (
    *("evaluation", "class", *COUNTS, *SCORES, "balanced_accuracy", "roc_auc", "average_precision"),
    *(f"{name}_{end}" for name in WITH_INTERVAL for end in ("low", "high")),
    *(f"{name}_{end}" for name in ("accuracy", "balanced_accuracy") for end in ("low", "high")),
)
CONFUSION = ("evaluation", "true", "predicted", "count", "row_percent", "column_percent")
BINS = ("low", "high", "count", "said", "observed", "ci_low", "ci_high")


def tables_of(found: Evaluation) -> dict[str, str]:
    """Text of each CSV table: ``metrics``, ``confusion`` and ``calibration``.

    Parameters
    ----------
    found : Evaluation

    Returns
    -------
    dict of str to str
        Name without ending to text. A value that does not exist is empty.
    """
    metrics = [[as_text(row.get(name)) for name in METRICS] for row in _metric_rows(found)]
    confusion = [[as_text(row[name]) for name in CONFUSION] for row in _confusion_rows(found)]
    bins = [[name, *(as_text(row[field]) for field in BINS)] for name, row in _bin_rows(_curves(found))]
    return {
        "metrics": csv_text(METRICS, metrics),
        "confusion": csv_text(CONFUSION, confusion),
        "calibration": csv_text(("class", *BINS), bins),
    }


def document_of(
    found: Evaluation,
    choice: ThresholdChoice | None,
    options: EvaluateOptions,
    pairs: Pairs,
    notes: Sequence[str],
) -> dict[str, Any]:
    """What ``metrics.json`` holds; ``data_schemas/evaluation.md`` describes it.

    Parameters
    ----------
    found : Evaluation
    choice : ThresholdChoice or None
    options : EvaluateOptions
    pairs : Pairs
    notes : sequence of str
    """
    calibration = found.calibration
    return {
        "format": FORMAT,
        "version": VERSION,
        "classes": list(found.classes),
        "objects": found.objects,
        "judged": found.judged,
        "coverage": found.judged / found.objects,
        "judged_accuracy": found.judged_accuracy,
        "intervals": {
            "level": options.level, "resamples": options.resamples, "by_sample": found.grouped,
            **{name: asdict(value) for name, value in found.intervals.items()},
        },
        "strict": _summary(found.strict),
        "tolerant": None if found.tolerant is None else _summary(found.tolerant),
        "tolerable": [list(pair) for pair in options.tolerable],
        "of_class": {
            name: {kind: asdict(value) for kind, value in values.items()}
            for name, values in found.of_class.items()
        },
        "calibration": None
        if calibration is None
        else {
            "bins": options.bins, "binning": options.binning,
            "ece": calibration.given.ece, "mce": calibration.given.mce,
            "ece_if_calibrated": calibration.expected, "ece_if_calibrated_high": calibration.expected_high,
            "brier": calibration.brier, "nll": calibration.nll,
            "temperature": None if calibration.temperature is None else asdict(calibration.temperature),
            "scaled_ece": calibration.scaled_ece, "scaled_nll": calibration.scaled_nll,
            "class_ece": {name: curve.ece for name, curve in calibration.of_class.items()},
        },
        "threshold": None if choice is None else asdict(choice),
        "not_classified": [{"sample": name, "object": number} for name, number in pairs.missing],
        "notes": list(notes),
    }  # fmt: skip


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "matrix": summary.agreement.matrix.tolist(),
        "accuracy": summary.accuracy,
        "balanced_accuracy": summary.balanced_accuracy,
        "macro": asdict(summary.macro),
        "weighted": asdict(summary.weighted),
        "classes": [
            asdict(score) | {"npv": npv}
            for score, npv in zip(summary.agreement.scores, summary.npv, strict=True)
        ],
    }


def _summaries(found: Evaluation) -> Iterator[tuple[str, Summary]]:
    yield "strict", found.strict
    if found.tolerant is not None:
        yield "tolerant", found.tolerant


def _metric_rows(found: Evaluation) -> Iterator[dict[str, Any]]:
    """One row a class, then the averages, then all; intervals are those of the strict evaluation."""
    for kind, summary in _summaries(found):
        strict = kind == "strict"
        for score, npv in zip(summary.agreement.scores, summary.npv, strict=True):
            row = {"evaluation": kind, "class": score.label, "npv": npv}
            row |= {name: getattr(score, name) for name in (*COUNTS, *SCORES) if name != "npv"}
            if strict and score.label in found.of_class:
                for name, value in found.of_class[score.label].items():
                    row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
            yield row
        total = {"evaluation": kind, "support": found.objects}
        for name, average in (("macro average", summary.macro), ("weighted average", summary.weighted)):
            yield (
                total | {"class": name} | {part.name: getattr(average, part.name) for part in fields(average)}
            )
        row = total | {"class": "all", "accuracy": summary.accuracy}
        row["balanced_accuracy"] = summary.balanced_accuracy
        for name in ("accuracy", "balanced_accuracy") if strict else ():
            row |= {f"{name}_low": found.intervals[name].low, f"{name}_high": found.intervals[name].high}
        yield row


def _confusion_rows(found: Evaluation) -> Iterator[dict[str, Any]]:
    for kind, summary in _summaries(found):
        matrix = summary.agreement.matrix
        rows, columns = percentages(matrix)
        for i, true in enumerate(found.classes):
            if true not in found.of_class:
                continue  # Unknown is a column only
            for j, predicted in enumerate(found.classes):
                yield {
                    "evaluation": kind, "true": true, "predicted": predicted, "count": int(matrix[i, j]),
                    "row_percent": float(rows[i, j]), "column_percent": float(columns[i, j]),
                }  # fmt: skip


def _curves(found: Evaluation) -> dict[str, Reliability]:
    calibration = found.calibration
    return {} if calibration is None else {GIVEN: calibration.given, **calibration.of_class}


def _bin_rows(curves: dict[str, Reliability]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, curve in curves.items():
        for place in range(len(curve.count)):
            yield name, {field: getattr(curve, field)[place].item() for field in BINS}
