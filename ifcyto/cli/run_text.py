"""What ``ifcyto run`` and ``ifcyto demo`` say at their end: tables that fit 80 columns."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from ifcyto.cli.show import columns, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifcyto.pipeline.run import RunOutcome
    from ifcyto.pipeline.run_plan import PlannedStep

__all__ = ["print_outcome", "print_plan", "print_table"]

WIDTH = 80
NAME = 16
"""Longer names of stages and groups are cut."""

MOST_ROWS = 60
MOST_NOTES = 12
"""More of them stand in the report."""


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print a table: ruled on a terminal, aligned plain text elsewhere.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequence of str
    right : sequence of int
        Columns of numbers, which are aligned on the right.
    """
    if not sys.stdout.isatty():
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        aligned = [
            [text.rjust(widths[i]) if i in right else text for i, text in enumerate(row)]
            for row in (header, *rows)
        ]
        print(columns(aligned))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for i, name in enumerate(header):
        table.add_column(Text(name), justify="right" if i in right else "left", no_wrap=i in right)
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def print_plan(planned: Sequence[PlannedStep]) -> None:
    """List every step with what would be done and why, and how many there are of each."""
    print_table(("step", "what", "why"), [(step.name, step.action, step.why) for step in planned])
    actions = [step.action for step in planned]
    counts = [f"{actions.count(action)} {action}" for action in ("do", "unchanged", "blocked")]
    print(f"\n{count(len(planned), 'step')}: {', '.join(counts)}; nothing was written")


def print_outcome(outcome: RunOutcome) -> None:
    """Print what was found, what failed, how long it took, and last the path of the report."""
    _counts(outcome)
    _frequencies(outcome)
    _notes(outcome)
    _times(outcome)
    for failure in outcome.failed:
        line = f"failed: sample {failure.sample} ({failure.group}), {failure.step}: {failure.why}"
        print(line, file=sys.stderr)
    print(outcome.report)


def _counts(outcome: RunOutcome) -> None:
    results = outcome.results
    counted = [sample for sample in results["samples"] if not sample["training_only"]]
    by_group = [
        f"{group} {sum(sample['group'] == group for sample in counted)}" for group in results["groups"]
    ]
    training = len(results["samples"]) - len(counted)
    more = f"; {training} for training only" if training else ""
    _wrapped(results["title"])
    _wrapped(f"samples     {len(counted):,} ({', '.join(by_group)}){more}", 12)
    _wrapped(
        f"cells       {sum(sample['counted'] for sample in counted):,} in "
        f"{count(len(results['stages']), 'stage')}, of "
        f"{sum(sample['objects'] for sample in counted):,} objects",
        12,
    )
    _wrapped(
        f"candidates  {sum(sample['candidates'] for sample in counted):,} "
        f"(Spot Count = {results['rule']['spots']})",
        12,
    )
    if outcome.failed:
        _wrapped(f"FAILED      {', '.join(failure.sample for failure in outcome.failed)}", 12)
    print()


def _frequencies(outcome: RunOutcome) -> None:
    from ifcyto.pipeline.run_summary import group_frequencies

    rows = [
        (
            _cut(row.stage),
            row.method,
            _cut(row.group),
            str(row.samples),
            "-" if row.median is None else f"{row.median:.2f}",
            "" if row.p is None else f"{row.p:.3g}",
            "" if row.p_adjusted is None else f"{row.p_adjusted:.3g}",
        )
        for row in group_frequencies(outcome.results)
    ]
    header = ("stage", "method", "group", "samples", "median BNE %", "p", "adjusted")
    print_table(header, rows[:MOST_ROWS], right=(3, 4, 5, 6))
    if len(rows) > MOST_ROWS:
        print(f"... {len(rows) - MOST_ROWS:,} more rows: see frequencies.csv and tests.csv")
    print()


def _notes(outcome: RunOutcome) -> None:
    from ifcyto.report.alike import alike

    notes = alike(outcome.results["notes"])
    for group in notes[:MOST_NOTES]:
        more = f" (and {len(group) - 1:,} more of this kind)" if len(group) > 1 else ""
        _wrapped(f"note: {group[0]}{more}", 6)
    if len(notes) > MOST_NOTES:
        print(f"... {len(notes) - MOST_NOTES:,} more kinds of notes in the report")
    if notes:
        print()


def _times(outcome: RunOutcome) -> None:
    from ifcyto.pipeline.run_summary import step_times

    times = step_times(outcome.log)
    rows = [
        (
            row.step,
            f"{row.done:,}",
            f"{row.unchanged:,}",
            f"{row.seconds:,.1f}",
            "" if row.peak_memory_mb is None else f"{row.peak_memory_mb:,.0f}",
        )
        for row in times
    ]
    print_table(("step", "done", "unchanged", "seconds", "peak MB"), rows, right=(1, 2, 3, 4))
    print(f"\n{outcome.seconds:,.1f} s in all")


def _cut(name: str) -> str:
    return name if len(name) <= NAME else name[: NAME - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _wrapped(text: str, indent: int = 0) -> None:
    print(textwrap.fill(text, WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False))
