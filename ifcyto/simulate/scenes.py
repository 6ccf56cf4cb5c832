"""Where bodies and nuclei lie: ellipsoids in micrometres about the object's centre.

An ellipsoid is a row ``(y, x, a, b, angle, c)``: its centre in the image, the half
axes in the image (`a` points along ``(sin angle, cos angle)``) and the half axis along
the line of sight. All half axes 0: there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.simulate.parameters import FORMS, KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ifcyto.simulate.parameters import Settings

__all__ = ["LOBES", "Scenes", "draw_scenes"]

LOBES = 3
"""Lobes of the first nucleus; the second is one ellipsoid."""

BNE, DOUBLET, IRREGULAR, DEBRIS = (KINDS.index(name) for name in ("BNE", "Doublet", "Irregular", "Debris"))
WALL = 0.35  # um, cytoplasm that is left between a nucleus and the membrane
LARGEST_NUCLEUS = 0.85  # of the cell's diameter


@dataclass(frozen=True, slots=True, eq=False)
class Scenes:
    """Geometry of ``n`` objects, lengths in micrometres.

    Parameters
    ----------
    kinds, stages, forms : ndarray (n,) of int64
        Places in ``KINDS``, ``STAGES`` and ``FORMS``; a doublet's stage is that of its
        first cell.
    bodies : ndarray (n, 2, 6)
        Cells; the second only of doublets.
    nuclei : ndarray (n, LOBES + 1, 6)
        Lobes of the first nucleus, then the second nucleus.
    content : ndarray (n, 2)
        DNA of the first and of the second nucleus, 1 being 2N.
    membrane : ndarray (n, 2)
        Light of each body's membrane, counts for 1 um.
    contact : ndarray (n, 6)
        The wall between the two cells of a doublet.
    contact_light : ndarray (n,)
        Membrane in a column through it, um for 1 um.
    flatness : ndarray (n,)
        1 where the two cells of a doublet lie side by side in the image plane, 0 where
        one hides the other.
    tilt : ndarray (n,)
        Angle of the line between two bodies or lobes to the image plane, degrees.
    gap : ndarray (n,)
        Between the two nuclei of a BNE in space; NaN for the others.
    """

    kinds: NDArray[np.int64]
    stages: NDArray[np.int64]
    forms: NDArray[np.int64]
    bodies: NDArray[np.float64]
    nuclei: NDArray[np.float64]
    content: NDArray[np.float64]
    membrane: NDArray[np.float64]
    contact: NDArray[np.float64]
    contact_light: NDArray[np.float64]
    flatness: NDArray[np.float64]
    tilt: NDArray[np.float64]
    gap: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.kinds)

    def take(self, rows: NDArray[np.int64]) -> Scenes:
        """Scenes of some objects."""
        return Scenes(*(getattr(self, column.name)[rows] for column in fields(self)))


def draw_scenes(
    kinds: NDArray[np.int64],
    stages: NDArray[np.int64],
    *,
    settings: Settings,
    rng: np.random.Generator,
    size: float = 1.0,
) -> Scenes:
    """Draw the geometry of objects of the given kinds and stages.

    Parameters
    ----------
    kinds, stages : ndarray (n,) of int
        Places in ``KINDS`` and in the settings' stages.
    settings : Settings
    rng : numpy.random.Generator
    size : float
        Cell diameter over the normal one.

    Returns
    -------
    Scenes

    Examples
    --------
    >>> from ifcyto.simulate.parameters import DEFAULT
    >>> kinds = np.array([0, 1])
    >>> scenes = draw_scenes(kinds, kinds * 0, settings=DEFAULT, rng=np.random.default_rng(1))
    >>> (scenes.nuclei[:, LOBES, 2] > 0).tolist()
    [False, True]
    """
    draw = _Draw(kinds, stages, settings, rng, size)
    for kind, place in ((BNE, draw.binucleated), (DOUBLET, draw.doublets), (IRREGULAR, draw.irregular)):
        place(np.flatnonzero(kinds == kind))
    draw.debris(np.flatnonzero(kinds == DEBRIS))
    return draw.scenes


class _Draw:
    """One draw: every object as a single cell first, then what makes each kind."""

    def __init__(
        self,
        kinds: NDArray[np.int64],
        stages: NDArray[np.int64],
        settings: Settings,
        rng: np.random.Generator,
        size: float,
    ) -> None:
        n = len(kinds)
        self.settings, self.shapes, self.rng, self.size = settings, settings.shapes, rng, size
        self.stages = stages
        self.turn = rng.uniform(0.0, np.pi, n)
        self.cell, self.core, content = self.sizes(stages)
        nuclei, bodies = np.zeros((n, LOBES + 1, 6)), np.zeros((n, 2, 6))
        bodies[:, 0] = self.ball(np.zeros((n, 2)), self.cell, self.shapes.cell_stretch)
        nuclei[:, 0] = self.ball(self.inside(self.cell - self.core), self.core, self.shapes.nucleus_stretch)
        spread = settings.stain.membrane_cv
        brightness = np.array([stage.membrane for stage in settings.stages])
        membrane = brightness[stages][:, None] * rng.lognormal(0.0, spread, (n, 2))
        self.scenes = Scenes(
            kinds,
            stages,
            np.zeros(n, np.int64),
            bodies,
            nuclei,
            np.stack([content, np.zeros(n)], axis=1),
            membrane,
            np.zeros((n, 6)),
            np.zeros(n),
            np.ones(n),
            np.zeros(n),
            np.full(n, np.nan),
        )

    def sizes(self, stages: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
        """Radii of cells and nuclei, um, and the DNA of each nucleus."""
        rng, shapes, n = self.rng, self.shapes, len(stages)
        table = np.array([(s.cell_um / 2, s.nucleus_um / 2, s.cycling) for s in self.settings.stages])
        cell, core, cycling = table[stages].T
        phase = rng.uniform(0.0, 1.0, n)
        content = np.where(rng.random(n) < cycling, 1.0 + np.minimum(1.0, 1.6 * phase), 1.0)
        cell = self.size * cell * rng.lognormal(0.0, shapes.cell_cv, n)
        core = core * rng.lognormal(0.0, shapes.nucleus_cv, n) * content ** (1 / 3)
        return cell, np.minimum(core, LARGEST_NUCLEUS * cell), content

    def inside(self, room: NDArray[np.float64]) -> NDArray[np.float64]:
        """Uniform places ``(n, 2)`` in discs of radius `room` less the wall."""
        angle = self.rng.uniform(0.0, 2 * np.pi, len(room))
        reach = np.maximum(room - WALL, 0.0) * np.sqrt(self.rng.random(len(room)))
        return np.stack([reach * np.sin(angle), reach * np.cos(angle)], axis=1)

    def ball(
        self, centres: NDArray[np.float64], radii: NDArray[np.float64], stretch: float
    ) -> NDArray[np.float64]:
        """Nearly round ellipsoids ``(n, 6)``, each of the volume of its ball."""
        n = len(radii)
        q = np.exp(self.rng.normal(0.0, stretch, n))
        angle = self.rng.uniform(0.0, np.pi, n)
        return np.stack([centres[:, 0], centres[:, 1], radii * q, radii / q, angle, radii], axis=1)

    def tilted(self, rows: NDArray[np.int64], spread: float) -> NDArray[np.float64]:
        """Cosine of the angle between the long axis and the image plane."""
        tilt = np.minimum(np.abs(self.rng.normal(0.0, spread, len(rows))), 80.0)
        self.scenes.tilt[rows] = tilt
        cosine: NDArray[np.float64] = np.cos(np.deg2rad(tilt))
        return cosine

    def along(self, rows: NDArray[np.int64], distance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places ``(n, 2)`` at a distance along the long axis."""
        turn = self.turn[rows]
        return np.stack([distance * np.sin(turn), distance * np.cos(turn)], axis=1)

    def binucleated(self, rows: NDArray[np.int64]) -> None:
        """Two nuclei in one cell."""
        rng, shapes, n = self.rng, self.shapes, len(rows)
        scenes = self.scenes
        cosine = self.tilted(rows, shapes.tilt_deg[0])
        whole = rng.random(n) >= shapes.fission  # 2N in each
        content = np.where(whole, 1.0, 0.5)
        cell = self.cell[rows] * np.where(whole, shapes.large_cell, 1.0)
        scale = rng.normal(shapes.bne_scale, shapes.bne_scale_sd, n) * content ** (1 / 3)
        unequal = rng.normal(0.0, shapes.bne_unequal, n)
        core = np.array([stage.nucleus_um / 2 for stage in self.settings.stages])[self.stages[rows]] * scale
        first, second = core * (1 + unequal), core * (1 - unequal)
        fit = np.minimum(1.0, (cell - WALL) / (first + second))
        first, second = first * fit, second * fit
        touching = rng.random(n) < shapes.touching
        flat = np.where(touching, rng.uniform(0.0, shapes.flat, n), 0.0)
        balls = [self._pressed(rows, radii, flat, touching) for radii in (first, second)]
        reach = [self._reach(rows, ball) for ball in balls]
        room = np.maximum(2 * (cell - WALL - reach[0] - reach[1]), 0.0)
        gap = np.where(touching, 0.0, np.minimum(rng.exponential(shapes.gap_um, n), room))
        middle = rng.uniform(-0.5, 0.5, n) * (room - gap)
        half = reach[0] + reach[1] + gap / 2
        places = (middle - half + reach[0], middle + half - reach[1])
        for slot, ball, place in zip((0, LOBES), balls, places, strict=True):
            ball[:, :2] = self.along(rows, place * cosine)
            scenes.nuclei[rows, slot] = ball
        scenes.bodies[rows, 0] = self._stretched(rows, cell, cosine)
        scenes.content[rows] = content[:, None] * np.stack([1 + unequal, 1 - unequal], axis=1) ** 3
        scenes.gap[rows] = gap

    def _pressed(
        self,
        rows: NDArray[np.int64],
        radii: NDArray[np.float64],
        flat: NDArray[np.float64],
        touching: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """Nuclei at the origin; those that press on each other are shorter along the axis, wider across."""
        ball = self.ball(np.zeros((len(rows), 2)), radii, self.shapes.nucleus_stretch)
        wide, zero = radii / np.sqrt(1 - flat), np.zeros(len(rows))
        pressed = np.stack([zero, zero, radii * (1 - flat), wide, self.turn[rows], wide], axis=1)
        ball[touching] = pressed[touching]
        return ball

    def _reach(self, rows: NDArray[np.int64], ball: NDArray[np.float64]) -> NDArray[np.float64]:
        """Half the extent of nuclei along the long axis."""
        angle = ball[:, 4] - self.turn[rows]
        reach: NDArray[np.float64] = np.hypot(ball[:, 2] * np.cos(angle), ball[:, 3] * np.sin(angle))
        return reach

    def _stretched(
        self, rows: NDArray[np.int64], cell: NDArray[np.float64], cosine: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Cells that their long content stretches along it."""
        q = np.exp(np.abs(self.rng.normal(0.03, self.shapes.cell_stretch, len(rows))) * cosine**2)
        zero = np.zeros(len(rows))
        return np.stack([zero, zero, cell * q, cell / q, self.turn[rows], cell], axis=1)

    def doublets(self, rows: NDArray[np.int64]) -> None:
        """Two cells that stick together."""
        rng, shapes, scenes, n = self.rng, self.shapes, self.scenes, len(rows)
        n_stages = len(self.settings.stages)
        other = np.where(rng.random(n) < shapes.mixed, rng.integers(0, n_stages, n), self.stages[rows])
        cell2, core2, content2 = self.sizes(other)
        cell1, core1 = self.cell[rows], self.core[rows]
        cosine = self.tilted(rows, shapes.tilt_deg[1])
        apart = (cell1 + cell2) * (1 - rng.uniform(*shapes.overlap, n))
        wall = (apart**2 + cell1**2 - cell2**2) / (2 * apart)  # from the first centre
        reach = np.sqrt(np.maximum(cell1**2 - wall**2, 0.0))
        start = -apart / 2
        for slot, lobe, cell, core, centre, space in (
            (0, 0, cell1, core1, start, wall),
            (1, LOBES, cell2, core2, -start, apart - wall),
        ):
            side = 1.0 if slot == 0 else -1.0
            scenes.bodies[rows, slot] = self.ball(
                self.along(rows, centre * cosine), cell, shapes.cell_stretch
            )
            offset = self.inside(cell - core)
            toward = side * (offset * self.along(rows, np.ones(n))).sum(axis=1)
            back = side * np.maximum(toward - np.maximum(space - core - WALL, 0.0), 0.0)
            places = offset + self.along(rows, centre * cosine - back)
            scenes.nuclei[rows, lobe] = self.ball(places, core, shapes.nucleus_stretch)
        thin = self.settings.stain.shell_um
        width = thin + reach * np.sqrt(1 - cosine**2)
        middle = self.along(rows, (start + wall) * cosine)
        scenes.contact[rows] = np.stack(
            [middle[:, 0], middle[:, 1], width, np.maximum(reach, thin), self.turn[rows], reach], axis=1
        )
        scenes.contact_light[rows] = self.settings.stain.contact * thin / width
        scenes.flatness[rows] = cosine**2
        scenes.content[rows, 1] = content2
        brightness = np.array([stage.membrane for stage in self.settings.stages])
        scenes.membrane[rows, 1] *= brightness[other] / brightness[self.stages[rows]]

    def irregular(self, rows: NDArray[np.int64]) -> None:
        """One nucleus of an odd form."""
        forms = 1 + self.rng.choice(len(FORMS) - 1, size=len(rows), p=self.shapes.forms)
        self.scenes.forms[rows] = forms
        cosine = self.tilted(rows, self.shapes.tilt_deg[0])
        n = len(rows)
        cycling = self.rng.random(n) < self.shapes.odd_cycling
        content = np.where(cycling, self.rng.uniform(1.2, 2.0, n), 1.0)
        self.core[rows] *= (content / self.scenes.content[rows, 0]) ** (1 / 3)
        self.scenes.content[rows, 0] = content
        self.cell[rows] *= np.where(content > 1.5, self.shapes.large_cell, 1.0)
        self.core[rows] = np.minimum(self.core[rows], LARGEST_NUCLEUS * self.cell[rows])
        self.scenes.bodies[rows, 0] = self._stretched(rows, self.cell[rows], cosine)
        makers = (self._bilobed, self._elongated, self._kidney, self._budding)
        for form, make in enumerate(makers, start=1):
            mine = forms == form
            make(rows[mine], cosine[mine])

    def _place(
        self,
        rows: NDArray[np.int64],
        lobes: list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]],
        cosine: NDArray[np.float64],
        across: list[NDArray[np.float64]] | None = None,
        *,
        bridge: int | None = None,
    ) -> None:
        """Set lobes, each ``(place along, half axis along, half axis across)``, so that all fit in."""
        longest = np.max([np.abs(place) + a for place, a, _ in lobes], axis=0)
        fit = np.minimum(1.0, (self.cell[rows] - WALL) / longest)
        self.scenes.nuclei[rows, :LOBES] = 0.0
        for slot, (place, a, b) in enumerate(lobes):
            centre = self.along(rows, place * fit * cosine)
            if across is not None:
                turn, off = self.turn[rows], across[slot] * fit
                centre += np.stack([off * np.cos(turn), -off * np.sin(turn)], axis=1)
            seen = np.sqrt((a * cosine) ** 2 + b**2 * (1 - cosine**2))  # half axis in projection
            if slot == bridge:
                seen = np.maximum(a * cosine, b)
            ellipsoid = [centre[:, 0], centre[:, 1], seen * fit, b * fit, self.turn[rows], b * fit]
            self.scenes.nuclei[rows, slot] = np.stack(ellipsoid, axis=1)

    def _bilobed(self, rows: NDArray[np.int64], cosine: NDArray[np.float64]) -> None:
        rng, shapes, n, core = self.rng, self.shapes, len(rows), self.core[rows]
        unequal = np.clip(rng.normal(0.0, shapes.lobes_unequal, n), -0.45, 0.45)
        first, second = 0.82 * core * (1 + unequal), 0.82 * core * (1 - unequal)
        half = (first + second) / 2 * rng.uniform(*shapes.notch, n)
        neck = np.minimum(first, second) * rng.uniform(*shapes.neck, n)
        lobes = [(-half, first, first), (half, second, second), (np.zeros(n), half, neck)]
        self._place(rows, lobes, cosine, bridge=2)

    def _elongated(self, rows: NDArray[np.int64], cosine: NDArray[np.float64]) -> None:
        n, core = len(rows), self.core[rows]
        q = self.rng.uniform(1.25, 1.6, n)
        self._place(rows, [(self.rng.normal(0.0, 0.2, n), core * q, core / np.sqrt(q))], cosine)

    def _kidney(self, rows: NDArray[np.int64], cosine: NDArray[np.float64]) -> None:
        rng, n, core = self.rng, len(rows), self.core[rows]
        bend = rng.uniform(0.3, 0.55, n) * core
        lobe, middle = rng.uniform(0.62, 0.72, n) * core, rng.uniform(0.62, 0.75, n) * core
        half = rng.uniform(0.50, 0.70, n) * core
        lobes = [(-half, lobe, lobe), (half, lobe, lobe), (np.zeros(n), middle, middle)]
        self._place(rows, lobes, cosine, [bend / 2, bend / 2, -bend / 2])

    def _budding(self, rows: NDArray[np.int64], cosine: NDArray[np.float64]) -> None:
        rng, n, core = self.rng, len(rows), self.core[rows]
        bud = core * rng.uniform(0.35, 0.6, n)
        main = core * 0.93
        far = (main + bud) * rng.uniform(0.85, 1.05, n)
        neck = bud * rng.uniform(0.4, 0.8, n)
        shift = -(far + bud - main) / 2  # the pair is in the cell's middle
        lobes = [(shift, main, main), (shift + far, bud, bud), (shift + far / 2, far / 2, neck)]
        self._place(rows, lobes, cosine, bridge=2)

    def debris(self, rows: NDArray[np.int64]) -> None:
        """Fragments: small, weakly stained, one in three with some DNA."""
        rng, scenes, n = self.rng, self.scenes, len(rows)
        cell = rng.uniform(1.0, 2.4, n)
        scenes.bodies[rows, 0] = self.ball(np.zeros((n, 2)), cell, 0.2)
        scenes.nuclei[rows] = 0.0
        scenes.nuclei[rows, 0] = self.ball(np.zeros((n, 2)), 0.5 * cell, 0.2)
        scenes.content[rows, 0] = np.where(rng.random(n) < 1 / 3, rng.uniform(0.02, 0.15, n), 0.0)
        scenes.membrane[rows] *= rng.uniform(0.1, 0.6, (n, 1))
