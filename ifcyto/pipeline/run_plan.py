"""Say what a run would do, and why, without doing it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ifcyto.errors import UsageError
from ifcyto.pipeline.labels import nearest
from ifcyto.pipeline.steps import SETTINGS, STEP_VERSIONS, StepCache

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from ifcyto.pipeline.run_samples import Failure
    from ifcyto.pipeline.study import Study

__all__ = ["KINDS", "PlanCache", "PlannedStep", "check_force", "with_failures"]

FIRST = ("convert", "stages", "spots", "train")
KINDS = (*FIRST, *(kind for kind in STEP_VERSIONS if kind not in FIRST))
"""Kinds of steps, in the order in which they are done."""

OF_SAMPLES = ("convert", "stages", "spots", "fbml", "cnn")
"""Kinds of steps that every sample has."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """What a run would do with one step.

    Parameters
    ----------
    name : str
        Kind of the step, and of what it is.
    action : {'do', 'unchanged', 'blocked'}
    why : str
        ``new``, ``inputs changed (...)``, ``settings changed (...)``, ``version
        changed``, ``outputs missing``, ``outputs changed``, ``forced``, or why it
        cannot be done; empty for an unchanged step. Inputs that *may change* are
        those that are made again of the same things.
    fault : bool
        Blocked by something that is wrong, not merely not asked for.
    """

    name: str
    action: Literal["do", "unchanged", "blocked"]
    why: str = ""
    fault: bool = False


class PlanCache(StepCache):
    """Takes the place of the step records in a run that only says what it would do.

    Attributes
    ----------
    planned : list of PlannedStep
        In the order of the run.
    """

    def __init__(self, root: Path, *, again: bool = False, force: Collection[str] = ()) -> None:
        super().__init__(root, again=again, force=force)
        self.planned: list[PlannedStep] = []

    def step(self, name: str, depends_on: Mapping[str, Any], make: Callable[[], Iterable[Path]]) -> str:
        """Note what would be done with the step; nothing is made and nothing is written.

        Returns
        -------
        str
            Digest of the outputs, or a mark where they are not known yet.
        """
        del make
        look = self.look(name, depends_on)
        certain, possible = _marked(depends_on)
        if certain:
            waits = f"inputs changed ({_few(certain)})"
            others = [word for word in look.why.split(", ") if word and not word.startswith("inputs")]
            look = replace(look, why="new" if look.why == "new" else ", ".join([*others, waits]), sure=True)
        elif possible and look.why == "inputs changed":
            look = replace(look, why=f"inputs may change ({_few(possible)})", sure=False)
        if not look.why:
            self.planned.append(PlannedStep(name, "unchanged"))
            return look.digest
        self.planned.append(PlannedStep(name, "do", look.why))
        return json.dumps({"pending": name, "sure": look.sure})

    def cannot(self, name: str, why: str) -> None:
        """Note a step that cannot be done, and why."""
        self.planned.append(PlannedStep(name, "blocked", why))


def _marked(depends_on: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Steps among the inputs that will give, and that may give, other outputs."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for name, value in depends_on.items():
        for item in value if isinstance(value, list) else [value]:
            if name not in SETTINGS and isinstance(item, str) and item.startswith('{"pending": '):
                mark = json.loads(item)
                found[mark["sure"]].append(mark["pending"])
    return found[True], found[False]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def check_force(force: Iterable[str], study: Study) -> frozenset[str]:
    """Hold the steps that a user wants done again against those that there are.

    Raises
    ------
    UsageError
        There is no such step; the message lists the names.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.pipeline.study import load_study
    >>> from ifcyto.samples.demo import write_demo_study
    >>> study = load_study(write_demo_study(tempfile.mkdtemp(), samples_per_group=1, cells_per_sample=3))
    >>> sorted(check_force(["report", "spots MDS01"], study))
    ['report', 'spots MDS01']
    """
    words = frozenset(force)
    known = {
        *KINDS,
        "train fbml",
        "train cnn",
        *(f"{kind} {sample.id}" for kind in OF_SAMPLES for sample in study.samples),
    }
    wrong = sorted(words - known)
    if wrong:
        msg = (
            f"expected a kind of step ({', '.join(KINDS)}) or one step such as "
            f"'spots {study.samples[0].id}', found {wrong[0]!r}{nearest(wrong[0], known)}"
        )
        raise UsageError(msg)
    return words


def with_failures(
    planned: Sequence[PlannedStep], failed: Sequence[Failure], *, keep_going: bool
) -> tuple[PlannedStep, ...]:
    """Add the samples that cannot be opened; without `keep_going` they hold up everything.

    Returns
    -------
    tuple of PlannedStep
        What cannot be opened first.
    """
    lost = tuple(
        PlannedStep(f"{failure.step} {failure.sample}", "blocked", failure.why, fault=True)
        for failure in failed
    )
    if not failed or keep_going:
        return (*lost, *planned)
    why = f"the run stops at sample {failed[0].sample}; --keep-going leaves it out"
    stopped = (
        replace(step, action="blocked", why=why, fault=True) if step.action == "do" else step
        for step in planned
    )
    return (*lost, *stopped)
