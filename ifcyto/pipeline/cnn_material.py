"""The tagged images that a network is trained on: read, cut, and free of repeats that would leak."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.cnn.crops import Crops, cut, join, repeats
from ifcyto.errors import UsageError
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.feature_files import is_feature_file
from ifcyto.pipeline.sources import is_stack
from ifcyto.provenance import json_text
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.frames import channel_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from ifcyto.classify.cnn.options import CnnOptions
    from ifcyto.classify.truth import Truth
    from ifcyto.pipeline.parallel import Progress

__all__ = ["Material", "load_material", "open_objects", "refuse_leaks", "tagged_samples", "without_repeats"]

SHOWN = 3
"""So many pairs of objects are named in a message."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Crops and classes of the truth, and where they are from.

    Parameters
    ----------
    rows : Truth
    crops : Crops
        In the order of `rows`.
    codes : ndarray (n,) of int64
        Class of each.
    channels : tuple of ModelChannel
    pixel_size_um : float or None
    notes : tuple of str
    """

    rows: Truth
    crops: Crops
    codes: NDArray[np.int64]
    channels: tuple[Any, ...]
    pixel_size_um: float | None
    notes: tuple[str, ...]

    @property
    def groups(self) -> NDArray[np.str_] | None:
        """Sample of each object; None where there is only one."""
        return self.rows.samples if len(set(self.rows.samples.tolist())) > 1 else None


def tagged_samples(samples: Mapping[str, Path | str], rows: Truth) -> dict[str, Path]:
    """Samples that the truth names.

    Raises
    ------
    UsageError
        One is not given, or holds no images.
    """
    named = set(rows.samples.tolist())
    unknown = sorted(named - set(samples))
    if unknown:
        msg = f"the truth names samples that are not given: {', '.join(unknown[:5])}"
        raise UsageError(msg)
    used = {name: Path(path) for name, path in samples.items() if name in named}
    for path in used.values():
        if is_feature_file(path):
            msg = f"{path}: expected images, found a feature table: a network needs a stack or an image file"
            raise UsageError(msg)
    return used


def load_material(
    used: Mapping[str, Path],
    rows: Truth,
    channels: Mapping[str, str | int] | Sequence[str | int] | None,
    options: CnnOptions,
    notes: tuple[str, ...],
    work: Path,
    progress: Progress,
) -> Material:
    """Cut the tagged objects out of every sample, in the order of the truth."""
    from ifcyto.classify.cnn.folder import ModelChannel

    found: list[Crops] = []
    places: list[NDArray[np.int64]] = []
    first: tuple[str, tuple[Any, ...], float | None] | None = None
    for name, path in used.items():
        mine = np.flatnonzero(rows.samples == name)
        with open_objects(path, rows.objects[mine], work) as stack:
            labels, wanted = _wanted(stack, channels)
            picked = channel_rows(stack.channels, wanted)
            chosen = tuple(
                ModelChannel(label, stack.channels[row].name, stack.channels[row].number)
                for label, row in zip(labels, picked, strict=True)
            )
            sizes = {stack.channels[row].pixel_size_um for row in picked}
            size = next(iter(sizes)) if len(sizes) == 1 else None
            if first is None:
                first = (name, chosen, size)
            _refuse_others(first, (name, chosen, size))
            numbers = [stack.channels[row].number for row in picked]
            found.append(cut(stack, stack.rows_of(rows.objects[mine]), numbers, options.size))
            places.append(mine)
        progress("read", sum(map(len, places)), len(rows.objects))
    if first is None:
        msg = "expected samples with tagged objects, found none"
        raise UsageError(msg)
    order = np.argsort(np.concatenate(places), kind="stable")
    codes = np.array([rows.classes.index(label) for label in rows.labels.tolist()], np.int64)
    return Material(rows, join(found).take(order), codes, first[1], first[2], notes)


def open_objects(path: Path, objects: NDArray[np.int64] | None, work: Path) -> CellStack:
    """Open a stack, or make one in `work` of some objects of another input."""
    if is_stack(path):
        return CellStack.open(path)
    chosen = None if objects is None else np.unique(objects).tolist()
    digest = hashlib.sha256(json_text([str(path.resolve()), path.stat().st_mtime_ns, chosen]).encode())
    made = work / f"{digest.hexdigest()[:16]}.h5"
    if not made.exists():
        convert(path, made, objects=chosen)
    return CellStack.open(made)


def _wanted(
    stack: CellStack, channels: Mapping[str, str | int] | Sequence[str | int] | None
) -> tuple[list[str], list[str | int]]:
    """Labels of the channels, and how to find them."""
    if channels is None:
        labels = [channel.role or channel.name for channel in stack.channels]
        return labels, [channel.number for channel in stack.channels]
    if isinstance(channels, Mapping):
        return list(channels), list(channels.values())
    rows = channel_rows(stack.channels, list(channels))
    labels = [
        item if isinstance(item, str) else stack.channels[row].role or stack.channels[row].name
        for item, row in zip(channels, rows, strict=True)
    ]
    return labels, list(channels)


def _refuse_others(
    first: tuple[str, tuple[Any, ...], float | None], other: tuple[str, tuple[Any, ...], float | None]
) -> None:
    for what, ours, theirs in (
        ("channels", [c.label for c in first[1]], [c.label for c in other[1]]),
        ("pixel size", first[2], other[2]),
    ):
        if ours != theirs:
            msg = f"samples {first[0]} and {other[0]}: expected the same {what}, found {ours} and {theirs}"
            raise UsageError(msg)


def _named(material: Material, row: int) -> str:
    return f"{material.rows.samples[row]} object {material.rows.objects[row]}"


def without_repeats(material: Material, *, drop: bool) -> Material:
    """Refuse images that are of two classes; leave out those that come again, if asked."""
    groups = repeats(material.crops)
    for group in groups:
        if len(set(material.codes[group].tolist())) > 1:
            shown = ", ".join(
                f"{_named(material, row)} ({material.rows.labels[row]})" for row in group[:SHOWN]
            )
            msg = f"the same images are tagged with different classes: {shown}: correct the truth"
            raise UsageError(msg)
    if not groups or not drop:
        return material
    again = np.concatenate([group[1:] for group in groups])
    keep = np.setdiff1d(np.arange(len(material.codes)), again)
    rows = material.rows
    kept = replace(rows, samples=rows.samples[keep], objects=rows.objects[keep], labels=rows.labels[keep])
    note = f"{len(again)} objects whose images came again were left out"
    return replace(
        material, rows=kept, crops=material.crops.take(keep), codes=material.codes[keep],
        notes=(*material.notes, note),
    )  # fmt: skip


def refuse_leaks(material: Material, jobs: list[tuple[str, NDArray[np.int64]]]) -> None:
    """The same images in two parts would be learned and then judged."""
    leaks = [
        group
        for group in repeats(material.crops)
        if any(len(set(part[group].tolist())) > 1 for _, part in jobs)
    ]
    if leaks:
        shown = "; ".join(
            ", ".join(_named(material, row) for row in group[:SHOWN]) for group in leaks[:SHOWN]
        )
        more = f" and {len(leaks) - SHOWN} more" if len(leaks) > SHOWN else ""
        msg = (
            f"{len(leaks)} images occur more than once and would be in training and in test: {shown}{more}: "
            "tag each cell once, or leave the copies out (--drop-repeats)"
        )
        raise UsageError(msg)
