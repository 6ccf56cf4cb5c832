"""Geometry and noise-free light, judged by solid geometry and by scipy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from ifcyto.simulate.parameters import DEFAULT, FORMS, KINDS, STAGES
from ifcyto.simulate.render import render
from ifcyto.simulate.saddle import saddles
from ifcyto.simulate.scenes import LOBES, draw_scenes
from ifcyto.simulate.texture import Textures, correlated_field

SIDE = 96
PIXEL = DEFAULT.optics.pixel_um
PLAIN = replace(
    DEFAULT,
    stain=replace(DEFAULT.stain, membrane_patch=0.0, granules=0.0),
    stages=tuple(replace(stage, clumping=0.0) for stage in STAGES),
)
"""Settings without texture."""


def scenes_of(kind, n, seed=1, settings=DEFAULT, stage=None):
    rng = np.random.default_rng(seed)
    stages = np.arange(n) % 3 if stage is None else np.full(n, stage)
    return draw_scenes(np.full(n, KINDS.index(kind)), stages, settings=settings, rng=rng)


def light_of(scenes, settings=PLAIN, focus=0.0):
    n = len(scenes)
    return render(
        scenes,
        np.full((n, 2), SIDE / 2),
        SIDE,
        settings=settings,
        textures=Textures(settings, np.random.default_rng(0)),
        focus_um=np.full(n, focus),
        dyes=np.ones((n, 2)),
    )


def test_two_nuclei_are_two_bodies_that_do_not_overlap():
    scenes = scenes_of("BNE", 400)
    first, second = scenes.nuclei[:, 0], scenes.nuclei[:, LOBES]
    cosine = np.cos(np.deg2rad(scenes.tilt))
    apart = np.hypot(*(second - first)[:, :2].T) / cosine  # in space
    turn = scenes.bodies[:, 0, 4]

    def reach(ellipsoid):
        """Half the ellipse's extent along the axis."""
        return np.hypot(
            ellipsoid[:, 2] * np.cos(ellipsoid[:, 4] - turn), ellipsoid[:, 3] * np.sin(ellipsoid[:, 4] - turn)
        )

    left = apart - reach(first) - reach(second) - scenes.gap
    assert left == pytest.approx(np.zeros(400), abs=1e-9)
    assert (scenes.gap >= 0).all()
    assert np.mean(scenes.gap == 0) > 0.15  # touching
    assert scenes.gap.max() > 1.0  # far apart


def test_two_nuclei_apart_are_two_in_the_noise_free_image_and_one_stays_one():
    scenes = scenes_of("BNE", 1500)
    clear = np.flatnonzero((scenes.gap > 1.0) & (scenes.tilt < 25))
    assert len(clear) > 20
    for image in light_of(scenes.take(clear)).planes[2]:
        smaller = ndimage.label(image > 0.5 * image.max())[1]
        assert max(smaller, ndimage.label(image > 0.4 * image.max())[1]) == 2
    for image in light_of(scenes_of("Single", 30)).planes[2]:
        for level in (0.2, 0.4, 0.6, 0.8):
            assert ndimage.label(image > level * image.max())[1] == 1


def test_the_light_of_the_dna_is_its_content():
    for kind in ("Single", "BNE", "Doublet", "Irregular"):
        scenes = scenes_of(kind, 12)
        total = light_of(scenes).planes[2].sum(axis=(1, 2), dtype=np.float64) * PIXEL**2
        assert total == pytest.approx(scenes.content.sum(axis=1) * PLAIN.stain.dna, rel=1e-3)


def test_doublets_have_the_outline_of_two_discs():
    round_cells = replace(PLAIN, shapes=replace(PLAIN.shapes, cell_stretch=0.0))
    scenes = scenes_of("Doublet", 30, settings=round_cells)
    seen = (light_of(scenes, round_cells).body < 1).sum(axis=(1, 2)) * PIXEL**2
    one, two = scenes.bodies[:, 0], scenes.bodies[:, 1]
    r, s, d = one[:, 2], two[:, 2], np.hypot(*(two - one)[:, :2].T)
    shared = (
        r**2 * np.arccos((d**2 + r**2 - s**2) / (2 * d * r))
        + s**2 * np.arccos((d**2 + s**2 - r**2) / (2 * d * s))
        - 0.5 * np.sqrt((-d + r + s) * (d + r - s) * (d - r + s) * (d + r + s))
    )
    assert (shared > 0).all()
    assert seen == pytest.approx(np.pi * (r**2 + s**2) - shared, rel=0.02)


def test_doublets_have_a_bright_line_where_they_touch():
    scenes = scenes_of("Doublet", 60)
    flat = np.flatnonzero((scenes.tilt < 15) & (scenes.contact[:, 3] > 1.5))
    assert len(flat) > 10
    ratios = []
    for scene, image in zip(flat, light_of(scenes.take(flat)).planes[1], strict=True):
        row, column = (SIDE / 2 + scenes.contact[scene, :2] / PIXEL).astype(int)
        line = image[row - 1 : row + 2, column - 1 : column + 2].max()
        middles = [
            image[tuple((SIDE / 2 + scenes.bodies[scene, body, :2] / PIXEL).astype(int))] for body in (0, 1)
        ]
        ratios.append(line / np.mean(middles))
    assert np.median(ratios) > 1.8
    assert np.min(ratios) > 1.0


