"""Draw every figure of a study into ``figures/``."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.figures.confusion import confusion_panels
from ifcyto.figures.histogram import spot_count_histogram
from ifcyto.figures.sets import sets_figure
from ifcyto.figures.style import figure_name, save_figure
from ifcyto.figures.upset import upset_figure
from ifcyto.figures.violins import frequency_panels
from ifcyto.report.model import FigureRef

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from ifcyto.pipeline.results import Findings

__all__ = ["Album", "draw_agreement", "draw_frequencies", "draw_overlap", "draw_spots"]

METHODS = {
    "spot": "plain rule",
    "manual": "manual tags",
    "fbml": "feature-based classifier",
    "cnn": "network",
}
"""Method to its name in figures."""

PANELS = 4
"""Stages side by side in one figure of violins."""


class Album:
    """Saves figures under names of their own and keeps what the report needs.

    Attributes
    ----------
    figures : dict of str to list of FigureRef
        By section of the report.
    paths : list of pathlib.Path
        Every file written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.figures: dict[str, list[FigureRef]] = {}
        self.paths: list[Path] = []
        self._names: Counter[str] = Counter()

    def add(
        self, section: str, figure: Figure, *words: str, caption: str, alt: str, preview: bool = False
    ) -> None:
        """Save `figure`; the words make its file name, numbered where two would be the same.

        With `preview` the page embeds a small picture in place of the PNG; it is not kept.
        """
        name = figure_name(*words)
        self._names[name] += 1
        if self._names[name] > 1:
            name = f"{name}-{self._names[name]}"
        small = self.folder / "previews" / f"{name}.webp"
        options: dict[str, Path] = {"preview": small} if preview else {}
        png, vector = save_figure(figure, self.folder, name, overwrite=True, **options)
        self.paths += [png, vector]
        screen = small if small.is_file() else None
        self.figures.setdefault(section, []).append(FigureRef(png, caption, alt, vector, screen))


def draw_frequencies(album: Album, found: Findings) -> None:
    """Violins of the samples' frequencies: one figure per method, one panel per stage."""
    plan = found.plan
    for method in plan.methods:
        for start in range(0, len(plan.stages), PANELS):
            stages = plan.stages[start : start + PANELS]
            panels = {stage: _percents(found, stage, method) for stage in stages}
            figure = frequency_panels(
                panels,
                title=f"Frequency of BNEs by the {METHODS[method]}",
                ylabel="BNE (% of the stage's cells)",
                tests={stage: _tests(found, stage, method) for stage in stages},
            )
            album.add(
                "frequencies",
                figure,
                *("frequency", method),
                caption=f"Frequency of BNEs by the {METHODS[method]}, per stage; one dot a sample. Thick "
                "line: median; thin lines: quartiles; p: Mann-Whitney, not adjusted.",
                alt=f"Violin plots of BNE percentages by group for the stages {', '.join(stages)}",
            )


def _percents(found: Findings, stage: str, method: str) -> dict[str, list[float]]:
    """Frequencies of the samples with cells, by group."""
    rows = [r for r in found.document["frequencies"] if (r["stage"], r["method"]) == (stage, method)]
    return {
        group: [r["percent"] for r in rows if r["group"] == group and r["cells"]]
        for group in found.plan.groups
    }


def _tests(found: Findings, stage: str, method: str) -> list[tuple[str, str, float]]:
    rows = [r for r in found.document["tests"] if (r["stage"], r["method"]) == (stage, method)]
    return [(r["control"], r["case"], r["p"]) for r in rows]


def draw_spots(album: Album, found: Findings) -> None:
    """Histogram of the Spot Count by group."""
    groups: dict[str, Counter[int]] = {}
    for judged in found.counted:
        counted = np.isin(judged.stages, found.plan.stages)
        groups.setdefault(judged.sample.group, Counter()).update(judged.spot_count[counted].tolist())
    ordered = {name: groups[name] for name in found.plan.groups if groups.get(name)}
    if ordered:
        album.add(
            "spots",
            spot_count_histogram(ordered),
            "spot-count",
            caption="Spot Count of the counted cells, in percent of each group.",
            alt=f"Bar chart of spot counts for the groups {', '.join(ordered)}",
        )


