"""The beginning and the end of a report: question, samples, losses, limits."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from ifcyto.report.model import Column, Run, Section, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["limits_section", "losses_section", "question_section", "samples_section"]

Row = Mapping[str, Any]

_CLASSES = ("BNE", "Doublet", "Irregular", "Unknown")
_BY = {"fbml": "feature-based", "cnn": "network", "manual": "tagged"}
_COUNT: Final = "integer"


def question_section(results: Mapping[str, Any]) -> Section:
    """What is asked, of which groups, and in which words."""
    control, cases = results["control"], results["cases"]
    if control and cases:
        asked = (
            "Are binucleated erythroblasts (BNEs) more frequent, or less, in "
            f"{_listed(cases)} than in {control}?"
        )
    else:
        asked = "How frequent are binucleated erythroblasts (BNEs) in each sample?"
    stages = f", separately for the stages {_listed(results['stages'])}" if results["stages"] else ""
    return Section(
        "question",
        "Question",
        (
            (Run(asked), f" Frequencies are compared sample by sample{stages}."),
            "A BNE is one red-cell precursor with two nuclei. Two look-alikes spoil the count: doublets, two "
            "cells that stick together, and irregular nuclei, one nucleus with two lobes or a strange shape. "
            "A candidate is an object in whose DNA image two nuclei are seen; the methods differ in how they "
            "tell BNEs among the candidates from the look-alikes.",
        ),
    )


def samples_section(results: Mapping[str, Any], quality: Sequence[Row]) -> Section:
    """Objects of every sample and what the instrument stored of their quality."""
    columns: list[Column] = [Column("sample"), Column("group"), Column("use"), Column("objects", kind=_COUNT)]
    columns += [Column("counted", kind=_COUNT), Column("tagged", kind=_COUNT)]
    rows = tuple(
        (
            sample["id"],
            sample["group"],
            "training only" if sample["training_only"] else "counted",
            *(sample[key] for key in ("objects", "counted", "tagged")),
        )
        for sample in results["samples"]
    )
    tables = [Table("Samples of the study", tuple(columns), rows)]
    warnings: tuple[str, ...] = ()
    if quality:
        tables.append(_quality_table(quality))
        warnings = _saturation_warnings(quality)
    return Section(
        "samples",
        "Samples and quality",
        (
            f"{len(results['samples'])} samples, of which "
            f"{sum(not sample['training_only'] for sample in results['samples'])} are counted.",
        ),
        tables=tuple(tables),
        notes=(
            "Counted: objects that belong to a stage of the study. Tagged: objects with a label of the "
            "observer; a dash where nobody looked.",
            *(
                (
                    "Saturated: objects with a saturated pixel in the channel, as stored by the instrument; "
                    "a dash where it stored nothing. Sizes are medians.",
                    "Focus, clipping by the edge of the image and debris are not measured here: gate them "
                    "before (Gradient RMS, Area and Aspect Ratio in a feature table).",
                )
                if quality
                else ()
            ),
        ),
        warnings=warnings,
    )


def _quality_table(quality: Sequence[Row]) -> Table:
    channels = list(dict.fromkeys(row["channel"] for row in quality))
    columns = (
        Column("sample"),
        Column("masks stored"),
        Column("height", "px", "number", 1),
        Column("width", "px", "number", 1),
        Column("pixel", "\N{MICRO SIGN}m", "number", 3),
        Column("speed", "mm/s", "number", 1),
        *(Column(f"saturated {channel}", "%", "number", 2) for channel in channels),
    )
    rows = []
    for sample, group in groupby(quality, key=lambda row: row["sample"]):
        by_channel = {row["channel"]: row for row in group}
        one = next(iter(by_channel.values()))
        shares = (_share(by_channel[channel]) if channel in by_channel else None for channel in channels)
        facts = (one[key] for key in ("masks", "height_px", "width_px", "pixel_um", "speed_mm_s"))
        rows.append((sample, *facts, *shares))
    return Table("Images and saturation", columns, tuple(rows))


def _share(row: Row) -> float | None:
    if row["saturated"] is None or not row["objects"]:
        return None
    return float(100 * row["saturated"] / row["objects"])


def _saturation_warnings(quality: Sequence[Row]) -> tuple[str, ...]:
    """More than one object in twenty saturated: shape and texture features of that channel suffer."""
    bad = [row for row in quality if (_share(row) or 0.0) > 5.0]
    if not bad:
        return ()
    worst = max(bad, key=lambda row: _share(row) or 0.0)
    samples = len({row["sample"] for row in bad})
    return (
        f"More than 5 % of the objects have saturated pixels in {samples} of "
        f"{len({row['sample'] for row in quality})} samples, most in {worst['sample']} "
        f"({worst['channel']}, {_share(worst):.2f} %).",
    )


def losses_section(results: Mapping[str, Any], losses: Sequence[Row]) -> Section | None:
    """From all objects to the classes, step by step; None where the steps are not known."""
    if not losses:
        return None
    methods = [name for name in _BY if any(row[f"{name}_BNE"] is not None for row in losses)]
    classes = [(name, label) for name in methods for label in _CLASSES]
    used = [
        (name, label)
        for name, label in classes
        if label in {"BNE", "Doublet", "Irregular"} or any(row[f"{name}_{label}"] for row in losses)
    ]
    heads = tuple(Column(f"{_BY[name]}: {label}", kind=_COUNT) for name, label in used)
    keys = tuple(f"{name}_{label}" for name, label in used)
    per_sample = []
    for sample, group in groupby(losses, key=lambda row: row["sample"]):
        rows = list(group)
        inside = [row for row in rows if row["counted"]]
        per_sample.append(
            (
                sample,
                rows[0]["group"],
                _sum(rows, "cells"),
                _sum([row for row in rows if not row["counted"]], "cells"),
                _sum(inside, "cells"),
                _sum(inside, "candidates"),
                *(_sum(inside, key) for key in keys),
            )
        )
    per_stage = []
    for group_name in results["groups"]:
        for stage in results["stages"]:
            rows = [
                row
                for row in losses
                if (row["group"], row["stage"]) == (group_name, stage) and not row["training_only"]
            ]
            cells = _sum(rows, "cells")
            per_stage.append(
                (
                    group_name,
                    stage,
                    len(rows),
                    cells,
                    _sum(rows, "candidates"),
                    *(_sum(rows, k) for k in keys),
                )
            )
    counted = [row for row in losses if not row["training_only"]]
    objects, inside = _sum(counted, "cells") or 0, [row for row in counted if row["counted"]]
    kept, candidates = _sum(inside, "cells") or 0, _sum(inside, "candidates") or 0
    return Section(
        "losses",
        "Gates and losses",
        (
            f"Of {objects:,} objects in the counted samples {kept:,}{_percent(kept, objects)} belong to a "
            f"stage and are counted; {candidates:,} of these{_percent(candidates, kept)} are candidates. "
            "Classes are given to candidates only.",
        ),
        tables=(
            Table(
                "Objects of each sample on their way to a class",
                (
                    Column("sample"),
                    Column("group"),
                    *(Column(n, kind=_COUNT) for n in ("objects", "in no stage", "counted", "candidates")),
                    *heads,
                ),
                tuple(per_sample),
            ),
            Table(
                "The same by group and stage, without training samples",
                (
                    *(Column(name) for name in ("group", "stage")),
                    *(Column(name, kind=_COUNT) for name in ("samples", "cells", "candidates")),
                    *heads,
                ),
                tuple(per_stage),
            ),
        ),
        notes=(
            "In no stage: objects to which their table or gates give no stage, or one not asked for.",
            "Tagged: by the observer, candidates or not. A dash: the method did not judge.",
        ),
    )


def _sum(rows: Iterable[Row], key: str) -> int | None:
    """Sum of what is known; None where nothing is."""
    known = [row[key] for row in rows if row[key] is not None]
    return sum(known) if known else (0 if key in {"cells", "candidates"} else None)


def _percent(part: int, whole: int) -> str:
    return f" ({100 * part / whole:.2f} %)" if whole else ""


def limits_section(results: Mapping[str, Any]) -> Section:
    """What the numbers do not say."""
    tests = results["tests"]
    smallest = min((min(test["n_case"], test["n_control"]) for test in tests), default=0)
    texts: list[Any] = [
        (
            Run("For research use only. Not a medical device: "),
            "no diagnosis or treatment may rest on this report.",
        ),
        "A class is an opinion of a method about images. The plain rule cannot tell a BNE from a doublet; a "
        "trained method knows what its truth images taught it and may err on samples from another "
        "instrument, stain or laboratory.",
        "Manual tags are the reference of the agreement tables, not the truth itself: one observer, who may "
        "err.",
        "An interval of a single sample holds the scatter of counting alone, not that of sampling the "
        "marrow.",
    ]
    if smallest and smallest < 5:
        texts.append(
            f"The smallest group in a test has {smallest} "
            f"{'sample' if smallest == 1 else 'samples'}: with so few, large differences can be missed, and "
            "the smallest p that can occur at all is not small."
        )
    if not results["rule"]["mask"]:
        texts.append(
            "The nuclear mask is an approximation of a user-made IDEAS mask, not IDEAS' own algorithm."
        )
    return Section("limits", "Limits", tuple(texts))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
