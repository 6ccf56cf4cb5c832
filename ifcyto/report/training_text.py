"""What a training record says, in sentences."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "accuracy_text",
    "classes_text",
    "is_known",
    "more_images_text",
    "number_of",
    "trained_text",
    "unseen_text",
    "validated_text",
]

_METHODS = {
    "lda": "linear discriminant analysis with shrinkage",
    "logistic": "logistic regression",
    "forest": "a random forest",
    "boosting": "gradient boosting of trees",
}
_FLAT = 0.01  # a gain of balanced accuracy by the last doubling of the truth that is none

Point = tuple[float, float, float | None]


def is_known(value: float | None) -> TypeGuard[float]:
    """Whether there is such a number.

    Examples
    --------
    >>> is_known(0.5), is_known(None), is_known(float("nan"))
    (True, False, False)
    """
    return value is not None and math.isfinite(value)


def trained_text(record: Mapping[str, Any]) -> str:
    """What was trained on what."""
    counts = record["n_truth"]
    return (
        f"The classifier was trained by {_METHODS.get(record['method'], record['method'])} on "
        f"{sum(counts[name] for name in record['classes']):,} truth images from "
        f"{number_of(len(record['samples']), 'sample')}, of {len(record['classes'])} classes: "
        f"{classes_text(counts, record['classes'])}. It uses {number_of(len(record['chosen']), 'feature')}."
        f"{_steps_text(record)}"
    )


def classes_text(counts: Mapping[str, int], classes: Sequence[str]) -> str:
    """Every class with its number of images.

    Examples
    --------
    >>> classes_text({"BNE": 1200, "Doublet": 30, "Irregular": 4}, ["BNE", "Doublet", "Irregular"])
    'BNE (1,200), Doublet (30) and Irregular (4)'
    """
    said = [f"{name} ({counts[name]:,})" for name in classes]
    return f"{', '.join(said[:-1])} and {said[-1]}"


def _steps_text(record: Mapping[str, Any]) -> str:
    if not record.get("steps"):
        return ""
    first, second = record["steps"]
    accuracy = [f"{step['balanced_accuracy']['mean']:.3f}" for step in (first, second)]
    return (
        f" It works in two steps: first {' or '.join(first['classes'])} (balanced accuracy {accuracy[0]} "
        f"alone), then {' or '.join(second['classes'])} (balanced accuracy {accuracy[1]} alone); what does "
        f"not pass the first step is {record['classes'][-1]}."
    )


def validated_text(record: Mapping[str, Any]) -> str:
    """How it was judged, and that no image judged a rule that it helped to make."""
    options, samples = record["options"], len(record["samples"])
    folds = options["folds"]
    best = "" if options["n_features"] else ", the number of features"
    nested = (
        f"It was judged by nested {folds}-fold cross-validation: the truth was divided into {folds} parts, "
        f"and each part was classified by a rule made from the other {folds - 1} alone. Scaling, ranking, "
        "the choice among features with a correlation above "
        f"{options['max_correlation']:g}{best} and the weights were worked out anew each time, so no image "
        "judged a rule that it helped to make."
    )
    return f"{nested} {unseen_text(samples, whole=record.get('grouped', samples > 1))}"


def unseen_text(samples: int, *, whole: bool) -> str:
    """Whether a sample is judged unseen.

    Parameters
    ----------
    samples : int
        That the truth comes from.
    whole : bool
        Whether the images of each stand in one part of the truth.
    """
    if whole:
        return "The images of one sample were kept in one part: each sample is judged unseen."
    seen = (
        "All images come from one sample" if samples == 1 else "Images of one sample stand in several parts"
    )
    return f"{seen}; in a sample that it has not seen the classifier may do worse."


def accuracy_text(record: Mapping[str, Any]) -> str:
    """What the cross-validation says, and the mistake that is made most often."""
    classes, matrix = record["classes"], record["matrix"]
    mean, sd = record["balanced_accuracy"]["mean"], record["balanced_accuracy"]["sd"]
    if not is_known(mean):
        return "The balanced accuracy could not be computed."
    spread = f" (s.d. over the folds {sd:.3f})" if is_known(sd) else ""
    right, total = sum(row[i] for i, row in enumerate(matrix)), sum(map(sum, matrix))
    text = f"Balanced accuracy was {mean:.3f}{spread}; {right:,} of {total:,} images were classified right."
    mistakes = {(i, j): n for i, row in enumerate(matrix) for j, n in enumerate(row) if i != j and n}
    if not mistakes:
        return text
    i, j = max(mistakes, key=lambda place: mistakes[place])
    made = f"{classes[i]} called {classes[j]} ({mistakes[i, j]:,} of {sum(matrix[i]):,})"
    return f"{text} The most frequent mistake: {made}."


def more_images_text(record: Mapping[str, Any]) -> str:
    """How many more truth images would help, by the learning curve; empty where there is none.

    The gain of the last doubling is the most that another doubling can be expected to
    bring, as learning curves flatten out.
    """
    curve = record["learning_curve"]
    if curve is None:
        return ""
    triples = zip(curve["sizes"], curve["mean"], curve["sd"], strict=True)
    points: list[Point] = [(size, mean, sd) for size, mean, sd in triples if is_known(mean)]
    if len(points) < 2:
        return "The learning curve has fewer than two points, so it does not tell whether more images help."
    last, mean, sd = points[-1]
    size, before = _half_way(points)
    gain = mean - before
    change = f"From {size:,.0f} to {last:,.0f} images balanced accuracy went from {before:.3f} to {mean:.3f}"
    if gain < _FLAT:
        return f"{change}: the learning curve is flat, and more images of the same kind will hardly help."
    text = (
        f"{change}. The learning curve still rises: about {_rounded(last * last / size - last):,} more truth "
        f"images can be expected to add {gain:.3f} at most, and each further one adds less."
    )
    if is_known(sd) and gain <= sd:
        text += f" This is within the scatter of the curve (s.d. {sd:.3f}) and therefore not certain."
    return text


def _half_way(points: Sequence[Point]) -> tuple[float, float]:
    """Half of the largest size and the mean there, along the logarithm; or else the first point."""
    half = points[-1][0] / 2
    for (low, low_mean, _), (high, high_mean, _) in pairwise(points):
        if low <= half <= high:
            share = math.log(half / low) / math.log(high / low)
            return half, low_mean + share * (high_mean - low_mean)
    return points[0][:2]


def number_of(count: int, word: str) -> str:
    """A number and what is counted, in the singular or plural.

    Examples
    --------
    >>> number_of(1, "sample"), number_of(2000, "image")
    ('1 sample', '2,000 images')
    """
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _rounded(count: float) -> int:
    """Two leading digits, as an estimate has."""
    whole = max(round(count), 1)
    return int(round(whole, 2 - len(str(whole)))) if whole >= 100 else whole
