"""Mean of a network's weights over its last steps: steadier than the weights of any one step."""

from __future__ import annotations

from typing import Any

from ifcyto.classify.cnn.backend import keras, tf

__all__ = ["MeanWeights"]


class MeanWeights:
    """Keep the exponential mean of a network's weights in a second network while the first one learns.

    After step t the mean moves towards the weights by the part ``max(1 / span, 2 / (t + 2))`` of
    their difference: it looks back on the later half of a training that is young, and on about
    `span` steps of an older one. Moving means and variances of batch normalisation are averaged
    like the weights; whole numbers, which have no mean, are taken as they are.

    Averages of the weights: Polyak & Juditsky 1992 (SIAM J. Control Optim. 30:838), in
    networks Tarvainen & Valpola 2017 (arXiv 1703.01780). The start is a choice of ours.

    Parameters
    ----------
    network : keras.Model
        The network that learns.
    mean : keras.Model
        One of the same plan; its weights are overwritten.
    span : float
        Steps, 1 or more.
    done : int
        Steps that are in `mean` already.

    Examples
    --------
    >>> callback = MeanWeights(network, mean, span=60, done=0).callback  # doctest: +SKIP
    >>> model.fit(data, callbacks=[callback])  # doctest: +SKIP
    """

    def __init__(self, network: Any, mean: Any, *, span: float, done: int) -> None:
        self.span, self.done = span, done
        pairs = [(kept.value, new.value) for kept, new in zip(mean.weights, network.weights, strict=True)]

        @tf.function
        def move(part: Any) -> None:
            for kept, new in pairs:
                kept.assign(kept + part * (new - kept) if new.dtype.is_floating else new)

        self._move = move
        self.callback = keras.callbacks.LambdaCallback(on_train_batch_end=self._step)
        """For ``fit``: takes every step into the mean."""

    def _step(self, batch: int, logs: Any = None) -> None:
        self.done += 1
        self._move(tf.constant(max(1 / self.span, 2 / (self.done + 2)), tf.float32))
