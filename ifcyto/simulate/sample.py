"""Simulated samples: objects drawn in chunks, each chunk from its own seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.cells import CellBatch
from ifcyto.simulate.camera import Compensation, expose
from ifcyto.simulate.parameters import CHANNELS, DEFAULT, FORMS, KINDS, Mix
from ifcyto.simulate.render import render
from ifcyto.simulate.saddle import saddles
from ifcyto.simulate.scenes import draw_scenes
from ifcyto.simulate.stored import background, stored_masks
from ifcyto.simulate.texture import Textures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ifcyto.simulate.parameters import Settings
    from ifcyto.simulate.scenes import Scenes

__all__ = ["CHUNK", "SimulatedSample", "Truth", "simulate_chunks", "simulate_objects", "simulate_sample"]

CHUNK = 1_000
"""Objects of one chunk: a sample's pixels depend on it."""

AT_ONCE = 96  # objects drawn together: enough for numpy, few enough for the cache
STEP = 8  # px, sides of the planes are multiples
MARGIN_PX = (5.0, 9.0)  # between the object and the frame
FAR_UM = 2.5  # pixels farther than this from the outline are background
CUT = (0.15, 0.5)  # share of a clipped cell that lies beyond the frame
TICKS = 8  # of the camera's timer for a line


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What each object truly is.

    Parameters
    ----------
    kinds, stages, forms : ndarray (n,) of str
        Entries of ``KINDS``, names of the stages, entries of ``FORMS``.
    gap_um : ndarray (n,)
        Gap of a BNE's nuclei in space; NaN for the others.
    tilt_deg : ndarray (n,)
        Angle of the line between nuclei, lobes or cells to the image plane.
    saddle : ndarray (n,)
        Of the noise-free DNA image: lowest light on the line between the two nuclei or
        lobes over the lower of the two peaks; 1 where there is one body.
    """

    kinds: NDArray[np.str_]
    stages: NDArray[np.str_]
    forms: NDArray[np.str_]
    gap_um: NDArray[np.float64]
    tilt_deg: NDArray[np.float64]
    saddle: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedSample:
    """Simulated objects and the truth of each.

    Parameters
    ----------
    batch : CellBatch
        ``n`` objects, numbered from 0, in :data:`CHANNELS`, int16 pixels.
    truth : Truth
    """

    batch: CellBatch
    truth: Truth


@dataclass(frozen=True, slots=True)
class _Run:
    """What all chunks of a sample share."""

    settings: Settings
    compensation: Compensation
    dyes: NDArray[np.float64]
    size: float


def simulate_sample(
    n_cells: int, *, seed: int, mix: Mix | None = None, settings: Settings = DEFAULT
) -> SimulatedSample:
    """Simulate a sample that fits into memory.

    Parameters
    ----------
    n_cells : int
        Objects, fragments and clipped ones among them.
    seed : int
        The same seed gives the same pixels with the same libraries.
    mix : Mix, optional
    settings : Settings

    Returns
    -------
    SimulatedSample

    Examples
    --------
    >>> sample = simulate_sample(3, seed=1)
    >>> len(sample.batch), sample.batch.n_channels, sample.truth.kinds.tolist()
    (3, 3, ['Single', 'Single', 'Single'])
    """
    return _joined(list(simulate_chunks(n_cells, seed=seed, mix=mix, settings=settings)))


def simulate_chunks(
    n_cells: int, *, seed: int, mix: Mix | None = None, settings: Settings = DEFAULT
) -> Iterator[SimulatedSample]:
    """Simulate a sample of any size, at most :data:`CHUNK` objects at a time.

    Parameters and yields are those of :func:`simulate_sample`; object numbers go on
    from chunk to chunk.
    """
    mix = mix or Mix()
    own, *seeds = np.random.SeedSequence(seed).spawn(1 + -(-n_cells // CHUNK))
    run = _begin(np.random.default_rng(own), mix, settings)
    for part, chunk_seed in enumerate(seeds):
        rng = np.random.default_rng(chunk_seed)
        n = min(CHUNK, n_cells - part * CHUNK)
        stages = rng.choice(len(settings.stages), size=n, p=mix.stages)
        draws = rng.random(n)
        bounds = np.cumsum([mix.shares(stage) for stage in range(len(settings.stages))], axis=1)
        kinds = np.minimum((draws[:, None] >= bounds[stages]).sum(axis=1), len(KINDS) - 1)
        yield _chunk(kinds, stages, run, rng, part * CHUNK)


def simulate_objects(
    kinds: NDArray[np.int64],
    stages: NDArray[np.int64],
    *,
    seed: int,
    settings: Settings = DEFAULT,
    size: float = 1.0,
) -> SimulatedSample:
    """Simulate objects of given kinds and stages.

    Parameters
    ----------
    kinds, stages : ndarray (n,) of int
        Places in ``KINDS`` and in the settings' stages.
    seed : int
    settings : Settings
    size : float
        Cell diameter over the normal one.

    Returns
    -------
    SimulatedSample

    Examples
    --------
    >>> simulate_objects(np.array([1, 2]), np.array([0, 0]), seed=1).truth.kinds.tolist()
    ['BNE', 'Doublet']
    """
    own, *seeds = np.random.SeedSequence(seed).spawn(1 + -(-len(kinds) // CHUNK))
    run = _begin(np.random.default_rng(own), Mix(size=size), settings)
    chunks = [
        _chunk(
            kinds[part * CHUNK : (part + 1) * CHUNK],
            stages[part * CHUNK : (part + 1) * CHUNK],
            run,
            np.random.default_rng(one),
            part * CHUNK,
        )
        for part, one in enumerate(seeds)
    ]
    return _joined(chunks)


def _begin(rng: np.random.Generator, mix: Mix, settings: Settings) -> _Run:
    dyes = rng.lognormal(0.0, settings.stain.sample_cv, 2)
    return _Run(settings, Compensation.draw(settings.camera, rng), dyes, mix.size)


def _joined(chunks: list[SimulatedSample]) -> SimulatedSample:
    """One sample of all chunks."""
    if len(chunks) == 1:
        return chunks[0]
    if not chunks:
        none = np.array([], np.str_)
        nothing = CellBatch.from_cells([], n_channels=len(CHANNELS), dtype=np.dtype(np.int16))
        return SimulatedSample(nothing, Truth(none, none, none, np.zeros(0), np.zeros(0), np.zeros(0)))
    batches, truths = [chunk.batch for chunk in chunks], [chunk.truth for chunk in chunks]
    batch = CellBatch(
        np.concatenate([one.object_numbers for one in batches]),
        np.concatenate([one.heights for one in batches]),
        np.concatenate([one.widths for one in batches]),
        len(CHANNELS),
        np.concatenate([one.pixels for one in batches]),
        np.concatenate([one.masks for one in batches if one.masks is not None]),
        {name: np.concatenate([one.facts[name] for one in batches]) for name in batches[0].facts},
    )
    columns = Truth.__dataclass_fields__
    return SimulatedSample(
        batch, Truth(*(np.concatenate([getattr(one, column) for one in truths]) for column in columns))
    )


def _chunk(
    kinds: NDArray[np.int64],
    stages: NDArray[np.int64],
    run: _Run,
    rng: np.random.Generator,
    first: int,
) -> SimulatedSample:
    settings, n = run.settings, len(kinds)
    scenes = draw_scenes(kinds, stages, settings=settings, rng=rng, size=run.size)
    frames = _frames(scenes, settings.optics.pixel_um, rng)
    focus = rng.normal(0.0, settings.optics.focus_sd_um, n)
    dyes = run.dyes * np.stack([np.ones(n), rng.lognormal(0.0, settings.stain.dna_cv, n)], axis=1)
    textures = Textures(settings, rng)
    pixels: list[NDArray[np.int16]] = [np.empty(0, np.int16)] * n
    masks: list[NDArray[np.uint8]] = [np.empty(0, np.uint8)] * n
    facts = {
        name: np.full((n, len(CHANNELS)), np.nan)
        for name in ("background_mean", "background_sd", "saturation_count", "saturation_percent")
    }
    centroids, saddle = np.full((n, 2), np.nan), np.ones(n)
    for rows, side in _groups(frames, scenes):
        mine = scenes.take(rows)
        light = render(
            mine,
            frames.origin[rows],
            side,
            settings=settings,
            textures=textures,
            focus_um=focus[rows],
            dyes=dyes[rows],
        )
        saddle[rows] = saddles(light.planes[2], mine, frames.origin[rows], settings.optics.pixel_um)
        counts, full = expose(light.planes, camera=settings.camera, compensation=run.compensation, rng=rng)
        inside = _within(frames.shape[rows], side)
        half_um = mine.bodies[:, :, 2:4].max(axis=(1, 2))
        far = np.square(1 + FAR_UM / half_um).astype(np.float32)[:, None, None]
        mean, sd = background(counts, inside & (light.body > far))
        stored = stored_masks(counts, mean, sd, inside)
        number = (full & inside).sum(axis=(2, 3)).T
        facts["background_mean"][rows], facts["background_sd"][rows] = mean, sd
        facts["saturation_count"][rows] = number
        area = np.maximum(stored.sum(axis=(2, 3), dtype=np.int64).T, 1)
        facts["saturation_percent"][rows] = 100.0 * number / area
        centroids[rows] = _centroids(stored[0])
        for i, row in enumerate(rows.tolist()):
            height, width = frames.shape[row]
            pixels[row] = counts[:, i, :height, :width].ravel()
            masks[row] = stored[:, i, :height, :width].ravel()
    numbers = first + np.arange(n)
    lines = 1_000 + 700 * numbers + rng.integers(0, 300, n)
    batch = CellBatch(
        numbers,
        frames.shape[:, 0].astype(np.int32),
        frames.shape[:, 1].astype(np.int32),
        len(CHANNELS),
        np.concatenate([np.empty(0, np.int16), *pixels]),
        np.concatenate([np.empty(0, np.uint8), *masks]),
        {
            "acquisition_number": numbers,
            "flow_speed": np.full(n, 66.0),
            "camera_line": lines,
            "camera_timer": lines * TICKS,
            "raw_centroid_x": centroids[:, 1],
            "raw_centroid_y": centroids[:, 0],
            **facts,
        },
    )
    stage_names = np.array([stage.name for stage in settings.stages])
    truth = Truth(
        np.array(KINDS)[kinds],
        stage_names[stages],
        np.array(FORMS)[scenes.forms],
        scenes.gap,
        scenes.tilt,
        saddle,
    )
    return SimulatedSample(batch, truth)


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    """Size ``(n, 2)`` of each image in px, and the place of each object's centre in it."""

    shape: NDArray[np.int64]
    origin: NDArray[np.float64]


