"""Draw the methods side by side: single samples, pairs of methods, scores against the observer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.compare.discrimination import average_precision, precision_recall_curve, roc_auc, roc_curve
from ifcyto.figures.bland_altman import Differences, bland_altman_panels
from ifcyto.figures.curves import ScoreCurve, precision_recall_figure, roc_figure
from ifcyto.figures.forest import MOST_ROWS, Interval, forest_figure
from ifcyto.figures.paired import Paired, paired_panels
from ifcyto.pipeline.draw import METHODS, PANELS
from ifcyto.pipeline.judged import POSITIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.pipeline.draw import Album
    from ifcyto.pipeline.results import Findings

__all__ = ["area_rows", "draw_methods", "draw_single_samples"]

Row = dict[str, Any]

MOST_PAGES = 2
"""Figures of single samples for one stage; all samples are in the table."""

MOST_STAGES = 6
"""Stages of which single samples are drawn."""

SCORES = {"fbml": "fbml_score", "cnn": "cnn_probability"}
"""Method to its score in :class:`ifcyto.pipeline.judged.Judged`, the higher the likelier a BNE."""

CELLS = "% of the stage's cells"


def draw_single_samples(album: Album, found: Findings) -> None:
    """Forest plots: frequency of each sample by the main method, with its interval."""
    plan = found.plan
    method = next((name for name in ("cnn", "fbml", "spot", "manual") if name in plan.methods), None)
    flags = {
        (row["sample"], row["stage"]): row
        for row in found.document.get("flags", [])
        if row["method"] == method
    }
    for stage in plan.stages[:MOST_STAGES]:
        rows = _rows(found, stage, method)
        limits = [flags[key]["limit"] for key in flags if key[1] == stage and flags[key]["limit"] is not None]
        for start in range(0, min(len(rows), MOST_PAGES * MOST_ROWS), MOST_ROWS):
            part = rows[start : start + MOST_ROWS]
            few = "" if len(rows) <= MOST_ROWS else f" ({start + 1} to {start + len(part)} of {len(rows):,})"
            intervals = [
                Interval(
                    row["sample"],
                    row["group"],
                    _number(row["percent"]),
                    _number(row["ci_low"]),
                    _number(row["ci_high"]),
                    flagged=flags.get((row["sample"], stage), {}).get("verdict") == "above",
                )
                for row in part
            ]
            album.add(
                "single-samples",
                forest_figure(
                    intervals,
                    title=f"{stage}, {METHODS[str(method)]}",
                    xlabel=f"BNE ({CELLS})",
                    control=(0.0, max(limits)) if limits else None,
                    control_name=f"up to the limit of {plan.control}",
                    groups=plan.groups,
                ),
                *("samples", stage, str(method)),
                caption=f"{stage}: frequency of BNEs by the {METHODS[str(method)]} in each sample{few}, with "
                "its 95 % interval"
                + (f". Band: up to the upper limit of {plan.control}; star: whole interval above." if limits
                   else "."),
                alt=f"Forest plot of {len(part)} samples, stage {stage}: "
                f"{sum(one.flagged for one in intervals)} lie above the control range",
            )  # fmt: skip


def _rows(found: Findings, stage: str, method: str | None) -> list[Row]:
    return [r for r in found.document["frequencies"] if (r["stage"], r["method"]) == (stage, method)]


def draw_methods(album: Album, found: Findings) -> None:
    """Each sample by each method, differences from the observer, and the curves of the scores."""
    plan = found.plan
    if len(plan.methods) > 1:
        for start in range(0, len(plan.stages), PANELS):
            _draw_paired(album, found, plan.stages[start : start + PANELS])
    for method in plan.methods:
        if method != "manual" and "manual" in plan.methods:
            for start in range(0, len(plan.stages), PANELS):
                _draw_bland_altman(album, found, method, plan.stages[start : start + PANELS])
    _draw_curves(album, found)


def _draw_paired(album: Album, found: Findings, stages: Sequence[str]) -> None:
    methods = found.plan.methods
    panels = {}
    for stage in stages:
        by_sample: dict[tuple[str, str], dict[str, float]] = {}
        for method in methods:
            for row in _rows(found, stage, method):
                if row["cells"]:
                    by_sample.setdefault((row["sample"], row["group"]), {})[method] = row["percent"]
        ordered = sorted(by_sample, key=lambda key: found.plan.groups.index(key[1]))
        values = [[by_sample[key].get(method, np.nan) for method in methods] for key in ordered]
        panels[stage] = Paired([group for _, group in ordered], np.reshape(values, (-1, len(methods))))
    names = [METHODS[method].removesuffix(" classifier") for method in methods]
    album.add(
        "methods-compared",
        paired_panels(panels, names, title="Each sample by each method", ylabel=f"BNE ({CELLS})"),
        "paired",
        caption="Frequency of BNEs of each sample by each method; a line joins the values of one sample. "
        "Short bar: median of all samples.",
        alt=f"Line plot of the frequencies of each sample by {', '.join(names)}, stages {', '.join(stages)}",
    )


def _draw_bland_altman(album: Album, found: Findings, method: str, stages: Sequence[str]) -> None:
    rows = {
        row["stage"]: row
        for row in found.document.get("bland_altman", [])
        if (row["first"], row["second"]) == (method, "manual") and row["stage"] in stages
    }
    panels = {}
    for stage, row in rows.items():
        second = {one["sample"]: one["percent"] for one in _rows(found, stage, "manual") if one["cells"]}
        shared = [one for one in _rows(found, stage, method) if one["cells"] and one["sample"] in second]
        x = np.array([one["percent"] for one in shared])
        y = np.array([second[one["sample"]] for one in shared])
        panels[stage] = Differences(
            [one["group"] for one in shared],
            (x + y) / 2,
            x - y,
            _number(row["bias"]),
            _number(row["lower"]),
            _number(row["upper"]),
            bias_interval=(_number(row["bias_low"]), _number(row["bias_high"])),
        )
    if not panels:
        return
    name = METHODS[method]
    album.add(
        "methods-compared",
        bland_altman_panels(
            panels,
            title=f"{name.capitalize()} less manual tags",
            xlabel=f"mean of the two ({CELLS})",
            ylabel="difference (percentage points)",
        ),
        *("bland-altman", method),
        caption=f"Frequencies by the {name} less those by the manual tags, against their mean; one dot a "
        "sample. Line: bias with its 95 % interval; dashed: limits of agreement.",
        alt="Bland-Altman plot: bias "
        + ", ".join(
            f"{_number(row['bias']):.2f} percentage points in {stage}" for stage, row in rows.items()
        ),
    )


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def area_rows(found: Findings) -> list[Row]:
    """Area under the ROC curve and average precision of each score, over the candidates that were tagged."""
    rows = []
    for method in SCORES:
        scores, positive = _scored(found, method)
        if positive.any() and not positive.all():
            rows.append(
                {
                    "method": method,
                    "candidates": len(positive),
                    "bne": int(positive.sum()),
                    "auc": roc_auc(scores, positive),
                    "average_precision": average_precision(scores, positive),
                }
            )
    return rows


def _scored(found: Findings, method: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores ``(n,)`` of the counted candidates of tagged samples, and whether the observer says BNE."""
    scores, positive = [np.zeros(0)], [np.zeros(0, bool)]
    for judged in found.counted:
        values = getattr(judged, SCORES[method], None)
        if values is None or judged.manual is None:
            continue
        chosen = judged.candidate & np.isin(judged.stages, found.plan.stages) & np.isfinite(values)
        scores.append(values[chosen])
        positive.append(judged.manual[chosen] == POSITIVE)
    return np.concatenate(scores), np.concatenate(positive)


