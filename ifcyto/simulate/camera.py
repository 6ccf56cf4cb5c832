"""From light to stored counts: shot and read noise, banding, saturation, spill and its compensation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.simulate.parameters import Camera

__all__ = ["Compensation", "expose"]


@dataclass(frozen=True, slots=True, eq=False)
class Compensation:
    """Spill of one sample between the two fluorescence channels, true and as estimated.

    Parameters
    ----------
    true, estimated : ndarray (2,)
        Light of CD235a in DRAQ5's channel, and the reverse, of its own.
    """

    true: NDArray[np.float64]
    estimated: NDArray[np.float64]

    @classmethod
    def draw(cls, camera: Camera, rng: np.random.Generator) -> Compensation:
        """True spill of the camera, and an estimate with its error."""
        true = np.array(camera.spill)
        return cls(true, true * (1 + rng.normal(0.0, camera.spill_error, 2)))


def expose(
    light: NDArray[np.float32],
    *,
    camera: Camera,
    compensation: Compensation,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Take the images and compensate them.

    Shot noise is Gaussian with the variance of Poisson's (an approximation that is good
    above some ten electrons; the stray light alone gives 300).

    Parameters
    ----------
    light : ndarray (3, n, S, S)
        As :class:`ifcyto.simulate.render.Light` has it.
    camera : Camera
    compensation : Compensation
    rng : numpy.random.Generator

    Returns
    -------
    counts : ndarray (3, n, S, S) of int16
        Brightfield as it is; CD235a and DRAQ5 less the estimated spill of the other, to
        the nearest count; below 0 where noise wins.
    saturated : ndarray (3, n, S, S) of bool
        Pixels at full scale before compensation.
    """
    _, n, side, _ = light.shape
    counts = np.empty(light.shape, np.float32)
    flicker = 1 + camera.lamp_flicker * rng.standard_normal((n, side, 1), np.float32)
    arriving = (
        camera.lamp * np.maximum(1 + light[0], 0.02) * flicker,
        light[1] + compensation.true[1] * light[2] + camera.stray[0],
        light[2] + compensation.true[0] * light[1] + camera.stray[1],
    )
    for channel, photons in enumerate(arriving):
        noise = rng.standard_normal(photons.shape, np.float32)
        variance = np.maximum(photons, 0.0) * np.float32(camera.gain)
        variance += np.float32(camera.read_noise**2)
        noise *= np.sqrt(variance, out=variance)
        noise += photons
        noise += camera.row_banding * rng.standard_normal((n, side, 1), np.float32) + camera.offset
        counts[channel] = noise
    np.clip(np.rint(counts, out=counts), 0, camera.full_scale, out=counts)
    saturated = counts >= camera.full_scale
    over = counts[1:] - np.array(camera.stray, np.float32)[:, None, None, None] - np.float32(camera.offset)
    counts[1] -= np.float32(compensation.estimated[1]) * over[1]
    counts[2] -= np.float32(compensation.estimated[0]) * over[0]
    return np.rint(counts).astype(np.int16), saturated
