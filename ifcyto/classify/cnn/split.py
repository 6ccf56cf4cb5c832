"""Training, validation and test parts of the truth, seeded and stratified. Needs no keras."""

from __future__ import annotations

import warnings
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from ifcyto.classify.crossval import Objects
from ifcyto.classify.crossval import split as split_folds
from ifcyto.classify.training import TrainOptions
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["PARTS", "TEST", "TRAINING", "VALIDATION", "fold_parts", "three_parts"]

PARTS = ("training", "validation", "test")
TRAINING, VALIDATION, TEST = range(3)
"""Codes of the parts."""

WHOLE_FROM = 3
"""From so many groups on each one is kept whole: every part needs one of its own."""


def three_parts(
    codes: NDArray[np.int64],
    *,
    validation: float = 0.1,
    test: float = 0.1,
    groups: NDArray[np.generic] | None = None,
    seed: int = 0,
) -> tuple[NDArray[np.int64], bool]:
    """Part of every object: training, validation or test.

    Parameters
    ----------
    codes : ndarray (n,) of int64
        Class of each object; two or more of each.
    validation, test : float
        Parts of each class, rounded; a class of three or more has at least one in each part.
    groups : ndarray (n,), optional
        Patients or files. From three on each one lies in one part as a whole, and the shares are as near
        to those asked as that allows.
    seed : int

    Returns
    -------
    parts : ndarray (n,) of int64
    whole : bool
        Whether groups were kept whole.

    Raises
    ------
    UsageError
        However whole groups are dealt out, some class is missing in training.

    Examples
    --------
    >>> codes = np.repeat([0, 1], [50, 10])
    >>> parts, _ = three_parts(codes)
    >>> [np.bincount(parts[codes == code]).tolist() for code in (0, 1)]
    [[40, 5, 5], [8, 1, 1]]
    """
    n_groups = 0 if groups is None else len(np.unique(groups))
    if groups is not None and n_groups >= WHOLE_FROM:
        return _whole(codes, np.unique(groups, return_inverse=True)[1], (validation, test), seed), True
    rng = np.random.default_rng([seed, 1])
    parts = np.zeros(len(codes), np.int64)
    for code in np.unique(codes):
        rows = rng.permutation(np.flatnonzero(codes == code))
        sizes = [
            0 if not share else min(max(round(share * len(rows)), int(len(rows) >= 3)), len(rows) // 3)
            for share in (validation, test)
        ]
        parts[rows[: sizes[0]]] = VALIDATION
        parts[rows[sizes[0] : sum(sizes)]] = TEST
    return parts, False


def _whole(
    codes: NDArray[np.int64], groups: NDArray[np.int64], shares: tuple[float, float], seed: int
) -> NDArray[np.int64]:
    """Deal whole groups into tenths (or as many parts as groups), and take the two that fit best."""
    tenths = min(10, int(groups.max()) + 1)
    splitter = StratifiedGroupKFold(tenths, shuffle=True, random_state=seed)
    counts = np.bincount(codes)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        tested = [rows for _, rows in splitter.split(codes, codes, groups) if len(rows)]
    held = np.array([np.bincount(codes[rows], minlength=len(counts)) for rows in tested])
    best: tuple[float, int, int] | None = None
    for first, second in permutations(range(len(tested)), 2):
        left = counts - held[first] - held[second] * (shares[1] > 0)
        if (left < 1).any():
            continue
        off = (
            np.abs(held[first] / counts - shares[0]).mean() + np.abs(held[second] / counts - shares[1]).mean()
        )
        if best is None or off < best[0] - 1e-12:
            best = (float(off), first, second)
    if best is None:
        msg = (
            f"{int(groups.max()) + 1} samples kept whole leave some class without training objects: tag that "
            "class in more samples"
        )
        raise UsageError(msg)
    parts = np.zeros(len(codes), np.int64)
    parts[tested[best[1]]] = VALIDATION
    if shares[1]:
        parts[tested[best[2]]] = TEST
    return parts


def fold_parts(
    codes: NDArray[np.int64],
    classes: Sequence[str],
    folds: int,
    *,
    validation: float = 0.1,
    groups: NDArray[np.generic] | None = None,
    seed: int = 0,
) -> list[NDArray[np.int64]]:
    """Parts of each fold of a cross-validation: the folds of the feature-based classifier.

    Parameters
    ----------
    codes : ndarray (n,) of int64
    classes : sequence of str
    folds : int
    validation : float
        Share of what is not tested in a fold that is held out of training.
    groups : ndarray (n,), optional
    seed : int

    Returns
    -------
    list of ndarray (n,) of int64
        Every object is in the test part of one fold.
    """
    places = None if groups is None else np.unique(groups, return_inverse=True)[1]
    objects = Objects(np.empty((len(codes), 0)), codes, (), tuple(classes), places)
    found = []
    for fold, (rows, test) in enumerate(split_folds(objects, TrainOptions(folds=folds, seed=seed))):
        parts = np.full(len(codes), TEST)
        inner = None if places is None else places[rows]
        parts[rows] = three_parts(
            codes[rows], validation=validation, test=0, groups=inner, seed=seed + 1000 * fold
        )[0]
        parts[test] = TEST
        found.append(parts)
    return found
