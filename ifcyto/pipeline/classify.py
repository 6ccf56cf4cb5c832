"""From a model folder and objects to a class for each of them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto._output import refuse_existing, replacing
from ifcyto.classify.model_folder import MODEL, Model, read_json, read_model
from ifcyto.classify.threshold import apply_threshold
from ifcyto.errors import UsageError
from ifcyto.features.define import parse_definition
from ifcyto.pipeline.feature_files import is_feature_file, read_features
from ifcyto.pipeline.measure_job import MeasureOptions, open_job
from ifcyto.pipeline.objects import objects_per_source
from ifcyto.pipeline.parallel import n_workers, no_progress
from ifcyto.pipeline.sources import refuse_input_as_output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.classify.cnn.folder import CnnModel
    from ifcyto.pipeline.classify_cnn import CnnClassified
    from ifcyto.pipeline.objects import ObjectChoice
    from ifcyto.pipeline.parallel import Progress

__all__ = [
    "PROBABILITY",
    "Classified",
    "classify",
    "classify_any",
    "kept_labels",
    "read_any_model",
    "write_labels",
]

PROBABILITY = "p "
"""What stands before the class in the name of a column of probabilities."""

NETWORK = "network"
"""What ``model.json`` calls the method of a network."""

SAME_SIZE = 1e-6
"""Pixel sizes that differ by less, relatively, are the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Classified:
    """Classes of many objects.

    Parameters
    ----------
    objects : ndarray (n,) of int64
    labels : ndarray (n,) of str
        Class, or ``Unknown`` where a feature that is needed cannot be computed.
    probabilities : ndarray (n, classes) of float64
        In the order of ``model.scorer.classes``; NaN where unknown.
    scores : ndarray (n, classes) of float64
        Differences are the classifier values of pairs of classes, which can be gated.
    model : Model
    values : ndarray (n, features) of float64
        What the classes were told from, in the order of ``model.columns``.
    """

    objects: NDArray[np.int64]
    labels: NDArray[np.str_]
    probabilities: NDArray[np.float64]
    scores: NDArray[np.float64]
    model: Model
    values: NDArray[np.float64]

    @property
    def probability(self) -> NDArray[np.float64]:
        """Probability ``(n,)`` of the class that was given; NaN where unknown."""
        best = np.argmax(np.nan_to_num(self.scores), axis=1)
        return np.asarray(self.probabilities[np.arange(len(best)), best])

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of the probabilities."""
        return self.model.scorer.classes

    @property
    def by(self) -> str:
        """What gave the labels."""
        return f"ifcyto {self.model.scorer.method}"

    def pairs(self) -> dict[str, NDArray[np.float64]]:
        """Classifier value ``(n,)`` of every pair of classes: above 0 the first is likelier."""
        names = self.model.scorer.classes
        return {
            f"{names[i]} against {names[j]}": self.scores[:, i] - self.scores[:, j]
            for i, j in combinations(range(len(names)), 2)
        }


def classify(
    source: Path | str,
    model: Model | Path | str,
    *,
    objects: ObjectChoice = None,
    images: Mapping[str, str | int] | None = None,
    pixel_size_um: float | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Classified:
    """Classify objects; of images just the features that the model needs are computed.

    Parameters
    ----------
    source : path-like
        A stack, any readable input, or a feature table (``.h5ad``, FCS, text) with the model's columns.
    model : Model or path-like
        A model or its folder.
    objects : path or sequence of int, optional
        A ``.pop`` or CSV file or object numbers; all objects by default.
    images : mapping of str to str or int, optional
        Names of the model's images to names or numbers of channels here.
    pixel_size_um : float, optional
        Where the input does not say it.
    workers : int, optional
    progress : callable, optional

    Returns
    -------
    Classified
        In the order of `source`.

    Raises
    ------
    UsageError
        A channel or column that the model needs is not there, or the input has
        another pixel size than the model was trained on.
    FormatError, StackError
        The input or the model cannot be read.
    """
    if isinstance(model, (str, Path)):
        model = read_model(model)
    path = Path(source)
    numbers = objects_per_source(objects, 1)[0]
    if is_feature_file(path):
        found, values = _from_table(path, model, numbers, pixel_size_um)
    else:
        options = MeasureOptions(masks=own_masks(model), images=images or {}, pixel_size_um=pixel_size_um)
        with ExitStack() as files:
            columns = [parse_definition(column.definition, column=column.name) for column in model.columns]
            job = open_job(path, columns, options, files, numbers)
            _check_size(path, job.pixel_size_um, model)
            found = job.source.object_numbers
            values = np.empty((len(found), len(model.columns)))
            with closing(job.batches(n_workers(workers), progress or no_progress)) as batches:
                for first, part in batches:
                    values[first : first + len(part)] = part
    scores = model.scorer.scores(values)
    probabilities = model.scorer.probabilities(values)
    return Classified(found, model.scorer.classes_of(scores), probabilities, scores, model, values)


def classify_any(
    source: Path | str,
    model: Model | CnnModel | Path | str,
    *,
    objects: ObjectChoice = None,
    images: Mapping[str, str | int] | None = None,
    pixel_size_um: float | None = None,
    embedding: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Classified | CnnClassified:
    """Classify objects with a model, whichever kind it is; see :func:`classify`.

    Parameters
    ----------
    source, objects, images, pixel_size_um, workers, progress
        As in :func:`classify`. A network needs images, and has a pixel size only where they say it.
    model : Model, CnnModel or path-like
        A model, or the folder of one. TensorFlow is loaded only for a network.
    embedding : bool
        Of a network: give the embedding, as ``values``.

    Raises
    ------
    MissingExtraError
        The model is a network and TensorFlow is not installed.
    """
    given = read_any_model(model) if isinstance(model, (str, Path)) else model
    if isinstance(given, Model):
        return classify(
            source, given, objects=objects, images=images, pixel_size_um=pixel_size_um,
            workers=workers, progress=progress,
        )  # fmt: skip
    from ifcyto.pipeline.classify_cnn import classify_images

    return classify_images(
        source, given, objects=objects, images=images, embedding=embedding, progress=progress
    )


def read_any_model(folder: Path | str) -> Model | CnnModel:
    """Read a model folder of either kind; TensorFlow is loaded only for a network.

    Raises
    ------
    FormatError
        A file is missing, damaged or newer than this version.
    MissingExtraError
        The model is a network and TensorFlow is not installed; the message gives the install line.
    """
    if read_json(Path(folder) / MODEL).get("method") != NETWORK:
        return read_model(folder)
    from ifcyto.classify.cnn.folder import read_cnn_model

    return read_cnn_model(folder)


def own_masks(model: Model) -> dict[str, str]:
    """Masks that go by a name of the user's own, with their definitions."""
    return {name: text for name, text in model.masks.items() if name != text}


