"""From geometry to light: noise-free planes of brightfield, CD235a and DNA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.simulate.optics import Lens, defocus_blur, lens_blur
from ifcyto.simulate.scenes import LOBES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.simulate.parameters import Settings
    from ifcyto.simulate.scenes import Scenes
    from ifcyto.simulate.texture import Textures

__all__ = ["Light", "render"]

CAP_DEPTH = 0.6  # of the half axis: root mean square depth of a shell's caps (0.58 over a whole sphere)
LIMB_DEPTH = 0.2  # likewise of the ring that the shell's edge gives
NUCLEUS_DEPTH = 0.45  # 1 / sqrt(5), of a full sphere


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Noise-free planes of ``n`` objects, ``(n, S, S)`` float32.

    Parameters
    ----------
    planes : ndarray (3, n, S, S)
        Brightfield as contrast (0 is the empty field, -1 dark); CD235a and DNA in counts
        above the background.
    body : ndarray (n, S, S)
        Where the bodies are: below 1 inside, the squared distance in units of the half axes.
    """

    planes: NDArray[np.float32]
    body: NDArray[np.float32]


def render(
    scenes: Scenes,
    origin: NDArray[np.float64],
    side: int,
    *,
    settings: Settings,
    textures: Textures,
    focus_um: NDArray[np.float64],
    dyes: NDArray[np.float64],
) -> Light:
    """Draw objects on square planes.

    Parameters
    ----------
    scenes : Scenes
        ``n`` objects.
    origin : ndarray (n, 2)
        Pixel (row, column) at which each object's centre lies.
    side : int
        Side of the planes, px.
    settings : Settings
    textures : Textures
    focus_um : ndarray (n,)
        Distance of each object from the plane of focus, um.
    dyes : ndarray (n, 2)
        Brightness of CD235a and of DRAQ5 over the usual.

    Returns
    -------
    Light
    """
    canvas = _Canvas.about(origin, side, settings.optics.pixel_um)
    stain, lens = settings.stain, Lens(settings.optics, side)
    thick, limb, cap, body = _bodies(scenes, canvas, settings)
    patches = textures.cut("membrane", len(scenes), side)
    limb *= patches
    cap *= patches
    nucleus, dna = _nuclei(scenes, canvas, settings, textures)
    stages = scenes.stages
    per_um = defocus_blur(settings.optics)
    planes = np.empty((3, len(scenes), side, side), np.float32)
    # CD235a: the ring is nearer to focus than the caps above and below it.
    depth = scenes.bodies[:, 0, 5]
    sharp = lens_blur(settings.optics.emission_um[0], settings.optics)
    spectra = lens.forward(np.concatenate([limb, cap, dna])).reshape(3, len(scenes), side, -1)
    membrane = spectra[0] * lens.halo(lens.gaussian(_blur(sharp, per_um, focus_um, LIMB_DEPTH * depth)))
    membrane += spectra[1] * lens.halo(lens.gaussian(_blur(sharp, per_um, focus_um, CAP_DEPTH * depth)))
    planes[1] = lens.back(membrane)
    depth = scenes.nuclei[:, :, 5].max(axis=1)
    sharp = lens_blur(settings.optics.emission_um[1], settings.optics)
    planes[2] = lens.back(
        spectra[2] * lens.halo(lens.gaussian(_blur(sharp, per_um, focus_um, NUCLEUS_DEPTH * depth)))
    )
    planes[1:] *= dyes.T[:, :, None, None].astype(np.float32)
    # Brightfield: optical path and loss, both of the cytoplasm and of the nucleus.
    path = np.array([stage.haemoglobin for stage in settings.stages])[stages].astype(np.float32)
    path = (2 * np.pi / settings.optics.lamp_um) * path[:, None, None] * thick
    path *= stain.phase * textures.cut("cytoplasm", len(scenes), side)
    path += (2 * np.pi / settings.optics.lamp_um * stain.nucleus_phase) * nucleus
    loss = stain.absorption * thick + stain.nucleus_absorption * nucleus
    phase, absorption = lens.phase(focus_um + settings.optics.lamp_focus_um)
    spectra = lens.forward(np.concatenate([path, loss])).reshape(2, len(scenes), side, -1)
    planes[0] = lens.back(spectra[0] * phase + spectra[1] * absorption)
    return Light(planes, body)


