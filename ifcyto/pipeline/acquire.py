"""From the files of a study to a cell stack and a spot count for every sample."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.errors import StudyError, UsageError
from ifcyto.features.spots import spot_count
from ifcyto.masks.evaluate import MaskBook
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.parallel import in_order
from ifcyto.pipeline.sources import is_stack
from ifcyto.pipeline.tables import csv_text, write_text
from ifcyto.planes import Planes
from ifcyto.readers.registry import open_acquisition
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.frames import channel_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ifcyto.cells import Channel
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.study import Sample, Study

__all__ = ["Input", "inspect_input", "make_stack", "read_spots", "write_spots"]

BATCH = 256


@dataclass(frozen=True, slots=True)
class Input:
    """What was found in the file of a sample, before its pixels were read.

    Parameters
    ----------
    files : tuple of pathlib.Path
        Everything whose content matters: the file, and the images beside a DAF.
    is_stack : bool
        Already a cell stack.
    channels : dict of str to int
        Role to place on the images' first axis, from 0.
    pixel_size_um : float
        Of the DNA channel.
    book : MaskBook
        Masks of this input, with the roles as names of images.
    notes : tuple of str
    """

    files: tuple[Path, ...]
    is_stack: bool
    channels: dict[str, int]
    pixel_size_um: float
    book: MaskBook
    notes: tuple[str, ...] = ()


def inspect_input(study: Study, sample: Sample) -> Input:
    """Open a sample's file and resolve the channels.

    Raises
    ------
    StudyError
        A channel of the study is not in the file, the BNE mask cannot be computed
        of it, or the file does not say its pixel size and the study does not either.
    FormatError, StackError
        The file is damaged or of no known kind.
    """
    stack = is_stack(sample.file)
    files: tuple[Path, ...] = (sample.file,)
    notes: Sequence[str] = ()
    with CellStack.open(sample.file) if stack else open_acquisition(sample.file) as source:
        channels: Sequence[Channel] = source.channels
        if not stack:
            notes = [f"sample {sample.id}: {note}" for note in getattr(source, "notes", ())]
            images = getattr(source, "cif_path", None)
            files = (sample.file,) if images is None else (sample.file, images)
    places = {}
    for role, wanted in study.settings.channels.items():
        try:
            places[role] = channel_rows(channels, [wanted])[0]
        except UsageError as error:
            msg = f"{study.path}: channels.{role}: sample {sample.id}, {sample.file.name}: {error}"
            raise StudyError(msg) from error
    size = study.settings.candidates.pixel_size_um or channels[places[study.dna_role]].pixel_size_um
    if size is None:
        msg = (
            f"{study.path}: sample {sample.id}: {sample.file.name} does not say the size of a pixel; "
            "add pixel_size_um = ... under [candidates]"
        )
        raise StudyError(msg)
    book = MaskBook(channels, images=places)
    try:
        book.check(study.mask)
    except UsageError as error:
        msg = f"{study.path}: candidates.mask: sample {sample.id}, {sample.file.name}: {error}"
        raise StudyError(msg) from error
    return Input(files, stack, places, size, book, tuple(notes))


def make_stack(source: Path, target: Path, *, workers: int, progress: Progress) -> Path:
    """Convert a sample's file; the stack appears under its name when it is complete."""
    return convert(source, target, workers=workers, overwrite=True, progress=progress).outputs[0]


def write_spots(
    stack: Path,
    target: Path,
    found: Input,
    *,
    mask: str,
    workers: int,
    progress: Progress,
) -> Path:
    """Count the spots of `mask` of every object of a stack and write ``object,spot_count``."""
    with CellStack.open(stack) as cells:
        count = _counter(cells, found, mask)
        starts = range(0, len(cells), BATCH)
        parts: list[NDArray[np.int64]] = []
        for i, part in enumerate(in_order(count, starts, workers=workers)):
            parts.append(part)
            progress(f"spots {target.stem}", min((i + 1) * BATCH, len(cells)), len(cells))
        counts = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        rows = zip(map(str, cells.object_numbers.tolist()), map(str, counts.tolist()), strict=True)
        return write_text(target, csv_text(("object", "spot_count"), list(rows)))


def _counter(cells: CellStack, found: Input, mask: str) -> Callable[[int], NDArray[np.int64]]:
    def count(start: int) -> NDArray[np.int64]:
        batch = cells.read_batch(list(range(start, min(start + BATCH, len(cells)))))
        work = found.book.workspace(Planes(batch, cells.channels, pixel_size_um=found.pixel_size_um))
        return spot_count(work, mask).astype(np.int64)

    return count


def read_spots(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Object numbers and spot counts that :func:`write_spots` wrote, each ``(N,)``."""
    with path.open(encoding="utf-8", newline="") as file:
        rows: list[Any] = list(csv.reader(file))[1:]
    table = np.array(rows, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
