"""Two methods that measure the same samples: bias and limits of agreement."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtrit

from ifcyto.compare.ranks import group_values
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["BlandAltman", "bland_altman"]


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Differences of two methods over samples, in the unit of the values.

    Parameters
    ----------
    n : int
        Samples.
    bias, bias_low, bias_high : float
        Mean of the differences, first less second, with its interval.
    sd : float
        Standard deviation of the differences (divisor n - 1).
    lower, lower_low, lower_high : float
        Lower limit of agreement, ``bias - 1.96 sd``, with its interval.
    upper, upper_low, upper_high : float
        Upper limit of agreement, with its interval.

    Notes
    -----
    All but `bias` are NaN with fewer than two samples.
    """

    n: int
    bias: float
    bias_low: float
    bias_high: float
    sd: float
    lower: float
    lower_low: float
    lower_high: float
    upper: float
    upper_low: float
    upper_high: float


def bland_altman(
    first: Sequence[float] | NDArray[np.float64],
    second: Sequence[float] | NDArray[np.float64],
    *,
    level: float = 0.95,
) -> BlandAltman:
    """Bias of the first method against the second, and limits of agreement.

    Parameters
    ----------
    first, second : array_like (n,)
        Values of the same samples in the same order, at least one.
    level : float
        Share of differences that the limits are to hold, and the confidence
        level of the intervals.

    Returns
    -------
    BlandAltman

    Raises
    ------
    UsageError
        Lengths that differ, no values, values that are not finite, a level
        outside (0, 1).

    Notes
    -----
    The intervals use Student's t with ``n - 1`` degrees; the variance of a
    limit is ``sd^2 (1 / n + z^2 / (2 (n - 1)))`` [2]_: an *approximation*, as
    are the limits themselves where the differences are not normal or grow with
    the frequency.

    References
    ----------
    .. [1] Bland JM, Altman DG (1986) Lancet 327:307-310.
    .. [2] Bland JM, Altman DG (1999) Stat Methods Med Res 8:135-160.

    Examples
    --------
    >>> found = bland_altman([1.2, 0.8, 2.5, 3.1], [1.0, 0.9, 2.0, 2.5])
    >>> f"{found.bias:.2f} ({found.lower:.2f} to {found.upper:.2f})"
    '0.30 (-0.32 to 0.92)'
    """
    one, other = group_values("first", first), group_values("second", second)
    if one.size != other.size:
        msg = f"Bland-Altman: expected two values for every sample, found {one.size} and {other.size}"
        raise UsageError(msg)
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        msg = "Bland-Altman: expected finite numbers, found infinite ones"
        raise UsageError(msg)
    if not 0 < level < 1:
        msg = f"Bland-Altman: expected a level between 0 and 1 (such as 0.95), found {level!r}"
        raise UsageError(msg)
    differences = one - other
    n, bias = differences.size, float(differences.mean())
    if n < 2:
        return BlandAltman(n, bias, *[math.nan] * 9)
    sd = float(differences.std(ddof=1))
    z, t = float(ndtri(0.5 + level / 2)), float(stdtrit(n - 1, 0.5 + level / 2))
    half = t * sd / math.sqrt(n)
    wide = t * sd * math.sqrt(1 / n + z * z / (2 * (n - 1)))
    lower, upper = bias - z * sd, bias + z * sd
    return BlandAltman(
        n=n,
        bias=bias,
        bias_low=bias - half,
        bias_high=bias + half,
        sd=sd,
        lower=lower,
        lower_low=lower - wide,
        lower_high=lower + wide,
        upper=upper,
        upper_low=upper - wide,
        upper_high=upper + wide,
    )
