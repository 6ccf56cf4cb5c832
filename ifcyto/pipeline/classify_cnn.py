"""From the folder of a network and images to a class for each object."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError
from ifcyto.pipeline.cnn_material import open_objects
from ifcyto.pipeline.feature_files import is_feature_file
from ifcyto.pipeline.objects import objects_per_source
from ifcyto.pipeline.parallel import no_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ifcyto.classify.cnn.folder import CnnModel
    from ifcyto.pipeline.objects import ObjectChoice
    from ifcyto.pipeline.parallel import Progress

__all__ = ["CnnClassified", "classify_images"]


@dataclass(frozen=True, slots=True, eq=False)
class CnnClassified:
    """Classes of many objects, by a network.

    Parameters
    ----------
    objects : ndarray (n,) of int64
    labels : ndarray (n,) of str
        Class, or ``Unknown`` where it is less probable than the model's threshold for it.
    probabilities : ndarray (n, classes) of float64
    model : CnnModel
    embedding : ndarray (n, k) of float32, or None
        Input of the network's last layer.
    """

    objects: NDArray[np.int64]
    labels: NDArray[np.str_]
    probabilities: NDArray[np.float64]
    model: CnnModel
    embedding: NDArray[np.float32] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of the probabilities."""
        return self.model.classes

    @property
    def values(self) -> NDArray[np.float32] | None:
        """The embedding: what the last layer told the classes from."""
        return self.embedding

    @property
    def by(self) -> str:
        """What gave the labels."""
        return f"ifcyto {self.model.architecture}"

    @property
    def probability(self) -> NDArray[np.float64]:
        """Probability ``(n,)`` of the likeliest class, whether it was high enough or not."""
        highest: NDArray[np.float64] = self.probabilities.max(axis=1)
        return highest

    def pairs(self) -> dict[str, NDArray[np.float64]]:
        """Nothing: a network's probabilities say it all."""
        return {}


def classify_images(
    source: Path | str,
    model: CnnModel | Path | str,
    *,
    objects: ObjectChoice = None,
    images: Mapping[str, str | int] | None = None,
    embedding: bool = False,
    progress: Progress | None = None,
) -> CnnClassified:
    """Classify objects by their images. Memory does not grow with the file.

    Parameters
    ----------
    source : path-like
        A stack, or any readable input, of which a stack is made for the time.
    model : CnnModel or path-like
        A model or its folder.
    objects : path or sequence of int, optional
        A ``.pop`` or CSV file or object numbers; all objects by default.
    images : mapping of str to (str or int), optional
        Labels of the model's channels to names or numbers of channels here.
    embedding : bool
        Give the embedding too.
    progress : callable, optional

    Returns
    -------
    CnnClassified
        In the order of `source`.

    Raises
    ------
    UsageError
        A channel that the model needs is not there, or the input has another pixel size
        than the model was trained on.
    FormatError, StackError
        The input or the model cannot be read.
    MissingExtraError
        TensorFlow is not installed; the message gives the install line.
    """
    from ifcyto.classify.cnn.folder import read_cnn_model
    from ifcyto.classify.cnn.predict import predict_rows

    path = Path(source)
    if is_feature_file(path):
        msg = f"{path}: expected images, found a feature table: a network needs a stack or an image file"
        raise UsageError(msg)
    if isinstance(model, (str, Path)):
        model = read_cnn_model(model)
    numbers = objects_per_source(objects, 1)[0]
    told = partial(progress or no_progress, "classify")
    with (
        tempfile.TemporaryDirectory(prefix="ifcyto-") as work,
        open_objects(path, numbers, Path(work)) as stack,
    ):
        rows = None if numbers is None else np.sort(stack.rows_of(np.unique(numbers)))
        picked = model.channels_in(stack, images)
        found = predict_rows(model, stack, rows, channels=picked, embedding=embedding, progress=told)
    return CnnClassified(found.objects, found.labels, found.probabilities, model, found.embedding)
