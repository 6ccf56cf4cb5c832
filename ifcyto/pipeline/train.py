"""From tagged objects of one or many samples to a model folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._output import refuse_existing
from ifcyto.classify.model_folder import Column, Model, write_model
from ifcyto.classify.scorer import LinearScorer
from ifcyto.classify.step_training import train_two_step
from ifcyto.classify.training import TrainOptions
from ifcyto.classify.training import train as train_scorer
from ifcyto.classify.truth import make_truth
from ifcyto.compare.agreement import agreement_from_matrix
from ifcyto.errors import UsageError
from ifcyto.features.table import read_table
from ifcyto.pipeline.measure import MeasureOptions, measure
from ifcyto.pipeline.parallel import no_progress
from ifcyto.pipeline.sources import is_stack
from ifcyto.provenance import provenance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anndata import AnnData
    from numpy.typing import NDArray

    from ifcyto.classify.training import Training
    from ifcyto.classify.truth import Truth
    from ifcyto.pipeline.feature_choice import FeatureChoice
    from ifcyto.pipeline.parallel import Progress

COMBINED = "Combined"

__all__ = ["TrainResult", "read_values", "train", "training_record"]


@dataclass(frozen=True, slots=True, eq=False)
class TrainResult:
    """What a training found and wrote.

    Parameters
    ----------
    folder : pathlib.Path
    model : Model
    training : Training
    truth : Truth
    values : ndarray (n, chosen features)
        Of the objects of `truth`, in its order.
    record : dict
        What the model folder and the report say of the training.
    """

    folder: Path
    model: Model
    training: Training
    truth: Truth
    values: NDArray[np.float64]
    record: dict[str, Any]


def train(
    samples: Mapping[str, Path | str],
    truth: Mapping[tuple[str, int], str],
    output: Path | str,
    *,
    features: FeatureChoice = "fbml",
    classes: Sequence[str] | None = None,
    rest: str | None = None,
    two_steps: bool = False,
    measuring: MeasureOptions | None = None,
    options: TrainOptions | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> TrainResult:
    """Train a classifier on tagged objects, pooled over samples, and write its folder.

    Parameters
    ----------
    samples : mapping of str to path-like
        Name of each sample to a stack, any readable input, or a feature table (``.h5ad``).
    truth : mapping of (sample, object) to label
        Any classes.
    output : path-like
        Folder of the model.
    features : str, path or sequence of str
        Candidate features, as in :func:`ifcyto.pipeline.measure.measure`; for
        feature tables all their columns.
    classes : sequence of str, optional
        Order of the classes; by default as they are sorted.
    rest : str, optional
        Boolean rest class: what is of none of `classes`. ``Irregular`` with two steps.
    two_steps : bool
        First tell the rest class from all others, then these from each other, as in the
        paper (:mod:`ifcyto.classify.steps`).
    measuring : MeasureOptions, optional
    options : TrainOptions, optional
    workers : int, optional
        Threads for measuring; all cores by default.
    overwrite : bool
        Replace an existing model.
    progress : callable, optional

    Returns
    -------
    TrainResult

    Raises
    ------
    UsageError
        Too little truth, objects or samples that are not there, samples that
        differ in their channels or pixel size.
    FormatError, StackError
        An input cannot be read.
    OutputError
        The folder exists and `overwrite` is False, or cannot be written.
    """
    refuse_existing(output, overwrite=overwrite)
    options = options or TrainOptions()
    rest = "Irregular" if two_steps and rest is None else rest
    rows, notes = make_truth(truth, classes, minimum=options.minimum, rest=rest)
    unknown = sorted(set(rows.samples.tolist()) - set(samples))
    if unknown:
        msg = f"the truth names samples that are not given: {', '.join(unknown[:5])}"
        raise UsageError(msg)
    used = {name: Path(path) for name, path in samples.items() if name in set(rows.samples.tolist())}
    tables = {
        name: read_values(
            path, features, rows.objects[rows.samples == name], measuring, workers=workers, progress=progress
        )
        for name, path in used.items()
    }
    first = next(iter(tables.values()))
    values = _aligned(rows, tables)
    plain = (first.var["feature"] != COMBINED).to_numpy()
    names = tuple(first.var_names[plain])
    if not plain.all():
        values = values[:, plain]
        notes = (
            *notes,
            f"{int((~plain).sum())} combined features are no candidates: a model cannot hold them",
        )
    groups = rows.samples if len(tables) > 1 else None
    how = partial(train_two_step, rest=rest) if two_steps and rest else train_scorer
    training = how(
        values, rows.labels, names,
        options=options, groups=groups, classes=rows.classes,
        progress=partial(progress or no_progress, "train"),
    )  # fmt: skip
    training = replace(training, notes=(*notes, *training.notes))
    record = training_record(training, rows, options, grouped=groups is not None)
    sources = provenance(sources=list(used.values()), options={"step": "train"}, seed=options.seed)
    model = _model(training, first, record, sources)
    write_model(output, model, overwrite=overwrite)
    places = [names.index(name) for name in training.scorer.features]
    return TrainResult(Path(output), model, training, rows, values[:, places], record)


def read_values(
    path: Path,
    features: FeatureChoice,
    objects: NDArray[np.int64] | None,
    measuring: MeasureOptions | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> AnnData:
    """Feature values of some objects: measured, or taken from a feature table.

    Raises
    ------
    UsageError
        An object is not there.
    """
    wanted = None if objects is None else objects.tolist()
    if not (is_stack(path) and path.suffix.lower() == ".h5ad"):
        return measure(path, features, options=measuring, objects=wanted, workers=workers, progress=progress)
    table = read_table(path)
    if objects is None:
        return table
    there = table.obs["object"].to_numpy()
    absent = np.setdiff1d(objects, there)
    if len(absent):
        msg = f"{path}: {len(absent)} of {len(np.unique(objects))} objects are not in the table: {absent[0]}"
        raise UsageError(msg)
    return table[np.isin(there, objects)]


def _aligned(rows: Truth, tables: Mapping[str, AnnData]) -> NDArray[np.float64]:
    """Values ``(n, features)`` in the order of the truth; joined by sample and object number."""
    first_name, first = next(iter(tables.items()))
    values = np.empty((len(rows.objects), first.n_vars))
    for name, table in tables.items():
        for what, ours, theirs in (
            ("features", list(first.var_names), list(table.var_names)),
            ("pixel size", _header(first)["pixel_size_um"], _header(table)["pixel_size_um"]),
        ):
            if ours != theirs:
                msg = (
                    f"samples {first_name} and {name}: expected the same {what} in all samples, found others"
                )
                raise UsageError(msg)
        numbers = table.obs["object"].to_numpy()
        order = np.argsort(numbers, kind="stable")
        mine = rows.samples == name
        places = order[np.searchsorted(numbers, rows.objects[mine], sorter=order)]
        values[mine] = np.asarray(table.X)[places]
    return values


def _header(table: AnnData) -> dict[str, Any]:
    header: dict[str, Any] = table.uns["ifcyto"]
    return header


def _model(
    training: Training, table: AnnData, record: Mapping[str, Any], sources: Mapping[str, Any]
) -> Model:
    header = _header(table)
    described = table.var.loc[list(training.scorer.features)]
    columns = tuple(
        Column(name=str(name), definition=str(row["definition"]), unit=str(row["unit"]))
        for name, row in described.iterrows()
    )
    used = {mask for masks in described["mask"] for mask in str(masks).split("|") if mask}
    masks = {name: text for name, text in json.loads(header["masks"]).items() if name in used}
    images = sorted({image for found in described["image"] for image in str(found).split("|") if image})
    return Model(
        scorer=training.scorer,
        columns=columns,
        masks=masks,
        images=tuple(images),
        pixel_size_um=float(header["pixel_size_um"]),
        training=dict(record),
        provenance=dict(sources),
    )


def training_record(
    training: Training, truth: Truth, options: TrainOptions, *, grouped: bool
) -> dict[str, Any]:
    """What a training was and found, as JSON values: for the model folder and the report.

    Parameters
    ----------
    training : Training
    truth : Truth
    options : TrainOptions
    grouped : bool
        Whether the folds kept samples whole.

    Returns
    -------
    dict
        With a key ``steps``, a list of such records, where there are two.
    """
    counts = {name: int((truth.labels == name).sum()) for name in training.scorer.classes}
    record = _record(training, counts, options, sorted(set(truth.samples.tolist())), grouped=grouped)
    if training.steps:
        passing = sum(counts[name] for name in training.steps[1].scorer.classes)
        first = dict(
            zip(training.steps[0].scorer.classes, (passing, sum(counts.values()) - passing), strict=True)
        )
        record["steps"] = [
            _record(step, found, options, record["samples"], grouped=grouped)
            for step, found in zip(training.steps, (first, counts), strict=True)
        ]
    return record


def _record(
    training: Training, counts: Mapping[str, int], options: TrainOptions, samples: list[str], *, grouped: bool
) -> dict[str, Any]:
    scores = agreement_from_matrix(training.cv.matrix, training.scorer.classes).scores
    folds = np.asarray(training.cv.balanced_accuracy, np.float64)
    curve = training.learning_curve
    chosen = set(training.scorer.features)
    return {
        "method": options.method,
        "classes": list(training.scorer.classes),
        "n_truth": {name: counts[name] for name in training.scorer.classes},
        "samples": samples,
        "grouped": grouped,
        "options": asdict(options),
        "balanced_accuracy": {"mean": float(folds.mean()), "sd": float(folds.std(ddof=1))},
        "scores": [
            {"class": s.label, "precision": s.precision, "recall": s.recall, "f1": s.f1} for s in scores
        ],
        "matrix": np.asarray(training.cv.matrix).tolist(),
        "ranking": [
            {"name": name, "ratio": float(ratio), "chosen": name in chosen}
            for name, ratio in zip(training.ranking.names, training.ranking.ratios, strict=True)
        ],
        "chosen": list(training.scorer.features),
        "dropped": dict(training.dropped),
        "learning_curve": None
        if curve is None
        else {name: list(map(float, v)) for name, v in asdict(curve).items()},
        "notes": list(training.notes),
        **_directions(training),
    }


def _directions(training: Training) -> dict[str, Any]:
    """For which class a high and a low value of each feature speak most; of linear classifiers only."""
    scorer = training.scorer
    if not isinstance(scorer, LinearScorer):
        return {}
    high, low = scorer.weights.argmax(axis=0).tolist(), scorer.weights.argmin(axis=0).tolist()
    names = scorer.classes
    return {
        "directions": {feature: [names[high[j]], names[low[j]]] for j, feature in enumerate(scorer.features)}
    }
