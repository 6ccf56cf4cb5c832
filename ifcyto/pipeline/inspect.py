"""What is in an input, and is it sound."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import Channel
from ifcyto.errors import FormatError
from ifcyto.pipeline.description import Description, Population, SizeRange, channel_row
from ifcyto.pipeline.parallel import n_workers, no_progress
from ifcyto.pipeline.personal import without_personal
from ifcyto.pipeline.sources import Source, is_stack, magnification, read_batches
from ifcyto.readers.daf import DafReader
from ifcyto.readers.daf_document import read_daf
from ifcyto.readers.registry import HEAD_BYTES, open_acquisition, reader_class
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.check import check_stack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from ifcyto.errors import Fault
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.readers.base import Reader
    from ifcyto.readers.daf_records import DafDocument

__all__ = ["check", "describe"]

SAMPLED = 1000
"""Objects read to learn sizes and labels where the format does not list them."""

SOFTWARE = {"ideas_version": "IDEAS", "inspire_version": "INSPIRE", "instrument": "instrument"}
"""Vendor's metadata that name software and instrument: key and what people call it."""


def describe(path: Path | str, *, personal: bool = False, progress: Progress | None = None) -> Description:
    """Say what is in an input or a cell stack, without reading all of it.

    Parameters
    ----------
    path : path-like
        Any readable input, or a cell stack.
    personal : bool
        Also give the vendor's metadata that may name persons and folders.
    progress : callable, optional
        Called as ``progress(task, done, total)``.

    Returns
    -------
    Description

    Raises
    ------
    FormatError, StackError
        The input cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.samples.demo import write_demo_cif
    >>> description = describe(write_demo_cif(Path(tempfile.mkdtemp()) / "a.cif", n_cells=3))
    >>> description.format, description.n_objects, [c["name"] for c in description.channels]
    ('cif', 3, ['BF', 'CD235a', 'DRAQ5'])
    """
    path = Path(path)
    report = progress or no_progress
    report(f"opening {path.name}", 0, 0)
    if is_stack(path):
        with closing(CellStack.open(path)) as stack:
            return _of_stack(stack, personal=personal)
    try:
        reader = open_acquisition(path)
    except FormatError as error:
        if not _is_daf(path):
            raise
        return _of_document(read_daf(path), str(error))
    with reader:
        return _of_reader(reader, personal=personal, progress=report)


def check(path: Path | str, *, workers: int | None = None, progress: Progress | None = None) -> list[Fault]:
    """Read every object of an input or a cell stack and list every fault.

    Parameters
    ----------
    path : path-like
        Any readable input, or a cell stack.
    workers : int, optional
        Threads; all cores by default.
    progress : callable, optional
        Called as ``progress(task, done, total)`` in objects.

    Returns
    -------
    list of Fault
        In file order; empty for a sound file.

    Raises
    ------
    FormatError
        The input is missing or of no known kind. A file that is recognised and
        cannot be opened for its damage has that as its one fault.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.samples.demo import write_demo_cif
    >>> check(write_demo_cif(Path(tempfile.mkdtemp()) / "a.cif", n_cells=3))
    []
    """
    path = Path(path)
    report = progress or no_progress
    task = f"checking {path.name}"
    if is_stack(path):
        report(task, 0, 0)
        return check_stack(path)
    report(f"opening {path.name}", 0, 0)
    kind = reader_class(path)
    try:
        reader = kind(path, salvage=True)
    except FormatError as error:
        return [error.fault]
    with reader:
        source = Source(reader, None, list(range(len(reader.channels))))
        for _ in read_batches(source, workers=n_workers(workers), progress=report, task=task):
            pass
        return source.faults


def _is_daf(path: Path) -> bool:
    """Say whether `path` is a DAF, whose tables can be read without its images."""
    try:
        with path.open("rb") as file:
            return DafReader.sniff(path, file.read(HEAD_BYTES))
    except OSError:
        return False


def _of_document(document: DafDocument, why: str) -> Description:
    """Describe a DAF without its images."""
    images = {image.physical_channel: image for image in reversed(document.images)}
    channels = [Channel(number + 1, image.name) for number, image in sorted(images.items()) if number >= 0]
    return Description(
        file=document.path.name,
        format="daf",
        n_objects=document.object_count,
        channels=tuple(channel_row(channel) for channel in channels),
        sizes=None,
        dtype="not known: no images",
        has_masks=False,
        object_numbers=_ends(document.objects.object_numbers),
        software={"IDEAS": document.ideas_version},
        populations=_populations(document),
        notes=(*document.notes, f"without images: {why}"),
    )


