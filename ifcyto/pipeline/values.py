"""Feature values of the objects of one input: read where it holds them, else measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifcyto.pipeline.feature_files import from_table, is_feature_file, read_features
from ifcyto.pipeline.measure import MeasureOptions, measure

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ifcyto.pipeline.feature_choice import FeatureChoice
    from ifcyto.pipeline.parallel import Progress
    from ifcyto.readers.columns import FeatureColumns

__all__ = ["measured_or_read"]


def measured_or_read(
    path: Path,
    objects: NDArray[np.int64] | None,
    features: FeatureChoice = "fbml",
    measuring: MeasureOptions | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> FeatureColumns:
    """Measure objects of a stack or an image file, or read the whole of a feature table.

    Parameters
    ----------
    path : pathlib.Path
        A stack, any readable input, or a feature table.
    objects : ndarray (n,) of int64, optional
        Of images: the objects to measure; all by default.
    features : str, path or sequence of str
        As in :func:`ifcyto.pipeline.measure.measure`; of a feature table all columns.
    measuring : MeasureOptions, optional
    workers : int, optional
        Threads; all cores by default.
    progress : callable, optional

    Raises
    ------
    UsageError
        An object is not there, or the features cannot be measured.
    FormatError, StackError
        The input cannot be read.
    """
    if is_feature_file(path):
        return read_features(path)
    wanted = None if objects is None else objects.tolist()
    table = measure(path, features, options=measuring, objects=wanted, workers=workers, progress=progress)
    return from_table(table, path)
