"""Work in a background thread, with progress and a way to stop it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Qt, Signal

from ifcyto.errors import IfcytoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifcyto.pipeline.parallel import Progress

__all__ = ["STOPPED", "Job"]

STOPPED = "Stopped; nothing was changed."


class _Stopped(Exception):
    """The reader stopped the work."""


class Job(QObject):
    """One piece of work; its outcome is told in the thread of the window.

    Parameters
    ----------
    work : callable
        Called with ``progress(task, done, total)``, in a thread of its own.
    then : callable
        Called with what `work` returned.
    otherwise : callable
        Called with a message when it failed or was stopped.
    progress : callable, optional
        Called with task, done and total as the work goes on.
    halt : callable, optional
        Ends the work at once, where its next step may be far.
    """

    _returned = Signal(object)
    _failed = Signal(str)
    _moved = Signal(str, int, int)

    def __init__(
        self,
        work: Callable[[Progress], object],
        then: Callable[[Any], object],
        otherwise: Callable[[str], object],
        progress: Callable[[str, int, int], object] | None = None,
        halt: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self._work = work
        self._then = then
        self._otherwise = otherwise
        self._progress = progress
        self._halt = halt
        self._forgotten = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        queued = Qt.ConnectionType.QueuedConnection
        self._returned.connect(self._on_returned, queued)
        self._failed.connect(self._on_failed, queued)
        self._moved.connect(self._on_moved, queued)
        self.running = True

    def start(self) -> Job:
        """Start the thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ask the work to end: it does at once where it can be halted, else at its next step."""
        self._stop.set()
        if self._halt is not None:
            self._halt()
            self.wait(5)

    def forget(self) -> None:
        """Stop, and tell nobody: what asked for the work is gone."""
        self._forgotten = True
        self.running = False
        self.stop()

    def wait(self, seconds: float = 30.0) -> None:
        """Wait until the thread has ended."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            found = self._work(self._tell)
        except _Stopped:
            self._failed.emit(STOPPED)
        except IfcytoError as error:
            self._failed.emit(STOPPED if self._stop.is_set() else str(error))
        except OSError as error:
            self._failed.emit(f"{error.filename or 'input or output'}: {error.strerror or error}")
        except MemoryError:
            self._failed.emit("There is not enough memory for this.")
        else:
            self._returned.emit(found)

    def _tell(self, task: str, done: int, total: int) -> None:
        if self._stop.is_set():
            raise _Stopped
        self._moved.emit(task, done, total)

    def _on_returned(self, found: object) -> None:
        self.running = False
        if self._forgotten:
            return
        if self._stop.is_set():
            self._otherwise(STOPPED)
        else:
            self._then(found)

    def _on_failed(self, message: str) -> None:
        self.running = False
        if not self._forgotten:
            self._otherwise(message)

    def _on_moved(self, task: str, done: int, total: int) -> None:
        if self._progress is not None and not self._stop.is_set():
            self._progress(task, done, total)
