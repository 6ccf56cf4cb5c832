"""Groups of like objects of a sample, and a map of them: what to tag first, before anything is tagged."""

from __future__ import annotations

from pathlib import Path
from re import fullmatch
from typing import TYPE_CHECKING

import numpy as np

from ifcyto._output import refuse_existing
from ifcyto.classify.groups import SEGMENT, group_alike, segment
from ifcyto.classify.maps import flat_map
from ifcyto.errors import UsageError
from ifcyto.pipeline.classify import Classified, classify_any
from ifcyto.pipeline.feature_files import is_feature_file, read_features
from ifcyto.pipeline.measure_job import MeasureOptions
from ifcyto.pipeline.parallel import no_progress
from ifcyto.pipeline.sources import open_source
from ifcyto.pipeline.to_tag import ToTag, tags_of
from ifcyto.pipeline.values import measured_or_read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ifcyto.classify.cnn.folder import CnnModel
    from ifcyto.classify.model_folder import Model
    from ifcyto.pipeline.feature_choice import FeatureChoice
    from ifcyto.pipeline.parallel import Progress

__all__ = ["draw_map", "from_groups", "refuse_map"]


def from_groups(
    source: Path | str,
    tags: Mapping[int, str] | None = None,
    *,
    model: Model | CnnModel | Path | str | None = None,
    groups: int | None = None,
    size: int = SEGMENT,
    features: FeatureChoice = "fbml",
    measuring: MeasureOptions | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ToTag:
    """Draw a random part of the untagged objects and group it by likeness; only this part is looked at.

    Parameters
    ----------
    source : path-like
        A stack, any readable input, or a feature table.
    tags : mapping of int to str, optional
        Objects that are tagged already; they are left out.
    model : Model, CnnModel or path-like, optional
        Group by what this model tells its classes from: the embedding of a network, or
        the features of a classifier. By default all of `features` count.
    groups : int, optional
        How many; chosen when not given.
    size : int
        Objects to draw.
    features, measuring, workers, progress
        As in :func:`ifcyto.pipeline.values.measured_or_read`; a model knows its features itself, and
        takes the images and the pixel size of `measuring`.
    seed : int

    Returns
    -------
    ToTag
        Group by group, the largest first; in a group the most typical object first. With the place of
        each object on a map (``x``, ``y``), see :func:`ifcyto.classify.maps.flat_map`.

    Raises
    ------
    UsageError
        Too few objects, tags of other objects, or an option that cannot be.
    FormatError, StackError
        The input or the model cannot be read.
    MissingExtraError
        The model is a network and TensorFlow is not installed.
    """
    path = Path(source)
    table = read_features(path) if is_feature_file(path) else None
    numbers = _numbers(path) if table is None else table.objects
    tagged, notes = tags_of(numbers, tags, path)
    free = numbers[tagged == ""]
    drawn = free[segment(len(free), size, seed=seed)]
    if not len(drawn):
        msg = f"{path}: expected untagged objects, found none of {len(numbers)}"
        raise UsageError(msg)
    names: tuple[str, ...] | None
    if model is None:
        columns = table or measured_or_read(
            path, drawn, features, measuring, workers=workers, progress=progress
        )
        rows = np.flatnonzero(np.isin(columns.objects, drawn))
        objects, values, names = columns.objects[rows], columns.values[rows], columns.names
    else:
        objects, values, names = _by_model(path, model, drawn, measuring, workers, progress)
    told = progress or no_progress
    found = group_alike(values, names, groups=groups, progress=lambda done, total: told("group", done, total))
    told("map", 0, 1)
    places = flat_map(found.points, seed=seed)
    told("map", 1, 1)
    counts = np.bincount(found.group)[1:]
    notes = [
        *notes,
        *found.notes,
        f"{len(counts)} groups of {counts.min()} to {counts.max()} objects, mean silhouette "
        f"{found.silhouette:.2f}",
    ]
    said: dict[str, list[str | float | int]] = {
        "group": found.group.tolist(), "distance": found.distance.tolist(),
        "x": places[:, 0].tolist(), "y": places[:, 1].tolist(),
    }  # fmt: skip
    return ToTag(objects[found.rows], ("",) * len(found.rows), said, tuple(notes))


def draw_map(found: ToTag, path: Path | str, *, overwrite: bool = False) -> Path:
    """Draw the map of groups: every object a point in the colour and shape of its group.

    Parameters
    ----------
    found : ToTag
        Of :func:`from_groups`.
    path : path-like
        A ``.png`` file; a PDF of the same name is written beside it.
    overwrite : bool

    Raises
    ------
    UsageError
        Another kind of file.
    OutputError
        A file exists and `overwrite` is False, or cannot be written.
    """
    from ifcyto.figures.groups_map import groups_map
    from ifcyto.figures.style import save_figure

    path = refuse_map(path, overwrite=overwrite)
    figure = groups_map(*(np.array(found.columns[name]) for name in ("x", "y", "group")))
    return save_figure(figure, path.parent, path.stem, overwrite=overwrite)[0]


def refuse_map(path: Path | str, *, overwrite: bool) -> Path:
    """Refuse a name that :func:`draw_map` would refuse: before the work, not after.

    Raises
    ------
    UsageError
        Another kind of file, or a name that is not of plain letters.
    OutputError
        A file exists and `overwrite` is False.
    """
    path = Path(path)
    if not fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.png", path.name):
        msg = f"{path}: expected a plain name that ends in .png"
        raise UsageError(msg)
    for suffix in (".png", ".pdf"):
        refuse_existing(path.with_suffix(suffix), overwrite=overwrite)
    return path


def _by_model(
    path: Path,
    model: Model | CnnModel | Path | str,
    drawn: NDArray[np.int64],
    measuring: MeasureOptions | None,
    workers: int | None,
    progress: Progress | None,
) -> tuple[NDArray[np.int64], NDArray[np.float64], tuple[str, ...] | None]:
    """Objects, what the model tells its classes from, and the names of these columns where they have any."""
    options = measuring or MeasureOptions()
    found = classify_any(
        path, model, objects=drawn.tolist(), images=options.images, pixel_size_um=options.pixel_size_um,
        embedding=True, workers=workers, progress=progress,
    )  # fmt: skip
    names = tuple(c.name for c in found.model.columns) if isinstance(found, Classified) else None
    return found.objects, np.asarray(found.values, np.float64), names


def _numbers(path: Path) -> NDArray[np.int64]:
    source = open_source(path, None, None, stacks=True)
    try:
        return source.object_numbers
    finally:
        source.reader.close()
