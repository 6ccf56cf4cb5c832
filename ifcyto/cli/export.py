"""``ifcyto export``: images, features and populations back to files that other programs read."""

from __future__ import annotations

import math
import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ifcyto.cli.show import count, progress_bar
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifcyto.pipeline.export import ExportResult

__all__ = ["register"]

LISTS = frozenset({".pop", ".csv"})
"""Endings of lists of objects, where features go in as well."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(export)


def export(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="IN...", help="Images, cell stacks, feature tables, labels or populations."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="A .cif, .daf or .csv file, or a folder."),
    ] = None,
    cif: Annotated[bool, typer.Option("--cif", help="One compensated image file (subset or merge).")] = False,
    ome_tiff: Annotated[bool, typer.Option("--ome-tiff", help="One OME-TIFF an object.")] = False,
    tiff: Annotated[bool, typer.Option("--tiff", help="One TIFF an object and channel.")] = False,
    pop: Annotated[
        bool, typer.Option("--pop", help="One .pop a class or population; or all in one, -o OUT.csv.")
    ] = False,
    fcs: Annotated[Path | None, typer.Option("--fcs", metavar="FILE", help="Features as FCS 3.1.")] = None,
    text: Annotated[
        Path | None, typer.Option("--text", metavar="FILE.txt", help="Features as IDEAS exports them.")
    ] = None,
    h5ad: Annotated[
        Path | None, typer.Option("--h5ad", metavar="T.h5ad", help="Features as a table of ifcyto.")
    ] = None,
    daf: Annotated[
        Path | None,
        typer.Option("--daf", metavar="FILE.daf", help="Features, classes, populations into a copy of it."),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="LABELS.csv", help="Classes for --fcs, --h5ad and --daf.")
    ] = None,
    objects: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE.pop", help="Export these objects only; once for each input of images."),
    ] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="BF,DRAQ5", help="Export these channels only, by name or number.")
    ] = None,
    missing: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", help="FCS: written for what is not known; NaN if left out."),
    ] = None,
    spillover: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="FCS: matrix of values not compensated yet.")
    ] = None,
    prefix: Annotated[
        str, typer.Option(metavar="TEXT", help="DAF: before the names of our populations.")
    ] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing output.")] = False,
    keep_personal: Annotated[
        bool, typer.Option("--keep-personal", help="Keep operator names and paths in a .cif or .daf.")
    ] = False,
) -> None:
    """Write images, features or populations for other programs. The originals are never changed.

    Example:  ifcyto export MDS01.cif --objects bne.pop --cif -o MDS01_bne.cif

    Example:  ifcyto export MDS01.h5ad --labels labels.csv --fcs MDS01.fcs

    Example:  ifcyto export labels.csv --pop -o populations

    Example:  ifcyto export MDS01.h5ad --labels labels.csv --daf MDS01.daf -o MDS01_ifcyto.daf
    """
    kinds = {
        "--cif": cif, "--ome-tiff": ome_tiff, "--tiff": tiff, "--pop": pop,
        "--fcs": fcs, "--text": text, "--h5ad": h5ad, "--daf": daf,
    }  # fmt: skip
    asked = [name for name, value in kinds.items() if value]
    if len(asked) != 1:
        found = " and ".join(asked) or "none"
        msg = f"expected one of {', '.join(kinds)}, found {found}"
        raise UsageError(msg)
    into = _output(asked[0], output, fcs or text or h5ad)
    options: dict[str, Any] = {"overwrite": overwrite}
    if cif or ome_tiff or tiff:
        options |= {"objects": objects or None, "channels": channels.split(",") if channels else None}
        result = _images(asked[0], inputs, into, keep_personal=keep_personal, options=options)
    elif pop:
        result = _populations(inputs, into, overwrite=overwrite)
    elif daf:
        options |= {"labels": labels, "prefix": prefix, "keep_personal": keep_personal}
        result = _analysis(inputs, daf, into, options)
    else:
        fcs_only = {"missing": math.nan if missing is None else missing, "spillover": spillover}
        result = _features(asked[0], inputs, into, labels, fcs_only, overwrite=overwrite)
    print(f"{result.path}: {count(result.n_objects, 'object')}")
    for note in result.notes:
        print(f"note: {note}", file=sys.stderr)


def _output(kind: str, output: Path | None, named: Path | None) -> Path:
    """Where the output goes: `-o`, or what the option itself names."""
    if (output is None) == (named is None):
        where = f"{kind} FILE alone" if named else f"-o OUT with {kind}"
        msg = f"expected the name of one output, {where}, found {'two' if output else 'none'}"
        raise UsageError(msg)
    return named or output  # type: ignore[return-value]


def _images(
    kind: str, inputs: Sequence[Path], output: Path, *, keep_personal: bool, options: dict[str, Any]
) -> ExportResult:
    from ifcyto.pipeline import export as exports

    with progress_bar() as progress:
        if kind == "--cif":
            return exports.export_cif(
                inputs, output, keep_personal=keep_personal, progress=progress, **options
            )
        write = exports.export_ome_tiff if kind == "--ome-tiff" else exports.export_object_tiffs
        return write(inputs, output, progress=progress, **options)


def _populations(inputs: Sequence[Path], output: Path, *, overwrite: bool) -> ExportResult:
    from ifcyto.pipeline.populations import export_pop, export_pop_csv, read_populations

    write = export_pop_csv if output.suffix.lower() == ".csv" else export_pop
    return write(read_populations(inputs), output, sources=inputs, overwrite=overwrite)


def _features(
    kind: str,
    inputs: Sequence[Path],
    output: Path,
    labels: Path | None,
    fcs_only: dict[str, Any],
    *,
    overwrite: bool,
) -> ExportResult:
    from ifcyto.pipeline.export_tables import export_fcs, export_feature_text, export_h5ad

    if len(inputs) != 1:
        msg = (
            f"{kind}: expected one table of features (object numbers belong to a sample), found {len(inputs)}"
        )
        raise UsageError(msg)
    if kind == "--text":
        return export_feature_text(inputs[0], output, overwrite=overwrite)
    if kind == "--h5ad":
        return export_h5ad(inputs[0], output, labels=labels, overwrite=overwrite)
    return export_fcs(inputs[0], output, labels=labels, overwrite=overwrite, **fcs_only)


def _analysis(inputs: Sequence[Path], daf: Path, output: Path, options: dict[str, Any]) -> ExportResult:
    from ifcyto.pipeline.export_daf import export_daf
    from ifcyto.pipeline.populations import read_populations

    lists = [path for path in inputs if path.suffix.lower() in LISTS]
    tables = [path for path in inputs if path not in lists]
    if len(tables) > 1:
        msg = f"--daf: expected one table of features and lists of objects, found {len(tables)} tables"
        raise UsageError(msg)
    populations = read_populations(lists) if lists else None
    return export_daf(daf, output, features=tables[0] if tables else None, populations=populations, **options)
