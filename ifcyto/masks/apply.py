"""Run the nuclear mask and the spot count over many objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import MASK_OBJECT
from ifcyto.masks.nuclear import NuclearRule, nuclear_mask
from ifcyto.masks.spots import spot_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.cells import CellBatch

__all__ = ["spot_counts"]


def spot_counts(
    batch: CellBatch, channel: int, *, pixel_size_um: float, rule: NuclearRule | None = None
) -> NDArray[np.int64]:
    """Spot Count of the nuclear mask of every object of a batch.

    Parameters
    ----------
    batch : CellBatch
        Where it has masks, only pixels that are the object itself (value 1) in
        some channel can be nuclear. The stored background is used where there
        is one.
    channel : int
        Place of the DNA channel on the images' first axis, from 0.
    pixel_size_um : float
        Side of a pixel in micrometres.
    rule : NuclearRule, optional

    Returns
    -------
    ndarray (n,) of int64

    Examples
    --------
    >>> from ifcyto.samples.cells import simulate_sample
    >>> sample = simulate_sample(4, seed=1)
    >>> spot_counts(sample.batch, 2, pixel_size_um=0.5).tolist()
    [1, 2, 1, 2]
    """
    counts = np.zeros(len(batch), np.int64)
    for i, cell in enumerate(batch.cells()):
        mask = None if cell.masks is None else (cell.masks == MASK_OBJECT).any(axis=0)
        mean, sd = (
            None if values is None else float(values[channel])
            for values in (cell.background_mean, cell.background_sd)
        )
        counts[i] = spot_count(
            nuclear_mask(cell.images[channel], mask, mean, sd, pixel_size_um=pixel_size_um, rule=rule)
        )
    return counts
