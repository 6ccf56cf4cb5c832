"""Images back to files that other programs read: CIF, OME-TIFF, single TIFFs.

Names of persons and folders stay behind unless they are asked for.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ifcyto.errors import OutputError, UsageError
from ifcyto.pipeline.objects import objects_per_source
from ifcyto.pipeline.parallel import n_workers, no_progress
from ifcyto.pipeline.sources import (
    as_paths,
    common_form,
    is_stack,
    magnification,
    open_source,
    read_batches,
    refuse_input_as_output,
)
from ifcyto.readers.cif import CifReader
from ifcyto.readers.registry import reader_class
from ifcyto.writers.cif import subset_cif, write_cif
from ifcyto.writers.tiff import write_object_tiffs, write_ome_tiff

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from ifcyto.cells import Cell, Channel
    from ifcyto.pipeline.objects import ObjectChoice
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.pipeline.sources import Source

__all__ = ["ExportResult", "export_cif", "export_object_tiffs", "export_ome_tiff"]

DEFAULT_MAGNIFICATION = 40.0


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export wrote: the file or folder, how many objects, and notes for the user."""

    path: Path
    n_objects: int
    notes: tuple[str, ...] = ()


class TiffWriter(Protocol):
    """What the two TIFF writers share."""

    def __call__(
        self,
        cells: Iterable[Cell],
        folder: Path,
        /,
        *,
        channels: Sequence[Channel],
        prefix: str,
        overwrite: bool,
    ) -> Path:
        """Write cells into a folder."""
        ...


