"""How far two groups lie apart: rank effect sizes and the shift, each with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from ifcyto.compare.rank_sums import MAX_PAIRS, untied
from ifcyto.compare.ranks import EXACT_UP_TO, group_values
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["MOST_PAIRS", "RankEffect", "Shift", "rank_effect", "shift"]

MOST_PAIRS = 25_000_000
"""Most pairs of values whose differences are sorted; they take 200 MB."""


@dataclass(frozen=True, slots=True)
class RankEffect:
    """Effect size of a Mann-Whitney test with its confidence interval.

    Parameters
    ----------
    auc, auc_low, auc_high : float
        Probability that a value of x exceeds one of y, ties counting a half:
        the area under the ROC curve, 0.5 where the groups do not differ.
    effect, effect_low, effect_high : float
        The same as rank-biserial correlation, ``2 auc - 1``, from -1 to 1.
    """

    auc: float
    auc_low: float
    auc_high: float
    effect: float
    effect_low: float
    effect_high: float


@dataclass(frozen=True, slots=True)
class Shift:
    """Difference in location of two groups, in the unit of the values.

    Parameters
    ----------
    shift : float
        Median of all differences ``x - y`` (Hodges and Lehmann).
    low, high : float
        Bounds of its confidence interval; NaN where the groups are too small
        for an interval of that level.
    exact : bool
        The interval comes from the exact distribution; otherwise from an
        *approximation* by the normal distribution.
    """

    shift: float
    low: float
    high: float
    exact: bool


def rank_effect(u: float, n_x: int, n_y: int, *, level: float = 0.95) -> RankEffect:
    """Area under the ROC curve and rank-biserial correlation from the U statistic.

    Parameters
    ----------
    u : float
        Pairs in which the value of x is the larger one, ties counting a half.
    n_x, n_y : int
        Values in each group, at least 1.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    RankEffect

    Raises
    ------
    UsageError
        An empty group, a `u` outside 0 to ``n_x n_y``, a level outside (0, 1).

    Notes
    -----
    The interval is Newcombe's method 5 [1]_: all areas that a score test does
    not reject, with the variance of Hanley and McNeil [2]_ at the tested area
    and ``(n_x + n_y) / 2 - 1`` in place of both group sizes less one. An
    *approximation*, that stays within 0 and 1 and has a width also where the
    groups do not overlap; there it is one-sided. It need not agree with the
    exact p-value at its edge.

    References
    ----------
    .. [1] Newcombe RG (2006) Stat Med 25:559-573.
    .. [2] Hanley JA, McNeil BJ (1982) Radiology 143:29-36.

    Examples
    --------
    >>> found = rank_effect(u=139.0, n_x=14, n_y=11)
    >>> f"{found.auc:.3f} ({found.auc_low:.3f} to {found.auc_high:.3f})"
    '0.903 (0.691 to 0.972)'
    """
    if n_x < 1 or n_y < 1:
        msg = f"rank effect: expected at least one value in each group, found {n_x} and {n_y}"
        raise UsageError(msg)
    if not 0 <= u <= n_x * n_y:
        msg = f"rank effect: expected U of 0 to {n_x * n_y}, found {u!r}"
        raise UsageError(msg)
    z = _quantile("rank effect", level)
    auc = u / (n_x * n_y)
    low, high = _lower_area(auc, n_x, n_y, z), 1 - _lower_area(1 - auc, n_x, n_y, z)
    return RankEffect(auc, low, high, 2 * auc - 1, 2 * low - 1, 2 * high - 1)


def shift(
    x: Sequence[float] | NDArray[np.float64],
    y: Sequence[float] | NDArray[np.float64],
    *,
    level: float = 0.95,
) -> Shift:
    """Hodges-Lehmann estimate of how far x lies above y, with its interval.

    Parameters
    ----------
    x, y : array_like (n_x,), (n_y,)
        Values of the two groups, finite.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    Shift

    Raises
    ------
    UsageError
        An empty group, values that are not finite, more than
        :data:`MOST_PAIRS` pairs, a level outside (0, 1).

    Notes
    -----
    The bounds are the k-th smallest and the k-th largest difference, k being
    the number of values of U in the lower tail of at most ``(1 - level) / 2``
    of its distribution without ties [1]_: the shifts that the test does not
    reject. With ties the interval covers at least as often [2]_. The normal
    approximation of k stands in beyond the sizes of the exact test. The model
    is that of a pure shift; where the groups also differ in spread, as
    frequencies do, read it as the median difference of a pair.

    References
    ----------
    .. [1] Hollander M, Wolfe DA, Chicken E (2014) Nonparametric statistical
       methods, 3rd edition, sections 4.2 and 4.3.
    .. [2] Noether GE (1967) J Am Stat Assoc 62:184-188.

    Examples
    --------
    >>> found = shift([3.1, 4.0, 5.2, 5.5], [0.0, 0.3, 1.3, 1.4])
    >>> round(found.shift, 9), round(found.low, 9), round(found.high, 9)
    (3.85, 1.7, 5.5)
    """
    case, control = group_values("x", x), group_values("y", y)
    for name, values in (("x", case), ("y", control)):
        if not np.isfinite(values).all():
            msg = f"shift: expected finite numbers in {name}, found infinite ones"
            raise UsageError(msg)
    pairs = case.size * control.size
    if pairs > MOST_PAIRS:
        msg = f"shift: expected at most {MOST_PAIRS} pairs of values, found {case.size} times {control.size}"
        raise UsageError(msg)
    z = _quantile("shift", level)
    smaller, larger = sorted((case.size, control.size))
    exact = smaller <= EXACT_UP_TO and pairs <= MAX_PAIRS
    if exact:
        k = int(np.searchsorted(np.cumsum(untied(smaller, larger)), (1 - level) / 2, side="right"))
    else:
        k = math.floor(pairs / 2 - z * math.sqrt(pairs * (smaller + larger + 1) / 12))
    differences = np.sort(np.subtract.outer(case, control), axis=None)
    middle = float(np.median(differences))
    if k < 1:
        return Shift(middle, math.nan, math.nan, exact)
    return Shift(middle, float(differences[k - 1]), float(differences[pairs - k]), exact)


def _quantile(what: str, level: float) -> float:
    if not 0 < level < 1:
        msg = f"{what}: expected a level between 0 and 1 (such as 0.95), found {level!r}"
        raise UsageError(msg)
    return float(ndtri(0.5 + level / 2))


def _lower_area(auc: float, n_x: int, n_y: int, z: float) -> float:
    """Smallest area that the score test does not reject; the largest follows by symmetry."""
    if auc == 0:
        return 0.0
    size = (n_x + n_y) / 2 - 1

    def beyond(area: float) -> float:
        spread = 1 + size * (1 - area) / (2 - area) + size * area / (1 + area)
        return (area - auc) ** 2 - z**2 * area * (1 - area) * spread / (n_x * n_y)

    return float(brentq(beyond, 0.0, min(auc, 1 - 1e-12), xtol=1e-14))
