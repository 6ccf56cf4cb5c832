"""Plans of networks that keras.applications does not have: from the images to the embedding."""

from __future__ import annotations

from typing import Any

from ifcyto.classify.cnn.backend import keras

__all__ = ["deepflow", "dense_head", "vgg16_bn", "vgg_small"]

VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Width and number of the convolutions of each block; Simonyan & Zisserman 2015, table 1, plan D."""

SMALL = ((32, 2), (64, 2), (128, 2), (256, 2))

HEAD = 512
"""Width of the dense layers. The 4,096 of the paper are for maps of 7x7 from images of 224x224."""


def _blocks(images: Any, plan: tuple[tuple[int, int], ...]) -> Any:
    """3x3 convolutions, each with batch normalisation and ReLU; blocks end in a 2x2 maximum."""
    layers, x = keras.layers, images
    for block, (width, count) in enumerate(plan, 1):
        for place in range(1, count + 1):
            name = f"block{block}_conv{place}"
            x = layers.Conv2D(
                width, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
            )(x)
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
            x = layers.ReLU(name=f"{name}_relu")(x)
        x = layers.MaxPooling2D(2, padding="same", name=f"block{block}_pool")(x)
    return x


def dense_head(maps: Any, *, normalised: bool) -> Any:
    """Two dense layers with dropout of a half, as in VGG, narrower."""
    layers = keras.layers
    x = layers.Flatten(name="flat")(maps)
    for place in (1, 2):
        x = layers.Dense(HEAD, use_bias=not normalised, name=f"dense{place}")(x)
        if normalised:
            x = layers.BatchNormalization(momentum=0.9, name=f"dense{place}_bn")(x)
        x = layers.ReLU(name=f"dense{place}_relu")(x)
        x = layers.Dropout(0.5, name=f"dense{place}_dropout")(x)
    return x


def vgg16_bn(images: Any) -> Any:
    """Thirteen convolutions and two dense layers of VGG16, with batch normalisation."""
    return dense_head(_blocks(images, VGG16), normalised=True)


def vgg_small(images: Any) -> Any:
    """Eight convolutions, the mean over the maps, and dropout."""
    x = keras.layers.GlobalAveragePooling2D(name="mean")(_blocks(images, SMALL))
    return keras.layers.Dropout(0.3, name="embedding")(x)


def deepflow(images: Any) -> Any:
    """Thirteen modules of two paths, for images of about 66 pixels.

    After Eulenberg et al. 2017 (Nature Communications 8:463): dual-path modules of 1x1 and 3x3
    convolutions, and of a 3x3 convolution with stride 2 beside a maximum where the size is
    halved. APPROXIMATION: the widths are those of the small Inception network with batch
    normalisation (Ioffe & Szegedy 2015) from which such modules come.
    """
    widths: tuple[tuple[int, ...], ...] = (
        (32, 32), (32, 48), (80,), (112, 48), (96, 64), (80, 80), (48, 96), (96,),
        (176, 160), (176, 160), (96,), (176, 160), (176, 160),
    )  # fmt: skip
    join = keras.layers.Concatenate
    x = _unit(images, 96, 3, "start")
    for place, width in enumerate(widths, 1):
        name = f"module{place}"
        if len(width) == 1:
            most = keras.layers.MaxPooling2D(3, 2, padding="same", name=f"{name}_pool")(x)
            x = join(name=name)([_unit(x, width[0], 3, f"{name}_3x3", 2), most])
        else:
            x = join(name=name)([_unit(x, width[0], 1, f"{name}_1x1"), _unit(x, width[1], 3, f"{name}_3x3")])
    return keras.layers.GlobalAveragePooling2D(name="embedding")(x)


def _unit(x: Any, width: int, side: int, name: str, stride: int = 1) -> Any:
    layers = keras.layers
    x = layers.Conv2D(
        width, side, stride, "same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
