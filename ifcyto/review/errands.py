"""Work in a process of its own: it shows how far it is, and can be ended at any moment.

The window's process must never load TensorFlow, which ends a process that draws by OpenGL
beside it; and what scikit-learn computes at a stretch cannot be stopped inside a thread.
Arguments and results pass as JSON and arrays in a folder that is removed, never as pickles.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import weakref
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import IfcytoError, UsageError
from ifcyto.provenance import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ifcyto.pipeline.parallel import Progress

__all__ = ["ARRAYS", "DOCUMENT", "MADE", "RESULT", "Answer", "Errand", "time_left"]

DOCUMENT, ARRAYS, RESULT, MADE = "task.json", "task.npz", "result", "made"
"""In an errand's folder: what to do, its arrays, stem of the answer's two files, a folder to keep."""

PATIENCE = 2.0
"""Seconds that a process has to end before it is killed."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What came of an errand.

    Parameters
    ----------
    document : mapping
        JSON values.
    arrays : mapping of str to ndarray
    made : pathlib.Path or None
        Folder that was made, such as a model's.
    """

    document: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    made: Path | None = None


class Errand:
    """One task of :mod:`ifcyto.review.worker`, in a process of its own.

    The process ends when it is stopped, when this one exits, and when this one is killed
    (it then reads the end of its input); its folder is removed in each case. A signal to
    this one's group does not reach it, so that it can tidy up.

    Parameters
    ----------
    task : str
        Name in :data:`ifcyto.review.worker.TASKS`.
    document : mapping
        JSON values for the task.
    arrays : mapping of str to ndarray, optional
    keep : path-like, optional
        Where a folder goes that the task makes; it must not exist.
    """

    def __init__(
        self,
        task: str,
        document: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]] | None = None,
        *,
        keep: Path | None = None,
    ) -> None:
        self.task, self.document, self.arrays, self.keep = task, document, dict(arrays or {}), keep
        self.process: subprocess.Popen[str] | None = None
        self.folder: Path | None = None
        self._ended = False
        self._lock = threading.Lock()

    def run(self, progress: Progress) -> Answer:
        """Do the task and wait for its answer.

        Raises
        ------
        UsageError
            The task failed, with its own words; or it was stopped.
        """
        process, folder = self._begin()
        try:
            said = ""
            for line in process.stdout or ():
                message = json.loads(line)
                if "failed" in message:
                    said = message["failed"]
                else:
                    progress(*message["progress"])
            code = process.wait()
            if self._ended:
                msg = "stopped"
                raise UsageError(msg)
            if said or code:
                raise UsageError(said or _unexpected(code, folder))
            return self._answer(folder)
        finally:
            self.stop()
            if process.stdout is not None:
                process.stdout.close()
            _RUNNING.discard(self)
            shutil.rmtree(folder, ignore_errors=True)

    def stop(self) -> None:
        """End the process now, if it runs; when this returns it is gone."""
        with self._lock:
            self._ended, process = True, self.process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()

    def _begin(self) -> tuple[subprocess.Popen[str], Path]:
        with self._lock:
            if self._ended:
                msg = "stopped"
                raise UsageError(msg)
            folder = self.folder = Path(tempfile.mkdtemp(prefix="ifcyto-truth-"))
            _RUNNING.add(self)
            try:
                (folder / "tmp").mkdir()
                document = {"task": self.task, **self.document}
                (folder / DOCUMENT).write_text(json_text(document), encoding="utf-8")
                np.savez(folder / ARRAYS, allow_pickle=False, **self.arrays)
                with (folder / "stderr.txt").open("wb") as errors:
                    self.process = subprocess.Popen(
                        [sys.executable, "-P", "-m", "ifcyto.review.worker", str(folder)],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                        encoding="utf-8", env=_environment(folder / "tmp"), start_new_session=True,
                    )  # fmt: skip
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        return self.process, folder

    def _answer(self, folder: Path) -> Answer:
        document = json.loads((folder / f"{RESULT}.json").read_text(encoding="utf-8"))
        with np.load(folder / f"{RESULT}.npz", allow_pickle=False) as arrays:
            found = dict(arrays.items())
        if not (folder / MADE).exists() or self.keep is None:
            return Answer(document, found)
        shutil.move(folder / MADE, self.keep)
        return Answer(document, found, self.keep)


def time_left(done: int, total: int, seconds: float) -> str:
    """How long the rest takes if it goes on as before; empty where nothing can be said yet.

    Examples
    --------
    >>> time_left(25, 100, 30.0), time_left(50, 100, 8.0), time_left(0, 100, 9.0)
    ('2 min left', '8 s left', '')
    """
    if not 0 < done < total or seconds < 1:
        return ""
    left = seconds * (total - done) / done
    return f"{left:.0f} s left" if left < 90 else f"{left / 60:.0f} min left"


def _environment(temporary: Path) -> dict[str, str]:
    """Ours, with a place of its own for temporary files, and this very package where it is not installed."""
    found = dict(os.environ) | {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
    here = str(Path(__file__).resolve().parents[2])
    found["PYTHONPATH"] = os.pathsep.join(filter(None, [found.get("PYTHONPATH", ""), here]))
    return found


def _unexpected(code: int, folder: Path) -> str:
    lines = (folder / "stderr.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    how = f"by signal {-code}" if code < 0 else f"with code {code}"
    last = f": {lines[-1][:300]}" if lines else ""
    return f"the work ended {how}{last}{' (is there enough memory?)' if code == -9 else ''}"


_RUNNING: weakref.WeakSet[Errand] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """Leave no process and no folder behind when Python ends."""
    for errand in list(_RUNNING):
        with suppress(IfcytoError, OSError):
            errand.stop()
        if errand.folder is not None:
            shutil.rmtree(errand.folder, ignore_errors=True)
