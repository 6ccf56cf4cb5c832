"""``ifcyto evaluate``: labels against truth."""

from __future__ import annotations

import math
import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from ifcyto.cli.measure import pairs_of
from ifcyto.cli.show import columns, count

if TYPE_CHECKING:
    from ifcyto.compare.evaluation import Evaluation, Value
    from ifcyto.compare.summary import Summary
    from ifcyto.compare.thresholds import ThresholdChoice

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(evaluate)


def evaluate(
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS.csv", help="Labels as ifcyto classify writes them.")
    ],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH.csv", help="object,label or sample,object,label.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Tables, figures, metrics.json.")
    ] = None,
    tolerable: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Mix-ups to tolerate as well: true,predicted.")
    ] = None,
    renamed: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OLD=NEW", help="A class of the truth by the classifier's name."),
    ] = None,
    sample: Annotated[
        str | None, typer.Option(metavar="NAME", help="Sample of the truth that the labels are of.")
    ] = None,
    by_sample: Annotated[
        bool, typer.Option("--by-sample", help="Intervals for other samples: whole samples are drawn.")
    ] = False,
    precision: Annotated[
        float | None, typer.Option(metavar="P", help="Choose the threshold that gives this precision.")
    ] = None,
    precision_of: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="The class of --precision; all by default.")
    ] = None,
    sure: Annotated[
        bool, typer.Option("--sure", help="The interval's lower bound must reach --precision.")
    ] = False,
    bins: Annotated[int, typer.Option(min=1, help="Bins of the reliability curve.")] = 10,
    resamples: Annotated[int, typer.Option(min=20, help="Resamples of the bootstrap.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random parts.")] = 0,
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Draw figures as well.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
) -> None:
    """Hold labels and probabilities against truth, with intervals, curves and calibration.

    Example:  ifcyto evaluate MDS01_fbml.csv truth.csv -o evaluation
    """
    from ifcyto.pipeline.evaluate import EvaluateOptions
    from ifcyto.pipeline.evaluate import evaluate as evaluate_tables

    done = evaluate_tables(
        labels,
        truth,
        output,
        options=EvaluateOptions(resamples=resamples, seed=seed, bins=bins),
        renamed=pairs_of(renamed or [], "--map"),
        sample=sample,
        by_sample=by_sample,
        tolerable=tolerable,
        precision=precision,
        precision_of=precision_of,
        sure=sure,
        figures=figures,
        overwrite=overwrite,
    )
    found = done.evaluation
    print(columns(_rows(found, found.strict)))
    if found.tolerant is not None:
        print("\ntolerant")
        print(columns(_rows(found, found.tolerant)))
    print()
    print(columns(_overall(found)))
    if done.threshold is not None:
        print(_threshold(done.threshold))
    if done.folder is not None:
        written = "metrics.json, tables and figures" if figures else "metrics.json and tables"
        print(f"{done.folder}: {count(found.objects, 'object')}, {written}")
    for note in done.notes:
        print(f"note: {note}", file=sys.stderr)


SHOWN = ("precision", "recall", "f1", "specificity", "npv", "accuracy")


def _rows(found: Evaluation, summary: Summary) -> list[tuple[str, ...]]:
    """One line a class; with areas under curves in the strict evaluation."""
    areas = summary is found.strict and any("roc_auc" in values for values in found.of_class.values())
    head = ("class", "truth", "precision", "recall", "F1", "specificity", "NPV", "accuracy")
    rows: list[tuple[str, ...]] = [(*head, "AUC (95 %)", "AP (95 %)") if areas else head]
    for score, npv in zip(summary.agreement.scores, summary.npv, strict=True):
        if score.label in found.of_class:
            numbers = [npv if name == "npv" else getattr(score, name) for name in SHOWN]
            more = [_interval(found.of_class[score.label][name]) for name in ("roc_auc", "average_precision")
                    if areas]  # fmt: skip
            rows.append((score.label, str(score.support), *map(_number, numbers), *more))
    for name, average in (("macro", summary.macro), ("weighted", summary.weighted)):
        numbers = [getattr(average, part) for part in SHOWN]
        rows.append((name, str(found.objects), *map(_number, numbers), *([""] * (2 * areas))))
    return rows


def _overall(found: Evaluation) -> list[tuple[str, str]]:
    names = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1"}
    rows = [(text, _interval(found.intervals[name])) for name, text in names.items()]
    if found.judged < found.objects:
        share = f"{found.judged:,} of {found.objects:,} objects"
        rows.append(("accuracy without Unknown", f"{_number(found.judged_accuracy)}, of {share}"))
    calibration = found.calibration
    if calibration is not None:
        error = f"{_number(calibration.given.ece)} (chance: up to {_number(calibration.expected_high)})"
        rows.append(("calibration error", error))
    if calibration is not None and calibration.temperature is not None:
        rows.append(
            (
                "temperature",
                f"{calibration.temperature.temperature:.3g}; calibration error then "
                f"{_number(calibration.scaled_ece)}",
            )
        )
    return rows


def _threshold(choice: ThresholdChoice) -> str:
    of = f" of {choice.label}" if choice.label else ""
    option = f"{choice.label}={choice.threshold!r}" if choice.label else repr(choice.threshold)
    return (
        f"threshold {choice.threshold:.4g}{of}: precision {choice.precision:.3f} "
        f"({choice.precision_low:.3f} to {choice.precision_high:.3f}), {choice.kept:,} of {choice.judged:,} "
        f"objects keep their class ({100 * choice.coverage:.1f} %); ifcyto classify --threshold '{option}'"
    )


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _interval(value: Value) -> str:
    if math.isnan(value.value):
        return "-"
    if math.isnan(value.low):
        return f"{value.value:.3f}"
    return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"
