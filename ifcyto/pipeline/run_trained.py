"""The steps of a run that train a classifier on the table of truth and let it judge the candidates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ifcyto.pipeline.acquire import read_spots
from ifcyto.pipeline.labels import read_truth
from ifcyto.pipeline.steps import STEP_VERSIONS
from ifcyto.provenance import version_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ifcyto.pipeline.run_samples import RunSamples
    from ifcyto.pipeline.study import Study

__all__ = ["RunTrained"]


class RunTrained(ABC):
    """A method of a run that learns from the table of truth.

    Parameters
    ----------
    samples : RunSamples

    Attributes
    ----------
    name : str
        As ``[compare]`` calls the method.
    always_told : bool
        Whether a plan says why it does not run where the study does not ask for it either.
    """

    name: ClassVar[str]
    always_told: ClassVar[bool] = True

    def __init__(self, samples: RunSamples) -> None:
        self.samples = samples

    @property
    def study(self) -> Study:
        """The study, with the samples that have not failed."""
        return self.samples.study

    @cached_property
    def truth(self) -> dict[tuple[str, int], str]:
        """Table of truth of the study, without samples that failed; empty without one."""
        if self.study.labels is None:
            return {}
        known = {sample.id for sample in self.samples.asked.samples}
        there = {sample.id for sample in self.study.samples}
        table = read_truth(self.study.labels, samples=known)
        return {key: label for key, label in table.items() if key[0] in there}

    @property
    def asked(self) -> bool:
        """Whether the study asks for the method."""
        return self.name in self.study.settings.compare.methods

    @cached_property
    def untrained(self) -> str:
        """Why the method does not run; empty when it does."""
        return self._why_not() if self.asked else "not asked for in [compare]"

    @property
    def model_folder(self) -> Path:
        """Where the classifier is kept."""
        return self.samples.root / "models" / self.name

    def verdicts(self, place: int) -> Path:
        """Where the verdicts on the candidates of a sample are kept."""
        return self.samples.root / "work" / self.name / f"{self.study.samples[place].id}.csv"

    def steps(self, spots: Sequence[str]) -> list[str]:
        """Train the classifier and let it judge the candidates.

        Parameters
        ----------
        spots : sequence of str
            Digest of the Spot Counts of each sample.

        Returns
        -------
        list of str
            Digest of the verdicts of each sample; empty when the method does not run.
        """
        study, cache = self.study, self.samples.cache
        if self.untrained:
            if self.asked or self.always_told:
                cache.cannot(f"train {self.name}", self.untrained)
            return []
        version = [version_of("ifcyto"), STEP_VERSIONS[self.name]]
        tagged = {sample for sample, _ in self.truth}
        key = {
            "truth": None if study.labels is None else self.samples.source(study.labels)["sha256"],
            "spots": [one for one, sample in zip(spots, study.samples, strict=True) if sample.id in tagged],
            **self._training_key(),
            "seed": study.settings.study.seed,
            "version": version,
        }
        model = cache.step(f"train {self.name}", key, self._train)

        def judge(place: int) -> str:
            key = {"model": model, "spots": spots[place], **self._judging_key(), "version": version}
            name = f"{self.name} {study.samples[place].id}"
            return cache.step(name, key, lambda: [self._classify(place, self._candidates(place))])

        return self.samples.each(self.name, judge)

    @property
    def stacks(self) -> dict[str, Path]:
        """Cell stack of each sample."""
        return {sample.id: self.samples.stack(place) for place, sample in enumerate(self.study.samples)}

    def _candidates(self, place: int) -> NDArray[np.int64]:
        numbers, counts = read_spots(self.samples.spots_file(place))
        candidates: NDArray[np.int64] = numbers[counts == self.study.settings.candidates.spots]
        return candidates

    @abstractmethod
    def _why_not(self) -> str:
        """Why the method cannot run that the study asks for; empty when it can."""

    @abstractmethod
    def _training_key(self) -> dict[str, Any]:
        """What else the training depends on."""

    def _judging_key(self) -> dict[str, Any]:
        """What else the verdicts depend on."""
        return {}

    @abstractmethod
    def _train(self) -> list[Path]:
        """Train, and give every file that was written."""

    @abstractmethod
    def _classify(self, place: int, candidates: NDArray[np.int64]) -> Path:
        """Judge candidates of a sample, and give the file of the verdicts."""
