"""A trained classifier on disk: a folder of JSON and text (``data_schemas/model.md``)."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._output import refuse_existing
from ifcyto.classify.formula import formula
from ifcyto.classify.scorer import LinearScorer, Scorer
from ifcyto.classify.steps import SINGLE, TwoStepScorer
from ifcyto.classify.trees import numbers
from ifcyto.errors import FormatError, OutputError
from ifcyto.provenance import json_text
from ifcyto.schemas import load_schema, schema_faults

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["FILES", "VERSION", "Column", "Model", "new_folder", "read_json", "read_model", "write_model"]

VERSION = 1
"""Of the layout; a reader refuses folders that are newer."""

MODEL, TRAINING, RANKING, FORMULA = "model.json", "training.json", "ranking.csv", "formula.txt"
FILES = (MODEL, TRAINING, RANKING, FORMULA)
"""What a model folder may hold."""

LARGEST = 128 * 2**20
"""Bytes of a file that is written or read."""

SCORERS: dict[str, type[Scorer]] = {**SINGLE, TwoStepScorer.method: TwoStepScorer}
REMARK = """\
# The highest class value wins. The value of a pair, "A vs B", is above 0 where A is the likelier.
# [name] is the feature of that name, in the unit that model.json names.

"""


@dataclass(frozen=True, slots=True)
class Column:
    """A feature that a model needs.

    Parameters
    ----------
    name : str
        Name of the column, ``Area_M05``.
    definition : str
        How it is computed, in the form that feature tables keep.
    unit : str
    """

    name: str
    definition: str
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A classifier, and what is needed to apply it to other stacks.

    Parameters
    ----------
    scorer : Scorer
    columns : tuple of Column
        The scorer's features, in its order.
    masks : mapping of str to str
        Name and definition of each mask that must be computed.
    images : tuple of str
        Names of the images that are needed.
    pixel_size_um : float or None
        Side of a pixel of the images trained on.
    training : mapping
        JSON values: what training found. ``ranking``, if it is there, is a list
        of mappings with the same keys, one a feature.
    provenance : mapping
        JSON values; see :func:`ifcyto.provenance.provenance`.
    """

    scorer: Scorer
    columns: tuple[Column, ...]
    masks: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    pixel_size_um: float | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = tuple(column.name for column in self.columns)
        if names != self.scorer.features:
            msg = f"expected the columns {self.scorer.features}, found {names}"
            raise ValueError(msg)

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of the scorer's scores."""
        return self.scorer.classes


def write_model(folder: Path | str, model: Model, *, overwrite: bool = False) -> None:
    """Write a model as a folder, which appears when it is complete.

    Parameters
    ----------
    folder : path-like
    model : Model
    overwrite : bool
        Replace a folder that holds a model and nothing else.

    Raises
    ------
    OutputError
        The folder exists and `overwrite` is False, or it holds other things than a
        model, or the disk refuses.
    ValueError
        The model breaks its own schema; weights that are not finite, for instance.
    """
    texts = _texts(model)
    with new_folder(Path(folder), FILES, overwrite=overwrite) as inside:
        for name, text in texts.items():
            (inside / name).write_text(text, encoding="utf-8", newline="")


def read_model(folder: Path | str) -> Model:
    """Read a folder that :func:`write_model` made. All numbers come back bit by bit.

    Parameters
    ----------
    folder : path-like

    Raises
    ------
    FormatError
        ``model.json`` is missing, damaged, newer than this version, or describes no
        classifier; the message names the file and the key.

    Notes
    -----
    Nothing in the folder is executed. ``training.json`` may be missing; ``ranking.csv``
    and ``formula.txt`` are for people and are not read.
    """
    path = Path(folder) / MODEL
    document = read_json(path)
    _refuse_unsound(path, document)
    training = path.with_name(TRAINING)
    return Model(
        scorer=_scorer(path, document),
        columns=tuple(Column(**column) for column in document["columns"]),
        masks=document["masks"],
        images=tuple(document["images"]),
        pixel_size_um=document["pixel_size_um"],
        training=read_json(training) if training.exists() else {},
        provenance=document["provenance"],
    )


def _texts(model: Model) -> dict[str, str]:
    """Content of each file."""
    size = model.pixel_size_um
    document = {
        "format": "ifcyto model",
        "version": VERSION,
        "method": model.scorer.method,
        "classes": list(model.scorer.classes),
        "columns": [asdict(column) for column in model.columns],
        "classifier": model.scorer.to_dict(),
        "masks": dict(model.masks),
        "images": list(model.images),
        "pixel_size_um": None if size is None or math.isnan(size) else size,
        "provenance": json.loads(json_text(model.provenance)),
    }
    try:
        _refuse_unsound(Path(MODEL), document)
        _scorer(Path(MODEL), document)
    except FormatError as error:
        raise ValueError(str(error)) from error
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in document.items())
    texts = {MODEL: "{\n" + ",\n".join(lines) + "\n}\n", TRAINING: json_text(model.training) + "\n"}
    if model.training.get("ranking"):
        texts[RANKING] = _csv(model.training["ranking"])
    steps = (model.scorer.first, model.scorer.second) if isinstance(model.scorer, TwoStepScorer) else ()
    if all(isinstance(scorer, LinearScorer) for scorer in steps or (model.scorer,)):
        texts[FORMULA] = REMARK + formula(model.scorer)
    if max(map(len, texts.values())) > LARGEST:
        msg = f"expected a model of at most {LARGEST} bytes: train fewer or smaller trees"
        raise OutputError(msg)
    return texts


