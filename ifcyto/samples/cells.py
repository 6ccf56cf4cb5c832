"""A plain first simulator of erythroblasts in three channels, with known truth.

Cells and nuclei are soft-edged discs and ellipses on a noisy background. There
is no optics, no focus and no spectral overlap: the images serve to show and to
test how the software works, not how well a method would do on patients. All
sizes and brightnesses are an *approximation* chosen to look like 40x images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import Cell, CellBatch, Channel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CHANNELS",
    "KINDS",
    "STAGES",
    "Rates",
    "SimulatedSample",
    "Stage",
    "simulate_cell",
    "simulate_sample",
]

CHANNELS = (
    Channel(1, "BF", brightfield=True, pixel_size_um=0.5),
    Channel(2, "CD235a", pixel_size_um=0.5),
    Channel(5, "DRAQ5", pixel_size_um=0.5),
)
"""Channels of a simulated cell, in the order of its images."""

KINDS = ("Single", "BNE", "Doublet", "Irregular")
"""What a simulated object can be: one nucleus, two in one cell, two cells, one odd nucleus."""

BACKGROUND = np.array([800.0, 4.0, 6.0])
NOISE = np.array([9.0, 5.0, 6.0])
EDGE = 0.8  # px, softness of every outline
MARGIN = 7  # px, background around an object


@dataclass(frozen=True, slots=True)
class Stage:
    """Size and brightness of one maturation stage.

    `cell_radius` and `nucleus_radius` are in pixels; `membrane` and `dna` are
    the brightness of CD235a and DRAQ5 in counts.
    """

    name: str
    cell_radius: float
    nucleus_radius: float
    membrane: float
    dna: float


STAGES = (
    Stage("ProE", 17.5, 10.0, 160.0, 420.0),
    Stage("BasoE", 14.0, 8.0, 260.0, 520.0),
    Stage("PolyOrthoE", 11.0, 6.0, 340.0, 640.0),
)
"""Maturation stages: cell and nucleus shrink from first to last."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of the kinds among all objects; the rest are single cells.

    Examples
    --------
    >>> Rates(bne=0.04).shares.round(2).tolist()
    [0.88, 0.04, 0.05, 0.03]
    """

    bne: float = 0.02
    doublet: float = 0.05
    irregular: float = 0.03

    @property
    def shares(self) -> NDArray[np.float64]:
        """Probability of each of :data:`KINDS`."""
        rest = 1.0 - self.bne - self.doublet - self.irregular
        return np.array([rest, self.bne, self.doublet, self.irregular])


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedSample:
    """Simulated objects and what each of them truly is.

    Parameters
    ----------
    batch : CellBatch
        ``n`` objects, numbered from 0, in :data:`CHANNELS`, int16 pixels.
    kinds, stages : ndarray (n,) of str
        Entries of :data:`KINDS` and names of :data:`STAGES`.
    """

    batch: CellBatch
    kinds: NDArray[np.str_]
    stages: NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class _Blob:
    """An ellipse: centre and half axes in pixels, angle of the first axis in radians."""

    y: float
    x: float
    a: float
    b: float
    angle: float = 0.0


def simulate_sample(n_cells: int, *, seed: int, rates: Rates | None = None) -> SimulatedSample:
    """Simulate one sample.

    Parameters
    ----------
    n_cells : int
    seed : int
        The same seed gives the same pixels with the same numpy.
    rates : Rates, optional
        Shares of binucleated cells, doublets and irregular nuclei.

    Returns
    -------
    SimulatedSample

    Examples
    --------
    >>> sample = simulate_sample(5, seed=1)
    >>> len(sample.batch), sample.batch.n_channels, sample.stages.shape
    (5, 3, (5,))
    """
    rng = np.random.default_rng(seed)
    kinds = rng.choice(len(KINDS), size=n_cells, p=(rates or Rates()).shares)
    stages = rng.integers(0, len(STAGES), size=n_cells)
    cells = [
        simulate_cell(KINDS[kind], STAGES[stage], rng=rng, object_number=number)
        for number, (kind, stage) in enumerate(zip(kinds, stages, strict=True))
    ]
    batch = CellBatch.from_cells(cells, n_channels=len(CHANNELS), dtype=np.dtype(np.int16))
    names = np.array([stage.name for stage in STAGES])
    return SimulatedSample(batch, np.array(KINDS)[kinds], names[stages])


def simulate_cell(kind: str, stage: Stage, *, rng: np.random.Generator, object_number: int = 0) -> Cell:
    """Draw one object of the given kind and stage.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    stage : Stage
    rng : numpy.random.Generator
    object_number : int

    Returns
    -------
    Cell
        Images ``(3, H, W)`` int16 with values below 0 where the noise goes
        below the background, masks ``(3, H, W)`` uint8.

    Raises
    ------
    ValueError
        `kind` is not one of :data:`KINDS`.
    """
    bodies, nuclei = _layout(kind, stage, rng)
    rows, columns, bodies, nuclei = _frame(bodies, nuclei, rng)
    inside = np.stack([_distance(rows, columns, body) for body in bodies])  # px from the outline, < 0 inside
    nucleus = np.max([_soft(_distance(rows, columns, blob)) for blob in nuclei], axis=0)
    clean = _paint(inside, nucleus, stage, rng)
    images = np.rint(clean + rng.normal(size=clean.shape) * NOISE[:, None, None]).astype(np.int16)
    cell_mask = inside.min(axis=0) < 1.5
    masks = np.stack([cell_mask, cell_mask, nucleus > 0.3]).astype(np.uint8)
    return Cell(object_number, images, masks, _facts(images, cell_mask, object_number, rng))


def _layout(kind: str, stage: Stage, rng: np.random.Generator) -> tuple[list[_Blob], list[_Blob]]:
    """Outlines of the cell bodies and of the nuclei, about the origin."""
    size = rng.normal(1.0, 0.06)
    body, core = stage.cell_radius * size, stage.nucleus_radius * size
    turn = rng.uniform(0.0, np.pi)
    if kind == "Single":
        return [_round(0.0, turn, body, rng)], [_round(rng.uniform(0.0, body - core - 1), turn, core, rng)]
    if kind == "BNE":
        small = 0.68 * core
        apart = small + rng.uniform(-0.2, max(0.6, body - 2 * small - 1.0))
        return [_round(0.0, turn, body, rng)], [_round(side * apart, turn, small, rng) for side in (-1, 1)]
    if kind == "Doublet":
        apart = 0.97 * body
        bodies = [_round(side * apart, turn, body, rng) for side in (-1, 1)]
        return bodies, [_round(side * (apart + rng.uniform(-1, 1)), turn, core, rng) for side in (-1, 1)]
    if kind == "Irregular":
        lobes = [_round(side * rng.uniform(0.5, 0.95) * core, turn, 0.7 * core, rng) for side in (-1, 1)]
        long = [_Blob(0.0, 0.0, 1.45 * core, 0.65 * core, turn)]
        return [_round(0.0, turn, body, rng)], lobes if rng.random() < 0.6 else long
    msg = f"expected a kind out of {', '.join(KINDS)}, found {kind!r}"
    raise ValueError(msg)


def _round(along: float, turn: float, radius: float, rng: np.random.Generator) -> _Blob:
    """Nearly round blob at `along` pixels from the origin in direction `turn`."""
    stretch = rng.uniform(0.95, 1.05)
    angle = rng.uniform(0.0, np.pi)
    return _Blob(along * np.sin(turn), along * np.cos(turn), radius * stretch, radius / stretch, angle)


def _frame(
    bodies: list[_Blob], nuclei: list[_Blob], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[_Blob], list[_Blob]]:
    """Pixel grid that holds the bodies with a margin, and the blobs moved into it."""
    reach = [(blob.y, blob.x, max(blob.a, blob.b)) for blob in bodies]
    top, left = (min(place[axis] - place[2] for place in reach) for axis in (0, 1))
    bottom, right = (max(place[axis] + place[2] for place in reach) for axis in (0, 1))
    pad = rng.uniform(MARGIN, MARGIN + 2, size=4)
    shape = (int(bottom - top + pad[0] + pad[1]), int(right - left + pad[2] + pad[3]))
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float64)

    def move(blobs: list[_Blob]) -> list[_Blob]:
        return [_Blob(b.y - top + pad[0], b.x - left + pad[2], b.a, b.b, b.angle) for b in blobs]

    return rows, columns, move(bodies), move(nuclei)


def _distance(rows: NDArray[np.float64], columns: NDArray[np.float64], blob: _Blob) -> NDArray[np.float64]:
    """Signed distance to the outline in pixels (exact for a disc, an approximation for an ellipse)."""
    y, x = rows - blob.y, columns - blob.x
    along = x * np.cos(blob.angle) + y * np.sin(blob.angle)
    across = y * np.cos(blob.angle) - x * np.sin(blob.angle)
    distance: NDArray[np.float64] = (np.hypot(along / blob.a, across / blob.b) - 1.0) * np.sqrt(
        blob.a * blob.b
    )
    return distance


def _soft(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 inside, 0 outside, with an edge of :data:`EDGE` pixels."""
    soft: NDArray[np.float64] = 0.5 - 0.5 * np.tanh(distance / (2 * EDGE))
    return soft


