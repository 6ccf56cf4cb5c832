"""Heat maps of single objects, by the network of a model folder, kept as arrays."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._output import replacing
from ifcyto.errors import UsageError
from ifcyto.pipeline.cnn_material import open_objects
from ifcyto.pipeline.objects import objects_per_source
from ifcyto.pipeline.sources import refuse_input_as_output
from ifcyto.stack.cell_stack import CellStack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.classify.cnn.folder import CnnModel
    from ifcyto.pipeline.objects import ObjectChoice

__all__ = ["CellMaps", "Explained", "explain", "explain_cells", "write_explained"]

MOST = 1000
"""So many objects are explained at once: each takes some hundred passes of the network."""


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """Heat maps of some objects.

    Parameters
    ----------
    objects : ndarray (n,) of int64
    classes : ndarray (n,) of str
        The class that is explained.
    probability : ndarray (n,) of float64
        Of that class.
    images : ndarray (n, C, H, W)
        As the network saw them, in the stack's numbers.
    channels : ndarray (C,) of str
        Labels of the model's channels.
    grad_cam : ndarray (n, H, W) of float32
        See :func:`ifcyto.classify.cnn.explain.grad_cam`.
    occlusion : ndarray (n, H, W) of float32
        All channels hidden; see :func:`ifcyto.classify.cnn.explain.occlusion`.
    by_channel : ndarray (n, C, H, W) of float32
        One channel hidden at a time.
    """

    objects: NDArray[np.int64]
    classes: NDArray[np.str_]
    probability: NDArray[np.float64]
    images: NDArray[Any]
    channels: NDArray[np.str_]
    grad_cam: NDArray[np.float32]
    occlusion: NDArray[np.float32]
    by_channel: NDArray[np.float32]


def explain(
    source: Path | str,
    model: CnnModel | Path | str,
    objects: ObjectChoice,
    *,
    of_class: str | None = None,
    layer: str | None = None,
    window: int = 8,
    step: int = 4,
    images: Mapping[str, str | int] | None = None,
) -> Explained:
    """Explain what a network says of some objects.

    Parameters
    ----------
    source : path-like
        A stack or any readable input.
    model : CnnModel or path-like
    objects : path or sequence of int
        A ``.pop`` or CSV file or object numbers.
    of_class : str, optional
        The class to explain; by default the likeliest of each object.
    layer : str, optional
        Layer of the Grad-CAM.
    window, step : int
        Of the occlusion, px.
    images : mapping of str to (str or int), optional
        Labels of the model's channels to channels here.

    Returns
    -------
    Explained
        In the order of `source`.

    Raises
    ------
    UsageError
        More than a thousand objects, or a class, layer, channel or object that is not there.
    MissingExtraError
        TensorFlow is not installed.
    """
    from ifcyto.classify.cnn.crops import cut
    from ifcyto.classify.cnn.explain import grad_cam, occlusion
    from ifcyto.classify.cnn.folder import read_cnn_model
    from ifcyto.classify.cnn.predict import predict_rows

    if isinstance(model, (str, Path)):
        model = read_cnn_model(model)
    numbers = objects_per_source(objects, 1)[0]
    if numbers is None or not 0 < len(numbers) <= MOST:
        msg = f"expected 1 to {MOST:,} objects to explain, found {0 if numbers is None else len(numbers):,}"
        raise UsageError(msg)
    if of_class is not None and of_class not in model.classes:
        msg = f"expected a class among {', '.join(model.classes)}, found {of_class!r}"
        raise UsageError(msg)
    with (
        tempfile.TemporaryDirectory(prefix="ifcyto-") as work,
        open_objects(Path(source), numbers, Path(work)) as stack,
    ):
        rows = np.sort(stack.rows_of(np.unique(numbers)))
        picked = model.channels_in(stack, images)
        said = predict_rows(model, stack, rows, channels=picked)
        crops = cut(stack, rows, picked, model.size)
    codes = said.probabilities.argmax(axis=1)
    if of_class is not None:
        codes = np.full(len(rows), model.classes.index(of_class))
    scaled = crops.scaled(np.arange(len(rows)), model.scale)
    how: dict[str, Any] = {"window": window, "step": step, "temperature": model.temperature}
    by_channel = [occlusion(model.network, scaled, codes, channel=c, **how) for c in range(len(picked))]
    return Explained(
        said.objects,
        np.array(model.classes)[codes],
        said.probabilities[np.arange(len(rows)), codes],
        crops.images,
        np.array([channel.label for channel in model.channels]),
        grad_cam(model.network, scaled, codes, layer=layer),
        occlusion(model.network, scaled, codes, **how),
        np.stack(by_channel, axis=1),
    )


@dataclass(frozen=True, slots=True, eq=False)
class CellMaps:
    """Heat maps of one class for some cells of several stacks.

    Parameters
    ----------
    images : ndarray (n, C, H, W)
        As the network saw them, in the stacks' numbers.
    grad_cam, occlusion : ndarray (n, H, W) of float32
        As in :class:`Explained`.
    """

    images: NDArray[Any]
    grad_cam: NDArray[np.float32]
    occlusion: NDArray[np.float32]


def explain_cells(
    model: CnnModel,
    cells: Sequence[tuple[Path, int]],
    of_class: str,
    *,
    images: Mapping[str, str | int] | None = None,
) -> CellMaps:
    """Explain one class for a few cells, by squares of an eighth of the image, in half as large steps.

    So the number of passes of the network, 150 to 300 a cell, hardly depends on the size of the images.

    Parameters
    ----------
    model : CnnModel
    cells : sequence of (path, int)
        Stack and object number of each; at least one.
    of_class : str
        One of the model's classes.
    images : mapping of str to (str or int), optional
        Labels of the model's channels to channels of the stacks.

    Returns
    -------
    CellMaps
        In the order of `cells`.
    """
    from ifcyto.classify.cnn.crops import cut, join
    from ifcyto.classify.cnn.explain import grad_cam, occlusion

    parts, places = [], []
    for path in dict.fromkeys(path for path, _ in cells):
        mine = [place for place, (other, _) in enumerate(cells) if other == path]
        with CellStack.open(path) as stack:
            rows = stack.rows_of(np.array([cells[place][1] for place in mine], np.int64))
            parts.append(cut(stack, rows, model.channels_in(stack, images), model.size))
        places += mine
    crops = join(parts).take(np.argsort(places))
    scaled = crops.scaled(np.arange(len(cells)), model.scale)
    codes = np.full(len(cells), model.classes.index(of_class))
    window = max(2, model.size // 8)
    found = occlusion(
        model.network, scaled, codes, window=window, step=(window + 1) // 2, temperature=model.temperature
    )
    return CellMaps(crops.images, grad_cam(model.network, scaled, codes), found)


def write_explained(
    found: Explained, path: Path | str, *, source: Path | str, overwrite: bool = False
) -> Path:
    """Write all arrays into one ``.npz`` file, under the names of :class:`Explained`.

    Raises
    ------
    OutputError
        The file exists and `overwrite` is False, or cannot be written.
    UsageError
        The output is the input.
    """
    path = Path(path)
    refuse_input_as_output([Path(source)], path)
    arrays = {name: getattr(found, name) for name in Explained.__slots__}
    with replacing(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return path
