"""An input opened for measuring: what is to be computed of it, batch after batch."""

from __future__ import annotations

import csv
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto._output import replacing
from ifcyto.errors import UsageError
from ifcyto.features.sets import SETS, image_names
from ifcyto.features.table import describe_columns, object_rows, table_header
from ifcyto.pipeline.feature_choice import plan_features
from ifcyto.pipeline.measure_parts import image_sizes, in_parts, rows_at_once
from ifcyto.pipeline.parallel import in_order
from ifcyto.pipeline.sources import BATCH_ROWS, Source, open_source
from ifcyto.planes import Planes
from ifcyto.readers.base import Reader
from ifcyto.readers.daf import DafReader
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.frames import channel_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ifcyto.cells import Channel
    from ifcyto.pipeline.feature_choice import FeatureChoice
    from ifcyto.pipeline.feature_plan import FeaturePlan
    from ifcyto.pipeline.parallel import Progress

__all__ = ["MeasureJob", "MeasureOptions", "csv_writer", "open_job", "pixel_size"]

LEAST_UM, MOST_UM = 1e-3, 1e3
"""Sides of a pixel, in micrometres, that can be meant."""


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """What to measure, and how; every setting has a sound default.

    Parameters
    ----------
    masks : mapping of str to str
        Further masks, by name, in either form of IDEAS' grammar.
    images : mapping of str to str or int
        Names of images in the definitions to names or numbers of channels.
    roles : mapping of str to str or int
        Role to the name or number of a channel, as in a study. Roles are names of
        images, and the named sets then hold features of these channels only.
    dna : str or None
        Name of the DNA image, for the nuclear mask of the set ``fbml``.
    pixel_size_um : float or None
        Side of a pixel; needed only where the input does not say it.
    skip_unknown : bool
        Leave out features of a DAF that ifcyto does not have.
    """

    masks: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str | int] = field(default_factory=dict)
    roles: Mapping[str, str | int] = field(default_factory=dict)
    dna: str | None = None
    pixel_size_um: float | None = None
    skip_unknown: bool = False


def pixel_size(channels: Sequence[Channel], given: float | None, place: str) -> float:
    """Side of a pixel in micrometres: what the user says, else what all channels say.

    Raises
    ------
    UsageError
        Nobody says it, the channels differ, or it is not from :data:`LEAST_UM` to :data:`MOST_UM`.
    """
    sizes = {channel.pixel_size_um for channel in channels} if given is None else {given}
    (size, *others) = sizes
    if size is None or others:
        found = "none" if sizes == {None} else ", ".join(str(size) for size in sorted(sizes, key=str))
        msg = f"{place}: expected one pixel size for all channels, found {found}; give it (--pixel-size, um)"
        raise UsageError(msg)
    if not LEAST_UM <= size <= MOST_UM:
        msg = (
            f"{place}: expected the side of a pixel as a positive number of micrometres, found {size} "
            f"({LEAST_UM:g} to {MOST_UM:g} can be meant)"
        )
        raise UsageError(msg)
    return float(size)


