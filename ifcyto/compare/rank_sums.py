"""Exact null distribution of the Mann-Whitney statistic, ties included.

Everything is counted in half units, so that it stays whole: ``v = 2 U``, where
an ordered pair adds 2 and a pair of tied values 1. ``v`` runs from 0 to
``2 m n`` with mean ``m n``. The distribution is conditional on the pooled
values: each choice of m of them is equally likely.

There are three ways to it. Without ties the counts are Gaussian binomial
coefficients. With ties the choices are counted value by value, in the manner
of the shift algorithm [1]_; that only ever adds probabilities, so that the
thinnest tail keeps its relative precision. Where this takes too many
additions the characteristic function is inverted [2]_, which is good to an
absolute error.

References
----------
.. [1] Streitberg B, Roehmel J (1986) Statistical Software Newsletter 12:10-17.
.. [2] Pagano M, Tritchler D (1983) J Am Stat Assoc 78:435-440.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.compare.rank_inversion import inverted

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_PAIRS", "THINNEST", "can_be_counted", "counted", "two_sided_p", "untied"]

MAX_PAIRS = 1_000_000
"""Largest m times n whose distribution is worked out; it bounds time and memory."""

THINNEST = 1e-9
"""Smallest p that the inversion may tell; its absolute error is far below."""

_MAX_ADDITIONS = 2_000_000_000
"""Cost up to which choices are counted with ties."""

_MAX_HELD = 10_000_000
"""Numbers that may be held at once while counting."""

_CALL = 3_000
"""Additions that one array operation costs besides those it makes."""


def two_sided_p(v: int, tied: NDArray[np.int64], m: int, n: int) -> float | None:
    """Probability of a statistic at least as far from its mean as `v`.

    Parameters
    ----------
    v : int
        Twice the U statistic of either group.
    tied : ndarray (g,) of int64
        How often each distinct pooled value occurs, from the lowest value to
        the highest; the sum is ``m + n``.
    m, n : int
        Values in the two groups, ``1 <= m <= n``.

    Returns
    -------
    float or None
        ``P(|V - m n| >= |v - m n|)``; None where it is not worked out: more
        than :data:`MAX_PAIRS` pairs, or a p below :data:`THINNEST` with ties
        in groups too large to be counted.
    """
    distance = abs(v - m * n)
    if distance == 0 or tied.size == 1:
        return 1.0
    if m * n > MAX_PAIRS:
        return None
    low, high = m * n - distance, m * n + distance
    if tied.max() == 1:
        return min(1.0, 2 * math.fsum(untied(m, n)[: low // 2 + 1]))
    if can_be_counted(tied, m, n):
        probability = counted(tied, m, n)
        return min(1.0, math.fsum(probability[: low + 1]) + math.fsum(probability[high:]))
    probability = inverted(tied, m, n)
    p = math.fsum(probability[: low + 1]) + math.fsum(probability[high:])
    return min(1.0, p) if p >= THINNEST else None


def untied(m: int, n: int) -> NDArray[np.float64]:
    """Probabilities of U without ties, lower half.

    The generating function is the product of ``(1 - q^(n+i)) / (1 - q^i)`` over
    i = 1 .. m, each factor scaled to keep the sum of the whole at 1.

    Parameters
    ----------
    m, n : int
        Values in the two groups.

    Returns
    -------
    ndarray (m n // 2 + 1,) of float64
        ``P(U = u)`` for u = 0, 1, ...; the other half is its mirror image.
    """
    size = m * n // 2 + 1
    probability = np.zeros(size)
    probability[0] = 1.0
    for i in range(1, m + 1):
        if n + i < size:
            probability[n + i :] -= probability[: size - n - i].copy()
        rows = -(-size // i)
        padded = np.zeros(rows * i)
        padded[:size] = probability
        probability = np.cumsum(padded.reshape(rows, i), axis=0).ravel()[:size] * (i / (n + i))
    return probability


def can_be_counted(tied: NDArray[np.int64], m: int, n: int) -> bool:
    """Whether :func:`counted` stays within its bounds of time and memory.

    Parameters
    ----------
    tied, m, n
        As in :func:`two_sided_p`.

    Returns
    -------
    bool
    """
    cost, before = 0, 0
    for t in tied.tolist():
        a = np.arange(max(0, before - n), min(m, before) + 1)
        sizes = 2 * a * (before - a) + 1
        choices = np.minimum(t, m - a) - np.maximum(0, before + t - n - a) + 1
        cost += int((choices * (sizes + _CALL)).sum())
        if cost > _MAX_ADDITIONS or int(sizes.sum()) > _MAX_HELD:
            return False
        before += t
    return True


def counted(tied: NDArray[np.int64], m: int, n: int) -> NDArray[np.float64]:
    """Probabilities of ``V = 2 U`` by going through the pooled values upwards.

    The state is how many of the values so far belong to the group of m, and the
    statistic so far. With b values of the other group below, i of t tied
    values add ``i (2 b + t - i)``, with hypergeometric probability.

    Parameters
    ----------
    tied, m, n
        As in :func:`two_sided_p`.

    Returns
    -------
    ndarray (2 m n + 1,) of float64
        ``P(V = v)``.
    """
    states = {0: np.ones(1)}
    before = 0
    for t in tied.tolist():
        after: dict[int, NDArray[np.float64]] = {}
        left = m + n - before
        for a, probability in states.items():
            b = before - a
            ways = math.comb(left, m - a)
            for i in range(max(0, b + t - n), min(t, m - a) + 1):
                chance = math.comb(t, i) * math.comb(left - t, m - a - i) / ways
                total = after.setdefault(a + i, np.zeros(2 * (a + i) * (b + t - i) + 1))
                shift = i * (2 * b + t - i)
                total[shift : shift + probability.size] += chance * probability
        states = after
        before += t
    return states[m]
