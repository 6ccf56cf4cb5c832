"""The part of ``ifcyto train`` that trains a network, and ``ifcyto explain``."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ifcyto.cli.measure import channel_of, images_of, pairs_of
from ifcyto.cli.show import columns, count, progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifcyto.classify.cnn.options import CnnOptions
    from ifcyto.pipeline.train_cnn import CnnTraining
    from ifcyto.pipeline.truth_files import TruthFiles

__all__ = ["channels_of", "options_of", "register", "train_a_network"]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(explain)


def explain(
    source: Annotated[Path, typer.Argument(metavar="STACK|FILE", help="A stack, or any readable input.")],
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a network.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.npz", help="Arrays to write.")],
    numbers: Annotated[
        list[int] | None, typer.Option("--object", metavar="NUMBER", help="An object, several times.")
    ] = None,
    objects: Annotated[
        Path | None, typer.Option(metavar="FILE.pop", help="Objects to explain, at most 1,000.")
    ] = None,
    of_class: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="The likeliest of each when not given.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of the Grad-CAM; the last one by default.")] = None,
    window: Annotated[int, typer.Option(min=1, help="Side of the square that is hidden, px.")] = 8,
    step: Annotated[int, typer.Option(min=1, help="Distance of these squares, px.")] = 4,
    images: Annotated[
        list[str] | None,
        typer.Option("--image", metavar="NAME=CHANNEL", help="What a channel of the model is here."),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw the maps too, of at most 20 objects, as PNG and PDF."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Show where a network looks: Grad-CAM and occlusion maps of single objects, as arrays.

    Example:  ifcyto explain MDS01.h5 models/cnn --object 17 --object 23 -o why.npz --png why.png
    """
    from ifcyto._output import refuse_existing
    from ifcyto.pipeline.explain import explain as explain_objects
    from ifcyto.pipeline.explain import write_explained

    for target in filter(None, (output, png, png and png.with_suffix(".pdf"))):
        refuse_existing(target, overwrite=overwrite)
    chosen = objects if objects is not None else numbers or []
    found = explain_objects(
        source,
        model,
        chosen,
        of_class=of_class,
        layer=layer,
        window=window,
        step=step,
        images=images_of(images),
    )
    path = write_explained(found, output, source=source, overwrite=overwrite)
    if png is not None:
        from ifcyto.pipeline.draw_network import draw_explained

        draw_explained(found, png, source=source, overwrite=overwrite)
    rows = [("object", "class", "probability")]
    columns_of = (found.objects.tolist(), found.classes.tolist(), found.probability.tolist())
    rows += [(str(number), name, f"{share:.3f}") for number, name, share in zip(*columns_of, strict=True)]
    print(columns(rows))
    print(f"{path}: {count(len(found.objects), 'object')}, channels {', '.join(found.channels.tolist())}")


NUMBERS = {"int": int, "float": float, "float | None": float, "str": str, "str | None": str}


def options_of(given: dict[str, Any], texts: Sequence[str]) -> CnnOptions:
    """Options of a network from those of the command line and from ``--set NAME=VALUE``.

    Raises
    ------
    typer.BadParameter
        A name that is no option, or a value of another kind.
    UsageError
        A value that cannot be.
    """
    from ifcyto.classify.cnn.options import Augmentation, CnnOptions

    kinds: dict[str, Any] = {field.name: field.type for field in fields(CnnOptions)}
    varied: dict[str, Any] = {field.name: field.type for field in fields(Augmentation)}
    chosen = {name: value for name, value in given.items() if value is not None}
    augmentation: dict[str, Any] = {}
    for name, text in pairs_of(list(texts), "--set").items():
        place, known = (augmentation, varied) if name in varied else (chosen, kinds)
        if name not in known or name == "augmentation":
            names = ", ".join(sorted({*kinds, *varied} - {"augmentation"}))
            message = f"expected an option among {names}, found {name!r}"
            raise typer.BadParameter(message, param_hint="--set")
        try:
            place[name] = _value(text, known[name])
        except ValueError:
            message = f"{name}: expected {known[name]}, found {text!r}"
            raise typer.BadParameter(message, param_hint="--set") from None
    options = CnnOptions(**chosen)
    return replace(options, augmentation=replace(options.augmentation, **augmentation))


