"""What the training of a network was and found, as JSON values: for the model folder and the report."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.classify.cnn.split import PARTS, TEST, VALIDATION
from ifcyto.classify.crossval import balanced_accuracy
from ifcyto.classify.scorer import softmax
from ifcyto.compare.agreement import agreement_from_matrix
from ifcyto.pipeline.cnn_calibration import calibrate, calibration_record
from ifcyto.pipeline.cnn_thresholds import (
    ClassThresholds,
    choose_class_thresholds,
    judge_thresholds,
    told_short,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.classify.cnn.options import CnnOptions
    from ifcyto.classify.cnn.train import Learned
    from ifcyto.pipeline.cnn_material import Material

__all__ = ["training_record"]


def training_record(
    material: Material,
    options: CnnOptions,
    jobs: Sequence[tuple[str, NDArray[np.int64]]],
    learned: Sequence[Learned],
    *,
    whole: bool,
    given: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Describe a training.

    Parameters
    ----------
    material : Material
    options : CnnOptions
    jobs : sequence of (str, ndarray (n,))
        The network that is kept, then the folds: name and part of each object.
    learned : sequence of Learned
        What came of each.
    whole : bool
        Whether samples were kept whole.
    given : mapping of str to float, optional
        Thresholds of classes that the user gave.

    Returns
    -------
    dict
        ``matrix`` and ``scores`` are of objects that were not learned from: the folds where there are some,
        else the test part, else the validation part; ``judged`` says which. They are of the likeliest
        class, before any threshold. Probabilities are at ``calibration.temperature``, and
        ``thresholds.limits`` are what an object needs to keep its class.
    """
    rows, codes, parts = material.rows, material.codes, jobs[0][1]
    best = learned[0]
    found = best.logits.argmax(axis=1)
    seen = {code: name for code, name in enumerate(PARTS) if (parts == code).any()}
    matrices = {name: _matrix(codes, found, parts == code, rows.classes) for code, name in seen.items()}
    judged, logits, folds = _honest(codes, jobs, learned)
    calibration = calibrate(best.logits, codes, parts)
    heat = calibration.temperature
    kept, held_out = (softmax(values.astype(np.float64) / heat) for values in (best.logits, logits))
    thresholds, missed = _thresholds(material, options, parts, kept, held_out, given or {}, folds=bool(folds))
    matrix = _matrix(codes, logits.argmax(axis=1), judged, rows.classes)
    sizes = {name: matrix.sum(axis=1).tolist() for name, matrix in matrices.items()}
    notes = [*material.notes, *missed]
    if calibration.why:
        notes.append(f"probabilities are as the network gave them (temperature 1): {calibration.why}")
    if options.views > 1 and (options.augmentation.rotate == "none" or not options.augmentation.flip):
        notes.append(
            f"it is judged in {options.views} views and was not trained on turned and mirrored images "
            "(rotate, flip)"
        )
    if not whole and material.groups is not None:
        n_groups = len(set(material.groups.tolist()))
        notes.append(f"{n_groups} samples are too few to keep each in one part: three are needed")
    return {
        "method": "cnn",
        "architecture": options.architecture,
        "classes": list(rows.classes),
        "channels": [channel.label for channel in material.channels],
        "n_truth": rows.counts(),
        "samples": sorted(set(rows.samples.tolist())),
        "grouped": whole,
        "options": options.to_dict(),
        "parts": {name: dict(zip(rows.classes, counts, strict=True)) for name, counts in sizes.items()},
        "images_sha256": hashlib.sha256(material.crops.images.tobytes()).hexdigest(),
        "history": best.history,
        "best_epoch": best.best + 1,
        "reason": best.reason,
        "precision": best.precision,
        "weights": int(best.network.count_params()),
        "matrices": {name: matrix.tolist() for name, matrix in matrices.items()},
        "balanced_accuracy_of": {
            name: balanced_accuracy(codes[parts == code], found[parts == code]) for code, name in seen.items()
        },
        "judged": "folds" if len(jobs) > 1 else PARTS[TEST if TEST in seen else VALIDATION],
        "matrix": matrix.tolist(),
        "scores": [
            {"class": s.label, "precision": s.precision, "recall": s.recall, "f1": s.f1}
            for s in agreement_from_matrix(matrix, rows.classes).scores
        ],
        **folds,
        "calibration": calibration_record(calibration, best.logits, codes, parts, logits if folds else None),
        "thresholds": thresholds,
        "objects": _objects(material, parts, judged, held_out),
        "notes": notes,
    }


