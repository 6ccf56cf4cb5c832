"""``ifcyto measure``, ``ifcyto features`` and ``ifcyto parity``."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from ifcyto.cli.show import columns, count, progress_bar
from ifcyto.errors import UsageError

__all__ = ["channel_of", "images_of", "pairs_of", "register"]

LONGEST_NUMBER = 3
"""Digits of the number of a channel."""


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(measure)
    app.command()(features)
    app.command()(parity)


def measure(
    source: Annotated[Path, typer.Argument(metavar="STACK", help="A cell stack, or any readable input.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="T.h5ad", help="Feature table to write.")],
    chosen: Annotated[
        str,
        typer.Option(
            "--features",
            metavar="SET|FILE",
            help="basic, ideas, fbml or beyond; an IDEAS template (.daf); or a text file, one column a line.",
        ),
    ] = "ideas",
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write the values as CSV.")
    ] = None,
    fcs: Annotated[Path | None, typer.Option("--fcs", metavar="FILE", help="Also write FCS 3.1.")] = None,
    masks: Annotated[
        list[str] | None,
        typer.Option("--mask", metavar="NAME=DEFINITION", help="A further mask; may be given several times."),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option("--image", metavar="NAME=CHANNEL", help="What an image of the definitions is here."),
    ] = None,
    dna: Annotated[
        str | None, typer.Option(metavar="IMAGE", help="The DNA image, for the nuclear mask of fbml.")
    ] = None,
    pixel_size: Annotated[
        float | None, typer.Option(metavar="UM", help="Side of a pixel, where the input does not say it.")
    ] = None,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave out features of a DAF that ifcyto does not have.")
    ] = False,
    workers: Annotated[int | None, typer.Option(help="Threads; all cores by default.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing output.")] = False,
) -> None:
    """Compute features of every object into a table that anndata and scanpy open.

    Example:  ifcyto measure MDS01.h5 -o MDS01.h5ad --features template.daf

    Lines of a file of features:

    - a name, as IDEAS makes it: Area_M01

    - a definition, as IDEAS stores it: Area|Threshold(M05, DRAQ5, 50)

    - NAME = DEFINITION, under a name of your own: Nucleus area = Area|Threshold(M05, DRAQ5, 50)

    - a combined feature, tokens joined by |: Density = Intensity_M05_DRAQ5|/|Nucleus area
    """
    from ifcyto.pipeline.measure import MeasureOptions, measure_to_file

    options = MeasureOptions(
        masks=pairs_of(masks or [], "--mask"),
        images=images_of(images),
        dna=dna,
        pixel_size_um=pixel_size,
        skip_unknown=skip_unknown,
    )
    with progress_bar() as progress:
        result = measure_to_file(
            source, output, chosen, csv_path=csv, fcs_path=fcs, options=options, workers=workers,
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    size = f"{count(result.n_objects, 'object')}, {count(result.n_features, 'feature')}"
    print(f"{result.output}: {size} ({result.approximations} of them approximations)")
    for note in result.notes:
        print(f"note: {note}", file=sys.stderr)


def features(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show one feature in full.")] = None,
    masks: Annotated[bool, typer.Option("--masks", help="List the mask functions instead.")] = False,
    page: Annotated[bool, typer.Option("--page", help="Print everything as a Markdown page.")] = False,
) -> None:
    """List the features and mask functions there are, with formula, source and confidence.

    Example:  ifcyto features "Gradient RMS"
    """
    from ifcyto.pipeline.catalogue import feature_page, feature_rows, feature_text, mask_rows

    if page:
        print(feature_page(), end="")
    elif masks:
        print(columns(mask_rows()))
    elif name is None:
        print(columns(feature_rows()))
    else:
        print(feature_text(name))


def parity(
    daf: Annotated[Path, typer.Argument(metavar="FILE.daf", help="With its CIF beside it.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="TABLE.csv", help="Also write the table.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Threads; all cores by default.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing output.")] = False,
) -> None:
    """Compare our features with the values that IDEAS stored, feature by feature.

    Example:  ifcyto parity MDS01.daf -o parity.csv
    """
    from ifcyto._output import refuse_existing
    from ifcyto.pipeline.parity import HEADER, check_parity, write_parity

    if output is not None:
        refuse_existing(output, overwrite=overwrite)
    with progress_bar() as progress:
        table = check_parity(daf, workers=workers, progress=progress)
    print(columns([HEADER[:-1], *(row.texts()[:-1] for row in table.rows)]))
    print(f"{count(table.n_objects, 'object')}, {count(len(table.rows), 'feature')}")
    for note in table.notes:
        print(f"note: {note}", file=sys.stderr)
    if output is not None:
        print(write_parity(table, output, overwrite=overwrite))


def pairs_of(texts: list[str], option: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a dictionary.

    Raises
    ------
    UsageError
        A text has another form, or a name stands twice.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        if not (name and value):
            message = f"{option}: expected NAME=VALUE, found {text!r}"
            raise UsageError(message)
        if name in pairs:
            message = f"{option}: expected each name once, found {name!r} twice"
            raise UsageError(message)
        pairs[name] = value
    return pairs


def images_of(texts: list[str] | None) -> dict[str, str | int]:
    """What the options ``--image NAME=CHANNEL`` say.

    Raises
    ------
    UsageError
        As :func:`pairs_of`.
    """
    return {name: channel_of(text) for name, text in pairs_of(texts or [], "--image").items()}


def channel_of(text: str) -> str | int:
    """Name or number of a channel.

    Examples
    --------
    >>> channel_of("5"), channel_of("DRAQ5")
    (5, 'DRAQ5')
    """
    return int(text) if text.isdecimal() and len(text) <= LONGEST_NUMBER else text
