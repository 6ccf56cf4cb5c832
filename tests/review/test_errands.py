"""Work in another process: it answers, fails in words, ends at once, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from ifcyto.errors import UsageError
from ifcyto.review.errands import Errand
from ifcyto.review.grouping import Grouping, grouped

QUIET = {"groups": None, "seed": 0, "model": None, "names": None}
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals")


def silent(task: str, done: int, total: int) -> None:
    """Show nothing."""


@pytest.fixture
def values():
    rng = np.random.default_rng(3)
    return rng.normal(size=(40, 6)) + np.repeat([[0.0], [8.0]], 20, axis=0)


def gone(pid: int) -> bool:
    """Whether no process has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_answer_is_that_of_the_same_work_here(values):
    rows = np.arange(40) + 100
    seen = []
    errand = Errand("group", {**QUIET, "groups": 2}, {"rows": rows, "values": values})
    found = Grouping.from_answer(errand.run(lambda *told: seen.append(told)))
    here = grouped(rows, None, values, groups=2)
    assert all(np.array_equal(getattr(found, name), getattr(here, name)) for name in Grouping.__slots__)
    assert seen[0] == ("group", 0, 1)
    assert errand.process.returncode == 0
    assert not errand.folder.exists()


def test_a_failure_is_said_in_its_own_words(values):
    errand = Errand("group", {**QUIET, "groups": 99}, {"rows": np.arange(40), "values": values})
    with pytest.raises(UsageError, match="groups: expected 99 objects or more"):
        errand.run(silent)
    assert not errand.folder.exists()


@POSIX
def test_what_is_stopped_is_gone_at_once():
    """In the middle of scikit-learn's work, which would go on for many seconds."""
    values = np.random.default_rng(0).normal(size=(6000, 30))
    errand = Errand("group", QUIET, {"rows": np.arange(6000), "values": values})
    outcome: list[BaseException] = []
    begun = threading.Event()

    def run() -> None:
        try:
            errand.run(lambda *told: begun.set())
        except UsageError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(60)
    errand.stop()
    assert gone(errand.process.pid)
    thread.join(10)
    assert str(outcome[0]) == "stopped"
    assert not errand.folder.exists()
    with pytest.raises(UsageError, match="stopped"):
        errand.run(silent)


@POSIX
def test_a_process_that_dies_is_no_silence(values):
    errand = Errand("group", QUIET, {"rows": np.arange(40), "values": values})
    killer = threading.Thread(target=lambda: (wait_for(errand), errand.process.send_signal(signal.SIGKILL)))
    killer.start()
    with pytest.raises(UsageError, match="the work ended by signal 9"):
        errand.run(silent)
    killer.join()


def wait_for(errand: Errand) -> None:
    while errand.process is None:
        time.sleep(0.01)


PARENT = """
import sys, threading, time
import numpy as np
from ifcyto.review.errands import Errand
errand = Errand("group", {"groups": None, "seed": 0, "model": None, "names": None},
                {"rows": np.arange(6000), "values": np.random.default_rng(0).normal(size=(6000, 30))})
threading.Thread(target=lambda: errand.run(lambda *told: None), daemon=True).start()
while errand.process is None:
    time.sleep(0.01)
print(errand.process.pid, errand.folder, flush=True)
if sys.argv[1] != "leave":
    time.sleep(60)
"""


@POSIX
@pytest.mark.parametrize("how", ["stay", "all", "leave"])
def test_no_process_and_no_folder_outlive_the_window(how):
    """Killed outright, alone or with its group, or ended as usual in the middle of the work."""
    words = [sys.executable, "-c", PARENT, how]
    parent = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    pid, folder = parent.stdout.readline().split()
    if how == "stay":
        parent.kill()
    if how == "all":
        os.killpg(parent.pid, signal.SIGTERM)
    parent.wait(20)
    parent.stdout.close()
    end = time.monotonic() + 60
    while not (gone(int(pid)) and not Path(folder).exists()):
        assert time.monotonic() < end
        time.sleep(0.05)
