"""The feature-based classifier of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.classify.model_folder import read_model
from ifcyto.errors import StudyError
from ifcyto.pipeline.fbml import classify_candidates, train_fbml, why_not, write_truth_scores
from ifcyto.pipeline.run_trained import RunTrained

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RunFbml"]


class RunFbml(RunTrained):
    """The feature-based classifier of a run; see :class:`ifcyto.pipeline.run_trained.RunTrained`."""

    name = "fbml"

    @property
    def truth_scores(self) -> Path:
        """Where the scores of the objects of the truth are kept."""
        return self.samples.root / "work" / "fbml" / "truth_scores.csv"

    def _why_not(self) -> str:
        return why_not(self.study, self.truth)

    def _training_key(self) -> dict[str, Any]:
        study, settings = self.study, self.study.settings
        return {"settings": settings.fbml.model_dump(), "channels": settings.channels, "mask": study.mask}

    def _train(self) -> list[Path]:
        samples = self.samples
        sizes = {
            sample.id: samples.inputs[place].pixel_size_um for place, sample in enumerate(self.study.samples)
        }
        used = sorted({sizes[sample] for sample, _ in self.truth})
        if len(used) > 1:
            msg = f"{self.study.path}: the samples of the table of truth have pixels of {used} um"
            raise StudyError(msg)
        result = train_fbml(
            self.study,
            self.truth,
            self.stacks,
            self.model_folder,
            pixel_size_um=used[0],
            workers=samples.workers,
            progress=samples.progress,
        )
        scores = write_truth_scores(result, self.truth_scores)
        return [*sorted(self.model_folder.iterdir()), scores]

    def _classify(self, place: int, candidates: NDArray[np.int64]) -> Path:
        samples = self.samples
        return classify_candidates(
            read_model(self.model_folder),
            samples.stack(place),
            self.verdicts(place),
            samples.inputs[place],
            candidates,
            roles=self.study.settings.channels,
            workers=samples.workers,
            progress=samples.progress,
        )
