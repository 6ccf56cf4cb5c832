"""Train one network on crops of known class: epochs, validation, the best weights."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.classify.cnn.augment import augmentation_layers
from ifcyto.classify.cnn.average import MeanWeights
from ifcyto.classify.cnn.backend import choose_precision, keras, seeded
from ifcyto.classify.cnn.batches import class_weights, epoch_order, training_batches
from ifcyto.classify.cnn.crops import training_scale
from ifcyto.classify.cnn.network import ARCHITECTURES, build_network, copy_network, own_network
from ifcyto.classify.cnn.predict import Forward
from ifcyto.classify.cnn.pretrained import load_imagenet
from ifcyto.classify.cnn.schedule import COLUMNS, best_epoch, learning_rate, stop_reason
from ifcyto.classify.cnn.split import TRAINING, VALIDATION
from ifcyto.classify.cnn.state import State, read_state, write_state
from ifcyto.classify.crossval import balanced_accuracy
from ifcyto.provenance import json_text, version_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.classify.cnn.crops import Crops
    from ifcyto.classify.cnn.options import CnnOptions

__all__ = ["Learned", "train_network"]

SAVE_EVERY = 30.0
"""Seconds after which the state of a training is written again, at the end of an epoch."""

OWN_RATE = 1e-3
"""Learning rate for a user's own network, if none is given."""


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A trained network and how it went.

    Parameters
    ----------
    network : keras.Model
        In float32, with the weights of the best epoch.
    scale : ndarray (C,) of float32
        Of each channel, found on the training images.
    history : dict of str to list of float
        One value an epoch: see :data:`ifcyto.classify.cnn.schedule.COLUMNS`.
    best : int
        Best epoch, from 0.
    reason : str
        Why training ended.
    precision : str
        In which it was trained.
    logits : ndarray (n, classes) of float32
        Of every object, by the best weights, in as many views as were asked for; the curves are of one view.
    """

    network: Any
    scale: NDArray[np.float32]
    history: dict[str, list[float]]
    best: int
    reason: str
    precision: str
    logits: NDArray[np.float32]


def train_network(
    crops: Crops,
    codes: NDArray[np.int64],
    parts: NDArray[np.int64],
    n_classes: int,
    options: CnnOptions,
    *,
    own: Any = None,
    work: Path | None = None,
    save_every: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Learned:
    """Train on the training part, stop by the validation part; the test part is only judged at the end.

    Parameters
    ----------
    crops : Crops
    codes : ndarray (n,) of int64
        Class of each.
    parts : ndarray (n,) of int64
        :data:`~ifcyto.classify.cnn.split.TRAINING`, ``VALIDATION`` or ``TEST``.
    n_classes : int
    options : CnnOptions
    own : keras.Model or path-like, optional
        A user's network instead of ``options.architecture``.
    work : pathlib.Path, optional
        Folder where the state is kept, also of a training that is complete. A training
        of the same data and settings that was killed goes on from there, and ends with
        the weights that it would have had. Options that change nothing in the training
        (:data:`ifcyto.classify.cnn.options.JUDGING`) may be others: a complete one is only judged again.
    save_every : float, optional
        Seconds; :data:`SAVE_EVERY` by default.
    progress : callable, optional
        Called as ``progress(done, total)`` in batches.

    Returns
    -------
    Learned
        On a CPU the same for the same arguments.

    Raises
    ------
    UsageError
        A network that does not fit.
    """
    train_rows, val_rows = (np.flatnonzero(parts == part) for part in (TRAINING, VALIDATION))
    scale = training_scale(crops, train_rows)
    precision = choose_precision(options.precision)
    key = _key(crops, codes, parts, options, precision)
    state = None if work is None else read_state(work, key)
    if state is None:
        start = _network(crops, n_classes, options, own, precision)
        model = _training_model(start, options, precision)
        mean = copy_network(start) if options.average else None
        state = State(model, copy_network(start), {name: [] for name in COLUMNS}, mean)
    model, best, history = state.model, state.best, state.history
    network = model.layers[-1]
    judged = network if state.mean is None else state.mean
    targets = np.eye(n_classes, dtype=np.float32)[codes]
    every = class_weights(codes[train_rows], n_classes)
    weights = every[codes] if options.balance == "weights" else np.ones(len(codes), np.float32)
    judging = np.ones(n_classes, np.float32) if options.balance == "none" else every
    resample = options.balance == "resample"
    highest = options.rate or (OWN_RATE if own is not None else ARCHITECTURES[options.architecture].rate)
    forward = Forward(judged, min(128, max(1, len(val_rows))))
    steps = -(-len(train_rows) // options.batch)
    report = _Report(progress, steps, options.epochs)
    callbacks = [report.callback]
    if state.mean is not None:
        span, done = max(1.0, options.average * steps), len(history["val_loss"]) * steps
        callbacks.insert(0, MeanWeights(network, state.mean, span=span, done=done).callback)
    saved, wait = time.perf_counter(), SAVE_EVERY if save_every is None else save_every
    kept = len(history["val_loss"])
    while not (reason := stop_reason(history, options)):
        epoch = len(history["val_loss"])
        began = time.perf_counter()
        rate = learning_rate(epoch, history["val_loss"], options, highest)
        model.optimizer.learning_rate = rate
        order = epoch_order(
            train_rows,
            codes[train_rows],
            resample=resample,
            seed=options.seed,
            epoch=epoch,
        )
        data = training_batches(crops, order, targets, weights, scale=scale, batch=options.batch)
        report.begin(epoch)
        _start_generators(model, options.seed, epoch)
        found = model.fit(data, verbose=0, callbacks=callbacks, shuffle=False).history
        logits = forward.crops(crops, val_rows, scale)[0]
        loss, accuracy, balanced = _judge(logits, codes[val_rows], judging)
        row = (rate, found["loss"][0], found["accuracy"][0], loss, accuracy, balanced, 0.0)
        for name, value in zip(COLUMNS, row, strict=True):
            history[name].append(float(value))
        history["seconds"][-1] = time.perf_counter() - began
        if best_epoch(history["val_loss"]) == epoch:
            best.set_weights(judged.get_weights())
        if work is not None and time.perf_counter() - saved >= wait:
            write_state(work, key, state)
            saved, kept = time.perf_counter(), epoch + 1
    report.finish()
    final = _network(crops, n_classes, options, own, "float32", trained=best.get_weights())
    if work is not None and kept < len(history["val_loss"]):  # else a kill now would damage a complete one
        write_state(work, key, state)
    logits = Forward(final, views=options.views).crops(crops, np.arange(len(crops)), scale)[0]
    return Learned(final, scale, history, best_epoch(history["val_loss"]), reason, precision, logits)


def _network(
    crops: Crops, n_classes: int, options: CnnOptions, own: Any, precision: str, trained: Any = None
) -> Any:
    channels, height, width = crops.images.shape[1:]
    shape = (height, width, channels)
    if own is not None:
        network = own_network(own, shape, n_classes)
        network = keras.models.clone_model(network) if trained is not None else network
    else:
        network = build_network(
            options.architecture, shape, n_classes, seed=options.seed, precision=precision
        )
        if options.weights is not None and trained is None:
            load_imagenet(network, options.architecture, options.weights)
    if trained is not None:
        network.set_weights(trained)
    return network


def _training_model(network: Any, options: CnnOptions, precision: str) -> Any:
    """Augmentation, then the network, with loss and optimizer."""
    with seeded(options.seed):
        images = x = keras.Input(network.input_shape[1:])
        for layer in augmentation_layers(options.augmentation, seed=options.seed):
            x = layer(x)
        model = keras.Model(images, network(x))
        loss: Any = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=options.smoothing)
        if options.focal:
            loss = keras.losses.CategoricalFocalCrossentropy(
                alpha=1.0, gamma=options.focal, from_logits=True, label_smoothing=options.smoothing
            )
        model.compile(
            keras.optimizers.Adam(), loss, metrics=["accuracy"], weighted_metrics=[], jit_compile=False
        )
        model.optimizer.build(model.trainable_variables)
    return model


def _start_generators(model: Any, seed: int, epoch: int) -> None:
    """Let the random parts of an epoch depend on nothing that was before, so that it can be done again."""
    for place, layer in enumerate([*model.layers, *model.layers[-1].layers]):
        generator = getattr(layer, "generator", None) or getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign([(seed + 1000 * place) % 2**32, epoch])


def _judge(
    logits: NDArray[np.float32], codes: NDArray[np.int64], weights: NDArray[np.float32]
) -> tuple[float, float, float]:
    """Weighted cross-entropy, accuracy and balanced accuracy."""
    if not len(codes) or not np.isfinite(logits).all():
        return float("nan"), float("nan"), float("nan")
    values = logits.astype(np.float64)
    values -= values.max(axis=1, keepdims=True)
    losses = np.log(np.exp(values).sum(axis=1)) - values[np.arange(len(codes)), codes]
    found = values.argmax(axis=1)
    loss = float(np.average(losses, weights=weights[codes]))
    return loss, float((found == codes).mean()), balanced_accuracy(codes, found)


def _key(
    crops: Crops, codes: NDArray[np.int64], parts: NDArray[np.int64], options: CnnOptions, precision: str
) -> str:
    """Digest of all that decides how a training goes."""
    how = [version_of("ifcyto"), options.of_training(), precision, str(crops.images.dtype)]
    digest = hashlib.sha256(json_text(how).encode())
    for array in (crops.images, crops.background, codes, parts):
        digest.update(array.tobytes())
    return digest.hexdigest()


class _Report:
    """Tell the caller how many batches are done."""

    def __init__(self, progress: Callable[[int, int], None] | None, batches: int, epochs: int) -> None:
        self.progress, self.batches, self.epochs, self.epoch = progress, batches, epochs, 0
        self.callback = keras.callbacks.LambdaCallback(on_train_batch_end=self.tell)

    def begin(self, epoch: int) -> None:
        self.epoch = epoch

    def tell(self, batch: int, logs: Any = None) -> None:
        if self.progress is not None:
            self.progress(self.epoch * self.batches + batch + 1, self.epochs * self.batches)

    def finish(self) -> None:
        if self.progress is not None:
            self.progress(self.epochs * self.batches, self.epochs * self.batches)
