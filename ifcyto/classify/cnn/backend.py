"""Keras and TensorFlow, or the line that installs them."""

from __future__ import annotations

import os
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ifcyto._optional import require
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["choose_precision", "describe_device", "keras", "precise", "seeded", "tf"]

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep off stderr what TensorFlow's C++ says of itself before anybody can tell it not to."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _quiet():
    require("tensorflow", extra="cnn")
    require("keras", extra="cnn")

import keras  # noqa: E402 - after the two that say how to install it
import tensorflow as tf  # noqa: E402

if keras.backend.backend() != "tensorflow":
    _found = keras.backend.backend()
    _message = f"expected keras on tensorflow, found it on {_found}: unset KERAS_BACKEND and start again"
    raise UsageError(_message)

BFLOAT16_SINCE = (8, 0)
"""Compute capability of NVIDIA cards from which on bfloat16 is faster (Ampere)."""

PRECISIONS = ("auto", "float32", "mixed_bfloat16")


def choose_precision(asked: str) -> str:
    """Say in which precision to train: ``auto`` is bfloat16 only where a GPU computes with it.

    Raises
    ------
    UsageError
        A precision that is not offered.
    """
    if asked not in PRECISIONS:
        msg = f"expected a precision among {', '.join(PRECISIONS)}, found {asked!r}"
        raise UsageError(msg)
    if asked != "auto":
        return asked
    cards = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    able = bool(cards) and all(card.get("compute_capability", (0, 0)) >= BFLOAT16_SINCE for card in cards)
    return "mixed_bfloat16" if able else "float32"


def describe_device() -> str:
    """Name of the GPU that is used, else ``CPU``."""
    names = [
        str(tf.config.experimental.get_device_details(gpu).get("device_name", "GPU"))
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    return ", ".join(names) or "CPU"


@contextmanager
def precise(precision: str) -> Iterator[None]:
    """Build layers in a precision; the policy of before comes back."""
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw the same random weights for the same seed; the caller's generators are left as they were."""
    ours = random.getstate(), np.random.get_state()  # noqa: NPY002 - keras draws its seeds from these
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(ours[0])
        np.random.set_state(ours[1])  # noqa: NPY002