def draw_agreement(album: Album, found: Findings) -> None:
    """Confusion of each method with each reference."""
    for method, reference in product(METHODS, ("manual", "labels")):
        rows = [
            row
            for row in found.document["confusion"]
            if (row["model"], row["reference"]) == (method, reference)
        ]
        if not rows:
            continue
        who = METHODS[method].capitalize()
        true = list(dict.fromkeys(row["true"] for row in rows))
        predicted = list(dict.fromkeys(row["predicted"] for row in rows))
        counts = {(row["true"], row["predicted"]): row["count"] for row in rows}
        matrix = [[counts[t, p] for p in predicted] for t in true]
        name = "manual tags" if reference == "manual" else "table of truth"
        album.add(
            "agreement",
            confusion_panels(matrix, true, predicted=predicted, title=f"{who} and {name}"),
            *("confusion", method, reference),
            caption=f"What the {METHODS[method]} called the cells of each class by the {name}"
            + (
                f", each cell judged by a classifier trained without it ({_split(rows[0]['split'])})."
                if rows[0]["split"] != "all"
                else "; other: a cell without a tag (true), or none that was called a BNE (predicted)."
            ),
            alt=f"Confusion matrix of the {METHODS[method]} against the {name}: "
            + "; ".join(f"{t} called {p}: {counts[t, p]:,}" for t in true for p in predicted),
        )


def _split(name: str) -> str:
    return name if name == "cross-validation" else f"{name} part"


def draw_overlap(album: Album, found: Findings) -> None:
    """Who calls the same cells a BNE: of the observer, the plain rule and the trained methods.

    All methods together as an UpSet plot: the trained methods judge candidates only, so most regions of a
    Venn diagram with the plain rule would be empty. Then a Venn diagram for each group and stage, as in
    the field: manual tags and plain rule, manual tags and the trained methods.
    """
    _draw_upset(album, found)
    _draw_sets(album, found, "spot_overlap", ("manual", "spot"))
    trained = tuple(method for method in found.plan.methods if method in {"fbml", "cnn"})
    if trained:
        _draw_sets(album, found, "overlap", ("manual", *trained))


def _draw_upset(album: Album, found: Findings) -> None:
    rows = [row for row in found.document.get("upset", []) if not row["group"] and not row["stage"]]
    names = [name for name in METHODS if any(name in row["methods"].split("+") for row in rows)]
    if len(names) < 3:
        return
    counts = {tuple(int(name in row["methods"].split("+")) for name in names): row["count"] for row in rows}
    first = rows[0]
    words = " and ".join(METHODS[name] for name in first["methods"].split("+"))
    album.add(
        "overlap",
        upset_figure(counts, [METHODS[name] for name in names], "Cells called a BNE, all groups and stages"),
        "upset",
        caption="Cells by exactly which methods call them a BNE, in the samples that all of them judged. "
        "Dots: the methods that do.",
        alt=f"UpSet plot of {len(names)} methods; most cells ({first['count']:,}) are called a BNE by "
        f"{words} alone",
    )


def _draw_sets(album: Album, found: Findings, table: str, methods: tuple[str, ...]) -> None:
    """Diagrams of one table, one per group and stage that holds a BNE."""
    rows = found.document[table]
    names = [METHODS[method] for method in methods]
    for group, stage in product(found.plan.groups, found.plan.stages):
        counts: Counter[tuple[int, ...]] = Counter()
        for row in rows:
            region = tuple(row[method] for method in methods)
            if (row["group"], row["stage"]) == (group, stage) and any(region):
                counts[region] += row["count"]
        if not sum(counts.values()):
            continue
        regions = "; ".join(
            f"{' and '.join(name for name, bit in zip(names, region, strict=True) if bit)}: {count:,}"
            for region, count in counts.items()
        )
        album.add(
            "overlap",
            sets_figure(counts, names, f"{group}, {stage}"),
            *("venn", group, stage, *(method for method in methods if method in {"fbml", "cnn"})),
            caption=f"{group}, {stage}: cells that the {' and the '.join(names)} call a BNE.",
            alt=f"Venn diagram of {group}, {stage}: {regions}",
        )
