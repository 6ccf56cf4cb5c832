"""The network of a run."""

from __future__ import annotations

import json
import shutil
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ifcyto.classify.cnn.split import PARTS, TRAINING
from ifcyto.pipeline.cnn import train_network_of, write_verdicts
from ifcyto.pipeline.fbml import why_no_truth
from ifcyto.pipeline.run_trained import RunTrained
from ifcyto.pipeline.steps import STEP_VERSIONS, is_meant

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ifcyto.classify.cnn.folder import CnnModel

__all__ = ["RunCnn"]

MACHINE = ("device", "seconds")
"""What a training record says of the machine."""


class RunCnn(RunTrained):
    """The network of a run; see :class:`ifcyto.pipeline.run_trained.RunTrained`."""

    name = "cnn"
    always_told = False

    @property
    def explained_folder(self) -> Path:
        """Where the heat maps are kept."""
        return self.samples.root / "work" / "explain"

    @cached_property
    def _trained(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.model_folder / "training.json").read_text(encoding="utf-8"))
        return found

    def record(self) -> dict[str, Any]:
        """Training record of the model, without single objects and what differs from run to run."""
        found = {name: value for name, value in self._trained.items() if name not in {"objects", *MACHINE}}
        history = {name: curve for name, curve in found["history"].items() if name != "seconds"}
        return {**found, "history": history, "least_probability": self.study.settings.cnn.threshold}

    def machine(self) -> dict[str, Any]:
        """On what the network was trained, and how long."""
        return {name: self._trained[name] for name in MACHINE if name in self._trained}

    @property
    def learned(self) -> set[tuple[str, int]]:
        """Sample and number of the objects that the network learned from."""
        objects = self._trained["objects"]
        return {(one["sample"], one["object"]) for one in objects if one["part"] == PARTS[TRAINING]}

    def _why_not(self) -> str:
        return why_no_truth(self.study, self.truth)

    def _training_key(self) -> dict[str, Any]:
        settings = self.study.settings
        return {"settings": settings.cnn.model_dump(exclude={"threshold"}), "channels": settings.channels}

    def _judging_key(self) -> dict[str, Any]:
        return {"settings": {"threshold": self.study.settings.cnn.threshold}}

    def _train(self) -> list[Path]:
        cache = self.samples.cache
        states = self.samples.root / "work" / "training" / f"version-{STEP_VERSIONS[self.name]}"
        if cache.again or is_meant(f"train {self.name}", cache.force):
            shutil.rmtree(states, ignore_errors=True)
        train_network_of(
            self.study, self.truth, self.stacks, self.model_folder, states, progress=self.samples.progress
        )
        return sorted(self.model_folder.iterdir())

    @cached_property
    def model(self) -> CnnModel:
        """The network, read from its folder."""
        from ifcyto.classify.cnn.folder import read_cnn_model

        return read_cnn_model(self.model_folder)

    def _classify(self, place: int, candidates: NDArray[np.int64]) -> Path:
        stack, target = self.samples.stack(place), self.verdicts(place)
        return write_verdicts(
            self.study, self.model, stack, target, candidates, progress=self.samples.progress
        )
