"""How the commands speak: a progress bar on the terminal, aligned columns, sizes."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["columns", "count", "progress_bar"]


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
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )

    def show(task: str, done: int, total: int) -> None:
        current = bar.tasks[0] if bar.tasks else None
        if current is None or current.description != task:
            line = bar.add_task(task, completed=done, total=total or None)
            if current is not None:
                bar.remove_task(current.id)
        else:
            line = current.id
        bar.update(line, completed=done, total=total or None)

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
