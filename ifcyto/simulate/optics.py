"""What the lens does to a plane: transfer functions of focus, pixel and motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.simulate.parameters import Optics

__all__ = ["Lens", "defocus_blur", "lens_blur"]


def lens_blur(wavelength_um: float, optics: Optics) -> float:
    """Standard deviation (um) of the Gaussian nearest to the point spread function in focus.

    ``sqrt(2) / (k NA)`` with ``k = 2 pi / wavelength``: 0.225 wavelength / NA, for a
    wide-field microscope (Zhang, Zerubia, Olivo-Marin 2007, Appl. Opt. 46:1819).

    Examples
    --------
    >>> from ifcyto.simulate.parameters import Optics
    >>> round(lens_blur(0.6, Optics(numerical_aperture=0.75)), 3)
    0.18
    """
    return float(np.sqrt(2.0) * wavelength_um / (2 * np.pi * optics.numerical_aperture))


def defocus_blur(optics: Optics) -> float:
    """Standard deviation (um) of the blur for each um out of focus.

    Geometry: light from a point leaves in a cone of half angle ``asin(NA / n)``; its
    disc of radius ``r`` has the standard deviation ``r / 2`` along each axis.

    Examples
    --------
    >>> from ifcyto.simulate.parameters import Optics
    >>> round(defocus_blur(Optics()), 2)
    0.34
    """
    return float(np.tan(np.arcsin(optics.numerical_aperture / optics.index)) / 2)


class Lens:
    """Transfer functions on the frequencies of square planes of `side` pixels.

    Parameters
    ----------
    optics : Optics
    side : int
        Planes are ``(n, side, side)``.
    """

    def __init__(self, optics: Optics, side: int) -> None:
        self.optics, self.side = optics, side
        rows, columns = np.fft.fftfreq(side), np.fft.rfftfreq(side)  # cycles a pixel
        smear = np.exp(-2 * (np.pi * optics.smear_px * rows) ** 2)
        self.pixel = (np.sinc(rows) * smear)[:, None].astype(np.float32) * np.sinc(columns).astype(np.float32)
        self.row2 = ((rows / optics.pixel_um) ** 2).astype(np.float32)  # (cycles / um)^2
        self.column2 = ((columns / optics.pixel_um) ** 2).astype(np.float32)

    def forward(self, planes: NDArray[np.float32]) -> NDArray[np.complex64]:
        """Spectrum ``(n, side, side // 2 + 1)`` of planes."""
        spectrum: NDArray[np.complex64] = fft.rfft2(planes)
        return spectrum

    def back(self, spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
        """Planes of a spectrum, as the pixels of the moving image integrate them."""
        spectrum *= self.pixel
        planes: NDArray[np.float32] = fft.irfft2(spectrum, s=(self.side, self.side), overwrite_x=True)
        return planes

    def gaussian(self, sd_um: NDArray[np.float64]) -> NDArray[np.float32]:
        """Blur by a Gaussian of the standard deviation of each object ``(n,)``."""
        factor = (-2 * (np.pi * sd_um) ** 2).astype(np.float32)[:, None]
        rows, columns = np.exp(factor * self.row2), np.exp(factor * self.column2)
        transfer: NDArray[np.float32] = rows[:, :, None] * columns[:, None, :]
        return transfer

    def halo(self, transfer: NDArray[np.float32]) -> NDArray[np.float32]:
        """Add the light that is scattered widely: the share `halo_share` of the whole."""
        share = np.float32(self.optics.halo_share)
        wide = self.gaussian(np.array([self.optics.halo_um]))
        transfer *= 1 - share
        transfer += share * wide
        return transfer

    def phase(self, focus_um: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Transfer of phase and of absorption to brightfield contrast, by weak-object theory.

        At a distance ``z`` from focus a weak phase gives the contrast ``2 sin(pi l z f^2)``
        and a weak absorption ``-cos(pi l z f^2)``, ``l`` being the wavelength in the medium
        (Guigay 1977, Optik 49:121); partial coherence is a Gaussian blur (approximation).
        A cell is no weak object, so the strengths are effective ones.
        """
        optics = self.optics
        f2 = self.row2[:, None] + self.column2[None, :]
        angle = np.pi * optics.lamp_um / optics.index * focus_um.astype(np.float32)[:, None, None] * f2
        sd = np.hypot(optics.coherence_um, lens_blur(optics.lamp_um, optics))
        blur = self.gaussian(np.array([sd]))
        return 2 * np.sin(angle) * blur, -np.cos(angle) * blur
