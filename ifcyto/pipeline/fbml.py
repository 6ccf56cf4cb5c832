"""The feature-based classifier in a study: train it on the table of truth, classify the candidates."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.classify.scorer import UNKNOWN
from ifcyto.classify.training import TrainOptions
from ifcyto.features.sets import SETS
from ifcyto.pipeline.classify import classify
from ifcyto.pipeline.judged import POSITIVE
from ifcyto.pipeline.measure_job import MeasureOptions
from ifcyto.pipeline.tables import csv_text, write_text
from ifcyto.pipeline.train import train

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.classify.model_folder import Model
    from ifcyto.pipeline.acquire import Input
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.study import Study
    from ifcyto.pipeline.train import TrainResult

__all__ = [
    "classify_candidates",
    "read_record",
    "read_verdicts",
    "train_fbml",
    "why_no_truth",
    "why_not",
    "write_truth_scores",
]

REST = "Irregular"
COLUMNS = ("object", "label", "score")


def why_no_truth(study: Study, truth: Mapping[tuple[str, int], str]) -> str:
    """Why nothing can be trained on the truth of a study; empty when something can."""
    if study.labels is None:
        return "the study names no table of truth (labels under [study])"
    classes = sorted({label for label in truth.values() if label != UNKNOWN})
    if len(classes) < 2 or POSITIVE not in classes:
        return (
            f"{study.labels.name} holds no {POSITIVE} and another class, only {', '.join(classes) or 'none'}"
        )
    lonely = [name for name in classes if sum(label == name for label in truth.values()) < 2]
    return f"{study.labels.name} holds one object of {lonely[0]}" if lonely else ""


def why_not(study: Study, truth: Mapping[tuple[str, int], str]) -> str:
    """Why the classifier cannot be trained; empty when it can."""
    why = why_no_truth(study, truth)
    classes = {label for label in truth.values() if label != UNKNOWN}
    if (
        not why
        and study.labels
        and study.settings.fbml.steps == 2
        and (len(classes) < 3 or REST not in classes)
    ):
        return f"two steps need {REST}, {POSITIVE} and another class in {study.labels.name}"
    return why


def train_fbml(
    study: Study,
    truth: Mapping[tuple[str, int], str],
    stacks: Mapping[str, Path],
    folder: Path,
    *,
    pixel_size_um: float,
    workers: int,
    progress: Progress,
) -> TrainResult:
    """Train on the table of truth and write the model folder.

    Parameters
    ----------
    study : Study
    truth : mapping of (sample, object) to label
        Objects of the class Unknown are left out.
    stacks : mapping of str to pathlib.Path
        Cell stack of each sample.
    folder : pathlib.Path
    pixel_size_um : float
    workers : int
    progress : callable

    Returns
    -------
    TrainResult

    Raises
    ------
    UsageError
        The truth does not suffice, or names objects that are not there.
    """
    table = study.settings.fbml
    features = table.features if table.features in SETS else study.path.parent / table.features
    return train(
        stacks,
        {key: label for key, label in truth.items() if label != UNKNOWN},
        folder,
        features=features,
        two_steps=table.steps == 2,
        measuring=MeasureOptions(
            roles=study.settings.channels, dna=study.dna_role, pixel_size_um=pixel_size_um
        ),
        options=TrainOptions(
            method=table.algorithm,
            n_features=table.n_features,
            folds=table.folds,
            seed=study.settings.study.seed,
        ),
        workers=workers,
        overwrite=True,
        progress=progress,
    )


def classify_candidates(
    model: Model,
    stack: Path,
    target: Path,
    found: Input,
    candidates: NDArray[np.int64],
    *,
    roles: Mapping[str, str | int],
    workers: int,
    progress: Progress,
) -> Path:
    """Classify the candidates of a sample and write ``object,label,score``.

    The score is the classifier value of a BNE against the likeliest other class:
    above 0 the object is a BNE.
    """
    rows: list[tuple[str, ...]] = []
    if len(candidates):
        result = classify(
            stack,
            model,
            objects=candidates.tolist(),
            images=roles,
            pixel_size_um=found.pixel_size_um,
            workers=workers,
            progress=progress,
        )
        place = model.scorer.classes.index(POSITIVE)
        others = np.delete(result.scores, place, axis=1).max(axis=1)
        score = result.scores[:, place] - others
        rows = [
            (str(number), label, "" if np.isnan(value) else repr(value))
            for number, label, value in zip(
                result.objects.tolist(), result.labels.tolist(), score.tolist(), strict=True
            )
        ]
    return write_text(target, csv_text(COLUMNS, rows))


def read_verdicts(path: Path) -> dict[int, tuple[str, float]]:
    """Object to class and score, as :func:`classify_candidates` wrote them."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {int(row["object"]): (row["label"], float(row["score"] or "nan")) for row in rows}


def write_truth_scores(result: TrainResult, path: Path) -> Path:
    """Write ``sample,object,label`` and the score of each class for the objects of the truth."""
    scores = result.training.scorer.scores(result.values)
    classes = result.training.scorer.classes
    rows = [
        (sample, str(number), label, *(repr(value) for value in values))
        for sample, number, label, values in zip(
            result.truth.samples.tolist(),
            result.truth.objects.tolist(),
            result.truth.labels.tolist(),
            scores.tolist(),
            strict=True,
        )
    ]
    return write_text(path, csv_text(("sample", "object", "label", *classes), rows))


def read_record(folder: Path) -> dict[str, Any]:
    """Training record of a model folder."""
    record: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return record