def _paint(
    inside: NDArray[np.float64], nucleus: NDArray[np.float64], stage: Stage, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Images without noise, ``(3, H, W)`` in counts."""
    outline = inside.min(axis=0)
    dark_rim = np.exp(-0.5 * ((outline + 1.5) / 1.3) ** 2)
    bright_rim = np.exp(-0.5 * ((outline - 1.5) / 1.3) ** 2)
    brightfield = 110 * bright_rim - 170 * dark_rim - 35 * _soft(outline) - 45 * nucleus
    rings = np.exp(-0.5 * ((inside + 1.0) / 1.4) ** 2).sum(axis=0)  # touching membranes add up
    membrane = stage.membrane * rng.lognormal(0.0, 0.2) * (rings + 0.25 * _soft(outline))
    dna = stage.dna * rng.lognormal(0.0, 0.12) * nucleus
    painted: NDArray[np.float64] = np.stack([brightfield, membrane, dna]) + BACKGROUND[:, None, None]
    return painted


def _facts(
    images: NDArray[np.int16], mask: NDArray[np.bool_], number: int, rng: np.random.Generator
) -> dict[str, object]:
    """What an instrument would store of the object."""
    rows, columns = np.nonzero(mask)
    outside = images[:, ~mask].astype(np.float64)
    line = 1_000 + 700 * number + int(rng.integers(0, 300))
    return {
        "acquisition_number": number,
        "flow_speed": 66.0,
        "camera_line": line,
        "camera_timer": line * 8,
        "raw_centroid_x": float(columns.mean()),
        "raw_centroid_y": float(rows.mean()),
        "background_mean": outside.mean(axis=1),
        "background_sd": outside.std(axis=1),
        "saturation_count": np.zeros(len(CHANNELS)),
        "saturation_percent": np.zeros(len(CHANNELS)),
    }
