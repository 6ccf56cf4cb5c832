"""From any readable input to a feature table, in batches and in threads."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifcyto._output import refuse_existing
from ifcyto.errors import OutputError, UsageError
from ifcyto.features.table import in_memory, open_table_writer
from ifcyto.pipeline.export_tables import export_fcs
from ifcyto.pipeline.measure_job import MeasureOptions, csv_writer, open_job
from ifcyto.pipeline.objects import objects_per_source
from ifcyto.pipeline.parallel import in_background, n_workers, no_progress
from ifcyto.pipeline.sources import refuse_input_as_output
from ifcyto.provenance import provenance

if TYPE_CHECKING:
    from anndata import AnnData

    from ifcyto.pipeline.feature_choice import FeatureChoice
    from ifcyto.pipeline.objects import ObjectChoice
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.readers.base import Reader
    from ifcyto.stack.cell_stack import CellStack

__all__ = ["MeasureOptions", "MeasureResult", "measure", "measure_to_file"]


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """What a measurement wrote.

    Parameters
    ----------
    output : pathlib.Path
    n_objects, n_features : int
    approximations : int
        Features whose values may differ from IDEAS'.
    notes : tuple of str
    """

    output: Path
    n_objects: int
    n_features: int
    approximations: int
    notes: tuple[str, ...] = ()


def measure(
    source: CellStack | Reader | Path | str,
    features: FeatureChoice = "ideas",
    *,
    options: MeasureOptions | None = None,
    objects: ObjectChoice = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> AnnData:
    """Measure every object; the table is held in memory.

    Parameters
    ----------
    source : CellStack, Reader or path-like
        A stack, or any readable input.
    features : str, path or sequence of str
        A set (``basic``, ``ideas``, ``fbml``, ``beyond``), names of columns, a file
        of names, or an IDEAS template (DAF).
    options : MeasureOptions, optional
    objects : path or sequence of int, optional
        A ``.pop`` or CSV file or object numbers; all objects by default.
    workers : int, optional
        Threads; all cores by default.
    progress : callable, optional
        Called as ``progress(task, done, total)`` in objects.

    Returns
    -------
    anndata.AnnData
        One row an object, in the order of `source`; see ``data_schemas/feature_table.md``.

    Raises
    ------
    UsageError
        A feature, mask, image or the pixel size is not there.
    FormatError, StackError
        The input cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from ifcyto.samples.demo import write_demo_cif
    >>> path = write_demo_cif(Path(tempfile.mkdtemp()) / "a.cif", n_cells=3)
    >>> table = measure(path, ["Area_M01", "Area_MC"])
    >>> table.shape, table.var["unit"].tolist()
    ((3, 2), ['um2', 'um2'])
    """
    with ExitStack() as files:
        numbers = objects_per_source(objects, 1)[0]
        job = open_job(source, features, options or MeasureOptions(), files, numbers)
        values = np.empty((len(job.source), len(job.plan.columns)))
        with closing(job.batches(n_workers(workers), progress or no_progress)) as batches:
            for first, part in batches:
                values[first : first + len(part)] = part
        record = provenance(sources=job.inputs, options=job.recorded(features))
        return in_memory(values, job.obs(), job.var(), job.header(record))


def measure_to_file(
    source: Path | str,
    output: Path | str,
    features: FeatureChoice = "ideas",
    *,
    csv_path: Path | str | None = None,
    fcs_path: Path | str | None = None,
    options: MeasureOptions | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> MeasureResult:
    """Measure every object and write the table as it comes; memory does not grow with the objects.

    Parameters
    ----------
    source : path-like
        A stack, or any readable input.
    output : path-like
        Feature table (``.h5ad``).
    features, options, workers, progress
        As in :func:`measure`.
    csv_path : path-like, optional
        Also write the values as CSV: ``object``, then the features.
    fcs_path : path-like, optional
        Also write them as FCS 3.1; the table is then read back into memory.
    overwrite : bool
        Replace existing output.

    Raises
    ------
    UsageError, FormatError, StackError
        As :func:`measure`.
    OutputError
        The output exists and `overwrite` is False, or cannot be written.
    """
    outputs = [Path(path) for path in (output, csv_path, fcs_path) if path is not None]
    _check_outputs(outputs, overwrite=overwrite)
    with ExitStack() as files:
        job = open_job(source, features, options or MeasureOptions(), files)
        for path in outputs:
            refuse_input_as_output(job.inputs, path)
        record = in_background(lambda: provenance(sources=job.inputs, options=job.recorded(features)))
        var = job.var()
        writers = []
        if csv_path is not None:
            writers.append(files.enter_context(csv_writer(Path(csv_path), job, overwrite=overwrite)))
        table = open_table_writer(
            output, obs=job.obs(), var=var, header=lambda: job.header(record.result()), overwrite=overwrite
        )
        writers.append(files.enter_context(table))
        with closing(job.batches(n_workers(workers), progress or no_progress)) as batches:
            for first, part in batches:
                for append in writers:
                    append(first, part)
    notes = job.notes
    if fcs_path is not None:
        notes += export_fcs(output, fcs_path, overwrite=overwrite).notes
    return MeasureResult(
        Path(output), len(job.source), len(var), int(var["approximation"].sum()), tuple(notes)
    )


def _check_outputs(outputs: list[Path], *, overwrite: bool) -> None:
    """Refuse outputs that cannot be, before any work."""
    for path in outputs:
        if path.is_dir():
            msg = f"{path}: expected the name of a file to write, found a folder"
            raise OutputError(msg)
        refuse_existing(path, overwrite=overwrite)
    if len({path.resolve() for path in outputs}) < len(outputs):
        msg = f"{outputs[0]}: expected another file for each output, found the same"
        raise UsageError(msg)
