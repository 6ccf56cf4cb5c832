"""How far two nuclei, or two lobes of one, show as two in the noise-free DNA image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from ifcyto.simulate.scenes import LOBES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.simulate.scenes import Scenes

__all__ = ["saddles"]

STEPS = 25
SMOOTHING_UM = 0.5  # as the eye, and as the default rule of candidates
FAINTEST = 0.3  # of the brighter peak: a fainter one is no second body
SMALLEST = 0.35  # of the larger one's area, likewise


def saddles(
    dna: NDArray[np.float32], scenes: Scenes, origin: NDArray[np.float64], pixel_um: float
) -> NDArray[np.float64]:
    """Lowest light between two nuclei or lobes over the lower of the two peaks, ``(n,)``.

    The image is smoothed by a Gaussian of :data:`SMOOTHING_UM`. The profile is read along
    the line between the centres of the first and the last body; each peak is the highest
    light on its third of the line and beyond.

    Parameters
    ----------
    dna : ndarray (n, S, S)
        Noise-free DNA light.
    scenes : Scenes
    origin : ndarray (n, 2)
        Pixel of each object's centre.
    pixel_um : float

    Returns
    -------
    ndarray (n,)
        1 where there is one body, or one is fainter than :data:`FAINTEST` or smaller
        than :data:`SMALLEST` of the other.
    """
    out = np.ones(len(scenes))
    second = np.where(scenes.nuclei[:, LOBES, 2] > 0, LOBES, 1)
    rows = np.flatnonzero(scenes.nuclei[np.arange(len(scenes)), second, 2] > 0)
    if not len(rows):
        return out
    first, last = (scenes.nuclei[rows, slot, :2] for slot in (0, second[rows]))
    steps = np.linspace(-0.2, 1.2, STEPS)[:, None, None]
    places = origin[rows] + (first + steps * (last - first)) / pixel_um  # (STEPS, m, 2)
    smooth = ndimage.gaussian_filter(dna[rows], (0, SMOOTHING_UM / pixel_um, SMOOTHING_UM / pixel_um))
    which = np.broadcast_to(np.arange(len(rows)), places.shape[:2])
    profile = ndimage.map_coordinates(
        smooth, [which, places[..., 0], places[..., 1]], order=1, mode="nearest"
    )
    at = steps[:, 0, 0]
    left, right = profile[at < 1 / 3].max(axis=0), profile[at > 2 / 3].max(axis=0)
    fainter, brighter = np.minimum(left, right), np.maximum(left, right)
    valley = profile[(at > 0) & (at < 1)].min(axis=0)
    areas = np.sort([scenes.nuclei[rows, slot, 2:4].prod(axis=1) for slot in (0, second[rows])], axis=0)
    clear = (fainter > FAINTEST * brighter) & (areas[0] > SMALLEST * areas[1])
    out[rows] = np.divide(valley, fainter, out=np.ones(len(rows)), where=clear)
    return np.minimum(out, 1.0)
