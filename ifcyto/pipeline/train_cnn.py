"""From tagged objects of one or many samples to the model folder of a neural network."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._output import refuse_existing
from ifcyto.classify.cnn.options import CnnOptions
from ifcyto.classify.cnn.split import fold_parts, three_parts
from ifcyto.classify.scorer import softmax
from ifcyto.classify.truth import make_truth
from ifcyto.pipeline.cnn_material import load_material, refuse_leaks, tagged_samples, without_repeats
from ifcyto.pipeline.cnn_record import training_record
from ifcyto.pipeline.cnn_thresholds import given_thresholds
from ifcyto.pipeline.parallel import no_progress
from ifcyto.provenance import provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.classify.cnn.folder import CnnModel
    from ifcyto.classify.truth import Truth
    from ifcyto.pipeline.parallel import Progress

__all__ = ["CnnTraining", "train_cnn"]


@dataclass(frozen=True, slots=True, eq=False)
class CnnTraining:
    """What the training of a network found and wrote.

    Parameters
    ----------
    folder : pathlib.Path
    model : CnnModel
    truth : Truth
    parts : ndarray (n,) of int64
        Part of each object of `truth`; see :data:`ifcyto.classify.cnn.split.PARTS`.
    probabilities : ndarray (n, classes)
        By the network that was kept, calibrated; of the training part they are too good.
    record : dict
        What the model folder and the report say of the training.
    """

    folder: Path
    model: CnnModel
    truth: Truth
    parts: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    record: dict[str, Any]


def train_cnn(
    samples: Mapping[str, Path | str],
    truth: Mapping[tuple[str, int], str],
    output: Path | str,
    *,
    channels: Mapping[str, str | int] | Sequence[str | int] | None = None,
    classes: Sequence[str] | None = None,
    rest: str | None = None,
    options: CnnOptions | None = None,
    own: Any = None,
    thresholds: float | Mapping[str, float] | None = None,
    drop_repeats: bool = False,
    work: Path | str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> CnnTraining:
    """Train a network on tagged objects, pooled over samples, and write its folder.

    Parameters
    ----------
    samples : mapping of str to path-like
        Name of each sample to a stack or any readable input with images.
    truth : mapping of (sample, object) to label
    output : path-like
        Folder of the model.
    channels : mapping of str to (str or int), or sequence of these, optional
        Channels to look at, by role, name or number; of a mapping the keys are the
        names by which the model will ask for them. All by default.
    classes : sequence of str, optional
        Order of the classes; by default as they are sorted.
    rest : str, optional
        Boolean rest class: what is of none of `classes`.
    options : CnnOptions, optional
    own : keras.Model or path-like, optional
        A user's network instead of ``options.architecture``.
    thresholds : float or mapping of str to float, optional
        Probability that an object needs to keep its class, of all classes or of some; below it the object
        is ``Unknown``. For the others ``options.wanted_precision`` chooses it.
    drop_repeats : bool
        Of objects with the same images, byte for byte, keep the first.
    work : path-like, optional
        Folder for the states of a training under way: the same call goes on from there after a kill. It is
        kept, and a later call that differs in ``views``, ``wanted_precision`` or `thresholds` alone only
        judges the trained networks anew. By default ``.NAME.work`` beside the model, removed at the end.
    overwrite : bool
        Replace an existing model.
    progress : callable, optional

    Returns
    -------
    CnnTraining

    Raises
    ------
    UsageError
        Too little truth; objects, channels or samples that are not there; samples that differ in their pixel
        size; the same images twice, in different parts or classes; a threshold of no class or outside 0 to 1.
    MissingExtraError
        TensorFlow is not installed; the message gives the install line.
    FormatError, StackError
        An input cannot be read.
    OutputError
        The folder exists and `overwrite` is False, or cannot be written.
    """
    from ifcyto.classify.cnn.backend import describe_device
    from ifcyto.classify.cnn.folder import CnnModel, write_cnn_model
    from ifcyto.classify.cnn.train import train_network

    refuse_existing(output, overwrite=overwrite)
    options, progress = options or CnnOptions(), progress or no_progress
    folder = Path(output)
    states = folder.with_name(f".{folder.name}.work") if work is None else Path(work)
    rows, notes = make_truth(truth, classes, rest=rest)
    limits = given_thresholds(thresholds, rows.classes)
    used = tagged_samples(samples, rows)
    try:
        states.mkdir(parents=True, exist_ok=True)
        material = load_material(used, rows, channels, options, notes, states, progress)
        material = without_repeats(material, drop=drop_repeats)
        codes, groups = material.codes, material.groups
        parts, whole = three_parts(
            codes, validation=options.validation, test=options.test, groups=groups, seed=options.seed
        )
        jobs = [("network", parts)]
        if options.folds:
            folds = fold_parts(
                codes,
                rows.classes,
                options.folds,
                validation=options.validation,
                groups=groups,
                seed=options.seed,
            )
            jobs += [(f"fold {i}", part) for i, part in enumerate(folds, 1)]
        refuse_leaks(material, jobs)
        learned = []
        for place, (name, part) in enumerate(jobs):
            show = _told(progress, name, place, len(jobs))
            learned.append(
                train_network(
                    material.crops,
                    codes,
                    part,
                    len(rows.classes),
                    options,
                    own=own,
                    work=states / name.replace(" ", "-"),
                    progress=show,
                )
            )
            if place:
                learned[-1] = replace(learned[-1], network=None)  # folds are for the estimate alone
        record = training_record(material, options, jobs, learned, whole=whole, given=limits)
        seconds = sum(sum(one.history["seconds"]) for one in learned)
        record |= {"device": describe_device(), "seconds": round(seconds, 1)}
        architecture = options.architecture if own is None else "own"
        model = CnnModel(
            learned[0].network,
            architecture,
            rows.classes,
            material.channels,
            options.size,
            learned[0].scale,
            material.pixel_size_um,
            record["calibration"]["temperature"],
            record["thresholds"]["limits"],
            training=record,
            provenance=provenance(
                sources=list(used.values()), options={"step": "train", **options.to_dict()}, seed=options.seed
            ),
            views=options.views,
        )
        write_cnn_model(folder, model, overwrite=overwrite)
    except BaseException:
        if work is None and not any(states.rglob("state.json")):
            shutil.rmtree(states, ignore_errors=True)
        raise
    if work is None:
        shutil.rmtree(states, ignore_errors=True)
    probabilities = softmax(learned[0].logits.astype(np.float64) / model.temperature)
    return CnnTraining(folder, model, material.rows, parts, probabilities, record)


def _told(progress: Progress, name: str, place: int, jobs: int) -> Callable[[int, int], None]:
    return lambda done, total: progress(
        f"train {name}" if jobs > 1 else "train", place * total + done, jobs * total
    )