def export_cif(
    inputs: Path | str | Sequence[Path | str],
    output: Path | str,
    *,
    objects: ObjectChoice | Sequence[ObjectChoice] = None,
    channels: Sequence[str | int] | None = None,
    keep_personal: bool = False,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportResult:
    """Write a subset or a merge as one compensated image file.

    When all inputs are CIF or RIF files and all channels are kept, images, masks
    and tags are copied byte for byte; otherwise the cells are encoded anew.

    Parameters
    ----------
    inputs : path-like or sequence of path-like
        Readable inputs or cell stacks with the same channels.
    output : path-like
        The file.
    objects : path, sequence of int, or one of these for each input, optional
        A ``.pop`` or CSV file or object numbers; all objects by default.
    channels : sequence of str or int, optional
        Names or numbers of the channels to keep; all by default.
    keep_personal : bool
        Keep the operator's name and the paths that a CIF may hold.
    workers : int, optional
        Threads; all cores by default.
    overwrite : bool
        Replace existing output.
    progress : callable, optional
        Called as ``progress(task, done, total)``.

    Returns
    -------
    ExportResult
        A note says when objects were numbered anew because numbers collided.

    Raises
    ------
    UsageError
        An object or a channel is not there, or the inputs differ.
    FormatError, StackError
        An input is damaged.
    OutputError
        The output exists and `overwrite` is False, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.samples.demo import write_demo_cif
    >>> folder = Path(tempfile.mkdtemp())
    >>> export_cif(write_demo_cif(folder / "a.cif", n_cells=9), folder / "b.cif", objects=[2, 7]).n_objects
    2
    """
    paths, output = as_paths(inputs), Path(output)
    chosen = objects_per_source(objects, len(paths))
    report = progress or no_progress
    refuse_input_as_output(paths, output)
    _free(output, overwrite=overwrite)
    if channels is None and all(not is_stack(path) and reader_class(path) is CifReader for path in paths):
        report(f"writing {output.name}", 0, 0)
        copied = subset_cif(
            paths,
            output,
            objects=[None if numbers is None else numbers.tolist() for numbers in chosen],
            keep_personal=keep_personal,
            overwrite=overwrite,
            progress=lambda done, total: report(f"writing {output.name}", done, total),
        )
        return ExportResult(output, copied.n_objects, _note(len(paths)) if copied.renumbered else ())
    with _opened(paths, chosen, channels) as sources:
        form = common_form(sources)
        numbers = np.concatenate([source.object_numbers for source in sources])
        renumber = len(np.unique(numbers)) < len(numbers)
        with closing(_cells(sources, n_workers(workers), report)) as cells:
            write_cif(
                (replace(cell, object_number=i) for i, cell in enumerate(cells)) if renumber else cells,
                output,
                channels=form[0],
                magnification=magnification(sources[0].reader.metadata) or DEFAULT_MAGNIFICATION,
                overwrite=overwrite,
            )
    return ExportResult(output, len(numbers), _note(len(paths)) if renumber else ())


def export_ome_tiff(
    inputs: Path | str | Sequence[Path | str],
    output: Path | str,
    *,
    objects: ObjectChoice | Sequence[ObjectChoice] = None,
    channels: Sequence[str | int] | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportResult:
    """Write one OME-TIFF for each object, all channels in it.

    Parameters are those of :func:`export_cif`; `output` is a folder. Several
    inputs get a folder each in it. No metadata of persons is written.

    Returns
    -------
    ExportResult

    Raises
    ------
    UsageError, FormatError, StackError, OutputError
        As :func:`export_cif`.
    """
    write = partial(_export_tiffs, write_ome_tiff, inputs, output, objects, channels)
    return write(workers=workers, overwrite=overwrite, progress=progress)


def export_object_tiffs(
    inputs: Path | str | Sequence[Path | str],
    output: Path | str,
    *,
    objects: ObjectChoice | Sequence[ObjectChoice] = None,
    channels: Sequence[str | int] | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportResult:
    """Write one TIFF for each object and channel, named as IDEAS names its export.

    Parameters are those of :func:`export_cif`; `output` is a folder. Several
    inputs get a folder each in it. No metadata of persons is written.

    Returns
    -------
    ExportResult

    Raises
    ------
    UsageError, FormatError, StackError, OutputError
        As :func:`export_cif`.
    """
    write = partial(_export_tiffs, write_object_tiffs, inputs, output, objects, channels)
    return write(workers=workers, overwrite=overwrite, progress=progress)


def _export_tiffs(
    write: TiffWriter,
    inputs: Path | str | Sequence[Path | str],
    output: Path | str,
    objects: ObjectChoice | Sequence[ObjectChoice],
    channels: Sequence[str | int] | None,
    *,
    workers: int | None,
    overwrite: bool,
    progress: Progress | None,
) -> ExportResult:
    paths, output = as_paths(inputs), Path(output)
    chosen = objects_per_source(objects, len(paths))
    names = [path.name if path.is_dir() else path.name.split(".")[0] or path.stem for path in paths]
    if len(set(names)) < len(names):
        msg = f"{output}: two inputs of one name would be written to one folder; export them to two"
        raise UsageError(msg)
    refuse_input_as_output(paths, output)
    folders = [output] if len(paths) == 1 else [output / name for name in names]
    with _opened(paths, chosen, channels) as sources:
        if len(paths) > 1:
            _make_folder(output)
        for source, folder, name in zip(sources, folders, names, strict=True):
            with closing(_cells([source], n_workers(workers), progress or no_progress)) as cells:
                write(cells, folder, channels=source.channels, prefix=name, overwrite=overwrite)
        return ExportResult(output, sum(len(source) for source in sources))


@contextmanager
def _opened(
    paths: list[Path], chosen: list[NDArray[np.int64] | None], channels: Sequence[str | int] | None
) -> Iterator[list[Source]]:
    """Open all inputs, readers or stacks, and close them in the end."""
    with ExitStack() as open_files:
        sources = []
        for path, numbers in zip(paths, chosen, strict=True):
            source = open_source(path, numbers, channels, stacks=True)
            open_files.callback(source.reader.close)
            sources.append(source)
        yield sources


def _cells(sources: list[Source], workers: int, progress: Progress) -> Generator[Cell]:
    for source in sources:
        task = f"exporting {source.reader.path.name}"
        with closing(read_batches(source, workers=workers, progress=progress, task=task)) as batches:
            for _, batch in batches:
                yield from batch.cells()


def _note(n_inputs: int) -> tuple[str, ...]:
    return (f"object numbers of the {n_inputs} inputs collide: numbered anew from 0 in their order",)


def _free(path: Path, *, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        msg = f"{path}: exists already; choose another name or overwrite it (--overwrite)"
        raise OutputError(msg)
    _make_folder(path.parent)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{path}: the folder cannot be made: {error.strerror or error}"
        raise OutputError(msg) from error
