"""Patterns of chromatin, membrane and cytoplasm: correlated noise, cut from large periodic fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.simulate.parameters import Settings

__all__ = ["Textures", "correlated_field"]

FIELD = 320
"""Side of a field, px."""

PATCH_UM = 0.6  # um, standard deviation of the blur that makes the membrane's patches


def correlated_field(sd_px: float, rng: np.random.Generator, side: int = FIELD) -> NDArray[np.float32]:
    """White Gaussian noise blurred by a Gaussian, periodic, with mean 0 and standard deviation 1.

    Parameters
    ----------
    sd_px : float
        Standard deviation of the blur, px; the field's correlation falls to exp(-1/4)
        at this distance.
    rng : numpy.random.Generator
    side : int

    Returns
    -------
    ndarray (side, side) of float32
    """
    spectrum = fft.rfft2(rng.standard_normal((side, side)))
    f2 = np.fft.fftfreq(side)[:, None] ** 2 + np.fft.rfftfreq(side)[None, :] ** 2
    field = fft.irfft2(spectrum * np.exp(-2 * (np.pi * sd_px) ** 2 * f2), s=(side, side))
    field -= field.mean()
    scaled: NDArray[np.float32] = (field / field.std()).astype(np.float32)
    return scaled


class Textures:
    """Fields as factors of mean 1 (log-normal), and random windows of them.

    Parameters
    ----------
    settings : Settings
    rng : numpy.random.Generator
        Also draws the windows.
    """

    def __init__(self, settings: Settings, rng: np.random.Generator) -> None:
        stain, pixel = settings.stain, settings.optics.pixel_um
        self._rng = rng
        wanted = {
            "membrane": (PATCH_UM, stain.membrane_patch),
            "cytoplasm": (stain.granule_um, stain.granules),
        }
        wanted |= {f"stage {i}": (s.clump_um, s.clumping) for i, s in enumerate(settings.stages)}
        self._fields = {}
        for name, (blur_um, spread) in wanted.items():
            field = correlated_field(blur_um / pixel, rng)
            factor = np.exp(spread * field - spread**2 / 2)
            self._fields[name] = np.concatenate([factor, factor])  # rows wrap around
            self._fields[name] = np.concatenate([self._fields[name]] * 2, axis=1)

    def cut(self, name: str, n: int, side: int) -> NDArray[np.float32]:
        """Windows ``(n, side, side)`` at random places of a field."""
        field = self._fields[name]
        top, left = self._rng.integers(0, FIELD, (2, n))
        windows = np.lib.stride_tricks.sliding_window_view(field, (side, side))
        out: NDArray[np.float32] = windows[top, left]
        return out

    def chromatin(self, stages: NDArray[np.int64], side: int) -> NDArray[np.float32]:
        """Windows of each object's stage."""
        out = np.empty((len(stages), side, side), np.float32)
        for stage in np.unique(stages):
            mine = stages == stage
            out[mine] = self.cut(f"stage {stage}", int(mine.sum()), side)
        return out
