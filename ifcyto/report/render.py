"""Report in, one HTML file out: pictures and styles inside, no script, no network."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from ifcyto._output import replacing
from ifcyto.errors import UsageError
from ifcyto.report.formats import format_number, format_value, is_numeric

if TYPE_CHECKING:
    from pathlib import Path

    from ifcyto.report.blocks import FigureRef
    from ifcyto.report.model import Report

__all__ = ["render_html", "render_report"]

_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS_ON_PAPER = 300 / 25.4  # of a figure, per millimetre
_PIXELS_ON_SCREEN = 5.6  # per millimetre of paper: a journal page fills the text's width
LONG_TABLE = 20
"""Rows from which a table scrolls on the screen; in print it is always whole."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """What the page needs of a PNG file."""

    data: str
    width: int
    height: int
    screen_width: int
    vector: str
    link: str


def render_report(report: Report, path: Path, *, overwrite: bool = False) -> Path:
    """Write a report as one self-contained HTML file.

    The same report and pictures give the same bytes. The file appears under its
    name only when it is complete.

    Parameters
    ----------
    report : Report
        What to write; every text in it is escaped.
    path : pathlib.Path
        The file. Links to other files are relative to its folder.
    overwrite : bool
        Replace a file of that name.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    OutputError
        The file exists and `overwrite` is not set, or the disk refuses.
    UsageError
        A picture is missing or is not a PNG file.
    """
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(render_html(report, path.parent), encoding="utf-8", newline="\n")
    return path


def render_html(report: Report, folder: Path) -> str:
    """Make the page as text; `folder` is where it will lie.

    Raises
    ------
    UsageError
        A picture is missing or is not a PNG file.
    """
    environment = Environment(
        loader=PackageLoader("ifcyto.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    return environment.get_template("report.html").render(
        report=report,
        picture_of=lambda figure: _picture(figure, folder),
        format_value=format_value,
        is_numeric=is_numeric,
        is_long=lambda table: len(table.rows) > LONG_TABLE,
        link=_link,
    )


def _picture(figure: FigureRef, folder: Path) -> _Picture:
    try:
        content = figure.png.read_bytes()
    except OSError as error:
        msg = f"{figure.png}: the report's picture cannot be read ({error.strerror}); draw the figures again"
        raise UsageError(msg) from error
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 24:
        msg = f"{figure.png}: expected a PNG picture, found other content; draw the figures again"
        raise UsageError(msg)
    width, height = struct.unpack(">II", content[16:24])
    vector, home = figure.vector, folder.absolute()
    below = vector is not None and vector.absolute().is_relative_to(home)
    return _Picture(
        data=base64.b64encode(content).decode("ascii"),
        width=width,
        height=height,
        screen_width=round(width / _PIXELS_ON_PAPER * _PIXELS_ON_SCREEN),
        vector=vector.name if vector is not None else "",
        link=_link(vector.absolute().relative_to(home).as_posix()) if vector is not None and below else "",
    )


def _link(file: str) -> str:
    """Address of a file beside the report; empty when it does not lie below it."""
    path = PurePosixPath(file)
    if not file or path.is_absolute() or ".." in path.parts or "\\" in file:
        return ""
    return "./" + quote(path.as_posix())
