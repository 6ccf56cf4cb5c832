"""``ifcyto suggest``: which objects to tag next."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated, Literal

import typer

from ifcyto.cli.measure import images_of
from ifcyto.cli.show import count, progress_bar

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(suggest)


def suggest(
    source: Annotated[
        Path, typer.Argument(metavar="STACK|T.h5ad", help="A stack, any readable input, or a feature table.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.csv", help="Suggestions to write.")],
    model: Annotated[
        Path | None, typer.Argument(metavar="MODEL", help="Folder of a model; without, the tags teach one.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Tags so far: object,label.")
    ] = None,
    order: Annotated[
        Literal["uncertain", "certain", "diverse"],
        typer.Option(help="Which come first; diverse: uncertain ones that differ."),
    ] = "uncertain",
    n: Annotated[int, typer.Option("--n", min=1, help="How many to suggest.")] = 100,
    of: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="Only what is probably of this class.")
    ] = None,
    cluster: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="N groups of like objects; 0 chooses how many."),
    ] = None,
    size: Annotated[int, typer.Option(min=3, help="Random objects to group.")] = 1500,
    picture: Annotated[
        Path | None, typer.Option("--map", metavar="FILE.png", help="Draw the groups; a PDF beside it.")
    ] = None,
    chosen: Annotated[
        str, typer.Option("--features", metavar="SET|FILE", help="Features to measure, without a model.")
    ] = "fbml",
    dna: Annotated[str | None, typer.Option(metavar="IMAGE", help="The DNA image, without a model.")] = None,
    images: Annotated[
        list[str] | None,
        typer.Option("--image", metavar="NAME=CHANNEL", help="What an image of the model is here."),
    ] = None,
    pixel_size: Annotated[
        float | None, typer.Option(metavar="UM", help="Side of a pixel, where the input does not say it.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random parts.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Threads; all cores by default.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing suggestions.")] = False,
) -> None:
    """Say which objects to tag next: fill in the column label, train, and ask again.

    A model is of either kind; a network needs images. With --cluster objects are grouped by
    what the model tells its classes from, without a model by their features.

    Example:  ifcyto suggest MDS01.h5 models/fbml --labels labels.csv -o suggestions.csv
    """
    from ifcyto._output import refuse_existing
    from ifcyto.classify.training import TrainOptions
    from ifcyto.pipeline.group_objects import draw_map, from_groups, refuse_map
    from ifcyto.pipeline.labels import read_labels
    from ifcyto.pipeline.measure import MeasureOptions
    from ifcyto.pipeline.suggest import from_model, from_tags
    from ifcyto.pipeline.to_tag import Wanted, write_to_tag

    refuse_existing(output, overwrite=overwrite)
    if cluster is None and model is None and labels is None:
        message = "expected a model, or --labels that teach one, or --cluster"
        raise typer.BadParameter(message, param_hint="MODEL")
    if picture is not None:
        if cluster is None:
            message = "is a picture of groups: expected --cluster with it"
            raise typer.BadParameter(message, param_hint="--map")
        refuse_map(picture, overwrite=overwrite)
    tags = {} if labels is None else read_labels(labels, known=None)
    given = images_of(images)
    measuring = MeasureOptions(dna=dna, images=given, pixel_size_um=pixel_size)
    wanted = Wanted(order, n, of)
    with progress_bar() as progress:
        if cluster is not None:
            found = from_groups(
                source, tags, model=model, groups=cluster or None, size=size, features=chosen,
                measuring=measuring, seed=seed, workers=workers, progress=progress,
            )  # fmt: skip
        elif model is not None:
            found = from_model(
                source, model, tags, wanted, images=given, pixel_size_um=pixel_size, seed=seed,
                workers=workers, progress=progress,
            )  # fmt: skip
        else:
            found = from_tags(
                source, tags, wanted, features=chosen, measuring=measuring,
                options=TrainOptions(seed=seed, learning_curve=False), workers=workers, progress=progress,
            )  # fmt: skip
    sources = [path for path in (source, labels) if path is not None]
    path = write_to_tag(found, output, sources=sources, overwrite=overwrite)
    print(f"{path}: {count(len(found.objects), 'object')} to look at")
    if picture is not None:
        print(f"{draw_map(found, picture, overwrite=overwrite)}: the map")
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
