"""The network of a run."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ifcyto.pipeline.cnn import train_network_of, write_verdicts
from ifcyto.pipeline.fbml import why_no_truth
from ifcyto.pipeline.run_trained import RunTrained

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RunCnn"]


class RunCnn(RunTrained):
    """The network of a run; see :class:`ifcyto.pipeline.run_trained.RunTrained`."""

    name = "cnn"
    always_told = False

    def record(self) -> dict[str, Any]:
        """Training record of the model, without what it says of single objects."""
        found: dict[str, Any] = json.loads((self.model_folder / "training.json").read_text(encoding="utf-8"))
        return {name: value for name, value in found.items() if name not in {"objects", "device", "seconds"}}

    def _why_not(self) -> str:
        return why_no_truth(self.study, self.truth)

    def _training_key(self) -> dict[str, Any]:
        settings = self.study.settings
        return {"settings": settings.cnn.model_dump(exclude={"threshold"}), "channels": settings.channels}

    def _judging_key(self) -> dict[str, Any]:
        return {"settings": {"threshold": self.study.settings.cnn.threshold}}

    def _train(self) -> list[Path]:
        train_network_of(
            self.study, self.truth, self.stacks, self.model_folder, progress=self.samples.progress
        )
        return sorted(self.model_folder.iterdir())

    @cached_property
    def _model(self) -> Any:
        from ifcyto.classify.cnn.folder import read_cnn_model

        return read_cnn_model(self.model_folder)

    def _classify(self, place: int, candidates: NDArray[np.int64]) -> Path:
        stack, target = self.samples.stack(place), self.verdicts(place)
        return write_verdicts(
            self.study, self._model, stack, target, candidates, progress=self.samples.progress
        )
