"""How many cells a frequency needs, and how small a frequency a number of cells can show."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ifcyto.compare.frequency import IntervalMethod, proportion_interval
from ifcyto.errors import UsageError

__all__ = ["MOST_CELLS", "Resolution", "cells_needed", "resolution"]

MOST_CELLS = 10**12
"""A wish that needs more cells than this is refused."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The smallest frequencies that a number of cells can show, in percent.

    Parameters
    ----------
    cells : int
        Cells that were judged.
    step : float
        One cell of them, ``100 / cells``: frequencies come in steps of this
        size. NaN without cells.
    detectable : float
        Smallest true frequency of which at least one cell is found with the
        asked probability; NaN without cells. A smaller one may well show no
        cell at all.
    """

    cells: int
    step: float
    detectable: float


def resolution(cells: int, *, level: float = 0.95) -> Resolution:
    """Smallest frequencies that a sample of `cells` cells can resolve.

    Parameters
    ----------
    cells : int
        At least 0.
    level : float
        Probability of finding at least one cell, between 0 and 1.

    Returns
    -------
    Resolution

    Raises
    ------
    UsageError
        A negative number of cells, a level outside (0, 1).

    Notes
    -----
    No cell is found with probability ``(1 - p)^cells``, so that the detectable
    frequency is ``1 - (1 - level)^(1 / cells)``: at 95 % about 3 / cells, the
    rule of three. It is also the upper bound of the one-sided exact interval
    of a sample in which none was found.

    References
    ----------
    Hanley JA, Lippman-Hand A (1983) JAMA 249:1743-1745.

    Examples
    --------
    >>> found = resolution(489)  # the smallest sample of a published cohort
    >>> f"{found.step:.2f} % and {found.detectable:.2f} %"
    '0.20 % and 0.61 %'
    """
    if cells < 0:
        msg = f"resolution: expected at least 0 cells, found {cells!r}"
        raise UsageError(msg)
    if not 0 < level < 1:
        msg = f"resolution: expected a level between 0 and 1 (such as 0.95), found {level!r}"
        raise UsageError(msg)
    if cells == 0:
        return Resolution(0, math.nan, math.nan)
    return Resolution(int(cells), 100 / cells, -100 * math.expm1(math.log1p(-level) / cells))


def cells_needed(
    percent: float,
    *,
    half_width: float | None = None,
    relative: float | None = None,
    method: IntervalMethod = "wilson",
    level: float = 0.95,
) -> int:
    """Cells to count so that the interval of a frequency is as narrow as wanted.

    Parameters
    ----------
    percent : float
        The frequency that is expected, 0 to 100.
    half_width : float, optional
        Wanted half of the interval, in percentage points.
    relative : float, optional
        The same as a part of `percent`: with 0.25 a frequency of 2 % is wanted
        within 0.5 percentage points. Give one of the two.
    method : {"wilson", "clopper-pearson"}
        Kind of the interval, as in :func:`~ifcyto.compare.frequency.frequency`.
    level : float
        Its confidence level.

    Returns
    -------
    int
        Smallest number of cells whose interval, should exactly `percent` of
        them be found, is at most twice the wanted half. What is found scatters
        about `percent`; so the interval will be somewhat wider about half of
        the time.

    Raises
    ------
    UsageError
        A percentage outside 0 to 100, both or none of the two wishes, a wish
        that is not above 0, a relative one at 0 %, or one that needs more than
        :data:`MOST_CELLS`.

    Examples
    --------
    >>> cells_needed(1.0, relative=0.25)
    6173
    >>> cells_needed(0.0, half_width=0.1)
    1917
    """
    if not 0 <= percent <= 100:
        msg = f"cells needed: expected a frequency of 0 to 100 %, found {percent!r}"
        raise UsageError(msg)
    if (half_width is None) == (relative is None):
        msg = "cells needed: expected either half_width or relative, found both or none; give one of them"
        raise UsageError(msg)
    wanted = half_width if half_width is not None else (relative or 0.0) * percent
    if not 0 < wanted < math.inf:
        msg = f"cells needed: expected a half width above 0 percentage points, found {wanted!r}"
        raise UsageError(msg)

    def narrow(cells: int) -> bool:
        low, high = proportion_interval(percent / 100 * cells, cells, method=method, level=level)
        return 50 * (high - low) <= wanted

    enough = 1
    while not narrow(enough):
        enough *= 2
        if enough > MOST_CELLS:
            msg = (
                f"cells needed: half a width of {wanted:g} percentage points at {percent:g} % needs more "
                f"than {MOST_CELLS:.0e} cells; ask for less"
            )
            raise UsageError(msg)
    few = enough // 2
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if narrow(middle) else (middle, enough)
    return enough
