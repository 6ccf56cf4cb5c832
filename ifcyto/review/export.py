"""What leaves a review: a page as a figure, a selection as a list, and the report."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto._output import refuse_existing
from ifcyto.errors import UsageError
from ifcyto.figures.channels import ChannelLook, channel_look
from ifcyto.figures.gallery import Tile, contact_sheet
from ifcyto.figures.style import save_figure
from ifcyto.pipeline.tables import csv_text, defused, write_text
from ifcyto.writers.populations import write_pop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.review.laid_over import LaidOver
    from ifcyto.review.opening import Review
    from ifcyto.review.second_reader import ReaderAgreement
    from ifcyto.review.session import Session

__all__ = ["looks_of", "report_rows", "write_figure", "write_report", "write_selection"]

UNTAGGED = "untagged"
HEADER = ("what", "of", "class", "objects", "percent")

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px sans-serif;max-width:52em;margin:2em auto;padding:0 1em}}
table{{border-collapse:collapse}}td,th{{padding:.2em .8em;border-bottom:1px solid #ccc;text-align:left}}
td.n{{text-align:right}}</style></head><body>
<h1>Review of {title}</h1>{facts}<h2>Classes</h2>{classes}{second}</body></html>
"""


def looks_of(review: Review) -> list[ChannelLook]:
    """Name and colour of each channel; brightfield is grey whatever it is called."""
    return [
        ChannelLook(name, None) if bright else channel_look(name, place)
        for place, (name, bright) in enumerate(zip(review.channels, review.brightfield, strict=True))
    ]


def write_figure(
    path: Path | str,
    review: Review,
    rows: Sequence[int],
    *,
    size: int,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    over: LaidOver | None = None,
    overwrite: bool = False,
) -> tuple[Path, Path]:
    """Draw cells with their labels and a scale bar, as PNG and as PDF.

    Parameters
    ----------
    path : path-like
        Of one of the two; the other one lies beside it.
    review : Review
    rows : sequence of int
    size : int
        Side of a cell's frame, px.
    ranges : mapping of str to (float, float), optional
        Contrast limits by channel; by default those of these cells.
    over : LaidOver, optional
        Of :func:`ifcyto.review.laid_over.laid_over` for the same rows and size.
    overwrite : bool

    Returns
    -------
    png, pdf : pathlib.Path

    Raises
    ------
    UsageError
        No cell, or a name that is no plain file name.
    OutputError
        A file exists and `overwrite` is False, or the disk refuses.
    """
    path, session = Path(path), review.session
    if not rows:
        msg = f"{path}: expected one cell or more to draw, found none"
        raise UsageError(msg)
    images, _ = review.pages.read(session.objects, np.array(rows, np.int64), size)
    tiles = []
    for place, row in enumerate(rows):
        sample, number = session.objects.key(row)
        shown = "" if session.blinded else sample
        tile = Tile(images[place], session.label(row) or "no tag", number, shown)
        if over is not None:
            said = ", ".join(filter(None, (tile.label, over.words[place])))
            tile = replace(tile, label=said, over=over.colours[place], numbers=over.numbers[place])
        tiles.append(tile)
    figure = contact_sheet(
        tiles,
        channels=looks_of(review),
        title=review.title,
        pixel_size_um=review.pixel_size_um,
        ranges=ranges,
        note="" if over is None else over.legend,
    )
    try:
        return save_figure(figure, path.parent, path.stem, overwrite=overwrite)
    except ValueError as error:
        msg = f"{path}: {error}"
        raise UsageError(msg) from error


def write_selection(
    path: Path | str, session: Session, rows: Sequence[int], *, overwrite: bool = False
) -> Path:
    """Write objects as a population (``.pop``), or as a table ``[sample,]object,label`` (``.csv``).

    Raises
    ------
    UsageError
        Another ending; or a ``.pop`` of objects of several samples, which has no place for them.
    OutputError
        The file exists and `overwrite` is False, or the disk refuses.
    """
    path = Path(path)
    keys = [session.objects.key(row) for row in rows]
    if path.suffix.lower() == ".pop":
        if len({sample for sample, _ in keys}) > 1:
            msg = (
                f"{path}: a .pop lists objects of one sample, found several: show one sample, or write a .csv"
            )
            raise UsageError(msg)
        return write_pop(path, [number for _, number in keys], overwrite=overwrite)
    if path.suffix.lower() != ".csv":
        msg = f"{path}: expected a name that ends in .pop or .csv"
        raise UsageError(msg)
    refuse_existing(path, overwrite=overwrite)
    many = session.tags.samples
    lines = [
        [*([defused(sample)] if many else []), str(number), defused(session.label(row) or "")]
        for row, (sample, number) in zip(rows, keys, strict=True)
    ]
    return write_text(path, csv_text((*(["sample"] if many else []), "object", "label"), lines))


