"""A trained network on disk: a folder of JSON and one ``.keras`` file (``data_schemas/cnn_model.md``)."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.classify.cnn.backend import keras
from ifcyto.classify.model_folder import new_folder, read_json
from ifcyto.errors import FormatError, UsageError
from ifcyto.provenance import json_text, sha256_file
from ifcyto.schemas import schema_faults
from ifcyto.stack.frames import channel_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ifcyto.stack.cell_stack import CellStack

__all__ = ["FILES", "METHOD", "VERSION", "CnnModel", "ModelChannel", "read_cnn_model", "write_cnn_model"]

VERSION = 1
"""Of the layout; a reader refuses folders that are newer."""

METHOD = "network"
"""What ``model.json`` calls this kind of classifier."""

MODEL, NETWORK, TRAINING, HISTORY = "model.json", "network.keras", "training.json", "history.csv"
FILES = (MODEL, NETWORK, TRAINING, HISTORY)
"""What the folder may hold."""

SAME_SIZE = 1e-6
"""Pixel sizes that differ by less, relatively, are the same."""

CONFIG, LARGEST_CONFIG = "config.json", 64 * 2**20
MODULES = {
    "keras",
    "keras.constraints",
    "keras.initializers",
    "keras.layers",
    "keras.regularizers",
    "keras.src.models.functional",
    "keras.src.models.sequential",
}
"""Where the parts of a network may come from."""

FORBIDDEN = {"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"}
"""Layers of Keras that run code that is not Keras' own."""

PLAIN = {"__keras_tensor__", "__tuple__"}
"""Names without a module that Keras gives to values."""


@dataclass(frozen=True, slots=True)
class ModelChannel:
    """A channel that a network looks at.

    Parameters
    ----------
    label : str
        Role or name under which it was asked for in training; the name to give in ``--image``.
    name : str
        Its name in the files trained on.
    number : int
    """

    label: str
    name: str
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class CnnModel:
    """A network, and what is needed to apply it to other stacks.

    Parameters
    ----------
    network : keras.Model
        From scaled images ``(n, size, size, channels)`` to logits ``(n, classes)``.
    architecture : str
    classes : tuple of str
        In the order of the logits.
    channels : tuple of ModelChannel
        In the order of the images' last axis.
    size : int
        Side of the images, px.
    scale : ndarray (channels,) of float32
        What pixels, less their background, are divided by.
    pixel_size_um : float or None
        Of the images trained on.
    temperature : float
        Logits are divided by it before they become probabilities; 1: as trained.
    thresholds : mapping of str to float
        Class to the least probability of its objects; below it the object is ``Unknown``.
    training : mapping
        JSON values: what training found.
    provenance : mapping
    views : int
        Orientations in which the network looks at each image, 1 or 8.
    """

    network: Any
    architecture: str
    classes: tuple[str, ...]
    channels: tuple[ModelChannel, ...]
    size: int
    scale: NDArray[np.float32]
    pixel_size_um: float | None = None
    temperature: float = 1.0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    views: int = 1

    def __post_init__(self) -> None:
        shape = (self.size, self.size, len(self.channels))
        found = tuple(self.network.input_shape[1:]), self.network.output_shape[-1]
        if found != (shape, len(self.classes)):
            msg = (
                f"expected a network of images {shape} and {len(self.classes)} classes, found {found[0]} and "
                f"{found[1]}"
            )
            raise ValueError(msg)

    @property
    def images(self) -> tuple[str, ...]:
        """Labels of the channels: the images that the model asks for."""
        return tuple(channel.label for channel in self.channels)

    def channels_in(
        self, stack: CellStack, given: Sequence[str | int] | Mapping[str, str | int] | None = None
    ) -> list[int]:
        """Numbers of the stack's channels in the model's order.

        Parameters
        ----------
        stack : CellStack
        given : sequence or mapping of str to (str or int), optional
            Channels of the stack in the model's order, or by the model's labels. For
            the others: a channel whose role or name is the model's label, or else its name in training.

        Raises
        ------
        UsageError
            A channel is missing or ambiguous, two are the same, or the pixels have another size.
        """
        names = ", ".join(channel.label for channel in self.channels)
        if given is not None and not isinstance(given, Mapping):
            if len(given) != len(self.channels):
                msg = f"{stack.path}: expected {len(self.channels)} channels ({names}), found {len(given)}"
                raise UsageError(msg)
            given = {channel.label: item for channel, item in zip(self.channels, given, strict=True)}
        there = {name for channel in stack.channels for name in (channel.role, channel.name)}
        strange = sorted(set(given or {}) - {channel.label for channel in self.channels})
        if strange:
            msg = f"expected channels of the model ({names}), found {', '.join(strange)}"
            raise UsageError(msg)
        rows = []
        for channel in self.channels:
            name = channel.label if channel.label in there else channel.name
            wanted = (given or {}).get(channel.label, name)
            if isinstance(wanted, str) and wanted not in there:
                labels = ", ".join(found.label for found in stack.channels)
                msg = (
                    f"{stack.path}: the model needs the channel {channel.label!r}, found {labels}: say which "
                    f"one it is (--image {channel.label}=NUMBER)"
                )
                raise UsageError(msg)
            rows += channel_rows(stack.channels, wanted)
        if len(set(rows)) < len(rows):
            msg = f"{stack.path}: expected a channel of its own for each of the model, found one twice"
            raise UsageError(msg)
        self._check_size(stack, rows)
        return [stack.channels[row].number for row in rows]

    def _check_size(self, stack: CellStack, rows: Sequence[int]) -> None:
        sizes = {stack.channels[row].pixel_size_um for row in rows} - {None}
        for size in sizes:
            if (
                self.pixel_size_um is not None
                and size is not None
                and abs(size - self.pixel_size_um) > SAME_SIZE * self.pixel_size_um
            ):
                msg = (
                    f"{stack.path}: expected pixels of {self.pixel_size_um:g} um, as the model was trained "
                    f"on, found {size:g} um: another magnification needs a model of its own"
                )
                raise UsageError(msg)