def _of_reader(reader: Reader, *, personal: bool, progress: Progress) -> Description:
    document = reader.document if isinstance(reader, DafReader) else None
    sizes, labels = _look(reader, progress)
    software = _software(reader.metadata)
    if document is not None:
        software["IDEAS"] = document.ideas_version
    return Description(
        file=reader.path.name or reader.path.resolve().name,
        format=reader.format,
        n_objects=len(reader),
        channels=tuple(channel_row(channel) for channel in reader.channels),
        sizes=sizes,
        dtype=str(reader.dtype),
        has_masks=reader.has_masks,
        object_numbers=_ends(reader.object_numbers),
        magnification=magnification(reader.metadata),
        software=software,
        populations=() if document is None else _populations(document),
        labels=labels,
        notes=tuple(reader.notes),
        personal=_personal(reader.metadata) if personal else {},
    )


def _look(reader: Reader, progress: Progress) -> tuple[SizeRange | None, dict[str, int]]:
    """Sizes and labels: from the index where the reader has one, else from evenly spaced objects."""
    n_objects = len(reader)
    if not n_objects:
        return None, {}
    heights, widths = getattr(reader, "heights", None), getattr(reader, "widths", None)
    if heights is not None and widths is not None:
        return _size_range(heights, widths), {}
    rows = np.unique(np.linspace(0, n_objects - 1, min(n_objects, SAMPLED)).astype(np.int64))
    source = Source(reader, rows, list(range(len(reader.channels))))
    batches = read_batches(source, workers=n_workers(None), progress=progress, task="looking at objects")
    seen = [(batch.heights, batch.widths, batch.facts.get("label")) for _, batch in batches]
    found = Counter(
        label for _, _, labels in seen if labels is not None for label in labels.tolist() if label
    )
    heights, widths = (np.concatenate([part[i] for part in seen]) for i in (0, 1))
    return _size_range(heights, widths), dict(sorted(found.items()))


def _of_stack(stack: CellStack, *, personal: bool) -> Description:
    return Description(
        file=stack.path.name,
        format="cell stack",
        n_objects=len(stack),
        channels=tuple(channel_row(channel) for channel in stack.channels),
        sizes=_size_range(stack.heights, stack.widths),
        dtype=str(stack.dtype),
        has_masks=stack.has_masks,
        object_numbers=_ends(stack.object_numbers),
        magnification=magnification(stack.metadata),
        software=_software(stack.metadata) | {"ifcyto": str(stack.provenance.get("ifcyto", "unknown"))},
        personal=_personal(stack.metadata) if personal else {},
        provenance=dict(stack.provenance),
    )


def _populations(document: DafDocument) -> tuple[Population, ...]:
    counts = {statistic.population: int(statistic.count) for statistic in document.statistics}
    rows = []
    for population in document.populations:
        count = counts.get(population.name)
        if count is None and population.type == "T":
            count = len(population.tagged)
        elif count is None and population.type == "B":
            count = document.object_count
        axes = " x ".join(filter(None, (population.fx, population.fy)))
        gate = f"{population.region} on {axes} in {population.base}" if population.region else ""
        rows.append(Population(population.name, population.type, population.definition or gate, count))
    return tuple(rows)


def _size_range(heights: NDArray[np.int32], widths: NDArray[np.int32]) -> SizeRange | None:
    if not len(heights):
        return None
    low, high = (int(heights.min()), int(heights.max())), (int(widths.min()), int(widths.max()))
    return SizeRange(low, high, len(heights))


def _ends(numbers: NDArray[np.int64]) -> tuple[int, ...]:
    return (int(numbers.min()), int(numbers.max())) if len(numbers) else ()


def _software(metadata: Mapping[str, Any]) -> dict[str, str]:
    return {shown: str(metadata[name]) for name, shown in SOFTWARE.items() if metadata.get(name)}


def _personal(metadata: Mapping[str, Any]) -> dict[str, Any]:
    harmless = without_personal(metadata)
    return {name: value for name, value in metadata.items() if name not in harmless}