class _Canvas:
    """Squared distance of every pixel from an ellipsoid's centre, in units of its half axes."""

    def __init__(self, rows: NDArray[np.float32], columns: NDArray[np.float32]) -> None:
        self.rows, self.columns = rows, columns  # (n, S), um from the object's centre

    @classmethod
    def about(cls, origin: NDArray[np.float64], side: int, pixel_um: float) -> _Canvas:
        """Canvas of objects whose centres lie at the pixels `origin`."""
        grid = np.arange(side)
        rows, columns = ((grid - origin[:, [axis]]) * pixel_um for axis in (0, 1))
        return cls(rows.astype(np.float32), columns.astype(np.float32))

    def of(self, some: NDArray[np.bool_]) -> _Canvas:
        """Canvas of some of the objects."""
        return _Canvas(self.rows[some], self.columns[some])

    def square(self, ellipsoid: NDArray[np.float64]) -> NDArray[np.float32]:
        """``(n, S, S)``: 0 at the centre, 1 at the outline."""
        y, x, a, b, angle, _ = ellipsoid.astype(np.float32).T
        sine, cosine = np.sin(angle), np.cos(angle)
        rows, columns = self.rows - y[:, None], self.columns - x[:, None]
        yy = (sine / a) ** 2 + (cosine / b) ** 2
        xx = (cosine / a) ** 2 + (sine / b) ** 2
        xy = 2 * sine * cosine * (a**-2 - b**-2)
        out: NDArray[np.float32] = (xy[:, None] * rows)[:, :, None] * columns[:, None, :]
        out += (yy[:, None] * rows**2)[:, :, None]
        out += (xx[:, None] * columns**2)[:, None, :]
        return out


def _half(square: NDArray[np.float32], c: NDArray[np.float64], outline: float = 1.0) -> NDArray[np.float32]:
    """Half the path through an ellipsoid, um; `outline` below 1 is a shrunken one."""
    out = np.subtract(outline, square, dtype=np.float32)
    np.sqrt(np.maximum(out, 0.0, out=out), out=out)
    out *= c.astype(np.float32)[:, None, None]
    return out


def _blur(
    sharp: float, per_um: float, focus: NDArray[np.float64], depth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Standard deviation of lens, focus and depth together, um."""
    return np.sqrt(sharp**2 + per_um**2 * (focus**2 + depth**2))


def _bodies(
    scenes: Scenes, canvas: _Canvas, settings: Settings
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Path through the cells, um; light of the shells' limb and of their caps; outline."""
    first = canvas.square(scenes.bodies[:, 0])
    thick, limb, cap = _shell(first, scenes.bodies[:, 0], scenes.membrane[:, 0], settings)
    two = scenes.bodies[:, 1, 2] > 0
    if two.any():
        mine = scenes.take(np.flatnonzero(two))
        small = canvas.of(two)
        second = small.square(mine.bodies[:, 1])
        thick2, limb2, cap2 = _shell(second, mine.bodies[:, 1], mine.membrane[:, 1], settings)
        flatness = mine.flatness.astype(np.float32)[:, None, None]
        thick1 = thick[two]
        hidden1, hidden2 = 1 - flatness * (second < 1), 1 - flatness * (first[two] < 1)
        wall = 2 * _half(small.square(mine.contact), mine.contact[:, 5])
        wall *= (mine.contact_light * mine.membrane.mean(axis=1)).astype(np.float32)[:, None, None]
        thick[two] = thick1 + thick2 - flatness * np.minimum(thick1, thick2)
        limb[two] = limb[two] * hidden1 + limb2 * hidden2 + wall
        cap[two] = cap[two] * hidden1 + cap2 * hidden2
        first[two] = np.minimum(first[two], second)
    return thick, limb, cap, first


def _shell(
    square: NDArray[np.float32],
    ellipsoid: NDArray[np.float64],
    light: NDArray[np.float64],
    settings: Settings,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Path through a body, and its membrane's light parted by depth."""
    c = ellipsoid[:, 5]
    half = _half(square, c)
    inner = np.maximum(1 - settings.stain.shell_um / ellipsoid[:, 2:4].mean(axis=1), 0.1)
    shrunken = square / (inner**2).astype(np.float32)[:, None, None]
    core = _half(shrunken, c * inner)
    shell = half - core
    shell += settings.stain.interior * core
    shell *= (2 * light).astype(np.float32)[:, None, None]
    cap = shell * half
    cap /= c.astype(np.float32)[:, None, None]
    shell -= cap
    half *= 2
    return half, shell, cap


def _nuclei(
    scenes: Scenes, canvas: _Canvas, settings: Settings, textures: Textures
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Path through the nuclei, um, and their DNA's light."""
    n, side = len(scenes), canvas.rows.shape[1]
    paths = []
    for slots in (range(LOBES), range(LOBES, LOBES + 1)):
        path = np.zeros((n, side, side), np.float32)
        for slot in slots:
            there = scenes.nuclei[:, slot, 2] > 0
            if not there.any():
                continue
            whole = bool(there.all())
            ellipsoid = scenes.nuclei[there, slot]
            half = _half((canvas if whole else canvas.of(there)).square(ellipsoid), ellipsoid[:, 5])
            if whole and slot == slots[0]:
                path = half
            else:
                # A smooth maximum joins lobes without a crease.
                path[there] = np.sqrt(np.sqrt(np.square(path[there] ** 2) + np.square(half**2)))
        paths.append(2 * path)
    light = np.zeros((n, side, side), np.float32)
    pixel = settings.optics.pixel_um**2
    for path, content in zip(paths, scenes.content.T, strict=True):
        total = path.sum(axis=(1, 2)) * pixel
        share = np.divide(content, total, out=np.zeros(n), where=total > 0) * settings.stain.dna
        light += share.astype(np.float32)[:, None, None] * path
    light *= textures.chromatin(scenes.stages, side)
    return paths[0] + paths[1], light
