"""``ifcyto train`` and ``ifcyto classify``: from tagged objects to a model, and from a model to classes."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from ifcyto.cli.measure import images_of, pairs_of
from ifcyto.cli.show import columns, count, progress_bar

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(train)
    app.command()(classify)


def train(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="STUDY.toml|FILE", help="A study with a table of truth, or one input or table."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="MODEL", help="Folder of the model.")],
    method: Annotated[
        str, typer.Option(help="fbml: a classifier on features; cnn: a network on the images.")
    ] = "fbml",
    algorithm: Annotated[str, typer.Option(help="lda, logistic, forest or boosting.")] = "lda",
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Truth for one input: object,label.")
    ] = None,
    truth: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS=FILE.pop", help="A class and its objects; several times."),
    ] = None,
    tagged: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A population of the DAF given: a class.")
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME", help="A class, several times: their order; see --rest."),
    ] = None,
    rest: Annotated[
        str | None, typer.Option(metavar="NAME", help="Class of the truth that is of no --class.")
    ] = None,
    steps: Annotated[
        int,
        typer.Option(min=1, max=2, help="2: first the rest class or not, then which of the others."),
    ] = 1,
    chosen: Annotated[
        str, typer.Option("--features", metavar="SET|FILE", help="Candidate features, as in ifcyto measure.")
    ] = "fbml",
    dna: Annotated[
        str | None, typer.Option(metavar="IMAGE", help="The DNA image, if no study says it.")
    ] = None,
    n_features: Annotated[
        int | None, typer.Option(min=1, help="Features to combine; by cross-validation when not given.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=2, help="Parts of the cross-validation; fbml 5, cnn none by default.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the random parts.")] = None,
    workers: Annotated[int | None, typer.Option(help="Threads; all cores by default.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing model.")] = False,
    architecture: Annotated[
        str | None, typer.Option(help="cnn: vgg_small, vgg16_bn, vgg16, deepflow, resnet50 ...")
    ] = None,
    channels: Annotated[
        list[str] | None, typer.Option("--channel", help="cnn: a channel to look at, several times.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="cnn: at most so many.")] = None,
    size: Annotated[int | None, typer.Option(min=8, help="cnn: side of the images, px.")] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="imagenet|FILE", help="cnn: weights to start from.")
    ] = None,
    own: Annotated[
        Path | None, typer.Option("--network", metavar="FILE.keras", help="cnn: a network of your own.")
    ] = None,
    others: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="cnn: another option, as balance=weights."),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(metavar="P|CLASS=P", help="cnn: least probability of all classes or one; else Unknown."),
    ] = None,
    drop_repeats: Annotated[
        bool, typer.Option("--drop-repeats", help="cnn: of the same images twice keep one.")
    ] = False,
) -> None:
    """Train a classifier on tagged objects: any channels, any classes.

    Example:  ifcyto train study.toml --method fbml -o models/fbml
    """
    from ifcyto.classify.training import TrainOptions
    from ifcyto.cli.networks import channels_of, options_of, train_a_network
    from ifcyto.pipeline.measure_job import MeasureOptions
    from ifcyto.pipeline.train import train as train_model
    from ifcyto.pipeline.truth_files import from_files, from_study

    of_networks = {
        "--architecture": architecture, "--channel": channels, "--epochs": epochs, "--size": size,
        "--weights": weights, "--network": own, "--set": others, "--threshold": threshold,
        "--drop-repeats": drop_repeats or None,
    }  # fmt: skip
    of_features = {
        "--algorithm": algorithm if algorithm != "lda" else None, "--steps": steps if steps > 1 else None,
        "--features": chosen if chosen != "fbml" else None, "--dna": dna, "--n-features": n_features,
    }  # fmt: skip
    if method not in {"fbml", "cnn"}:
        message = f"expected fbml or cnn, found {method!r}"
        raise typer.BadParameter(message, param_hint="--method")
    for name, value in (of_networks if method == "fbml" else of_features).items():
        if value is not None:
            message = f"is not an option of --method {method}"
            raise typer.BadParameter(message, param_hint=name)
    study = source.suffix.lower() == ".toml"
    files = (
        from_study(source)
        if study
        else from_files(
            source, labels=labels, populations=pairs_of(truth or [], "--truth"), tagged=tagged or ()
        )
    )
    seed = files.seed if seed is None else seed
    if method == "cnn":
        given = {"architecture": architecture, "epochs": epochs, "size": size, "weights": weights}
        train_a_network(
            files,
            output,
            options=options_of({**given, "folds": folds, "seed": seed}, others or []),
            channels=channels_of(channels, files.roles),
            classes=classes or None,
            rest=rest,
            own=own,
            thresholds=thresholds_of(threshold or []),
            drop_repeats=drop_repeats,
            overwrite=overwrite,
        )
        return
    options = TrainOptions(method=algorithm, n_features=n_features, folds=folds or 5, seed=seed)
    with progress_bar() as progress:
        result = train_model(
            files.samples,
            files.labels,
            output,
            features=chosen,
            classes=classes or None,
            rest=rest,
            two_steps=steps == 2,
            measuring=MeasureOptions(
                roles=files.roles, dna=dna or files.dna, pixel_size_um=files.pixel_size_um
            ),
            options=options,
            workers=workers,
            overwrite=overwrite,
            progress=progress,
        )
    record = result.record
    rows = [("class", "truth", "precision", "recall", "F1")]
    rows += [
        (
            score["class"],
            str(record["n_truth"][score["class"]]),
            *(f"{score[name]:.3f}" for name in ("precision", "recall", "f1")),
        )
        for score in record["scores"]
    ]
    print(columns(rows))
    accuracy = record["balanced_accuracy"]
    print(f"balanced accuracy {accuracy['mean']:.3f}, s.d. {accuracy['sd']:.3f} ({options.folds} folds)")
    print(f"{result.folder}: {count(len(result.model.columns), 'feature')}, {algorithm}")
    for note in record["notes"]:
        print(f"note: {note}", file=sys.stderr)


def classify(
    source: Annotated[
        Path, typer.Argument(metavar="STACK|T.h5ad", help="A stack, any readable input, or a feature table.")
    ],
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a model.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="LABELS.csv", help="Labels to write.")],
    objects: Annotated[
        Path | None, typer.Option(metavar="FILE.pop", help="Classify these objects only.")
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option("--image", metavar="NAME=CHANNEL", help="What an image of the model is here."),
    ] = None,
    pixel_size: Annotated[
        float | None, typer.Option(metavar="UM", help="Side of a pixel, where the input does not say it.")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(metavar="P|CLASS=P", help="Less probable classes become Unknown; for all or a class."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Threads; all cores by default.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing labels.")] = False,
) -> None:
    """Give every object a class, the probability of each class, and the values of pairs of classes.

    A network needs images: a stack or any image file.

    Example:  ifcyto classify MDS01.h5 models/fbml -o MDS01_fbml.csv
    """
    from collections import Counter

    from ifcyto._output import refuse_existing
    from ifcyto.pipeline.classify import classify_any, kept_labels, write_labels

    refuse_existing(output, overwrite=overwrite)
    limit = thresholds_of(threshold or [])
    with progress_bar() as progress:
        found = classify_any(
            source,
            model,
            objects=objects,
            images=images_of(images),
            pixel_size_um=pixel_size,
            workers=workers,
            progress=progress,
        )
    path = write_labels(found, output, source=source, threshold=limit, overwrite=overwrite)
    counts = Counter(kept_labels(found, limit).tolist())
    shown = ", ".join(f"{counts[name]:,} {name}" for name in (*found.classes, "Unknown") if counts[name])
    print(f"{path}: {count(len(found.objects), 'object')} ({shown})")


def thresholds_of(texts: list[str]) -> float | dict[str, float]:
    """One probability for all classes, or one for each class named.

    Raises
    ------
    typer.BadParameter
        Neither, or both.
    UsageError
        One is not from 0 to 1.
    """
    from ifcyto.classify.threshold import apply_threshold

    limit: float | dict[str, float]
    try:
        if len(texts) == 1 and "=" not in texts[0]:
            limit = float(texts[0])
        else:
            limit = {name: float(text) for name, text in pairs_of(texts, "--threshold").items()}
        apply_threshold((), (), limit)  # before hours of work, not after
    except ValueError:
        message = f"expected a probability or CLASS=PROBABILITY, found {', '.join(texts)}"
        raise typer.BadParameter(message, param_hint="--threshold") from None
    return limit
