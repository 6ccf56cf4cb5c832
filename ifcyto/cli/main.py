"""The command ``ifcyto``: global options, errors in one line, exit codes.

Exit codes: 0 done, 1 faults found, 2 wrong input or wrong usage, 130 stopped
with Ctrl-C. The commands import the library inside their functions, so that
``ifcyto --help`` loads none of it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ifcyto.cli import (
    convert,
    evaluate,
    export,
    gate,
    look,
    measure,
    networks,
    review,
    simulate,
    study,
    suggest,
    train,
)
from ifcyto.errors import IfcytoError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app", "main"]

INTERRUPTED = 130


@dataclass
class Settings:
    """What the global options say."""

    debug: bool = False


app = typer.Typer(
    name="ifcyto",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        from ifcyto import __version__

        print(f"ifcyto {__version__}")
        raise typer.Exit


@app.callback()
def _globals(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Open imaging flow cytometry: from instrument files to a reproducible report.

    Example:  ifcyto demo
    """
    if isinstance(context.obj, Settings):
        context.obj.debug = debug


COMMANDS = (look, convert, measure, gate, train, networks, evaluate, suggest, review, export, simulate, study)

for room in COMMANDS:
    room.register(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; those of the process by default.

    Returns
    -------
    int
        Exit code.
    """
    settings = Settings()
    try:
        code = _run(arguments, settings)
        sys.stdout.flush()
    except IfcytoError as error:
        if settings.debug:
            raise
        _complain(f"error: {error}")
        return error.exit_code
    except BrokenPipeError:
        # Nobody reads on; without this Python would complain again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if settings.debug:
            raise
        _complain(f"error: {error.filename or 'input or output'}: {error.strerror or error}")
        return IfcytoError.exit_code
    if code == INTERRUPTED:
        _complain("stopped: nothing unfinished was kept")
    return code


def _run(arguments: Sequence[str] | None, settings: Settings) -> int:
    """Let typer parse and call; it ends every way but an exception with SystemExit."""
    try:
        app(args=arguments, prog_name="ifcyto", obj=settings)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _complain(message: str) -> None:
    """One line, but where a caret points at a place of a text above it."""
    pointed = message.rstrip().endswith("\n" + " " * (len(message.rstrip().rpartition("\n")[2]) - 1) + "^")
    print(message.rstrip() if pointed else " ".join(message.split()), file=sys.stderr)