def _from_table(
    path: Path, model: Model, numbers: NDArray[np.int64] | None, pixel_size_um: float | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    table = read_features(path)
    absent = [column.name for column in model.columns if column.name not in table.names]
    if absent:
        msg = (
            f"{path}: {len(absent)} of {len(model.columns)} columns of the model are not in the table: "
            f"{', '.join(absent[:3])}; measure them, or give the images instead"
        )
        raise UsageError(msg)
    size = pixel_size_um if table.pixel_size_um is None else table.pixel_size_um
    if size is None and model.pixel_size_um is not None:
        msg = (
            f"{path}: does not say the side of a pixel, on which features depend; give it (--pixel-size, um)"
        )
        raise UsageError(msg)
    if size is not None:
        _check_size(path, size, model)
    objects = table.objects
    rows = np.arange(len(objects)) if numbers is None else np.flatnonzero(np.isin(objects, numbers))
    if numbers is not None and len(rows) < len(np.unique(numbers)):
        lost = np.setdiff1d(numbers, objects)
        msg = f"{path}: {len(lost)} of {len(np.unique(numbers))} objects are not in the table: {lost[0]}"
        raise UsageError(msg)
    places = [table.names.index(column.name) for column in model.columns]
    return objects[rows], table.values[rows][:, places]


def _check_size(path: Path, size: float, model: Model) -> None:
    if model.pixel_size_um is not None and abs(size - model.pixel_size_um) > SAME_SIZE * model.pixel_size_um:
        msg = (
            f"{path}: expected pixels of {model.pixel_size_um:g} um, as the model was trained on, found "
            f"{size:g} um: another magnification needs a model of its own"
        )
        raise UsageError(msg)


def write_labels(
    found: Classified | CnnClassified,
    path: Path | str,
    *,
    source: Path | str,
    threshold: float | Mapping[str, float] = 0.0,
    overwrite: bool = False,
) -> Path:
    """Write ``object,label,probability,by,when``, a classifier value a pair, a probability a class.

    Parameters
    ----------
    found : Classified or CnnClassified
    path : path-like
    source : path-like
        What was classified; it is never replaced.
    threshold : float or mapping of str to float
        An object whose class is less probable is ``Unknown``; see
        :func:`ifcyto.classify.threshold.apply_threshold`. Its probability stays.
    overwrite : bool

    Raises
    ------
    OutputError
        The file exists and `overwrite` is False, or cannot be written.
    UsageError
        A threshold outside 0 to 1, or for a class that the model does not know.
    """
    refuse_input_as_output([Path(source)], Path(path))
    refuse_existing(path, overwrite=overwrite)
    names = found.classes
    labels = kept_labels(found, threshold)
    values = {
        **found.pairs(),
        **{f"{PROBABILITY}{name}": found.probabilities[:, i] for i, name in enumerate(names)},
    }
    by = found.by
    when = datetime.now(UTC).isoformat(timespec="seconds")
    with (
        replacing(path, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["object", "label", "probability", "by", "when", *values])
        rows = zip(found.objects.tolist(), labels.tolist(), found.probability.tolist(), *(
            column.tolist() for column in values.values()
        ), strict=True)  # fmt: skip
        for number, label, probability, *numbers in rows:
            shown = ["" if value != value else repr(value) for value in (probability, *numbers)]
            writer.writerow([number, label, shown[0], by, when, *shown[1:]])
    return Path(path)


def kept_labels(
    found: Classified | CnnClassified, threshold: float | Mapping[str, float]
) -> NDArray[np.str_]:
    """Classes ``(n,)`` after a threshold.

    Raises
    ------
    UsageError
        A threshold outside 0 to 1, or for a class that the model does not know.
    """
    names = found.classes
    strange = [name for name in threshold if name not in names] if isinstance(threshold, Mapping) else []
    if strange:
        msg = f"threshold: expected a class among {', '.join(names)}, found {strange[0]!r}"
        raise UsageError(msg)
    return apply_threshold(found.labels, found.probability, threshold)
