"""The steps of each sample of a run: open its file, convert it, count its spots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.pipeline.acquire import inspect_input, make_stack, write_spots
from ifcyto.pipeline.steps import STEP_VERSIONS
from ifcyto.provenance import describe_source, version_of

if TYPE_CHECKING:
    from pathlib import Path

    from ifcyto.pipeline.acquire import Input
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.steps import StepCache
    from ifcyto.pipeline.study import Sample, Study

__all__ = ["RunSamples"]


class RunSamples:
    """The samples of a run: what was found in their files, and where what is made of them lies.

    Parameters
    ----------
    study : Study
    root : pathlib.Path
        The results folder.
    cache : StepCache
    workers : int
    progress : callable

    Attributes
    ----------
    inputs : list of Input
        In the order of the study.
    sources : dict of pathlib.Path to dict
        Digests of the inputs that were needed so far.
    """

    def __init__(
        self, study: Study, root: Path, cache: StepCache, *, workers: int, progress: Progress
    ) -> None:
        self.study = study
        self.root = root
        self.cache = cache
        self.workers = workers
        self.progress = progress
        self.inputs: list[Input] = []
        self.sources: dict[Path, dict[str, Any]] = {}
        for i, sample in enumerate(study.samples):
            progress("open files", i, len(study.samples))
            self.inputs.append(inspect_input(study, sample))
        progress("open files", len(study.samples), len(study.samples))

    def stack(self, place: int) -> Path:
        """The cell stack of a sample: its own file where that is one."""
        sample = self.study.samples[place]
        own = self.root / "work" / "stacks" / f"{sample.id}.h5"
        return sample.file if self.inputs[place].is_stack else own

    def spots_file(self, place: int) -> Path:
        """Where the Spot Counts of a sample are kept."""
        return self.root / "work" / "spots" / f"{self.study.samples[place].id}.csv"

    def source(self, path: Path) -> dict[str, Any]:
        """Name, size and SHA-256 of an input, computed once."""
        if path not in self.sources:
            self.sources[path] = describe_source(path)
        return self.sources[path]

    def count_spots(self, place: int) -> str:
        """Convert a sample and count its spots; digest of the counts."""
        sample, found = self.study.samples[place], self.inputs[place]
        content: Any = [self.source(path)["sha256"] for path in found.files]
        version = version_of("ifcyto")
        if not found.is_stack:
            key = {"content": content, "version": [version, STEP_VERSIONS["convert"]]}
            content = self.cache.step(f"stack {sample.id}", key, lambda: [self._convert(sample)])
        key = {
            "stack": content,
            "mask": self.study.mask,
            "channels": found.channels,
            "pixel": found.pixel_size_um,
            "version": [version, STEP_VERSIONS["spots"]],
        }
        return self.cache.step(f"spots {sample.id}", key, lambda: [self._count(place)])

    def _convert(self, sample: Sample) -> Path:
        target = self.root / "work" / "stacks" / f"{sample.id}.h5"
        return make_stack(sample.file, target, workers=self.workers, progress=self.progress)

    def _count(self, place: int) -> Path:
        return write_spots(
            self.stack(place),
            self.spots_file(place),
            self.inputs[place],
            mask=self.study.mask,
            workers=self.workers,
            progress=self.progress,
        )
