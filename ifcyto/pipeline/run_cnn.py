"""The steps of a run that train the network and let it judge the candidates."""

from __future__ import annotations

import json
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from ifcyto.pipeline.acquire import read_spots
from ifcyto.pipeline.cnn import train_network_of, write_verdicts
from ifcyto.pipeline.fbml import why_no_truth
from ifcyto.pipeline.steps import STEP_VERSIONS
from ifcyto.provenance import version_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ifcyto.pipeline.run_fbml import RunFbml
    from ifcyto.pipeline.run_samples import RunSamples
    from ifcyto.pipeline.study import Study

__all__ = ["RunCnn"]


class RunCnn:
    """The network of a run.

    Parameters
    ----------
    samples : RunSamples
    fbml : RunFbml
        Has the table of truth.
    """

    def __init__(self, samples: RunSamples, fbml: RunFbml) -> None:
        self.samples = samples
        self.fbml = fbml

    @property
    def study(self) -> Study:
        """The study, with the samples that have not failed."""
        return self.samples.study

    @cached_property
    def untrained(self) -> str:
        """Why the network does not run; empty when it does."""
        asked = "cnn" in self.study.settings.compare.methods
        return why_no_truth(self.study, self.fbml.truth) if asked else "not asked for in [compare]"

    @property
    def model_folder(self) -> Path:
        """Where the network is kept."""
        return self.samples.root / "models" / "cnn"

    def verdicts(self, place: int) -> Path:
        """Where the verdicts on the candidates of a sample are kept."""
        return self.samples.root / "work" / "cnn" / f"{self.study.samples[place].id}.csv"

    def record(self) -> dict[str, Any]:
        """Training record of the model, without what it says of single objects."""
        found: dict[str, Any] = json.loads((self.model_folder / "training.json").read_text(encoding="utf-8"))
        return {name: value for name, value in found.items() if name not in {"objects", "device", "seconds"}}

    def steps(self, spots: Sequence[str]) -> list[str]:
        """Train the network and let it judge the candidates.

        Parameters
        ----------
        spots : sequence of str
            Digest of the Spot Counts of each sample.

        Returns
        -------
        list of str
            Digest of the verdicts of each sample; empty when the network does not run.
        """
        if self.untrained:
            if "cnn" in self.study.settings.compare.methods:
                self.samples.cache.cannot("train cnn", self.untrained)
            return []
        study = self.study
        table = study.settings.cnn.model_dump()
        threshold = table.pop("threshold")
        version = [version_of("ifcyto"), STEP_VERSIONS["cnn"]]
        tagged = {sample for sample, _ in self.fbml.truth}
        key = {
            "truth": None if study.labels is None else self.samples.source(study.labels)["sha256"],
            "spots": [one for one, sample in zip(spots, study.samples, strict=True) if sample.id in tagged],
            "settings": table,
            "channels": study.settings.channels,
            "seed": study.settings.study.seed,
            "version": version,
        }
        model = self.samples.cache.step("train cnn", key, self._train)

        def judge(place: int) -> str:
            key = {
                "model": model,
                "spots": spots[place],
                "settings": {"threshold": threshold},
                "version": version,
            }
            name = f"cnn {study.samples[place].id}"
            return self.samples.cache.step(name, key, partial(self._classify, place))

        return self.samples.each("cnn", judge)

    def _train(self) -> list[Path]:
        samples = self.samples
        stacks = {sample.id: samples.stack(place) for place, sample in enumerate(self.study.samples)}
        train_network_of(self.study, self.fbml.truth, stacks, self.model_folder, progress=samples.progress)
        return sorted(self.model_folder.iterdir())

    @cached_property
    def _model(self) -> Any:
        from ifcyto.classify.cnn.folder import read_cnn_model

        return read_cnn_model(self.model_folder)

    def _classify(self, place: int) -> list[Path]:
        samples = self.samples
        numbers, counts = read_spots(samples.spots_file(place))
        path = write_verdicts(
            self.study,
            self._model,
            samples.stack(place),
            self.verdicts(place),
            numbers[counts == self.study.settings.candidates.spots],
            progress=samples.progress,
        )
        return [path]
