"""Write a page of many cells as one TIFF: raw pixels, and which cell stands where."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from ifcyto._output import replacing
from ifcyto.errors import FormatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["PlacedCell", "read_page_tiff", "write_page_tiff"]


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """Where a cell stands on a page.

    Parameters
    ----------
    sample : str
    object : int
        Object number.
    label : str
        Class that it was given; empty without one.
    row, column : int
        Upper left pixel.
    height, width : int
        Of the cell's strip, px.
    """

    sample: str
    object: int
    label: str
    row: int
    column: int
    height: int
    width: int


def write_page_tiff(
    path: Path | str,
    planes: NDArray[Any],
    *,
    channels: Sequence[str],
    cells: Sequence[PlacedCell],
    pixel_size_um: float | None = None,
    overwrite: bool = False,
) -> Path:
    """Write planes as they are, uncompressed, one TIFF page a channel.

    Parameters
    ----------
    path : path-like
    planes : ndarray (C, H, W)
        In any dtype that TIFF knows.
    channels : sequence of str (C,)
    cells : sequence of PlacedCell
    pixel_size_um : float, optional
    overwrite : bool

    Returns
    -------
    pathlib.Path
        The file; the first page's description is JSON with ``channels``, ``pixel_size_um``
        and ``cells``.

    Raises
    ------
    UsageError
        As many names as planes are expected.
    OutputError
        The file exists and `overwrite` is False, or the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "page.tif"
    >>> cell = PlacedCell("", 7, "BNE", 0, 0, 2, 3)
    >>> _ = write_page_tiff(path, np.zeros((1, 2, 3), np.int16), channels=["BF"], cells=[cell])
    >>> read_page_tiff(path)[2][0].object
    7
    """
    path = Path(path)
    if planes.ndim != 3 or len(planes) != len(channels):
        msg = (
            f"{path}: expected planes (C, H, W) and a name of each, found {planes.shape} and {len(channels)}"
        )
        raise UsageError(msg)
    said = {"channels": list(channels), "pixel_size_um": pixel_size_um, "cells": [asdict(c) for c in cells]}
    with replacing(path, overwrite=overwrite) as temporary, tifffile.TiffWriter(temporary) as file:
        for place, plane in enumerate(planes):
            file.write(
                np.ascontiguousarray(plane),
                photometric="minisblack",
                description=json.dumps(said) if not place else None,
                metadata=None,
                software=False,
            )
    return path


def read_page_tiff(path: Path | str) -> tuple[NDArray[Any], tuple[str, ...], tuple[PlacedCell, ...]]:
    """Read what :func:`write_page_tiff` wrote: planes ``(C, H, W)``, channels and cells.

    Raises
    ------
    FormatError
        The file is none of these.
    """
    try:
        with tifffile.TiffFile(path) as file:
            planes = np.stack([page.asarray() for page in file.pages])
            said = json.loads(file.pages.first.description)
        return planes, tuple(said["channels"]), tuple(PlacedCell(**cell) for cell in said["cells"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, tifffile.TiffFileError) as error:
        raise FormatError(path, f"expected a page of cells (TIFF): {error}") from error
