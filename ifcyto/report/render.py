"""Report in, one HTML file out: pictures and styles inside, no script, no network."""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from ifcyto._output import replacing
from ifcyto.errors import UsageError
from ifcyto.report.alike import alike
from ifcyto.report.formats import format_number, format_value, is_numeric

if TYPE_CHECKING:
    from pathlib import Path

    from ifcyto.report.blocks import FigureRef
    from ifcyto.report.model import Report

__all__ = ["render_html", "render_report"]

# Control characters, marks and overrides of the direction of writing (Unicode Standard Annex 9).
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_WEBP = b"WEBP"
_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS_ON_PAPER = 300 / 25.4  # of a figure, per millimetre
_PIXELS_ON_SCREEN = 5.6  # per millimetre of paper: a journal page fills the text's width
_HALF_MM = 86.0  # two figures of a journal column stand side by side
LONG_TABLE = 15
"""A table with more rows is folded on the screen; in print it is open."""
MOST_ROWS = 200
"""Rows of a table that the page shows at most; its file has all."""
PICTURE_BYTES = 14_000_000
"""Pictures that the page embeds, in bytes of its text; figures beyond are named and linked."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """What the page needs of a figure; `data` is empty where the page has no room for it."""

    data: str
    kind: str
    file: str
    width: int
    height: int
    screen_width: int
    half: bool
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
        finalize=_visible,
    )
    environment.filters["number"] = format_number
    room = _Room(PICTURE_BYTES)
    return environment.get_template("report.html").render(
        report=report,
        alike=alike,
        picture_of=lambda figure: _picture(figure, folder, room),
        format_value=format_value,
        is_numeric=is_numeric,
        is_long=lambda table: len(table.rows) > LONG_TABLE,
        rows_shown=lambda table: table.rows[:MOST_ROWS],
        fold_from=LONG_TABLE,
        link=_link,
    )


def _visible(value: Any) -> Any:
    """Show characters that would turn the text round them, or that cannot be seen, by their numbers."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return _HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)
    return value


class _Room:
    """How much of the page is left for pictures."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int) -> bool:
        """Whether there is room for so many letters, which are then taken."""
        fits = size <= self.left
        self.left -= size if fits else 0
        return fits


def _picture(figure: FigureRef, folder: Path, room: _Room) -> _Picture:
    content = _read(figure.png)
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 24:
        msg = f"{figure.png}: expected a PNG picture, found other content; draw the figures again"
        raise UsageError(msg)
    width, height = struct.unpack(">II", content[16:24])
    kind = "png"
    if figure.screen is not None:
        content, kind = _read(figure.screen), "webp"
        if content[8:12] != _WEBP:
            msg = f"{figure.screen}: expected a WebP picture, found other content; draw the figures again"
            raise UsageError(msg)
    data = base64.b64encode(content).decode("ascii")
    vector = figure.vector
    return _Picture(
        data=data if room.take(len(data)) else "",
        kind=kind,
        file=_below(figure.png, folder) or figure.png.name,
        width=width,
        height=height,
        screen_width=round(width / _PIXELS_ON_PAPER * _PIXELS_ON_SCREEN),
        half=width / _PIXELS_ON_PAPER <= _HALF_MM,
        vector=vector.name if vector is not None else "",
        link=_link(_below(vector, folder)) if vector is not None else "",
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"{path}: the report's picture cannot be read ({error.strerror}); draw the figures again"
        raise UsageError(msg) from error


def _below(path: Path, folder: Path) -> str:
    """Path relative to the report; empty when it does not lie below it."""
    home = folder.absolute()
    return path.absolute().relative_to(home).as_posix() if path.absolute().is_relative_to(home) else ""


def _link(file: str) -> str:
    """Address of a file beside the report; empty when it does not lie below it."""
    path = PurePosixPath(file)
    if not file or path.is_absolute() or ".." in path.parts or "\\" in file:
        return ""
    return "./" + quote(path.as_posix())