def test_membrane_is_a_ring_and_brightfield_has_a_dark_rim():
    scenes = scenes_of("Single", 30)
    planes = light_of(scenes).planes
    row, column = (np.mgrid[:SIDE, :SIDE] - SIDE / 2) * PIXEL
    for scene, (lamp, membrane, _) in enumerate(planes.transpose(1, 0, 2, 3)):
        share = np.hypot(row, column) / scenes.bodies[scene, 0, 5]
        assert membrane[(share > 0.8) & (share < 1)].mean() > 1.15 * membrane[share < 0.4].mean()
        rim = lamp[(share > 1.0) & (share < 1.12)].mean()
        assert rim < -0.05
        assert lamp[(share > 0.7) & (share < 0.9)].mean() > rim + 0.1
        assert abs(lamp[share > 2].mean()) < 0.01


def test_the_nucleus_is_darker_than_the_cytoplasm():
    scenes = scenes_of("Single", 40, stage=2)
    lamp = light_of(scenes).planes[0]
    row, column = (np.mgrid[:SIDE, :SIDE] - SIDE / 2) * PIXEL
    darker = []
    for scene, image in enumerate(lamp):
        y, x, a = scenes.nuclei[scene, 0, :3]
        inside = np.hypot(row - y, column - x) < 0.6 * a
        cell = np.hypot(row, column) < 0.65 * scenes.bodies[scene, 0, 5]
        away = cell & (np.hypot(row - y, column - x) > 1.3 * a)
        if away.sum() > 10:
            darker.append(image[inside].mean() < image[away].mean())
    assert len(darker) > 15
    assert np.mean(darker) > 0.9


def test_cells_nuclei_and_cytoplasm_shrink_from_stage_to_stage():
    areas = []
    for stage in range(3):
        scenes = scenes_of("Single", 300, stage=stage)
        cell, nucleus = (
            np.pi * part[:, 2] * part[:, 3] for part in (scenes.bodies[:, 0], scenes.nuclei[:, 0])
        )
        areas.append((cell.mean(), nucleus.mean(), (cell - nucleus).mean()))
    assert (np.diff(areas, axis=0) < 0).all()
    assert np.sqrt(4 * areas[0][0] / np.pi) == pytest.approx(STAGES[0].cell_um, rel=0.03)


def test_nuclei_lie_within_their_cell():
    for kind in ("Single", "BNE", "Irregular"):
        scenes = scenes_of(kind, 300)
        radius = scenes.bodies[:, 0, 2:4].max(axis=1)
        for slot in range(LOBES + 1):
            lobe = scenes.nuclei[:, slot]
            reach = np.hypot(lobe[:, 0], lobe[:, 1]) + lobe[:, 2:4].min(axis=1)
            assert (reach <= 1.1 * radius).all(), kind


def test_forms_come_at_their_shares():
    scenes = scenes_of("Irregular", 2000)
    shares = np.bincount(scenes.forms, minlength=len(FORMS)) / 2000
    for share, wanted in zip(shares[1:], DEFAULT.shapes.forms, strict=True):
        assert share == pytest.approx(wanted, abs=4 * np.sqrt(wanted * (1 - wanted) / 2000))
    assert shares[0] == 0


def test_debris_is_small_and_most_of_it_without_dna():
    scenes = scenes_of("Debris", 200)
    assert scenes.bodies[:, 0, 5].max() < 2.5
    assert 0.5 < np.mean(scenes.content[:, 0] == 0) < 0.8


def test_saddle_tells_apart_from_touching_from_one():
    scenes = scenes_of("BNE", 300)
    light = light_of(scenes)
    found = saddles(light.planes[2], scenes, np.full((300, 2), SIDE / 2), PIXEL)
    upright = scenes.tilt < 30
    far, near = found[upright & (scenes.gap > 1.2)], found[upright & (scenes.gap == 0)]
    assert np.median(far) < np.quantile(near, 0.1)
    assert ((found >= 0) & (found <= 1)).all()
    singles = scenes_of("Single", 5)
    assert saddles(light_of(singles).planes[2], singles, np.full((5, 2), SIDE / 2), PIXEL).tolist() == [1] * 5


def test_texture_has_mean_spread_and_correlation_of_its_name(rng):
    field = correlated_field(2.0, rng)
    assert (field.mean(), field.std()) == (pytest.approx(0, abs=1e-5), pytest.approx(1, abs=1e-5))
    for distance in (1, 2, 4):
        found = (field * np.roll(field, distance, axis=1)).mean()
        assert found == pytest.approx(np.exp(-(distance**2) / 16), abs=0.03)
    textures = Textures(DEFAULT, rng)
    windows = textures.cut("stage 2", 200, 32)
    assert windows.mean() == pytest.approx(1, abs=0.02)
    assert np.log(windows).std() == pytest.approx(STAGES[2].clumping, rel=0.1)
