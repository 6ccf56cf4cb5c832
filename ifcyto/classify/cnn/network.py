"""The networks: shapes in, a Keras model out. Their output is logits, not probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ifcyto.classify.cnn import plans
from ifcyto.classify.cnn.backend import keras, precise, seeded
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "build_network",
    "copy_network",
    "embedding_of",
    "last_maps",
    "own_network",
]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A plan of a network.

    Parameters
    ----------
    body : callable
        From the input tensor to the embedding, the tensor before the last layer.
    rate : float
        Learning rate of Adam that suits it.
    about : str
        One line for people.
    smallest : int
        Smaller images are enlarged to this side inside the network.
    donor : callable, optional
        Makes the three-channel network of keras.applications whose ImageNet weights fit.
    """

    body: Callable[[Any], Any]
    rate: float
    about: str
    smallest: int = 8
    donor: Callable[..., Any] | None = None


def _application(name: str) -> Callable[[Any], Any]:
    """Body of a plan of keras.applications, then the mean over the maps."""

    def body(images: Any) -> Any:
        base = getattr(keras.applications, name)(include_top=False, weights=None, input_tensor=images)
        return keras.layers.GlobalAveragePooling2D(name="embedding")(base.output)

    return body


def _vgg16(images: Any) -> Any:
    base = keras.applications.VGG16(include_top=False, weights=None, input_tensor=images)
    return plans.dense_head(base.output, normalised=False)


ARCHITECTURES: dict[str, Architecture] = {
    "vgg16": Architecture(
        _vgg16,
        1e-4,
        "VGG16 of keras.applications (Simonyan & Zisserman 2015, arXiv 1409.1556), dense layers of 512; give "
        "it ImageNet weights: from random ones it learns slowly, and at a rate of 1e-3 not at all",
        32,
        keras.applications.VGG16,
    ),
    "vgg16_bn": Architecture(
        plans.vgg16_bn,
        5e-4,
        "the same 13 convolutions, each with batch normalisation: learns from random weights",
        8,
        keras.applications.VGG16,
    ),
    "vgg_small": Architecture(
        plans.vgg_small, 1e-3, "8 convolutions with batch normalisation, 1.2 million weights: for the CPU"
    ),
    "deepflow": Architecture(
        plans.deepflow, 1e-3, "13 dual-path modules, made for imaging flow cytometry (Eulenberg et al. 2017)"
    ),
    "resnet50": Architecture(
        _application("ResNet50"),
        5e-4,
        "ResNet50 of keras.applications (He et al. 2016)",
        32,
        keras.applications.ResNet50,
    ),
    "densenet121": Architecture(
        _application("DenseNet121"),
        5e-4,
        "DenseNet121 of keras.applications (Huang et al. 2017)",
        32,
        keras.applications.DenseNet121,
    ),
    "inceptionv3": Architecture(
        _application("InceptionV3"),
        5e-4,
        "InceptionV3 of keras.applications (Szegedy et al. 2016); images are enlarged to 75 pixels",
        75,
        keras.applications.InceptionV3,
    ),
}
"""Every network that can be asked for by name."""


def build_network(
    name: str, shape: tuple[int, int, int], n_classes: int, *, seed: int = 0, precision: str = "float32"
) -> Any:
    """Build a network with random weights.

    Parameters
    ----------
    name : str
        Key of :data:`ARCHITECTURES`.
    shape : (int, int, int)
        Height, width and number of channels.
    n_classes : int
    seed : int
        The same seed gives the same weights.
    precision : str
        ``float32`` or ``mixed_bfloat16``; weights and logits are float32 in both.

    Returns
    -------
    keras.Model
        From images ``(n, H, W, C)`` to logits ``(n, n_classes)``. The layer ``logits`` is the last.

    Raises
    ------
    UsageError
        There is no such network.

    Examples
    --------
    >>> build_network("vgg_small", (16, 16, 2), 3).output_shape
    (None, 3)
    """
    if name not in ARCHITECTURES:
        msg = f"expected a network among {', '.join(ARCHITECTURES)}, found {name!r}"
        raise UsageError(msg)
    plan = ARCHITECTURES[name]
    with seeded(seed), precise(precision):
        images = keras.Input(shape, name="images")
        inside = images
        if min(shape[:2]) < plan.smallest:
            sides = [max(side, plan.smallest) for side in shape[:2]]
            inside = keras.layers.Resizing(*sides, name="enlarged")(images)
        logits = keras.layers.Dense(n_classes, name="logits", dtype="float32")(plan.body(inside))
        return keras.Model(images, logits, name=name)


def copy_network(network: Any) -> Any:
    """Make a second network with the same weights."""
    found = keras.models.clone_model(network)
    found.set_weights(network.get_weights())
    return found


def own_network(network: Any | Path | str, shape: tuple[int, int, int], n_classes: int) -> Any:
    """Take a user's own Keras model, if it fits; a softmax at its end is taken off.

    Parameters
    ----------
    network : keras.Model or path-like
        Built of Keras' own layers, from ``(n, H, W, C)`` to one value a class. It is copied,
        not changed. A file is read in Keras' safe mode.
    shape : (int, int, int)
    n_classes : int

    Raises
    ------
    UsageError
        It cannot be read, its shapes differ, or its last layer is not dense.
    """
    if not isinstance(network, keras.Model):
        try:
            network = keras.saving.load_model(network, compile=False, safe_mode=True)
        except (OSError, ValueError, TypeError) as error:
            msg = f"{network}: cannot be read as a Keras model: {str(error).splitlines()[0]}"
            raise UsageError(msg) from error
    found = tuple(network.input_shape[1:]), network.output_shape[-1]
    if found != (tuple(shape), n_classes):
        wanted = f"images {tuple(shape)} and {n_classes} classes"
        msg = f"own network: expected {wanted}, found {found[0]} and {found[1]}"
        raise UsageError(msg)
    last = network.layers[-1]
    if not isinstance(last, keras.layers.Dense):
        msg = f"own network: expected a dense layer at the end, found {type(last).__name__} {last.name!r}"
        raise UsageError(msg)
    copy = copy_network(network)
    last = copy.layers[-1]
    last.activation = keras.activations.linear
    return keras.Model(copy.inputs, last(last.input), name=network.name)


def embedding_of(network: Any) -> Any:
    """Tensor that goes into the last layer: what the network makes of an image."""
    return network.layers[-1].input


def last_maps(network: Any) -> str:
    """Name of the last layer that still gives maps ``(n, h, w, k)`` and is no pooling.

    Raises
    ------
    UsageError
        No layer does.
    """
    others = (keras.layers.InputLayer, keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
    for layer in reversed(network.layers):
        if len(getattr(layer.output, "shape", ())) == 4 and not isinstance(layer, others):
            return str(layer.name)
    msg = f"network {network.name}: expected a layer that gives maps, found none"
    raise UsageError(msg)
