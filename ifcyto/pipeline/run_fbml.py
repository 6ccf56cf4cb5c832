"""The steps of a run that train the feature-based classifier and judge the candidates."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from ifcyto.classify.model_folder import read_model
from ifcyto.errors import StudyError
from ifcyto.pipeline.acquire import read_spots
from ifcyto.pipeline.fbml import classify_candidates, train_fbml, why_not, write_truth_scores
from ifcyto.pipeline.labels import read_truth
from ifcyto.pipeline.steps import STEP_VERSIONS
from ifcyto.provenance import version_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ifcyto.pipeline.run_samples import RunSamples
    from ifcyto.pipeline.study import Study

__all__ = ["RunFbml"]


class RunFbml:
    """The feature-based classifier of a run.

    Parameters
    ----------
    samples : RunSamples
    """

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

    @cached_property
    def untrained(self) -> str:
        """Why the feature-based classifier does not run; empty when it does."""
        asked = "fbml" in self.study.settings.compare.methods
        return why_not(self.study, self.truth) if asked else "not asked for in [compare]"

    @property
    def model_folder(self) -> Path:
        """Where the classifier is kept."""
        return self.samples.root / "models" / "fbml"

    @property
    def truth_scores(self) -> Path:
        """Where the scores of the objects of the truth are kept."""
        return self.samples.root / "work" / "fbml" / "truth_scores.csv"

    def verdicts(self, place: int) -> Path:
        """Where the verdicts on the candidates of a sample are kept."""
        return self.samples.root / "work" / "fbml" / f"{self.study.samples[place].id}.csv"

    def steps(self, spots: Sequence[str]) -> list[str]:
        """Train the classifier and classify the candidates.

        Parameters
        ----------
        spots : sequence of str
            Digest of the Spot Counts of each sample.

        Returns
        -------
        list of str
            Digest of the verdicts of each sample; empty when the classifier does not run.
        """
        if self.untrained:
            self.samples.cache.cannot("train fbml", self.untrained)
            return []
        study = self.study
        version = [version_of("ifcyto"), STEP_VERSIONS["fbml"]]
        tagged = {sample for sample, _ in self.truth}
        key = {
            "truth": None if study.labels is None else self.samples.source(study.labels)["sha256"],
            "spots": [one for one, sample in zip(spots, study.samples, strict=True) if sample.id in tagged],
            "settings": study.settings.fbml.model_dump(),
            "channels": study.settings.channels,
            "mask": study.mask,
            "seed": study.settings.study.seed,
            "version": version,
        }
        model = self.samples.cache.step("train fbml", key, self._train)

        def judge(place: int) -> str:
            key = {"model": model, "spots": spots[place], "version": version}
            name = f"fbml {study.samples[place].id}"
            return self.samples.cache.step(name, key, partial(self._classify, place))

        return self.samples.each("fbml", judge)

    def _train(self) -> list[Path]:
        samples = self.samples
        stacks = {sample.id: samples.stack(place) for place, sample in enumerate(self.study.samples)}
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
            stacks,
            self.model_folder,
            pixel_size_um=used[0],
            workers=samples.workers,
            progress=samples.progress,
        )
        scores = write_truth_scores(result, self.truth_scores)
        return [*sorted(self.model_folder.iterdir()), scores]

    def _classify(self, place: int) -> list[Path]:
        samples = self.samples
        numbers, counts = read_spots(samples.spots_file(place))
        path = classify_candidates(
            read_model(self.model_folder),
            samples.stack(place),
            self.verdicts(place),
            samples.inputs[place],
            numbers[counts == self.study.settings.candidates.spots],
            roles=self.study.settings.channels,
            workers=samples.workers,
            progress=samples.progress,
        )
        return [path]
