"""Errands of truth building, from an open review, and the models that come of them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ifcyto.classify.groups import segment
from ifcyto.classify.model_folder import MODEL, new_folder, read_json
from ifcyto.pipeline.cnn import require_tensorflow
from ifcyto.review.errands import Errand
from ifcyto.review.truth_data import truth_data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from ifcyto.classify.suggest import Order
    from ifcyto.review.opening import Review

__all__ = ["Models", "group_errand", "judge_errand", "network_errand", "say_what_is_missing"]


class Models:
    """Models that were trained in this session, in a temporary folder that goes with it."""

    def __init__(self) -> None:
        self._place: tempfile.TemporaryDirectory[str] | None = None
        self._made = 0

    def new(self) -> Path:
        """Where the next one may be written."""
        if self._place is None:
            self._place = tempfile.TemporaryDirectory(prefix="ifcyto-models-")
        self._made += 1
        return Path(self._place.name) / f"{self._made}"

    def keep(self, folder: Path, output: Path | str, *, overwrite: bool = False) -> Path:
        """Copy a model to where the user wants it; it appears when it is complete.

        Raises
        ------
        OutputError
            The folder exists and `overwrite` is False, or the disk refuses.
        """
        files = [path.name for path in folder.iterdir()]
        with new_folder(Path(output), files, overwrite=overwrite) as inside:
            for name in files:
                shutil.copyfile(folder / name, inside / name)
        return Path(output)

    def close(self) -> None:
        """Remove them all."""
        if self._place is not None:
            self._place.cleanup()
            self._place = None


def group_errand(
    review: Review,
    names: Sequence[str],
    values: NDArray[np.float64],
    *,
    model: Path | None = None,
    groups: int | None = None,
) -> Errand:
    """Ask for groups of a random part of the objects.

    Parameters
    ----------
    review : Review
    names : sequence of str (F,)
    values : ndarray (n, F)
        Features of all objects; not used with a model.
    model : pathlib.Path, optional
        Folder of a model: group by what it tells its classes from.
    groups : int, optional
        As in :func:`ifcyto.classify.groups.group_alike`.

    Raises
    ------
    FormatError
        The model's folder cannot be read.
    """
    seed = review.session.seed
    rows = segment(len(review.session.objects), seed=seed)
    document: dict[str, Any] = {"groups": groups, "seed": seed, "model": None, "names": list(names)}
    if model is None:
        return Errand("group", document, {"rows": rows, "values": values[rows]})
    say_what_is_missing(model)
    data, arrays = truth_data(review).to_parts()
    return Errand("group", {**document, "model": str(model.resolve()), **data}, {**arrays, "rows": rows})


def network_errand(
    review: Review,
    options: Mapping[str, Any],
    channels: Sequence[str] | None,
    keep: Path,
    *,
    order: Order = "uncertain",
    n: int = 100,
) -> Errand:
    """Ask for a network that is trained on the tags, and for what it suggests.

    Parameters
    ----------
    review : Review
    options : mapping
        Of :class:`ifcyto.classify.cnn.options.CnnOptions`; the seed is the review's.
    channels : sequence of str or None
        Names of channels to look at; all by default.
    keep : pathlib.Path
        Where the folder of the model goes.
    order, n
        As in :func:`ifcyto.classify.suggest.suggest`.

    Raises
    ------
    UsageError
        Too few tags, a channel that is not there: said before a process is started.
    MissingExtraError
        TensorFlow is not installed; the message gives the install line.
    """
    say_what_is_missing()
    data = truth_data(review)
    data.truth()
    data.chosen(channels)
    parts, arrays = data.to_parts()
    seeded = {**options, "seed": review.session.seed}
    wanted = list(channels) if channels else None
    asked = {"options": seeded, "channels": wanted, "order": order, "n": n}
    return Errand("learn", {**asked, **parts}, arrays, keep=keep)


def judge_errand(review: Review, model: Path, *, order: Order = "uncertain", n: int = 100) -> Errand:
    """Ask for what a model folder of either kind suggests.

    Raises
    ------
    FormatError
        The model's folder cannot be read.
    MissingExtraError
        It is a network, and TensorFlow is not installed; the message gives the install line.
    """
    say_what_is_missing(model)
    parts, arrays = truth_data(review).to_parts()
    asked = {"model": str(model.resolve()), "order": order, "n": n, "seed": review.session.seed}
    return Errand("judge", {**asked, **parts}, arrays)


def say_what_is_missing(model: Path | None = None) -> None:
    """Refuse a network where TensorFlow is not installed; it is looked for, never loaded.

    Raises
    ------
    FormatError
        The model's folder cannot be read.
    MissingExtraError
        With the line that installs what is missing.
    """
    if model is None or read_json(model / MODEL).get("method") == "network":
        require_tensorflow()
