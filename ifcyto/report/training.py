"""How a classifier was trained and how well it does, as a section of the report."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ifcyto.report.classes import SCORE_NOTES, class_table, guessing_warnings, matrix_table
from ifcyto.report.model import Column, Section, Table
from ifcyto.report.training_text import accuracy_text, more_images_text, trained_text, validated_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ifcyto.report.model import FigureRef

__all__ = ["training_section"]

_MANY_FEATURES = 30  # rows of the table of features
_MANY_REASONS = 10
_SUCH_AS = 3  # features named for each reason
_NUMBER = re.compile(r"-?\b\d+(\.\d+)?(e[+-]?\d+)?\b")


def training_section(
    record: Mapping[str, Any],
    figures: tuple[FigureRef, ...] = (),
    *,
    anchor: str = "training",
    title: str = "Training of the classifier",
    ranking_file: str = "",
) -> Section:
    """Say what was trained on what, how well it does, and whether more truth would help.

    Parameters
    ----------
    record : mapping
        Plain data, as JSON holds them; a number that does not exist is None or NaN:

        - ``method``: ``lda``, ``logistic``, ``forest`` or ``boosting``;
        - ``classes``: list of str, in order;
        - ``n_truth``: class to number of truth images;
        - ``samples``: names of the samples that they come from;
        - ``options``: at least ``folds``, ``max_correlation`` and ``n_features``, which is
          None where the number of features was chosen by cross-validation;
        - ``balanced_accuracy``: ``{"mean": float, "sd": float}`` over the folds, 0 to 1;
        - ``scores``: list of ``{"class", "precision", "recall", "f1"}``, from the matrix;
        - ``matrix``: rows of true classes, columns of predicted ones: truth images as
          classified while they were held out;
        - ``ranking``: list of ``{"name": str, "ratio": float, ...}``, best first;
        - ``chosen``: names of the features that the classifier uses;
        - ``dropped``: feature to the reason why it was not considered;
        - ``learning_curve``: ``{"sizes", "mean", "sd"}``, lists of equal length, or None;
        - ``notes``: list of str, shown as warnings;
        - ``directions``, optional: feature to ``[class, class]``, the classes for which a
          high and a low value speak most (largest and smallest weight);
        - ``steps``, optional: list of two such records where the classifier works in two
          steps; the record itself then tells of both together;
        - ``grouped``, optional: whether the folds kept samples whole; by default whether
          there are several.
    figures : tuple of FigureRef
        Confusion matrices, histograms, planes, ranking and learning curve.
    anchor, title : str
        Of the section; a report with two classifiers gives each its own.
    ranking_file : str
        Path, relative to the report, of the whole ranking.

    Returns
    -------
    Section
    """
    steps = record.get("steps") or [record]
    mean, sd = record["balanced_accuracy"]["mean"], record["balanced_accuracy"]["sd"]
    texts = [write(record) for write in (trained_text, validated_text, accuracy_text)]
    tables = [
        _whole(record),
        class_table(record, "Each class in the cross-validation"),
        matrix_table(record, "Truth images by true class and class in the cross-validation"),
    ]
    for place, step in enumerate(steps, start=1):
        number = f"Step {place}: " if len(steps) > 1 else ""
        more = more_images_text(step)
        texts.append(number + more if more else "")
        file = ranking_file if step["ranking"] == record["ranking"] else ""
        mine = (*_curve(step), _features(step, file), *_dropped(step))
        tables += [replace(table, caption=number + table.caption) for table in mine]
    return Section(
        anchor,
        title,
        tuple(text for text in texts if text),
        figures,
        tuple(tables),
        _notes(steps[0]),
        (*record["notes"], *guessing_warnings("The classifier", mean, sd, len(record["classes"]))),
    )


def _whole(record: Mapping[str, Any]) -> Table:
    columns = (
        Column("classifier"),
        *(Column(name, kind="integer") for name in ("truth images", "features", "folds", "right")),
        *(Column(name, kind="number", digits=3) for name in ("balanced accuracy", "s.d.")),
    )
    steps = record.get("steps") or []
    named = [("whole", record), *((f"step {place}", step) for place, step in enumerate(steps, start=1))]
    rows = tuple(
        (
            name,
            sum(one["n_truth"].values()),
            len(one["chosen"]),
            one["options"]["folds"],
            sum(row[i] for i, row in enumerate(one["matrix"])),
            one["balanced_accuracy"]["mean"],
            one["balanced_accuracy"]["sd"],
        )
        for name, one in named
    )
    return Table("The cross-validation as a whole", columns, rows)


def _curve(record: Mapping[str, Any]) -> tuple[Table, ...]:
    curve = record["learning_curve"]
    if curve is None:
        return ()
    columns = (
        Column("images learned from", kind="integer"),
        *(Column(name, kind="number", digits=3) for name in ("balanced accuracy", "s.d.")),
    )
    rows = zip((round(size) for size in curve["sizes"]), curve["mean"], curve["sd"], strict=True)
    return (Table("Learning curve", columns, tuple(rows)),)


def _features(record: Mapping[str, Any], file: str) -> Table:
    ratios = {row["name"]: row["ratio"] for row in record["ranking"]}
    places = {row["name"]: i for i, row in enumerate(record["ranking"], start=1)}
    directions = record.get("directions") or {}
    columns = [Column("rank", kind="integer"), Column("feature")]
    columns += [Column("Fisher ratio", kind="number", digits=2)]
    if directions:
        columns += [Column("high values speak for"), Column("low values speak for")]
    names = sorted(record["chosen"], key=lambda name: places.get(name, len(places)))
    rows = tuple(
        (
            places.get(name),
            name,
            ratios.get(name),
            *(directions.get(name, (None, None)) if directions else ()),
        )
        for name in names[:_MANY_FEATURES]
    )
    shown = f", the first {len(rows)} of {len(names):,}" if len(names) > len(rows) else ""
    return Table(f"Features that the classifier uses{shown}", tuple(columns), rows, file)


def _dropped(record: Mapping[str, Any]) -> tuple[Table, ...]:
    alike: dict[str, list[str]] = {}  # reasons that differ in their numbers alone are one
    for name, reason in record["dropped"].items():
        alike.setdefault(_NUMBER.sub("\N{HORIZONTAL ELLIPSIS}", reason), []).append(name)
    if not alike:
        return ()
    by_reason = [(_common(reason, names, record["dropped"]), names) for reason, names in alike.items()]
    found = sorted(by_reason, key=lambda item: -len(item[1]))
    rest = [name for _, names in found[_MANY_REASONS:] for name in names]
    shown = [*found[:_MANY_REASONS], *([("other reasons", rest)] if rest else [])]
    columns = (Column("why"), Column("features", kind="integer"), Column("such as"))
    rows = tuple(
        (reason, len(names), ", ".join(names[:_SUCH_AS]) + ", ..." * (len(names) > _SUCH_AS))
        for reason, names in shown
    )
    return (Table("Features that were not considered", columns, rows),)


def _common(reason: str, names: list[str], reasons: Mapping[str, str]) -> str:
    first = reasons[names[0]]
    return first if all(reasons[name] == first for name in names) else reason


def _notes(record: Mapping[str, Any]) -> tuple[str, ...]:
    notes = (
        *SCORE_NOTES,
        "Fisher ratio: variance of a feature between the classes over that within; it ranks the features.",
    )
    if not record.get("directions"):
        return notes
    return (
        *notes,
        "The classes that a feature speaks for are those of its largest and smallest weight beside the other "
        "features, and can differ from what the feature alone would say.",
    )
