"""How often a class occurs among the cells of a sample, with its interval."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Literal

from scipy.special import betaincinv, ndtri

from ifcyto.errors import UsageError

__all__ = ["Frequency", "IntervalMethod", "frequency", "proportion_interval"]

IntervalMethod = Literal["wilson", "clopper-pearson"]


@dataclass(frozen=True, slots=True)
class Frequency:
    """A proportion of cells and its confidence interval, in percent.

    Parameters
    ----------
    cells : int
        Cells that were judged.
    positives : int
        Those of them that belong to the class.
    percent : float
        ``100 * positives / cells``; NaN without cells.
    ci_low, ci_high : float
        Bounds of the confidence interval in percent; NaN without cells.
    """

    cells: int
    positives: int
    percent: float
    ci_low: float
    ci_high: float


def frequency(
    positives: int, cells: int, *, method: IntervalMethod = "wilson", level: float = 0.95
) -> Frequency:
    """Proportion in percent with a two-sided confidence interval.

    Parameters
    ----------
    positives : int
        Cells of the class, 0 to `cells`.
    cells : int
        All cells. A sample without cells says nothing of the frequency, so
        with 0 the percent and both bounds are NaN.
    method : {"wilson", "clopper-pearson"}
        Wilson's score interval [1]_ (without continuity correction), whose
        coverage is close to `level` on average; or the interval of Clopper and
        Pearson [2]_, whose coverage is never below `level`.
    level : float
        Confidence level, between 0 and 1, both excluded.

    Returns
    -------
    Frequency

    Raises
    ------
    UsageError
        Counts that are no counts, more positives than cells, an unknown
        method, a level outside (0, 1).

    References
    ----------
    .. [1] Wilson EB (1927) J Am Stat Assoc 22:209-212.
    .. [2] Clopper CJ, Pearson ES (1934) Biometrika 26:404-413.

    Examples
    --------
    >>> f = frequency(15, 148)
    >>> f"{f.percent:.1f} % ({f.ci_low:.2f} to {f.ci_high:.2f})"
    '10.1 % (6.24 to 16.05)'
    """
    positives, cells = _count("positives", positives), _count("cells", cells)
    if positives > cells:
        msg = f"frequency: expected at most as many positives as cells, found {positives} of {cells}"
        raise UsageError(msg)
    low, high = proportion_interval(positives, cells, method=method, level=level)
    percent = 100 * positives / cells if cells else math.nan
    return Frequency(cells, positives, percent, 100 * low, 100 * high)


def proportion_interval(
    positives: float, cells: int, *, method: IntervalMethod = "wilson", level: float = 0.95
) -> tuple[float, float]:
    """Two-sided confidence interval of a proportion, as a fraction.

    Parameters
    ----------
    positives : float
        From 0 to `cells`. It need not be whole: an expected number serves to
        plan how many cells are needed.
    cells : int
        All cells; with 0 both bounds are NaN.
    method, level
        As in :func:`frequency`.

    Returns
    -------
    low, high : float

    Raises
    ------
    UsageError
        An unknown method, a level outside (0, 1).

    Examples
    --------
    >>> low, high = proportion_interval(15, 148)
    >>> f"{low:.4f} to {high:.4f}"
    '0.0624 to 0.1605'
    """
    if not 0 < level < 1:
        msg = f"frequency: expected a level between 0 and 1 (such as 0.95), found {level!r}"
        raise UsageError(msg)
    if method not in _INTERVALS:
        msg = f"frequency: expected method {' or '.join(map(repr, _INTERVALS))}, found {method!r}"
        raise UsageError(msg)
    return _INTERVALS[method](positives, cells, level) if cells else (math.nan, math.nan)


def _count(name: str, value: int) -> int:
    try:
        whole = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        whole = -1
    if whole < 0:
        msg = f"frequency: expected {name} to be a whole number of at least 0, found {value!r}"
        raise UsageError(msg)
    return whole


def _wilson(positives: float, cells: int, level: float) -> tuple[float, float]:
    """Score interval; its bounds at no and at all positives are 0 and 1 without rounding."""
    z = float(ndtri(0.5 + level / 2))
    p = positives / cells
    middle = p + z * z / (2 * cells)
    half = z * math.sqrt(p * (1 - p) / cells + z * z / (4 * cells * cells))
    scale = 1 + z * z / cells
    low = 0.0 if positives == 0 else (middle - half) / scale
    high = 1.0 if positives == cells else (middle + half) / scale
    return low, high


def _clopper_pearson(positives: float, cells: int, level: float) -> tuple[float, float]:
    """Exact interval by quantiles of the beta distribution."""
    alpha = (1 - level) / 2
    rest = cells - positives
    low = 0.0 if positives == 0 else float(betaincinv(positives, rest + 1, alpha))
    high = 1.0 if rest == 0 else float(betaincinv(positives + 1, rest, 1 - alpha))
    return low, high


_INTERVALS = {"wilson": _wilson, "clopper-pearson": _clopper_pearson}