def _honest(
    codes: NDArray[np.int64], jobs: Sequence[tuple[str, NDArray[np.int64]]], learned: Sequence[Learned]
) -> tuple[NDArray[np.bool_], NDArray[np.float32], dict[str, Any]]:
    """Objects that were judged without having been learned from, their logits, and the folds' accuracies."""
    parts = jobs[0][1]
    if len(jobs) == 1:
        part = TEST if (parts == TEST).any() else VALIDATION
        return parts == part, learned[0].logits, {}
    logits, each = np.zeros_like(learned[0].logits), []
    for (_, fold_part), fold in zip(jobs[1:], learned[1:], strict=True):
        test = fold_part == TEST
        logits[test] = fold.logits[test]
        each.append(balanced_accuracy(codes[test], logits[test].argmax(axis=1)))
    folds = {
        "folds": {"balanced_accuracy": each, "best_epochs": [fold.best + 1 for fold in learned[1:]]},
        "balanced_accuracy": {"mean": float(np.mean(each)), "sd": float(np.std(each, ddof=1))},
    }
    return np.ones(len(codes), bool), logits, folds


def _matrix(
    codes: NDArray[np.int64], found: NDArray[np.int64], chosen: NDArray[np.bool_], classes: Sequence[str]
) -> NDArray[np.int64]:
    matrix = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(matrix, (codes[chosen], found[chosen]), 1)
    return matrix


def _thresholds(
    material: Material,
    options: CnnOptions,
    parts: NDArray[np.int64],
    kept: NDArray[np.float64],
    held_out: NDArray[np.float64],
    given: Mapping[str, float],
    *,
    folds: bool,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Thresholds of the classes, and why some have none.

    They are chosen on what the folds held out, which is most, or else on the validation part; in
    either case without the test part, which judges the network that is kept.
    """
    codes, classes, wanted = material.codes, material.rows.classes, options.wanted_precision
    found = ClassThresholds(dict(given))
    if wanted is not None:
        rows = parts != TEST if folds else parts == VALIDATION
        found = choose_class_thresholds(
            codes[rows], held_out[rows] if folds else kept[rows], classes, precision=wanted, given=given
        )
    record: dict[str, Any] = {
        "wanted_precision": wanted,
        "chosen_on": "folds" if folds else PARTS[VALIDATION],
        "given": sorted(given),
        "limits": found.limits,
        "classes": list(found.rows),
    }
    test = parts == TEST
    notes = found.notes
    if found.limits and test.any():
        record["test"] = judge_thresholds(codes[test], kept[test], classes, found.limits)
        if wanted is not None:
            notes += told_short(record["test"], [row["class"] for row in found.rows], wanted)
    return record, notes


def _objects(
    material: Material, parts: NDArray[np.int64], judged: NDArray[np.bool_], shares: NDArray[np.float64]
) -> list[dict[str, Any]]:
    rows = material.rows
    columns = (rows.samples, rows.objects, rows.labels, parts, judged, shares.round(6))
    return [
        {
            "sample": sample,
            "object": number,
            "label": label,
            "part": PARTS[part],
            "judged": by,
            "probabilities": p,
        }
        for sample, number, label, part, by, p in zip(*(column.tolist() for column in columns), strict=True)
    ]
