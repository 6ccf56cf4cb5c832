"""Where a network looks: Grad-CAM and occlusion sensitivity, as arrays.

Both are heat maps of one class and one image. They show what this network's score of that
class rests on. They say nothing of whether the class is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.classify.cnn.backend import keras, tf
from ifcyto.classify.cnn.network import last_maps
from ifcyto.classify.cnn.predict import BATCH, Forward
from ifcyto.classify.scorer import softmax
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["grad_cam", "map_layers", "occlusion"]


def map_layers(network: Any) -> dict[str, tuple[int, ...]]:
    """Layers that give maps, with height, width and number of these, from the image to the end."""
    inside = (layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer))
    return {
        str(layer.name): tuple(layer.output.shape[1:])
        for layer in inside
        if len(getattr(layer.output, "shape", ())) == 4
    }


def grad_cam(
    network: Any, images: NDArray[np.float32], codes: NDArray[np.int64], *, layer: str | None = None
) -> NDArray[np.float32]:
    """Grad-CAM of one class of each image.

    The maps of a layer, each weighted by the mean of the class's gradient over it, summed, with what
    speaks against the class set to 0, enlarged to the image bilinearly; equations 1 and 2 of
    Selvaraju et al. 2017 (doi 10.1109/ICCV.2017.74, VERIFIED against class activation maps, of
    which it is the same for a network that ends in the mean over its maps and one dense layer).

    Parameters
    ----------
    network : keras.Model
        From images to logits.
    images : ndarray (n, H, W, C) of float32
        Scaled as in training; see :meth:`ifcyto.classify.cnn.crops.Crops.scaled`.
    codes : ndarray (n,) of int64
        Place of the class to explain among the network's classes.
    layer : str, optional
        Any of :func:`map_layers`; by default the last one that is no pooling.

    Returns
    -------
    ndarray (n, H, W) of float32
        0 and above, in units of the logit.

    Raises
    ------
    UsageError
        There is no such layer, or a class that the network does not have.
    """
    name = layer or last_maps(network)
    _check(network, images, codes)
    if name not in map_layers(network):
        msg = f"expected a layer that gives maps ({', '.join(map_layers(network))}), found {name!r}"
        raise UsageError(msg)
    both = keras.Model(network.inputs, [network.get_layer(name).output, network.output])
    height, width = images.shape[1:3]
    found = np.empty((len(images), height, width), np.float32)
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        with tf.GradientTape() as tape:
            maps, logits = both(tf.convert_to_tensor(images[part]), training=False)
            tape.watch(maps)
            chosen = tf.gather(logits, codes[part], axis=1, batch_dims=1)
        slopes = tape.gradient(chosen, maps)
        heat = tf.nn.relu(tf.einsum("nhwk,nk->nhw", maps, tf.reduce_mean(slopes, axis=(1, 2))))
        found[part] = tf.image.resize(heat[..., tf.newaxis], (height, width))[..., 0].numpy()
    return found


def occlusion(
    network: Any,
    images: NDArray[np.float32],
    codes: NDArray[np.int64],
    *,
    window: int = 8,
    step: int = 4,
    channel: int | None = None,
    temperature: float = 1.0,
) -> NDArray[np.float32]:
    """How much less probable a class becomes when a square of the image is hidden by background.

    Zeiler and Fergus 2014 (doi 10.1007/978-3-319-10590-1_53), with the cell's background instead of grey.

    Parameters
    ----------
    network : keras.Model
    images : ndarray (n, H, W, C) of float32
        Scaled as in training, so that the background is 0.
    codes : ndarray (n,) of int64
        Place of the class to explain.
    window : int
        Side of the square, px.
    step : int
        Distance of the squares, px.
    channel : int, optional
        Place of the one channel in which it is hidden; all by default.
    temperature : float
        Of the model.

    Returns
    -------
    ndarray (n, H, W) of float32
        Probability of the class, less its mean over the squares that hide a pixel: above 0 where
        the pixel speaks for the class.

    Raises
    ------
    UsageError
        A window or step that does not fit, or a class or channel that is not there.
    """
    n, height, width, channels = images.shape
    _check(network, images, codes)
    if not (1 <= step <= window <= min(height, width)):
        msg = f"expected 1 <= step <= window <= {min(height, width)}, found step {step} and window {window}"
        raise UsageError(msg)
    if channel is not None and not 0 <= channel < channels:
        msg = f"expected a channel from 0 to {channels - 1}, found {channel}"
        raise UsageError(msg)
    picked = slice(None) if channel is None else slice(channel, channel + 1)
    places = [
        (row, column) for row in _starts(height, window, step) for column in _starts(width, window, step)
    ]
    forward = Forward(network, min(BATCH, len(places) + 1))
    found = np.empty((n, height, width), np.float32)
    for i in range(n):
        hidden = np.repeat(images[i : i + 1], len(places) + 1, axis=0)
        for number, (row, column) in enumerate(places, 1):
            hidden[number, row : row + window, column : column + window, picked] = 0
        shares = softmax(forward(hidden)[0].astype(np.float64) / temperature)[:, codes[i]]
        total, count = np.zeros((height, width)), np.zeros((height, width))
        for share, (row, column) in zip(shares[1:], places, strict=True):
            total[row : row + window, column : column + window] += shares[0] - share
            count[row : row + window, column : column + window] += 1
        found[i] = total / count
    return found


def _starts(side: int, window: int, step: int) -> list[int]:
    """Where squares begin along a side, the last one at its end."""
    return sorted({*range(0, side - window + 1, step), side - window})


def _check(network: Any, images: NDArray[np.float32], codes: NDArray[np.int64]) -> None:
    n_classes = network.output_shape[-1]
    if images.shape[1:] != tuple(network.input_shape[1:]) or len(codes) != len(images):
        wanted = tuple(network.input_shape[1:])
        msg = f"expected images (n, {wanted}) and n classes, found {images.shape} and {len(codes)}"
        raise UsageError(msg)
    if len(codes) and not (codes.min() >= 0 and codes.max() < n_classes):
        msg = f"expected classes from 0 to {n_classes - 1}, found {codes.min()} to {codes.max()}"
        raise UsageError(msg)
