"""Read a file of ``ifcyto explain`` and find the objects of a review that it is about."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import UsageError
from ifcyto.pipeline.explain import Explained
from ifcyto.review.heat_maps import HeatMaps

if TYPE_CHECKING:
    from ifcyto.review.objects import ReviewObjects
    from ifcyto.review.pages import PageReader
    from ifcyto.stack.cell_stack import CellStack

__all__ = ["read_heat_maps"]

LARGEST = 2**31
"""Bytes of all arrays of a file, unpacked."""

COMPARED = 8
"""Objects of a file whose images are held against the stack's."""


def read_heat_maps(path: Path | str, objects: ReviewObjects, pages: PageReader) -> HeatMaps:
    """Read a file of ``ifcyto explain`` and find the objects of a review that it is about.

    The file knows object numbers, not samples. It belongs to the sample whose stack has these objects
    with the very pixels that the network saw.

    Parameters
    ----------
    path : path-like
        ``.npz``
    objects : ReviewObjects
    pages : PageReader

    Raises
    ------
    UsageError
        The file is none of ``ifcyto explain``, or its images are none of the review's.
    StackError
        A stack is damaged.
    """
    path = Path(path)
    found = _explained(path)
    for sample, stack_path in pages.stacks.items():
        if not stack_path.exists() or not (objects.samples == sample).any():
            continue
        stack = pages.stack(sample)
        if not np.isin(found.objects, stack.object_numbers).all():
            continue
        places = _channels(stack, found)
        if places is not None:
            shown = [c.number for c in pages.channels_of(sample)]
            there = [stack.channels[place].number for place in places]
            keys = {(sample, number): place for place, number in enumerate(found.objects.tolist())}
            mine = {objects.key(row) for row in np.flatnonzero(objects.samples == sample).tolist()}
            if mine & keys.keys():
                channels = tuple(shown.index(number) if number in shown else -1 for number in there)
                return HeatMaps(path.name, keys, found, channels)
    msg = (
        f"{path}: expected heat maps of objects of this review, found {len(found.objects)} objects "
        "whose images are others"
    )
    raise UsageError(msg)


def _explained(path: Path) -> Explained:
    """Read the arrays; nothing in the file is run."""
    names = Explained.__slots__
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > LARGEST:
            msg = f"{path}: expected at most {LARGEST} bytes of arrays, found {unpacked}"
            raise UsageError(msg)
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in names if name not in file.files]
            arrays: dict[str, Any] = {name: file[name] for name in names if name in file.files}
    except FileNotFoundError as error:
        msg = f"{path}: expected a file of ifcyto explain, found nothing"
        raise UsageError(msg) from error
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        msg = f"{path}: expected a file of ifcyto explain (.npz): {error}"
        raise UsageError(msg) from error
    if missing:
        msg = f"{path}: expected the arrays of ifcyto explain, found no {', '.join(missing)}"
        raise UsageError(msg)
    found = Explained(**arrays)
    n, channels, *plane = found.images.shape if found.images.ndim == 4 else (0, 0)
    wanted = {
        "objects": (n,),
        "classes": (n,),
        "probability": (n,),
        "channels": (channels,),
        "grad_cam": (n, *plane),
        "occlusion": (n, *plane),
        "by_channel": (n, channels, *plane),
    }
    wrong = [name for name, shape in wanted.items() if getattr(found, name).shape != shape]
    numbers = ("objects", "probability", "grad_cam", "occlusion", "by_channel")
    wrong += [name for name in numbers if getattr(found, name).dtype.kind not in "iuf"]
    if not n or wrong:
        what = f"{wrong[0]} {getattr(found, wrong[0]).shape}" if wrong else "no object"
        beside = f"{what} beside images {found.images.shape}"
        msg = f"{path}: expected heat maps of one object or more, found {beside}"
        raise UsageError(msg)
    return found


def _channels(stack: CellStack, found: Explained) -> tuple[int, ...] | None:
    """Place in the stack of each of the model's channels, by their pixels; None where they are not there."""
    few = slice(0, COMPARED)
    rows = stack.rows_of(found.objects[few])
    crops = stack.images(rows, size=found.images.shape[-2:])
    places = []
    for channel, label in enumerate(found.channels.tolist()):
        same = [
            place
            for place in range(crops.shape[1])
            if np.array_equal(crops[:, place], found.images[few, channel])
        ]
        if not same:
            return None
        named = [place for place in same if label in (stack.channels[place].role, stack.channels[place].name)]
        places.append((named or same)[0])
    return tuple(places)
