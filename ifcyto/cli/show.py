"""How the commands speak: a progress bar on the terminal, aligned columns, sizes."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["columns", "count", "progress_bar"]

WHOLE = "samples: "
"""Tasks whose names begin so count samples; they keep their line above that of the task at hand."""


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None] | None]:
    """Progress bar with the time left, on stderr; None where that is no terminal.

    Yields
    ------
    callable or None
        ``progress(task, done, total)``; `total` 0 means not known.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )

    lines: dict[bool, TaskID] = {}

    def show(task: str, done: int, total: int) -> None:
        whole = task.startswith(WHOLE)
        for kind, line in list(lines.items()):
            shown = bar.tasks[bar.task_ids.index(line)]
            if (kind == whole and shown.description != task) or (kind != whole and shown.finished):
                bar.remove_task(lines.pop(kind))
        if whole not in lines:
            lines[whole] = bar.add_task(task, total=total or None)
        bar.update(lines[whole], completed=done, total=total or None)

    with bar:
        yield show


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text with aligned columns, two blanks apart.

    Examples
    --------
    >>> print(columns([("a", "b"), ("long", "c")]))
    a     b
    long  c
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def count(n: int, noun: str) -> str:
    """Number and noun, in the plural where it belongs.

    Examples
    --------
    >>> count(1, "object"), count(1200, "object")
    ('1 object', '1,200 objects')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
