"""Splitting and counting spots, against skimage and a slow plain twin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label

from ifcyto.masks.kernels.spots import spot_labels
from ifcyto.masks.spots import split_spots, spot_areas, spot_count


def plain_spots(image: np.ndarray, mask: np.ndarray, saddle_ratio: float) -> int:
    """Count peaks by thresholding at every grey level: no union-find, no order of visits."""
    peaks = []  # (value, row, column) of every plateau-free local maximum
    for row, column in zip(*np.nonzero(mask), strict=True):
        around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        inside = [p for p in around if 0 <= p[0] < mask.shape[0] and 0 <= p[1] < mask.shape[1] and mask[p]]
        if all(image[p] < image[row, column] for p in inside):
            peaks.append((image[row, column], row, column))
    peaks.sort(reverse=True)
    spots = 0
    for rank, (value, row, column) in enumerate(peaks):
        saddle = -np.inf
        for level in np.unique(image[mask])[::-1]:
            pieces = label(mask & (image >= level), connectivity=1)
            mine = pieces[row, column]
            if mine and any(pieces[r, c] == mine for _, r, c in peaks[:rank]):
                saddle = level
                break
        spots += bool(saddle <= saddle_ratio * value)
    return spots


def test_spot_count_is_four_connected_like_skimage(rng: np.random.Generator) -> None:
    for _ in range(50):
        mask = rng.random((12, 15)) < 0.45
        assert spot_count(mask) == label(mask, connectivity=1).max()
        assert sorted(spot_areas(mask)) == sorted(np.bincount(label(mask, connectivity=1).ravel())[1:])


def test_small_components_are_not_counted() -> None:
    mask = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 0]])
    assert [spot_count(mask, min_area=area) for area in (0, 2, 3, 4)] == [3, 2, 1, 0]


def test_an_empty_mask_has_no_spots() -> None:
    assert spot_count(np.zeros((3, 4), bool)) == 0
    assert not split_spots(np.ones((3, 4)), np.zeros((3, 4), bool), saddle_ratio=0.7).any()


@pytest.mark.parametrize("saddle_ratio", [0.0, 0.3, 0.7, 0.9, 1.0])
def test_labels_count_the_peaks_of_the_plain_twin(rng: np.random.Generator, saddle_ratio: float) -> None:
    for _ in range(15):
        image = 1.0 + 9 * ndimage.gaussian_filter(rng.random((14, 11)), 1.2)
        image += 1e-6 * rng.permutation(image.size).reshape(image.shape)  # no ties
        mask = ndimage.binary_opening(rng.random(image.shape) < 0.9)
        labels = spot_labels(image, mask, saddle_ratio)
        assert np.array_equal(labels > 0, mask)
        assert len(np.unique(labels[mask])) == plain_spots(image, mask, saddle_ratio)


def test_a_plateau_is_one_spot() -> None:
    flat = np.full((6, 9), 5.0)
    assert len(np.unique(spot_labels(flat, np.ones(flat.shape, bool), 1.0))) == 1


def test_cut_separates_touching_spots_and_only_removes_pixels() -> None:
    row, column = np.mgrid[:30, :40]
    image = sum(np.exp(-((row - 15) ** 2 + (column - c) ** 2) / 30.0) for c in (13, 25))
    mask = image > 0.2
    assert spot_count(mask) == 1
    parts = split_spots(image, mask, saddle_ratio=0.8)
    assert spot_count(parts) == 2
    assert not (parts & ~mask).any()
    removed = mask & ~parts
    assert set(column[removed]) <= {18, 19, 20}


def test_small_pieces_are_dropped_by_area_and_by_share() -> None:
    image = np.zeros((10, 20))
    image[2:8, 2:8] = 5
    image[2:4, 12:15] = 4
    mask = image > 0
    kept = {"none": {}, "area": {"min_area": 7}, "share": {"min_share": 0.2}}
    counts = {
        name: spot_count(split_spots(image, mask, saddle_ratio=0.7, **how)) for name, how in kept.items()
    }
    assert counts == {"none": 2, "area": 1, "share": 1}
