"""The steps of each sample of a run: open its file, convert it, count its spots."""

from __future__ import annotations

import errno
import os
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ifcyto.errors import IfcytoError, OutputError, StudyError
from ifcyto.pipeline.acquire import inspect_input, make_stack, write_spots
from ifcyto.pipeline.labels import read_labels, read_stages
from ifcyto.pipeline.stage_gates import check_stage_gates, stage_names, write_stages
from ifcyto.pipeline.steps import STEP_VERSIONS
from ifcyto.provenance import describe_source, version_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ifcyto.pipeline.acquire import Input
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.steps import StepCache
    from ifcyto.pipeline.study import Sample, Study

__all__ = ["Failure", "RunSamples"]

Result = TypeVar("Result")

DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Errors of the disk that is written to: never the fault of a sample."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A sample that was left out of a run.

    Parameters
    ----------
    sample, group : str
    step : str
        Kind of step at which it failed: ``open``, ``convert``, ``stages``, ``spots``, ``fbml`` or ``tables``.
    why : str
        One line, without folders.
    """

    sample: str
    group: str
    step: str
    why: str


class RunSamples:
    """The samples of a run: what was found in their files, and where what is made of them lies.

    A sample that fails is left out from there on when the run is to keep going.

    Parameters
    ----------
    study : Study
    root : pathlib.Path
        The results folder.
    cache : StepCache
    workers : int
    progress : callable
    keep_going : bool
        Leave out samples that fail, instead of stopping at the first.

    Attributes
    ----------
    study : Study
        Its samples are those that have not failed.
    asked : Study
        The study as it was asked for.
    inputs : list of Input
        In the order of the study.
    sources : dict of pathlib.Path to dict
        Digests of the inputs that were needed so far.
    staged : dict of str to str
        Digest of the stages of each sample that has them from gates, by its id.
    failed : list of Failure
    """

    def __init__(
        self,
        study: Study,
        root: Path,
        cache: StepCache,
        *,
        workers: int,
        progress: Progress,
        keep_going: bool = False,
    ) -> None:
        self.asked = self.study = study
        self.root = root
        self.cache = cache
        self.workers = workers
        self.progress = progress
        self.keep_going = keep_going
        self.sources: dict[Path, dict[str, Any]] = {}
        self.failed: list[Failure] = []
        self.staged: dict[str, str] = {}
        self.inputs: list[Input] = []
        self.inputs = self.each("open", self._open)

    def each(self, step: str, function: Callable[[int], Result]) -> list[Result]:
        """Call `function` with the place of every sample; leave out samples for which it fails.

        Raises
        ------
        StudyError
            No counted sample is left.
        """
        results, kept = [], []
        n_samples = len(self.study.samples)
        for place, sample in enumerate(self.study.samples):
            self.progress(f"samples: {step}", place, n_samples)
            try:
                results.append(function(place))
            except (IfcytoError, OSError) as error:
                if not self.keep_going or isinstance(error, OutputError) or error_of_disk(error):
                    raise
                self.failed.append(Failure(sample.id, sample.group, step, self._one_line(sample, error)))
            else:
                kept.append(place)
        self.progress(f"samples: {step}", n_samples, n_samples)
        if len(kept) < n_samples:
            self.study = replace(self.study, samples=tuple(self.study.samples[place] for place in kept))
            self.inputs = [self.inputs[place] for place in kept] if self.inputs else []
            if not self.study.counted:
                first = self.failed[0]
                msg = f"{self.study.path}: no counted sample is left; {first.sample}: {first.why}"
                raise StudyError(msg)
        return results

    def _open(self, place: int) -> Input:
        """Open a sample's file and read its tables, so that a fault shows before hours of work."""
        sample = self.study.samples[place]
        found = inspect_input(self.study, sample)
        if sample.stages is not None:
            read_stages(sample.stages)
        if sample.manual is not None:
            read_labels(sample.manual)
        check_stage_gates(self.study, sample, found)
        return found

    def _one_line(self, sample: Sample, error: Exception) -> str:
        """What went wrong, without the folders: results name none."""
        said = " ".join(str(error).split())
        files = [sample.file, sample.stages, sample.gating, sample.manual, self.study.path]
        folders = {str(path.parent) + os.sep for path in files if path is not None}
        for folder in sorted({*folders, str(self.root) + os.sep}, key=len, reverse=True):
            said = said if folder == "." + os.sep else said.replace(folder, "")
        return said

    def stack(self, place: int) -> Path:
        """The cell stack of a sample: its own file where that is one."""
        sample = self.study.samples[place]
        own = self.root / "work" / "stacks" / f"{sample.id}.h5"
        return sample.file if self.inputs[place].is_stack else own

    def spots_file(self, place: int) -> Path:
        """Where the Spot Counts of a sample are kept."""
        return self.root / "work" / "spots" / f"{self.study.samples[place].id}.csv"

    def stages_file(self, place: int) -> Path | None:
        """Where the stages of a sample are kept that has them from gates; None for another."""
        sample = self.study.samples[place]
        return None if sample.gating is None else self.root / "work" / "stages" / f"{sample.id}.csv"

    def source(self, path: Path) -> dict[str, Any]:
        """Name, size and SHA-256 of an input, computed once."""
        if path not in self.sources:
            self.sources[path] = describe_source(path)
        return self.sources[path]

    def steps(self) -> list[str]:
        """Convert every sample, find its stages and count its spots; digests of the counts."""
        stacks = self.each("convert", self._convert_step)
        if any(sample.gating is not None for sample in self.study.samples):
            stacks = self.each("stages", lambda place: self._stages_step(place, stacks[place]))
        return self.each("spots", lambda place: self._spots_step(place, stacks[place]))

    def _convert_step(self, place: int) -> Any:
        sample, found = self.study.samples[place], self.inputs[place]
        content = [self.source(path)["sha256"] for path in found.files]
        if found.is_stack:
            return content
        key = {"content": content, "version": [version_of("ifcyto"), STEP_VERSIONS["convert"]]}
        return self.cache.step(f"convert {sample.id}", key, lambda: [self._convert(sample)])

    def _stages_step(self, place: int, stack: Any) -> Any:
        """Find the stages that gates make; what was given of the stack comes back."""
        sample, found, target = self.study.samples[place], self.inputs[place], self.stages_file(place)
        if sample.gating is None or target is None:
            return stack
        key = {
            "stack": stack,
            "gates": self.source(sample.gating)["sha256"],
            "settings": {"stages": list(stage_names(self.study)), "stored": sample.daf is not None},
            "channels": self.study.settings.channels,
            "pixel": found.pixel_size_um,
            "version": [version_of("ifcyto"), STEP_VERSIONS["stages"]],
        }

        def write() -> list[Path]:
            stages = write_stages(
                self.study, sample, found, self.stack(place), target,
                workers=self.workers, progress=self.progress,
            )  # fmt: skip
            return [stages]

        self.staged[sample.id] = self.cache.step(f"stages {sample.id}", key, write)
        return stack

    def _spots_step(self, place: int, stack: Any) -> str:
        found = self.inputs[place]
        key = {
            "stack": stack,
            "mask": self.study.mask,
            "channels": found.channels,
            "pixel": found.pixel_size_um,
            "version": [version_of("ifcyto"), STEP_VERSIONS["spots"]],
        }
        name = f"spots {self.study.samples[place].id}"
        return self.cache.step(name, key, lambda: [self._count(place)])

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

    def notes(self) -> list[str]:
        """What a reader must know of the samples: failures first, then files given twice."""
        notes = [
            f"sample {failure.sample} ({failure.group}) FAILED and is left out of everything "
            f"({failure.step}): {failure.why}"
            for failure in self.failed
        ]
        left = {sample.group for sample in self.study.counted}
        gone = dict.fromkeys(sample.group for sample in self.asked.counted if sample.group not in left)
        for group in gone:
            control = ", the control" if group == self.asked.control else ""
            what = "nothing can be tested" if control else "it is in no table"
            notes.append(f"every sample of the group {group}{control} FAILED: {what}")
        same = defaultdict(list)
        for sample, found in zip(self.study.samples, self.inputs, strict=True):
            same[tuple(self.source(path)["sha256"] for path in found.files)].append(sample.id)
        notes += [
            f"samples {', '.join(ids)} are the same file (by SHA-256): its cells are in the results "
            f"{len(ids)} times"
            for ids in same.values()
            if len(ids) > 1
        ]
        return notes + [note for found in self.inputs for note in found.notes]


def error_of_disk(error: Exception) -> bool:
    """Whether the disk that is written to refused, rather than an input."""
    return isinstance(error, OSError) and error.errno in DISK
