"""The two codecs of CIF and RIF files, for single cells and for batches.

Source: ``formats``, "Codec 30817 (greyscale)" and "Codec 30818 (mask)",
established there on real files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.readers import codec_kernels as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STATUS_TEXT", "decode_image", "decode_mask", "encode_image", "encode_mask"]

STATUS_TEXT = {
    kernels.EARLY_END: "the strip ends before the last pixel",
    kernels.LEFT_OVER: "the strip goes on after the last pixel",
    kernels.OVERFLOW: "a pixel value does not fit into 16 signed bits",
    kernels.BAD_RUN: "a mask run goes past the last pixel",
}
"""What each status code of the decoding kernels means."""


def decode_image(strip: bytes, shape: tuple[int, int, int]) -> NDArray[np.int16]:
    """Decode one greyscale strip.

    Parameters
    ----------
    strip : bytes
        The bytes of the strip, or of all strips one after the other.
    shape : tuple of int
        ``(C, H, W)``, W being the width of one channel.

    Returns
    -------
    ndarray (C, H, W) of int16

    Raises
    ------
    ValueError
        The strip does not hold exactly that many pixels.

    Examples
    --------
    >>> image = np.arange(-6, 6, dtype=np.int16).reshape(2, 2, 3)
    >>> bool((decode_image(encode_image(image), (2, 2, 3)) == image).all())
    True
    """
    if np.prod(shape) > 2 * len(strip):
        raise ValueError(STATUS_TEXT[kernels.EARLY_END])
    out = np.empty(shape, np.int16)
    _decode_one(kernels.decode_images, strip, out)
    return out


def decode_mask(strip: bytes, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Decode one mask strip to raw mask values ``(C, H, W)``; see :func:`decode_image`.

    Raises
    ------
    ValueError
        The strip does not hold exactly that many pixels.
    """
    if np.prod(shape) > 128 * len(strip):
        raise ValueError(STATUS_TEXT[kernels.EARLY_END])
    out = np.empty(shape, np.uint8)
    _decode_one(kernels.decode_masks, strip, out)
    return out


def _decode_one(kernel, strip, out) -> None:  # type: ignore[no-untyped-def]
    status = np.zeros(1, np.int64)
    spans = np.array([[0, len(strip)]], np.int64)
    shapes = np.array([out.shape[1:]], np.int64)
    kernel(np.frombuffer(strip, np.uint8), spans, shapes, out.shape[0], out.reshape(-1), status)
    if status[0] != kernels.OK:
        raise ValueError(STATUS_TEXT[int(status[0])])


def encode_image(image: NDArray[np.int16]) -> bytes:
    """Encode an image ``(C, H, W)`` of int16 as a greyscale strip.

    Minimal-length values, as the instrument's software writes them: decoding a
    real strip and encoding it again gives the same bytes.
    """
    out = np.empty(3 * image.size + 1, np.uint8)
    return out[: kernels.write_differences(np.ascontiguousarray(image, np.int16), out)].tobytes()


def encode_mask(mask: NDArray[np.uint8]) -> bytes:
    """Encode raw mask values ``(C, H, W)`` of uint8 as a mask strip."""
    out = np.empty(2 * mask.size, np.uint8)
    return out[: kernels.write_runs(np.ascontiguousarray(mask, np.uint8), out)].tobytes()