def _frames(scenes: Scenes, pixel_um: float, rng: np.random.Generator) -> _Frames:
    """Frames that hold the bodies with a margin; those of clipped cells cut through them."""
    y, x, a, b, angle, _ = np.moveaxis(scenes.bodies, -1, 0)
    there = a > 0
    sine, cosine = np.sin(angle), np.cos(angle)
    pad = rng.uniform(*MARGIN_PX, (len(scenes), 4))
    shape, origin = np.empty((len(scenes), 2), np.int64), np.empty((len(scenes), 2))
    clipped = scenes.kinds == KINDS.index("Clipped")
    side, cut = rng.integers(0, 4, len(scenes)), rng.uniform(*CUT, len(scenes))
    for axis, centre, reach in (
        (0, y, np.hypot(a * sine, b * cosine)),
        (1, x, np.hypot(a * cosine, b * sine)),
    ):
        low = np.where(there, centre - reach, np.inf).min(axis=1) / pixel_um
        high = np.where(there, centre + reach, -np.inf).max(axis=1) / pixel_um
        before, after = pad[:, 2 * axis], pad[:, 2 * axis + 1]
        before = np.where(clipped & (side == 2 * axis), -cut * (high - low), before)
        after = np.where(clipped & (side == 2 * axis + 1), -cut * (high - low), after)
        shape[:, axis] = np.maximum(np.ceil(high - low + before + after), 4).astype(np.int64)
        origin[:, axis] = before - low
    return _Frames(shape, origin)


def _groups(frames: _Frames, scenes: Scenes) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Objects that are drawn together: planes of one size, and as many bodies and lobes."""
    sides = STEP * -(-frames.shape.max(axis=1) // STEP)
    plain = (scenes.nuclei[:, 1:, 2] <= 0).all(axis=1)
    key = 2 * sides + plain
    for value in np.unique(key):
        rows = np.flatnonzero(key == value)
        for start in range(0, len(rows), AT_ONCE):
            yield rows[start : start + AT_ONCE], int(value // 2)


def _within(shape: NDArray[np.int64], side: int) -> NDArray[np.bool_]:
    """Pixels ``(n, S, S)`` that belong to each frame."""
    grid = np.arange(side)
    rows, columns = grid < shape[:, :1], grid < shape[:, 1:]
    inside: NDArray[np.bool_] = rows[:, :, None] & columns[:, None, :]
    return inside


def _centroids(masks: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Centroids ``(n, 2)`` of masks; NaN of empty ones."""
    rows, columns = masks.sum(axis=2, dtype=np.float64), masks.sum(axis=1, dtype=np.float64)
    grid = np.arange(masks.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack([rows @ grid / rows.sum(axis=1), columns @ grid / columns.sum(axis=1)], axis=1)
