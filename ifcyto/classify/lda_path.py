"""Linear discriminant analysis on the best 5, 10, 15, ... columns at once.

To choose the number of columns, the same classifier is trained again and again on the
first k of a ranking. The shrinkage of Ledoit and Wolf (2004, J Multivariate Anal 88:365)
and the covariances of all k are leading blocks of the same matrices, so one pass makes
them all. The classifier that is kept is trained by :func:`ifcyto.classify.fit.fit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.fit import standardise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["lda_path"]


def lda_path(
    values: NDArray[np.float64],
    codes: NDArray[np.int64],
    others: NDArray[np.float64],
    numbers: Sequence[int],
    *,
    equal_priors: bool = True,
) -> list[NDArray[np.float64]]:
    """Scores of other objects by classifiers trained on the first columns.

    Parameters
    ----------
    values : ndarray (n, F)
        To learn from, best column first.
    codes : ndarray (n,) of int64
        Classes 0 to C - 1, each with two objects or more.
    others : ndarray (m, F)
        To judge.
    numbers : sequence of int
        How many columns; from 2 to F.
    equal_priors : bool

    Returns
    -------
    list of ndarray (m, C)
        For each of `numbers`: what ``fit(...).scores`` gives, but for rounding.
    """
    counts = np.bincount(codes)
    priors = np.full(len(counts), 1 / len(counts)) if equal_priors else counts / counts.sum()
    ready, mean, scale = standardise(values)
    judged = np.where(ready.any(axis=0), (others - mean) / scale, 0.0)
    means = np.stack([ready[codes == code].mean(axis=0) for code in range(len(counts))])
    blocks = [_class_blocks(ready[codes == code]) for code in range(len(counts))]
    scores = []
    for k in numbers:
        pooled = np.zeros((k, k))
        for prior, (matrix, spread, shrinkages, sizes) in zip(priors, blocks, strict=True):
            part = (1 - shrinkages[k - 1]) * matrix[:k, :k]
            part.flat[:: k + 1] += shrinkages[k - 1] * sizes[k - 1]
            pooled += prior * spread[:k, np.newaxis] * part * spread[:k]
        weights = _solve(pooled, means[:, :k].T)
        offsets = np.log(priors) - 0.5 * np.einsum("ck,kc->c", means[:, :k], weights)
        scores.append(judged[:, :k] @ weights + offsets)
    return scores


def _class_blocks(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Correlation matrix of a class, spread of its columns, and for the first k: shrinkage, mean variance."""
    n, width = values.shape
    centred, _, spread = standardise(values)
    squares = centred**2
    matrix = centred.T @ centred / n
    k = np.arange(1, width + 1)
    size = np.cumsum(squares.sum(axis=0) / n) / k
    fourth = _leading_sums(squares.T @ squares)
    second = _leading_sums(matrix**2)
    noise = (fourth / n - second) / (k * n)
    distance = (second - k * size**2) / k
    noise = np.minimum(noise, distance)
    shrinkages = np.divide(noise, distance, out=np.zeros(width), where=(noise != 0) & (distance != 0))
    return matrix, spread, shrinkages, size


def _leading_sums(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of each leading block of a symmetric matrix."""
    return np.cumsum(2 * np.tril(matrix, -1).sum(axis=1) + np.diag(matrix))


def _solve(matrix: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve, by least squares where columns are constant or repeat each other."""
    try:
        return np.asarray(np.linalg.solve(matrix, right), np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, right)[0], np.float64)