def _draw_curves(album: Album, found: Findings) -> None:
    areas = area_rows(found)
    if not areas:
        return
    roc, recall = [], []
    for row in areas:
        scores, positive = _scored(found, row["method"])
        name = METHODS[row["method"]]
        x, y, _ = roc_curve(scores, positive)
        roc.append(ScoreCurve(name, x, y, row["auc"], point=_decision(found, row["method"], roc=True)))
        x, y, _ = precision_recall_curve(scores, positive)
        point = _decision(found, row["method"], roc=False)
        x, y = np.append(0.0, x), np.append(y[0], y)  # steps begin at a recall of 0
        recall.append(ScoreCurve(name, x, y, row["average_precision"], point=point))
    first = areas[0]
    remark = f"{first['bne']:,} BNEs and {first['candidates'] - first['bne']:,} others by the manual tags"
    title = "BNEs among the candidates"
    words = "; ".join(f"{METHODS[r['method']]} {r['auc']:.3f}" for r in areas)
    album.add(
        "methods-compared",
        roc_figure(roc, title=title, remark=remark),
        "roc",
        caption="Share of BNEs found against the share of other candidates called a BNE, as the threshold of "
        "the score falls; candidates of samples with manual tags.",
        alt=f"ROC curves; area: {words}",
    )
    album.add(
        "methods-compared",
        precision_recall_figure(
            recall, prevalence=first["bne"] / first["candidates"], title=title, remark=remark
        ),
        "precision-recall",
        caption="Precision against recall, as the threshold of the score falls; the same candidates.",
        alt="Precision-recall curves; average precision: "
        + "; ".join(f"{METHODS[row['method']]} {row['average_precision']:.3f}" for row in areas),
    )


def _decision(found: Findings, method: str, *, roc: bool) -> tuple[float, float] | None:
    """Where the classes in use lie on the curve: (false positive rate, recall) or (recall, precision)."""
    tp = fp = fn = tn = 0
    for judged in found.counted:
        called, values = judged.positive(method), getattr(judged, SCORES[method], None)
        if called is None or values is None or judged.manual is None:
            continue
        chosen = judged.candidate & np.isin(judged.stages, found.plan.stages) & np.isfinite(values)
        true, said = judged.manual[chosen] == POSITIVE, called[chosen]
        tp, fp = tp + int((true & said).sum()), fp + int((~true & said).sum())
        fn, tn = fn + int((true & ~said).sum()), tn + int((~true & ~said).sum())
    if not tp + fn or not fp + tn or not tp + fp:
        return None
    recall = tp / (tp + fn)
    return (fp / (fp + tn), recall) if roc else (recall, tp / (tp + fp))