def _csv(rows: list[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@contextmanager
def new_folder(folder: Path, files: Collection[str], *, overwrite: bool) -> Iterator[Path]:
    """Yield a hidden folder to write in; it gets its name when all is written.

    Raises
    ------
    OutputError
        The folder exists and `overwrite` is False, or holds other things than `files`,
        or the disk refuses.
    """
    refuse_existing(folder, overwrite=overwrite)
    try:
        old = folder.exists()
        if old and not (folder.is_dir() and {part.name for part in folder.iterdir()} <= set(files)):
            msg = f"{folder}: holds other things than a model, which are not replaced: choose another name"
            raise OutputError(msg)
        folder.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
        try:
            inside = place / "new"
            inside.mkdir()
            yield inside
            if old:
                folder.replace(place / "old")
            inside.replace(folder)
        finally:
            if (place / "old").exists() and not folder.exists():
                (place / "old").replace(folder)
            shutil.rmtree(place, ignore_errors=True)
    except OSError as error:
        msg = f"{folder}: cannot be written: {error.strerror or error}"
        raise OutputError(msg) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    FormatError
        The file is missing, too large, or something else.
    """
    try:
        if path.exists() and not path.is_file():
            raise FormatError(path, "expected a file")
        size = path.stat().st_size
        if size > LARGEST:
            raise FormatError(path, f"expected at most {LARGEST} bytes, found {size}")
        document = json.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise FormatError(path, f"expected a file of a model: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(path, f"expected JSON: {error}") from error
    if not isinstance(document, dict):
        raise FormatError(path, f"expected a JSON object, found {type(document).__name__}")
    return document


def _refuse_unsound(path: Path, document: dict[str, Any]) -> None:
    """Raise :class:`FormatError` for a document that its schema forbids."""
    if document.get("format") != "ifcyto model":
        raise FormatError(path, "expected an ifcyto model, found another file", where="format")
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        message = f"expected version {VERSION} or older, found {version}: use a newer ifcyto"
        raise FormatError(path, message, where="version")
    if document.get("method") not in tuple(SCORERS):
        message = f"expected a method among {', '.join(SCORERS)}, found {str(document.get('method'))[:50]!r}"
        raise FormatError(path, message, where="method")
    schema = load_schema("model")
    try:
        _refuse_long(path, document, schema, "$", schema["$defs"])
        faults = schema_faults(document, "model")
    except RecursionError as error:
        raise FormatError(path, "expected a model, found lists too deep") from error
    if faults:
        raise FormatError(path, f"is no sound model: {faults[0]}")
    names = [column["name"] for column in document["columns"]]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(path, f"expected each column once, found {twice!r} again", where="columns")
    if math.isnan(document["pixel_size_um"] or 1):
        raise FormatError(path, "expected a number or null, found NaN", where="pixel_size_um")


def _refuse_long(
    path: Path, value: Any, schema: Mapping[str, Any], where: str, parts: Mapping[str, Any]
) -> None:
    """Look at lengths alone, before anything walks through what a hostile file may hold."""
    schema = {**parts.get(schema.get("$ref", "").rpartition("/")[2], {}), **schema}
    most = schema.get("maxItems", schema.get("maxProperties"))
    if most is not None and isinstance(value, (list, dict)) and len(value) > most:
        raise FormatError(path, f"expected at most {most} entries, found {len(value)}", where=where)
    for key, part in schema.get("properties", {}).items():
        if isinstance(value, dict) and key in value:
            _refuse_long(path, value[key], part, f"{where}.{key}", parts)


def _scorer(path: Path, document: Mapping[str, Any]) -> Scorer:
    features = tuple(column["name"] for column in document["columns"])
    classes, data = tuple(document["classes"]), document["classifier"]
    _refuse_arrays(path, data, (len(classes), len(features)), "classifier")
    try:
        return SCORERS[document["method"]].from_dict(features, classes, data)
    except ValueError as error:
        raise FormatError(path, str(error), where="classifier") from error


def _refuse_arrays(path: Path, data: Mapping[str, Any], shape: tuple[int, int], where: str) -> None:
    if "weights" in data:
        _refuse_numbers(path, data["weights"], shape, f"{where}.weights")
    if "offsets" in data:
        _refuse_numbers(path, data["offsets"], shape[:1], f"{where}.offsets")
    for name in ("first", "second"):
        if name in data:
            step = data[name]
            inside = f"{where}.{name}.classifier"
            if "first" in step["classifier"]:
                raise FormatError(path, "expected a classifier of one step", where=inside)
            shape = (len(step["classes"]), len(step["features"]))
            _refuse_arrays(path, step["classifier"], shape, inside)


def _refuse_numbers(path: Path, values: Any, shape: tuple[int, ...], where: str) -> None:
    try:
        found = numbers(values, np.float64, where)
    except ValueError as error:
        raise FormatError(path, str(error), where=where) from error
    if found.shape != shape or not np.isfinite(found).all():
        wrong = f"shape {found.shape}" if found.shape != shape else "some that are not"
        raise FormatError(path, f"expected finite numbers of shape {shape}, found {wrong}", where=where)
