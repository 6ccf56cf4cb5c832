"""What a user wants to know when a run has ended, out of its results and its log."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.pipeline.run_log import LogRow

__all__ = ["GroupFrequency", "StepTimes", "group_frequencies", "step_times"]


@dataclass(frozen=True, slots=True)
class GroupFrequency:
    """BNEs of one group in one stage by one method.

    Parameters
    ----------
    stage, method, group : str
    samples : int
        Samples with cells in the stage that the method judged.
    median : float or None
        Of their percentages; None without samples.
    p, p_adjusted : float or None
        Of the test of the group against the control; None where there is none.
    """

    stage: str
    method: str
    group: str
    samples: int
    median: float | None
    p: float | None
    p_adjusted: float | None


def group_frequencies(results: Mapping[str, Any]) -> list[GroupFrequency]:
    """Frequencies of every stage, method and group, with the p value of the group's test.

    Parameters
    ----------
    results : mapping
        Content of ``results.json``.
    """
    percents: dict[tuple[str, str, str], list[float]] = {}
    for row in results["frequencies"]:
        if row["percent"] is not None:
            percents.setdefault((row["stage"], row["method"], row["group"]), []).append(row["percent"])
    tests = {(row["stage"], row["method"], row["case"]): row for row in results["tests"]}
    ran = [name for name, method in results["methods"].items() if method["ran"]]
    rows = []
    for key in product(results["stages"], ran, results["groups"]):
        values, test = percents.get(key, []), tests.get(key, {})
        middle = median(values) if values else None
        rows.append(GroupFrequency(*key, len(values), middle, test.get("p"), test.get("p_adjusted")))
    return rows


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Work of one kind of step in one run.

    Parameters
    ----------
    step : str
    done, unchanged : int
    seconds : float
    peak_memory_mb : float or None
        Most that the process had held when the last of them ended.
    """

    step: str
    done: int
    unchanged: int
    seconds: float
    peak_memory_mb: float | None


def step_times(log: Sequence[LogRow]) -> list[StepTimes]:
    """Add up the log of one run by kind of step, in the order of the run.

    Examples
    --------
    >>> step_times([])
    []
    """
    found = []
    for step in dict.fromkeys(row.step for row in log):
        rows = [row for row in log if row.step == step]
        done = [row for row in rows if row.state == "done"]
        peaks = [row.peak_memory_mb for row in done if row.peak_memory_mb is not None]
        seconds = sum(row.seconds for row in rows)
        unchanged = sum(row.state == "unchanged" for row in rows)
        found.append(StepTimes(step, len(done), unchanged, seconds, max(peaks, default=None)))
    return found
