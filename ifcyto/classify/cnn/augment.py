"""Layers that vary training images. Their input has the background at 0, and so has what lies outside."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ifcyto.classify.cnn.backend import keras

if TYPE_CHECKING:
    from ifcyto.classify.cnn.options import Augmentation

__all__ = ["Focus", "Intensity", "Move", "augmentation_layers"]

KERNEL = (1, 4, 6, 4, 1)
"""Binomial approximation of a Gaussian of standard deviation 1 pixel."""


class _Random(keras.layers.Layer):
    """A layer that acts in training only and has a random generator of its own."""

    def __init__(self, seed: int = 0, **settings: Any) -> None:
        super().__init__(**{"dtype": "float32", **settings})
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def uniform(self, shape: tuple[Any, ...], low: float, high: float) -> Any:
        """Random numbers, the next ones at every call."""
        return keras.random.uniform(shape, low, high, seed=self.generator)

    def call(self, images: Any, training: bool = False) -> Any:  # noqa: FBT001, FBT002 - Keras' own signature
        """Vary images in training; give them back as they are otherwise."""
        return self.vary(images) if training else images

    def vary(self, images: Any) -> Any:
        """Vary images ``(n, H, W, C)``."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Images keep their size."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Settings, for Keras' files."""
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="ifcyto")
class Move(_Random):
    """Turn, mirror, shift and scale each image in one bilinear step; 0 comes in from outside.

    Right angles and mirrors without shift and scale only move pixels: their values are exact.
    Parameters as in :class:`ifcyto.classify.cnn.options.Augmentation`.
    """

    def __init__(
        self, *, rotate: str = "free", flip: bool = True, shift: float = 0, scale: float = 0, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.rotate, self.flip, self.shift, self.scale = rotate, flip, shift, scale

    def vary(self, images: Any) -> Any:
        """See :class:`Move`."""
        ops = keras.ops
        n, (height, width) = ops.shape(images)[0], images.shape[1:3]
        quarter = ops.floor(self.uniform((n,), 0, 4))
        if self.rotate == "none" or height != width:
            quarter = ops.zeros_like(quarter)
        cosine, sine = (
            ops.round(ops.cos(quarter * (math.pi / 2))),
            ops.round(ops.sin(quarter * (math.pi / 2))),
        )
        if self.rotate == "free":
            angle = self.uniform((n,), -math.pi / 4, math.pi / 4)
            more, less = ops.cos(angle), ops.sin(angle)
            cosine, sine = cosine * more - sine * less, sine * more + cosine * less
        factor = 1 / self.uniform((n,), 1 - self.scale, 1 + self.scale) if self.scale else ops.ones((n,))
        mirror = ops.sign(self.uniform((n,), -1, 1) + 1e-9) if self.flip else ops.ones((n,))
        moved = [self.uniform((n,), -self.shift * side, self.shift * side) for side in (width, height)]
        a, b, d, e = factor * cosine * mirror, -factor * sine, factor * sine * mirror, factor * cosine
        x, y = (width - 1) / 2, (height - 1) / 2
        c = x - a * x - b * y + moved[0]
        f = y - d * x - e * y + moved[1]
        zero = ops.zeros((n,))
        matrix = ops.stack([a, b, c, d, e, f, zero, zero], axis=1)
        return ops.image.affine_transform(images, matrix, fill_mode="constant", fill_value=0)

    def get_config(self) -> dict[str, Any]:
        """Settings, for Keras' files."""
        ours = {name: getattr(self, name) for name in ("rotate", "flip", "shift", "scale")}
        return {**super().get_config(), **ours}


@keras.saving.register_keras_serializable(package="ifcyto")
class Intensity(_Random):
    """Make each channel of each image brighter or darker by a random factor."""

    def __init__(self, most: float = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.most = most

    def vary(self, images: Any) -> Any:
        """See :class:`Intensity`."""
        n, channels = keras.ops.shape(images)[0], images.shape[3]
        return images * self.uniform((n, 1, 1, channels), 1 - self.most, 1 + self.most)

    def get_config(self) -> dict[str, Any]:
        """Settings, for Keras' files."""
        return {**super().get_config(), "most": self.most}


@keras.saving.register_keras_serializable(package="ifcyto")
class Focus(_Random):
    """Blur or sharpen each image: move it towards its smoothed self or away from it."""

    def __init__(self, most: float = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.most = most

    def vary(self, images: Any) -> Any:
        """See :class:`Focus`."""
        ops = keras.ops
        n, channels = ops.shape(images)[0], images.shape[3]
        line = ops.convert_to_tensor([value / sum(KERNEL) for value in KERNEL], "float32")
        down = ops.tile(ops.reshape(line, (5, 1, 1, 1)), (1, 1, channels, 1))
        across = ops.tile(ops.reshape(line, (1, 5, 1, 1)), (1, 1, channels, 1))
        smooth = ops.depthwise_conv(ops.depthwise_conv(images, down, padding="same"), across, padding="same")
        return images + self.uniform((n, 1, 1, 1), -self.most / 2, self.most) * (smooth - images)

    def get_config(self) -> dict[str, Any]:
        """Settings, for Keras' files."""
        return {**super().get_config(), "most": self.most}


def augmentation_layers(how: Augmentation, *, seed: int) -> list[Any]:
    """Layers that do what is asked, in the order in which an instrument would; none where nothing is."""
    layers = []
    if how.rotate != "none" or how.flip or how.shift or how.scale:
        layers.append(
            Move(rotate=how.rotate, flip=how.flip, shift=how.shift, scale=how.scale, seed=seed, name="move")
        )
    if how.focus:
        layers.append(Focus(how.focus, seed=seed + 1, name="focus"))
    if how.intensity:
        layers.append(Intensity(how.intensity, seed=seed + 2, name="intensity"))
    return layers
