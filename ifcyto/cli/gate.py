"""``ifcyto gate``: populations of a feature table, or of an IDEAS analysis."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from ifcyto.cli.show import columns, count
from ifcyto.errors import UsageError

__all__ = ["register", "split_names"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(gate)


def gate(
    table: Annotated[
        Path | None, typer.Argument(metavar="[TABLE]", help="A feature table, FCS or text.")
    ] = None,
    gates: Annotated[
        Path | None, typer.Argument(metavar="[GATES]", help="A gates file (JSON), Gating-ML, or a DAF.")
    ] = None,
    analysis: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE.daf", help="Populations of a DAF, by the features it stores."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write the table as CSV.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="GATES", help="Write the gates: .json, or .xml for Gating-ML 2.0."
        ),
    ] = None,
    members: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write who is where: object,population.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--population", metavar="NAME", help="List this population only; several times."),
    ] = None,
    statistics: Annotated[
        list[str] | None,
        typer.Option(metavar="FEATURE,...", help="Describe features; a comma in brackets does not part."),
    ] = None,
    volume: Annotated[
        float | None, typer.Option(metavar="ML", min=0, help="Volume of the sample, for concentrations.")
    ] = None,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="Gating-ML: polygons for shapes without an equivalent.")
    ] = False,
    salvage: Annotated[
        bool, typer.Option("--salvage", help="Leave out populations that are wrong, and say so; exit 1.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing output.")] = False,
) -> None:
    """Count the populations that gates make: of a feature table, or of an IDEAS analysis.

    Example:  ifcyto gate MDS01.h5ad gates.json --csv MDS01_populations.csv

    Example:  ifcyto gate --from analysis.daf -o gates.json

    Example:  ifcyto gate MDS01.fcs gates.xml
    """
    from ifcyto.pipeline.gate import gate_daf, gate_table, is_daf, population_rows, write_gated
    from ifcyto.pipeline.tables import as_text

    if table is not None and gates is None and analysis is None and is_daf(table):
        table, analysis = None, table
    size = float("nan") if volume is None else volume
    if table is None and analysis is not None:
        found = gate_daf(analysis, volume=size, salvage=salvage)
    elif table is not None and (gates is None) != (analysis is None):
        found = gate_table(
            table, gates or analysis or "", volume=size, approximate=approximate, salvage=salvage
        )
    else:
        message = "expected T.h5ad GATES, or --from FILE.daf; found " + (
            "gates twice" if gates and analysis else "a table and no gates" if table else "neither"
        )
        raise UsageError(message)
    features = [name for text in statistics or [] for name in split_names(text)]
    notes = write_gated(
        found, table=csv, members=members, gates=output, only=only or (), statistics=features,
        approximate=approximate, overwrite=overwrite,
    )  # fmt: skip
    header, rows = population_rows(found, only=only or (), statistics=features)
    short = [[f"{v:.6g}" if isinstance(v, float) and v == v else as_text(v) for v in row] for row in rows]
    print(columns([header, *short]))
    print(f"{count(len(found.populations.objects), 'object')}, {count(len(short), 'row')}")
    empty = [name for name in found.populations.empty() if not only or name in only]
    for note in (*found.notes, *notes, *(f"population {name!r} is EMPTY" for name in empty)):
        print(f"note: {note}", file=sys.stderr)
    if found.lost:
        raise typer.Exit(1)


def split_names(text: str) -> list[str]:
    """Names parted by commas; commas in brackets belong to a name.

    Examples
    --------
    >>> split_names("Area_M01, Std Dev_Morphology(M01, DAPI)_DAPI")
    ['Area_M01', 'Std Dev_Morphology(M01, DAPI)_DAPI']
    """
    names, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth <= 0:
            names.append("")
        else:
            names[-1] += letter
    return [name.strip() for name in names if name.strip()]
