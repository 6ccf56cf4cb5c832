"""The network in a study: train it on the images of the table of truth, classify the candidates."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ifcyto.classify.cnn.options import Augmentation, CnnOptions
from ifcyto.classify.scorer import UNKNOWN
from ifcyto.classify.threshold import apply_threshold
from ifcyto.errors import MissingExtraError, StudyError
from ifcyto.pipeline.classify_cnn import classify_images
from ifcyto.pipeline.judged import POSITIVE
from ifcyto.pipeline.tables import csv_text, write_text
from ifcyto.pipeline.train_cnn import train_cnn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ifcyto.classify.cnn.folder import CnnModel
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.study import Study

__all__ = [
    "check_network",
    "network_channels",
    "network_options",
    "read_network_verdicts",
    "require_tensorflow",
    "train_network_of",
    "write_verdicts",
]

COLUMNS = ("object", "label", "probability")
RIGHT_ANGLES = Augmentation("right", True, 0, 0, 0, 0)
VARIED = {"full": Augmentation(), "right-angles": RIGHT_ANGLES, "none": Augmentation.none()}


def require_tensorflow(asked: str = "") -> None:
    """Say how to install what a network needs; it is looked for, never loaded.

    Parameters
    ----------
    asked : str
        Who asks for the network: start of the message.

    Raises
    ------
    MissingExtraError
        TensorFlow or keras is not installed; the message gives the install line.
    """
    for name in ("tensorflow", "keras"):
        if find_spec(name) is None:
            msg = f'{asked}{name} is not installed: run  pip install "ifcyto[cnn]"'
            raise MissingExtraError(msg)


def check_network(study: Study) -> None:
    """Find out whether the network that a study asks for can be trained, before hours of work and not after.

    Raises
    ------
    MissingExtraError
        TensorFlow is not installed.
    StudyError
        Its settings cannot be.
    """
    if "cnn" in study.settings.compare.methods:
        require_tensorflow("the study asks for a network (cnn), and ")
        network_options(study)
        network_channels(study)


def network_options(study: Study) -> CnnOptions:
    """Options of the network that the study asks for.

    Raises
    ------
    StudyError
        They cannot be.
    """
    table = study.settings.cnn
    if table.folds == 1:
        msg = f"{study.path}: cnn.folds: expected 0 or 2 to 20 folds, found 1"
        raise StudyError(msg)
    weights = table.weights
    if weights not in {None, "imagenet"}:
        weights = str(study.path.parent / str(weights))
    return CnnOptions(
        architecture=table.architecture,
        size=table.size,
        epochs=table.epochs,
        stop=table.stop,
        balance=table.balance,
        augmentation=VARIED[table.augmentation],
        weights=weights,
        folds=table.folds,
        seed=study.settings.study.seed,
        views=table.views,
        wanted_precision=table.wanted_precision,
    )


def network_channels(study: Study) -> dict[str, str | int]:
    """Role of each channel that the network looks at, and which one it is in the files.

    Raises
    ------
    StudyError
        A role that ``[channels]`` does not have.
    """
    roles: dict[str, str | int] = dict(study.settings.channels)
    wanted = study.settings.cnn.channels or list(roles)
    strange = [role for role in wanted if role not in roles]
    if strange:
        msg = f"{study.path}: cnn.channels: expected roles among {', '.join(roles)}, found {strange[0]!r}"
        raise StudyError(msg)
    return {role: roles[role] for role in dict.fromkeys(wanted)}


def train_network_of(
    study: Study,
    truth: Mapping[tuple[str, int], str],
    stacks: Mapping[str, Path],
    folder: Path,
    work: Path,
    *,
    progress: Progress,
) -> dict[str, Any]:
    """Train on the table of truth, write the model folder, and give the record of the training.

    Objects of the class Unknown are left out; the others are split as
    :func:`ifcyto.pipeline.train_cnn.train_cnn` does, which keeps its states in `work`.
    """
    return train_cnn(
        stacks,
        {key: label for key, label in truth.items() if label != UNKNOWN},
        folder,
        channels=network_channels(study),
        options=network_options(study),
        work=work,
        overwrite=True,
        progress=progress,
    ).record


def write_verdicts(
    study: Study,
    model: CnnModel,
    stack: Path,
    target: Path,
    candidates: NDArray[np.int64],
    *,
    progress: Progress,
) -> Path:
    """Classify the candidates of a sample and write ``object,label,probability``.

    The probability is that of a BNE, whichever class the object was given.
    """
    rows: list[tuple[str, ...]] = []
    if len(candidates):
        images = network_channels(study)
        found = classify_images(stack, model, objects=candidates.tolist(), images=images, progress=progress)
        labels = apply_threshold(found.labels, found.probability, study.settings.cnn.threshold)
        share = found.probabilities[:, found.classes.index(POSITIVE)]
        columns = (found.objects.tolist(), labels.tolist(), share.tolist())
        rows = [(str(number), label, repr(value)) for number, label, value in zip(*columns, strict=True)]
    return write_text(target, csv_text(COLUMNS, rows))


def read_network_verdicts(path: Path) -> dict[int, tuple[str, float]]:
    """Object to class and probability of a BNE, as :func:`write_verdicts` wrote them."""
    with path.open(encoding="utf-8", newline="") as file:
        return {int(row["object"]): (row["label"], float(row["probability"])) for row in csv.DictReader(file)}
