"""What a run did, step by step: when, how long, with how much memory.

The log is a text file of one JSON object a line, ``work/log.jsonl``. It is no
result: times differ from run to run, the tables do not.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from ifcyto.errors import OutputError
from ifcyto.pipeline.parallel import n_workers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

__all__ = ["LogRow", "RunLog", "machine_class", "peak_memory_mb", "read_log"]

SAMPLELESS = ("train", "tables", "explain", "report")
"""Kinds of steps that belong to no single sample."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """One step of one run.

    Parameters
    ----------
    run : str
        When the run began: UTC, ISO 8601.
    step : str
        Kind of the step, such as ``spots``; ``train fbml`` with what was trained.
    sample : str
        Empty where the step belongs to no sample.
    state : {'done', 'unchanged', 'failed'}
    started : str
        UTC, ISO 8601.
    seconds : float
    peak_memory_mb : float or None
        Most memory that the process has held until the step ended, in 1e6 bytes;
        None where the system does not say.
    """

    run: str
    step: str
    sample: str
    state: Literal["done", "unchanged", "failed"]
    started: str
    seconds: float
    peak_memory_mb: float | None


class RunLog:
    """The log of one run.

    A run that does nothing leaves no trace: steps that are unchanged are written
    together with the first one that is done.

    Parameters
    ----------
    path : pathlib.Path
        Lines are added at its end.

    Attributes
    ----------
    rows : list of LogRow
        Of this run.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> log = RunLog(Path(tempfile.mkdtemp()) / "log.jsonl")
    >>> log.unchanged("convert MDS01")
    >>> with log.doing("spots MDS01"):
    ...     pass
    >>> [(row.step, row.sample, row.state) for row in read_log(log.path)]
    [('convert', 'MDS01', 'unchanged'), ('spots', 'MDS01', 'done')]
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.began = _now()
        self.rows: list[LogRow] = []
        self._written = 0

    def unchanged(self, name: str) -> None:
        """Note a step that need not be done."""
        self._note(name, "unchanged", _now(), 0.0)

    @contextmanager
    def doing(self, name: str) -> Iterator[None]:
        """Note a step that is done, or fails, inside the block."""
        started, before = _now(), time.perf_counter()
        try:
            yield
        except BaseException:
            self._note(name, "failed", started, time.perf_counter() - before)
            with suppress(OutputError):  # the disk may be what failed; the first error counts
                self._write()
            raise
        self._note(name, "done", started, time.perf_counter() - before)
        self._write()

    def _note(
        self, name: str, state: Literal["done", "unchanged", "failed"], started: str, seconds: float
    ) -> None:
        kind, _, of = name.partition(" ")
        step, sample = (name, "") if kind in SAMPLELESS else (kind, of)
        row = LogRow(self.began, step, sample, state, started, round(seconds, 3), peak_memory_mb())
        self.rows.append(row)

    def _write(self) -> None:
        lines = "".join(json.dumps(asdict(row)) + "\n" for row in self.rows[self._written :])
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(lines)
        except OSError as error:
            msg = f"{self.path}: cannot be written: {error.strerror or error}"
            raise OutputError(msg) from error
        self._written = len(self.rows)

    def summary(self, samples: Collection[str]) -> dict[str, Any]:
        """Seconds by kind of step and peak memory of the work that the results stand on.

        A step counts as it was when it was last done, by this run or an earlier
        one into the same folder; a step whose log is lost does not count.

        Parameters
        ----------
        samples : collection of str
            Those of the study as it is now.
        """
        last = {
            (row.step, row.sample): row
            for row in read_log(self.path)
            if row.state == "done" and (not row.sample or row.sample in samples)
        }
        seconds: dict[str, float] = {}
        for row in last.values():
            seconds[row.step] = seconds.get(row.step, 0.0) + row.seconds
        peaks = [row.peak_memory_mb for row in last.values() if row.peak_memory_mb is not None]
        return {
            "seconds": {step: round(value, 3) for step, value in seconds.items()},
            "peak_memory_mb": max(peaks, default=None),
            "machine": machine_class(),
        }


def read_log(path: Path) -> list[LogRow]:
    """Rows of a log, oldest first; a line that a killed run left unfinished is passed over."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    rows = []
    for line in lines:
        with suppress(ValueError, TypeError):
            rows.append(LogRow(**json.loads(line)))
    return rows


def peak_memory_mb() -> float | None:
    """Most memory that this process has held so far, in 1e6 bytes; None where the system does not say.

    Examples
    --------
    >>> peak = peak_memory_mb()
    >>> peak is None or peak > 1
    True
    """
    if sys.platform == "win32":
        return None
    import resource  # not there on Windows

    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes on macOS, KiB on Linux
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def machine_class() -> dict[str, Any]:
    """What kind of machine this is, without its name.

    Returns
    -------
    dict
        ``cores`` that this process may use, ``memory_gb`` (1e9 bytes, None where
        the system does not say), ``system`` and ``python``.

    Examples
    --------
    >>> sorted(machine_class())
    ['cores', 'memory_gb', 'python', 'system']
    """
    memory = None
    if hasattr(os, "sysconf"):
        with suppress(OSError, ValueError):
            memory = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    return {
        "cores": n_workers(None),
        "memory_gb": memory,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
