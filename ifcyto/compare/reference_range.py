"""Which samples differ from normal: one sample against the range of the controls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import betaincinv

from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifcyto.compare.frequency import Frequency

__all__ = ["ReferenceLimit", "Verdict", "reference_limit", "verdict"]

Verdict = Literal["within", "unsure", "above", ""]
"""What :func:`verdict` says."""


@dataclass(frozen=True, slots=True)
class ReferenceLimit:
    """Upper limit of normal frequencies, in percent.

    Parameters
    ----------
    n : int
        Controls with cells.
    limit : float
        The larger one of `ranked` and `pooled`; NaN without controls.
    ranked : float
        Limit by the ranks of the controls' frequencies; with fewer than 19
        controls the highest of them.
    pooled : float
        What the controls' cells, all together, cannot rule out: upper bound of
        the one-sided exact interval of their pooled frequency.
    share_above : float
        Share of normal samples expected above `ranked`; NaN without controls.
    """

    n: int
    limit: float
    ranked: float
    pooled: float
    share_above: float


def reference_limit(controls: Sequence[Frequency], *, level: float = 0.95) -> ReferenceLimit:
    """Upper reference limit of the controls' frequencies.

    Parameters
    ----------
    controls : sequence of Frequency
        One for each control sample; those without cells are left out.
    level : float
        Share of normal samples that the limit is to hold, between 0 and 1.

    Returns
    -------
    ReferenceLimit

    Raises
    ------
    UsageError
        A level outside (0, 1).

    Notes
    -----
    The nonparametric limit is the value of rank ``level (n + 1)`` among the n
    sorted frequencies, between two of them by linear interpolation [1]_; no
    form of their distribution is assumed. It needs 19 controls for 95 %: with
    fewer it is the highest control, above which ``1 / (n + 1)`` of normal
    samples are expected (one in twelve with 11 controls). Laboratories ask for
    120 controls; a limit from a dozen is a rough one.

    Few cells hold few rare cells, so that the limit of small controls may be 0
    by chance. So it is never taken below the upper bound of Clopper and
    Pearson's one-sided interval of all controls' cells together, at `level`.

    References
    ----------
    .. [1] CLSI (2010) EP28-A3c, Defining, establishing, and verifying reference
       intervals in the clinical laboratory.

    Examples
    --------
    >>> from ifcyto.compare.frequency import frequency
    >>> found = reference_limit([frequency(k, 2000) for k in (2, 5, 0, 12, 7)])
    >>> found.limit, round(found.share_above, 3)
    (0.6, 0.167)
    """
    if not 0 < level < 1:
        msg = f"reference limit: expected a level between 0 and 1 (such as 0.95), found {level!r}"
        raise UsageError(msg)
    known = [one for one in controls if one.cells]
    if not known:
        return ReferenceLimit(0, math.nan, math.nan, math.nan, math.nan)
    n = len(known)
    ranked = float(np.quantile([one.percent for one in known], level, method="weibull"))
    positives, cells = sum(one.positives for one in known), sum(one.cells for one in known)
    rest = cells - positives
    pooled = 100.0 if not rest else 100 * float(betaincinv(positives + 1, rest, level))
    return ReferenceLimit(n, max(ranked, pooled), ranked, pooled, max(1 - level, 1 / (n + 1)))


def verdict(sample: Frequency, limit: ReferenceLimit) -> Verdict:
    """Hold one sample against the limit, its own interval taken into account.

    Parameters
    ----------
    sample : Frequency
    limit : ReferenceLimit

    Returns
    -------
    {"within", "unsure", "above", ""}
        ``within``: the frequency is at most the limit. ``above``: the whole
        interval of the frequency lies above it. ``unsure``: the frequency lies
        above it, its interval does not: more cells are needed. Empty: the
        sample has no cells, or there is no limit.

    Examples
    --------
    >>> from ifcyto.compare.frequency import frequency
    >>> limit = reference_limit([frequency(k, 2000) for k in (2, 5, 0, 12, 7)])
    >>> [verdict(frequency(k, n), limit) for k, n in ((4, 1000), (9, 1000), (30, 1000), (0, 0))]
    ['within', 'unsure', 'above', '']
    """
    if not sample.cells or math.isnan(limit.limit):
        return ""
    if sample.percent <= limit.limit:
        return "within"
    return "above" if sample.ci_low > limit.limit else "unsure"
