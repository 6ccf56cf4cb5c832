"""What a stack's writer needs before pixels flow: a dtype, a free name, channels, batches."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from ifcyto.cells import CellBatch
from ifcyto.errors import OutputError, UsageError
from ifcyto.stack import layout
from ifcyto.stack.streams import clean_text, text_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import h5py

    from ifcyto.cells import Channel

__all__ = ["batched", "pixel_dtype", "refuse_output", "write_channels"]

CELLS_AT_ONCE = 256


def pixel_dtype(dtype: Any) -> np.dtype[Any]:
    """Native form of a storable pixel dtype, or a :class:`UsageError`."""
    native: np.dtype[Any] = np.dtype(dtype).newbyteorder("=")
    if native not in layout.PIXEL_DTYPES:
        msg = f"expected pixels of {', '.join(map(str, layout.PIXEL_DTYPES))}; found {native}"
        raise UsageError(msg)
    return native


def refuse_output(path: Path, *, overwrite: bool) -> None:
    """Raise :class:`OutputError` where `path` may not be made."""
    if not path.parent.is_dir():
        msg = f"{path}: expected the folder {path.parent} to exist: make it first"
        raise OutputError(msg)
    if path.is_dir():
        msg = f"{path}: expected a file name, found a folder"
        raise OutputError(msg)
    if path.exists() and not overwrite:
        msg = f"{path}: exists already: choose another name or allow overwriting"
        raise OutputError(msg)


def write_channels(file: h5py.File, channels: Sequence[Channel]) -> None:
    """Write the channel table, one dataset a field."""
    n = len(channels)
    for name, dtype in layout.CHANNEL_COLUMNS.items():
        values = [getattr(channel, name) for channel in channels]
        if dtype == "str":
            column = text_array(clean_text(value) for value in values)
        else:
            column = np.array([np.nan if value is None else value for value in values], dtype)
        key = layout.channel_key(name)
        file.create_dataset(
            key, data=column, chunks=(n,), compression="gzip", shuffle=True, track_times=False
        )


def batched(items: Iterator[Any], n_channels: int, dtype: np.dtype[Any]) -> Iterator[CellBatch]:
    """Pass batches on and pack single cells into batches."""
    for batch, group in itertools.groupby(items, lambda item: isinstance(item, CellBatch)):
        if batch:
            yield from group
            continue
        while cells := list(itertools.islice(group, CELLS_AT_ONCE)):
            try:
                yield CellBatch.from_cells(cells, n_channels=n_channels, dtype=dtype)
            except (TypeError, ValueError) as error:
                raise UsageError(str(error)) from error
