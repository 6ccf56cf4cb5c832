"""Null distribution of the Mann-Whitney statistic by its characteristic function.

For groups too large to be counted with ties. The characteristic function of
the sum of m scores drawn without replacement is an elementary symmetric
polynomial of the points ``exp(-i theta s)`` on the unit circle. Most
frequencies need no work: with draws by chance ``p = m / N`` in place of
exactly m, no term exceeds ``exp(-p (1 - p) (N - |sum exp(-i theta s)|))``, and
the sum inside is one Fourier transform of the scores.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["inverted"]

_DROP = 42.0
"""Frequencies whose term is below exp(-42) = 6e-19 before scaling are left out."""

_GROWTH = 1e3
"""Largest growth of rounding errors at which Newton's identities are used."""

_BLOCK = 1 << 13
"""Frequencies worked on at once."""


def inverted(tied: NDArray[np.int64], m: int, n: int) -> NDArray[np.float64]:
    """Probabilities of ``V = 2 U``, to an absolute error.

    Parameters
    ----------
    tied : ndarray (g,) of int64
        How often each distinct pooled value occurs, from the lowest upwards;
        at least two distinct values.
    m, n : int
        Values in the two groups, ``1 <= m <= n``.

    Returns
    -------
    ndarray (2 m n + 1,) of float64
        ``P(V = v)``. Impossible values hold rounding errors, not zeros.
    """
    rank2 = 2 * np.cumsum(tied) - tied + 1
    step = int(np.gcd.reduce(rank2 - rank2[0]))
    score = (rank2 - rank2[0]) // step
    lowest = _lowest_sum(score, tied, m)
    highest = -_lowest_sum(-score[::-1], tied[::-1], m)
    period = next_fast_len(highest - lowest + 1, real=True)
    spectrum = rfft(np.bincount(score % period, weights=tied, minlength=period))
    share = m / (m + n)
    depth = share * (1 - share) * (m + n - np.abs(spectrum))
    kept = np.flatnonzero(depth < _DROP)
    values = np.zeros(spectrum.size, complex)
    newton = _growth(m, m + n) <= _GROWTH
    for start in range(0, kept.size, _BLOCK):
        f = kept[start : start + _BLOCK]
        if newton:
            values[f] = _by_power_sums(spectrum, period, f, m, m + n)
        else:
            values[f] = _by_points(np.exp(-2j * np.pi / period * (np.outer(score, f) % period)), tied, m, n)
    sums = np.roll(irfft(values, period), -(lowest % period))[: highest - lowest + 1]
    probability = np.zeros(2 * m * n + 1)
    first = step * lowest + m * int(rank2[0]) - m * (m + 1)
    probability[first : first + step * (highest - lowest) + 1 : step] = sums
    return probability


def _lowest_sum(score: NDArray[np.int64], tied: NDArray[np.int64], m: int) -> int:
    """Sum of the m lowest scores."""
    taken = np.diff(np.minimum(np.cumsum(tied), m), prepend=0)
    return int((taken * score).sum())


def _growth(m: int, total: int) -> float:
    """Complete over elementary symmetric polynomial of ones: how far rounding can grow."""
    return math.exp(sum(math.log((total + i) / (total - i)) for i in range(m)))


def _by_power_sums(
    spectrum: NDArray[np.complex128], period: int, f: NDArray[np.int64], m: int, total: int
) -> NDArray[np.complex128]:
    """Characteristic function by Newton's identities; the i-th power sum is the spectrum at i f.

    With ``e_k`` the k-th polynomial and ``P_i`` the power sums over `total` N,
    the scaled ``E_k = e_k k! / N^k`` are
    ``E_k = sum over i of (-1)^(i-1) (k-1) .. (k-i+1) / N^(i-1) P_i E_(k-i)``.
    """
    power = np.empty((m, f.size), complex)
    for i in range(1, m + 1):
        at = (i * f) % period
        mirrored = at >= spectrum.size
        value = spectrum[np.where(mirrored, period - at, at)]
        power[i - 1] = np.where(mirrored, value.conj(), value) / total
    scaled = np.ones((m + 1, f.size), complex)
    for k in range(1, m + 1):
        factors = np.cumprod(np.concatenate([[1.0], -np.arange(k - 1, 0, -1) / total]))
        terms = max(1, int(np.count_nonzero(np.abs(factors) > 1e-25)))
        earlier = scaled[k - terms : k][::-1]
        scaled[k] = np.einsum("i,if,if->f", factors[:terms], power[:terms], earlier)
    found: NDArray[np.complex128] = scaled[m] * math.exp(-sum(math.log1p(-i / total) for i in range(m)))
    return found


def _by_points(
    points: NDArray[np.complex128], tied: NDArray[np.int64], m: int, n: int
) -> NDArray[np.complex128]:
    """Characteristic function by taking in one point after the other: slower, never unstable."""
    share = m / (m + n)
    draws = np.zeros((m + 1, points.shape[1]), complex)
    draws[0] = 1.0
    for point, t in zip(points, tied.tolist(), strict=True):
        for _ in range(t):
            draws[1:] = (1 - share) * draws[1:] + share * point * draws[:-1]
            draws[0] *= 1 - share
    log_m = math.log(math.comb(m + n, m)) + m * math.log(share) + n * math.log1p(-share)
    found: NDArray[np.complex128] = draws[m] * math.exp(-log_m)
    return found
