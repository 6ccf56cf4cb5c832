from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

import pytest

from ifcyto.cli.show import columns, count, progress_bar


def test_columns_are_aligned_without_blanks_at_the_end():
    assert columns([("a", "b", ""), ("long", "c", "d")]) == "a     b\nlong  c  d"


def test_count():
    assert [count(n, "fault") for n in (0, 1, 2)] == ["0 faults", "1 fault", "2 faults"]


def test_no_bar_where_stderr_is_no_terminal(capsys):
    with progress_bar() as progress:
        assert progress is None
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def collect(terminal: int, pieces: list[bytes]) -> None:
    """Read until the other end is closed, which Linux says by an error."""
    with suppress(OSError):
        while piece := os.read(terminal, 4096):
            pieces.append(piece)


def test_bar_on_a_terminal_shows_task_and_time_left(monkeypatch):
    ours, theirs = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    pieces: list[bytes] = []
    reader = threading.Thread(target=collect, args=(ours, pieces))
    reader.start()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress_bar() as progress:
            progress("opening [a].cif", 0, 0)
            for done in (0, 500, 1000):
                progress("converting [a].cif", done, 1000)
    reader.join()
    os.close(ours)
    shown = b"".join(pieces).decode()
    assert "converting [a].cif" in shown
    assert "1000" in shown
