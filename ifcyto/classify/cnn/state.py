"""Keep a training that is under way on disk, so that a killed one goes on where it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ifcyto._output import replacing
from ifcyto.classify.cnn.backend import keras
from ifcyto.provenance import json_text, sha256_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["State", "read_state", "write_state"]

STATE = "state.json"


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Where a training is.

    Parameters
    ----------
    model : keras.Model
        The network with its augmentation and its optimizer, after the last epoch of `history`.
    best : keras.Model
        As it was after the best epoch.
    history : dict of str to list of float
    mean : keras.Model or None
        Mean of the weights, where they are averaged.
    """

    model: Any
    best: Any
    history: dict[str, list[float]]
    mean: Any = None


def write_state(folder: Path, key: str, state: State) -> None:
    """Write the state; until it is complete the one of before stays."""
    folder.mkdir(parents=True, exist_ok=True)
    epoch = len(state.history["val_loss"])
    digests = {}
    for name, model in (("last", state.model), ("best", state.best), ("mean", state.mean)):
        if model is None:
            continue
        path = folder / f"{name}-{epoch:05d}.keras"
        model.save(path)
        digests[path.name] = sha256_file(path)
    document = {"key": key, "history": state.history, "files": digests}
    with replacing(folder / STATE, overwrite=True) as temporary:
        temporary.write_text(json_text(document) + "\n", encoding="utf-8")
    for path in folder.glob("*-*.keras"):
        if path.name not in digests:
            path.unlink()


def read_state(folder: Path, key: str) -> State | None:
    """Read the state of the same training; None where there is none, or one of other data or settings."""
    try:
        document = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict) or document.get("key") != key:
        return None
    models = {}
    for name, digest in sorted(document["files"].items()):
        path = folder / name
        if not path.is_file() or sha256_file(path) != digest:
            return None
        models[name.partition("-")[0]] = keras.saving.load_model(path, safe_mode=True)
    return State(models["last"], models["best"], document["history"], models.get("mean"))
