"""Temperature scaling: one number that makes probabilities bolder or more careful.

The class does not change, only how sure the classifier says it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from ifcyto.classify.scorer import softmax
from ifcyto.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "TEMPERATURES",
    "Temperature",
    "apply_temperature",
    "cross_fitted",
    "fit_logits",
    "fit_temperature",
]

TEMPERATURES = (0.05, 20.0)
"""Lowest and highest temperature; a fit ends there where it would go on."""

FLOOR = 1e-12
"""A smaller probability counts as this, so that its logarithm is finite."""


@dataclass(frozen=True, slots=True)
class Temperature:
    """A fitted temperature.

    Parameters
    ----------
    temperature : float
        Above 1 the probabilities were too sure, below 1 not sure enough.
    nll_before, nll_after : float
        Mean negative log likelihood of the objects that it was fitted on.
    at_bound : bool
        The fit ended at one of :data:`TEMPERATURES`: every object was right, or the
        probabilities say nothing.
    """

    temperature: float
    nll_before: float
    nll_after: float
    at_bound: bool


def fit_temperature(probabilities: ArrayLike, codes: ArrayLike) -> Temperature:
    """Find the temperature with the least negative log likelihood.

    Parameters
    ----------
    probabilities : array_like (n, C)
        Of objects that the classifier did not learn from; rows with NaN are left out.
    codes : array_like (n,) of int
        Place of the true class among the columns.

    Returns
    -------
    Temperature

    Raises
    ------
    UsageError
        No object, or shapes that do not fit.

    Notes
    -----
    ``p'_k = p_k^(1/T) / sum_j p_j^(1/T)``, which is ``softmax(z / T)`` of a network's logits z,
    as these are ``ln p`` but for a number that is the same for all classes [1]_. The likelihood
    is convex in 1/T, so that the root of its slope is the one minimum.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
       Proceedings of the 34th International Conference on Machine Learning, 1321-1330 (2017).

    Examples
    --------
    >>> said = np.tile([0.99, 0.01], (10, 1))
    >>> found = fit_temperature(said, [0] * 8 + [1] * 2)  # eight of ten were right
    >>> apply_temperature(said, found.temperature)[0].round(6).tolist()
    [0.8, 0.2]
    """
    return fit_logits(_logs(np.asarray(probabilities, np.float64)), codes)


def fit_logits(logits: ArrayLike, codes: ArrayLike) -> Temperature:
    """Find the temperature of logits, whose probabilities are ``softmax(logits / T)``.

    As :func:`fit_temperature`, but no difference of two logits is too large to be told.

    Parameters
    ----------
    logits : array_like (n, C)
        Rows with NaN are left out.
    codes : array_like (n,) of int

    Raises
    ------
    UsageError
        No object, or shapes that do not fit.

    Examples
    --------
    >>> found = fit_logits(np.tile([20.0, 0.0], (10, 1)), [0] * 8 + [1] * 2)
    >>> softmax(np.array([[20.0, 0.0]]) / found.temperature).round(6).tolist()
    [[0.8, 0.2]]
    """
    logs, code = np.asarray(logits, np.float64), np.asarray(codes, np.int64)
    if logs.ndim != 2 or code.shape != logs.shape[:1]:
        msg = (
            "temperature: expected a row of probabilities or logits for every object, found "
            f"{logs.shape} and {code.shape}"
        )
        raise UsageError(msg)
    known = np.isfinite(logs).all(axis=1)
    logs, code = logs[known], code[known]
    if not len(code) or code.min() < 0 or code.max() >= logs.shape[1]:
        last = logs.shape[1] - 1
        msg = f"temperature: expected objects of the classes 0 to {last}, found {len(code)} objects"
        raise UsageError(msg)
    true = logs[np.arange(len(code)), code]

    def slope(beta: float) -> float:
        return float(((softmax(beta * logs) * logs).sum(axis=1) - true).mean())

    def nll(beta: float) -> float:
        shares = softmax(beta * logs)[np.arange(len(code)), code]
        return float(-np.log(np.maximum(shares, FLOOR)).mean())

    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if slope(low) >= 0 or slope(high) <= 0:
        beta, at_bound = (low if slope(low) >= 0 else high), True
    else:
        beta, at_bound = float(brentq(slope, low, high, xtol=1e-12)), False
    return Temperature(1 / beta, nll(1.0), nll(beta), at_bound)


def apply_temperature(probabilities: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Probabilities ``(n, C)`` at another temperature; NaN stays NaN.

    Raises
    ------
    UsageError
        A temperature that is not above 0.

    Examples
    --------
    >>> apply_temperature([[0.9, 0.1]], 2.0).round(3).tolist()
    [[0.75, 0.25]]
    """
    if not 0 < temperature < np.inf:
        msg = f"temperature: expected a number above 0, found {temperature:g}"
        raise UsageError(msg)
    return softmax(_logs(np.asarray(probabilities, np.float64)) / temperature)


def cross_fitted(
    probabilities: ArrayLike, codes: ArrayLike, *, folds: int = 5, seed: int = 0
) -> NDArray[np.float64]:
    """Scale every part of the objects with the temperature of the others.

    So that one may say how good scaled probabilities are without other objects at hand.

    Parameters
    ----------
    probabilities : array_like (n, C)
    codes : array_like (n,) of int
    folds : int
        Parts, drawn at random.
    seed : int

    Returns
    -------
    ndarray (n, C)

    Raises
    ------
    UsageError
        Fewer objects than parts, or fewer than two parts.
    """
    p, code = np.asarray(probabilities, np.float64), np.asarray(codes, np.int64)
    if not 2 <= folds <= len(p):
        msg = (
            f"temperature: expected 2 parts or more and no more parts than objects, found {folds} of {len(p)}"
        )
        raise UsageError(msg)
    part = np.random.default_rng(seed).permutation(len(p)) % folds
    scaled = np.empty_like(p)
    for fold in range(folds):
        inside = part == fold
        scaled[inside] = apply_temperature(p[inside], fit_temperature(p[~inside], code[~inside]).temperature)
    return scaled


def _logs(p: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        logs: NDArray[np.float64] = np.log(np.maximum(p, FLOOR))
    return logs
