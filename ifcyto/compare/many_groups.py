"""Rank tests of several groups at once, and of each pair of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc, ndtr

from ifcyto.compare.multiple import Correction, adjusted
from ifcyto.compare.ranks import group_values
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Groups = Mapping[str, Sequence[float] | NDArray[np.float64]]

__all__ = ["DunnPair", "KruskalTest", "dunn_test", "kruskal_test"]


@dataclass(frozen=True, slots=True)
class KruskalTest:
    """Result of a Kruskal-Wallis test.

    Parameters
    ----------
    h : float
        Test statistic, corrected for ties; 0 when all values are equal.
    df : int
        Groups less one.
    p : float
        From the chi-squared distribution with `df` degrees: an *approximation*.
    n : dict of str to int
        Values in each group.
    mean_ranks : dict of str to float
        Mean rank in each group, tied values sharing theirs.
    """

    h: float
    df: int
    p: float
    n: dict[str, int]
    mean_ranks: dict[str, float]


@dataclass(frozen=True, slots=True)
class DunnPair:
    """Two groups of a Dunn test.

    Parameters
    ----------
    first, second : str
        Names of the groups.
    difference : float
        Mean rank of the first less that of the second.
    z : float
        The difference in units of its standard error; 0 when all values are equal.
    p : float
        Two-sided, by the normal distribution: an *approximation*.
    p_adjusted : float
        Corrected for the number of pairs.
    """

    first: str
    second: str
    difference: float
    z: float
    p: float
    p_adjusted: float


def kruskal_test(groups: Groups) -> KruskalTest:
    """Test whether the values of several unpaired groups tend to differ.

    Parameters
    ----------
    groups : mapping of str to array_like
        Values of each group, at least two groups.

    Returns
    -------
    KruskalTest

    Raises
    ------
    UsageError
        Fewer than two groups, an empty group, NaN.

    Notes
    -----
    ``H = 12 / (N (N + 1)) sum n_i (R_i - (N + 1) / 2)^2``, divided by
    ``1 - sum (t^3 - t) / (N^3 - N)`` for ties of t values. With groups of
    fewer than about five the approximation is poor, most often too large a p.

    References
    ----------
    Kruskal WH, Wallis WA (1952) J Am Stat Assoc 47:583-621.

    Examples
    --------
    >>> found = kruskal_test({"a": [1, 2, 3, 4], "b": [3, 5, 6, 8], "c": [7, 9, 9, 9]})
    >>> f"H = {found.h:.3f}, p = {found.p:.4f}"
    'H = 8.524, p = 0.0141'
    """
    ranks, spread = _ranked(groups)
    total = sum(map(len, ranks.values()))
    middle = (total + 1) / 2
    between = sum(len(r) * (float(r.mean()) - middle) ** 2 for r in ranks.values())
    h = between / spread if spread else 0.0
    df = len(ranks) - 1
    return KruskalTest(
        h=h,
        df=df,
        p=float(chdtrc(df, h)),
        n={name: len(r) for name, r in ranks.items()},
        mean_ranks={name: float(r.mean()) for name, r in ranks.items()},
    )


def dunn_test(groups: Groups, *, correction: Correction = "holm") -> tuple[DunnPair, ...]:
    """Compare every pair of groups by the ranks among all of them.

    Parameters
    ----------
    groups : mapping of str to array_like
        Values of each group, at least two groups.
    correction : {"holm", "bh", "none"}
        Correction of the p-values for the number of pairs.

    Returns
    -------
    tuple of DunnPair
        First with second, first with third, ..., second with third, ...

    Raises
    ------
    UsageError
        Fewer than two groups, an empty group, NaN, another correction.

    Notes
    -----
    The variance of a difference of mean ranks is
    ``(N (N + 1) / 12 - sum (t^3 - t) / (12 (N - 1))) (1 / n_i + 1 / n_j)``.

    References
    ----------
    Dunn OJ (1964) Technometrics 6:241-252.

    Examples
    --------
    >>> for pair in dunn_test({"a": [1, 2, 3, 4], "b": [3, 5, 6, 8], "c": [7, 9, 9, 9]}):
    ...     print(pair.first, pair.second, f"{pair.z:.2f}", f"{pair.p_adjusted:.3f}")
    a b -1.38 0.250
    a c -2.92 0.011
    b c -1.53 0.250
    """
    ranks, spread = _ranked(groups)
    pairs = []
    for (first, one), (second, other) in combinations(ranks.items(), 2):
        difference = float(one.mean() - other.mean())
        error = math.sqrt(spread * (1 / len(one) + 1 / len(other)))
        z = difference / error if error else 0.0
        pairs.append((first, second, difference, z, 2 * float(ndtr(-abs(z)))))
    corrected = adjusted([pair[-1] for pair in pairs], correction)
    return tuple(DunnPair(*pair, p) for pair, p in zip(pairs, corrected.tolist(), strict=True))


def _ranked(groups: Groups) -> tuple[dict[str, NDArray[np.float64]], float]:
    """Ranks of each group among all values, and the variance of all ranks (divisor N - 1)."""
    if len(groups) < 2:
        msg = f"rank test of several groups: expected at least two, found {', '.join(groups) or 'none'}"
        raise UsageError(msg)
    values = {name: group_values(name, group) for name, group in groups.items()}
    distinct, place, tied = np.unique(
        np.concatenate(list(values.values())), return_inverse=True, return_counts=True
    )
    ranks = (np.cumsum(tied) - (tied - 1) / 2)[place]
    ends = np.cumsum([group.size for group in values.values()])[:-1]
    spread = float(ranks.var(ddof=1)) if distinct.size > 1 else 0.0
    return dict(zip(values, np.split(ranks, ends), strict=True)), spread
