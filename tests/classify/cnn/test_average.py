"""The mean of a network's weights is that of a loop in numpy, and it is what is judged and kept."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ifcyto.classify.cnn.average import MeanWeights
from ifcyto.classify.cnn.backend import keras
from ifcyto.classify.cnn.options import CnnOptions
from ifcyto.errors import UsageError


class Counter(keras.layers.Layer):
    """Counts its steps, as a user's layer may."""

    def build(self, shape):
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, values):
        self.count.assign_add(1)
        return values


def network():
    return keras.Sequential(
        [
            keras.Input((3,)),
            Counter(),
            keras.layers.Dense(4, kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
            keras.layers.BatchNormalization(momentum=0.5),
            keras.layers.Dropout(0.5, seed=2),
            keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=3)),
        ]
    )


@pytest.mark.parametrize("done", [0, 7])
def test_the_mean_is_that_of_a_loop(rng, done):
    model, mean = network(), network()
    mean.set_weights([weight + 1 for weight in model.get_weights()])
    expected = [weight.astype(np.float64) for weight in mean.get_weights()]
    steps = []
    seen = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: steps.append(model.get_weights())
    )
    model.compile("sgd", "mse")
    callbacks = [MeanWeights(model, mean, span=4, done=done).callback, seen]
    model.fit(rng.normal(size=(40, 3)), rng.normal(size=40), batch_size=4, verbose=0, callbacks=callbacks)
    assert len(steps) == 10
    for step, weights in enumerate(steps, start=done + 1):
        part = max(0.25, 2 / (step + 2))
        expected = [old + part * (new - old) for old, new in zip(expected, weights, strict=True)]
    for found, wanted, last in zip(mean.get_weights(), expected, steps[-1], strict=True):
        if found.dtype.kind == "i":
            assert found == last >= 10
        else:
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    assert not np.allclose(steps[0][1], steps[-1][1])


@pytest.mark.parametrize("value", [-1, 1001])
def test_an_average_that_cannot_be_is_refused(value):
    with pytest.raises(UsageError, match="an average over 0 to 1,000 epochs"):
        CnnOptions(average=value)
