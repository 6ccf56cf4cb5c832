"""Batches of images for training, in a set order, by a tf.data pipeline that does not idle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.classify.cnn.backend import tf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ifcyto.classify.cnn.crops import Crops

__all__ = ["class_weights", "epoch_order", "training_batches"]


def class_weights(codes: NDArray[np.int64], n_classes: int) -> NDArray[np.float32]:
    """Weight of each class ``(n_classes,)`` that makes all classes count alike; their mean over objects is 1.

    Examples
    --------
    >>> class_weights(np.array([0, 0, 0, 1]), 2).tolist() == [np.float32(2 / 3), 2]
    True
    """
    counts = np.bincount(codes, minlength=n_classes)
    present = np.count_nonzero(counts)
    return (len(codes) / (present * np.maximum(counts, 1))).astype(np.float32)


def epoch_order(
    rows: NDArray[np.int64], codes: NDArray[np.int64], *, resample: bool, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Rows in the order of an epoch; the same for the same seed and epoch, whatever was done before.

    Parameters
    ----------
    rows : ndarray (m,) of int64
        Rows to train on.
    codes : ndarray (m,) of int64
        Their classes.
    resample : bool
        Draw each class equally often, `m` rows in all; a class goes through all its
        rows before one comes again.
    seed, epoch : int
    """
    rng = np.random.default_rng([seed, 2, epoch])
    if not resample:
        return rng.permutation(rows)
    classes = np.unique(codes)
    sizes = np.full(len(classes), len(rows) // len(classes))
    sizes[rng.permutation(len(classes))[: len(rows) % len(classes)]] += 1
    drawn = []
    for code, size in zip(classes, sizes, strict=True):
        own = rows[codes == code]
        rounds = [rng.permutation(own) for _ in range(-(-size // len(own)))]
        drawn.append(np.concatenate(rounds)[:size])
    return rng.permutation(np.concatenate(drawn))


def training_batches(
    crops: Crops,
    order: NDArray[np.int64],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    *,
    scale: NDArray[np.float32],
    batch: int,
) -> Any:
    """Make a dataset of ``(images, targets, weights)`` in the given order.

    Parameters
    ----------
    crops : Crops
    order : ndarray (m,) of int64
        Rows of `crops`, one epoch.
    targets : ndarray (n, classes) of float32
    weights : ndarray (n,) of float32
    scale : ndarray (C,) of float32
    batch : int
        The last batch may be smaller.

    Returns
    -------
    tf.data.Dataset
        Two batches are made ready ahead; TensorFlow's autotuning, which idles at the end of
        every epoch, is off.
    """
    channels, height, width = crops.images.shape[1:]

    def make() -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            yield crops.scaled(rows, scale), targets[rows], weights[rows]

    signature = (
        tf.TensorSpec((None, height, width, channels), tf.float32),
        tf.TensorSpec((None, targets.shape[1]), tf.float32),
        tf.TensorSpec((None,), tf.float32),
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = tf.data.Dataset.from_generator(make, output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(-(-len(order) // batch)))
    return dataset.prefetch(2).with_options(options)
