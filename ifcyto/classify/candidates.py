"""Candidate features: which columns may be used, and how well each one tells the classes apart.

Formulas: Fisher's discriminant ratio, and RD of IDEAS' manual
(ideas_features section 8), ``|mu1 - mu2| / (sd1 + sd2)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

__all__ = [
    "LEAKING", "Ranking", "correlated", "fisher_ratio", "known", "pair_ratio", "rank", "uncorrelated",
    "usable_columns",
]  # fmt: skip

LEAKING = (
    "Object Number", "Time", "Camera Line Number", "Camera Timer", "Flow Speed", "Raw Centroid X",
    "Raw Centroid Y", "Objects per mL", "Objects per sec",
)  # fmt: skip
"""Features that say when and where an object was recorded, not what it looks like.

Objects are tagged, merged and numbered class by class, so these give the class away
in the truth and nowhere else.
"""

LARGEST = 1e12
"""Ratio of a column that separates classes without any spread inside them."""

FLAT = 1e-12
"""A spread of at most this part of the largest value is rounding, not spread."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Columns by how well each one alone tells the classes apart, best first.

    Parameters
    ----------
    names : tuple of str (F,)
    ratios : ndarray (F,)
        Fisher's ratio over all classes, see :func:`fisher_ratio`.
    order : ndarray (F,) of int64
        Place of each in the values.
    pair_ratios : ndarray (F,)
        The largest RD over all pairs of classes, see :func:`pair_ratio`.
    pairs : tuple of (str, str) (F,)
        The pair of classes that the column separates best.
    """

    names: tuple[str, ...]
    ratios: NDArray[np.float64]
    order: NDArray[np.int64]
    pair_ratios: NDArray[np.float64]
    pairs: tuple[tuple[str, str], ...]


def known(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each value is there, finite and within single precision, as classifiers need it."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(values) <= float(np.finfo(np.float32).max))


def usable_columns(
    values: NDArray[np.float64],
    names: Sequence[str],
    *,
    allow: Collection[str] = (),
    labels: NDArray[np.str_] | None = None,
    max_missing: float = 0.0,
) -> tuple[NDArray[np.int64], dict[str, str]]:
    """Find the columns that a classifier may use.

    Parameters
    ----------
    values : ndarray (n, F)
        Of the truth.
    names : sequence of str (F,)
        A column's feature is what stands before its first ``_``.
    allow : collection of str
        Features of :data:`LEAKING` to use all the same.
    labels : ndarray (n,) of str, optional
        Class of each object; the share of missing values then counts in each class.
    max_missing : float
        Share of missing (NaN or infinite) values that a column may have. The caller
        then has to leave objects out.

    Returns
    -------
    kept : ndarray (m,) of int64
        In their order.
    dropped : dict of str to str
        Why each other column is not used.

    Examples
    --------
    >>> values = np.array([[1.0, 0, 3, np.nan], [2.0, 1, 3, 1], [3.0, 5, 3, 2]])
    >>> usable_columns(values, ["Object Number", "Area_M01", "Spot Count_M01", "Contrast_M01"])[1]
    {'Object Number': 'tells when or where the object was recorded', 'Spot Count_M01': 'constant: 3', \
'Contrast_M01': 'missing in 1 of 3 objects'}
    """
    barred = set(LEAKING) - set(allow)
    there = known(values)
    share = _missing_share(there, labels)
    kept, dropped = [], {}
    for place, name in enumerate(names):
        column = values[there[:, place], place]
        if name.split("_")[0] in barred:
            dropped[name] = "tells when or where the object was recorded"
        elif share[place] > max_missing:
            dropped[name] = f"missing in {int((~there[:, place]).sum())} of {len(values)} objects"
        elif not column.size or np.std(column) <= FLAT * np.abs(column).max():
            dropped[name] = f"constant: {column[0]:.6g}" if column.size else "missing in all objects"
        else:
            kept.append(place)
    return np.array(kept, np.int64), dropped


def _missing_share(there: NDArray[np.bool_], labels: NDArray[np.str_] | None) -> NDArray[np.float64]:
    """Share of missing values of each column; the largest one over the classes."""
    rows = [slice(None)] if labels is None else [labels == name for name in np.unique(labels)]
    shares = [1 - there[row].mean(axis=0) for row in rows if there[row].size]
    return np.asarray(np.max(shares, axis=0)) if shares else np.zeros(there.shape[1])


def fisher_ratio(values: NDArray[np.float64], labels: NDArray[np.generic]) -> NDArray[np.float64]:
    """Fisher's discriminant ratio ``(F,)`` of each column, for any number of classes.

    Squared distance of the class means from the mean over all, over the variance inside
    the classes, both averaged over the objects; 0 for constant columns. For two classes
    of equal size it is half of ``(mu1 - mu2)^2 / (var1 + var2)``.

    Parameters
    ----------
    values : ndarray (n, F)
    labels : ndarray (n,)
        Names or codes of the classes.

    Examples
    --------
    >>> fisher_ratio(np.array([[0.0], [2.0], [10.0], [12.0]]), np.array(["a", "a", "b", "b"])).tolist()
    [25.0]
    """
    codes = np.unique(labels, return_inverse=True)[1]
    counts, means, squares = _moments(values, codes)
    shares = (counts / counts.sum())[:, np.newaxis]
    between = (shares * (means - (shares * means).sum(axis=0)) ** 2).sum(axis=0)
    rounding = (FLAT * np.abs(values).max(axis=0, initial=0.0)) ** 2
    return _ratio(between, squares.sum(axis=0) / len(values), rounding)


def pair_ratio(
    values: NDArray[np.float64], labels: NDArray[np.str_], first: str, second: str
) -> NDArray[np.float64]:
    """RD ``(F,)`` of a pair of classes: distance of the means over the sum of the standard deviations.

    Standard deviations have the divisor n - 1, as in IDEAS' population statistics.

    Raises
    ------
    UsageError
        A class without objects.

    Examples
    --------
    >>> values = np.array([[0.0], [2.0], [10.0], [12.0]])
    >>> pair_ratio(values, np.array(["a", "a", "b", "b"]), "a", "b").round(3).tolist()
    [3.536]
    """
    for name in (first, second):
        if not (labels == name).any():
            msg = f"expected a class among {', '.join(np.unique(labels))}, found {name!r}"
            raise UsageError(msg)
    mine = (labels == first) | (labels == second)
    ratios: NDArray[np.float64] = _pair_ratios(values[mine], (labels[mine] == second).astype(np.int64))[0]
    return ratios


def rank(values: NDArray[np.float64], labels: NDArray[np.str_], names: Sequence[str]) -> Ranking:
    """Sort columns by :func:`fisher_ratio`, best first; equal ones keep their order.

    Parameters
    ----------
    values : ndarray (n, F)
        Finite.
    labels : ndarray (n,) of str
        Two classes or more.
    names : sequence of str (F,)
    """
    ratios = fisher_ratio(values, labels)
    order = np.argsort(-ratios, kind="stable")
    classes, codes = np.unique(labels, return_inverse=True)
    all_pairs = _pair_ratios(values, codes)
    best = all_pairs.argmax(axis=0)
    pairs = [(str(a), str(b)) for a, b in combinations(classes, 2)]
    return Ranking(
        names=tuple(names[place] for place in order),
        ratios=ratios[order],
        order=order,
        pair_ratios=all_pairs.max(axis=0)[order],
        pairs=tuple(pairs[best[place]] for place in order),
    )


def correlated(
    values: NDArray[np.float64], order: NDArray[np.int64], limit: float = 0.9
) -> tuple[NDArray[np.int64], dict[int, tuple[int, float]]]:
    """Part columns into those to keep and those that repeat a better one.

    Going down the ranking, a column is kept if its Pearson correlation with each
    column kept so far is at most `limit`, whatever the sign.

    Parameters
    ----------
    values : ndarray (n, F)
    order : ndarray (m,) of int
        Columns, best first.
    limit : float

    Returns
    -------
    kept : ndarray of int64
        Best first.
    repeats : dict of int to (int, float)
        For each other column: the kept one that it repeats most, and the correlation.
    """
    columns = values[:, order] - values[:, order].mean(axis=0)
    spread = np.sqrt((columns**2).sum(axis=0))
    columns = np.divide(columns, spread, out=np.zeros_like(columns), where=spread > 0)
    matrix = np.clip(columns.T @ columns, -1.0, 1.0)
    strength = np.abs(matrix)
    kept: list[int] = []
    repeats: dict[int, tuple[int, float]] = {}
    for place in range(len(order)):
        worst = kept[int(strength[place, kept].argmax())] if kept else place
        if kept and strength[place, worst] > limit:
            repeats[int(order[place])] = (int(order[worst]), float(matrix[place, worst]))
        else:
            kept.append(place)
    return np.asarray(order, np.int64)[kept], repeats


def uncorrelated(
    values: NDArray[np.float64], order: NDArray[np.int64], limit: float = 0.9
) -> NDArray[np.int64]:
    """Columns of `order` that repeat no better one, best first; see :func:`correlated`.

    Examples
    --------
    >>> values = np.array([[1.0, 2.1, 0.0], [2.0, 3.9, 1.0], [3.0, 6.0, 0.0]])
    >>> uncorrelated(values, np.array([1, 0, 2])).tolist()
    [1, 2]
    """
    return correlated(values, order, limit)[0]


def _moments(
    values: NDArray[np.float64], codes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Count ``(C,)``, mean ``(C, F)`` and sum of squared deviations ``(C, F)`` of each class."""
    counts = np.bincount(codes)
    means = np.stack([values[codes == code].mean(axis=0) for code in range(len(counts))])
    squares = np.stack([((values[codes == c] - means[c]) ** 2).sum(axis=0) for c in range(len(counts))])
    return counts, means, squares


def _pair_ratios(values: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """RD ``(pairs, F)`` of every pair of classes."""
    counts, means, squares = _moments(values, codes)
    deviations = np.sqrt(squares / np.maximum(counts - 1, 1)[:, np.newaxis])
    rounding = FLAT * np.abs(values).max(axis=0, initial=0.0)
    pairs = combinations(range(len(counts)), 2)
    return np.stack(
        [_ratio(np.abs(means[a] - means[b]), deviations[a] + deviations[b], rounding) for a, b in pairs]
    )


def _ratio(
    upper: NDArray[np.float64], lower: NDArray[np.float64], rounding: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Divide; 0 where `upper` is at most `rounding`, and never above :data:`LARGEST`."""
    upper = np.where(upper <= rounding, 0.0, upper)
    result: NDArray[np.float64] = upper / np.maximum(lower, np.maximum(upper / LARGEST, np.finfo(float).tiny))
    return result
