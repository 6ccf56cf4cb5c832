"""Judge the probabilities of a classifier: as they are, and after temperature scaling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ifcyto.classify.temperature import Temperature, cross_fitted, fit_temperature
from ifcyto.compare.calibration import (
    Reliability,
    brier_score,
    error_if_calibrated,
    negative_log_likelihood,
    reliability,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from ifcyto.compare.calibration import Binning

__all__ = ["Calibration", "judge_probabilities"]

FOLDS = 5
"""Parts of the objects; each is scaled by the temperature of the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Whether the probabilities hold.

    Parameters
    ----------
    given : Reliability
        Probability of the likeliest class against how often that class was right.
    of_class : dict of str to Reliability
        Probability of each class against how often objects were of it; empty where only the
        probability of the class given is known.
    expected, expected_high : float
        Calibration error of perfect probabilities: mean, and what chance exceeds in 5 %.
    brier, nll : float
        NaN where only the probability of the class given is known.
    temperature : Temperature or None
        That makes the likelihood highest.
    scaled_ece, scaled_nll : float
        With temperatures that were fitted on other objects (five parts).
    """

    given: Reliability
    of_class: dict[str, Reliability]
    expected: float
    expected_high: float
    brier: float
    nll: float
    temperature: Temperature | None
    scaled_ece: float
    scaled_nll: float


def judge_probabilities(
    sure: ArrayLike,
    right: ArrayLike,
    *,
    classes: Sequence[str],
    shares: NDArray[np.float64] | None = None,
    codes: NDArray[np.int64] | None = None,
    bins: int = 10,
    binning: Binning = "width",
    seed: int = 0,
) -> Calibration:
    """Say whether probabilities hold, and what one temperature would change.

    Parameters
    ----------
    sure : array_like (n,)
        Probability of the class given to each object.
    right : array_like (n,) of bool
        Whether it was right.
    classes : sequence of str (C,)
    shares : ndarray (n, C), optional
        Probability of every class.
    codes : ndarray (n,) of int64, optional
        Place of the true class; with `shares`.
    bins, binning
        As in :func:`ifcyto.compare.calibration.reliability`.
    seed : int

    Returns
    -------
    Calibration

    Raises
    ------
    UsageError
        Lengths that differ, or probabilities that are none.

    Examples
    --------
    >>> found = judge_probabilities([0.9] * 10, [True] * 9 + [False], classes=["BNE", "Doublet"])
    >>> round(found.given.ece, 6), found.of_class
    (0.0, {})
    """
    curve = partial(reliability, bins=bins, binning=binning)
    p = np.minimum(np.asarray(sure, np.float64), 1.0)  # a sum of shares may round to above 1
    given = curve(p, right)
    expected = error_if_calibrated(p, bins=bins, binning=binning, seed=seed)
    scaled_ece = scaled_nll = nan = float("nan")
    if shares is None or codes is None:
        return Calibration(given, {}, *expected, nan, nan, None, nan, nan)
    of_class = {name: curve(np.minimum(shares[:, k], 1.0), codes == k) for k, name in enumerate(classes)}
    if len(codes) >= FOLDS:
        scaled = cross_fitted(shares, codes, folds=FOLDS, seed=seed)
        scaled_ece = curve(np.minimum(scaled.max(axis=1), 1.0), scaled.argmax(axis=1) == codes).ece
        scaled_nll = negative_log_likelihood(np.minimum(scaled, 1.0), codes)
    return Calibration(
        given=given,
        of_class=of_class,
        expected=expected[0],
        expected_high=expected[1],
        brier=brier_score(shares, codes),
        nll=negative_log_likelihood(shares, codes),
        temperature=fit_temperature(shares, codes),
        scaled_ece=scaled_ece,
        scaled_nll=scaled_nll,
    )