def write_cnn_model(folder: Path | str, model: CnnModel, *, overwrite: bool = False) -> None:
    """Write a model as a folder, which appears when it is complete.

    Raises
    ------
    OutputError
        The folder exists and `overwrite` is False, or it holds other things than a
        model, or the disk refuses.
    ValueError
        The model breaks its own schema, or its network is not of Keras' own layers.
    """
    with new_folder(Path(folder), FILES, overwrite=overwrite) as inside:
        model.network.save(inside / NETWORK)
        _refuse_foreign(inside / NETWORK)
        document = {
            "format": "ifcyto model",
            "version": VERSION,
            "method": METHOD,
            "architecture": model.architecture,
            "classes": list(model.classes),
            "channels": [asdict(channel) for channel in model.channels],
            "size": model.size,
            "scale": [float(value) for value in model.scale],
            "output": "logits",
            "views": int(model.views),
            "temperature": float(model.temperature),
            "thresholds": {name: float(value) for name, value in model.thresholds.items()},
            "pixel_size_um": _number(model.pixel_size_um),
            "network": {"file": NETWORK, "sha256": sha256_file(inside / NETWORK)},
            "provenance": json.loads(json_text(model.provenance)),
        }
        faults = schema_faults(document, "cnn_model")
        if faults:
            msg = f"the model breaks its schema: {faults[0]}"
            raise ValueError(msg)
        lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in document.items())
        texts = {MODEL: "{\n" + ",\n".join(lines) + "\n}\n", TRAINING: json_text(model.training) + "\n"}
        if model.training.get("history"):
            texts[HISTORY] = _csv(model.training["history"])
        for name, text in texts.items():
            (inside / name).write_text(text, encoding="utf-8", newline="")


