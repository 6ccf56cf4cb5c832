"""From any readable input to cell stacks: many inputs, one stack each or one merged.

Objects are read and decoded in threads and written in file order; the digests
of the sources are computed meanwhile. Memory holds a few batches and a few
numbers per object, never the images of a file.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import OutputError, UsageError
from ifcyto.pipeline.objects import objects_per_source
from ifcyto.pipeline.parallel import in_background, n_workers, no_progress
from ifcyto.pipeline.personal import without_personal
from ifcyto.pipeline.sources import as_paths, common_form, open_source, read_batches, refuse_input_as_output
from ifcyto.provenance import provenance
from ifcyto.stack.write import StackWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from ifcyto.errors import Fault
    from ifcyto.pipeline.objects import ObjectChoice
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.sources import Source

__all__ = ["STACK_SUFFIXES", "ConvertResult", "convert"]

STACK_SUFFIXES = (".h5", ".hdf5")
"""An output that ends in one of these is one stack; any other is a folder of stacks."""


@dataclass(frozen=True, slots=True)
class ConvertResult:
    """What a conversion wrote.

    Parameters
    ----------
    outputs : tuple of pathlib.Path
        The stacks, in the order of the inputs.
    n_objects : tuple of int
        Objects in each stack.
    faults : tuple of (pathlib.Path, Fault)
        What was wrong in which input (only with `salvage`).
    notes : tuple of str
        What a user should know: holes in the numbers, renumbered objects, ...
    """

    outputs: tuple[Path, ...]
    n_objects: tuple[int, ...]
    faults: tuple[tuple[Path, Fault], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Options:
    channels: Sequence[str | int] | None
    workers: int
    salvage: bool
    overwrite: bool
    progress: Progress


def convert(
    inputs: Path | str | Sequence[Path | str],
    output: Path | str,
    *,
    objects: ObjectChoice | Sequence[ObjectChoice] = None,
    channels: Sequence[str | int] | None = None,
    workers: int | None = None,
    salvage: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ConvertResult:
    """Convert images of any readable kind to cell stacks, without loss.

    Parameters
    ----------
    inputs : path-like or sequence of path-like
        Files or folders.
    output : path-like
        A name ending in ``.h5`` is one stack (several inputs are merged into
        it); anything else is a folder that gets one stack for each input.
    objects : path, sequence of int, or one of these for each input, optional
        A ``.pop`` or CSV file or object numbers; all objects by default. The
        order is that of the input.
    channels : sequence of str or int, optional
        Names or numbers of the channels to keep; all by default.
    workers : int, optional
        Threads; all cores by default.
    salvage : bool
        Keep the intact objects of damaged inputs and report the faults, instead
        of stopping at the first one.
    overwrite : bool
        Replace existing output.
    progress : callable, optional
        Called as ``progress(task, done, total)`` in objects.

    Returns
    -------
    ConvertResult

    Raises
    ------
    UsageError
        An object or a channel is not there, inputs that are to be merged
        differ, or an input is a stack already.
    FormatError
        An input is damaged and `salvage` is False.
    OutputError
        The output exists and `overwrite` is False, or cannot be written.

    Notes
    -----
    When object numbers of merged inputs collide, all are numbered anew from 0 in
    the order of the inputs; the stack keeps each object's source and its number
    there, and a note says so.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.samples.demo import write_demo_cif
    >>> folder = Path(tempfile.mkdtemp())
    >>> result = convert(write_demo_cif(folder / "a.cif", n_cells=3), folder / "a.h5")
    >>> result.outputs[0].name, result.n_objects
    ('a.h5', (3,))
    """
    paths = as_paths(inputs)
    chosen = objects_per_source(objects, len(paths))
    options = _Options(channels, n_workers(workers), salvage, overwrite, progress or no_progress)
    jobs = _plan(paths, Path(output), overwrite=overwrite)
    parts = [
        _write_stack(path, [paths[i] for i in of], [chosen[i] for i in of], options) for path, of in jobs
    ]
    return ConvertResult(
        outputs=tuple(part.outputs[0] for part in parts),
        n_objects=tuple(part.n_objects[0] for part in parts),
        faults=tuple(fault for part in parts for fault in part.faults),
        notes=tuple(note for part in parts for note in part.notes),
    )


def _plan(paths: list[Path], output: Path, *, overwrite: bool) -> list[tuple[Path, list[int]]]:
    """Which stack is made of which inputs; nothing is written before all is known to be free."""
    if output.suffix.lower() in STACK_SUFFIXES and not output.is_dir():
        jobs = [(output, list(range(len(paths))))]
    else:
        names = [f"{path.name if path.is_dir() else path.stem}.h5" for path in paths]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"{output / twice[0]}: two inputs would be written to it; convert them to two folders"
            raise UsageError(msg)
        jobs = [(output / name, [i]) for i, name in enumerate(names)]
    for path, _ in jobs:
        refuse_input_as_output(paths, path)
        if path.exists() and not overwrite:
            msg = f"{path}: exists already; choose another name or overwrite it (--overwrite)"
            raise OutputError(msg)
    try:
        jobs[0][0].parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{jobs[0][0].parent}: the folder cannot be made: {error.strerror or error}"
        raise OutputError(msg) from error
    return jobs


def _write_stack(
    path: Path, paths: list[Path], chosen: list[NDArray[np.int64] | None], options: _Options
) -> ConvertResult:
    with ExitStack() as open_files:
        record = in_background(partial(provenance, sources=paths, options=_recorded(chosen, options)))
        sources = []
        for source_path, wanted in zip(paths, chosen, strict=True):
            options.progress(f"opening {source_path.name}", 0, 0)
            source = open_source(source_path, wanted, options.channels, salvage=options.salvage)
            open_files.callback(source.reader.close)
            sources.append(source)
        form = common_form(sources)
        firsts, notes = _numbering(sources)
        writer = open_files.enter_context(
            StackWriter(
                path,
                channels=form[0],
                dtype=form[1],
                has_masks=form[2],
                metadata=_metadata(sources),
                provenance={},
                overwrite=options.overwrite,
                workers=options.workers,
            )
        )
        n_objects = sum(_append(writer, i, s, firsts[i], options) for i, s in enumerate(sources))
        writer.provenance.update(record.result())
    faults = [(source.reader.path, fault) for source in sources for fault in source.faults]
    notes += [f"{source.reader.path.name}: {note}" for source in sources for note in source.notes]
    return ConvertResult((path,), (n_objects,), tuple(faults), tuple(notes))


def _append(writer: StackWriter, index: int, source: Source, first: int | None, options: _Options) -> int:
    """Write all wanted objects of one source; `first` is the number of its first one when renumbering."""
    n_objects = 0
    task = f"converting {source.reader.path.name}"
    batches = read_batches(source, workers=options.workers, progress=options.progress, task=task)
    with closing(batches):
        for ranks, batch in batches:
            n_objects += len(batch)
            if first is None:
                writer.append(batch, index)
            else:
                renumbered = replace(batch, object_numbers=first + ranks)
                writer.append(renumbered, index, source_object_numbers=batch.object_numbers)
    return n_objects


def _numbering(sources: list[Source]) -> tuple[list[int | None], list[str]]:
    """First new number of each source, or None where all keep their numbers."""
    numbers = np.concatenate([source.object_numbers for source in sources])
    if len(np.unique(numbers)) == len(numbers):
        return [None] * len(sources), []
    firsts = np.concatenate([[0], np.cumsum([len(source) for source in sources])[:-1]])
    note = (
        f"object numbers of the {len(sources)} inputs collide: numbered anew from 0; "
        "the stack keeps source and source_object_number"
    )
    return [int(first) for first in firsts], [note]


def _recorded(chosen: list[NDArray[np.int64] | None], options: _Options) -> dict[str, Any]:
    """What of the options changes the stack."""
    return {
        "step": "convert",
        "channels": None if options.channels is None else [str(channel) for channel in options.channels],
        "objects": [None if numbers is None else len(numbers) for numbers in chosen],
        "salvage": options.salvage,
    }


def _metadata(sources: list[Source]) -> dict[str, Any]:
    """The vendor's metadata without personal names: of one source as it is, of several in a list."""
    cleaned = [without_personal(source.reader.metadata) for source in sources]
    return cleaned[0] if len(cleaned) == 1 else {"sources": cleaned}
