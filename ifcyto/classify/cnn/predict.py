"""What a network says of images: logits and embedding, in batches, with flat memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.classify.cnn.backend import keras, tf
from ifcyto.classify.cnn.crops import Crops, cut
from ifcyto.classify.cnn.network import embedding_of
from ifcyto.classify.cnn.views import orientations
from ifcyto.classify.scorer import softmax
from ifcyto.classify.threshold import apply_threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.classify.cnn.folder import CnnModel
    from ifcyto.stack.cell_stack import CellStack

__all__ = ["Forward", "Predicted", "label_objects", "predict_rows"]

BATCH = 128
"""Images that go through the network at once."""

CHUNK = 4
"""Batches that are read from the stack at once."""


class Forward:
    """A network made ready to judge batches of one size.

    Parameters
    ----------
    network : keras.Model
        From images to logits.
    batch : int
    views : int
        1, or 8: the network sees each image in the eight orientations of
        :func:`ifcyto.classify.cnn.views.orientations`, and logits and embedding are the means.

    Notes
    -----
    A cell lies in the stream as it happens to, so a turned or mirrored image is as good an image of it; the
    mean over all eight is the same for each of them. It is the logits that are averaged, not the
    probabilities: the last layer is linear, so that mean logits are what it makes of the mean
    embedding, and one temperature calibrates them. In probabilities it is their geometric mean.

    Examples
    --------
    >>> from ifcyto.classify.cnn.network import build_network
    >>> forward = Forward(build_network("vgg_small", (8, 8, 1), 2), batch=4)
    >>> logits, embedding = forward(np.zeros((5, 8, 8, 1), np.float32))
    >>> logits.shape, embedding.shape
    ((5, 2), (5, 256))
    """

    def __init__(self, network: Any, batch: int = BATCH, views: int = 1) -> None:
        self.batch, self.views = batch, views
        both = keras.Model(network.inputs, [network.output, embedding_of(network)])
        shape = (batch, *network.input_shape[1:])

        @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)], autograph=False)
        def judge(images: Any) -> Any:
            logits, embedding = both(images, training=False)
            return tf.cast(logits, tf.float32), tf.cast(tf.reshape(embedding, (batch, -1)), tf.float32)

        self._judge = judge.get_concrete_function()  # TensorFlow warns of many functions, not of these

    def __call__(self, images: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits ``(n, classes)`` and embedding ``(n, k)`` of images ``(n, H, W, C)``, already scaled."""
        starts = range(0, max(1, len(images)), self.batch)
        found = [self._mean(images[start : start + self.batch]) for start in starts]
        return np.concatenate([pair[0] for pair in found]), np.concatenate([pair[1] for pair in found])

    def _mean(self, images: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits and embedding of at most one batch, each the mean over the views."""
        n = len(images)
        if n < self.batch:  # one shape, so that TensorFlow compiles once
            images = np.concatenate([images, np.zeros((self.batch - n, *images.shape[1:]), np.float32)])
        views = [self._judge(tf.convert_to_tensor(view)) for view in orientations(images, self.views)]
        means = (
            np.mean([view[place].numpy()[:n] for view in views], axis=0, dtype=np.float64) for place in (0, 1)
        )
        logits, embedding = (np.asarray(mean, np.float32) for mean in means)
        return logits, embedding

    def crops(
        self, crops: Crops, rows: NDArray[np.int64], scale: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits and embedding of some crops; only one batch of them is scaled at a time."""
        parts = [rows[start : start + self.batch] for start in range(0, max(1, len(rows)), self.batch)]
        found = [self(crops.scaled(part, scale)) for part in parts]
        return np.concatenate([pair[0] for pair in found]), np.concatenate([pair[1] for pair in found])


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What a network says of objects.

    Parameters
    ----------
    objects : ndarray (n,) of int64
        Object numbers.
    labels : ndarray (n,) of str
        Class, or ``Unknown`` where its probability is below the class's threshold.
    probabilities : ndarray (n, classes) of float64
        Of each class, calibrated by the model's temperature; they sum to 1.
    embedding : ndarray (n, k) of float32, or None
        Input of the last layer.
    """

    objects: NDArray[np.int64]
    labels: NDArray[np.str_]
    probabilities: NDArray[np.float64]
    embedding: NDArray[np.float32] | None


def label_objects(
    probabilities: NDArray[np.float64], classes: Sequence[str], thresholds: Mapping[str, float]
) -> NDArray[np.str_]:
    """Class ``(n,)`` of the highest probability, ``Unknown`` where that is below the class's threshold.

    Examples
    --------
    >>> label_objects(np.array([[0.6, 0.4], [0.2, 0.8]]), ["BNE", "Doublet"], {"BNE": 0.7}).tolist()
    ['Unknown', 'Doublet']
    """
    best = probabilities.argmax(axis=1)
    return apply_threshold(np.array(classes)[best], probabilities[np.arange(len(best)), best], thresholds)


def predict_rows(
    model: CnnModel,
    stack: CellStack,
    rows: NDArray[np.int64] | None = None,
    *,
    channels: Sequence[str | int] | None = None,
    embedding: bool = False,
    batch: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
) -> Predicted:
    """Judge objects of a stack. The next images are read while the network works on the last ones.

    Parameters
    ----------
    model : CnnModel
    stack : CellStack
    rows : ndarray of int64, optional
        All by default.
    channels : sequence of str or int, optional
        Channels of the stack in the model's order; by default those of the model's names.
    embedding : bool
        Keep the embedding too: 4 bytes for each object and value.
    batch : int
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    Predicted
        In the order of `rows`.

    Raises
    ------
    UsageError
        A channel of the model is not in the stack, or its pixels have another size.
    """
    picked = model.channels_in(stack, channels)
    rows = np.arange(len(stack)) if rows is None else np.asarray(rows, np.int64)
    forward = Forward(model.network, batch, model.views)
    logits = np.empty((len(rows), len(model.classes)), np.float32)
    kept: NDArray[np.float32] | None = None
    starts = range(0, len(rows), batch * CHUNK)
    with ThreadPoolExecutor(1, thread_name_prefix="ifcyto") as reader:

        def read(start: int) -> Crops:
            return cut(stack, rows[start : start + batch * CHUNK], picked, model.size)

        ahead = reader.submit(read, 0)
        for start in starts:
            crops = ahead.result()
            if start + batch * CHUNK < len(rows):
                ahead = reader.submit(read, start + batch * CHUNK)
            part = slice(start, start + len(crops))
            found = forward.crops(crops, np.arange(len(crops)), model.scale)
            logits[part] = found[0]
            if embedding:
                if kept is None:
                    kept = np.empty((len(rows), found[1].shape[1]), np.float32)
                kept[part] = found[1]
            if progress is not None:
                progress(part.stop, len(rows))
    probabilities = softmax(logits.astype(np.float64) / model.temperature)
    labels = label_objects(probabilities, model.classes, model.thresholds)
    return Predicted(stack.object_numbers[rows], labels, probabilities, kept)