def read_cnn_model(folder: Path | str) -> CnnModel:
    """Read a folder that :func:`write_cnn_model` made; weights come back bit by bit.

    Raises
    ------
    FormatError
        A file is missing, damaged, newer than this version, or not the one that ``model.json``
        tells of; or the network does not fit the channels, size or classes.

    Notes
    -----
    Nothing in the folder is executed: the network is read in Keras' safe mode, after its
    digest was compared and every part of it was found to be Keras' own.
    """
    path = Path(folder) / MODEL
    document = read_json(path)
    if document.get("method") != METHOD:
        found = str(document.get("method"))[:50]
        raise FormatError(path, f"expected a model of the method {METHOD}, found {found!r}", where="method")
    if isinstance(document.get("version"), int) and document["version"] > VERSION:
        message = f"is of version {document['version']}, this ifcyto reads up to {VERSION}: update ifcyto"
        raise FormatError(path, message, where="version")
    faults = schema_faults(document, "cnn_model")
    if faults:
        raise FormatError(path, f"is no sound model: {faults[0]}")
    _refuse_unsound(path, document)
    network = _network(path.with_name(NETWORK), document["network"]["sha256"])
    training = path.with_name(TRAINING)
    try:
        return CnnModel(
            network,
            document["architecture"],
            tuple(document["classes"]),
            tuple(ModelChannel(**channel) for channel in document["channels"]),
            document["size"],
            np.array(document["scale"], np.float32),
            document["pixel_size_um"],
            document["temperature"],
            document["thresholds"],
            read_json(training) if training.exists() else {},
            document["provenance"],
            int(document.get("views", 1)),
        )
    except ValueError as error:
        raise FormatError(path.with_name(NETWORK), str(error)) from error


def _refuse_unsound(path: Path, document: Mapping[str, Any]) -> None:
    """What a schema cannot say."""
    n = len(document["channels"])
    labels = [channel["label"] for channel in document["channels"]]
    numbers = [*document["scale"], document["temperature"], *document["thresholds"].values()]
    strange = sorted(set(document["thresholds"]) - set(document["classes"]))
    rules = (
        (len(document["scale"]) == n, f"{n} scales, one a channel, found {len(document['scale'])}", "scale"),
        (len(set(labels)) == n, "each channel once, found one again", "channels"),
        (all(map(math.isfinite, numbers)), "finite numbers, found others", "scale"),
        (not strange, f"thresholds of classes, found {', '.join(strange[:3])}", "thresholds"),
    )
    for holds, expected, where in rules:
        if not holds:
            raise FormatError(path, f"expected {expected}", where=where)


def _network(path: Path, digest: str) -> Any:
    if not path.is_file():
        raise FormatError(path, "expected the network, found no file")
    found = sha256_file(path)
    if found != digest:
        message = (
            f"expected the SHA-256 {digest[:16]}... that {MODEL} gives, found {found[:16]}...: it was changed"
        )
        raise FormatError(path, message)
    try:
        _refuse_foreign(path)
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError, zipfile.BadZipFile) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise FormatError(path, f"expected a network in Keras' format: {line}") from error


def _refuse_foreign(path: Path) -> None:
    """Every part of the network must be Keras' own: a name of another module could run anything."""
    with zipfile.ZipFile(path) as file:
        if file.getinfo(CONFIG).file_size > LARGEST_CONFIG:
            msg = f"expected a plan of at most {LARGEST_CONFIG} bytes"
            raise ValueError(msg)
        todo = [json.loads(file.read(CONFIG))]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            names = [str(item.get(key) or "") for key in ("module", "class_name", "registered_name")]
            known = (names[0] in MODULES and names[1] not in FORBIDDEN) or (
                names[1] in PLAIN and not names[0]
            )
            if any(names) and not (known and names[2] in {"", names[1]}):
                msg = f"expected layers of Keras alone, found {'.'.join(filter(None, names[:2])) or names[2]}"
                raise ValueError(msg)
            todo += item.values()
        elif isinstance(item, list):
            todo += item


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _csv(history: Mapping[str, Sequence[float]]) -> str:
    """One line an epoch, numbers alone: for people."""
    lines = [",".join(["epoch", *history])]
    lines += [
        ",".join([str(epoch), *map(repr, row)])
        for epoch, row in enumerate(zip(*history.values(), strict=True), 1)
    ]
    return "\n".join(lines) + "\n"