@dataclass(frozen=True, slots=True, eq=False)
class MeasureJob:
    """An opened input and what is to be computed of it."""

    source: Source
    channels: tuple[Channel, ...]
    plan: FeaturePlan
    path: Path
    pixel_size_um: float
    options: MeasureOptions
    lists: tuple[Path, ...] = ()

    @property
    def inputs(self) -> list[Path]:
        """Files that are read, the images' first; the CIF of a DAF and a list of features among them."""
        reader = self.source.reader
        images = [reader.cif_path] if isinstance(reader, DafReader) else []
        return list(dict.fromkeys([self.path, *images, *self.lists]))

    def obs(self) -> Any:
        """Rows of the table."""
        extra: dict[str, NDArray[Any]] = {}
        reader = self.source.reader
        if isinstance(reader, CellStack) and not np.array_equal(
            reader.source_object_numbers, reader.object_numbers
        ):
            rows = slice(None) if self.source.rows is None else self.source.rows
            extra = {"source": reader.sources[rows], "source_object": reader.source_object_numbers[rows]}
        return object_rows(self.source.object_numbers, sample=self.path.stem, extra=extra)

    def var(self) -> Any:
        """Columns of the table."""
        described = describe_columns(self.plan.columns)
        described["approximation"] = self.plan.approximations(stored_masks=self.source.reader.has_masks)
        return described

    @property
    def notes(self) -> list[str]:
        """What a user should know."""
        notes = [*self.source.notes, *self.plan.notes]
        if not self.source.reader.has_masks:
            notes.append("the input has no masks: they were computed, an approximation of IDEAS' own")
        return notes

    def recorded(self, features: FeatureChoice) -> dict[str, Any]:
        """Settings that change the table."""
        chosen = (
            Path(features).name
            if isinstance(features, (str, Path))
            else [getattr(one, "name", one) for one in features]
        )
        names = ("masks", "images", "roles", "dna", "skip_unknown")
        given = {name: value for name in names if (value := getattr(self.options, name))}
        return {"step": "measure", "features": chosen, "pixel_size_um": self.pixel_size_um, **given}

    def header(self, record: Mapping[str, Any]) -> dict[str, str]:
        """What the table says of itself."""
        return table_header(
            masks=self.plan.masks(),
            pixel_size_um=self.pixel_size_um,
            channels=image_names(self.channels),
            provenance=record,
        )

    def batches(self, workers: int, progress: Progress) -> Generator[tuple[int, NDArray[np.float64]]]:
        """Yield the first row and the values of batch after batch."""
        n_objects, task = len(self.source), f"measuring {self.path.name}"
        sizes = image_sizes(self.source.reader)

        def compute(start: int) -> NDArray[np.float64]:
            wanted = self.source.rows
            stop = min(start + BATCH_ROWS, n_objects)
            rows = list(range(start, stop)) if wanted is None else wanted[start:stop].tolist()
            values = [
                self.plan.compute(Planes(part, self.channels, pixel_size_um=self.pixel_size_um))
                for few in rows_at_once(rows, sizes)
                for part in in_parts(self.source.reader.read_batch(few))
            ]
            return values[0] if len(values) == 1 else np.concatenate(values)

        progress(task, 0, n_objects)
        starts = range(0, n_objects, BATCH_ROWS)
        with closing(in_order(compute, starts, workers=workers)) as results:
            for start, values in zip(starts, results, strict=True):
                yield start, values
                progress(task, min(start + BATCH_ROWS, n_objects), n_objects)


def open_job(
    source: CellStack | Reader | Path | str,
    features: FeatureChoice,
    options: MeasureOptions,
    files: ExitStack,
    objects: NDArray[np.int64] | None = None,
) -> MeasureJob:
    """Open the input and resolve everything before the first pixel is read."""
    if isinstance(source, (CellStack, Reader)):
        rows = None if objects is None else np.unique(source.rows_of(objects))
        opened = Source(source, rows, list(range(len(source.channels))))
    else:
        opened = open_source(Path(source), objects, None, stacks=True)
        files.callback(opened.reader.close)
    path = opened.reader.path
    size = pixel_size(opened.channels, options.pixel_size_um, str(path))
    channels = with_roles(opened.channels, options.roles)
    plan = plan_features(
        channels,
        features,
        masks=options.masks,
        images=options.images,
        dna=options.dna,
        skip_unknown=options.skip_unknown,
    )
    named = isinstance(features, (str, Path)) and features not in SETS
    return MeasureJob(opened, channels, plan, path, size, options, (Path(str(features)),) if named else ())


def with_roles(channels: Sequence[Channel], roles: Mapping[str, str | int]) -> tuple[Channel, ...]:
    """Channels that know their roles.

    Raises
    ------
    UsageError
        A channel is not there.

    Examples
    --------
    >>> from ifcyto.cells import Channel
    >>> with_roles([Channel(1, "a"), Channel(5, "b")], {"DRAQ5": 5})[1].role
    'DRAQ5'
    """
    found = list(channels)
    for role, wanted in roles.items():
        place = channel_rows(channels, wanted)[0]
        found[place] = replace(found[place], role=role)
    return tuple(found)


@contextmanager
def csv_writer(
    path: Path, job: MeasureJob, *, overwrite: bool
) -> Iterator[Callable[[int, NDArray[np.float64]], None]]:
    """Write ``object`` and the features row by row; a value that cannot be computed is ``NaN``."""
    numbers = job.source.object_numbers
    with (
        replacing(path, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["object", *(column.name for column in job.plan.columns)])

        def append(first: int, values: NDArray[np.float64]) -> None:
            for number, row in zip(numbers[first:].tolist(), values.tolist(), strict=False):
                writer.writerow([number, *("NaN" if value != value else repr(value) for value in row)])

        yield append
