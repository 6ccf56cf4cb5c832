"""How far several raters agree on the same objects: kappa, Jaccard, McNemar."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtr, ndtri

from ifcyto.compare.frequency import proportion_interval
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Kappa", "PairAgreement", "cohen_kappa", "fleiss_kappa", "mcnemar_p", "pair_agreement"]


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement beyond chance.

    Parameters
    ----------
    kappa : float
        1 for full agreement, 0 for that of chance; NaN without objects, or
        where all raters put all objects into one class.
    low, high : float
        Bounds of its confidence interval, cut at -1 and 1: an *approximation*.
        NaN where kappa is, and with fewer than two objects.
    """

    kappa: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two raters who each say yes or no of the same objects.

    Parameters
    ----------
    objects : int
    both, first_only, second_only, neither : int
        Who said yes.
    kappa : Kappa
        Cohen's.
    jaccard, jaccard_low, jaccard_high : float
        ``both`` over the objects of which any said yes, with Wilson's interval;
        NaN without such objects.
    mcnemar_p : float
        Exact two-sided p that both say yes equally often; 1 where they never
        differ.
    """

    objects: int
    both: int
    first_only: int
    second_only: int
    neither: int
    kappa: Kappa
    jaccard: float
    jaccard_low: float
    jaccard_high: float
    mcnemar_p: float


def pair_agreement(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> PairAgreement:
    """Compare the yes and no of two raters.

    Parameters
    ----------
    first, second : array_like (n,) of bool
        Of the same objects in the same order.
    level : float
        Confidence level.

    Returns
    -------
    PairAgreement

    Raises
    ------
    UsageError
        Lengths that differ, values that are not bool, a level outside (0, 1).

    Examples
    --------
    >>> found = pair_agreement([True, True, True, False], [True, False, True, False])
    >>> found.both, found.first_only, found.kappa.kappa, round(found.jaccard, 3)
    (2, 1, 0.5, 0.667)
    """
    one, other = np.asarray(first), np.asarray(second)
    if one.shape != other.shape or one.ndim != 1:
        msg = (
            f"pair of raters: expected two lists of the same length, found shapes {one.shape}, {other.shape}"
        )
        raise UsageError(msg)
    if one.size and not one.dtype == other.dtype == np.bool_:
        msg = f"pair of raters: expected True and False, found {one.dtype} and {other.dtype}"
        raise UsageError(msg)
    both = int(np.count_nonzero(one & other)) if one.size else 0
    first_only, second_only = int(one.sum()) - both, int(other.sum()) - both
    neither = one.size - both - first_only - second_only
    union = both + first_only + second_only
    low, high = proportion_interval(both, union, level=level)
    return PairAgreement(
        objects=one.size,
        both=both,
        first_only=first_only,
        second_only=second_only,
        neither=neither,
        kappa=cohen_kappa([[both, first_only], [second_only, neither]], level=level),
        jaccard=both / union if union else math.nan,
        jaccard_low=low,
        jaccard_high=high,
        mcnemar_p=mcnemar_p(first_only, second_only),
    )


def mcnemar_p(first_only: int, second_only: int) -> float:
    """Test whether two raters say yes equally often (exact McNemar test).

    Parameters
    ----------
    first_only, second_only : int
        Objects of which only the first, and only the second rater said yes.

    Returns
    -------
    float
        Two-sided p of the binomial distribution with probability one half; 1
        where they never differ.

    Raises
    ------
    UsageError
        Negative counts.

    References
    ----------
    McNemar Q (1947) Psychometrika 12:153-157.

    Examples
    --------
    >>> mcnemar_p(1, 7)
    0.0703125
    """
    if first_only < 0 or second_only < 0:
        msg = f"McNemar: expected counts of at least 0, found {first_only} and {second_only}"
        raise UsageError(msg)
    total = first_only + second_only
    return min(1.0, 2 * float(bdtr(min(first_only, second_only), total, 0.5))) if total else 1.0


def cohen_kappa(matrix: ArrayLike, *, level: float = 0.95) -> Kappa:
    """Kappa of two raters from their confusion matrix.

    Parameters
    ----------
    matrix : array_like (k, k) of int
        Counts; rows are the classes by one rater, columns by the other.
    level : float
        Confidence level.

    Returns
    -------
    Kappa

    Raises
    ------
    UsageError
        A matrix that is not square, counts that are no counts, a level outside
        (0, 1).

    Notes
    -----
    The interval is ``kappa -+ z se`` with the large-sample standard error of
    Fleiss, Cohen and Everitt [2]_.

    References
    ----------
    .. [1] Cohen J (1960) Educ Psychol Meas 20:37-46.
    .. [2] Fleiss JL, Cohen J, Everitt BS (1969) Psychol Bull 72:323-327.

    Examples
    --------
    >>> found = cohen_kappa([[20, 5], [10, 15]])
    >>> f"{found.kappa:.2f} ({found.low:.2f} to {found.high:.2f})"
    '0.40 (0.15 to 0.65)'
    """
    counts, z = _counts("kappa", matrix), _quantile(level)
    if counts.shape[0] != counts.shape[1]:
        msg = f"kappa: expected as many rows as columns, found shape {counts.shape}"
        raise UsageError(msg)
    total = counts.sum()
    if not total:
        return Kappa(math.nan, math.nan, math.nan)
    share = counts / total
    rows, columns = share.sum(1), share.sum(0)
    agreed, chance = float(np.trace(share)), float(rows @ columns)
    if np.count_nonzero(rows) == np.count_nonzero(columns) == 1 and chance > 0:
        return Kappa(math.nan, math.nan, math.nan)
    kappa = (agreed - chance) / (1 - chance)
    weight = np.add.outer(columns, rows)  # p.i + pj. of cell (i, j)
    diagonal = np.diag(share) @ (1 - np.diag(weight) * (1 - kappa)) ** 2
    outside = share - np.diag(np.diag(share))
    rest = (1 - kappa) ** 2 * float((outside * weight**2).sum())
    variance = float(diagonal) + rest - (kappa - chance * (1 - kappa)) ** 2
    return _interval(kappa, math.sqrt(max(0.0, variance) / total) / (1 - chance), z, int(total))


def fleiss_kappa(counts: ArrayLike, *, times: ArrayLike | None = None, level: float = 0.95) -> Kappa:
    """Kappa of two or more raters.

    Parameters
    ----------
    counts : array_like (n, k) of int
        How many raters put each object into each class; every object has the
        same number of raters, at least two.
    times : array_like (n,) of int, optional
        How often each row of `counts` occurs; by default once. A few patterns
        stand for very many objects so.
    level : float
        Confidence level.

    Returns
    -------
    Kappa

    Raises
    ------
    UsageError
        Counts that are no counts, objects with another number of raters, fewer
        than two raters, a level outside (0, 1).

    Notes
    -----
    The interval is ``kappa -+ z se``, with the standard error of the jackknife
    that leaves out one object at a time [2]_.

    References
    ----------
    .. [1] Fleiss JL (1971) Psychol Bull 76:378-382.
    .. [2] Fleiss JL, Davies M (1982) Am J Epidemiol 115:841-845.

    Examples
    --------
    >>> found = fleiss_kappa([[3, 0], [0, 3], [2, 1], [0, 3]])
    >>> round(found.kappa, 3)
    0.657
    """
    given, z = _counts("Fleiss' kappa", counts), _quantile(level)
    often = np.ones(len(given), np.int64) if times is None else np.asarray(times, np.int64)
    if often.shape != (len(given),) or (often < 0).any():
        msg = (
            f"Fleiss' kappa: expected how often each of the {len(given)} rows occurs, found {often.tolist()}"
        )
        raise UsageError(msg)
    given, often = given[often > 0], often[often > 0]
    raters = np.unique(given.sum(1))
    if raters.size > 1 or (raters < 2).any():
        msg = f"Fleiss' kappa: expected the same two or more raters for every object, found {raters.tolist()}"
        raise UsageError(msg)
    total = int(often.sum())
    if not total:
        return Kappa(math.nan, math.nan, math.nan)
    m = int(raters[0])
    own = (given * (given - 1)).sum(1) / (m * (m - 1))  # agreement within each object
    kappa = float(_fleiss(own @ often, often @ given, total, m))
    if math.isnan(kappa) or total == 1:
        return Kappa(kappa, math.nan, math.nan)
    without = _fleiss(own @ often - own, often @ given - given, total - 1, m)
    if np.isnan(without).any():
        return Kappa(kappa, math.nan, math.nan)
    middle = without @ often / total
    variance = (total - 1) / total * float(often @ (without - middle) ** 2)
    return _interval(kappa, math.sqrt(variance), z, total)


def _fleiss(
    agreed: NDArray[np.float64], classes: NDArray[np.int64], total: int, m: int
) -> NDArray[np.float64]:
    """Kappa from the summed agreement within objects and the ratings of each class."""
    chance = ((classes / (total * m)) ** 2).sum(-1)
    whole = (classes == total * m).any(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole, np.nan, (agreed / total - chance) / (1 - chance))


def _interval(kappa: float, error: float, z: float, objects: int) -> Kappa:
    if objects < 2:
        return Kappa(kappa, math.nan, math.nan)
    return Kappa(kappa, max(-1.0, kappa - z * error), min(1.0, kappa + z * error))


def _counts(what: str, given: ArrayLike) -> NDArray[np.int64]:
    counts = np.asarray(given)
    if counts.ndim != 2 or counts.dtype.kind not in "iu" or (counts < 0).any():
        msg = f"{what}: expected a table of whole counts of at least 0, found others or shape {counts.shape}"
        raise UsageError(msg)
    return counts.astype(np.int64)


def _quantile(level: float) -> float:
    if not 0 < level < 1:
        msg = f"kappa: expected a level between 0 and 1 (such as 0.95), found {level!r}"
        raise UsageError(msg)
    return float(ndtri(0.5 + level / 2))
