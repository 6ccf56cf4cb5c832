"""ImageNet weights for images of any number of channels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.classify.cnn.network import ARCHITECTURES
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["adapt_kernel", "load_imagenet"]

IMAGENET = "imagenet"


def adapt_kernel(kernel: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """First kernel ``(h, w, 3, k)`` for another number of channels.

    Each gets the mean of the three, times ``3 / channels``: images whose channels are all the same give
    the same maps as before.

    Examples
    --------
    >>> adapt_kernel(np.ones((1, 1, 3, 1), np.float32), 2).ravel().tolist()
    [1.5, 1.5]
    """
    if kernel.shape[2] == channels:
        return kernel
    mean = kernel.mean(axis=2, keepdims=True) * (kernel.shape[2] / channels)
    return np.repeat(mean, channels, axis=2)


def load_imagenet(network: Any, architecture: str, weights: Path | str) -> int:
    """Give a new network the ImageNet weights of its plan; the last layers stay random.

    Parameters
    ----------
    network : keras.Model
        Made by :func:`ifcyto.classify.cnn.network.build_network`.
    architecture : str
    weights : path-like
        ``imagenet`` (keras downloads them) or a file of weights without top, as keras gives
        them (``vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5``).

    Returns
    -------
    int
        Number of layers that took weights.

    Raises
    ------
    UsageError
        There are none for this plan, or they cannot be read or downloaded.
    """
    donor_of = ARCHITECTURES[architecture].donor
    if donor_of is None:
        named = ", ".join(name for name, plan in ARCHITECTURES.items() if plan.donor)
        msg = f"there are no ImageNet weights for {architecture}; there are for {named}"
        raise UsageError(msg)
    if str(weights) != IMAGENET and not Path(weights).is_file():
        msg = f"{weights}: expected {IMAGENET!r} or a file of weights without top, found no such file"
        raise UsageError(msg)
    side = max(75, *network.input_shape[1:3])
    try:
        donor = donor_of(include_top=False, weights=str(weights), input_shape=(side, side, 3))
    except Exception as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        msg = f"ImageNet weights of {architecture}: cannot be had from {weights}: {line}"
        raise UsageError(msg) from error
    taken = 0
    for place, layer in enumerate(layer for layer in donor.layers if layer.get_weights()):
        mine = _same_place(network, donor, layer)
        if mine is None:
            continue
        values = layer.get_weights()
        if place == 0:
            values[0] = adapt_kernel(values[0], network.input_shape[-1])
        values = values[: len(mine.get_weights())]  # ours has no bias before batch normalisation
        if [value.shape for value in values] == [value.shape for value in mine.get_weights()]:
            mine.set_weights(values)
            taken += 1
    if not taken:
        msg = f"ImageNet weights of {architecture}: no layer of {weights} fits: expected weights of that plan"
        raise UsageError(msg)
    return taken


def _same_place(network: Any, donor: Any, layer: Any) -> Any:
    """Layer at the same place among those of its kind: names are numbered anew in one process."""
    theirs, ours = (
        [other for other in model.layers if type(other) is type(layer)] for model in (donor, network)
    )
    place = theirs.index(layer)
    return ours[place] if place < len(ours) else None
