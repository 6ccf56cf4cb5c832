"""The nuclear mask on drawn nuclei whose number and place are known."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.masks.nuclear import NuclearRule, nuclear_mask
from ifcyto.masks.spots import spot_areas, spot_count
from ifcyto.planes import border_background

SIZE = 48


def disc(row: float, column: float, radius: float, *, size: int = SIZE) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return 0.5 - 0.5 * np.tanh((np.hypot(y - row, x - column) - radius) / 1.6)


def noisy(nuclei: list[np.ndarray], rng: np.random.Generator, *, height: float = 500) -> np.ndarray:
    image = 40 + height * np.max(nuclei, axis=0) + rng.normal(0, 4, nuclei[0].shape)
    return np.rint(image).astype(np.int16)


def count(image: np.ndarray, mask: np.ndarray | None = None, **rule: float) -> int:
    return spot_count(nuclear_mask(image, mask, 40.0, 4.0, pixel_size_um=0.5, rule=NuclearRule(**rule)))


def test_counts_drawn_nuclei(rng: np.random.Generator) -> None:
    one = noisy([disc(24, 24, 8)], rng)
    touching = noisy([disc(24, 17, 6), disc(24, 31, 6)], rng)
    three = noisy([disc(12, 12, 5), disc(12, 34, 5), disc(34, 24, 5)], rng)
    assert [count(one), count(touching), count(three)] == [1, 2, 3]


def test_area_of_a_disc(rng: np.random.Generator) -> None:
    # At half the plateau the edge of the drawn disc lies at its radius.
    mask = nuclear_mask(
        noisy([disc(24, 24, 10)], rng), None, 40.0, 4.0, pixel_size_um=0.5, rule=NuclearRule(fraction=0.5)
    )
    assert mask.sum() == pytest.approx(np.pi * 10**2, rel=0.05)


def test_no_nucleus_gives_an_empty_mask(rng: np.random.Generator) -> None:
    assert count(noisy([np.zeros((SIZE, SIZE))], rng)) == 0


def test_negative_pixels_and_flat_images_are_fine() -> None:
    assert count(np.full((SIZE, SIZE), -30, np.int16)) == 0
    assert spot_count(nuclear_mask(np.zeros((1, 1)), pixel_size_um=0.5)) == 0


def test_only_object_pixels_can_be_nuclear(rng: np.random.Generator) -> None:
    image = noisy([disc(24, 12, 6), disc(24, 36, 6)], rng)
    mask = np.ones((SIZE, SIZE), np.uint8)
    mask[:, 24:] = 2  # clipped: belongs to a neighbour cut by the border
    assert count(image) == 2
    assert count(image, mask) == 1
    assert count(image, np.zeros_like(mask)) == 2


def test_small_second_piece_is_not_a_nucleus(rng: np.random.Generator) -> None:
    image = noisy([disc(24, 16, 8), disc(24, 33, 3)], rng)
    assert count(image) == 1
    assert count(image, min_share=0.1) == 2


def test_pixel_size_scales_the_rule(rng: np.random.Generator) -> None:
    image = noisy([disc(24, 16, 5), disc(24, 32, 5)], rng)  # about 79 pixels each
    for pixel, expected in ((1.0, 2), (0.5, 2), (0.1, 0)):
        mask = nuclear_mask(image, None, 40.0, 4.0, pixel_size_um=pixel, rule=NuclearRule(smoothing_um=0.0))
        assert spot_count(mask) == expected
        assert all(spot_areas(mask) * pixel**2 >= 4.0)


def test_background_is_estimated_where_the_file_has_none(rng: np.random.Generator) -> None:
    image = noisy([disc(24, 24, 8)], rng)
    mean, sd = border_background(image)
    rows = np.r_[image[:4].ravel(), image[-4:].ravel()]
    assert (mean, sd) == (pytest.approx(rows.mean()), pytest.approx(rows.std(ddof=1)))
    known = nuclear_mask(image, None, mean, sd, pixel_size_um=0.5)
    for missing in (None, float("nan")):
        assert np.array_equal(nuclear_mask(image, None, missing, missing, pixel_size_um=0.5), known)