def _value(text: str, kind: str) -> Any:
    if kind == "bool":
        if text not in {"true", "false"}:
            raise ValueError(text)
        return text == "true"
    return NUMBERS[kind](text)


def channels_of(texts: Sequence[str] | None, roles: dict[str, str | int]) -> Any:
    """Channels to look at: those asked for, else those that a study names, else all.

    Raises
    ------
    typer.BadParameter
        A study does not name the channel.
    """
    if not texts:
        return roles or None
    if not roles:
        return [channel_of(text) for text in texts]
    strange = [text for text in texts if text not in roles]
    if strange:
        message = f"expected channels of the study ({', '.join(roles)}), found {strange[0]!r}"
        raise typer.BadParameter(message, param_hint="--channel")
    return {text: roles[text] for text in texts}


def train_a_network(
    files: TruthFiles,
    output: Path,
    *,
    options: CnnOptions,
    channels: Any,
    classes: Sequence[str] | None,
    rest: str | None,
    own: Path | None,
    thresholds: float | dict[str, float],
    drop_repeats: bool,
    overwrite: bool,
) -> None:
    """Train, write the folder, and print how good the network is on objects it did not learn from."""
    from ifcyto.pipeline.train_cnn import train_cnn

    with progress_bar() as progress:
        result = train_cnn(
            files.samples,
            files.labels,
            output,
            channels=channels,
            classes=classes,
            rest=rest,
            options=options,
            own=own,
            thresholds=thresholds,
            drop_repeats=drop_repeats,
            overwrite=overwrite,
            progress=progress,
        )
    _tell(result)


def _tell(result: CnnTraining) -> None:
    record = result.record
    rows = [("class", "truth", *record["parts"], "precision", "recall", "F1")]
    for score in record["scores"]:
        name = score["class"]
        parts = (str(counts[name]) for counts in record["parts"].values())
        numbers = (f"{score[key]:.3f}" for key in ("precision", "recall", "f1"))
        rows.append((name, str(record["n_truth"][name]), *parts, *numbers))
    print(columns(rows))
    of = record["balanced_accuracy_of"]
    print("balanced accuracy: " + ", ".join(f"{part} {value:.3f}" for part, value in of.items()))
    if "folds" in record:
        mean = record["balanced_accuracy"]
        print(f"{len(record['folds']['best_epochs'])} folds: {mean['mean']:.3f}, s.d. {mean['sd']:.3f}")
    epochs = len(record["history"]["loss"])
    print(f"scores are of the {record['judged']}; best of {count(epochs, 'epoch')}: {record['best_epoch']}")
    _tell_probabilities(record)
    print(f"{result.folder}: {record['architecture']}, {record['weights']:,} weights, {record['reason']}")
    for note in record["notes"]:
        print(f"note: {note}", file=sys.stderr)


def _tell_probabilities(record: dict[str, Any]) -> None:
    calibration, limits = record["calibration"], record["thresholds"]["limits"]
    if not calibration["why_not"]:
        errors = ", ".join(
            f"{one['of']} {one['ece_before']:.3f} before, {one['ece_after']:.3f} after "
            f"(by chance up to {one['ece_by_chance']:.3f})"
            for one in calibration["judged"]
        )
        print(f"temperature {calibration['temperature']:.3g}; calibration error: {errors}")
    if limits:
        shown = ", ".join(f"{name} {value:.3g}" for name, value in limits.items())
        test = record["thresholds"].get("test")
        left = f"; {test['unknown']:,} of {test['objects']:,} test objects become Unknown" if test else ""
        print(f"least probability: {shown}{left}")
