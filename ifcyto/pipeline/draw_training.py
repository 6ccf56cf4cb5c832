"""Draw what a training found: classifier values of the truth, best features, learning curve."""

from __future__ import annotations

import csv
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.figures.classifier import score_histogram, score_plane
from ifcyto.figures.training import learning_curve, ranking_bars
from ifcyto.pipeline.judged import POSITIVE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.pipeline.draw import Album
    from ifcyto.pipeline.results import Findings

__all__ = ["draw_training"]

SECTION = "training"
HOW = "of the truth images, by a classifier trained on all of them"


def draw_training(album: Album, found: Findings, scores_file: Path) -> None:
    """Figures of the section on the feature-based classifier.

    Parameters
    ----------
    album : Album
    found : Findings
        With a record of the training.
    scores_file : pathlib.Path
        ``sample,object,label`` and one score a class.
    """
    record = found.document["training"]
    classes: list[str] = record["classes"]
    labels, scores = read_scores(scores_file, classes)
    place = classes.index(POSITIVE)
    value = scores[:, place] - np.delete(scores, place, axis=1).max(axis=1)
    album.add(
        SECTION,
        score_histogram(
            {name: value[labels == name] for name in classes},
            title=f"{POSITIVE} against the likeliest other class",
            axis="classifier value (log odds)",
        ),
        "fbml-histogram",
        caption=f"Classifier value {HOW}; right of the line an image is called {POSITIVE}. "
        "The table of the cross-validation says how well this holds for images it has not seen.",
        alt=f"Histogram of the classifier value of {POSITIVE} by class",
    )
    others = [name for name in classes if name != POSITIVE]
    for first, second in list(combinations(others, 2))[:1]:
        x, y = (scores[:, place] - scores[:, classes.index(name)] for name in (first, second))
        album.add(
            SECTION,
            score_plane(
                x, y, labels, classes=classes, x_label=f"{POSITIVE} against {first}",
                y_label=f"{POSITIVE} against {second}",
            ),
            "fbml-plane",
            caption=f"Two classifier values {HOW}; {POSITIVE} is the upper right part.",
            alt=f"Scatter plot of the classifier values of {POSITIVE} against {first} and {second}",
        )  # fmt: skip
    steps = record.get("steps") or [record]
    for place, step in enumerate(steps, start=1):
        _draw_step(album, step, f"-{place}" if len(steps) > 1 else "")


def _draw_step(album: Album, record: dict[str, Any], name: str) -> None:
    """Ranking and learning curve of a classifier, or of one of its steps."""
    classes = " or ".join(record["classes"])
    of = f" ({classes})" if name else ""
    album.add(
        SECTION,
        ranking_bars(
            [row["name"] for row in record["ranking"]],
            [row["ratio"] for row in record["ranking"]],
            record["chosen"],
        ),
        f"fbml-ranking{name}",
        caption=f"Features that tell the classes{of} apart best, by Fisher's ratio; dark: those in use.",
        alt=f"Bar chart of the best features{of}",
    )
    curve = record["learning_curve"]
    if curve is not None and len(curve["sizes"]) > 1:
        album.add(
            SECTION,
            learning_curve(curve["sizes"], curve["mean"], curve["sd"], classes=len(record["classes"])),
            f"fbml-learning{name}",
            caption=f"Balanced accuracy{of} for images that were held out, by the number trained on; "
            "band: s.d.",
            alt=f"Learning curve of the classifier{of}",
        )


def read_scores(path: Path, classes: list[str]) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Labels ``(n,)`` and scores ``(n, classes)`` of the truth."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = np.array([row["label"] for row in rows], dtype=np.str_)
    return labels, np.array([[float(row[name]) for name in classes] for row in rows]).reshape(
        -1, len(classes)
    )