def report_rows(session: Session) -> list[tuple[str, str, str, int, float]]:
    """Tags so far: what is counted, of which, class, objects, percent of these.

    Of all objects, then of each sample and stage unless the reader is blinded. A class without
    objects has its row for all objects only.
    """
    objects = session.objects
    labels = np.array([session.label(row) or UNTAGGED for row in range(len(objects))], np.str_)
    parts = [("all", "", np.ones(len(objects), bool))]
    if not session.blinded:
        columns = [("sample", objects.samples)]
        columns += [(name, objects.words[name]) for name in ("group", "stage") if name in objects.words]
        for name, values in columns:
            parts += [(name, word, values == word) for word in sorted(set(values.tolist()) - {""})]
    known = [*(c.name for c in session.classes), UNTAGGED]
    known[-1:-1] = sorted(set(labels.tolist()) - set(known))
    found = []
    for what, of, inside in parts:
        n = int(inside.sum())
        for name in known:
            count = int(np.count_nonzero(labels[inside] == name))
            if count or what == "all":
                found.append((what, of, name, count, 100 * count / n if n else float("nan")))
    return found


def write_report(
    path: Path | str, review: Review, agreement: ReaderAgreement | None = None, *, overwrite: bool = False
) -> Path:
    """Write the report of a review: a table (``.csv``) or a page (``.html``).

    Raises
    ------
    UsageError
        Another ending.
    OutputError
        The file exists and `overwrite` is False, or the disk refuses.
    """
    path = Path(path)
    refuse_existing(path, overwrite=overwrite)
    rows = [
        [what, defused(of), defused(name), str(n), f"{share:.2f}"]
        for what, of, name, n, share in report_rows(review.session)
    ]
    if path.suffix.lower() == ".csv":
        return write_text(path, csv_text(HEADER, rows))
    if path.suffix.lower() != ".html":
        msg = f"{path}: expected a name that ends in .csv or .html"
        raise UsageError(msg)
    session = review.session
    when = sorted(tag.when for tag in session.tags.tags.values() if tag.when)
    who = sorted({tag.by for tag in session.tags.tags.values() if tag.by})
    facts = [
        ("Tags given by", ", ".join(who) or "nobody yet"),
        ("First and last tag", f"{when[0]} to {when[-1]}" if when else "none"),
        ("Blinded", f"yes, order by seed {session.seed}" if session.blinded else "no"),
        ("File of tags", session.tags.path.name),
        ("Objects", str(len(session.objects))),
    ]
    page = PAGE.format(
        title=html.escape(review.title),
        facts=_html(("", ""), facts),
        classes=_html(HEADER, rows),
        second="" if agreement is None else _second(agreement),
    )
    return write_text(path, page)


def _second(found: ReaderAgreement) -> str:
    kappa = found.kappa
    total = int(found.matrix.sum())
    said = (
        f"<p>{total} objects tagged by both; {len(found.disagreements)} of them differently. Cohen's kappa "
        f"{kappa.kappa:.3f} (95 % {kappa.low:.3f} to {kappa.high:.3f}).</p>"
    )
    rows = [[name, *map(str, line)] for name, line in zip(found.classes, found.matrix.tolist(), strict=True)]
    return "<h2>Second reader</h2>" + said + _html(("first reader / second", *found.classes), rows)


def _html(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(words: Sequence[str], cell: str) -> str:
        return "<tr>" + "".join(f"<{cell}>{html.escape(word)}</{cell}>" for word in words) + "</tr>"

    head = line(header, "th") if any(header) else ""
    return f"<table>{head}{''.join(line(row, 'td') for row in rows)}</table>"
